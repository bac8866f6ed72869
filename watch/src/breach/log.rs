//! Breaches about the content of logs: S5, S6, S13, and the parts of S12 and S14 about entries.

use history::command::show;
use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::seconds;

/// How a rule about logs was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogBreach {
    /// S5: a leader's log lost or changed an entry during its term.
    LeaderLogChanged {
        /// The term.
        term: u64,
        /// When it was seen before and after.
        seen: [Moment; 2],
        /// The change of the log.
        change: LogChange,
    },
    /// S5: two commands were given the same index and term.
    TakenTwice {
        /// The index.
        index: u64,
        /// The term.
        term: u64,
        /// The first command: the server that took it, the command, and when it was taken.
        first: (usize, Vec<u8>, Moment),
        /// The second one, and when it was taken.
        second: (Vec<u8>, Moment),
    },
    /// S6: two logs differ before an entry that both have.
    PrefixesDiffer {
        /// The index of the entry that both have.
        index: u64,
        /// Its term.
        term: u64,
        /// The term of the entry before it in this server's log, and when that was seen.
        here: (u64, Moment),
        /// The same term in the other server's log, the server's number, and when that was seen.
        there: (u64, usize, Moment),
    },
    /// S12: the log has an entry of a later term than the server's current term.
    EntryOfLaterTerm {
        /// The server's term.
        term: u64,
        /// The term of its last entry.
        last_term: u64,
        /// When it was seen.
        seen: Moment,
    },
    /// S13: a server stored an entry in a term whose leader cannot have sent it.
    FromNoLeader {
        /// The term that the server was in.
        term: u64,
        /// The first new entry: index and term.
        entry: (u64, u64),
        /// When the server was seen without the entry and with it.
        seen: [Moment; 2],
        /// The sender of the last message that was delivered to it, and when that was.
        last: (usize, Moment),
    },
    /// S13 and S14: a server removed an entry that was committed or acknowledged.
    Removed {
        /// The entry: index and term.
        entry: (u64, u64),
        /// When it was last seen, and when it was seen to be gone.
        seen: [Moment; 2],
        /// Why it had to stay.
        because: MustStay,
    },
}

/// A change of a leader's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogChange {
    /// Another entry took the place of one.
    Entry {
        /// Its index.
        index: u64,
        /// Its term, before and now.
        terms: [u64; 2],
    },
    /// The log became shorter.
    Shorter {
        /// Its last index, before and now.
        last: [u64; 2],
    },
}

/// Why an entry had to stay in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MustStay {
    /// It was committed: the commit index was this.
    Committed(u64),
    /// The leader of the term has the same entry: its number, and when that was seen.
    SameAsLeader(usize, Moment),
    /// The leader has the same entry, and the snapshot that replaced it ends with this index.
    NotCovered(usize, Moment, u64),
}

impl Family for LogBreach {
    fn rule(&self) -> Option<Rule> {
        Some(match self {
            LogBreach::LeaderLogChanged { .. } | LogBreach::TakenTwice { .. } => Rule::S5,
            LogBreach::PrefixesDiffer { .. } => Rule::S6,
            LogBreach::EntryOfLaterTerm { .. } => Rule::S12,
            LogBreach::Removed { because: MustStay::NotCovered(..), .. } => Rule::S14,
            LogBreach::Removed { .. } | LogBreach::FromNoLeader { .. } => Rule::S13,
        })
    }

