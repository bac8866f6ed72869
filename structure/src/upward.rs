//! Finds string literals in a crate that name a crate above it.
//!
//! A crate may name the crates on which it depends. A path of another crate in a string, such as
//! `peer::` or `/peer/src/`, is a dependency that no manifest shows.

use crate::graph::Graph;
use crate::imports::Imports;
use crate::modules::Sources;
use crate::problem::Problem;
use crate::workspace::{Crate, Workspace};

/// All such string literals.
pub(crate) fn check(workspace: &Workspace, imports: &Imports) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in &workspace.crates {
        let known = workspace.needs(&member.name);
        let is_above =
            |other: &&Crate| other.name != member.name && !known.contains(other.name.as_str());
        let above: Vec<&Crate> = workspace.crates.iter().filter(is_above).collect();
        let files = imports.files.get(&member.name).into_iter().flat_map(Graph::nodes);
        problems.extend(files.flat_map(|file| strings(&workspace.sources, file, &above)));
    }
    // A line can have several such strings.
    problems.dedup();
    problems
}

fn strings(sources: &Sources, file: &str, above: &[&Crate]) -> Vec<Problem> {
    let scopes = sources.get(file).into_iter().flat_map(|source| source.scope.all());
    let texts = scopes.flat_map(|scope| &scope.strings);
    let pairs = texts.flat_map(|text| above.iter().map(move |other| (text, *other)));
    let found = pairs.filter_map(|(text, other)| {
        let mark = marks(other).into_iter().find(|mark| has(&text.value, mark))?;
        let name = &other.name;
        let line = text.line;
        Some(Problem::new(format!(
            "{file}:{line} has a string with {mark:?}, but its crate does not depend on {name}"
        )))
    });
    found.collect()
}

/// Texts that name the crate.
fn marks(member: &Crate) -> Vec<String> {
    let Crate { name, folder, .. } = member;
    let library = member.library.as_ref().unwrap_or(name);
    let mut marks = vec![format!("{library}::"), format!("{folder}/src/"), format!("{name}/src/")];
    if folder.contains('/') {
        marks.push(folder.clone());
    }
    marks
}

/// Whether `mark` is in `text`, but not as the end of a longer word.
fn has(text: &str, mark: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(mark).any(|(at, _)| !text[..at].ends_with(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::sources;

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let peer = Crate {
            name: "peer".to_owned(),
            library: Some("peer".to_owned()),
            folder: "grade/peer".to_owned(),
            roots: Vec::new(),
            dependencies: Default::default(),
        };
        let sources = sources(&format!("-- a.rs --\n{text}\n"));
        let found = strings(&sources, "a.rs", &[&peer]);
        let found: Vec<_> = found.into_iter().map(|problem| problem.what).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_name_or_path_of_a_crate_above_is_found() {
        let found = |mark| {
            format!("a.rs:1 has a string with {mark:?}, but its crate does not depend on peer")
        };
        check_text("fn f() { g(\"peer::\") }", &[&found("peer::")]);
        check_text("fn f() { m!(\"in /grade/peer/src/x\") }", &[&found("grade/peer/src/")]);
        check_text("const A: &str = \"/peer/src/\";", &[&found("peer/src/")]);
        check_text("const A: &str = \"see grade/peer\";", &[&found("grade/peer")]);
    }

    #[test]
    fn other_words_and_tests_are_free() {
        check_text("fn f() { g(\"a peer\", \"the_peer::x\", \"peers::x\") }", &[]);
        check_text("// peer::x\n#[cfg(test)] mod tests { fn f() { g(\"peer::\") } }", &[]);
    }
}
