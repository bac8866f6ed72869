//! There is no sandbox on systems other than Linux.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::{env, io};

use crate::layers::Layers;
use crate::purpose::Sandbox;

/// See the documentation for Linux.
pub fn launch(_arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    None
}

impl Sandbox {
    /// Tries every layer on this machine. The launcher is the running program: its `main` has to
    /// call [`launch`](crate::launch()) before anything else.
    ///
    /// # Errors
    /// If the running program cannot be found or started, or if layers that hold alone fail
    /// together.
    pub fn probe() -> io::Result<Sandbox> {
        Sandbox::probe_with(&env::current_exe()?)
    }

    /// The same with another launcher.
    ///
    /// # Errors
    /// See [`probe`](Sandbox::probe).
    pub fn probe_with(launcher: &Path) -> io::Result<Sandbox> {
        Ok(Sandbox::with(launcher, Layers::without("it needs Linux")))
    }
}
