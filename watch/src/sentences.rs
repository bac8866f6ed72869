//! What a violation says to a person: one sentence, and the events that show it. The only place
//! where the watch makes sentences.

use std::fmt;
use std::time::Duration;

use history::Moment;
use history::command::show;

use crate::breach::{Breach, Forgotten, LogChange, LogEnd, MustStay, SnapshotFault, Violation};

/// An event that helps to understand a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When it happened.
    pub moment: Moment,
    /// The server that it happened to.
    pub server: Option<usize>,
    /// What happened, in a phrase such as `voted for server 2 in term 1`.
    pub what: String,
}

impl fmt::Display for Violation {
    /// One sentence with servers, terms, indices and times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sentence(self.server.unwrap_or_default(), &self.breach))
    }
}

impl Violation {
    /// The events that are needed to understand it, in their order.
    pub fn evidence(&self) -> Vec<Fact> {
        let mut facts = facts(self.server.unwrap_or_default(), &self.breach);
        facts.sort_by_key(|fact| fact.moment);
        facts
    }
}

/// A moment of the run in a sentence: `1.204 s`.
fn seconds(moment: &Moment) -> String {
    let at: Duration = moment.at;
    format!("{:.3} s", at.as_secs_f64())
}

/// Server numbers in a sentence: `servers 0 and 2`.
fn servers(seen: &[(usize, Moment)]) -> String {
    let mut servers: Vec<usize> = seen.iter().map(|(server, _)| *server).collect();
    servers.sort_unstable();
    let words: Vec<String> = servers.iter().map(usize::to_string).collect();
    match &words[..] {
        [one] => format!("server {one}"),
        [most @ .., last] => format!("servers {} and {last}", most.join(", ")),
        [] => "nobody".into(),
    }
}

/// The end of a log in a sentence.
fn log_end((term, index): &LogEnd) -> String {
    match index {
        0 => "was empty".to_owned(),
        _ => format!("ended with index {index} of term {term}"),
    }
}

fn sentence(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::TwoLeaders { .. }
        | Breach::TwoVotes { .. }
        | Breach::StaleCandidate { .. }
        | Breach::NotElected { .. }
        | Breach::LeadsWithoutOwnVote { .. }
        | Breach::TermFell { .. } => of_election(server, breach),
        Breach::LeaderLogChanged { .. }
        | Breach::TakenTwice { .. }
        | Breach::PrefixesDiffer { .. }
        | Breach::EntryOfLaterTerm { .. }
        | Breach::TookBack { .. } => of_log(server, breach),
        Breach::CommittedTwice { .. }
        | Breach::LeaderLacksEntry { .. }
        | Breach::CommitBeyondLog { .. }
        | Breach::CountedOldEntry { .. }
        | Breach::NotOnMajority { .. }
        | Breach::CommitIndexFell { .. } => of_commitment(server, breach),
        Breach::AppliedAnother { .. }
        | Breach::AppliedUncommitted { .. }
        | Breach::AppliedTwo { .. }
        | Breach::OutOfOrder { .. } => of_applying(server, breach),
        Breach::Forgot { .. } | Breach::LostByMajority { .. } | Breach::FromTheDead { .. } => {
            of_crash(server, breach)
        }
        Breach::SnapshotFell { .. }
        | Breach::OlderSnapshotSaved { .. }
        | Breach::GapAfterSnapshot { .. }
        | Breach::BadSnapshot { .. } => of_snapshot(server, breach),
        Breach::VoteForNobody { candidate, servers, .. } => {
            format!("server {server} shows a vote for server {candidate}, of {servers} servers")
        }
        Breach::ImpossibleSnapshot { index, .. } => {
            format!("server {server} shows a snapshot up to index {index}")
        }
    }
}

