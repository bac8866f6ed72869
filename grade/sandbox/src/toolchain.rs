//! The compiler that builds submissions, as a command in the sandbox.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::limits::Limits;
use crate::purpose::{Purpose, Sandbox};

/// The folders of the compiler and of downloaded crates.
#[derive(Debug, Clone)]
pub struct Toolchain {
    sysroot: PathBuf,
    cargo_home: PathBuf,
}

impl Toolchain {
    /// The toolchain of `rustc` outside of any project.
    ///
    /// # Errors
    /// If there is none, or no home folder for cargo.
    pub fn find() -> io::Result<Toolchain> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc).current_dir("/").args(["--print", "sysroot"]).output()?;
        let sysroot = String::from_utf8(output.stdout).map_err(io::Error::other)?;
        let cargo_home = match env::var_os("CARGO_HOME") {
            Some(home) => home.into(),
            None => {
                env::home_dir().ok_or_else(|| io::Error::other("no home folder"))?.join(".cargo")
            }
        };
        Ok(Toolchain { sysroot: sysroot.trim().into(), cargo_home })
    }

    /// A `cargo` that can read `reads`, the toolchain and downloaded crates, and write only below
    /// `target`. It is offline: run `cargo fetch` outside first.
    ///
    /// # Errors
    /// If there is no room for its temporary folder.
    pub fn cargo(
        &self,
        sandbox: &Sandbox,
        reads: &[&Path],
        target: &Path,
        limits: &Limits,
    ) -> io::Result<Command> {
        self.program("cargo", sandbox, reads, target, limits)
    }

    /// The compiler itself, with the same rights.
    ///
    /// # Errors
    /// See [`cargo`](Toolchain::cargo).
    pub fn rustc(
        &self,
        sandbox: &Sandbox,
        reads: &[&Path],
        target: &Path,
        limits: &Limits,
    ) -> io::Result<Command> {
        self.program("rustc", sandbox, reads, target, limits)
    }

    fn program(
        &self,
        name: &str,
        sandbox: &Sandbox,
        reads: &[&Path],
        target: &Path,
        limits: &Limits,
    ) -> io::Result<Command> {
        let temporary = target.join("tmp");
        // A compiler that was killed may have left files there.
        let _ = fs::remove_dir_all(&temporary);
        fs::create_dir_all(&temporary)?;
        let mut reads: Vec<PathBuf> = reads.iter().map(PathBuf::from).collect();
        reads.push(self.sysroot.clone());
        reads.push(self.cargo_home.join("registry"));
        reads.push(self.cargo_home.join("config.toml"));
        // Cargo looks for settings in every parent folder, and fails at one that it cannot read.
        let settings = target.ancestors().map(|folder| folder.join(".cargo/config.toml"));
        reads.extend(settings.filter(|file| file.is_file()));
        let purpose = Purpose::Build { reads, writes: vec![target.into()] };

        let programs = self.sysroot.join("bin");
        let others = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([programs.clone()].into_iter().chain(env::split_paths(&others)))
            .map_err(io::Error::other)?;
        let mut command = sandbox.command(&programs.join(name), &purpose, limits);
        command
            .env("PATH", path)
            .env("CARGO_HOME", &self.cargo_home)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", target)
            .env("TMPDIR", temporary);
        Ok(command)
    }
}
