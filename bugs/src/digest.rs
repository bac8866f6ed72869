//! What a row was found out about, in sixteen digits: the sources of the plant and of the kit.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What of the kit takes part in a run.
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

/// Of everything that was put into it. Another version of the standard library may make another of
/// it; then everything is found out again, as is right after a change of the compiler.
#[derive(Clone, Default)]
pub(crate) struct Digest {
    hasher: DefaultHasher,
}

impl Digest {
    /// Of the kit in this folder.
    pub(crate) fn of_the_kit(kit: &Path) -> Result<Digest> {
        let mut digest = Digest::default();
        for name in KIT {
            digest.take(kit, &kit.join(name))?;
        }
        Ok(digest)
    }

    /// Takes in a file or a folder below the kit.
    fn take(&mut self, kit: &Path, path: &Path) -> Result<()> {
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
        entries.iter().try_for_each(|entry| self.take(kit, entry))
    }

    /// The digits, with one thing more taken in.
    pub(crate) fn with(mut self, last: &impl Hash) -> String {
        last.hash(&mut self.hasher);
        format!("{:016x}", self.hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_changes_with_what_is_in_a_folder_and_with_the_name_that_it_has() {
        let digest = |files: &[(&str, &str)]| {
            let kit = tempfile::tempdir().unwrap();
            fs::create_dir(kit.path().join("src")).unwrap();
            for (name, text) in files {
                fs::write(kit.path().join("src").join(name), text).unwrap();
            }
            let mut digest = Digest::default();
            digest.take(kit.path(), &kit.path().join("src")).unwrap();
            digest.with(&"a plant")
        };
        let one = digest(&[("a.rs", "fn a() {}")]);
        assert_eq!(one, digest(&[("a.rs", "fn a() {}")]));
        assert_ne!(one, digest(&[("b.rs", "fn a() {}")]));
        assert_ne!(one, digest(&[("a.rs", "fn b() {}")]));
    }
}
