//! Messages and actions of servers as lines of text, for the scripts.
//!
//! An entry is written as its term, as in Figure 7, and a server as in Figure 8: S1 to S5.

use raftapi::{ApplyMsg, Inspect, Role};

use super::messages::{Message, Reply};
use crate::rules::messages::{AppendEntriesArgs, AppendEntriesReply, Request};

pub(super) fn server(me: usize) -> String {
    format!("S{}", me + 1)
}

pub(super) fn message(message: &Message) -> String {
    match &message.reply {
        None => request(&message.request),
        Some(reply) => self::reply(reply),
    }
}

pub(super) fn request(request: &Request) -> String {
    match request {
        Request::Vote(args) => {
            let last = position(args.last_log_index, args.last_log_term);
            format!("RequestVote, term {}, log ends at {last}", args.term)
        }
        Request::Append(args) => append_entries(args),
        Request::Install(args) => {
            let last = position(args.last_included_index, args.last_included_term);
            format!("InstallSnapshot, term {}, up to {last}", args.term)
        }
    }
}

fn append_entries(args: &AppendEntriesArgs) -> String {
    let AppendEntriesArgs { term, prev_log_index, prev_log_term, leader_commit, .. } = args;
    let terms: Vec<u64> = args.entries.iter().map(|entry| entry.term).collect();
    let (name, entries) = if terms.is_empty() {
        ("heartbeat", String::new())
    } else {
        ("AppendEntries", format!("{} ", log(&terms)))
    };
    let previous = position(*prev_log_index, *prev_log_term);
    format!("{name}, term {term}, {entries}after {previous}, commit index {leader_commit}")
}

fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Vote(reply) if reply.vote_granted => format!("vote granted, term {}", reply.term),
        Reply::Vote(reply) => format!("vote refused, term {}", reply.term),
        Reply::Append(AppendEntriesReply { term, success: true, .. }) => {
            format!("success, term {term}")
        }
        Reply::Append(AppendEntriesReply { term, conflict, .. }) => match conflict {
            None => format!("refused, term {term}"),
            Some(conflict) => {
                let first = conflict.first_index;
                let place =
                    conflict.term.map_or(format!("its log ends before index {first}"), |term| {
                        format!("its term {term} begins at index {first}")
                    });
                format!("refused, term {term}, {place}")
            }
        },
        Reply::Install(reply) => format!("snapshot received, term {}", reply.term),
    }
}

/// What a rule has changed in the state of a server.
pub(super) fn changes(before: &Inspect, after: &Inspect) -> Vec<String> {
    let mut lines = Vec::new();
    let standing = |state: &Inspect| (state.role, state.current_term, state.voted_for);
    if standing(before) != standing(after) {
        let vote =
            after.voted_for.map_or("no vote".into(), |it| format!("vote for {}", server(it)));
        lines.push(format!("{}, term {}, {vote}", role(after.role), after.current_term));
    }
    let (index, term) = (after.last_included_index, after.last_included_term);
    if before.last_included_index != index {
        lines.push(format!("snapshot up to {}", position(index, term)));
    }
    if before.last_included_index != index || before.log_terms != after.log_terms {
        lines.push(format!("log {}", log(&after.log_terms)));
    }
    if before.commit_index != after.commit_index {
        lines.push(format!("commit index {}", after.commit_index));
    }
    lines
}

pub(super) fn applied(message: &ApplyMsg) -> String {
    match message {
        ApplyMsg::Command { index, command } => {
            format!("applies {index}, \"{}\"", String::from_utf8_lossy(command))
        }
        ApplyMsg::Snapshot { index, .. } => format!("applies the snapshot up to {index}"),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

fn position(index: u64, term: u64) -> String {
    if index == 0 { "index 0".into() } else { format!("index {index} (term {term})") }
}

fn log(terms: &[u64]) -> String {
    let terms: Vec<String> = terms.iter().map(u64::to_string).collect();
    format!("[{}]", terms.join(" "))
}
