//! Messages as values, for the tests that carry them by hand.

use super::HandClock;
use crate::rules::messages::{AppendEntriesReply, InstallSnapshotReply, Request, RequestVoteReply};
use crate::rules::state::State;

/// A message on its way: a request, or the reply to it.
pub(super) struct Message {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) request: Request,
    pub(super) reply: Option<Reply>,
}

pub(super) enum Reply {
    Vote(RequestVoteReply),
    Append(AppendEntriesReply),
    Install(InstallSnapshotReply),
}

/// What `state` replies to a request.
pub(super) fn answer(state: &mut State, request: &Request, clock: &HandClock) -> Reply {
    match request.clone() {
        Request::Vote(args) => Reply::Vote(state.request_vote(&args, clock)),
        Request::Append(args) => Reply::Append(state.append_entries(args, clock)),
        Request::Install(args) => Reply::Install(state.install_snapshot(args, clock)),
    }
}

/// Gives `state` the reply of the server `from` to its request.
pub(super) fn note_reply(
    state: &mut State,
    from: usize,
    request: &Request,
    reply: &Reply,
    clock: &HandClock,
) {
    match (request, reply) {
        (Request::Vote(args), Reply::Vote(reply)) => state.count_vote(from, args, reply, clock),
        (Request::Append(args), Reply::Append(reply)) => {
            state.note_appended(from, args, reply, clock);
        }
        (Request::Install(args), Reply::Install(reply)) => {
            state.note_installed(from, args, reply, clock);
        }
        _ => unreachable!("a reply is of its request's kind"),
    }
}
