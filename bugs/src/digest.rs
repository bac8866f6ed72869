//! A digest of the sources of a mutant and of the kit: results hold for one digest.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml_edit::DocumentMut;

use crate::sources;

/// The crate on which every mutant depends in addition to those of the reference.
pub(crate) const LABS: &str = "tests";
/// The crate that makes runs whose servers are processes.
pub(crate) const GRADER: &str = "grade";
/// The crate of the process that hosts one server.
pub(crate) const HOSTING: &str = "peer";
/// Other files on which a run depends.
const FILES: [&str; 4] = ["Cargo.toml", "Cargo.lock", "raft/Cargo.toml", "bugs/src/workspace.rs"];
/// The parts of a crate that are compiled.
const OF_A_CRATE: [&str; 3] = ["Cargo.toml", "build.rs", "src"];

/// A digest of everything that was added to it.
///
/// Another version of the standard library can compute another digest. Then every mutant is tried
/// again, which is right after a change of the compiler.
#[derive(Clone, Default)]
pub(crate) struct Digest {
    hasher: DefaultHasher,
}

impl Digest {
    /// The digest of all that the runs of a mutant depend on in the kit in this folder: the crates
    /// of the reference, those in `roots`, and what these depend on.
    pub(crate) fn of_the_kit(kit: &Path, roots: &[&str]) -> Result<Digest> {
        let mut digest = Digest::default();
        for name in FILES {
            digest.add(kit, &kit.join(name))?;
        }
        for folder in crates(kit, roots)? {
            let parts = OF_A_CRATE.into_iter().map(|name| kit.join(&folder).join(name));
            parts.filter(|path| path.exists()).try_for_each(|path| digest.add(kit, &path))?;
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

    /// Adds a last value and returns sixteen hexadecimal digits.
    pub(crate) fn with(mut self, last: &impl Hash) -> String {
        last.hash(&mut self.hasher);
        format!("{:016x}", self.hasher.finish())
    }
}

/// The folders of the kit's crates on which the reference and `roots` depend, in order.
fn crates(kit: &Path, roots: &[&str]) -> Result<Vec<String>> {
    let manifest = manifest(&kit.join("Cargo.toml"))?;
    let path_of =
        |name: &str| manifest["workspace"]["dependencies"].get(name)?.get("path")?.as_str();
    let mut found = BTreeMap::new();
    let mut next: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
    next.push("raft".to_owned());
    while let Some(name) = next.pop() {
        let Some(folder) = path_of(&name).filter(|_| !found.contains_key(&name)) else { continue };
        let manifest = self::manifest(&kit.join(folder).join("Cargo.toml"))?;
        let dependencies = manifest.get("dependencies").and_then(|table| table.as_table_like());
        next.extend(
            dependencies.into_iter().flat_map(|table| table.iter()).map(|(key, _)| key.into()),
        );
        found.insert(name, folder.to_owned());
    }
    // The mutant replaces the reference.
    found.remove("raft");
    Ok(found.into_values().collect())
}

fn manifest(file: &Path) -> Result<DocumentMut> {
    sources::read(file)?.parse().with_context(|| format!("failed to read {}", file.display()))
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

    #[test]
    fn the_crates_are_those_on_which_the_reference_and_the_labs_depend() {
        let kit = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            sources::write_if_new(&kit.path().join(name), text).unwrap();
        };
        let names = ["raft", LABS, "api", "sim", "grade"];
        let paths = names.map(|name| format!("{name} = {{ path = \"in/{name}\" }}\n")).concat();
        write("Cargo.toml", &format!("[workspace.dependencies]\n{paths}serde = \"1\"\n"));
        write("in/raft/Cargo.toml", "[dependencies]\napi.workspace = true\nserde = \"1\"\n");
        write(&format!("in/{LABS}/Cargo.toml"), "[dependencies]\napi.workspace = true\n");
        write("in/api/Cargo.toml", "[dependencies]\nsim.workspace = true\n");
        write("in/sim/Cargo.toml", "");
        write("in/grade/Cargo.toml", "[dependencies]\nsim.workspace = true\n");
        let labs = format!("in/{LABS}");
        assert_eq!(crates(kit.path(), &[LABS]).unwrap(), ["in/api", "in/sim", &labs]);
        let graded = crates(kit.path(), &[LABS, GRADER]).unwrap();
        assert_eq!(graded, ["in/api", "in/grade", "in/sim", &labs]);
    }
}
