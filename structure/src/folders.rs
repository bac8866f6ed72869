//! Imports between the folders of a crate.
//!
//! Each folder has its own graph. The nodes are the files and folders directly in it. A folder
//! imports everything that any file below it imports.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Graph;
use crate::modules::folder_of;

/// The number of folders with source files.
pub(crate) fn count(files: &Graph) -> usize {
    files.nodes().map(folder_of).collect::<BTreeSet<_>>().len()
}

/// For each folder the graph of the files and folders directly in it.
pub(crate) fn graphs(files: &Graph) -> BTreeMap<String, Graph> {
    let mut graphs: BTreeMap<String, Graph> = BTreeMap::new();
    for (from, to, sites) in files.arrows() {
        let common = common_folder(from, to);
        let from = part_in(common, from);
        let to = part_in(common, to);
        let graph = graphs.entry(common.to_owned()).or_default();
        for site in sites {
            graph.add(from, to, site.clone());
        }
    }
    graphs
}

/// Cycles that contain a folder, each with the graph that has the sites.
pub(crate) fn cycles(graphs: &BTreeMap<String, Graph>) -> Vec<(&Graph, Vec<&str>)> {
    let all = graphs.values().flat_map(|graph| graph.cycles().into_iter().map(move |c| (graph, c)));
    all.filter(|(_, cycle)| cycle.iter().any(|node| node.ends_with('/'))).collect()
}

/// The deepest folder that both are in, with a `/` at the end unless it is empty.
fn common_folder<'a>(a: &'a str, b: &str) -> &'a str {
    let ends = a.match_indices('/').map(|(at, _)| at + 1);
    let common = ends.take_while(|end| b.get(..*end) == Some(&a[..*end])).last();
    &a[..common.unwrap_or(0)]
}

/// The path of the file or folder directly in `folder` to which `path` belongs.
fn part_in<'a>(folder: &str, path: &'a str) -> &'a str {
    let rest = &path[folder.len()..];
    rest.find('/').map_or(path, |at| &path[..=folder.len() + at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Site;

    #[track_caller]
    fn check(arrows: &[(&str, &str)], expected: &[&[&str]]) {
        let mut files = Graph::default();
        for (from, to) in arrows {
            files.add(from, to, Site { file: (*from).to_owned(), line: 1 });
        }
        let graphs = graphs(&files);
        let found: Vec<_> = cycles(&graphs).into_iter().map(|(_, cycle)| cycle).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn folders_can_form_a_cycle_although_their_files_do_not() {
        check(&[("s/a/x", "s/b/x"), ("s/b/y", "s/a/y")], &[&["s/a/", "s/b/"]]);
        check(&[("s/a/x", "s/b/x"), ("s/b/y", "s/c")], &[]);
    }

    #[test]
    fn a_file_next_to_a_folder_can_close_the_cycle() {
        check(&[("s/lib", "s/a/x"), ("s/a/y", "s/limits")], &[]);
        check(&[("s/limits", "s/a/x"), ("s/a/y", "s/limits")], &[&["s/a/", "s/limits"]]);
    }

    #[test]
    fn a_folder_in_a_folder_belongs_to_the_graph_of_that_folder() {
        check(&[("s/a/mod", "s/a/b/x"), ("s/a/b/y", "s/a/mod")], &[&["s/a/b/", "s/a/mod"]]);
    }

    #[test]
    fn a_cycle_of_files_is_not_a_cycle_of_folders() {
        check(&[("s/a", "s/b"), ("s/b", "s/a")], &[]);
    }
}
