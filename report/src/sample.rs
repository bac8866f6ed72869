//! A small run for the tests: an election, a command, a crash, and a second vote.

use runfile::{
    End, Event, Fact, Failure, Header, How, Kind, LogChange, Role, Rule, RunFile, State, VERSION,
    Value,
};

fn state(server: usize, state: State) -> Kind {
    Kind::State(State { server, ..state })
}

fn sent(call: u64, from: usize, to: usize, method: &str) -> Kind {
    let args = Value::Fields(vec![("term".into(), Value::Unsigned(1))]);
    let method = format!("Raft.{method}");
    Kind::Sent { call, from: Some(from), to: Some(to), method, bytes: 4, args: Some(args) }
}

fn kinds() -> Vec<Kind> {
    let fresh = State {
        role: Some(Role::Follower),
        term: Some(0),
        voted_for: Some(None),
        commit: Some(0),
        applied: Some(0),
        ..State::default()
    };
    let mut kinds = vec![Kind::Cluster { servers: 2 }];
    for server in 0..2 {
        kinds.push(Kind::Started { server, incarnation: 1 });
        kinds.push(state(server, fresh.clone()));
    }
    let stands = State { role: Some(Role::Candidate), term: Some(1), ..State::default() };
    let leads = State { role: Some(Role::Leader), ..State::default() };
    let entry = State {
        log: Some(LogChange { from: 1, terms: vec![1] }),
        commit: Some(1),
        ..State::default()
    };
    let reply = Value::Fields(vec![("granted".into(), Value::Bool(true))]);
    let vote = |candidate| State { voted_for: Some(Some(candidate)), ..State::default() };
    kinds.extend([
        Kind::Waiting { phrase: "a leader".into() },
        state(0, stands),
        sent(1, 0, 1, "RequestVote"),
        Kind::Dispatched { call: 1, copy: 0 },
        state(1, vote(0)),
        Kind::Saved { server: 1, bytes: 12, snapshot_bytes: 0 },
        Kind::Handled { call: 1, copy: 0, bytes: Some(2), reply: Some(reply) },
        Kind::Ended { call: 1, how: How::Answered },
        state(0, leads),
        Kind::Offered { server: 0, command: "100".into() },
        Kind::Accepted { server: 0, index: 1, term: 1, command: "100".into() },
        state(0, entry),
        Kind::Applied { server: 0, index: 1, command: "100".into() },
        Kind::Output {
            server: Some(1),
            thread: "ticker".into(),
            text: "</script>\u{1b}[2J".into(),
        },
        sent(2, 0, 1, "AppendEntries"),
        Kind::Link { verb: "cut".into(), from: 0, to: 1 },
        Kind::Ended { call: 2, how: How::RequestLost },
        Kind::Fault { server: 1, verb: "pause".into() },
        state(1, vote(1)),
        Kind::Crashed { server: 0 },
    ]);
    kinds
}

/// The run. Its events come a millisecond apart.
pub(crate) fn run() -> RunFile {
    let events: Vec<Event> =
        (1..).zip(kinds()).map(|(n, kind)| Event { n, t: n * 1000, kind }).collect();
    let fact = |n, what: &str| Fact { n, t: n * 1000, server: Some(1), what: what.into() };
    let failure = Failure {
        class: "safety".into(),
        rule: Some(Rule {
            id: "S2".into(),
            title: "at most one vote of a server in a term".into(),
            section: "section 5.2".into(),
        }),
        sentence: "server 1 voted twice".into(),
        look: Some("every line that sets voted_for".into()),
        notes: Vec::new(),
        evidence: vec![fact(10, "has voted for server 0"), fact(24, "has voted for server 1")],
    };
    let end = End {
        end: true,
        events: events.len(),
        t: 30_000,
        hash: Some("ff".into()),
        failure: Some(failure),
        findings: Vec::new(),
        replay: "LAB_SEED=7 cargo test \"one vote\"".into(),
        odds: Vec::new(),
    };
    let header = Header {
        run_file: VERSION,
        test: "3E one vote a term".into(),
        purpose: "A server votes once in a term.".into(),
        seed: 7,
        servers: 2,
        clock: "fiber".into(),
        rules_checked: true,
    };
    RunFile { header, events, end }
}
