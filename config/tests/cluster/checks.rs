//! The checks on elections (6.824's checkOneLeader, checkNoLeader and checkTerms), on servers that
//! answer what the test says.

use std::fmt::Debug;
use std::time::Duration;

use crate::meeting::meet;
use crate::support::{Fakes, bounded};
use config::{Class, Config, Failure, Rule, Setup};

/// Every check here ends after it has asked once or twice, except the one with [`NO_LEADER_LIMIT`].
const LIMIT: Duration = Duration::from_secs(30);
/// Ten questions after half a second each, and some more time.
const NO_LEADER_LIMIT: Duration = Duration::from_secs(60);

/// A server's answers to `get_state`, in order. The last one is repeated.
type Answers = &'static [(u64, bool)];

/// Checks what `check` returns if three servers give these answers.
#[track_caller]
fn check<T: Debug + PartialEq + Send + 'static>(
    answers: [Answers; 3],
    check: impl FnOnce(&Config) -> T + Send + 'static,
    expected: T,
) {
    bounded(LIMIT, move || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(3));
        script(&fakes, &answers);
        assert_eq!(check(&cfg), expected);
        assert_eq!(fakes.referee.verdict(), None);
    });
}

/// Checks how `check` fails if three servers give these answers.
#[track_caller]
fn fails(
    limit: Duration,
    answers: [Answers; 3],
    check: impl FnOnce(&Config) + Send + 'static,
    expected: Failure,
) -> Duration {
    bounded(limit, move || {
        let failure = Fakes::new(|_, _| ()).failure(Setup::reliable(3), move |cfg, fakes| {
            script(fakes, &answers);
            check(cfg);
        });
        assert_eq!(failure, expected);
    })
}

fn script(fakes: &Fakes, answers: &[Answers]) {
    meet(fakes, answers.len());
    for (server, states) in answers.iter().enumerate() {
        fakes.of(server).script.lock().states = states.iter().copied().collect();
    }
}

fn check_one_leader(cfg: &Config) {
    cfg.check_one_leader();
}

fn check_terms(cfg: &Config) {
    cfg.check_terms();
}

/// checkOneLeader.
#[test]
fn the_one_leader_is_returned() {
    check([&[(1, false)], &[(1, false)], &[(1, true)]], Config::check_one_leader, 2);
}

/// checkOneLeader: leaders of older terms have not heard of the newer one yet.
#[test]
fn of_leaders_in_several_terms_the_newest_is_returned() {
    check([&[(2, true)], &[(5, true)], &[(4, true)]], Config::check_one_leader, 1);
}

/// checkOneLeader asks ten times.
#[test]
fn a_leader_that_comes_later_is_waited_for() {
    check([&[(0, false), (1, false), (1, true)], &[], &[]], Config::check_one_leader, 0);
}

/// checkOneLeader: the election safety of the paper's figure 3.
#[test]
fn two_leaders_in_one_term_break_safety() {
    fails(
        LIMIT,
        [&[(3, true)], &[(3, false)], &[(3, true)]],
        check_one_leader,
        Failure::new(
            Class::Safety,
            "term 3 has 2 leaders according to `get_state`, servers 0 and 2: server 0 leads term \
             3, server 1 is in term 3, server 2 leads term 3",
        )
        .with_rule(Rule::S1),
    );
}

/// checkOneLeader checks every term, so a newer leader does not excuse two leaders of an older
/// term.
#[test]
fn two_leaders_in_an_older_term_break_safety_too() {
    fails(
        LIMIT,
        [&[(3, true)], &[(3, true)], &[(4, true)]],
        check_one_leader,
        Failure::new(
            Class::Safety,
            "term 3 has 2 leaders according to `get_state`, servers 0 and 1: server 0 leads term \
             3, server 1 leads term 3, server 2 leads term 4",
        )
        .with_rule(Rule::S1),
    );
}

/// checkOneLeader: the sentence lists them all.
#[test]
fn three_leaders_in_one_term_are_all_named() {
    fails(
        LIMIT,
        [&[(1, true)], &[(1, true)], &[(1, true)]],
        check_one_leader,
        Failure::new(
            Class::Safety,
            "term 1 has 3 leaders according to `get_state`, servers 0, 1 and 2: server 0 leads \
             term 1, server 1 leads term 1, server 2 leads term 1",
        )
        .with_rule(Rule::S1),
    );
}

