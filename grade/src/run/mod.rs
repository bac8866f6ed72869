//! Runs one test with one seed, and keeps the result.

pub(crate) mod room;
pub(crate) mod scratch;
pub(crate) mod confine;
pub(crate) mod remote;
pub(crate) mod finished;
pub(crate) mod store;
pub(crate) mod supervisor;
pub(crate) mod runner;
