//! Filters the system calls that a process can make from now on.
//!
//! A filter cannot be removed, applies to everything that the process starts, and needs no
//! privilege. Some forbidden calls can be reached from safe Rust (sockets, processes, other
//! programs). They are answered with "operation not permitted", so that a submission that tries one
//! fails at that line. Calls that no program makes by accident (ptrace, namespaces, signals to
//! others) end the process with SIGSYS.
//!
//! Two processes use it: the grader's launcher before it executes a program, and the peer itself
//! once it runs. It is a crate of its own so that the peer does not depend on the grader.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod filter;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use filter::{seal_build, seal_copy, seal_peer, seal_template, tighten};

/// Why a filter could not be applied.
#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod elsewhere {
    use super::Error;

    fn unknown() -> Result<(), Error> {
        Err(Error("system calls are filtered on Linux with x86-64 or aarch64 only".to_owned()))
    }

    /// See the documentation for Linux.
    ///
    /// # Errors
    /// Always.
    pub fn seal_peer() -> Result<(), Error> {
        unknown()
    }

    /// See the documentation for Linux.
    ///
    /// # Errors
    /// Always.
    pub fn seal_template() -> Result<(), Error> {
        unknown()
    }

    /// See the documentation for Linux.
    ///
    /// # Errors
    /// Always.
    pub fn seal_copy() -> Result<(), Error> {
        unknown()
    }

    /// See the documentation for Linux.
    ///
    /// # Errors
    /// Always.
    pub fn seal_build() -> Result<(), Error> {
        unknown()
    }

    /// See the documentation for Linux.
    ///
    /// # Errors
    /// Always.
    pub fn tighten() -> Result<(), Error> {
        unknown()
    }
}
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub use elsewhere::{seal_build, seal_copy, seal_peer, seal_template, tighten};
