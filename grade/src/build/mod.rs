//! Builds a submission to a program, within limits and out of reach of everything else.

pub(crate) mod layout;
pub(crate) mod idle;
pub(crate) mod guard;
pub(crate) mod cargo;
pub(crate) mod budget;
pub(crate) mod linked;
pub(crate) mod programs;
pub(crate) mod compile;
