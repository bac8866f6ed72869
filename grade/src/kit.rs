//! The kit's folder and version: its crates are compiled into every submission's program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use ::tests::LABS;
use anyhow::{Context, Result};
use runner::Test;
use sha2::{Digest, Sha256};
use toml_edit::{DocumentMut, Item};

use crate::exit::UserError;

/// The folder of this crate when the program was built. `cargo install` does not move it.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The number of digits of the kit's hash. It only has to tell a few versions apart.
const HASH_DIGITS: usize = 12;

/// The number of hexadecimal digits of an id.
pub(crate) const ID_DIGITS: usize = 32;

/// The kit's folder and manifest.
pub(crate) struct Kit {
    root: PathBuf,
    manifest: DocumentMut,
    version: String,
    rustc: String,
}

impl Kit {
    pub(crate) fn find() -> Result<Kit> {
        Kit::at(Path::new(CRATE).parent().expect("the kit holds the crate"))
    }

    /// The kit for runs of these tests. Verdicts also depend on tests that are not the labs', and
    /// those are in this program: then its hash is a part of the version.
    pub(crate) fn find_for(tests: &[&Test]) -> Result<Kit> {
        let mut kit = Kit::find()?;
        if !tests.iter().all(|test| is_of_the_labs(test)) {
            let program = env::current_exe().and_then(fs::read);
            let program = program.context("failed to read this program")?;
            kit.version += &format!(".{}", &hash([&program[..]])[..HASH_DIGITS]);
        }
        Ok(kit)
    }

    fn at(root: &Path) -> Result<Kit> {
        let Ok(text) = fs::read_to_string(root.join("Cargo.toml")) else {
            let sentence = format!(
                "the kit is no longer in {}, where this program was built; \
                 run `cargo install --path grade` in its new place",
                root.display()
            );
            return Err(UserError::usage(sentence).into());
        };
        let root = root.canonicalize().context("failed to find the kit")?;
        let manifest = text.parse().context("failed to read the kit's Cargo.toml")?;
        let version = version(&root, &manifest).context("failed to read the kit's sources")?;
        Ok(Kit { root, manifest, version, rustc: rustc()? })
    }

    /// The kit's version, `+`, and a hash of its sources, because verdicts depend on them. See also
    /// [`Kit::find_for`].
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The output of `rustc --version`.
    pub(crate) fn rustc(&self) -> &str {
        &self.rustc
    }

    /// A file or folder of the kit.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The same as text for TOML and Rust sources.
    pub(crate) fn path_text(&self, name: &str) -> Result<String> {
        let path = self.path(name).into_os_string().into_string();
        path.map_err(|path| anyhow::anyhow!("the kit's path is not valid Unicode: {path:?}"))
    }

    /// The folder in which everything is compiled.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(target).context("failed to find the target")?,
            None => self.path("target"),
        };
        Ok(target.join("grade"))
    }

    /// The meaning of `NAME.workspace = true` in the dependencies of the kit's crates.
    pub(crate) fn dependency(&self, name: &str) -> Option<&Item> {
        self.workspace("dependencies")?.get(name)
    }

    /// The folder of a crate that belongs to the kit.
    pub(crate) fn folder_of(&self, name: &str) -> Option<&str> {
        self.dependency(name)?.get("path")?.as_str()
    }

    /// The folders of a crate of the kit and of all crates of the kit that it depends on.
    pub(crate) fn crates_below(&self, name: &str) -> Result<BTreeSet<String>> {
        let mut folders = BTreeSet::new();
        let mut next = vec![name.to_owned()];
        while let Some(folder) = next.pop().and_then(|name| self.folder_of(&name)) {
            if !folders.insert(folder.to_owned()) {
                continue;
            }
            let file = self.path(folder).join("Cargo.toml");
            let failed = || format!("failed to read {}", file.display());
            let manifest: DocumentMut =
                fs::read_to_string(&file).with_context(failed)?.parse().with_context(failed)?;
            let dependencies = manifest.get("dependencies").and_then(Item::as_table_like);
            let names = dependencies.into_iter().flat_map(|table| table.iter());
            next.extend(names.map(|(name, _)| name.to_owned()).filter(|name| self.is_own(name)));
        }
        Ok(folders)
    }

    /// Whether a crate is the kit's own.
    fn is_own(&self, name: &str) -> bool {
        self.folder_of(name).is_some()
    }

    /// The meaning of `edition.workspace = true` in the kit's crates.
    pub(crate) fn edition(&self) -> Option<&str> {
        self.workspace("package")?.get("edition")?.as_str()
    }

    fn workspace(&self, table: &str) -> Option<&Item> {
        self.manifest.get("workspace")?.get(table)
    }
}

