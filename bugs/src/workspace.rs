//! A generated workspace with a patched copy of `raft` for every mutant.
//!
//! It is in the target folder and has a package for each mutant. The library is the patched Raft.
//! One program is the runner of the labs; the other hosts one server, as a grading needs it. A file
//! is written only if it has changed. So cargo compiles only what a patch changes, and compiles the
//! kit's crates once for all mutants.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml_edit::{Array, DocumentMut, value};

use crate::digest::{Digest, GRADER, HOSTING, LABS};
use crate::exit::UserError;
use crate::mode::Mode;
use crate::mutant::Mutant;
use crate::sources::{Sources, read, write_if_new};

/// The program that runs the labs on the mutant. Under a name that ends with [`BLACK_BOX`] it is a
/// black box: it forwards everything but `inspect`, whose default returns nothing.
const RUNNER: &str = "\
//! Runs the labs on the mutant, as a black box if the name of the program says so.

use std::env;
use std::sync::Arc;

use raftapi::{RaftPeer, Started};
use labrpc::Service;

struct BlackBox(Arc<dyn RaftPeer>);

impl RaftPeer for BlackBox {
    fn service(self: Arc<Self>) -> Service {
        Arc::clone(&self.0).service()
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        self.0.start(command)
    }

    fn get_state(&self) -> (u64, bool) {
        self.0.get_state()
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.0.snapshot(index, snapshot);
    }

    fn kill(&self) {
        self.0.kill();
    }
}

fn main() {
    let name = env::args_os().next().unwrap_or_default();
    if name.to_string_lossy().ends_with(\".BLACK_BOX\") {
        tests::main(|context| Arc::new(BlackBox(CRATE::make(context))) as Arc<dyn RaftPeer>)
    }
    tests::main(CRATE::make)
}
";
/// The program that hosts one server of the mutant in a process of its own.
const HOST: &str = "\
//! Hosts one server of the mutant, which the grader steps.

fn main() {
    HOSTING::main(CRATE::make)
}
";
/// The ending of the name of a program that hides `inspect`.
pub(crate) const BLACK_BOX: &str = "black-box";

/// Where the mutants are compiled.
pub(crate) struct Workspace {
    /// The kit's folder.
    pub(crate) kit: PathBuf,
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// The folder of cargo's target folders, which all mutants share.
    pub(crate) target: PathBuf,
    /// The digests of the sources of each mutant and of the kit, by the id of the mutant.
    digests: BTreeMap<String, Digests>,
    /// Held while the mutants are in use.
    _lock: File,
}

/// The digests of what the results of a mutant depend on.
struct Digests {
    /// Without the grader.
    in_process: String,
    /// With the grader.
    graded: String,
}

