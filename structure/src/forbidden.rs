//! Finds names in folders in which they are forbidden.
//!
//! Paths are compared, not text: comments and strings can name anything. Code under `cfg(test)`
//! does not count, except for the keyword `unsafe`.

use std::collections::BTreeSet;

use crate::graph::Graph;
use crate::imports::Imports;
use crate::page::{Forbidden, List, PAGE};
use crate::problem::Problem;
use crate::scope::Scope;
use crate::source::Source;
use crate::workspace::{Crate, Workspace};

/// All places with a name that one of `rules` forbids there.
pub(crate) fn check(workspace: &Workspace, imports: &Imports, rules: &[Forbidden]) -> Vec<Problem> {
    let tests = only_for_tests(workspace, imports);
    rules.iter().flat_map(|rule| check_rule(workspace, &tests, rule)).collect()
}

/// Files in the `src` of a member that neither its library nor a program declares.
fn only_for_tests<'a>(workspace: &'a Workspace, imports: &Imports) -> BTreeSet<&'a str> {
    let declared: BTreeSet<&str> = imports.files.values().flat_map(Graph::nodes).collect();
    let is_source = |path: &str| {
        workspace.crates.iter().any(|member| is_in(path, &format!("{}/src", member.folder)))
    };
    let files = workspace.sources.keys().map(String::as_str);
    files.filter(|path| is_source(path) && !declared.contains(path)).collect()
}

fn check_rule(workspace: &Workspace, tests: &BTreeSet<&str>, rule: &Forbidden) -> Vec<Problem> {
    let Workspace { sources, crates, .. } = workspace;
    let mut problems = Vec::new();
    for folder in rule.folders.of.iter().chain(&rule.folders.except) {
        if !sources.keys().any(|path| is_in(path, folder)) {
            let at = format!("{PAGE}:{}", rule.line);
            problems.push(Problem::new(format!("{at} names {folder}, which has no source file")));
        }
    }
    let names = expanded(&rule.names, crates);
    for (path, source) in sources.iter().filter(|(path, _)| is_chosen(path, &rule.folders)) {
        for name in &names {
            let mut lines = match name.as_str() {
                "unsafe" => source.unsafe_lines.clone(),
                _ if tests.contains(path.as_str()) => Vec::new(),
                name => lines_with(source, name),
            };
            lines.sort_unstable();
            lines.dedup();
            problems.extend(lines.into_iter().map(|line| {
                let by = format!("{PAGE}:{}", rule.line);
                Problem::new(format!("{path}:{line} names {name}, which {by} forbids there"))
            }));
        }
    }
    problems
}

fn is_chosen(path: &str, folders: &List) -> bool {
    let any = |folders: &[String]| folders.iter().any(|folder| is_in(path, folder));
    any(&folders.of) && !any(&folders.except)
}

