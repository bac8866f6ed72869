//! A broken rule, as text for people.

use std::fmt;

use crate::graph::Graph;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line.
    pub what: String,
    /// The places, a line each.
    pub at: Vec<String>,
}

impl Problem {
    /// A problem with one line of text.
    pub(crate) fn new(what: String) -> Problem {
        Problem { what, at: Vec::new() }
    }

    /// A cycle in `graph`. `of` names its nodes, such as "files in raft".
    pub(crate) fn cycle(of: &str, graph: &Graph, cycle: &[&str]) -> Problem {
        let next = cycle.iter().cycle().skip(1);
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
            what: format!("import cycle of {} {of}", cycle.len()),
            at: cycle.iter().zip(next).map(line).collect(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        self.at.iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}
