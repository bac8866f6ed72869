//! A broken rule as a value: which rule, who broke it, and the facts that show it.

use history::{Moment, Rule};

/// A rule was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The server that broke it, if it is one.
    pub server: Option<usize>,
    /// How.
    pub breach: Breach,
}

/// The end of a log: its last term, then its last index, in the order of "up to date".
pub(crate) type LogEnd = (u64, u64);

/// How a rule was broken. A [`Moment`] is that of the event that showed the fact beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// S1: a second leader in a term.
    TwoLeaders {
        /// The term.
        term: u64,
        /// The leaders, and when each was seen to lead.
        leaders: [(usize, Moment); 2],
    },
    /// S2: a second vote in a term.
    TwoVotes {
        /// The term.
        term: u64,
        /// The candidates, and when each vote was seen.
        votes: [(usize, Moment); 2],
    },
    /// S3: a vote for a candidate whose log is behind the voter's.
    StaleCandidate {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: usize,
        /// How the voter's log ended, and when the vote was seen.
        voter: (LogEnd, Moment),
        /// How the candidate's log ended, and when that was seen.
        stood: (LogEnd, Moment),
    },
    /// S4: a leader without the votes of a majority.
    NotElected {
        /// The term.
        term: u64,
        /// When it was seen to lead.
        led: Moment,
        /// The servers that had not voted for it, and when each was seen so.
        against: Vec<(usize, Moment)>,
    },
    /// S5: a leader's log lost or changed an entry in its term.
    LeaderLogChanged {
        /// The term.
        term: u64,
        /// When it was seen before and after.
        seen: [Moment; 2],
        /// What has changed.
        change: LogChange,
    },
    /// S5: two commands were given the same index and term.
    TakenTwice {
        /// The index.
        index: u64,
        /// The term.
        term: u64,
        /// The first command: the server that took it, and when.
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
        /// The same of the other server, by number.
        there: (u64, usize, Moment),
    },
    /// S6: another command was applied than the one that was taken for the committed entry.
    AppliedAnother {
        /// The index.
        index: u64,
        /// The term of the committed entry.
        term: u64,
        /// The command that was applied, and when.
        applied: (Vec<u8>, Moment),
        /// The leader that took another command, which, and when.
        taken: (usize, Vec<u8>, Moment),
    },
    /// S7: two entries were committed at one index.
    CommittedTwice {
        /// The index.
        index: u64,
        /// The term of this server's entry, and when it was seen.
        here: (u64, Moment),
        /// The same of the other server, by number.
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
        /// It was committed in a term not above this one.
        by_term: u64,
        /// The term of the leader's own entry at that index, or the end of its log.
        instead: Result<u64, u64>,
    },
    /// S8: a commit index below what was applied.
    AppliedUncommitted {
        /// The index that was applied.
        applied: u64,
        /// The commit index.
        commit_index: u64,
        /// When it was seen.
        seen: Moment,
    },
    /// S8: two commands were applied at one index.
    AppliedTwo {
        /// The index.
        index: u64,
        /// The command of this server, and when it was applied.
        here: (Vec<u8>, Moment),
        /// The command of the other server, by number, and when it was applied.
        there: (usize, Vec<u8>, Moment),
    },
    /// S9: an entry was applied out of order.
    OutOfOrder {
        /// The index that was applied.
        index: u64,
        /// The index that was next.
        expected: u64,
        /// When it was applied.
        applied: Moment,
    },
    /// S10 and S12: something that a server had told others did not survive a crash.
    Forgot {
        /// When the restored state was seen.
        restarted: Moment,
        /// What it forgot.
        what: Forgotten,
    },
    /// S10: a committed entry is no longer on a majority after a crash.
    LostByMajority {
        /// The entry: index and term.
        entry: (u64, u64),
        /// When the server was seen without it, after its restart.
        restarted: Moment,
        /// The servers that did not have it, and when each was seen so.
        against: Vec<(usize, Moment)>,
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
    /// S11: a leader committed an entry of an older term by counting.
    CountedOldEntry {
        /// The term that it leads.
        term: u64,
        /// The entry: index and term.
        entry: (u64, u64),
        /// When it was seen before and after.
        seen: [Moment; 2],
    },
    /// S11: an entry was shown as committed that no majority had.
    NotOnMajority {
        /// The entry: index and term.
        entry: (u64, u64),
        /// When it was shown as committed.
        committed: Moment,
        /// The servers that did not have it, and when each was seen so.
        against: Vec<(usize, Moment)>,
    },
    /// S12: a term fell.
    TermFell {
        /// The term that it had been in.
        before: u64,
        /// The term that it is in.
        now: u64,
        /// When it said so.
        seen: Moment,
    },
    /// S12: a commit index fell.
    CommitIndexFell {
        /// Before and now.
        indices: [u64; 2],
        /// When each was seen.
        seen: [Moment; 2],
    },
    /// S12: the log has an entry of a later term than the server's.
    EntryOfLaterTerm {
        /// The server's term.
        term: u64,
        /// The term of its last entry.
        last_term: u64,
        /// When it was seen.
        seen: Moment,
    },
    /// S13 and S14: an entry was removed that was committed or acknowledged.
    TookBack {
        /// The entry: index and term.
        entry: (u64, u64),
        /// When it was seen last, and when it was gone.
        seen: [Moment; 2],
        /// Why it had to stay.
        because: MustStay,
    },
    /// S14: a snapshot was replaced by an older one in the peer's own state.
    SnapshotFell {
        /// The last index that it covered, before and now.
        indices: [u64; 2],
        /// When each was seen.
        seen: [Moment; 2],
    },
    /// S14: an older snapshot was saved over a newer one.
    OlderSnapshotSaved {
        /// The last index that it covered, before and now.
        indices: [u64; 2],
        /// When it was saved.
        saved: Moment,
    },
    /// S14: a restored log begins after the end of the snapshot that was saved with it.
    GapAfterSnapshot {
        /// The log begins after this index.
        begins_after: u64,
        /// The last index that the snapshot covers; 0 without one.
        covers: u64,
        /// When it was seen, after the restart.
        restarted: Moment,
    },
    /// S14: a snapshot that the lab cannot take.
    BadSnapshot {
        /// What is wrong with it.
        what: SnapshotFault,
        /// When it was applied or restored.
        seen: Moment,
    },
    /// S15: a server said that it leads a term in which it voted for another.
    LeadsWithoutOwnVote {
        /// The term.
        term: u64,
        /// When it said that it leads.
        said: Moment,
        /// The candidate that it voted for, and when that was seen.
        vote: (usize, Moment),
    },
    /// S16: the kit delivered a message that a server sent after its crash.
    FromTheDead {
        /// The method that was called.
        method: String,
        /// The server that had crashed.
        caller: usize,
        /// When the message was delivered.
        delivered: Moment,
    },
    /// A state that no Raft can be in, whatever it did: a vote for a server that does not exist.
    VoteForNobody {
        /// The number that was voted for.
        candidate: usize,
        /// The number of servers.
        servers: usize,
        /// When it was seen.
        seen: Moment,
    },
    /// A state that no Raft can be in: a snapshot index that no run can reach.
    ImpossibleSnapshot {
        /// The index.
        index: u64,
        /// When it was seen.
        seen: Moment,
    },
}

