//! The rules: methods of Figure 2's state, without threads, locks, clocks or random numbers.

pub(crate) mod state;
pub(crate) mod election;
pub(crate) mod replication;
pub(crate) mod commit;
pub(crate) mod apply;
pub(crate) mod snapshot;
pub(crate) mod log;
pub(crate) mod persistent;

#[cfg(test)]
mod tests;
