//! What a server is.

use super::word::{Word, word};
use crate::ask::meaning::Meaning::{Field, Grammar, Root, State};
use crate::ask::meaning::{FieldWord, Grammar as G, Root as R, StateWord};

pub(super) const STATES: &[Word] = &[
    word("leader", State(StateWord::Leader), "it leads", "leader and not majority_reachable"),
    word("candidate", State(StateWord::Candidate), "it asks for votes", "candidate for 1 s"),
    word("follower", State(StateWord::Follower), "it follows", "follower and voted_for = server"),
    word("up", State(StateWord::Up), "it runs", "count(up) < majority"),
    word("down", State(StateWord::Down), "it has crashed", "down and server = 1"),
    word("paused", State(StateWord::Paused), "its threads stand still", "leader and paused"),
    word(
        "connected",
        State(StateWord::Connected),
        "the lab has connected it",
        "leader and not connected",
    ),
    word(
        "majority_reachable",
        State(StateWord::MajorityReachable),
        "with the servers that it can exchange messages with, it is a majority; those are up, \
         connected and not paused, and no link between them is cut or held",
        "becomes (leader and not majority_reachable)",
    ),
];

pub(super) const OF_A_SERVER: &[Word] = &[
    word("server", Field(FieldWord::Server), "its number", "vote and term = 3 and server = 2"),
    word("role", Field(FieldWord::Role), "its role", "role = leader and previous role = follower"),
    word("term", Field(FieldWord::Term), "its term", "term < previous term"),
    word(
        "voted_for",
        Field(FieldWord::VotedFor),
        "the candidate that has its vote, or `none`",
        "leader and voted_for != server",
    ),
    word(
        "last_log_index",
        Field(FieldWord::LastLogIndex),
        "the index of its last entry",
        "last_log_index < previous last_log_index",
    ),
    word(
        "last_log_term",
        Field(FieldWord::LastLogTerm),
        "the term of its last entry",
        "last_log_term > term",
    ),
    word(
        "commit_index",
        Field(FieldWord::CommitIndex),
        "its commit index",
        "commit_index > last_log_index",
    ),
    word(
        "last_applied",
        Field(FieldWord::LastApplied),
        "the index that it applied last",
        "last_applied > commit_index",
    ),
    word(
        "snapshot_index",
        Field(FieldWord::SnapshotIndex),
        "the last index that its snapshot covers, or 0",
        "snapshot_index > last_applied",
    ),
    word(
        "snapshot_term",
        Field(FieldWord::SnapshotTerm),
        "the term of the entry at that index",
        "becomes snapshot_term > 2",
    ),
    word(
        "term_at",
        Grammar(G::TermAt),
        "the term of its entry at an index, if it has one",
        "leader and commit_index > 0 and term_at(commit_index) != term",
    ),
    word(
        "incarnation",
        Field(FieldWord::Incarnation),
        "the number of its starts",
        "becomes incarnation = 3",
    ),
    word(
        "votes_received",
        Field(FieldWord::VotesReceived),
        "the number of votes that it counts, if it shows them",
        "becomes leader and previous votes_received < majority",
    ),
    word(
        "next_index",
        Root(R::NextIndex),
        "`next_index.2`: the next entry that it sends to server 2, if it shows that",
        "leader and next_index.2 = 0",
    ),
    word(
        "match_index",
        Root(R::MatchIndex),
        "`match_index.2`: the last entry that it knows to be on server 2, if it shows that",
        "leader and match_index.* > last_log_index",
    ),
    word(
        "election_deadline",
        Field(FieldWord::ElectionDeadline),
        "when its election timer ends, if it shows that",
        "becomes candidate and time < previous election_deadline",
    ),
    word(
        "previous",
        Grammar(G::Previous),
        "with a value: what the server showed last before the event, even before a crash; only a \
         change of state has it",
        "commit_index < previous commit_index",
    ),
];
