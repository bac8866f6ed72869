//! A directed graph with the source lines of its arrows, and its cycles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site {
    /// Relative to the root of the workspace.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Nodes with names, and arrows between them.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    arrows: BTreeMap<String, BTreeMap<String, BTreeSet<Site>>>,
}

impl Graph {
    /// Adds a node if it is not there.
    pub(crate) fn add_node(&mut self, node: &str) {
        if !self.arrows.contains_key(node) {
            self.arrows.insert(node.to_owned(), BTreeMap::new());
        }
    }

    /// Adds an arrow that comes from `site`. An arrow from a node to itself is ignored.
    pub(crate) fn add(&mut self, from: &str, to: &str, site: Site) {
        self.add_node(from);
        self.add_node(to);
        if from != to
            && let Some(arrows) = self.arrows.get_mut(from)
        {
            arrows.entry(to.to_owned()).or_default().insert(site);
        }
    }

    /// All nodes, in alphabetical order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &str> {
        self.arrows.keys().map(String::as_str)
    }

    /// All arrows, with their sites.
    pub(crate) fn arrows(&self) -> impl Iterator<Item = (&str, &str, &BTreeSet<Site>)> {
        self.arrows.iter().flat_map(|(from, arrows)| {
            arrows.iter().map(move |(to, sites)| (from.as_str(), to.as_str(), sites))
        })
    }

    /// The places from which the arrow comes; empty if there is no such arrow.
    pub(crate) fn sites(&self, from: &str, to: &str) -> Vec<&Site> {
        let sites = self.arrows.get(from).and_then(|arrows| arrows.get(to));
        sites.into_iter().flatten().collect()
    }

    /// The cycles, shortest first. Each begins with its first node in alphabetical order. Each
    /// arrow that is part of any cycle is in at least one of them. Longer cycles that add no arrow
    /// are left out.
    pub(crate) fn cycles(&self) -> Vec<Vec<&str>> {
        let mut cycles = BTreeSet::new();
        for (from, to, _) in self.arrows() {
            if let Some(mut cycle) = self.way(to, from) {
                let first = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
                cycle.rotate_left(first);
                cycles.insert((cycle.len(), cycle));
            }
        }
        let mut covered = BTreeSet::new();
        let mut kept = Vec::new();
        for (_, cycle) in cycles {
            let next = cycle.iter().cycle().skip(1);
            let arrows: Vec<_> = cycle.iter().copied().zip(next.copied()).collect();
            if arrows.iter().any(|arrow| !covered.contains(arrow)) {
                covered.extend(arrows);
                kept.push(cycle);
            }
        }
        kept
    }

    /// The number of nodes on the longest chain of arrows. A cycle counts as one node.
    pub(crate) fn levels(&self) -> usize {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.arrows.keys().map(|node| (node.as_str(), self.reached(node))).collect();
        // A node that reaches fewer nodes is on a lower level, and all nodes below it come first.
        let mut nodes: Vec<&str> = reached.keys().copied().collect();
        nodes.sort_by_key(|node| reached[node].len());
        let mut floor: BTreeMap<&str, usize> = BTreeMap::new();
        for node in nodes {
            let below = reached[node].iter().filter(|to| !reached[*to].contains(node));
            let highest = below.filter_map(|to| floor.get(to)).max();
            floor.insert(node, highest.copied().unwrap_or(0) + 1);
        }
        floor.into_values().max().unwrap_or(0)
    }

    /// All nodes that can be reached from `node` by one or more arrows.
    pub(crate) fn reached(&self, node: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = self.next(node).collect();
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(self.next(node));
            }
        }
        reached
    }

    /// A shortest path, with both ends.
    fn way<'a>(&'a self, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([from]);
        while let Some(node) = open.pop_front() {
            if node == to {
                let mut way = vec![node];
                while way[way.len() - 1] != from {
                    way.push(before[way[way.len() - 1]]);
                }
                way.reverse();
                return Some(way);
            }
            for next in self.next(node) {
                if next != from && !before.contains_key(next) {
                    before.insert(next, node);
                    open.push_back(next);
                }
            }
        }
        None
    }

    fn next(&self, node: &str) -> impl Iterator<Item = &str> {
        self.arrows.get(node).into_iter().flat_map(|arrows| arrows.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (line, (from, to)) in arrows.iter().enumerate() {
            graph.add(from, to, Site { file: (*from).to_owned(), line });
        }
        graph
    }

    #[track_caller]
    fn check(arrows: &[(&str, &str)], cycles: &[&[&str]], levels: usize) {
        let graph = graph(arrows);
        assert_eq!(graph.cycles(), cycles);
        assert_eq!(graph.levels(), levels);
    }

    #[test]
    fn chains_and_diamonds_have_no_cycle() {
        check(&[], &[], 0);
        check(&[("a", "a")], &[], 1);
        check(&[("a", "b"), ("b", "c")], &[], 3);
        check(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], &[], 3);
    }

    #[test]
    fn cycles_of_two_and_three_are_found_and_are_one_floor() {
        check(&[("b", "a"), ("a", "b")], &[&["a", "b"]], 1);
        check(&[("c", "a"), ("a", "b"), ("b", "c"), ("c", "d")], &[&["a", "b", "c"]], 2);
    }

    #[test]
    fn the_shortest_cycle_is_first_and_each_arrow_is_in_one() {
        let arrows = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("y", "x"), ("x", "y")];
        check(&arrows, &[&["x", "y"], &["a", "b", "c", "d"]], 1);
        let arrows = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")];
        check(&arrows, &[&["a", "b"], &["a", "b", "c"]], 1);
    }
}
