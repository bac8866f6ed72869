//! The observer, on peers that show what a test says. The rules themselves are tested next to their
//! code.

use std::thread;
use std::time::Duration;

use crate::support::{Fake, Fakes, bounded};
use config::{Class, Config, FindingKind, Rule, Setup};
use raftapi::{Inspect, Role};

const LIMIT: Duration = Duration::from_secs(30);
/// The observer asks a hundred times a second.
const SEVERAL_LOOKS: Duration = Duration::from_millis(200);

/// Fakes that have an `inspect` from the moment they are made.
fn open_fakes() -> Fakes {
    Fakes::new(|fake: &Fake, method| {
        if method == "make" {
            fake.script.lock().shown = Some(Inspect::default());
        }
    })
}

/// Section 5.2. Nothing happens to the peer: the observer asks without a cause.
#[test]
fn a_broken_rule_ends_the_run_with_its_name() {
    bounded(LIMIT, || {
        let fakes = open_fakes();
        let failure = fakes.failure(Setup::reliable(3), |cfg, fakes| {
            for candidate in [0, 2] {
                let vote =
                    Inspect { current_term: 1, voted_for: Some(candidate), ..Inspect::default() };
                fakes.of(1).script.lock().shown = Some(vote);
                cfg.sleep(SEVERAL_LOOKS);
            }
            cfg.sleep(LIMIT);
        });
        assert_eq!((failure.class, failure.server), (Class::Safety, Some(1)));
        assert_eq!(failure.rule, Some(Rule::S2));
        let begin = "server 1 voted for server 2 in term 1, seen at ";
        assert!(failure.sentence.starts_with(begin), "{failure}");
        let look = Rule::S2.look();
        let end = format!(
            "\n  where to look: {look}\n  rule: S2, at most one vote of a server in a term \
             (section 5.2)"
        );
        assert!(failure.to_string().ends_with(&end), "{failure}");
        let evidence = fakes.referee.verdict().and_then(Result::err).unwrap().evidence;
        let seen: Vec<_> = evidence.iter().map(|event| (event.server, &*event.what)).collect();
        assert_eq!(
            seen,
            [
                (Some(1), "has voted for server 0 in term 1"),
                (Some(1), "has voted for server 2 in term 1")
            ]
        );
        assert!(evidence[0].event < evidence[1].event && evidence[0].at < evidence[1].at);
    });
}

/// Section 5.1. The hint of a breach is more exact than that of its rule.
#[test]
fn a_breach_says_where_to_look() {
    bounded(LIMIT, || {
        let fakes = open_fakes();
        fakes.failure(Setup::reliable(3), |cfg, fakes| {
            let shown = Inspect { current_term: 1, log_terms: vec![2], ..Inspect::default() };
            fakes.of(1).script.lock().shown = Some(shown);
            cfg.sleep(LIMIT);
        });
        let failure = fakes.referee.verdict().and_then(Result::err).unwrap();
        assert_eq!(
            failure.where_to_look(),
            Some(
                "the AppendEntries handler; a higher term is adopted before its entries are stored \
                 (section 5.1)"
            )
        );
    });
}

/// Section 5.2: a candidate's vote for itself counts for no other candidate.
#[test]
fn a_harmless_breach_is_a_finding_and_is_reported_once() {
    bounded(LIMIT, || {
        let fakes = open_fakes();
        let cfg = fakes.cluster(Setup::reliable(3));
        for (current_term, role, voted_for) in [
            (1, Role::Candidate, Some(1)),
            (1, Role::Follower, None),
            (2, Role::Candidate, Some(1)),
            (2, Role::Follower, None),
        ] {
            let shown = Inspect { current_term, role, voted_for, ..Inspect::default() };
            fakes.of(1).script.lock().shown = Some(shown);
            cfg.sleep(SEVERAL_LOOKS);
        }
        drop(cfg);
        assert_eq!(fakes.referee.verdict(), None);
        let findings = fakes.referee.findings();
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert!(FindingKind::HarmlessBreach.is_in(finding), "{finding}");
        assert!(finding.contains("server 1 was a candidate in term 1 and cleared its own vote"));
    });
}

/// The answer of `get_state` is compared with what `inspect` has shown.
#[test]
fn a_peer_that_shows_one_term_and_says_another_is_found() {
    bounded(LIMIT, || {
        let failure = open_fakes().failure(Setup::reliable(3), |cfg, fakes| {
            let shown = Inspect { current_term: 2, ..Inspect::default() };
            fakes.of(1).script.lock().shown = Some(shown);
            cfg.sleep(SEVERAL_LOOKS);
            cfg.get_state(1);
        });
        assert_eq!(failure.rule, Some(Rule::S12));
        assert_eq!(failure.sentence, "server 1 is in term 0 after it was in term 2");
    });
}

