//! Pictures of a recorded run, and answers to questions about it. They read its run file, and
//! nothing else.
//!
//! - [`timeline`]: text for a terminal, a column a server, a line a change.
//! - [`perfetto`]: the trace format that <https://ui.perfetto.dev> opens.
//! - [`html`]: a page with everything that the run file has, to open from disk.
//! - [`ask`]: the moments of a run at which a condition holds.

mod changes;
mod columns;
mod page;
mod phrase;
mod plain;
mod server;
pub mod timeline;
pub mod perfetto;
pub mod ask;
mod values;

pub use crate::page::html;

#[cfg(test)]
mod sample;