impl Workspace {
    /// Writes the sources of these mutants. `folder` is the folder of this crate.
    ///
    /// # Errors
    /// If a patch does not apply, or another process uses the same workspace.
    pub(crate) fn lay_out(folder: &Path, mutants: &[&Mutant]) -> Result<Workspace> {
        let kit = folder.parent().context("this crate lies in the kit")?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(target).context("failed to find the target")?,
            None => kit.join("target"),
        };
        let target = target.join("bugs");
        let root = target.join("mutants");
        let lock = lock(&root)?;
        let reference = Sources::read(&kit.join("raft/src"))?;
        let manifest = read(&kit.join("raft/Cargo.toml"))?;
        let digest_of = |roots: &[&str]| Digest::of_the_kit(kit, roots);
        let (labs, grader) = (digest_of(&[LABS])?, digest_of(&[LABS, GRADER, HOSTING])?);
        let (mut members, mut digests) = (Array::new(), BTreeMap::new());
        for mutant in mutants {
            let name = package_name(mutant);
            let package = root.join(&name);
            let patched = reference.with(mutant)?;
            patched.write(&package.join("src"))?;
            write_if_new(&package.join("Cargo.toml"), &package_manifest(&manifest, &name)?)?;
            let runner = RUNNER.replace("BLACK_BOX", BLACK_BOX);
            let in_crate = |text: &str| text.replace("CRATE", &name.replace('-', "_"));
            let (runner, host) = (in_crate(&runner), in_crate(HOST).replace("HOSTING", HOSTING));
            write_if_new(&package.join("runner.rs"), &runner)?;
            write_if_new(&package.join("host.rs"), &host)?;
            let own = (patched, runner);
            let in_process = labs.clone().with(&own);
            let graded = grader.clone().with(&(own, host));
            digests.insert(mutant.id().to_owned(), Digests { in_process, graded });
            members.push(name);
        }
        let manifest = read(&kit.join("Cargo.toml"))?;
        write_if_new(&root.join("Cargo.toml"), &root_manifest(&manifest, kit, members)?)?;
        fs::copy(kit.join("Cargo.lock"), root.join("Cargo.lock"))
            .context("failed to copy the kit's Cargo.lock")?;
        Ok(Workspace { kit: kit.into(), root, target, digests, _lock: lock })
    }

    /// The digest of everything that a column of a mutant depends on. The head of its patch is no
    /// part of it.
    pub(crate) fn digest(&self, mutant: &Mutant, mode: Mode) -> &str {
        let digests = &self.digests[mutant.id()];
        if mode == Mode::Graded { &digests.graded } else { &digests.in_process }
    }

    /// The name of the package to which a source file belongs; empty for a file outside.
    pub(crate) fn package_of(&self, source: &Path) -> String {
        let path = source.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let package = path.iter().next().unwrap_or_default();
        package.to_string_lossy().into_owned()
    }
}

/// Locks the workspace: two processes would write different mutants to the same place.
fn lock(root: &Path) -> Result<File> {
    let lock = fs::create_dir_all(root).and_then(|()| File::create(root.join("lock")));
    let lock = lock.with_context(|| format!("failed to lock {}", root.display()))?;
    if lock.try_lock().is_err() {
        let sentence = format!("another run of bugs uses {}; wait until it ends", root.display());
        return Err(UserError::usage(sentence).into());
    }
    Ok(lock)
}

/// The name of the package of a mutant.
pub(crate) fn package_name(mutant: &Mutant) -> String {
    mutant.name.to_lowercase()
}

/// The name of the program that hosts one server of a mutant.
pub(crate) fn host_name(mutant: &Mutant) -> String {
    format!("{}-host", package_name(mutant))
}

/// The kit's manifest, with the mutants as members and absolute paths.
fn root_manifest(manifest: &str, kit: &Path, members: Array) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse().context("failed to read Cargo.toml")?;
    let workspace = manifest["workspace"].as_table_mut().context("the kit is a workspace")?;
    workspace["members"] = value(members);
    workspace.remove("default-members");
    workspace.remove("exclude");
    let dependencies =
        workspace["dependencies"].as_table_mut().context("the kit has dependencies")?;
    for (_, dependency) in dependencies.iter_mut() {
        if let Some(path) = dependency.get("path").and_then(|path| path.as_str()) {
            let Some(path) = kit.join(path).to_str().map(str::to_owned) else {
                bail!("the kit's path is not valid Unicode");
            };
            dependency["path"] = value(path);
        }
    }
    // As for submissions, an overflow or a failed assertion is a panic.
    for check in ["overflow-checks", "debug-assertions"] {
        manifest["profile"]["release"][check] = value(true);
    }
    // A mutant does little, so the time to compile it counts most. Its speed does not change what
    // happens in virtual time.
    manifest["profile"]["release"]["opt-level"] = value(1);
    manifest["profile"]["release"]["package"]["*"]["opt-level"] = value(3);
    Ok(manifest.to_string())
}

/// The manifest of `raft` under another name, with the two programs added.
fn package_manifest(manifest: &str, name: &str) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse().context("failed to read raft/Cargo.toml")?;
    manifest["package"]["name"] = value(name);
    for host in [LABS, HOSTING] {
        manifest["dependencies"][host]["workspace"] = value(true);
    }
    let program =
        |name: &str, path: &str| format!("\n[[bin]]\nname = \"{name}\"\npath = \"{path}\"\n");
    let programs = program(name, "runner.rs") + &program(&format!("{name}-host"), "host.rs");
    Ok(manifest.to_string() + &programs)
}
