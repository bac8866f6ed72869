//! Pictures of a recorded run. They read its run file, and nothing else.
//!
//! - [`timeline`]: text for a terminal, a column a server, a line a change.
//! - [`perfetto`]: the trace format that <https://ui.perfetto.dev> opens.

mod plain;
mod server;
pub mod timeline;
pub mod perfetto;

#[cfg(test)]
mod sample;