fn of_election(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::TwoLeaders { term, leaders: [(first, since), (second, at)] } => format!(
            "term {term} has two leaders, server {first} since {} and server {second} at {}",
            seconds(since),
            seconds(at)
        ),
        Breach::TwoVotes { term, votes: [(before, then), (candidate, now)] } => format!(
            "server {server} voted for server {candidate} in term {term}, seen at {}, and for \
             server {before} before, seen at {}",
            seconds(now),
            seconds(then)
        ),
        Breach::StaleCandidate { term, candidate, voter: (own, at), stood: (stood, _) } => format!(
            "server {server} voted for server {candidate} in term {term}, seen at {}: its own log \
             {}, the candidate's {}",
            seconds(at),
            log_end(own),
            log_end(stood)
        ),
        Breach::NotElected { term, led, against } => format!(
            "server {server} led term {term} at {} without a majority: {} had not voted for it",
            seconds(led),
            servers(against)
        ),
        Breach::LeadsWithoutOwnVote { term, said, vote: (candidate, _) } => format!(
            "server {server} said at {} that it leads term {term}, in which it voted for server \
             {candidate}",
            seconds(said)
        ),
        Breach::TermFell { before, now, .. } => {
            format!("server {server} is in term {now} after it was in term {before}")
        }
        _ => unreachable!("no breach of an election"),
    }
}

fn of_log(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::LeaderLogChanged { term, seen: [from, to], change } => format!(
            "server {server} led term {term} from {} to {}, but {}",
            seconds(from),
            seconds(to),
            match change {
                LogChange::Entry { index, terms: [old, new] } =>
                    format!("its entry {index} was of term {old}, and is of term {new}"),
                LogChange::Shorter { last: [old, new] } =>
                    format!("its last index was {old}, and is {new}"),
            }
        ),
        Breach::TakenTwice { index, term, first: (other, theirs, at), second: (command, _) } => {
            format!(
                "server {server} took {} as index {index} of term {term}, where server {other} had \
                 taken {} at {}",
                show(command),
                show(theirs),
                seconds(at)
            )
        }
        Breach::PrefixesDiffer { index, term, here, there: (before, other, at) } => format!(
            "entry {index} of term {term} follows one of term {} in the log of server {server} at \
             {}, and one of term {before} in that of server {other} at {}",
            here.0,
            seconds(&here.1),
            seconds(at)
        ),
        Breach::EntryOfLaterTerm { term, last_term, .. } => format!(
            "server {server} is in term {term}, but its log ends with an entry of term {last_term}"
        ),
        Breach::TookBack { entry: (index, term), seen: [from, to], because } => {
            let what = format!(
                "server {server} took back its entry {index} of term {term} between {} and {}",
                seconds(from),
                seconds(to)
            );
            match because {
                MustStay::Committed(commit_index) => {
                    format!("{what}, though its commit index was {commit_index}")
                }
                MustStay::SameAsLeader(leader, _) => {
                    format!("{what}, though its leader, server {leader}, has the same entry")
                }
                MustStay::NotCovered(leader, _, covers) => format!(
                    "{what}, though its leader, server {leader}, has the same entry; the snapshot \
                     it installed covers index {covers}"
                ),
            }
        }
        _ => unreachable!("no breach of a log"),
    }
}

fn of_commitment(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::CommittedTwice { index, here: (term, at), there: (other_term, other, before) } => {
            format!(
                "server {server} shows an entry of term {term} as committed at index {index} at \
                 {}, server {other} one of term {other_term} at {}",
                seconds(at),
                seconds(before)
            )
        }
        Breach::LeaderLacksEntry { term, entry, committed, by_term, instead, .. } => format!(
            "server {server} leads term {term} without the entry of index {} and term {}, which \
             server {} showed as committed at {} and by term {by_term}: {}",
            entry.0,
            entry.1,
            committed.0,
            seconds(&committed.1),
            match instead {
                Ok(term) => format!("it has one of term {term} there"),
                Err(last_index) => format!("its log ends with index {last_index}"),
            }
        ),
        Breach::CommitBeyondLog { commit_index, last_index, seen } => format!(
            "server {server} has commit index {commit_index} at {}, but its log ends with index \
             {last_index}",
            seconds(seen)
        ),
        Breach::CountedOldEntry { term, entry: (index, old_term), seen: [_, at] } => format!(
            "server {server} led term {term} and committed index {index} of term {old_term} at {}, \
             behind which it had committed nothing of its own term",
            seconds(at)
        ),
        Breach::NotOnMajority { entry: (index, term), committed, against } => format!(
            "server {server} showed index {index} of term {term} as committed at {}, but {} did \
             not have it, which leaves no majority",
            seconds(committed),
            servers(against)
        ),
        Breach::CommitIndexFell { indices: [old, new], seen: [from, to] } => format!(
            "server {server} had commit index {old} at {} and has {new} at {}",
            seconds(from),
            seconds(to)
        ),
        _ => unreachable!("no breach of commitment"),
    }
}

