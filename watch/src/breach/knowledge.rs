//! Breaches of S17: something is known that no message brought.

use history::command::show;
use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::{numbered, seconds};

/// What was known, and from where it cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnowledgeBreach {
    /// S17: a command was applied that no chain of messages can have brought.
    AppliedUnheard {
        /// The index.
        index: u64,
        /// The command.
        command: Vec<u8>,
        /// When it was applied.
        applied: Moment,
        /// The server to which it was first given, and when.
        offered: (usize, Moment),
    },
    /// S17: a long command was applied that takes more bytes than the messages had.
    AppliedUntold {
        /// The index.
        index: u64,
        /// The command.
        command: Vec<u8>,
        /// When it was applied.
        applied: Moment,
        /// A server that was given a command, and when: from then on bytes and commands count.
        since: (usize, Moment),
        /// The bytes that the server has received since then.
        received: u64,
        /// The least that the commands take that were given since then and that it has applied.
        needs: u64,
    },
    /// S17: a server says that it leads a term, without news from a majority.
    LeadsUnheard {
        /// The term.
        term: u64,
        /// When it said so.
        said: Moment,
        /// The last lower term that it was in, and when it was asked; none if it showed none.
        below: Option<(u64, Moment)>,
        /// The other servers of which it can have heard since.
        heard: Vec<usize>,
        /// The number of servers.
        servers: usize,
    },
}

impl Family for KnowledgeBreach {
    fn rule(&self) -> Option<Rule> {
        Some(Rule::S17)
    }

    fn look(&self) -> Option<&'static str> {
        match self {
            KnowledgeBreach::LeadsUnheard { .. } => Some(
                "where a candidate counts votes; it needs more than half of all servers (section \
                 5.2). Or what servers share besides RPCs, such as a static or a file",
            ),
            KnowledgeBreach::AppliedUnheard { .. } | KnowledgeBreach::AppliedUntold { .. } => None,
        }
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            KnowledgeBreach::AppliedUnheard { index, command, applied, offered } => format!(
                "server {server} applied {} at index {index} at {}, but no chain of messages \
                 leads to it from server {}, which was given the command at {}",
                show(command),
                seconds(*applied),
                offered.0,
                seconds(offered.1)
            ),
            KnowledgeBreach::AppliedUntold { index, command, since, received, needs, .. } => {
                format!(
                    "server {server} applied {} at index {index}, but since server {} was given a \
                     command at {} it has received only {received} bytes, and the commands that it \
                     applied of those given since then take at least {needs}",
                    show(command),
                    since.0,
                    seconds(since.1)
                )
            }
            KnowledgeBreach::LeadsUnheard { term, said, below, heard, servers } => {
                let since = match below {
                    Some((term, asked)) => {
                        format!("since it was in term {term} at {} ", seconds(*asked))
                    }
                    None => String::new(),
                };
                let heard = match heard[..] {
                    [] => "no message of another server has reached it".to_owned(),
                    _ => format!("only messages of {} have reached it", numbered(heard)),
                };
                let others = match servers / 2 {
                    1 => "1 other server".to_owned(),
                    votes => format!("{votes} other servers"),
                };
                format!(
                    "server {server} says at {} that it leads term {term}, but {since}{heard}; an \
                     election takes the votes of {others}",
                    seconds(*said)
                )
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        match self {
            KnowledgeBreach::AppliedUnheard { index, command, applied, offered } => vec![
                Fact::new(offered.1, offered.0, format!("is given {}", show(command))),
                Fact::new(*applied, server, format!("applies {} at index {index}", show(command))),
            ],
            KnowledgeBreach::AppliedUntold { index, command, applied, since, .. } => vec![
                Fact::new(since.1, since.0, "is given a command"),
                Fact::new(*applied, server, format!("applies {} at index {index}", show(command))),
            ],
            KnowledgeBreach::LeadsUnheard { term, said, below, .. } => below
                .iter()
                .map(|(term, asked)| Fact::new(*asked, server, format!("is in term {term}")))
                .chain([Fact::new(*said, server, format!("says that it leads term {term}"))])
                .collect(),
        }
    }
}