/// A crash can lose what no other server knows.
#[test]
fn a_restarted_peer_may_have_forgotten_what_no_other_server_knows() {
    bounded(LIMIT, || {
        let fakes = open_fakes();
        let cfg = fakes.cluster(Setup::reliable(3));
        let shown = Inspect { current_term: 2, ..Inspect::default() };
        fakes.of(1).script.lock().shown = Some(shown);
        cfg.sleep(SEVERAL_LOOKS);
        cfg.restart(1);
        cfg.sleep(SEVERAL_LOOKS);
        drop(cfg);
        assert_eq!(fakes.referee.verdict(), None);
        assert_eq!(fakes.referee.findings(), [""; 0]);
    });
}

#[test]
fn without_inspect_the_rules_that_are_not_checked_are_listed() {
    bounded(LIMIT, || {
        let told = |setup| {
            let fakes = Fakes::new(|_, _| ());
            drop(fakes.cluster(setup));
            fakes.referee.findings()
        };
        assert_eq!(
            told(Setup::reliable(3)),
            ["without `inspect` these rules are not checked: S2, S3, S4, S7, S10, S11, S13 and \
              S14, and S5, S6 and S12 in part"]
        );
        assert_eq!(told(Setup::reliable(3).without_invariants()), [""; 0]);
    });
}

/// Its threads may not have noticed the kill yet, and their saves are lost.
#[test]
fn a_killed_peer_may_save_anything() {
    bounded(LIMIT, || {
        let fakes = open_fakes();
        let cfg: Config = fakes.cluster(Setup::reliable(1));
        let killed = fakes.of(0);
        cfg.restart(0);
        for _ in 0..60 {
            killed.context.persister.save(vec![1], Vec::new());
        }
        drop(cfg);
        assert_eq!(fakes.referee.findings(), [""; 0]);
    });
}

/// The state of Figure 2 does not change when nothing new happens.
#[test]
fn a_peer_that_saves_the_same_again_and_again_is_reported() {
    bounded(LIMIT, || {
        let fakes = open_fakes();
        let cfg: Config = fakes.cluster(Setup::reliable(1));
        for _ in 0..60 {
            fakes.of(0).context.persister.save(vec![1], Vec::new());
        }
        drop(cfg);
        let finding = "needless saves: server 0 saved 60 times; 59 saves changed nothing";
        assert_eq!(fakes.referee.findings(), [finding]);
    });
}

/// Section 7: a newer snapshot always covers more.
#[test]
fn an_older_snapshot_over_a_newer_one_is_found_when_it_is_saved() {
    bounded(LIMIT, || {
        let failure = Fakes::new(|_, _| ()).failure(Setup::reliable(3), |cfg, fakes| {
            for covers in [2_u64, 1] {
                let commands = vec![b"a".to_vec(); usize::try_from(covers).unwrap()];
                let snapshot = labrpc::codec::encode(&(covers, commands)).unwrap();
                fakes.of(1).context.persister.save(Vec::new(), snapshot);
            }
            cfg.sleep(LIMIT);
        });
        assert_eq!(failure.rule, Some(Rule::S14));
        assert_eq!(
            failure.sentence,
            "server 1 saved a snapshot up to index 1 over one up to index 2"
        );
    });
}

/// A server that the test has paused is not to blame for a long wait.
#[test]
fn a_long_wait_is_reported_unless_the_server_was_paused() {
    let report = sim::run(sim::Options::new(), || {
        let findings = |pause: bool| {
            let fakes = Fakes::new(move |fake: &Fake, method| {
                if method == "make" {
                    fake.script.lock().shown = Some(Inspect::default());
                }
                if method == "inspect" && !pause && fake.context.me == 1 {
                    thread::sleep(Duration::from_millis(1500));
                }
            });
            let cfg = fakes.cluster(Setup::reliable(3));
            if pause {
                // First in the middle of an answer, then before one.
                for _ in 0..2 {
                    cfg.faults().pause(1);
                    cfg.sleep(Duration::from_secs(2));
                    cfg.faults().resume(1);
                    cfg.sleep(SEVERAL_LOOKS);
                }
            }
            drop(cfg);
            fakes.referee.findings()
        };
        let told = "held lock: server 1 kept `inspect` waiting for 1.5 s: is a lock held across a \
                    call?";
        assert_eq!(findings(false), [told]);
        assert_eq!(findings(true), [""; 0]);
    });
    assert_eq!(report.halt, sim::Halt::Finished, "{:?}", report.panics);
}
