//! The rules by themselves: no thread, no network, no waiting. A file a section of the paper.

mod election;
mod replication;
mod figure_7;
mod commit;
mod snapshot;
mod persistent;
mod log;
mod storm;

use std::time::Instant;

use raftapi::{ApplyMsg, Persister};

use crate::log::{Entry, Log};
use crate::replication::{AppendEntriesArgs, Follower, HEARTBEAT_INTERVAL};
use crate::senders::Request;
use crate::state::{Role, State};

/// A follower that was just started, with a log of entries with these terms. As in Figure 7, an
/// entry is known by its index and its term: where both are the same, so is the command.
fn server(me: usize, servers: usize, current_term: u64, terms: &[u64]) -> State {
    let mut state = State::restored_from(me, servers, &Persister::new());
    state.current_term = current_term;
    for entry in entries(1, terms) {
        state.log.append(entry);
    }
    state
}

/// The leader of its term.
fn leader(me: usize, servers: usize, current_term: u64, terms: &[u64]) -> State {
    let mut state = server(me, servers, current_term, terms);
    state.become_leader(Instant::now());
    state
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

/// What server 0 sends as the leader of `term`: behind an entry with this index and term, entries
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

/// What `leader` sends to `server` if that is due at `now`.
fn sent_to(leader: &mut State, server: usize, now: Instant) -> Option<Request> {
    leader.on_deadline(now).into_iter().find(|(to, _)| *to == server).map(|(_, request)| request)
}

/// Carries one request to `follower` and the answer back.
fn carry(leader: &mut State, follower: &mut State, request: Request, now: Instant) {
    match request {
        Request::Vote(args) => {
            let reply = follower.request_vote(&args);
            leader.count_vote(follower.me, &args, &reply, now);
        }
        Request::Append(args) => {
            let reply = follower.append_entries(args.clone());
            leader.note_appended(follower.me, &args, &reply, now);
        }
        Request::Install(args) => {
            let reply = follower.install_snapshot(args.clone());
            leader.note_installed(follower.me, &args, &reply, now);
        }
    }
}

/// Carries messages between the two until there is no news, and returns how many there were. What
/// the leader sends to others meanwhile is lost. It begins when the next heartbeat is due.
fn converse(leader: &mut State, follower: &mut State, clock: &mut Instant) -> usize {
    *clock += HEARTBEAT_INTERVAL;
    let mut count = 0;
    while let Some(request) = sent_to(leader, follower.me, *clock) {
        carry(leader, follower, request, *clock);
        count += 1;
    }
    count
}

fn progress(leader: &State, server: usize) -> &Follower {
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