/// Whether the labs have this test.
pub(crate) fn is_of_the_labs(test: &Test) -> bool {
    LABS.tests.iter().any(|lab| lab.name() == test.name())
}

/// The compiler that cargo will use.
fn rustc() -> Result<String> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).arg("--version").output();
    let output = output.context("failed to run rustc, which the grader needs")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn version(root: &Path, manifest: &DocumentMut) -> Result<String> {
    let workspace = &manifest["workspace"];
    let number = workspace["package"]["version"].as_str().context("the kit has no version")?;
    let members = workspace["members"].as_array().context("the kit has no members")?;
    let mut files = BTreeSet::from([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    for member in members.iter().filter_map(|member| member.as_str()) {
        add_sources(&root.join(member), &mut files)?;
    }
    let mut hasher = Sha256::new();
    for file in &files {
        let bytes = fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
        let name = file.strip_prefix(root).expect("it was found there");
        update(&mut hasher, name.as_os_str().as_encoded_bytes());
        update(&mut hasher, &bytes);
    }
    Ok(format!("{number}+{}", &hex(hasher)[..HASH_DIGITS]))
}

fn add_sources(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let failed = || format!("failed to read {}", folder.display());
    for entry in folder.read_dir().with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let path = entry.path();
        if entry.file_type().with_context(failed)?.is_dir() {
            add_sources(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "rs" || end == "toml") {
            files.insert(path);
        }
    }
    Ok(())
}

/// Adds a piece with its length, so that no other sequence of pieces gives the same hash.
pub(crate) fn update(hasher: &mut Sha256, piece: &[u8]) {
    hasher.update((piece.len() as u64).to_le_bytes());
    hasher.update(piece);
}

/// An id for a sequence of pieces.
pub(crate) fn hash<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for piece in pieces {
        update(&mut hasher, piece);
    }
    hex(hasher)[..ID_DIGITS].to_owned()
}

pub(crate) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_covers_tests_that_are_not_the_labs() {
        let lab = &LABS.tests[0];
        let version = |tests: &[&Test]| Kit::find_for(tests).unwrap().version;
        let own = Test { words: "my own test", ..*lab };
        assert_eq!(version(&[lab]), Kit::find().unwrap().version);
        assert!(version(&[lab, &own]).starts_with(&format!("{}.", version(&[lab]))));
    }

    #[test]
    fn a_kit_that_has_moved_away_is_a_usage_error() {
        let Err(error) = Kit::at(Path::new("/moved/away")) else { panic!("it is there") };
        assert!(error.is::<UserError>());
        assert_eq!(
            error.to_string(),
            "the kit is no longer in /moved/away, where this program was built; \
             run `cargo install --path grade` in its new place"
        );
    }

    #[test]
    fn a_program_is_compiled_with_only_the_crates_that_its_host_needs() {
        let kit = Kit::find().unwrap();
        let below = |name| kit.crates_below(name).unwrap();
        let peer = below("peer");
        for folder in ["grade/peer", "grade/seal", "labrpc", "raftapi", "sim", "verdict"] {
            assert!(peer.contains(folder), "{folder} is not in {peer:?}");
        }
        for folder in ["config", "grade", "raft", "tests", "watch"] {
            assert!(!peer.contains(folder), "{folder} is in {peer:?}");
        }
        assert!(below("tests").contains("config") && !below("tests").contains("raft"));
    }
}
