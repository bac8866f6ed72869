//! Reads a submission into memory: only what may be compiled, and only what is allowed.

pub(crate) mod names;
pub(crate) mod folder;
pub(crate) mod archive;
pub(crate) mod tokens;
pub(crate) mod manifest;
pub(crate) mod source_tree;
pub(crate) mod submission;
pub(crate) mod submission_names;
