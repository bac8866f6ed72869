//! Breaches about committed entries: S7, S11, and the part of S12 about the commit index.

use history::command::show;
use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::{committed, lacks, numbered, seconds, servers};

/// How a rule about committed entries was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitmentBreach {
    /// S7: two entries were committed at one index.
    CommittedTwice {
        /// The index.
        index: u64,
        /// The term of this server's entry, and when it was seen.
        here: (u64, Moment),
        /// The term of the other server's entry, its number, and when that was seen.
        there: (u64, usize, Moment),
    },
    /// S7: a leader lacks a committed entry.
    LeaderLacksEntry {
        /// The term that it leads.
        term: u64,
        /// When it was seen to lead without the entry.
        led: Moment,
        /// The committed entry: index and term.
        entry: (u64, u64),
        /// The server that showed it as committed, and when.
        committed: (usize, Moment),
        /// It was committed in this term or an earlier one.
        by_term: u64,
        /// The term of the leader's own entry at that index, or the end of its log.
        instead: Result<u64, u64>,
        /// A server that had the entry and lost it, if one was seen.
        lost: Option<Loss>,
    },
    /// S11: a commit index beyond the end of the log.
    CommitBeyondLog {
        /// The commit index.
        commit_index: u64,
        /// The last index of the log.
        last_index: u64,
        /// When it was seen.
        seen: Moment,
    },
    /// S11: a leader committed an entry of an older term by counting replicas.
    CountedOldEntry {
        /// The term that it leads.
        term: u64,
        /// The entry: index and term.
        entry: (u64, u64),
        /// When it was seen before and after.
        seen: [Moment; 2],
    },
    /// S11: a server showed an entry as committed, but no majority had it.
    NotOnMajority {
        /// The entry: index and term.
        entry: (u64, u64),
        /// When it was shown as committed.
        committed: Moment,
        /// The servers that did not have it, and when each was seen without it.
        against: Vec<(usize, Moment)>,
    },
    /// S11: a server applied a command before it could know that a majority had it.
    HeardOfNoMajority {
        /// The index.
        index: u64,
        /// The command.
        command: Vec<u8>,
        /// When it was applied.
        applied: Moment,
        /// A server that it was given to, and when.
        offered: (usize, Moment),
        /// The servers that can have said in a message that they have it, and the server itself.
        holders: Vec<usize>,
        /// The number of servers.
        servers: usize,
    },
    /// S12: a commit index fell.
    CommitIndexFell {
        /// Before and now.
        indices: [u64; 2],
        /// When each was seen.
        seen: [Moment; 2],
    },
}

/// How a server lost an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// The server.
    pub server: usize,
    /// When it was seen with the entry, and without.
    pub seen: [Moment; 2],
    /// How it was lost.
    pub way: Way,
}

/// How an entry was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The server ran all the time.
    Running,
    /// The server got a newer snapshot.
    Snapshot,
    /// The server crashed and restarted.
    Crash,
    /// The server replaced it by entries of a higher term, as it must for a later leader.
    Overwritten,
}

impl Family for CommitmentBreach {
    fn rule(&self) -> Option<Rule> {
        Some(match self {
            CommitmentBreach::CommittedTwice { .. } | CommitmentBreach::LeaderLacksEntry { .. } => {
                Rule::S7
            }
            CommitmentBreach::CommitBeyondLog { .. }
            | CommitmentBreach::CountedOldEntry { .. }
            | CommitmentBreach::NotOnMajority { .. }
            | CommitmentBreach::HeardOfNoMajority { .. } => Rule::S11,
            CommitmentBreach::CommitIndexFell { .. } => Rule::S12,
        })
    }

