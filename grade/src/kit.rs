//! Where the kit is: its crates are compiled into every submission's runner.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use toml_edit::{DocumentMut, Item};

use crate::exit::Refusal;

/// The crate's folder when this program was built, in the kit's; `cargo install` leaves it there.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The kit's folder and what its manifest says.
pub(crate) struct Kit {
    root: PathBuf,
    manifest: DocumentMut,
}

impl Kit {
    pub(crate) fn find() -> Result<Kit> {
        Kit::at(Path::new(CRATE).parent().expect("the kit holds the crate"))
    }

    fn at(root: &Path) -> Result<Kit> {
        let Ok(text) = fs::read_to_string(root.join("Cargo.toml")) else {
            let sentence = format!(
                "the kit is no longer in {}, where this program was built; \
                 run `cargo install --path grade` in its new place",
                root.display()
            );
            return Err(Refusal::usage(sentence).into());
        };
        let root = root.canonicalize().context("failed to find the kit")?;
        let manifest = text.parse().context("failed to read the kit's Cargo.toml")?;
        Ok(Kit { root, manifest })
    }

    /// A file or folder of the kit.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The same as TOML and Rust sources want it.
    pub(crate) fn path_text(&self, name: &str) -> Result<String> {
        let path = self.path(name).into_os_string().into_string();
        path.map_err(|path| anyhow::anyhow!("the kit's path is not valid Unicode: {path:?}"))
    }

    /// Below which everything is compiled.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(target).context("failed to find the target")?,
            None => self.path("target"),
        };
        Ok(target.join("grade"))
    }

    /// What the kit's crates mean by `NAME.workspace = true` in their dependencies.
    pub(crate) fn dependency(&self, name: &str) -> Option<&Item> {
        self.workspace("dependencies")?.get(name)
    }

    /// What the kit's crates mean by `edition.workspace = true`.
    pub(crate) fn edition(&self) -> Option<&str> {
        self.workspace("package")?.get("edition")?.as_str()
    }

    fn workspace(&self, table: &str) -> Option<&Item> {
        self.manifest.get("workspace")?.get(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_that_has_moved_away_is_an_error_of_usage() {
        let Err(error) = Kit::at(Path::new("/moved/away")) else { panic!("it is there") };
        assert!(error.is::<Refusal>());
        assert_eq!(
            error.to_string(),
            "the kit is no longer in /moved/away, where this program was built; \
             run `cargo install --path grade` in its new place"
        );
    }
}