fn of_applying(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::AppliedAnother { index, term, applied, taken: (leader, expected, _) } => format!(
            "server {server} applied {} at index {index}; the entry committed there is of term \
             {term}, in which server {leader} took {} for it",
            show(&applied.0),
            show(expected)
        ),
        Breach::AppliedUncommitted { applied, commit_index, seen } => format!(
            "server {server} has applied index {applied}, but shows commit index {commit_index} at \
             {}",
            seconds(seen)
        ),
        Breach::AppliedTwo { index, here, there: (other, theirs, _) } => {
            let who =
                if *other == server { "it had".to_owned() } else { format!("server {other}") };
            format!(
                "server {server} applied {} at index {index}, where {who} applied {}",
                show(&here.0),
                show(theirs)
            )
        }
        Breach::OutOfOrder { index, expected, .. } => {
            format!("server {server} applied index {index}, but index {expected} was next")
        }
        _ => unreachable!("no breach of applying"),
    }
}

fn of_crash(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::Forgot { restarted, what } => {
            let what = match what {
                Forgotten::Term { now, told } => {
                    format!("in term {now}, but had answered in term {told}")
                }
                Forgotten::Vote { term, vote: (candidate, at) } => format!(
                    "in term {term} without its vote for server {candidate}, seen at {}",
                    seconds(at)
                ),
                Forgotten::Entry { entry: (index, term), leader, seen } => format!(
                    "without the entry of index {index} and term {term} that it had from server \
                     {leader}, seen at {}",
                    seconds(seen)
                ),
            };
            format!("server {server} restarted at {} {what}", seconds(restarted))
        }
        Breach::LostByMajority { entry: (index, term), restarted, against } => format!(
            "server {server} restarted at {} without the entry of index {index} and term {term}, \
             which it had shown as committed, and no majority has it: {} did not",
            seconds(restarted),
            servers(against)
        ),
        Breach::FromTheDead { method, caller, .. } => {
            format!("a {method} that server {caller} sent after its crash was delivered")
        }
        _ => unreachable!("no breach by a crash"),
    }
}

fn of_snapshot(server: usize, breach: &Breach) -> String {
    match breach {
        Breach::SnapshotFell { indices: [old, new], seen: [from, to] } => format!(
            "server {server} had a snapshot up to index {old} at {} and has {new} at {}",
            seconds(from),
            seconds(to)
        ),
        Breach::OlderSnapshotSaved { indices: [old, new], .. } => {
            format!("server {server} saved a snapshot up to index {new} over one up to index {old}")
        }
        Breach::GapAfterSnapshot { begins_after, covers, restarted } => format!(
            "server {server} restarted at {} with a log that begins behind index {begins_after}, \
             but {}",
            seconds(restarted),
            match covers {
                0 => "no snapshot was saved with it".to_owned(),
                _ => format!("the snapshot saved with it covers only index {covers}"),
            }
        ),
        Breach::BadSnapshot { what, .. } => {
            let why = match what {
                SnapshotFault::Unknown(bytes) => format!("the lab never made: {}", show(bytes)),
                SnapshotFault::OtherIndex { covers, index } => {
                    format!("covers index {covers}, but was applied as {index}")
                }
                SnapshotFault::Older { covers, applied } => {
                    format!("covers index {covers}, but it has applied index {applied} already")
                }
            };
            format!("server {server} has a snapshot that {why}")
        }
        _ => unreachable!("no breach by a snapshot"),
    }
}

fn fact(moment: Moment, server: usize, what: impl Into<String>) -> Fact {
    Fact { moment, server: Some(server), what: what.into() }
}

/// What servers were seen without, each at its own moment.
fn without(against: &[(usize, Moment)], what: &str) -> Vec<Fact> {
    against.iter().map(|(server, at)| fact(*at, *server, what)).collect()
}