/// checkOneLeader asks no disconnected server.
#[test]
fn a_disconnected_leader_is_not_counted() {
    let disconnect_then_check = |cfg: &Config| {
        cfg.disconnect(0);
        cfg.check_one_leader()
    };
    // If it counted, it would be returned in the first case, and be a second leader in the other.
    check([&[(9, true)], &[(2, true)], &[(2, false)]], disconnect_then_check, 1);
    check([&[(2, true)], &[(2, true)], &[(2, false)]], disconnect_then_check, 1);
}

/// checkOneLeader gives up after about 5 s.
#[test]
fn without_a_leader_every_server_is_listed_after_five_seconds() {
    let took = fails(
        NO_LEADER_LIMIT,
        [&[(7, false)], &[(8, true)], &[(6, true)]],
        |cfg| {
            cfg.disconnect(1);
            cfg.crash(2);
            cfg.check_one_leader();
        },
        Failure::new(
            Class::Liveness,
            "expected one leader within 5 s, got none: \
             server 0 is in term 7, server 1 is disconnected, server 2 is down",
        )
        .with_rule(Rule::L1),
    );
    assert!(took >= 10 * Duration::from_millis(450), "{took:?}");
}

/// checkNoLeader asks connected servers only.
#[test]
fn a_disconnected_server_may_believe_that_it_leads() {
    let disconnect_then_check = |cfg: &Config| {
        cfg.disconnect(1);
        cfg.check_no_leader();
    };
    check([&[(3, false)], &[(3, true)], &[(4, false)]], disconnect_then_check, ());
}

/// checkNoLeader. The original asks once.
#[test]
fn a_leader_that_steps_down_before_the_second_question_does_not_count() {
    check([&[(3, true), (4, false)], &[], &[]], Config::check_no_leader, ());
}

/// checkNoLeader.
#[test]
fn a_leader_without_a_majority_is_named() {
    fails(
        LIMIT,
        [&[(3, false)], &[(3, true)], &[(4, true)]],
        |cfg| {
            cfg.disconnect(2);
            cfg.check_no_leader();
        },
        Failure::new(
            Class::Safety,
            "expected no leader among the connected servers, but server 1 claims to lead: \
             server 0 is in term 3, server 1 leads term 3, server 2 is disconnected",
        )
        .with_rule(Rule::L5),
    );
}

/// checkNoLeader.
#[test]
fn several_leaders_without_a_majority_are_named() {
    fails(
        LIMIT,
        [&[(3, true)], &[], &[(4, true)]],
        Config::check_no_leader,
        Failure::new(
            Class::Safety,
            "expected no leader among the connected servers, but servers 0 and 2 claim to lead: \
             server 0 leads term 3, server 1 is in term 0, server 2 leads term 4",
        )
        .with_rule(Rule::L5),
    );
}

/// checkTerms.
#[test]
fn the_term_of_the_connected_servers_is_returned() {
    let disconnect_then_check = |cfg: &Config| {
        cfg.disconnect(2);
        cfg.check_terms()
    };
    check([&[(4, true)], &[(4, false)], &[(9, false)]], disconnect_then_check, 4);
}

/// checkTerms. The original asks once.
#[test]
fn a_term_that_is_agreed_on_before_the_second_question_counts() {
    check([&[(4, true)], &[(3, false), (4, false)], &[(4, false)]], Config::check_terms, 4);
}

/// checkTerms.
#[test]
fn terms_that_disagree_are_listed() {
    fails(
        LIMIT,
        [&[(4, true)], &[(3, false)], &[(4, false)]],
        check_terms,
        Failure::new(
            Class::Liveness,
            "servers disagree on the term: \
             server 0 leads term 4, server 1 is in term 3, server 2 is in term 4",
        )
        .with_rule(Rule::L4),
    );
}

/// checkTerms returns -1 in this case; no test of the lab does this.
#[test]
fn to_ask_for_a_term_without_connected_servers_is_a_fault_of_the_kit() {
    fails(
        LIMIT,
        [&[], &[], &[]],
        |cfg| {
            (0..3).for_each(|server| cfg.disconnect(server));
            cfg.check_terms();
        },
        Failure::new(Class::Infra, "expected a term, but no server is connected"),
    );
}