    fn look(&self) -> Option<&'static str> {
        Some(match self {
            LogBreach::LeaderLogChanged { .. } => {
                "the AppendEntries handler; a leader refuses it in its own term and keeps its log, \
                 also when it reads an old reply (sections 5.1 and 5.3)"
            }
            LogBreach::TakenTwice { .. } => {
                "start; it reads the role and the term, and appends, under one lock, so that each \
                 command gets an index of its own (section 5.3)"
            }
            LogBreach::PrefixesDiffer { .. } => return None,
            LogBreach::EntryOfLaterTerm { .. } => {
                "the AppendEntries handler; a higher term is adopted before its entries are stored \
                 (section 5.1)"
            }
            LogBreach::FromNoLeader { .. } => {
                "the AppendEntries handler; a request of a term below current_term is refused \
                 before anything else is done (section 5.1, Figure 2)"
            }
            LogBreach::Removed { because: MustStay::NotCovered(..), .. } => {
                "the InstallSnapshot handler; entries after last_included_index stay if the log \
                 has that entry with the same term (section 7, Figure 13)"
            }
            LogBreach::Removed { .. } => {
                "the AppendEntries handler; it removes an entry only if a new entry at that index \
                 has another term, never because the message is shorter (section 5.3, Figure 2)"
            }
        })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            LogBreach::LeaderLogChanged { term, seen: [from, to], change } => format!(
                "server {server} led term {term} from {} to {}, but {}",
                seconds(*from),
                seconds(*to),
                change.sentence()
            ),
            LogBreach::TakenTwice { index, term, first: (other, theirs, at), second } => format!(
                "server {server} took {} as index {index} of term {term}, where server {other} had \
                 taken {} at {}",
                show(&second.0),
                show(theirs),
                seconds(*at)
            ),
            LogBreach::PrefixesDiffer { index, term, here, there: (before, other, at) } => format!(
                "entry {index} of term {term} follows one of term {} in the log of server {server} \
                 at {}, and one of term {before} in that of server {other} at {}",
                here.0,
                seconds(here.1),
                seconds(*at)
            ),
            LogBreach::EntryOfLaterTerm { term, last_term, .. } => format!(
                "server {server} is in term {term}, but its log ends with an entry of term \
                 {last_term}"
            ),
            LogBreach::FromNoLeader { term, entry: (index, of), seen: [from, to], last } => {
                format!(
                    "server {server} stored entry {index} of term {of} between {} and {}, when it \
                 was in term {term}, but no leader of that term can have sent it; the last message \
                 before that was one of server {}, at {}",
                    seconds(*from),
                    seconds(*to),
                    last.0,
                    seconds(last.1)
                )
            }
            LogBreach::Removed { entry: (index, term), seen: [from, to], because } => format!(
                "server {server} removed its entry {index} of term {term} between {} and {}, \
                 though {}",
                seconds(*from),
                seconds(*to),
                because.sentence()
            ),
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        match self {
            LogBreach::LeaderLogChanged { term, seen, change } => {
                std::iter::zip(*seen, change.evidence())
                    .map(|(at, has)| Fact::new(at, server, format!("leads term {term}; {has}")))
                    .collect()
            }
            LogBreach::TakenTwice { index, term, first: (other, theirs, before), second } => {
                let took = |command: &[u8]| {
                    format!("takes {} as index {index}, term {term}", show(command))
                };
                vec![
                    Fact::new(*before, *other, took(theirs)),
                    Fact::new(second.1, server, took(&second.0)),
                ]
            }
            LogBreach::PrefixesDiffer { index, term, here, there: (before, other, at) } => {
                let has = |before: u64| {
                    format!("has entry {index} of term {term} after one of term {before}")
                };
                vec![Fact::new(*at, *other, has(*before)), Fact::new(here.1, server, has(here.0))]
            }
            LogBreach::EntryOfLaterTerm { term, last_term, seen } => {
                let what = format!("is in term {term}; its last entry is of term {last_term}");
                vec![Fact::new(*seen, server, what)]
            }
            LogBreach::FromNoLeader { term, entry: (index, of), seen: [from, to], last } => {
                let entry = format!("entry {index} of term {of}");
                let gets = format!("gets a message from server {}", last.0);
                vec![
                    Fact::new(*from, server, format!("is in term {term} without {entry}")),
                    Fact::new(last.1, server, gets),
                    Fact::new(*to, server, format!("is in term {term} and has {entry}")),
                ]
            }
            LogBreach::Removed { entry: (index, term), seen: [from, to], because } => {
                let entry = format!("entry {index} of term {term}");
                let mut facts = vec![
                    Fact::new(*from, server, format!("has {entry}")),
                    Fact::new(*to, server, format!("no longer has {entry}")),
                ];
                facts.extend(
                    because.leader().map(|(leader, at)| {
                        Fact::new(at, leader, format!("leads, and has {entry}"))
                    }),
                );
                facts
            }
        }
    }
}

impl LogChange {
    fn sentence(self) -> String {
        match self {
            LogChange::Entry { index, terms: [old, new] } => {
                format!("its entry {index} was of term {old}, and is of term {new}")
            }
            LogChange::Shorter { last: [old, new] } => {
                format!("its last index was {old}, and is {new}")
            }
        }
    }

    /// What the log showed before and after.
    fn evidence(self) -> [String; 2] {
        match self {
            LogChange::Entry { index, terms } => {
                terms.map(|term| format!("entry {index} is of term {term}"))
            }
            LogChange::Shorter { last } => last.map(|last| format!("its last index is {last}")),
        }
    }
}

impl MustStay {
    fn sentence(self) -> String {
        match self {
            MustStay::Committed(commit_index) => format!("its commit index was {commit_index}"),
            MustStay::SameAsLeader(leader, _) => {
                format!("its leader, server {leader}, has the same entry")
            }
            MustStay::NotCovered(leader, _, covers) => format!(
                "its leader, server {leader}, has the same entry; the snapshot it installed covers \
                 index {covers}"
            ),
        }
    }

    /// The leader that has the entry, and when that was seen.
    fn leader(self) -> Option<(usize, Moment)> {
        match self {
            MustStay::Committed(_) => None,
            MustStay::SameAsLeader(leader, at) | MustStay::NotCovered(leader, at, _) => {
                Some((leader, at))
            }
        }
    }
}
