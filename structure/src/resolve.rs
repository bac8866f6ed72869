//! Resolves a path, through re-exports, to the file that defines its name.

use crate::modules::Modules;
use crate::scope::Import;

/// The target of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A module of this crate, by number.
    Module(usize),
    /// Something that the file defines.
    Item(&'a str),
    /// A path into another crate. Its first part is the crate's name.
    External(Vec<String>),
}

/// Declarations that are being followed. A name that leads back to itself has no target.
type Trail = Vec<*const Import>;

impl<'a> Modules<'a> {
    /// All targets that `path` can have in the module `from`. One name can mean a module and a
    /// function, and different things on different platforms.
    pub(crate) fn resolve(&self, from: usize, path: &[String], is_global: bool) -> Vec<Target<'a>> {
        self.follow(from, path, is_global, &mut Vec::new())
    }

    fn follow(
        &self,
        from: usize,
        path: &[String],
        is_global: bool,
        trail: &mut Trail,
    ) -> Vec<Target<'a>> {
        let Some((head, rest)) = path.split_first() else { return vec![Target::Module(from)] };
        if is_global {
            return vec![Target::External(path.to_vec())];
        }
        let starts = match head.as_str() {
            "crate" => vec![Target::Module(0)],
            "self" => vec![Target::Module(from)],
            "super" => vec![Target::Module(self.all[from].parent)],
            "Self" => return Vec::new(),
            name => self.look_up(from, name, trail),
        };
        if starts.is_empty() {
            return vec![Target::External(path.to_vec())];
        }
        self.walk(starts, rest, trail)
    }

    /// Follows `path` from each of `starts`.
    fn walk(&self, starts: Vec<Target<'a>>, path: &[String], trail: &mut Trail) -> Vec<Target<'a>> {
        let Some((head, rest)) = path.split_first() else { return starts };
        let mut found = Vec::new();
        let mut items = Vec::new();
        for start in starts {
            match start {
                Target::Module(module) if head == "super" => {
                    let parent = Target::Module(self.all[module].parent);
                    found.extend(self.walk(vec![parent], rest, trail));
                }
                Target::Module(module) => {
                    let next = self.look_up(module, head, trail);
                    found.extend(self.walk(next, rest, trail));
                    // A macro can define names that the sources do not show.
                    items.push(Target::Item(self.all[module].file));
                }
                Target::Item(file) => items.push(Target::Item(file)),
                Target::External(mut outside) => {
                    outside.extend(path.iter().cloned());
                    found.push(Target::External(outside));
                }
            }
        }
        if found.is_empty() { items } else { found }
    }

    /// The targets of `name` in `module` itself; none if it is not declared there.
    fn look_up(&self, module: usize, name: &str, trail: &mut Trail) -> Vec<Target<'a>> {
        let here = &self.all[module];
        let mut found = Vec::new();
        if here.scope.items.contains(name) {
            found.push(Target::Item(here.file));
        }
        let children = here.children.get(name).into_iter().flatten();
        found.extend(children.map(|child| Target::Module(*child)));
        for import in here.scope.imports.iter().filter(|i| i.bound.as_deref() == Some(name)) {
            found.extend(self.import(module, import, trail));
        }
        if !found.is_empty() {
            return found;
        }
        for import in here.scope.imports.iter().filter(|import| import.bound.is_none()) {
            for target in self.import(module, import, trail) {
                let Target::Module(source) = target else { continue };
                let depth = trail.len();
                trail.push(import);
                found.extend(self.look_up(source, name, trail));
                trail.truncate(depth);
            }
        }
        found
    }

    fn import(&self, module: usize, import: &Import, trail: &mut Trail) -> Vec<Target<'a>> {
        if trail.contains(&std::ptr::from_ref(import)) {
            return Vec::new();
        }
        trail.push(import);
        let found = self.follow(module, &import.path, import.is_global, trail);
        trail.pop();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::sources;

    const FILES: &str = "
        -- src/lib.rs --
        mod a; mod b; mod room;
        pub use a::{Foo, run};
        use b as other;
        use room::*;
        -- src/a.rs --
        pub(crate) struct Foo; pub fn run() {}
        use super::b::Bar;
        mod inline { use super::Foo; fn f() {} }
        -- src/b.rs --
        pub(crate) struct Bar; pub enum Kind { One }
        use std::thread as t;
        -- src/room/mod.rs --
        mod run; mod deep;
        pub use run::run; pub use deep::Deep;
        fn own() {}
        -- src/room/run.rs --
        pub(crate) fn run() {} pub fn more() {}
        -- src/room/deep.rs --
        pub(crate) struct Deep;
        ";

    #[track_caller]
    fn check(from: usize, path: &str, expected: &[&str]) {
        let sources = sources(FILES);
        let modules = Modules::of("src/lib.rs", &sources).unwrap();
        let parts: Vec<String> = path.split("::").map(str::to_owned).collect();
        let shown = |target| match target {
            Target::Module(module) => format!("module {}", modules.all[module].file),
            Target::Item(file) => file.to_owned(),
            Target::External(path) => format!("extern {}", path.join("::")),
        };
        let found: Vec<_> = modules.resolve(from, &parts, false).into_iter().map(shown).collect();
        assert_eq!(found, expected, "{path}");
    }

    // Modules by number, in the order of the files above.
    const ROOT: usize = 0;
    const A: usize = 1;
    const INLINE: usize = 2;
    const B: usize = 3;
    const RUN: usize = 5;

    #[test]
    fn a_path_leads_to_the_file_that_defines_its_item() {
        check(ROOT, "a::Foo", &["src/a.rs"]);
        check(B, "crate::a::Foo::new", &["src/a.rs"]);
        check(A, "super::b::Kind::One", &["src/b.rs"]);
        check(INLINE, "super::super::b::Bar", &["src/b.rs"]);
        check(ROOT, "self::b::Bar", &["src/b.rs"]);
    }

    #[test]
    fn a_reexport_leads_to_the_file_behind_it() {
        check(B, "crate::Foo", &["src/a.rs"]);
        check(B, "crate::room::Deep", &["src/room/deep.rs"]);
        check(B, "crate::other::Bar", &["src/b.rs"]);
        check(A, "Bar", &["src/b.rs"]);
        check(INLINE, "Foo", &["src/a.rs"]);
    }

    #[test]
    fn a_glob_brings_in_names_that_are_not_declared() {
        check(ROOT, "Deep", &["src/room/deep.rs"]);
        check(ROOT, "own", &["src/room/mod.rs"]);
        check(ROOT, "run", &["src/a.rs"]);
    }

    #[test]
    fn a_module_and_a_function_can_have_one_name() {
        check(B, "crate::room::run", &["module src/room/run.rs", "src/room/run.rs"]);
        check(B, "crate::room::run::more", &["src/room/run.rs"]);
        check(RUN, "super::own", &["src/room/mod.rs"]);
    }

    #[test]
    fn a_name_that_a_macro_defines_belongs_to_its_module() {
        check(ROOT, "b::made_by_macro", &["src/b.rs"]);
    }

    #[test]
    fn what_is_not_declared_is_another_crates() {
        check(ROOT, "std::thread::spawn", &["extern std::thread::spawn"]);
        check(B, "t::spawn", &["extern std::thread::spawn"]);
    }
}
