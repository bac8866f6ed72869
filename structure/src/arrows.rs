//! Compares the dependencies between crates with the arrows on the page.

use std::collections::{BTreeMap, BTreeSet};

use crate::page::{Drawn, PAGE};
use crate::problem::Problem;
use crate::workspace::{Arrow, Crate, Kind};

/// Arrows on the page without a dependency, and dependencies without an arrow.
pub(crate) fn check(crates: &[Crate], drawn: &[Drawn]) -> Vec<Problem> {
    let names: BTreeSet<&str> = crates.iter().map(|member| member.name.as_str()).collect();
    let there: BTreeSet<_> = crates.iter().flat_map(arrows).collect();
    let mut seen = BTreeMap::new();
    let mut problems = Vec::new();
    for arrow in drawn {
        let key = (arrow.from.as_str(), arrow.to.as_str(), arrow.kind);
        let at = format!("{PAGE}:{}", arrow.line);
        let shown = shown(key);
        let unknown = [&arrow.from, &arrow.to].into_iter().find(|name| !names.contains(&***name));
        if let Some(name) = unknown {
            problems
                .push(Problem::new(format!("{at} draws {shown}, but no member is named {name}")));
        } else if let Some(line) = seen.insert(key, arrow.line) {
            problems.push(Problem::new(format!(
                "{at} draws {shown} again; line {line} has it already"
            )));
        } else if !there.contains(&key) {
            problems
                .push(Problem::new(format!("{at} draws {shown}, but there is no such dependency")));
        }
    }
    for (key, folder) in crates.iter().flat_map(|m| arrows(m).map(move |key| (key, &m.folder))) {
        if !seen.contains_key(&key) {
            let shown = shown(key);
            problems.push(Problem::new(format!(
                "{folder}/Cargo.toml has {shown}, which {PAGE} does not draw"
            )));
        }
    }
    problems
}

/// The block with the actual dependencies.
pub(crate) fn block(crates: &[Crate]) -> String {
    let mut block = String::from("```arrows\n");
    for member in crates.iter().filter(|member| !member.dependencies.is_empty()) {
        let targets: Vec<String> = member.dependencies.iter().map(target).collect();
        block += &format!("{} -> {}\n", member.name, targets.join(", "));
    }
    block + "```\n"
}

fn arrows(member: &Crate) -> impl Iterator<Item = (&str, &str, Kind)> {
    member.dependencies.iter().map(|arrow| (member.name.as_str(), arrow.to.as_str(), arrow.kind))
}

fn shown((from, to, kind): (&str, &str, Kind)) -> String {
    format!("{from} -> {}", target(&Arrow { to: to.to_owned(), kind }))
}

fn target(arrow: &Arrow) -> String {
    let Arrow { to, kind } = arrow;
    match kind {
        Kind::Normal => to.clone(),
        Kind::Dev => format!("{to} (dev)"),
        Kind::Build => format!("{to} (build)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Page;

    fn member(name: &str, dependencies: &[(&str, Kind)]) -> Crate {
        let arrow = |(to, kind): &(&str, Kind)| Arrow { to: (*to).to_owned(), kind: *kind };
        Crate {
            name: name.to_owned(),
            library: Some(name.to_owned()),
            folder: name.to_owned(),
            roots: Vec::new(),
            dependencies: dependencies.iter().map(arrow).collect(),
        }
    }

    fn crates() -> Vec<Crate> {
        vec![
            member("a", &[]),
            member("b", &[("a", Kind::Normal)]),
            member("c", &[("a", Kind::Dev), ("b", Kind::Normal)]),
        ]
    }

    #[track_caller]
    fn check_page(arrows: &str, expected: &[&str]) {
        let page = Page::parse(&format!("```arrows\n{arrows}\n```")).unwrap();
        let problems = check(&crates(), &page.arrows.unwrap());
        let found: Vec<_> = problems.into_iter().map(|problem| problem.what).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_drawn_must_be_there_and_the_reverse() {
        check_page("b -> a\nc -> b, a (dev)", &[]);
        check_page(
            "b -> a\nc -> b",
            &["c/Cargo.toml has c -> a (dev), which ARCHITECTURE.md does not draw"],
        );
        check_page(
            "b -> a, c\nc -> b, a (dev)",
            &["ARCHITECTURE.md:2 draws b -> c, but there is no such dependency"],
        );
    }

    #[test]
    fn a_dependency_of_tests_is_another_arrow() {
        check_page(
            "b -> a\nc -> b, a",
            &[
                "ARCHITECTURE.md:3 draws c -> a, but there is no such dependency",
                "c/Cargo.toml has c -> a (dev), which ARCHITECTURE.md does not draw",
            ],
        );
    }

    #[test]
    fn an_arrow_is_drawn_once_and_between_members() {
        check_page(
            "b -> a\nb -> a\nc -> b, a (dev), d",
            &[
                "ARCHITECTURE.md:3 draws b -> a again; line 2 has it already",
                "ARCHITECTURE.md:4 draws c -> d, but no member is named d",
            ],
        );
    }

    #[test]
    fn the_block_of_what_is_there_is_without_problems() {
        let page = Page::parse(&block(&crates())).unwrap();
        assert_eq!(check(&crates(), &page.arrows.unwrap()), []);
    }
}
