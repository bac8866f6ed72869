//! Tests of the knowledge of three servers, with an event every millisecond.

use std::time::Duration;

use history::{Event, Incarnation, Moment, RaftEvent, Rule, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use raftapi::{ApplyMsg, Saved, Started};

use crate::breach::Violation;
use crate::knowledge::Knowledge;

const SERVERS: usize = 3;

struct Run {
    knowledge: Knowledge,
    event: u64,
    millis: u64,
    calls: u64,
    incarnations: [u32; SERVERS],
}

/// A request in flight, or its reply.
#[derive(Clone, Copy)]
struct Call {
    number: u64,
    from: usize,
    to: usize,
}

impl Run {
    fn new() -> Run {
        let knowledge = Knowledge::new(SERVERS);
        let mut run = Run { knowledge, event: 0, millis: 0, calls: 0, incarnations: [0; SERVERS] };
        (0..SERVERS).for_each(|server| run.starts(server, b""));
        run
    }

    fn record(&mut self, what: What<'_>) -> Result<Moment, Violation> {
        (self.event, self.millis) = (self.event + 1, self.millis + 1);
        let moment = Moment { event: self.event, at: Duration::from_millis(self.millis) };
        self.knowledge.read(&Event { moment, what })?;
        Ok(moment)
    }

    fn raft(&mut self, server: usize, what: RaftEvent<'_>) -> Result<Moment, Violation> {
        let of = Incarnation { server, number: self.incarnations[server] };
        self.record(What::Raft(of, what))
    }

    fn starts(&mut self, server: usize, raft_state: &[u8]) {
        self.incarnations[server] += 1;
        let of = Incarnation { server, number: self.incarnations[server] };
        let saved = Saved { raft_state: raft_state.to_vec(), snapshot: vec![] };
        self.record(What::Server(of, ServerEvent::Starting(&saved))).unwrap();
    }

    fn crashes(&mut self, server: usize) {
        let of = Incarnation { server, number: self.incarnations[server] };
        self.record(What::Server(of, ServerEvent::Crashed)).unwrap();
    }

    fn offers(&mut self, server: usize, command: &[u8]) {
        self.raft(server, RaftEvent::Offered { command }).unwrap();
    }

    fn applies(&mut self, server: usize, index: u64, command: &[u8]) -> Result<(), Violation> {
        let command = command.to_vec();
        self.raft(server, RaftEvent::Applied(&ApplyMsg::Command { index, command })).map(drop)
    }

    fn installs(&mut self, server: usize, index: u64) -> Result<(), Violation> {
        let message = ApplyMsg::Snapshot { index, term: 1, snapshot: vec![] };
        self.raft(server, RaftEvent::Applied(&message)).map(drop)
    }

    /// `get_state`.
    fn says(&mut self, server: usize, term: u64, leads: bool) -> Result<(), Violation> {
        let asked = self.raft(server, RaftEvent::Asked)?;
        self.raft(server, RaftEvent::State { asked, term })?;
        if leads { self.raft(server, RaftEvent::Leads { term }).map(drop) } else { Ok(()) }
    }

    fn step(&mut self, call: Call, step: CallStep) {
        let event = labrpc::network::Event {
            at: Duration::from_millis(self.millis),
            call: call.number,
            from: Some(call.from),
            to: Some(call.to),
            method: "Raft.AppendEntries".into(),
            step,
        };
        self.record(What::Call(&event)).unwrap();
    }

    fn sends_bytes(&mut self, from: usize, to: usize, bytes: usize) -> Call {
        self.calls += 1;
        let call = Call { number: self.calls, from, to };
        self.step(call, CallStep::Sent { bytes });
        call
    }

    fn sends(&mut self, from: usize, to: usize) -> Call {
        self.sends_bytes(from, to, 10)
    }

    fn receives(&mut self, call: Call) {
        self.step(call, CallStep::Dispatched { copy: 0 });
    }

    fn answers(&mut self, call: Call) {
        self.step(call, CallStep::Handled { bytes: Some(1), copy: 0 });
    }

    fn ends(&mut self, call: Call) {
        self.step(call, CallStep::Ended(Ending::Answered { bytes: 1 }));
    }

    /// A whole call: request and reply.
    fn calls(&mut self, from: usize, to: usize) {
        let call = self.sends(from, to);
        self.receives(call);
        self.answers(call);
        self.ends(call);
    }

    fn sleeps(&mut self, millis: u64) {
        self.millis += millis;
        self.record(What::Waiting("nothing")).unwrap();
    }
}

#[track_caller]
fn breaks(rule: Rule, sentence: &str, result: Result<(), Violation>) {
    let violation = result.expect_err("no rule was broken");
    assert_eq!((violation.rule(), violation.to_string().as_str()), (Some(rule), sentence));
    assert!(!violation.evidence().is_empty());
}

#[test]
fn a_command_can_be_applied_after_a_message_said_that_a_majority_has_it() {
    let mut run = Run::new();
    run.offers(0, b"x");
    run.calls(0, 1);
    run.applies(0, 1, b"x").unwrap();
    run.calls(0, 2);
    run.applies(2, 1, b"x").unwrap();
    // After the first call server 1 knows of two servers with the command, itself and the leader.
    // They are a majority.
    run.applies(1, 1, b"x").unwrap();
}

#[test]
fn a_command_that_no_message_brought_is_reported() {
    let mut run = Run::new();
    run.offers(0, b"x");
    run.calls(0, 1);
    let sentence = "server 2 applied \"x\" at index 1 at 0.009 s, but no chain of messages leads \
                    to it from server 0, which was given the command at 0.004 s";
    breaks(Rule::S17, sentence, run.applies(2, 1, b"x"));
}

#[test]
fn a_message_that_was_sent_before_the_offer_brings_nothing() {
    let mut run = Run::new();
    let early = run.sends(0, 2);
    run.offers(0, b"x");
    run.calls(0, 1);
    run.receives(early);
    assert_eq!(run.applies(2, 1, b"x").unwrap_err().rule(), Some(Rule::S17));
}

#[test]
fn a_chain_through_other_servers_and_replies_brings_a_command() {
    let mut run = Run::new();
    let asked = run.sends(1, 0);
    run.offers(0, b"x");
    run.receives(asked);
    run.answers(asked);
    run.ends(asked);
    let passed_on = run.sends(1, 2);
    run.receives(passed_on);
    run.applies(2, 1, b"x").unwrap();
}

#[test]
fn a_reply_that_does_not_arrive_brings_nothing() {
    let mut run = Run::new();
    run.offers(0, b"x");
    let call = run.sends(0, 1);
    run.receives(call);
    run.answers(call);
    run.step(call, CallStep::Ended(Ending::ReplyLost));
    let sentence = "server 0 applied \"x\" at index 1 at 0.009 s, when by its messages at most 1 \
                    of 3 servers had it: server 0";
    breaks(Rule::S11, sentence, run.applies(0, 1, b"x"));
}

#[test]
fn one_chain_from_any_offer_is_enough() {
    let mut run = Run::new();
    run.offers(0, b"x");
    run.offers(1, b"x");
    run.calls(1, 2);
    run.applies(1, 1, b"x").unwrap();
    run.applies(2, 1, b"x").unwrap();
}

#[test]
fn a_command_that_the_test_did_not_give_is_not_judged() {
    let mut run = Run::new();
    run.applies(2, 1, b"").unwrap();
    run.installs(1, 1).unwrap();
}

#[test]
fn a_snapshot_has_only_what_messages_brought() {
    let mut run = Run::new();
    run.offers(0, b"x");
    run.calls(0, 1);
    run.applies(0, 1, b"x").unwrap();
    assert_eq!(run.installs(2, 1).unwrap_err().rule(), Some(Rule::S17));

    let mut run = Run::new();
    run.offers(0, b"x");
    run.calls(0, 1);
    run.applies(0, 1, b"x").unwrap();
    run.calls(0, 2);
    run.installs(2, 1).unwrap();
}

#[test]
fn knowledge_survives_a_crash_but_not_an_empty_disk() {
    for (saved, known) in [(&b"log"[..], true), (b"", false)] {
        let mut run = Run::new();
        run.offers(0, b"x");
        run.calls(0, 1);
        run.calls(0, 1);
        run.crashes(1);
        run.starts(1, saved);
        assert_eq!(run.applies(1, 1, b"x").is_ok(), known);
    }
}

/// The server that the command was given to has also forgotten it.
#[test]
fn a_command_that_all_servers_have_forgotten_is_unknown() {
    let mut run = Run::new();
    run.offers(0, b"x");
    run.calls(0, 1);
    run.calls(0, 2);
    for server in 0..SERVERS {
        run.crashes(server);
        run.starts(server, b"");
    }
    run.calls(0, 1);
    run.calls(0, 1);
    assert_eq!(run.applies(1, 1, b"x").unwrap_err().rule(), Some(Rule::S17));
}

/// Another server still has it, and sends it even to the server that took it.
#[test]
fn another_server_can_send_what_a_server_has_forgotten() {
    let mut run = Run::new();
    run.offers(0, b"x");
    run.calls(0, 1);
    run.crashes(0);
    run.starts(0, b"");
    run.calls(1, 0);
    run.applies(0, 1, b"x").unwrap();
}

#[test]
fn a_late_duplicate_of_a_request_brings_what_the_request_had() {
    let mut run = Run::new();
    run.offers(0, b"x");
    let call = run.sends(0, 1);
    run.step(call, CallStep::Ended(Ending::ServerGone));
    run.step(call, CallStep::Dispatched { copy: 1 });
    run.applies(1, 1, b"x").unwrap();
}

/// Server 0 is given two commands of 1000 bytes, and sends both to server 1 in one message.
fn brings_two(drawn: bool, bytes: usize) -> Result<(), Violation> {
    let (one, two) = ("ab".repeat(500), "ba".repeat(500));
    let mut run = Run::new();
    for command in [&one, &two] {
        if drawn {
            run.record(What::Drawn(command.as_bytes())).unwrap();
        }
        run.offers(0, command.as_bytes());
    }
    let call = run.sends_bytes(0, 1, bytes);
    run.receives(call);
    run.answers(call);
    run.ends(call);
    run.applies(0, 1, one.as_bytes()).unwrap();
    run.applies(0, 2, two.as_bytes()).unwrap();
    run.applies(1, 1, one.as_bytes()).unwrap();
    run.applies(1, 2, two.as_bytes())
}

#[test]
fn random_commands_need_the_bytes_of_their_entropy() {
    assert_eq!(brings_two(true, 1480), Ok(()));
    let sentence = "server 1 applied \"babababababababababababa...\" (1000 bytes) at index 2, but \
                    since server 0 was given a command at 0.005 s it has received only 1479 bytes, \
                    and the commands that it applied of those given since then take at least 1480";
    breaks(Rule::S17, sentence, brings_two(true, 1479));
}

#[test]
fn other_commands_can_be_compressed() {
    assert_eq!(brings_two(false, 20), Ok(()));
}

#[test]
fn a_leader_needs_news_from_a_majority() {
    let mut run = Run::new();
    let sentence = "server 0 says at 0.006 s that it leads term 1, but no message of another \
                    server has reached it; an election takes the votes of 1 other server";
    breaks(Rule::S17, sentence, run.says(0, 1, true));

    let mut run = Run::new();
    run.calls(0, 2);
    run.says(0, 1, true).unwrap();
    run.raft(
        0,
        RaftEvent::Started {
            asked: Moment::default(),
            started: Started { index: 1, term: 1 },
            command: b"x",
        },
    )
    .unwrap();
}

#[test]
fn votes_are_newer_than_the_last_lower_term() {
    let mut run = Run::new();
    run.calls(0, 1);
    run.says(0, 1, true).unwrap();
    run.sleeps(500);
    run.sleeps(16_000);
    run.says(0, 1, false).unwrap();
    let sentence = "server 0 says at 16.517 s that it leads term 2, but since it was in term 1 at \
                    16.513 s no message of another server has reached it; an election takes the \
                    votes of 1 other server";
    breaks(Rule::S17, sentence, run.says(0, 2, true));
}

#[test]
fn an_answer_of_get_state_may_be_old() {
    let mut run = Run::new();
    run.sleeps(16_000);
    run.calls(0, 1);
    run.sleeps(14_000);
    run.says(0, 0, false).unwrap();
    run.says(0, 1, true).unwrap();
}
