//! A directed graph whose arrows know where they come from, and its circles.

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

    /// Adds an arrow that comes from `site`. An arrow from a node to itself is none.
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

    /// Where the arrow comes from; empty if there is none.
    pub(crate) fn sites(&self, from: &str, to: &str) -> Vec<&Site> {
        let sites = self.arrows.get(from).and_then(|arrows| arrows.get(to));
        sites.into_iter().flatten().collect()
    }

    /// The circles, shortest first, each from its first node in alphabetical order. Each arrow that
    /// lies on any circle is in at least one of them; longer ones that add no arrow are left out.
    pub(crate) fn circles(&self) -> Vec<Vec<&str>> {
        let mut circles = BTreeSet::new();
        for (from, to, _) in self.arrows() {
            if let Some(mut circle) = self.way(to, from) {
                let first = (0..circle.len()).min_by_key(|at| circle[*at]).unwrap_or(0);
                circle.rotate_left(first);
                circles.insert((circle.len(), circle));
            }
        }
        let mut covered = BTreeSet::new();
        let mut kept = Vec::new();
        for (_, circle) in circles {
            let next = circle.iter().cycle().skip(1);
            let arrows: Vec<_> = circle.iter().copied().zip(next.copied()).collect();
            if arrows.iter().any(|arrow| !covered.contains(arrow)) {
                covered.extend(arrows);
                kept.push(circle);
            }
        }
        kept
    }

    /// The number of nodes on the longest chain of arrows; a circle counts as one node.
    pub(crate) fn floors(&self) -> usize {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.arrows.keys().map(|node| (node.as_str(), self.reached(node))).collect();
        // A node that reaches fewer nodes is further down, and all below it come first.
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

    /// All nodes that can be reached from `node` by one arrow or more.
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

    /// A shortest way, both ends included.
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
    fn check(arrows: &[(&str, &str)], circles: &[&[&str]], floors: usize) {
        let graph = graph(arrows);
        assert_eq!(graph.circles(), circles);
        assert_eq!(graph.floors(), floors);
    }

    #[test]
    fn chains_and_diamonds_have_no_circle() {
        check(&[], &[], 0);
        check(&[("a", "a")], &[], 1);
        check(&[("a", "b"), ("b", "c")], &[], 3);
        check(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], &[], 3);
    }

    #[test]
    fn circles_of_two_and_three_are_found_and_are_one_floor() {
        check(&[("b", "a"), ("a", "b")], &[&["a", "b"]], 1);
        check(&[("c", "a"), ("a", "b"), ("b", "c"), ("c", "d")], &[&["a", "b", "c"]], 2);
    }

    #[test]
    fn the_shortest_circle_is_first_and_each_arrow_is_in_one() {
        let arrows = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("y", "x"), ("x", "y")];
        check(&arrows, &[&["x", "y"], &["a", "b", "c", "d"]], 1);
        let arrows = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")];
        check(&arrows, &[&["a", "b"], &["a", "b", "c"]], 1);
    }
}