fn facts(server: usize, breach: &Breach) -> Vec<Fact> {
    match breach {
        Breach::TwoLeaders { term, leaders } => {
            leaders.map(|(leader, at)| fact(at, leader, format!("leads term {term}"))).into()
        }
        Breach::TwoVotes { term, votes } => votes
            .map(|(candidate, at)| {
                fact(at, server, format!("has voted for server {candidate} in term {term}"))
            })
            .into(),
        Breach::StaleCandidate { term, candidate, voter, stood } => vec![
            fact(
                stood.1,
                *candidate,
                format!("stands in term {term}; its log {}", log_end(&stood.0)),
            ),
            fact(
                voter.1,
                server,
                format!("has voted for server {candidate}; its log {}", log_end(&voter.0)),
            ),
        ],
        Breach::NotElected { term, led, against } => {
            let mut facts = without(against, &format!("has no vote for server {server}"));
            facts.push(fact(*led, server, format!("leads term {term}")));
            facts
        }
        Breach::LeadsWithoutOwnVote { term, said, vote: (candidate, at) } => vec![
            fact(*said, server, format!("says that it leads term {term}")),
            fact(*at, server, format!("has voted for server {candidate} in term {term}")),
        ],
        Breach::TermFell { before, now, seen } => {
            vec![fact(*seen, server, format!("is in term {now}, after term {before}"))]
        }
        _ => facts_of_logs(server, breach),
    }
}

fn facts_of_logs(server: usize, breach: &Breach) -> Vec<Fact> {
    match breach {
        Breach::LeaderLogChanged { term, seen: [from, to], change } => {
            let (before, now) = match change {
                LogChange::Entry { index, terms: [old, new] } => (
                    format!("leads term {term}; entry {index} is of term {old}"),
                    format!("leads term {term}; entry {index} is of term {new}"),
                ),
                LogChange::Shorter { last: [old, new] } => (
                    format!("leads term {term}; its last index is {old}"),
                    format!("leads term {term}; its last index is {new}"),
                ),
            };
            vec![fact(*from, server, before), fact(*to, server, now)]
        }
        Breach::TakenTwice { index, term, first: (other, theirs, before), second } => {
            let took =
                |command: &[u8]| format!("takes {} as index {index}, term {term}", show(command));
            vec![fact(*before, *other, took(theirs)), fact(second.1, server, took(&second.0))]
        }
        Breach::PrefixesDiffer { index, term, here, there: (before, other, at) } => {
            let has = |before: u64| {
                format!("has entry {index} of term {term} after one of term {before}")
            };
            vec![fact(*at, *other, has(*before)), fact(here.1, server, has(here.0))]
        }
        Breach::EntryOfLaterTerm { term, last_term, seen } => vec![fact(
            *seen,
            server,
            format!("is in term {term}; its last entry is of term {last_term}"),
        )],
        Breach::TookBack { entry: (index, term), seen: [from, to], because } => {
            let entry = format!("entry {index} of term {term}");
            let mut facts = vec![
                fact(*from, server, format!("has {entry}")),
                fact(*to, server, format!("no longer has {entry}")),
            ];
            match because {
                MustStay::Committed(_) => {}
                MustStay::SameAsLeader(leader, at) | MustStay::NotCovered(leader, at, _) => {
                    facts.push(fact(*at, *leader, format!("leads, and has {entry}")));
                }
            }
            facts
        }
        _ => facts_of_commitment(server, breach),
    }
}

fn facts_of_commitment(server: usize, breach: &Breach) -> Vec<Fact> {
    let committed = |index: u64, term: u64| format!("shows entry {index} of term {term} committed");
    match breach {
        Breach::CommittedTwice { index, here, there: (term, other, at) } => vec![
            fact(*at, *other, committed(*index, *term)),
            fact(here.1, server, committed(*index, here.0)),
        ],
        Breach::LeaderLacksEntry {
            term, led, entry: (index, of), committed: (other, at), ..
        } => {
            vec![
                fact(*at, *other, committed(*index, *of)),
                fact(*led, server, format!("leads term {term} without entry {index} of term {of}")),
            ]
        }
        Breach::CommitBeyondLog { commit_index, last_index, seen } => vec![fact(
            *seen,
            server,
            format!("has commit index {commit_index} and last index {last_index}"),
        )],
        Breach::CountedOldEntry { term, entry: (index, old_term), seen: [from, to] } => vec![
            fact(*from, server, format!("leads term {term}; its commit index is below {index}")),
            fact(*to, server, committed(*index, *old_term)),
        ],
        Breach::NotOnMajority { entry: (index, term), committed: at, against } => {
            let mut facts =
                without(against, &format!("does not have entry {index} of term {term}"));
            facts.push(fact(*at, server, committed(*index, *term)));
            facts
        }
        Breach::CommitIndexFell { indices, seen } => std::iter::zip(indices, seen)
            .map(|(index, at)| fact(*at, server, format!("has commit index {index}")))
            .collect(),
        _ => facts_of_applying(server, breach),
    }
}

