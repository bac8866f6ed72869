//! Checks the shape of this workspace, so that it stays as ARCHITECTURE.md draws it.
//!
//! - No circle of imports between the files of a crate, between its folders, or between crates.
//! - The crates depend on each other as drawn.
//! - Some names occur in some folders only.
//! - No crate knows a crate above it by a string.
//!
//! Imports are read from the sources: each `use` and each path leads to the file that defines what
//! it names, through re-exports. A re-export and a `mod` declaration alone are no imports, and
//! tests do not count. A method call names no file, so it is not seen.

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
mod rooms;
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

/// All broken rules in the workspace to which the folder `within` belongs, circles first.
pub fn check(within: &Path) -> Result<Vec<Problem>, Error> {
    let workspace = Workspace::read(within)?;
    let page = Page::read(&workspace.root)?;
    let imports = Imports::of(&workspace)?;
    let mut problems = circles(&imports);
    match &page.arrows {
        Some(drawn) => problems.extend(arrows::check(&workspace.crates, drawn)),
        None => problems.push(Problem::new(format!("{PAGE} has no block ```arrows"))),
    }
    match &page.forbidden {
        Some(rules) => problems.extend(forbidden::check(&workspace, &imports, rules)),
        None => problems.push(Problem::new(format!("{PAGE} has no block ```forbidden"))),
    }
    problems.extend(upward::check(&workspace, &imports));
    Ok(problems)
}

/// Figures of the workspace for a person.
pub fn report(within: &Path) -> Result<String, Error> {
    let workspace = Workspace::read(within)?;
    Ok(report::render(&workspace, &Imports::of(&workspace)?))
}

/// The block ```` ```arrows ```` that draws the dependencies as they are.
pub fn arrows(within: &Path) -> Result<String, Error> {
    Ok(arrows::block(&Workspace::read(within)?.crates))
}

fn circles(imports: &Imports) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, files) in &imports.files {
        let of = format!("files in {name}");
        problems.extend(files.circles().iter().map(|c| Problem::circle(&of, files, c)));
        let graphs = rooms::graphs(files);
        for (graph, circle) in rooms::circles(&graphs) {
            let is_pure = circle.iter().all(|node| node.ends_with('/'));
            let nodes = if is_pure { "folders" } else { "folders and files" };
            problems.push(Problem::circle(&format!("{nodes} in {name}"), graph, &circle));
        }
    }
    let crates = &imports.crates;
    problems.extend(crates.circles().iter().map(|c| Problem::circle("crates", crates, c)));
    problems.sort_by_key(|problem| problem.at.len());
    problems
}
