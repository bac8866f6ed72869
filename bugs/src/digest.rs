//! A digest of the sources of a mutant and of the kit: results hold for one digest.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The parts of the kit that take part in a run.
const KIT: [&str; 10] = [
    "Cargo.toml",
    "Cargo.lock",
    "raft/Cargo.toml",
    "sim/build.rs",
    "sim/src",
    "labrpc/src",
    "raftapi/src",
    "config/src",
    "tests/src",
    "bugs/src/workspace.rs",
];

/// A digest of everything that was added to it.
///
/// Another version of the standard library may compute another digest. Then every mutant is tried
/// again, which is right after a change of the compiler.
#[derive(Clone, Default)]
pub(crate) struct Digest {
    hasher: DefaultHasher,
}

impl Digest {
    /// The digest of the kit in this folder.
    pub(crate) fn of_the_kit(kit: &Path) -> Result<Digest> {
        let mut digest = Digest::default();
        for name in KIT {
            digest.add(kit, &kit.join(name))?;
        }
        Ok(digest)
    }

    /// Adds a file or a folder of the kit, with its path.
    fn add(&mut self, kit: &Path, path: &Path) -> Result<()> {
        let context = || format!("failed to read {}", path.display());
        if !path.is_dir() {
            path.strip_prefix(kit).unwrap_or(path).hash(&mut self.hasher);
            fs::read(path).with_context(context)?.hash(&mut self.hasher);
            return Ok(());
        }
        let entries = fs::read_dir(path).with_context(context)?;
        let mut entries: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        entries.iter().try_for_each(|entry| self.add(kit, entry))
    }

    /// Adds one thing more and returns sixteen digits.
    pub(crate) fn with(mut self, last: &impl Hash) -> String {
        last.hash(&mut self.hasher);
        format!("{:016x}", self.hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_the_texts_and_names_of_files() {
        let digest = |files: &[(&str, &str)]| {
            let kit = tempfile::tempdir().unwrap();
            fs::create_dir(kit.path().join("src")).unwrap();
            for (name, text) in files {
                fs::write(kit.path().join("src").join(name), text).unwrap();
            }
            let mut digest = Digest::default();
            digest.add(kit.path(), &kit.path().join("src")).unwrap();
            digest.with(&"a mutant")
        };
        let one = digest(&[("a.rs", "fn a() {}")]);
        assert_eq!(one, digest(&[("a.rs", "fn a() {}")]));
        assert_ne!(one, digest(&[("b.rs", "fn a() {}")]));
        assert_ne!(one, digest(&[("a.rs", "fn b() {}")]));
    }
}
