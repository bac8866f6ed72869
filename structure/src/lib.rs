//! Checks that the structure of this workspace is as ARCHITECTURE.md draws it.
//!
//! - There is no import cycle between the files of a crate, between its folders, or between crates.
//! - The crates depend on each other as drawn.
//! - Some names occur only in some folders.
//! - No string in a crate names a crate above it.
//!
//! Imports are read from the sources. Each `use` and each path leads, through re-exports, to the
//! file that defines the name. A re-export or a `mod` declaration alone is not an import, and tests
//! do not count. A method call names no file, so it is not seen.

mod error;
mod scope;
mod untested;
mod names;
mod source;
mod modules;
mod resolve;
mod graph;
mod workspace;
mod imports;
mod folders;
mod page;
mod problem;
mod arrows;
mod forbidden;
mod upward;
mod report;
#[cfg(test)]
mod fixture;

pub use error::Error;
pub use problem::Problem;

use std::path::Path;

use imports::Imports;
use page::{PAGE, Page};
use workspace::Workspace;

/// All broken rules in the workspace to which the folder `within` belongs. Cycles come first.
pub fn check(within: &Path) -> Result<Vec<Problem>, Error> {
    let workspace = Workspace::read(within)?;
    let page = Page::read(&workspace.root)?;
    let imports = Imports::of(&workspace)?;
    let mut problems = cycles(&imports);
    match &page.arrows {
        Some(drawn) => problems.extend(arrows::check(&workspace.crates, drawn)),
        None => problems.push(Problem::new(format!(
            "{PAGE} has no block ```arrows; `cargo structure --arrows` prints one"
        ))),
    }
    match &page.forbidden {
        Some(rules) => problems.extend(forbidden::check(&workspace, &imports, rules)),
        None => problems.push(Problem::new(format!("{PAGE} has no block ```forbidden"))),
    }
    problems.extend(upward::check(&workspace, &imports));
    Ok(problems)
}

/// Figures of the workspace, as text for people.
pub fn report(within: &Path) -> Result<String, Error> {
    let workspace = Workspace::read(within)?;
    Ok(report::render(&workspace, &Imports::of(&workspace)?))
}

/// The block ```` ```arrows ```` with the actual dependencies.
pub fn arrows(within: &Path) -> Result<String, Error> {
    Ok(arrows::block(&Workspace::read(within)?.crates))
}

fn cycles(imports: &Imports) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, files) in &imports.files {
        let of = format!("files in {name}");
        problems.extend(files.cycles().iter().map(|c| Problem::cycle(&of, files, c)));
        let graphs = folders::graphs(files);
        for (graph, cycle) in folders::cycles(&graphs) {
            let is_pure = cycle.iter().all(|node| node.ends_with('/'));
            let nodes = if is_pure { "folders" } else { "folders and files" };
            problems.push(Problem::cycle(&format!("{nodes} in {name}"), graph, &cycle));
        }
    }
    let crates = &imports.crates;
    problems.extend(crates.cycles().iter().map(|c| Problem::cycle("crates", crates, c)));
    problems.sort_by_key(|problem| problem.at.len());
    problems
}
