//! The checks on agreement (6.824's nCommitted, wait and one) and the appliers that feed them, on
//! servers that apply what the test says.

use std::time::{Duration, Instant};

use crate::support::{Fake, Fakes, bounded};
use config::command::number;
use config::{Class, Config, Failure, Rule, Setup};
use labrpc::CallError;
use raftapi::{ApplyMsg, Started};

/// Most of these tests do not wait. In some of them `one` waits for 2 s.
const LIMIT: Duration = Duration::from_secs(30);
/// `one` looks for a leader for 10 s.
const NO_LEADER_LIMIT: Duration = Duration::from_secs(60);

/// Three servers that exchange no messages. What they apply breaks S17, so the rules are not
/// checked.
fn unruled() -> Setup {
    Setup::reliable(3).without_invariants()
}

#[track_caller]
fn on_three_servers(test: impl FnOnce(&Config, &Fakes) + Send + 'static) {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        test(&fakes.cluster(unruled()), &fakes);
        assert_eq!(fakes.referee.verdict(), None);
    });
}

#[track_caller]
fn fails(
    limit: Duration,
    body: impl FnOnce(&Config, &Fakes) + Send + 'static,
    expected: Failure,
) -> Duration {
    bounded(limit, move || {
        let failure = Fakes::new(|_, _| ()).failure(unruled(), body);
        assert_eq!(failure, expected);
    })
}

/// Hands an entry to the lab. When this returns, the lab has received the entry, but may not have
/// counted it yet. Earlier entries are counted.
fn apply(fake: &Fake, index: u64, command: u64) {
    let message = ApplyMsg::Command { index, command: number(command) };
    fake.context.apply.send(message).unwrap();
}

/// From now on the server takes every command and returns this index.
fn lead(fakes: &Fakes, server: usize, index: u64) {
    // Each server leads a term of its own, since a term has one leader.
    let term = 1 + server as u64;
    fakes.of(server).script.lock().started = Some(Started { index, term });
}

/// nCommitted: "ever applied", by any server in any state.
#[test]
fn servers_that_applied_an_index_are_counted_even_after_a_crash() {
    on_three_servers(|cfg, fakes| {
        assert_eq!(cfg.n_committed(1), (0, None));
        apply(&fakes.of(0), 1, 100);
        cfg.wait(1, 1, None);
        cfg.crash(0);
        assert_eq!(cfg.n_committed(1), (1, Some(number(100))));
        cfg.disconnect(2);
        apply(&fakes.of(2), 1, 100);
        cfg.wait(1, 2, None);
        assert_eq!(cfg.n_committed(1), (2, Some(number(100))));
        assert_eq!(cfg.n_committed(2), (0, None));
    });
}

/// A server that has just said that it leads must take a command.
#[test]
fn a_server_that_leads_has_to_take_a_command() {
    on_three_servers(|cfg, fakes| {
        lead(fakes, 1, 4);
        assert_eq!(cfg.start_at_leader(1, &number(7)), Started { index: 4, term: 2 });
    });
    let sentence = "server 1 claimed to lead, but refused command \"7\"";
    let expected = Failure::of(1, Class::Liveness, sentence).with_rule(Rule::L1);
    let start = |cfg: &Config, _: &Fakes| _ = cfg.start_at_leader(1, &number(7));
    fails(LIMIT, start, expected);
}

/// wait.
#[test]
fn waiting_ends_with_the_command_when_enough_servers_have_applied_it() {
    on_three_servers(|cfg, fakes| {
        for server in 0..3 {
            apply(&fakes.of(server), 1, 100);
        }
        assert_eq!(cfg.wait(1, 3, None), Some(number(100)));
        assert_eq!(cfg.wait(1, 2, Some(0)), Some(number(100)));
    });
}

/// wait: "someone has moved on; can't guarantee that we'll win".
#[test]
fn waiting_ends_with_nothing_when_a_server_is_in_a_newer_term() {
    on_three_servers(|cfg, fakes| {
        for (server, term) in [(0, 3), (1, 3), (2, 4)] {
            fakes.of(server).script.lock().states = [(term, false)].into();
        }
        // The original crashes if a server is down.
        cfg.crash(0);
        assert_eq!(cfg.wait(1, 1, Some(3)), None);
    });
}

