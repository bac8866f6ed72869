//! Runs one test with one seed, and keeps what came of it.

pub(crate) mod room;
pub(crate) mod scratch;
pub(crate) mod confine;
pub(crate) mod remote;
pub(crate) mod runner;
pub(crate) mod supervisor;
pub(crate) mod finished;
pub(crate) mod store;
