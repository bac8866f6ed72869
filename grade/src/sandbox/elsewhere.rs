//! Elsewhere than on Linux there is no launcher.

use std::ffi::OsString;
use std::process::ExitCode;

/// See the documentation for Linux.
pub fn launch(_arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    None
}