fn facts_of_applying(server: usize, breach: &Breach) -> Vec<Fact> {
    let applies =
        |index: u64, command: &[u8]| format!("applies {} at index {index}", show(command));
    match breach {
        Breach::AppliedAnother { index, term, applied, taken: (leader, expected, at) } => {
            let takes = format!("takes {} as index {index}, term {term}", show(expected));
            vec![fact(*at, *leader, takes), fact(applied.1, server, applies(*index, &applied.0))]
        }
        Breach::AppliedUncommitted { applied, commit_index, seen } => vec![fact(
            *seen,
            server,
            format!("has applied index {applied}; its commit index is {commit_index}"),
        )],
        Breach::AppliedTwo { index, here, there: (other, theirs, at) } => vec![
            fact(*at, *other, applies(*index, theirs)),
            fact(here.1, server, applies(*index, &here.0)),
        ],
        Breach::OutOfOrder { index, expected, applied } => vec![fact(
            *applied,
            server,
            format!("applies index {index}, when index {expected} is next"),
        )],
        _ => facts_of_crash(server, breach),
    }
}

fn facts_of_crash(server: usize, breach: &Breach) -> Vec<Fact> {
    match breach {
        Breach::Forgot { restarted, what } => match what {
            Forgotten::Term { now, told } => vec![fact(
                *restarted,
                server,
                format!("restarts in term {now}, after it answered in term {told}"),
            )],
            Forgotten::Vote { term, vote: (candidate, at) } => vec![
                fact(*at, server, format!("has voted for server {candidate} in term {term}")),
                fact(*restarted, server, format!("restarts in term {term} without that vote")),
            ],
            Forgotten::Entry { entry: (index, term), leader, seen } => vec![
                fact(
                    *seen,
                    server,
                    format!("has entry {index} of term {term} from server {leader}"),
                ),
                fact(*restarted, server, format!("restarts without entry {index}")),
            ],
        },
        Breach::LostByMajority { entry: (index, term), restarted, against } => {
            let lacks = format!("does not have entry {index} of term {term}");
            let others = against.iter().filter(|(other, _)| *other != server);
            let others: Vec<(usize, Moment)> = others.copied().collect();
            let mut facts = without(&others, &lacks);
            let what = format!("restarts without entry {index} of term {term}, once committed");
            facts.push(fact(*restarted, server, what));
            facts
        }
        Breach::FromTheDead { method, caller, delivered } => vec![fact(
            *delivered,
            *caller,
            format!("its {method}, sent after its crash, is delivered"),
        )],
        _ => facts_of_snapshot(server, breach),
    }
}

fn facts_of_snapshot(server: usize, breach: &Breach) -> Vec<Fact> {
    let (seen, what) = match breach {
        Breach::SnapshotFell { indices, seen } => {
            return std::iter::zip(indices, seen)
                .map(|(index, at)| fact(*at, server, format!("has a snapshot up to index {index}")))
                .collect();
        }
        Breach::OlderSnapshotSaved { indices: [old, new], saved } => {
            (saved, format!("saves a snapshot up to index {new} over one up to index {old}"))
        }
        Breach::GapAfterSnapshot { begins_after, covers, restarted } => {
            let what = format!("restarts with a log after index {begins_after}, a snapshot up to");
            (restarted, format!("{what} index {covers}"))
        }
        Breach::BadSnapshot { seen, .. } => (seen, "hands over this snapshot".to_owned()),
        Breach::VoteForNobody { candidate, seen, .. } => {
            (seen, format!("shows a vote for server {candidate}"))
        }
        Breach::ImpossibleSnapshot { index, seen } => {
            (seen, format!("shows a snapshot up to index {index}"))
        }
        _ => unreachable!("every breach has facts"),
    };
    vec![fact(*seen, server, what)]
}
