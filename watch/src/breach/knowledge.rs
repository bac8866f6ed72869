//! Breaches of S17: a server knows something that no message brought.

use history::command::show;
use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::{numbered, seconds};

/// What a server knew, and why messages cannot have brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnowledgeBreach {
    /// S17: a server applied a command that no chain of messages can have brought.
    AppliedWithoutChain {
        /// The index.
        index: u64,
        /// The command.
        command: Vec<u8>,
        /// When it was applied.
        applied: Moment,
        /// The server that it was first given to, and when.
        offered: (usize, Moment),
    },
    /// S17: a server applied a long command that needs more bytes than its messages had.
    AppliedWithTooFewBytes {
        /// The index.
        index: u64,
        /// The command.
        command: Vec<u8>,
        /// When it was applied.
        applied: Moment,
        /// A server that was given a command, and when. Bytes and commands count from then on.
        since: (usize, Moment),
        /// The bytes that the server has received since then.
        received: u64,
        /// The minimum number of bytes for the commands that were given since then and that it has
        /// applied.
        needs: u64,
    },
    /// S17: a server says that it leads a term, but has no news from a majority.
    LeadsWithoutNews {
        /// The term.
        term: u64,
        /// When it said so.
        said: Moment,
        /// The last lower term that it showed, and when it was asked for that; none if it showed
        /// none.
        below: Option<(u64, Moment)>,
        /// The other servers that it can have heard of since then.
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
            KnowledgeBreach::LeadsWithoutNews { .. } => Some(
                "where a candidate counts votes; it needs more than half of all servers (section \
                 5.2). Or what servers share besides RPCs, such as a static or a file",
            ),
            KnowledgeBreach::AppliedWithoutChain { .. }
            | KnowledgeBreach::AppliedWithTooFewBytes { .. } => None,
        }
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            KnowledgeBreach::AppliedWithoutChain { index, command, applied, offered } => format!(
                "server {server} applied {} at index {index} at {}, but no chain of messages \
                 leads to it from server {}, which was given the command at {}",
                show(command),
                seconds(*applied),
                offered.0,
                seconds(offered.1)
            ),
            KnowledgeBreach::AppliedWithTooFewBytes {
                index,
                command,
                since,
                received,
                needs,
                ..
            } => {
                format!(
                    "server {server} applied {} at index {index}, but since server {} was given a \
                     command at {} it has received only {received} bytes, and the commands that it \
                     applied of those given since then take at least {needs}",
                    show(command),
                    since.0,
                    seconds(since.1)
                )
            }
            KnowledgeBreach::LeadsWithoutNews { term, said, below, heard, servers } => {
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
            KnowledgeBreach::AppliedWithoutChain { index, command, applied, offered } => vec![
                Fact::new(offered.1, offered.0, format!("is given {}", show(command))),
                Fact::new(*applied, server, format!("applies {} at index {index}", show(command))),
            ],
            KnowledgeBreach::AppliedWithTooFewBytes { index, command, applied, since, .. } => vec![
                Fact::new(since.1, since.0, "is given a command"),
                Fact::new(*applied, server, format!("applies {} at index {index}", show(command))),
            ],
            KnowledgeBreach::LeadsWithoutNews { term, said, below, .. } => below
                .iter()
                .map(|(term, asked)| Fact::new(*asked, server, format!("is in term {term}")))
                .chain([Fact::new(*said, server, format!("says that it leads term {term}"))])
                .collect(),
        }
    }
}
