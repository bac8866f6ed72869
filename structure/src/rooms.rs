//! The folders of a crate as the rooms of a house: which imports which.
//!
//! Each folder is looked at alone: its files and the folders directly in it are the nodes, and a
//! folder imports all that any file below it imports.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Graph;
use crate::modules::folder_of;

/// The number of folders with source files.
pub(crate) fn count(files: &Graph) -> usize {
    files.nodes().map(folder_of).collect::<BTreeSet<_>>().len()
}

/// For each folder the graph of what is directly in it.
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

/// Circles with a folder in them, with the graph that has the sites.
pub(crate) fn circles(graphs: &BTreeMap<String, Graph>) -> Vec<(&Graph, Vec<&str>)> {
    let all =
        graphs.values().flat_map(|graph| graph.circles().into_iter().map(move |c| (graph, c)));
    all.filter(|(_, circle)| circle.iter().any(|node| node.ends_with('/'))).collect()
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
        let found: Vec<_> = circles(&graphs).into_iter().map(|(_, circle)| circle).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn folders_are_in_a_circle_though_their_files_are_not() {
        check(&[("s/a/x", "s/b/x"), ("s/b/y", "s/a/y")], &[&["s/a/", "s/b/"]]);
        check(&[("s/a/x", "s/b/x"), ("s/b/y", "s/c")], &[]);
    }

    #[test]
    fn a_file_beside_a_folder_can_close_the_circle() {
        check(&[("s/lib", "s/a/x"), ("s/a/y", "s/limits")], &[]);
        check(&[("s/limits", "s/a/x"), ("s/a/y", "s/limits")], &[&["s/a/", "s/limits"]]);
    }

    #[test]
    fn a_folder_within_one_is_looked_at_there() {
        check(&[("s/a/mod", "s/a/b/x"), ("s/a/b/y", "s/a/mod")], &[&["s/a/b/", "s/a/mod"]]);
    }

    #[test]
    fn a_circle_of_files_is_none_of_folders() {
        check(&[("s/a", "s/b"), ("s/b", "s/a")], &[]);
    }
}
