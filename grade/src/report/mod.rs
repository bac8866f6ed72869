//! Turns runs into points, and reports them to people and to programs.

pub(crate) mod score;
pub(crate) mod inspected;
pub(crate) mod failures;
pub(crate) mod graded;
pub(crate) mod table;
pub(crate) mod reporter;
pub(crate) mod text;
pub(crate) mod json;
pub(crate) mod notices;
pub(crate) mod format;
pub(crate) mod progress;
