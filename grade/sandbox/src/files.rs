//! The Landlock layer: the files that a program can open.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope,
};

use crate::purpose::Purpose;

/// Required of the kernel: nothing is read, written, made or executed elsewhere.
const REQUIRED: ABI = ABI::V1;
/// Used if the kernel has it: no truncation, no control of devices, no TCP, no signals and no
/// abstract sockets to the outside.
const WANTED: ABI = ABI::V6;

/// The folders of the system's programs and libraries, for a compiler.
const SYSTEM: [&str; 7] = ["/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/sbin", "/usr"];

/// The rules for one program. Their files are already open, so that the user can change first.
pub(crate) struct Files(RulesetCreated);

impl Files {
    pub(crate) fn of(purpose: &Purpose, program: &Path) -> Result<Files, Box<dyn Error>> {
        let mut files = Files(ruleset()?.create()?);
        let run: BitFlags<AccessFs> = AccessFs::Execute | AccessFs::ReadFile;
        files.allow(program, run)?;
        match purpose {
            Purpose::Peer | Purpose::Peers => {
                let libraries = Libraries::of_this_process()?;
                for loader in &libraries.loaders {
                    files.allow(loader, run)?;
                }
                for folder in &libraries.folders {
                    files.allow(folder, AccessFs::ReadFile)?;
                }
                files.allow("/etc/ld.so.cache", AccessFs::ReadFile)?;
                // The C library reads the first stack there, and `sim` its kernel threads.
                files.allow("/proc/self/maps", AccessFs::ReadFile)?;
                files.allow("/proc/self/task", AccessFs::ReadDir)?;
            }
            Purpose::Build { reads, writes } => {
                for path in SYSTEM.iter().map(Path::new).chain(reads.iter().map(PathBuf::as_path)) {
                    files.allow(path, AccessFs::from_read(WANTED))?;
                }
                files.allow("/etc/ld.so.cache", AccessFs::ReadFile)?;
                files.allow("/dev/null", AccessFs::ReadFile | AccessFs::WriteFile)?;
                files.allow("/dev/urandom", AccessFs::ReadFile)?;
                for path in writes {
                    files.allow(path, AccessFs::from_all(WANTED))?;
                }
            }
        }
        Ok(files)
    }

    /// Skips a path that does not exist.
    fn allow(
        &mut self,
        path: impl AsRef<Path>,
        access: impl Into<BitFlags<AccessFs>>,
    ) -> Result<(), Box<dyn Error>> {
        let Ok(metadata) = fs::metadata(&path) else { return Ok(()) };
        let mut access = access.into();
        if !metadata.is_dir() {
            access &= AccessFs::from_file(WANTED);
        }
        (&mut self.0).add_rule(PathBeneath::new(PathFd::new(path)?, access))?;
        Ok(())
    }

    /// From now on the process cannot open anything else.
    pub(crate) fn restrict(self) -> Result<(), Box<dyn Error>> {
        match self.0.restrict_self()?.ruleset {
            RulesetStatus::NotEnforced => Err("the kernel enforces nothing".into()),
            _ => Ok(()),
        }
    }
}

fn ruleset() -> Result<Ruleset, landlock::RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))
}

/// The version of Landlock in this kernel.
pub(crate) fn abi() -> Option<i32> {
    // Only a thread that restricts itself learns the version.
    let restrict =
        || -> Option<RestrictionStatus> { ruleset().ok()?.create().ok()?.restrict_self().ok() };
    match thread::spawn(restrict).join().ok()??.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            Some(kernel_abi.unwrap_or(effective_abi as i32))
        }
        _ => None,
    }
}

/// Where the machine keeps the loader and the libraries of Rust programs.
///
/// They are those of the launcher itself, which is a Rust program of the same toolchain. So no
/// distribution's layout is assumed.
struct Libraries {
    loaders: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Libraries {
    fn of_this_process() -> Result<Libraries, Box<dyn Error>> {
        let me = std::env::current_exe()?;
        let maps = fs::read_to_string("/proc/self/maps")?;
        let mut libraries = Libraries { loaders: BTreeSet::new(), folders: BTreeSet::new() };
        let mapped = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
        for path in mapped.map(PathBuf::from).filter(|path| *path != me) {
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ld-")) {
                libraries.loaders.insert(path.clone());
            }
            libraries.folders.extend(path.parent().map(Path::to_path_buf));
        }
        Ok(libraries)
    }
}
