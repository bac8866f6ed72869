//! Tests of the rules, without threads or a network: one file per section of the paper.

mod messages;
mod describe;
mod player;
mod scripts;
mod election;
mod replication;
mod figure_7;
mod commit;
mod snapshot;
mod persistent;
mod log;
mod details;
mod storm;

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use raftapi::{ApplyMsg, Persister};

use self::messages::{answer, note_reply};
use crate::rules::clock::Clock;
use crate::rules::log::{Entry, Log};
use crate::rules::messages::{AppendEntriesArgs, Request};
use crate::rules::progress::{HEARTBEAT_INTERVAL, Progress};
use crate::rules::state::{Role, State};

/// When every [`HandClock`] starts.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A clock that stands still until a test moves it, and whose election timeouts are all the same.
struct HandClock {
    now: Cell<Instant>,
    election_timeout: Cell<Duration>,
}

impl HandClock {
    fn new() -> HandClock {
        let election_timeout = Duration::from_millis(600);
        HandClock { now: Cell::new(*EPOCH), election_timeout: Cell::new(election_timeout) }
    }

    fn advance(&self, by: Duration) {
        self.now.set(self.now() + by);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn election_timeout(&self) -> Duration {
        self.election_timeout.get()
    }
}

/// A follower that was just started, with a log of entries with these terms. As in Figure 7, an
/// entry is known by its index and its term: where both are the same, so is the command.
fn server(me: usize, servers: usize, current_term: u64, terms: &[u64]) -> State {
    saved_server(&Persister::new(), me, servers, current_term, terms)
}

/// The same, saved with this persister.
fn saved_server(
    persister: &Persister,
    me: usize,
    servers: usize,
    current_term: u64,
    terms: &[u64],
) -> State {
    let mut state = State::restored_from(me, servers, persister, &HandClock::new());
    if current_term > 0 {
        state.persistent.adopt_term(current_term);
    }
    for entry in entries(1, terms) {
        state.persistent.append(entry);
    }
    state.save_to(persister);
    state
}

/// The leader of its term.
fn leader(me: usize, servers: usize, current_term: u64, terms: &[u64]) -> State {
    let mut state = server(me, servers, current_term, terms);
    state.become_leader(*EPOCH);
    state
}

/// Saves the state, so that it can be seen whether the next rule changes anything.
fn save(state: &mut State) {
    state.save_to(&Persister::new());
    assert!(!state.persistent.must_save());
}

/// Moves the clock to the end of the election timeout, and returns what the server sends then.
fn time_out(state: &mut State, clock: &HandClock) -> Vec<(usize, Request)> {
    clock.now.set(state.election_due);
    state.on_deadline(clock)
}

/// Entries with these terms, of which the first has this index.
fn entries(first_index: u64, terms: &[u64]) -> Vec<Entry> {
    (first_index..).zip(terms).map(|(index, term)| entry(index, *term)).collect()
}

fn entry(index: u64, term: u64) -> Entry {
    Entry { term, command: command(index, term) }
}

fn command(index: u64, term: u64) -> Vec<u8> {
    format!("{index} of term {term}").into_bytes()
}

/// The terms of the entries that a log still has.
fn terms(log: &Log) -> Vec<u64> {
    (log.last_included_index() + 1..=log.last_index()).map(|i| log.term_at(i).unwrap()).collect()
}

/// What server 0 sends as the leader of `term`: after an entry with this index and term, entries
/// with these terms.
fn append(term: u64, prev: (u64, u64), terms: &[u64], leader_commit: u64) -> AppendEntriesArgs {
    AppendEntriesArgs {
        term,
        leader_id: 0,
        prev_log_index: prev.0,
        prev_log_term: prev.1,
        entries: entries(prev.0 + 1, terms),
        leader_commit,
    }
}

/// What `leader` sends to `server` if that is due now.
fn sent_to(leader: &mut State, server: usize, clock: &HandClock) -> Option<Request> {
    leader.on_deadline(clock).into_iter().find(|(to, _)| *to == server).map(|(_, request)| request)
}

/// Carries one request to `follower` and the answer back.
fn carry(leader: &mut State, follower: &mut State, request: &Request, clock: &HandClock) {
    let reply = answer(follower, request, clock);
    note_reply(leader, follower.me, request, &reply, clock);
}

/// Carries messages between the two until there is no news, and returns how many there were. What
/// the leader sends to others meanwhile is lost. It begins when the next heartbeat is due.
fn converse(leader: &mut State, follower: &mut State, clock: &HandClock) -> usize {
    clock.advance(HEARTBEAT_INTERVAL);
    let mut count = 0;
    while let Some(request) = sent_to(leader, follower.me, clock) {
        carry(leader, follower, &request, clock);
        count += 1;
    }
    count
}

fn progress(leader: &State, server: usize) -> &Progress {
    let Role::Leader { followers } = &leader.role else { panic!("no leader") };
    &followers[&server]
}

/// Everything that the service gets now.
fn apply_all(state: &mut State) -> Vec<ApplyMsg> {
    std::iter::from_fn(|| state.next_to_apply()).collect()
}

/// What the service gets of an entry.
fn applied(index: u64, term: u64) -> ApplyMsg {
    ApplyMsg::Command { index, command: command(index, term) }
}