/// Whether `path` is `folder` or in it.
fn is_in(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder == "." || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The names, with `kit` replaced by the libraries of all members.
fn expanded(names: &List, crates: &[Crate]) -> Vec<String> {
    let libraries = || crates.iter().filter_map(|member| member.library.clone());
    let all = names.of.iter().flat_map(|name| match name.as_str() {
        "kit" => libraries().collect(),
        name => vec![name.to_owned()],
    });
    all.filter(|name| !names.except.contains(name)).collect()
}

fn lines_with(source: &Source, name: &str) -> Vec<usize> {
    let name: Vec<&str> = name.split("::").collect();
    source.scope.all().into_iter().flat_map(|scope| lines_in(scope, &name)).collect()
}

fn lines_in(scope: &Scope, name: &[&str]) -> Vec<usize> {
    // A module of the crate can have the name of another crate.
    let is_own = |head: &str| {
        scope.items.contains(head)
            || scope.declared.iter().any(|module| module.name == head)
            || scope.inline.iter().any(|module| module.name == head)
    };
    let imports = scope.imports.iter();
    let imports = imports.filter(|i| i.is_global || !i.path.first().is_some_and(|p| is_own(p)));
    let imports = imports.filter(|import| {
        let path: Vec<&str> = import.path.iter().map(String::as_str).collect();
        // `use std::sync::*` names everything below it.
        contains(&path, name) || (import.bound.is_none() && name.starts_with(&path))
    });
    // A single word is a local variable or an imported name. Then the import itself is found.
    let paths = scope.paths.iter().filter(|named| named.path.len() > 1);
    let paths = paths.filter(|named| named.is_global || !is_own(&named.path[0]));
    let paths = paths.filter(|named| contains(&in_full(scope, &named.path), name));
    imports.map(|import| import.line).chain(paths.map(|named| named.line)).collect()
}

/// `path`, with the full path of its first part if that was imported.
fn in_full<'a>(scope: &'a Scope, path: &'a [String]) -> Vec<&'a str> {
    let import = scope.imports.iter().find(|import| import.bound.as_ref() == Some(&path[0]));
    let start = import.map_or(&path[..1], |import| &import.path);
    start.iter().chain(&path[1..]).map(String::as_str).collect()
}

/// Whether the parts of `name` follow one another in `path`. The name of a crate alone must be the
/// first part.
fn contains(path: &[&str], name: &[&str]) -> bool {
    let is_crate = name.len() == 1 && name[0].starts_with(|first: char| first.is_lowercase());
    if is_crate {
        path.first() == name.first()
    } else {
        path.windows(name.len()).any(|w| w == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::sources;
    use crate::page::Page;
    use crate::workspace::Root;

    #[track_caller]
    fn check_text(rule: &str, text: &str, expected: &[&str]) {
        let sources = sources(&format!(
            "-- a/src/lib.rs --
             mod x; #[cfg(test)] mod tests;
             -- a/src/tests.rs --
             use rand::Rng;
             -- b.rs --\n             -- a/src/x.rs --\n{text}\n"
        ));
        let page = Page::parse(&format!("```forbidden\n{rule}\n```")).unwrap();
        let member = |name: &str, roots| Crate {
            name: name.to_owned(),
            library: Some(name.to_owned()),
            folder: name.to_owned(),
            roots,
            dependencies: BTreeSet::new(),
        };
        let root = Root { file: "a/src/lib.rs".to_owned(), is_library: true };
        let crates = vec![member("a", vec![root]), member("low", vec![]), member("high", vec![])];
        let workspace = Workspace { root: "".into(), crates, sources };
        let imports = Imports::of(&workspace).unwrap();
        let problems = check(&workspace, &imports, &page.forbidden.unwrap());
        let found: Vec<_> = problems.into_iter().map(|problem| problem.what).collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check_found(name: &str, text: &str) {
        let expected = format!("a/src/x.rs:1 names {name}, which ARCHITECTURE.md:2 forbids there");
        check_text(&format!("a/src: {name}"), text, &[&expected]);
    }

    #[test]
    fn a_name_is_found_in_imports_and_paths() {
        check_found("std::thread", "use std::{io, thread::{self, sleep}};");
        check_found("std::thread", "fn f() { std::thread::spawn(g) }");
        check_found("Instant::now", "fn f(x: Instant) { std::time::Instant::now() }");
        check_found("rand", "fn f() { m!(rand::random()) }");
        check_found("std::sync::Mutex", "use std::sync::*;");
        check_found("rand", "mod rand {} fn f() { ::rand::random() }");
    }

    #[test]
    fn a_name_is_found_under_another_name() {
        check_text(
            "a/src: Instant::now",
            "use std::time::Instant as I;\nfn f() { I::now() }",
            &["a/src/x.rs:2 names Instant::now, which ARCHITECTURE.md:2 forbids there"],
        );
    }

    #[test]
    fn other_text_is_free() {
        check_text(
            "a/src: rand",
            "// rand::x\nfn f() { g(\"rand::x\", rand, self::rand::y) }",
            &[],
        );
        check_text("a/src: Instant::now", "fn f(now: Instant) { now }", &[]);
        check_text("a/src: std::thread", "#[cfg(test)] mod tests { use std::thread; }", &[]);
        check_text("a/src: rand", "mod rand { fn f() {} } use rand::f; fn g() { rand::f() }", &[]);
        check_text("b.rs: rand", "use rand::Rng;", &[]);
        check_text(". except a: rand", "use rand::Rng;", &[]);
    }

    #[test]
    fn unsafe_counts_in_tests_too() {
        check_found("unsafe", "#[cfg(test)] mod tests { fn f() { unsafe {} } }");
    }

    #[test]
    fn kit_is_every_member() {
        check_text(
            "a: kit except low",
            "use low::A; use high::B; use other::C;",
            &["a/src/x.rs:1 names high, which ARCHITECTURE.md:2 forbids there"],
        );
    }

    #[test]
    fn a_folder_that_is_gone_is_a_problem() {
        let expected = "ARCHITECTURE.md:2 names c/src, which has no source file";
        check_text("c/src: rand", "", &[expected]);
    }
}
