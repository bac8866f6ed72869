//! A generated workspace with a patched copy of `raft` for every plant.
//!
//! It lies below the target folder and has a package for each plant: its library is the patched
//! Raft, its program the runner of the labs. A file is written only if it has changed, so cargo
//! compiles again only what a patch changes, and the kit's crates once for all.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use toml_edit::{Array, DocumentMut, value};

use crate::digest::Digest;
use crate::exit::Refusal;
use crate::plant::Plant;

/// Puts the plant through the labs. Under another name it is a black box: it hands on everything
/// but `inspect`, whose default says nothing.
const RUNNER: &str = "\
//! Puts the plant through the labs; as a black box if the program's name ends so.

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
/// A program whose name has this ending hides what `inspect` says.
pub(crate) const BLACK_BOX: &str = "black-box";

/// Where the plants are compiled.
pub(crate) struct Workspace {
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// The folder of cargo's target folders, which all plants share.
    pub(crate) target: PathBuf,
    /// What each plant and the kit are made of, by the plant's id.
    digests: BTreeMap<String, String>,
    /// Held as long as the plants are in use.
    _lock: File,
}

impl Workspace {
    /// Writes the sources of these plants. `folder` is this crate's.
    pub(crate) fn lay_out(folder: &Path, plants: &[&Plant]) -> Result<Workspace> {
        let kit = folder.parent().context("this crate lies in the kit")?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(target).context("failed to find the target")?,
            None => kit.join("target"),
        };
        let target = target.join("bugs");
        let root = target.join("plants");
        let lock = lock(&root)?;
        let reference = sources(&kit.join("raft/src"))?;
        let manifest = read(&kit.join("raft/Cargo.toml"))?;
        let kit_digest = Digest::of_the_kit(kit)?;
        let (mut members, mut digests) = (Array::new(), BTreeMap::new());
        for plant in plants {
            let name = package_name(plant);
            let package = root.join(&name);
            let patched = apply(plant, &reference)?;
            write_sources(&package.join("src"), &patched)?;
            write_if_new(&package.join("Cargo.toml"), &package_manifest(&manifest, &name)?)?;
            let runner = RUNNER.replace("BLACK_BOX", BLACK_BOX);
            let runner = runner.replace("CRATE", &name.replace('-', "_"));
            write_if_new(&package.join("runner.rs"), &runner)?;
            digests.insert(plant.id.clone(), kit_digest.clone().with(&(patched, runner)));
            members.push(name);
        }
        let manifest = read(&kit.join("Cargo.toml"))?;
        write_if_new(&root.join("Cargo.toml"), &root_manifest(&manifest, kit, members)?)?;
        fs::copy(kit.join("Cargo.lock"), root.join("Cargo.lock"))
            .context("failed to copy the kit's Cargo.lock")?;
        Ok(Workspace { root, target, digests, _lock: lock })
    }

    /// Tells whether a plant, or the kit, has changed since something was found out about it.
    pub(crate) fn digest(&self, plant: &Plant) -> &str {
        &self.digests[&plant.id]
    }
}

/// Two runs at once would lay out different plants in the same place.
fn lock(root: &Path) -> Result<File> {
    let lock = fs::create_dir_all(root).and_then(|()| File::create(root.join("lock")));
    let lock = lock.with_context(|| format!("failed to lock {}", root.display()))?;
    if lock.try_lock().is_err() {
        let sentence = format!("another run of bugs is at work in {}", root.display());
        return Err(Refusal::usage(sentence).into());
    }
    Ok(lock)
}

/// What cargo calls the plant.
pub(crate) fn package_name(plant: &Plant) -> String {
    plant.name.to_lowercase()
}

/// The sources as the patch leaves them.
fn apply(plant: &Plant, reference: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let Some(patch) = &plant.file else { return Ok(reference.clone()) };
    let copy = tempfile::tempdir().context("failed to make a folder")?;
    let folder = copy.path().join("raft/src");
    write_sources(&folder, reference)?;
    let output = Command::new("git")
        .args(["apply", "--whitespace=nowarn"])
        .arg(patch)
        .current_dir(copy.path())
        // Whatever repository there is around it is none of git's business here.
        .env("GIT_CEILING_DIRECTORIES", copy.path().parent().unwrap_or(copy.path()))
        .output()
        .context("failed to run git")?;
    let patched = sources(&folder)?;
    if !output.status.success() || patched == *reference {
        let words = String::from_utf8_lossy(&output.stderr);
        let sentence = format!("{}.patch does not apply to raft: {}", plant.name, words.trim());
        return Err(Refusal::patch(sentence).into());
    }
    Ok(patched)
}

/// The Rust files of a folder, by name. The reference's own tests do not hold for a plant.
fn sources(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut sources = BTreeMap::new();
    for file in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = file?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            sources.insert(name, read(&path)?);
        }
    }
    Ok(sources)
}

fn write_sources(folder: &Path, sources: &BTreeMap<String, String>) -> Result<()> {
    sources.iter().try_for_each(|(name, text)| write_if_new(&folder.join(name), text))
}

/// The kit's own manifest, with other members, and paths that hold from there.
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
    // As submissions are graded: an overflow or a broken assertion is a panic.
    for check in ["overflow-checks", "debug-assertions"] {
        manifest["profile"]["release"][check] = value(true);
    }
    // The plants' own code does little: what counts is how long it takes to compile. In virtual
    // time nothing else depends on it.
    manifest["profile"]["release"]["opt-level"] = value(1);
    manifest["profile"]["release"]["package"]["*"]["opt-level"] = value(3);
    Ok(manifest.to_string())
}

/// The manifest of `raft` under another name, with a program beside the library.
fn package_manifest(manifest: &str, name: &str) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse().context("failed to read raft/Cargo.toml")?;
    manifest["package"]["name"] = value(name);
    manifest["dependencies"]["tests"]["workspace"] = value(true);
    let program = format!("\n[[bin]]\nname = \"{name}\"\npath = \"runner.rs\"\n");
    Ok(manifest.to_string() + &program)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))
}

fn write_if_new(file: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = file.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .with_context(|| format!("failed to write {}", file.display()))
}
