//! Breaches about crashes: S10, the part of S12 about restored terms, and S16.

use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::{has_voted, lacks, seconds, servers};

/// How a rule about crashes was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrashBreach {
    /// S10 and S12: something that other servers could know did not survive a crash.
    Forgot {
        /// When the restored state was seen.
        restarted: Moment,
        /// What the server forgot.
        what: Forgotten,
    },
    /// S10: a committed entry is no longer on a majority after a crash.
    LostByMajority {
        /// The entry: index and term.
        entry: (u64, u64),
        /// When the server was seen without it, after its restart.
        restarted: Moment,
        /// The servers that did not have it, and when each was seen without it.
        against: Vec<(usize, Moment)>,
    },
    /// S16: the kit delivered a message that a server sent after its crash.
    SentAfterCrash {
        /// The method that was called.
        method: String,
        /// When the message was delivered.
        delivered: Moment,
    },
}

/// What a server forgot in a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// A term: it restarts in a lower term than one that it had answered with.
    Term {
        /// The term that it restarts in.
        now: u64,
        /// The term that it had answered with.
        answered: u64,
    },
    /// Its vote of the current term.
    Vote {
        /// The term.
        term: u64,
        /// The candidate, and when the vote was seen.
        vote: (usize, Moment),
    },
    /// An entry that it had acknowledged.
    Entry {
        /// The entry: index and term.
        entry: (u64, u64),
        /// The leader that it came from.
        leader: usize,
        /// When it was last seen.
        seen: Moment,
    },
}

impl Family for CrashBreach {
    fn rule(&self) -> Option<Rule> {
        Some(match self {
            CrashBreach::Forgot { what: Forgotten::Term { .. }, .. } => Rule::S12,
            CrashBreach::Forgot { .. } | CrashBreach::LostByMajority { .. } => Rule::S10,
            CrashBreach::SentAfterCrash { .. } => Rule::S16,
        })
    }

    fn look(&self) -> Option<&'static str> {
        Some(match self {
            CrashBreach::Forgot { what: Forgotten::Term { .. }, .. } => {
                "where current_term rises; it is saved before a reply shows it, also when a reply \
                 brought it (Figure 2, persistent state)"
            }
            CrashBreach::Forgot { what: Forgotten::Vote { .. }, .. } => {
                "the RequestVote handler, and where a candidate votes for itself; voted_for is \
                 saved before the reply or the request is sent (section 5.2, Figure 2)"
            }
            CrashBreach::Forgot { what: Forgotten::Entry { .. }, .. } => {
                "the AppendEntries handler; log is saved before the reply says success (section \
                 5.3, Figure 2)"
            }
            CrashBreach::LostByMajority { .. } => {
                "start and the AppendEntries handler; log is saved before the leader counts its \
                 own copy and before a follower replies (Figure 2, persistent state)"
            }
            CrashBreach::SentAfterCrash { .. } => return None,
        })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            CrashBreach::Forgot { restarted, what } => {
                format!("server {server} restarted at {} {}", seconds(*restarted), what.sentence())
            }
            CrashBreach::LostByMajority { entry: (index, term), restarted, against } => format!(
                "server {server} restarted at {} without the entry of index {index} and term \
                 {term}, which it had shown as committed, and no majority has it: {} did not",
                seconds(*restarted),
                servers(against)
            ),
            CrashBreach::SentAfterCrash { method, .. } => {
                format!("a {method} that server {server} sent after its crash was delivered")
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        match self {
            CrashBreach::Forgot { restarted, what } => what.evidence(server, *restarted),
            CrashBreach::LostByMajority { entry: (index, term), restarted, against } => {
                let others = against.iter().filter(|(other, _)| *other != server);
                let others: Vec<(usize, Moment)> = others.copied().collect();
                let mut facts = Fact::of_each(&others, &lacks(*index, *term));
                let what = format!("restarts without entry {index} of term {term}, once committed");
                facts.push(Fact::new(*restarted, server, what));
                facts
            }
            CrashBreach::SentAfterCrash { method, delivered } => {
                let what = format!("its {method}, sent after its crash, is delivered");
                vec![Fact::new(*delivered, server, what)]
            }
        }
    }
}

impl Forgotten {
    fn sentence(&self) -> String {
        match self {
            Forgotten::Term { now, answered } => {
                format!("in term {now}, but had answered in term {answered}")
            }
            Forgotten::Vote { term, vote: (candidate, at) } => format!(
                "in term {term} without its vote for server {candidate}, seen at {}",
                seconds(*at)
            ),
            Forgotten::Entry { entry: (index, term), leader, seen } => format!(
                "without the entry of index {index} and term {term} that it had from server \
                 {leader}, seen at {}",
                seconds(*seen)
            ),
        }
    }

    fn evidence(&self, server: usize, restarted: Moment) -> Vec<Fact> {
        match self {
            Forgotten::Term { now, answered } => {
                let what = format!("restarts in term {now}, after it answered in term {answered}");
                vec![Fact::new(restarted, server, what)]
            }
            Forgotten::Vote { term, vote: (candidate, at) } => vec![
                Fact::new(*at, server, has_voted(*candidate, *term)),
                Fact::new(restarted, server, format!("restarts in term {term} without that vote")),
            ],
            Forgotten::Entry { entry: (index, term), leader, seen } => {
                let had = format!("has entry {index} of term {term} from server {leader}");
                vec![
                    Fact::new(*seen, server, had),
                    Fact::new(restarted, server, format!("restarts without entry {index}")),
                ]
            }
        }
    }
}
