//! What happens.

use super::word::{Word, word};
use crate::ask::meaning::Meaning::{Event, Field, Root};
use crate::ask::meaning::{EventWord, FieldWord, Root as R};

pub(super) const EVENTS: &[Word] = &[
    word("call", Event(EventWord::Call), "it sends a request", "call \"RequestVote\""),
    word(
        "arrival",
        Event(EventWord::Arrival),
        "a request reaches it, and its handler starts",
        "arrival and args.term < term",
    ),
    word(
        "handled",
        Event(EventWord::Handled),
        "its handler returns",
        "handled \"RequestVote\" and reply.vote_granted",
    ),
    word(
        "answered",
        Event(EventWord::Answered),
        "it gets the reply to its request",
        "answered and reply.term > term",
    ),
    word(
        "unanswered",
        Event(EventWord::Unanswered),
        "its request ends without a reply",
        "unanswered and how = request_lost",
    ),
    word(
        "caught",
        Event(EventWord::Caught),
        "the test holds back a request or reply that it sends",
        "caught \"AppendEntries\"",
    ),
    word("misused", Event(EventWord::Misused), "it makes a call that is wrong", "misused"),
    word("state", Event(EventWord::State), "what it shows changes", "state and server = 0"),
    word(
        "vote",
        Event(EventWord::Vote),
        "it gives its vote",
        "vote and preceded by (vote and same server and same term)",
    ),
    word("saved", Event(EventWord::Saved), "it saves its state", "saved and bytes > 1000"),
    word("offered", Event(EventWord::Offered), "the lab asks it to take a command", "offered"),
    word(
        "start",
        Event(EventWord::Start),
        "it takes a command",
        "start and not followed by (applied and same command) within 2 s",
    ),
    word("refused", Event(EventWord::Refused), "it takes no command", "refused and leader"),
    word("applied", Event(EventWord::Applied), "it applies an entry", "applied and index = 1"),
    word(
        "applied_snapshot",
        Event(EventWord::AppliedSnapshot),
        "it hands a snapshot to its service",
        "applied_snapshot and index <= previous last_applied",
    ),
    word("said_state", Event(EventWord::SaidState), "it answers `get_state`", "said_state"),
    word(
        "said_leader",
        Event(EventWord::SaidLeader),
        "it answers that it leads",
        "said_leader and not majority_reachable",
    ),
    word("boot", Event(EventWord::Boot), "it starts, the first time or again", "boot"),
    word("restart", Event(EventWord::Restart), "it starts again", "restart and time > 1 s"),
    word(
        "crash",
        Event(EventWord::Crash),
        "it crashes",
        "call and not preceded by (crash and server = 1)",
    ),
    word(
        "connect",
        Event(EventWord::Named("connect")),
        "the lab connects it",
        "connect and preceded by (disconnect and same server)",
    ),
    word(
        "disconnect",
        Event(EventWord::Named("disconnect")),
        "the lab disconnects it",
        "disconnect and leader",
    ),
    word("pause", Event(EventWord::Named("pause")), "its threads stop", "pause and leader"),
    word("resume", Event(EventWord::Named("resume")), "its threads go on", "resume"),
    word(
        "cut",
        Event(EventWord::Named("cut")),
        "the link from it to another server is cut",
        "cut and from = 0",
    ),
    word("heal", Event(EventWord::Named("heal")), "that link works again", "heal and to = 0"),
    word(
        "fault",
        Event(EventWord::Fault),
        "any fault of a server or a link begins or ends",
        "fault \"hold\"",
    ),
    word("output", Event(EventWord::Output), "its code prints a line", "output \"panicked\""),
    word("waiting", Event(EventWord::Waiting), "the test waits for something", "waiting"),
    word("cluster", Event(EventWord::Cluster), "the test makes a cluster", "cluster"),
];

pub(super) const OF_AN_EVENT: &[Word] = &[
    word("event", Field(FieldWord::Event), "its number in the run file", "event = 812"),
    word(
        "from",
        Field(FieldWord::From),
        "the caller, or where a link begins",
        "arrival and from = 2",
    ),
    word(
        "to",
        Field(FieldWord::To),
        "the server that is called, or where a link ends",
        "call and to = 1",
    ),
    word(
        "method",
        Field(FieldWord::Method),
        "the method of a call, without its service",
        "call and method != \"AppendEntries\"",
    ),
    word(
        "args",
        Root(R::Args),
        "a part of a request: `args.term`, `args.entries.0.term`, `args.entries.length`; `*` \
         stands for any element",
        "call and args.entries.*.term < term",
    ),
    word(
        "reply",
        Root(R::Reply),
        "a part of a reply: `reply.success`; `handled` and `answered` have it",
        "answered and reply.success = false",
    ),
    word("how", Field(FieldWord::How), "how a call ended", "unanswered and how != cut"),
    word("call_id", Field(FieldWord::CallId), "the number of a call", "call_id = 7"),
    word(
        "copy",
        Field(FieldWord::Copy),
        "0 for the request itself, else the number of the duplicate",
        "arrival and copy > 0",
    ),
    word(
        "index",
        Field(FieldWord::Index),
        "the index of an entry that is taken or applied, or the last one of a snapshot",
        "applied and preceded by (applied and same server and index >= that index)",
    ),
    word(
        "entry_term",
        Field(FieldWord::EntryTerm),
        "the term of an entry that is taken, or of the last one of a snapshot",
        "start and entry_term != term",
    ),
    word(
        "command",
        Field(FieldWord::Command),
        "the command that is offered, taken or applied",
        "applied and preceded by (applied and same index and command != that command)",
    ),
    word(
        "bytes",
        Field(FieldWord::Bytes),
        "the size of what is sent or saved",
        "call and bytes > 4000",
    ),
    word("verb", Field(FieldWord::Verb), "the verb of a fault", "fault and verb != \"connect\""),
];
