//! What is wrong with a workspace, as a person reads it.

use std::fmt;

use crate::graph::Graph;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line.
    pub what: String,
    /// Where, a line each.
    pub at: Vec<String>,
}

impl Problem {
    /// A problem that one line says.
    pub(crate) fn new(what: String) -> Problem {
        Problem { what, at: Vec::new() }
    }

    /// A circle in `graph`; `of` says what its nodes are.
    pub(crate) fn circle(of: &str, graph: &Graph, circle: &[&str]) -> Problem {
        let next = circle.iter().cycle().skip(1);
        let line = |(from, to): (&&str, &&str)| {
            let sites = graph.sites(from, to);
            let Some(first) = sites.first() else { return String::new() };
            let by = if first.file == *from { String::new() } else { format!(" ({from})") };
            let more = match sites.len() {
                1 => String::new(),
                n => format!(", and {} more", n - 1),
            };
            format!("{}:{}{by} imports {to}{more}", first.file, first.line)
        };
        Problem {
            what: format!("circle of {} {of}", circle.len()),
            at: circle.iter().zip(next).map(line).collect(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        self.at.iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}
