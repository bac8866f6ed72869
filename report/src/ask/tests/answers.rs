//! Answers over a small run that was written by hand, and over a recorded one.

use std::fmt::Write;

use runfile::{Event, Kind, LogChange, RunFile, State};

use super::{answers, real_run};
use crate::ask::Question;
use crate::sample;

#[track_caller]
fn check(run: &RunFile, question: &str, events: &[u64]) {
    let question_read = Question::parse(question).unwrap_or_else(|mistake| panic!("{mistake}"));
    let answers = question_read.ask(run);
    let found = answers.answers.iter().map(|answer| run.events[answer.event].n);
    assert_eq!(found.collect::<Vec<_>>(), events, "{question}");
}

#[test]
fn a_state_is_answered_once_with_its_end_and_an_event_each_time() {
    let run = sample::run();
    let mut text = String::new();
    for question in [
        "leader",
        "server = 1 and not paused",
        "down",
        "vote",
        "call",
        "unanswered",
        "not majority_reachable and up",
        "count(up) < servers",
        "crash or boot",
        "output \"script\"",
        "pause or cut",
        "start and not followed by (applied and same command) within 5 ms",
        "refused",
        "call \"InstallSnapshot\"",
        "call and args.trem = 1",
    ] {
        _ = writeln!(text, "--ask '{question}'\n{}", answers(&run, question));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_program_gets_an_object_a_line() {
    let run = sample::run();
    let mut text = String::new();
    for question in ["leader", "stops leader", "vote", "candidate and term = 7"] {
        text += &Question::parse(question).unwrap().ask(&run).json(2);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_limit_leaves_answers_out_and_says_how_many() {
    let run = sample::run();
    let question = Question::parse("boot or crash or vote").unwrap();
    let answers = question.ask(&run);
    let text = answers.text(2);
    assert!(text.ends_with("\n2 of 5 answers; --limit 5 shows all\n"), "{text}");
    assert_eq!(text.lines().count(), 3);
    let json = answers.json(2);
    assert!(json.ends_with("{\"end\":true,\"answers\":5,\"left_out\":3,\"notes\":[]}\n"), "{json}");
}

/// A run of three servers. Each line is an event, numbered from 1 and a millisecond apart.
fn run_of(kinds: impl IntoIterator<Item = Kind>) -> RunFile {
    let mut run = sample::run();
    run.header.servers = 3;
    let kinds = std::iter::once(Kind::Cluster { servers: 3 }).chain(kinds);
    run.events = (1..).zip(kinds).map(|(n, kind)| Event { n, t: n * 1000, kind }).collect();
    run
}

fn state(server: usize, state: State) -> Kind {
    Kind::State(State { server, ..state })
}

fn fault(server: usize, verb: &str) -> Kind {
    Kind::Fault { server, verb: verb.into() }
}

fn link(from: usize, to: usize, verb: &str) -> Kind {
    Kind::Link { verb: verb.into(), from, to }
}

#[test]
fn a_majority_is_reachable_over_links_that_work_both_ways() {
    let boot = |server| Kind::Started { server, incarnation: 1 };
    let begin = [0, 1, 2].into_iter().flat_map(|server| [boot(server), fault(server, "connect")]);
    let run = run_of(begin.chain([
        link(0, 1, "cut"), // 8
        link(2, 0, "hold"),
        link(2, 0, "release"),
        Kind::Crashed { server: 2 }, // 11
        link(0, 1, "heal"),
        fault(1, "pause"),
        fault(1, "resume"), // 14
        fault(1, "deafen"),
        fault(1, "hear"),
        fault(0, "disconnect"), // 17
    ]));
    let first = "becomes majority_reachable and server = 0";
    check(&run, first, &[5, 10, 12, 14, 16]);
    check(&run, "stops majority_reachable and server = 0", &[9, 11, 13, 15, 17]);
    // A deaf server still gets the answers to its own calls.
    check(&run, "stops majority_reachable and server = 1", &[11, 13, 17]);
}

#[test]
fn a_server_that_is_down_or_shows_nothing_has_no_values() {
    let shown = State { term: Some(3), role: Some(runfile::Role::Follower), ..State::default() };
    let run = run_of([
        Kind::Started { server: 1, incarnation: 1 },
        state(1, shown.clone()), // 3
        Kind::Crashed { server: 1 },
        Kind::Started { server: 1, incarnation: 2 }, // 5
        state(1, State { term: Some(2), ..shown }),
    ]);
    check(&run, "term = 3", &[3]);
    check(&run, "term != 3", &[6]);
    check(&run, "server = 1 and not term = 3", &[1, 4]);
    check(&run, "stops (term = 3)", &[4]);
    // What it showed before the crash is remembered.
    check(&run, "term < previous term", &[6]);
    check(&run, "down", &[4]);
    check(&run, "restart", &[5]);
    check(&run, "becomes incarnation = 2", &[5]);
}

#[test]
fn a_server_votes_when_it_shows_a_new_vote() {
    let vote = |term, voted_for| State {
        role: Some(runfile::Role::Follower),
        term,
        voted_for: Some(voted_for),
        ..State::default()
    };
    let run = run_of([
        Kind::Started { server: 0, incarnation: 1 },
        state(0, vote(Some(1), None)), // 3
        state(0, vote(None, Some(2))),
        Kind::Started { server: 0, incarnation: 2 },
        state(0, vote(Some(1), Some(2))), // 6: the vote that was saved
        state(0, State { term: Some(2), ..State::default() }),
    ]);
    check(&run, "vote", &[4, 7]);
    check(&run, "vote and preceded by (vote and same voted_for and other server)", &[]);
    check(&run, "becomes voted_for = none", &[3]);
}

#[test]
fn an_entry_is_known_by_its_index() {
    let log = |from, terms: &[u64]| State {
        role: Some(runfile::Role::Follower),
        log: Some(LogChange { from, terms: terms.to_vec() }),
        ..State::default()
    };
    let run = run_of([
        Kind::Started { server: 0, incarnation: 1 },
        state(0, log(1, &[1, 1, 2])), // 3
        Kind::Started { server: 2, incarnation: 1 },
        state(2, log(1, &[1, 3])), // 5
        state(0, log(2, &[3])),
        state(2, State { snapshot: Some((2, 3)), ..State::default() }), // 7
    ]);
    check(&run, "term_at(2) = 1", &[3]);
    check(&run, "becomes term_at(last_log_index) = 3", &[5, 6]);
    check(&run, "stops term_at(1) = 1", &[7]);
    check(&run, "term_at(last_log_index + 1) > 0", &[]);
    check(&run, "becomes (term_at(2) = 3 and count(term_at(2) = 3) >= majority)", &[6, 6]);
    check(&run, "last_log_index < previous last_log_index", &[6]);
}

#[test]
fn parts_of_messages_are_found_by_path() {
    let json = |text: &str| serde_json::from_str(text).unwrap();
    let sent = |call, args: &str| Kind::Sent {
        call,
        from: Some(0),
        to: Some(1),
        method: "Raft.AppendEntries".into(),
        bytes: 9,
        args: Some(json(args)),
    };
    let handled = |copy, reply: &str| Kind::Handled {
        call: 2,
        copy,
        bytes: Some(1),
        reply: Some(json(reply)),
    };
    let run = run_of([
        sent(1, r#"{"term":3,"entries":[{"term":1,"command":"100"},{"term":2,"command":"x"}]}"#),
        sent(2, r#"{"term":3,"entries":[],"prev-index":-1,"leader":null,"whole":true}"#), // 3
        handled(1, r#"{"ok":false}"#),
        handled(0, r#"{"ok":true}"#), // 5
        Kind::Ended { call: 2, how: runfile::How::Answered },
    ]);
    check(&run, "call and args.entries.*.term = 2", &[2]);
    check(&run, "call and args.entries.1.term = 2", &[2]);
    check(&run, "call and args.entries.0.term = 2", &[]);
    check(&run, "call and args.entries.length = 0", &[3]);
    check(&run, "call and not args.entries.length > 0", &[3]);
    check(&run, "call and args.entries.*.command = 100", &[2]);
    check(&run, "call and args.\"prev-index\" < 0", &[3]);
    check(&run, "call and args.leader = none", &[3]);
    check(&run, "call and args.whole", &[3]);
    check(&run, "call and args.leader != 1", &[3]);
    check(&run, "handled and reply.ok = false", &[4]);
    check(&run, "answered and reply.ok and server = 0 and to = 1", &[6]);
    check(&run, "answered and preceded by (handled and same call_id and copy > 0)", &[6]);
    let note = "note: no request of this run has `trem` there; there are: command, term\n";
    let text = answers(&run, "call and args.entries.*.trem = 1");
    assert_eq!(text, format!("no answer\n{note}"));
}

#[test]
fn another_cluster_begins_anew() {
    let shown = State { term: Some(3), role: Some(runfile::Role::Leader), ..State::default() };
    let run = run_of([
        Kind::Started { server: 0, incarnation: 1 },
        state(0, shown.clone()), // 3
        fault(0, "connect"),
        Kind::Cluster { servers: 3 }, // 5
        Kind::Started { server: 0, incarnation: 1 },
        state(0, State { term: Some(1), ..shown }), // 7
    ]);
    check(&run, "term < previous term", &[]);
    check(&run, "becomes leader and preceded by leader", &[]);
    check(&run, "becomes leader and followed by cluster", &[]);
    check(&run, "leader", &[3, 7]);
    check(&run, "connected", &[4]);
}

#[test]
fn times_are_exact() {
    let run = run_of((0..3).map(|server| Kind::Crashed { server }));
    check(&run, "crash and time >= 3 ms", &[3, 4]);
    check(&run, "crash and time < 0.003000 s", &[2]);
    check(&run, "crash and preceded by crash within 1 ms", &[3, 4]);
    check(&run, "crash and preceded by crash within 999 us", &[]);
    check(&run, "crash and followed by (crash and server = that server + 2) within 2 ms", &[2]);
    check(&run, "crash and preceded by (crash and that time - time = 2 ms)", &[4]);
    check(&run, "time >= 2 ms for 2 ms", &[4]);
}

/// The lab's own words of a failing run, in the order of docs/reading-a-failing-run.md.
#[test]
fn a_recorded_run_tells_its_story() {
    let run = real_run();
    let mut text = String::new();
    for question in [
        "leader and not majority_reachable",
        "vote and term = 3 and server = 2",
        "call \"RequestVote\" and args.term > 2 and not preceded by (crash and server = 0)",
        "commit_index > last_log_index",
        "start and not followed by (applied and same command) within 500 ms",
        "commit_index > previous commit_index",
        "crash and preceded by (start and same server) within 1 ms",
        "becomes leader and count(term_at(1) = 1) > 1",
        "unanswered and how = request_lost",
        "match_index.4 = 1 and not any server (server = 4 and last_log_index >= 1)",
    ] {
        _ = writeln!(text, "--ask '{question}'\n{}", answers(&run, question));
    }
    insta::assert_snapshot!(text);
}