/// wait: it gives up after half a minute, which is not tested. Another failure ends it earlier.
#[test]
fn a_failure_found_elsewhere_ends_the_waiting() {
    let found = Failure::of(1, Class::Panic, "found by another thread");
    let expected = found.clone();
    let body = |cfg: &Config, fakes: &Fakes| {
        fakes.referee.fail(found);
        cfg.wait(1, 1, None);
        unreachable!("the wait goes on after a failure");
    };
    fails(LIMIT, body, expected);
}

/// one: it asks server 1 first, then 2, then 0.
#[test]
fn a_command_that_enough_servers_apply_is_agreed_on() {
    on_three_servers(|cfg, fakes| {
        lead(fakes, 0, 1);
        for server in 0..3 {
            apply(&fakes.of(server), 1, 7);
        }
        assert_eq!(cfg.one(&number(7), 3, false), 1);
    });
}

/// one asks no disconnected server.
#[test]
fn a_disconnected_leader_is_not_offered_a_command() {
    on_three_servers(|cfg, fakes| {
        cfg.disconnect(1);
        lead(fakes, 1, 9);
        lead(fakes, 2, 1);
        for server in [0, 2] {
            apply(&fakes.of(server), 1, 7);
        }
        assert_eq!(cfg.one(&number(7), 2, false), 1);
    });
}

/// one: after 2 s the command is offered again, to the next server.
#[test]
fn with_retry_a_command_that_lost_its_index_is_offered_again() {
    on_three_servers(|cfg, fakes| {
        lead(fakes, 1, 1);
        lead(fakes, 2, 2);
        for server in 0..3 {
            apply(&fakes.of(server), 1, 6);
            apply(&fakes.of(server), 2, 7);
        }
        let start = Instant::now();
        assert_eq!(cfg.one(&number(7), 3, true), 2);
        assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
    });
}

/// one: "failed to reach agreement".
#[test]
fn without_retry_a_command_that_is_not_applied_fails_after_two_seconds() {
    let sentence = "\"7\" was not agreed on by 2 servers: \
                    server 1 took it as index 1, which 1 servers have applied";
    let body = |cfg: &Config, fakes: &Fakes| {
        lead(fakes, 1, 1);
        apply(&fakes.of(1), 1, 7);
        cfg.one(&number(7), 2, false);
    };
    let took = fails(LIMIT, body, Failure::new(Class::Liveness, sentence).with_rule(Rule::L2));
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

/// one: "failed to reach agreement".
#[test]
fn a_server_that_lacks_what_a_majority_has_applied_does_not_catch_up() {
    let sentence = "\"7\" was not agreed on by 3 servers: \
                    server 1 took it as index 1, which 2 servers have applied";
    let body = |cfg: &Config, fakes: &Fakes| {
        lead(fakes, 1, 1);
        apply(&fakes.of(1), 1, 7);
        apply(&fakes.of(2), 1, 7);
        cfg.one(&number(7), 3, false);
    };
    fails(LIMIT, body, Failure::new(Class::Liveness, sentence).with_rule(Rule::L3));
}

/// one: "failed to reach agreement".
#[test]
fn a_command_that_no_server_takes_fails_after_ten_seconds() {
    let sentence = "\"7\" was not agreed on by 3 servers: no connected server would lead";
    let body = |cfg: &Config, fakes: &Fakes| {
        cfg.disconnect(0);
        lead(fakes, 0, 1);
        cfg.one(&number(7), 3, true);
    };
    let took =
        fails(NO_LEADER_LIMIT, body, Failure::new(Class::Liveness, sentence).with_rule(Rule::L1));
    assert!(took >= Duration::from_secs(10), "{took:?}");
}

/// The sentence says what did not happen, and the note which server waits for which.
#[test]
fn a_command_that_is_not_agreed_on_names_the_leader_and_its_calls() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        fakes.failure(Setup::reliable(3), |cfg, fakes| {
            lead(fakes, 1, 1);
            let call = |to: usize| -> Result<String, CallError> {
                fakes.of(1).context.ends[to].call("Raft.Echo", "news")
            };
            assert_eq!(call(0), Ok("news".into()));
            cfg.disconnect(2);
            assert!(call(2).is_err());
            cfg.one(&number(7), 2, false);
        });
        let failure = fakes.referee.verdict().and_then(Result::err).unwrap();
        let [note] = &failure.notes[..] else { panic!("{failure}") };
        let mut rest = &**note;
        for part in [
            "at the end: server 1 has led term 2 since ",
            " s; it last sent Raft.Echo to server 0 at ",
            " s, and server 0 last answered server 1 at ",
            " s; it last sent Raft.Echo to server 2 at ",
            " s, and server 2 never answered server 1; server 1 took \"7\" as index 1 of term 2 at ",
            " s, and no server has applied that index",
        ] {
            let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{part}: {note}"));
            rest = after;
        }
    });
}