    fn look(&self) -> Option<&'static str> {
        Some(match self {
            CommitmentBreach::HeardOfNoMajority { .. } => {
                "where commit_index rises; a leader raises it when more than half of the servers, \
                 itself included, have the entry, and a follower to leader_commit at most \
                 (sections 5.3 and 5.4)"
            }
            CommitmentBreach::LeaderLacksEntry { lost: Some(loss), .. } => match loss.way {
                Way::Overwritten => return None,
                Way::Running => {
                    "the AppendEntries handler of the server that lost the entry; it refuses a \
                     lower term, and removes only entries that conflict (sections 5.1 and 5.3)"
                }
                Way::Snapshot => {
                    "the InstallSnapshot handler of the server that lost the entry; it refuses a \
                     lower term, and keeps entries after a snapshot that fits the log (section 7)"
                }
                Way::Crash => {
                    "where the server that lost the entry saves log; it is saved before a reply \
                     reveals it (Figure 2, persistent state)"
                }
            },
            CommitmentBreach::CommittedTwice { .. } | CommitmentBreach::LeaderLacksEntry { .. } => {
                return None;
            }
            CommitmentBreach::CommitBeyondLog { .. } => {
                "the AppendEntries handler; commit_index becomes the smaller of leader_commit and \
                 the index of the last new entry (section 5.3, Figure 2)"
            }
            CommitmentBreach::CountedOldEntry { .. } => {
                "where the leader raises commit_index; it counts copies only of an entry whose \
                 term is current_term (section 5.4.2, Figure 8)"
            }
            CommitmentBreach::NotOnMajority { .. } => {
                "where commit_index rises; the leader counts match_index of a majority, taken from \
                 what was sent, and a follower goes no further than the last new entry (section \
                 5.3, Figure 2)"
            }
            CommitmentBreach::CommitIndexFell { .. } => {
                "every line that sets commit_index; an old AppendEntries or InstallSnapshot must \
                 not lower it (Figure 2)"
            }
        })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            CommitmentBreach::CommittedTwice { index, here, there: (term, other, before) } => {
                format!(
                    "server {server} shows an entry of term {} as committed at index {index} at \
                     {}, server {other} one of term {term} at {}",
                    here.0,
                    seconds(here.1),
                    seconds(*before)
                )
            }
            CommitmentBreach::LeaderLacksEntry {
                term,
                entry: (index, of),
                committed: (other, at),
                by_term,
                instead,
                lost,
                ..
            } => format!(
                "server {server} leads term {term} without the entry of index {index} and term \
                 {of}, which server {other} showed as committed at {} and by term {by_term}: {}{}",
                seconds(*at),
                match instead {
                    Ok(term) => format!("it has one of term {term} there"),
                    Err(last_index) => format!("its log ends with index {last_index}"),
                },
                lost.map_or_else(String::new, Loss::sentence)
            ),
            CommitmentBreach::CommitBeyondLog { commit_index, last_index, seen } => format!(
                "server {server} has commit index {commit_index} at {}, but its log ends with \
                 index {last_index}",
                seconds(*seen)
            ),
            CommitmentBreach::CountedOldEntry { term, entry: (index, of), seen: [_, at] } => {
                format!(
                    "server {server} led term {term} and committed index {index} of term {of} at \
                     {}, without an entry of its own term committed after it",
                    seconds(*at)
                )
            }
            CommitmentBreach::NotOnMajority { entry: (index, term), committed, against } => {
                format!(
                    "server {server} showed index {index} of term {term} as committed at {}, but \
                     {} did not have it, which leaves no majority",
                    seconds(*committed),
                    servers(against)
                )
            }
            CommitmentBreach::HeardOfNoMajority {
                index,
                command,
                applied,
                holders,
                servers,
                ..
            } => format!(
                "server {server} applied {} at index {index} at {}, when by its messages at most \
                 {} of {servers} servers had it: {}",
                show(command),
                seconds(*applied),
                holders.len(),
                numbered(holders)
            ),
            CommitmentBreach::CommitIndexFell { indices: [old, new], seen: [from, to] } => {
                format!(
                    "server {server} had commit index {old} at {} and has {new} at {}",
                    seconds(*from),
                    seconds(*to)
                )
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        match self {
            CommitmentBreach::CommittedTwice { index, here, there: (term, other, at) } => vec![
                Fact::new(*at, *other, committed(*index, *term)),
                Fact::new(here.1, server, committed(*index, here.0)),
            ],
            CommitmentBreach::LeaderLacksEntry {
                term,
                led,
                entry: (index, of),
                committed: (other, at),
                lost,
                ..
            } => {
                let leads = format!("leads term {term} without entry {index} of term {of}");
                let mut facts = vec![
                    Fact::new(*at, *other, committed(*index, *of)),
                    Fact::new(*led, server, leads),
                ];
                if let Some(Loss { server, seen: [from, to], .. }) = lost {
                    facts.push(Fact::new(
                        *from,
                        *server,
                        format!("has entry {index} of term {of}"),
                    ));
                    facts.push(Fact::new(*to, *server, lacks(*index, *of)));
                }
                facts
            }
            CommitmentBreach::CommitBeyondLog { commit_index, last_index, seen } => {
                let what = format!("has commit index {commit_index} and last index {last_index}");
                vec![Fact::new(*seen, server, what)]
            }
            CommitmentBreach::CountedOldEntry { term, entry: (index, of), seen: [from, to] } => {
                let before = format!("leads term {term}; its commit index is below {index}");
                vec![
                    Fact::new(*from, server, before),
                    Fact::new(*to, server, committed(*index, *of)),
                ]
            }
            CommitmentBreach::NotOnMajority { entry: (index, term), committed: at, against } => {
                let mut facts = Fact::of_each(against, &lacks(*index, *term));
                facts.push(Fact::new(*at, server, committed(*index, *term)));
                facts
            }
            CommitmentBreach::HeardOfNoMajority { index, command, applied, offered, .. } => vec![
                Fact::new(offered.1, offered.0, format!("is given {}", show(command))),
                Fact::new(*applied, server, format!("applies {} at index {index}", show(command))),
            ],
            CommitmentBreach::CommitIndexFell { indices, seen } => std::iter::zip(indices, seen)
                .map(|(index, at)| Fact::new(*at, server, format!("has commit index {index}")))
                .collect(),
        }
    }
}

impl Loss {
    fn sentence(self) -> String {
        let Loss { server, seen: [from, to], way } = self;
        let what = match way {
            // A follower must do this, so it explains nothing.
            Way::Overwritten => return String::new(),
            Way::Running => "",
            Way::Snapshot => ", after a snapshot",
            Way::Crash => ", after a crash",
        };
        let (from, to) = (seconds(from), seconds(to));
        format!("; server {server} had the entry at {from} and not at {to}{what}")
    }
}