/// What has changed in a leader's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogChange {
    /// An entry was replaced.
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

/// What a server did not remember after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// It is in a lower term than one that it had answered with.
    Term {
        /// The term that it is in.
        now: u64,
        /// The term that it had answered with.
        told: u64,
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
        /// When it was seen last.
        seen: Moment,
    },
}

/// Why an entry had to stay in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MustStay {
    /// It was committed: this was the commit index.
    Committed(u64),
    /// The leader, seen at that moment, has the same entry.
    SameAsLeader(usize, Moment),
    /// The same, and the snapshot that took its place covers only this index.
    NotCovered(usize, Moment, u64),
}

/// What is wrong with a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotFault {
    /// The lab never made these bytes.
    Unknown(Vec<u8>),
    /// It covers another index than the one that it was applied as.
    OtherIndex {
        /// The last index that it covers.
        covers: u64,
        /// The index that it was applied as.
        index: u64,
    },
    /// It ends before what was applied already.
    Older {
        /// The last index that it covers.
        covers: u64,
        /// The last index that was applied.
        applied: u64,
    },
}

impl Violation {
    /// A violation by one server.
    pub fn of(server: usize, breach: Breach) -> Violation {
        Violation { server: Some(server), breach }
    }

    /// The rule that was broken; none if the state is one that no Raft can be in.
    pub fn rule(&self) -> Option<Rule> {
        Some(match &self.breach {
            Breach::TwoLeaders { .. } => Rule::S1,
            Breach::TwoVotes { .. } => Rule::S2,
            Breach::StaleCandidate { .. } => Rule::S3,
            Breach::NotElected { .. } => Rule::S4,
            Breach::LeaderLogChanged { .. } | Breach::TakenTwice { .. } => Rule::S5,
            Breach::PrefixesDiffer { .. } | Breach::AppliedAnother { .. } => Rule::S6,
            Breach::CommittedTwice { .. } | Breach::LeaderLacksEntry { .. } => Rule::S7,
            Breach::AppliedUncommitted { .. } | Breach::AppliedTwo { .. } => Rule::S8,
            Breach::OutOfOrder { .. } => Rule::S9,
            Breach::Forgot { what: Forgotten::Term { .. }, .. }
            | Breach::TermFell { .. }
            | Breach::CommitIndexFell { .. }
            | Breach::EntryOfLaterTerm { .. } => Rule::S12,
            Breach::Forgot { .. } | Breach::LostByMajority { .. } => Rule::S10,
            Breach::CommitBeyondLog { .. }
            | Breach::CountedOldEntry { .. }
            | Breach::NotOnMajority { .. } => Rule::S11,
            Breach::TookBack { because: MustStay::NotCovered(..), .. }
            | Breach::SnapshotFell { .. }
            | Breach::OlderSnapshotSaved { .. }
            | Breach::GapAfterSnapshot { .. }
            | Breach::BadSnapshot { .. } => Rule::S14,
            Breach::TookBack { .. } => Rule::S13,
            Breach::LeadsWithoutOwnVote { .. } => Rule::S15,
            Breach::FromTheDead { .. } => Rule::S16,
            Breach::VoteForNobody { .. } | Breach::ImpossibleSnapshot { .. } => return None,
        })
    }
}
