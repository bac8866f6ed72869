//! Words that join others.

use super::word::{Word, word};
use crate::ask::meaning::Meaning::{Field, Grammar, Unit};
use crate::ask::meaning::{FieldWord, Grammar as G};

pub(super) const OTHERS: &[Word] = &[
    word("time", Field(FieldWord::Time), "the time since the run began", "vote and time < 500 ms"),
    word("servers", Field(FieldWord::Servers), "the number of servers", "count(up) < servers"),
    word(
        "majority",
        Field(FieldWord::Majority),
        "more than half of that",
        "leader and count(last_log_index >= that commit_index) < majority",
    ),
    word(
        "count",
        Grammar(G::Count),
        "the number of servers for which a state holds",
        "count(leader) > 1",
    ),
    word("s", Unit(1_000_000), "a time in seconds", "time > 1.5 s and crash"),
    word("ms", Unit(1_000), "a time in milliseconds", "candidate for 300 ms"),
    word("us", Unit(1), "a time in microseconds", "leader for 5 us"),
    word("none", Grammar(G::Nothing), "no value", "becomes voted_for = none"),
    word("true", Grammar(G::True), "a value of a message", "handled and reply.vote_granted = true"),
    word("false", Grammar(G::False), "a value of a message", "handled and reply.success = false"),
];

pub(super) const JOINING: &[Word] = &[
    word("and", Grammar(G::And), "both hold", "leader and paused"),
    word("or", Grammar(G::Or), "one or both hold", "crash or disconnect"),
    word("not", Grammar(G::Not), "it does not hold", "call and not leader"),
    word(
        "becomes",
        Grammar(G::Becomes),
        "the event makes a state hold; it did not hold before",
        "becomes leader",
    ),
    word("stops", Grammar(G::Stops), "the event ends a state", "stops leader and not crash"),
    word(
        "for",
        Grammar(G::For),
        "a state has held at least this long",
        "count(leader) = 0 for 1 s",
    ),
];

pub(super) const ORDER: &[Word] = &[
    word(
        "preceded by",
        Grammar(G::Preceded),
        "it holds at an earlier event",
        "becomes leader and not preceded by restart",
    ),
    word(
        "followed by",
        Grammar(G::Followed),
        "it holds at a later event",
        "crash and followed by (restart and same server)",
    ),
    word(
        "within",
        Grammar(G::Within),
        "at most this long before or after",
        "crash and preceded by (vote and same server) within 10 ms",
    ),
    word(
        "since",
        Grammar(G::Since),
        "after `preceded by`: only events after the last one of these",
        "handled and not preceded by (saved and same server) since (arrival and same call_id)",
    ),
    word(
        "before",
        Grammar(G::Before),
        "after `followed by`: only events before the first one of these",
        "crash and followed by becomes leader before restart",
    ),
    word(
        "that",
        Grammar(G::That),
        "with a value: the value at the event and the server outside of the brackets",
        "vote and preceded by (vote and same server and same term \
         and voted_for != that voted_for)",
    ),
    word(
        "same",
        Grammar(G::Same),
        "`same term` is short for `term = that term`",
        "becomes leader and preceded by (becomes leader and same term and other server)",
    ),
    word(
        "other server",
        Grammar(G::Other),
        "short for `server != that server`",
        "vote and followed by (vote and other server)",
    ),
];

pub(super) const SERVERS: &[Word] = &[
    word(
        "any server",
        Grammar(G::Any),
        "it holds for one of the servers or more",
        "any server (leader and not connected)",
    ),
    word(
        "any other server",
        Grammar(G::Any),
        "the same, without the server that is asked about",
        "leader and any other server (leader and same term)",
    ),
    word(
        "every server",
        Grammar(G::Every),
        "it holds for all servers",
        "becomes every server (commit_index >= 1)",
    ),
    word(
        "every other server",
        Grammar(G::Every),
        "the same, without the server that is asked about",
        "leader and every other server (term < that term)",
    ),
];
