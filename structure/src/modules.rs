//! The modules of one program or library, found by following `mod` from its root file.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::scope::{Declared, Scope};
use crate::source::Source;

/// All sources of the workspace, by path.
pub(crate) type Sources = BTreeMap<String, Source>;

/// The modules below one root file. Module 0 is the root.
#[derive(Debug)]
pub(crate) struct Modules<'a> {
    /// Parents come before their children.
    pub(crate) all: Vec<Module<'a>>,
}

/// One module.
#[derive(Debug)]
pub(crate) struct Module<'a> {
    /// The module above. The root is its own parent.
    pub(crate) parent: usize,
    /// Modules by name. There can be several with one name, for different platforms.
    pub(crate) children: BTreeMap<&'a str, Vec<usize>>,
    /// The file in which it lives.
    pub(crate) file: &'a str,
    /// Its content.
    pub(crate) scope: &'a Scope,
}

impl<'a> Modules<'a> {
    /// Follows the declarations from the file `root`.
    pub(crate) fn of(root: &str, sources: &'a Sources) -> Result<Modules<'a>, Error> {
        let (file, source) = sources
            .get_key_value(root)
            .ok_or_else(|| Error::Module { path: root.to_owned(), name: "crate".to_owned() })?;
        let mut modules = Modules { all: Vec::new() };
        modules.add(0, file, &source.scope, folder_of(file), sources)?;
        Ok(modules)
    }

    /// Adds the module `scope` and those below; files of its children are in `folder`.
    fn add(
        &mut self,
        parent: usize,
        file: &'a str,
        scope: &'a Scope,
        folder: &str,
        sources: &'a Sources,
    ) -> Result<usize, Error> {
        let this = self.all.len();
        self.all.push(Module { parent, children: BTreeMap::new(), file, scope });
        for inner in &scope.inline {
            let folder = joined(folder, &inner.name);
            let child = self.add(this, file, inner, &folder, sources)?;
            self.all[this].children.entry(&inner.name).or_default().push(child);
        }
        for declared in &scope.declared {
            let (child_file, source) = find(declared, file, folder, sources)?;
            // The children of `mod.rs`, and of a file named by `#[path]`, are in the same folder.
            let folder = if child_file.ends_with("/mod.rs") || declared.at.is_some() {
                folder_of(child_file).to_owned()
            } else {
                joined(folder, &declared.name)
            };
            let child = self.add(this, child_file, &source.scope, &folder, sources)?;
            self.all[this].children.entry(&declared.name).or_default().push(child);
        }
        Ok(this)
    }
}

/// The file of the module `declared` in `file`.
fn find<'a>(
    declared: &Declared,
    file: &str,
    folder: &str,
    sources: &'a Sources,
) -> Result<(&'a str, &'a Source), Error> {
    let stem = joined(folder, &declared.name);
    let candidates = match &declared.at {
        Some(at) => vec![normal(&joined(folder_of(file), at))],
        None => vec![format!("{stem}.rs"), format!("{stem}/mod.rs")],
    };
    let mut found = candidates.iter().filter_map(|path| sources.get_key_value(path));
    let missing = || Error::Module { path: file.to_owned(), name: declared.name.clone() };
    found.next().map(|(path, source)| (path.as_str(), source)).ok_or_else(missing)
}

/// The folder of a file; empty for one in the root of the workspace.
pub(crate) fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn joined(folder: &str, name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// `path` without `..`.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixture::sources;

    #[track_caller]
    fn check(files: &str, expected: &[&str]) {
        let sources = sources(files);
        let modules = Modules::of("c/src/lib.rs", &sources).unwrap();
        let files: BTreeSet<&str> = modules.all.iter().map(|module| module.file).collect();
        assert_eq!(Vec::from_iter(files), expected);
    }

    #[test]
    fn modules_are_files_and_folders() {
        let files = "
            -- c/src/lib.rs --
            mod a; mod b; mod c { mod d; } #[path = \"../e/x.rs\"] mod e;
            -- c/src/a.rs --
            mod inner;
            -- c/src/a/inner.rs --
            -- c/src/b/mod.rs --
            mod inner;
            -- c/src/b/inner.rs --
            -- c/src/c/d.rs --
            -- c/e/x.rs --
            -- c/src/unused.rs --
            ";
        check(
            files,
            &[
                "c/e/x.rs",
                "c/src/a.rs",
                "c/src/a/inner.rs",
                "c/src/b/inner.rs",
                "c/src/b/mod.rs",
                "c/src/c/d.rs",
                "c/src/lib.rs",
            ],
        );
    }

    #[test]
    fn a_file_that_only_tests_declare_does_not_count() {
        let files = "
            -- c/src/lib.rs --
            mod a; #[cfg(test)] mod tests;
            -- c/src/a.rs --
            -- c/src/tests.rs --
            ";
        check(files, &["c/src/a.rs", "c/src/lib.rs"]);
    }

    #[test]
    fn a_module_without_a_file_is_named() {
        let sources = sources("-- c/src/lib.rs --\nmod gone;\n");
        let error = Modules::of("c/src/lib.rs", &sources).unwrap_err();
        let expected = "failed to find the file of module gone, which c/src/lib.rs declares";
        assert_eq!(error.to_string(), expected);
    }
}
