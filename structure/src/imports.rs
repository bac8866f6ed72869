//! Imports between the files of each crate, and between crates.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::graph::{Graph, Site};
use crate::modules::{Module, Modules, Sources};
use crate::resolve::Target;
use crate::workspace::{Crate, Workspace};

/// All imports in the sources.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// For each crate the graph of its files.
    pub(crate) files: BTreeMap<String, Graph>,
    /// The graph of the crates.
    pub(crate) crates: Graph,
}

impl Imports {
    /// Reads the imports of all crates.
    pub(crate) fn of(workspace: &Workspace) -> Result<Imports, Error> {
        let libraries: BTreeMap<&str, &str> = workspace
            .crates
            .iter()
            .filter_map(|member| Some((member.library.as_deref()?, member.name.as_str())))
            .collect();
        let mut imports = Imports::default();
        for member in &workspace.crates {
            imports.crates.add_node(&member.name);
            let mut reader = Reader {
                member,
                libraries: &libraries,
                library: library(member, &workspace.sources)?,
                files: Graph::default(),
                crates: &mut imports.crates,
            };
            for root in &member.roots {
                reader.read(&Modules::of(&root.file, &workspace.sources)?);
            }
            let files = reader.files;
            imports.files.insert(member.name.clone(), files);
        }
        Ok(imports)
    }
}

/// The modules of a package's library, which its programs can import.
fn library<'a>(member: &Crate, sources: &'a Sources) -> Result<Option<Modules<'a>>, Error> {
    let root = member.roots.iter().find(|root| root.is_library);
    root.map(|root| Modules::of(&root.file, sources)).transpose()
}

struct Reader<'a> {
    member: &'a Crate,
    libraries: &'a BTreeMap<&'a str, &'a str>,
    library: Option<Modules<'a>>,
    files: Graph,
    crates: &'a mut Graph,
}

impl Reader<'_> {
    fn read(&mut self, modules: &Modules<'_>) {
        for (number, module) in modules.all.iter().enumerate() {
            self.files.add_node(module.file);
            for import in &module.scope.imports {
                let targets = modules.resolve(number, &import.path, import.is_global);
                let is_needed = |target: &Target<'_>| {
                    !import.is_reexport || matches!(target, Target::External(_))
                };
                self.add(module, import.line, targets.into_iter().filter(is_needed));
            }
            for named in &module.scope.paths {
                let targets = modules.resolve(number, &named.path, named.is_global);
                // A single name that is not declared is a local variable or from the prelude.
                let is_certain =
                    |target: &Target<'_>| named.path.len() > 1 || matches!(target, Target::Item(_));
                self.add(module, named.line, targets.into_iter().filter(is_certain));
            }
        }
    }

    fn add<'t>(
        &mut self,
        module: &Module<'_>,
        line: usize,
        targets: impl Iterator<Item = Target<'t>>,
    ) {
        let site = || Site { file: module.file.to_owned(), line };
        for target in targets {
            match target {
                Target::Item(file) => self.files.add(module.file, file, site()),
                // Each use of the module is a separate path.
                Target::Module(_) => {}
                Target::External(path) => {
                    let Some(to) = self.libraries.get(path[0].as_str()) else { continue };
                    self.crates.add(&self.member.name, to, site());
                    if *to == self.member.name {
                        for file in self.files_in_library(&path[1..]) {
                            self.files.add(module.file, &file, site());
                        }
                    }
                }
            }
        }
    }

    fn files_in_library(&self, path: &[String]) -> BTreeSet<String> {
        let library = self.library.iter();
        let targets = library.flat_map(|library| library.resolve(0, path, false));
        let file = |target| match target {
            Target::Item(file) => Some(String::from(file)),
            Target::Module(_) | Target::External(_) => None,
        };
        targets.filter_map(file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::sources;
    use crate::workspace::Root;

    fn member(name: &str, roots: &[(&str, bool)]) -> Crate {
        let root = |(file, is_library): &(&str, bool)| Root {
            file: format!("{name}/src/{file}"),
            is_library: *is_library,
        };
        Crate {
            name: name.to_owned(),
            library: Some(name.to_owned()),
            folder: name.to_owned(),
            roots: roots.iter().map(root).collect(),
            dependencies: BTreeSet::new(),
        }
    }

    fn imports(files: &str) -> Imports {
        let crates = vec![
            member("c", &[("lib.rs", true), ("main.rs", false)]),
            member("d", &[("lib.rs", true)]),
        ];
        let files =
            format!("{files}\n-- c/src/main.rs --\nfn main() {{ c::f() }}\n-- d/src/lib.rs --");
        let sources = sources(&files);
        Imports::of(&Workspace { root: "".into(), crates, sources }).unwrap()
    }

    /// Compares the imports of crate `c`, except those of its program.
    #[track_caller]
    fn check(files: &str, expected: &[&str]) {
        let imports = imports(files);
        let short = |file: &str| file["c/src/".len()..].trim_end_matches(".rs").to_owned();
        let arrows = imports.files["c"].arrows().filter(|(from, _, _)| *from != "c/src/main.rs");
        let found: Vec<_> = arrows
            .map(|(from, to, sites)| {
                let lines: Vec<_> = sites.iter().map(|site| site.line.to_string()).collect();
                format!("{} -> {} at {}", short(from), short(to), lines.join(", "))
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_parent_and_its_child_can_be_a_cycle() {
        check(
            "-- c/src/lib.rs --
             mod a;
             fn f() { a::g() }
             -- c/src/a.rs --
             pub fn g() {
                 super::f();
                 super::f();
             }",
            &["a -> lib at 2, 3", "lib -> a at 2"],
        );
    }

    #[test]
    fn a_declaration_and_a_reexport_are_no_imports() {
        check(
            "-- c/src/lib.rs --
             pub mod a;
             pub use a::{A, g};
             pub fn f() {}
             -- c/src/a.rs --
             pub struct A;
             pub fn g() { crate::f() }",
            &["a -> lib at 2"],
        );
    }

    #[test]
    fn the_use_of_a_reexported_name_is_an_import() {
        check(
            "-- c/src/lib.rs --
             mod a; mod b;
             pub use a::A;
             fn f(_: A) {}
             -- c/src/a.rs --
             pub struct A;
             -- c/src/b.rs --
             use crate::A;",
            &["b -> a at 1", "lib -> a at 3"],
        );
    }

    #[test]
    fn the_use_of_a_module_alone_is_none() {
        check(
            "-- c/src/lib.rs --
             mod a; mod b;
             fn f() {}
             -- c/src/a.rs --
             use crate::b;
             fn g() { println!(\"{}\", b::h()) }
             -- c/src/b.rs --
             pub fn h() {}",
            &["a -> b at 2"],
        );
    }

    #[test]
    fn tests_import_nothing() {
        check(
            "-- c/src/lib.rs --
             mod a;
             fn f() {}
             #[cfg(test)] mod tests { use crate::a::A; }
             -- c/src/a.rs --
             pub struct A;
             #[cfg(test)] fn g() { super::f() }",
            &[],
        );
    }

    #[test]
    fn a_program_imports_its_library_and_a_crate_others() {
        let imports = imports("-- c/src/lib.rs --\nuse d::D;\npub fn f() {}");
        let program = imports.files["c"].sites("c/src/main.rs", "c/src/lib.rs");
        assert_eq!(program, [&Site { file: "c/src/main.rs".to_owned(), line: 1 }]);
        let crates = imports.crates.sites("c", "d");
        assert_eq!(crates, [&Site { file: "c/src/lib.rs".to_owned(), line: 1 }]);
    }
}