/// applier: "apply out of order".
#[test]
fn an_entry_out_of_order_is_the_servers_fault() {
    let body = |cfg: &Config, fakes: &Fakes| {
        apply(&fakes.of(2), 1, 100);
        apply(&fakes.of(2), 3, 300);
        cfg.wait(3, 1, None);
    };
    let sentence = "server 2 applied index 3, but index 2 was next";
    fails(LIMIT, body, Failure::of(2, Class::Safety, sentence).with_rule(Rule::S9));
}

/// checkLogs: the state machine safety of the paper's figure 3.
#[test]
fn different_commands_at_one_index_name_both_servers() {
    let body = |cfg: &Config, fakes: &Fakes| {
        apply(&fakes.of(0), 1, 7);
        cfg.wait(1, 1, None);
        apply(&fakes.of(1), 1, 8);
        cfg.wait(1, 2, None);
    };
    let sentence = "server 1 applied \"8\" at index 1, where server 0 applied \"7\"";
    fails(LIMIT, body, Failure::of(1, Class::Safety, sentence).with_rule(Rule::S8));
}

/// checkLogs: the logs of the lab survive a crash.
#[test]
fn another_command_after_a_restart_is_found_by_the_servers_own_log() {
    let body = |cfg: &Config, fakes: &Fakes| {
        apply(&fakes.of(0), 1, 7);
        cfg.wait(1, 1, None);
        cfg.start_server(0);
        apply(&fakes.of(0), 1, 8);
        cfg.wait(2, 1, None);
    };
    let sentence = "server 0 applied \"8\" at index 1, where it had applied \"7\"";
    fails(LIMIT, body, Failure::of(0, Class::Safety, sentence).with_rule(Rule::S8));
}

/// Stricter than 6.824's applier, which lets a restarted server continue at any index.
#[test]
fn a_restarted_server_applies_again_from_the_first_index() {
    let body = |cfg: &Config, fakes: &Fakes| {
        apply(&fakes.of(0), 1, 7);
        cfg.wait(1, 1, None);
        cfg.start_server(0);
        apply(&fakes.of(0), 2, 8);
        cfg.wait(2, 1, None);
    };
    let sentence = "server 0 restarted and then applied index 2, but index 1 was next: the lab's \
                    service is empty after a restart and expects all committed entries again, from \
                    index 1";
    fails(LIMIT, body, Failure::of(0, Class::Contract, sentence).with_rule(Rule::S9));
}

/// crash1: the threads of a crashed server run on, so it can still apply anything.
#[test]
fn applies_of_a_crashed_incarnation_are_received_and_ignored() {
    on_three_servers(|cfg, fakes| {
        let old = fakes.of(0);
        cfg.crash(0);
        apply(&old, 5, 500);
        cfg.start_server(0);
        apply(&old, 6, 600);
        // Once this entry is received, the one before it has been handled.
        apply(&old, 7, 700);
        assert_eq!((cfg.n_committed(5).0, cfg.n_committed(6).0), (0, 0));
        apply(&fakes.of(0), 1, 100);
        assert_eq!(cfg.wait(1, 1, None), Some(number(100)));
    });
}
