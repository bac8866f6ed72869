//! Turns runs into points, and says them to people and to programs.

pub(crate) mod score;
pub(crate) mod inspected;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod failures;
pub(crate) mod json;
