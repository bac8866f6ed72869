//! The life of servers (6.824's make_config, start1, crash1, connect, disconnect and cleanup), and
//! the counters of its begin and end.

use std::sync::Arc;
use std::time::Duration;

use crate::meeting::meet;
use crate::support::{Fake, Fakes, bounded};
use config::{Class, Config, Failure, Figures, Rule, Setup};
use labrpc::CallError;
use parking_lot::Mutex;
use raftapi::ApplyMsg;

/// These tests wait only for some calls that get no answer, a tenth of a second each.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs a test on three servers. Failed calls are short, unlike in the lab.
#[track_caller]
fn on_three_servers(test: impl FnOnce(Config, &Fakes) + Send + 'static) {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(3));
        cfg.network().long_delays(false);
        test(cfg, &fakes);
        assert_eq!(fakes.referee.verdict(), None);
    });
}

/// Calls a server with a text of four letters. The request and the reply are five bytes each.
fn reaches(from: &Fake, to: usize) -> bool {
    let reply: Result<String, CallError> = from.context.ends[to].call("Raft.Echo", "four");
    match reply {
        Ok(text) => text == "four",
        Err(error) => {
            assert_eq!(error, CallError::NoAnswer);
            false
        }
    }
}

/// Which server reaches which, by row and column.
fn ways(fakes: &Fakes) -> [[bool; 3]; 3] {
    [0, 1, 2].map(|from| [0, 1, 2].map(|to| reaches(&fakes.of(from), to)))
}

fn kills(fakes: &Fakes) -> [usize; 3] {
    [0, 1, 2].map(|server| fakes.of(server).script.lock().kills)
}

fn apply(fakes: &Fakes, server: usize, index: u64) {
    let message = ApplyMsg::Command { index, command: config::command::number(index * 100) };
    fakes.of(server).context.apply.send(message).unwrap();
}

/// make_config.
#[test]
fn in_a_new_cluster_every_server_runs_and_reaches_every_server() {
    on_three_servers(|cfg, fakes| {
        assert_eq!(cfg.n(), 3);
        for server in 0..3 {
            assert!(cfg.is_running(server) && cfg.is_connected(server));
            assert_eq!(cfg.get_state(server), Some((0, false)));
        }
        assert_eq!(ways(fakes), [[true; 3]; 3]);
        assert!(cfg.network().is_reliable());
    });
}

/// make_config.
#[test]
fn an_unreliable_cluster_has_an_unreliable_network() {
    bounded(LIMIT, || {
        let cfg = Fakes::new(|_, _| ()).cluster(Setup::unreliable(3));
        assert!(!cfg.network().is_reliable());
    });
}

/// Part C: the servers must use their saved state, not what another server still knows.
#[test]
fn every_server_crashes_before_the_first_one_restarts() {
    bounded(LIMIT, || {
        let log = Arc::new(Mutex::new(Vec::new()));
        let logged = Arc::clone(&log);
        let fakes = Fakes::new(move |_, what| {
            if ["make", "kill"].contains(&what) {
                logged.lock().push(what);
            }
        });
        let cfg = fakes.cluster(Setup::reliable(3));
        cfg.network().long_delays(false);
        cfg.restart_all();
        assert_eq!(
            log.lock().chunks(3).collect::<Vec<_>>(),
            [["make"; 3], ["kill"; 3], ["make"; 3]]
        );
        assert_eq!(ways(&fakes), [[true; 3]; 3]);
    });
}

/// make_config: in the network of a test a call to an absent server fails late.
#[test]
fn the_setup_reaches_the_network() {
    bounded(LIMIT, || {
        let setup = Setup { unreliable: true, ..Setup::reliable(1) };
        let cfg = Fakes::new(|_, _| ()).cluster(setup);
        assert!(!cfg.network().is_reliable());
        assert!(cfg.network().is_long_delays());
    });
}

/// connect and disconnect: a server that is cut off does not even reach itself.
#[test]
fn a_disconnected_server_runs_on_but_reaches_no_server() {
    on_three_servers(|cfg, fakes| {
        cfg.disconnect(1);
        let (yes, no) = (true, false);
        assert_eq!(ways(fakes), [[yes, no, yes], [no, no, no], [yes, no, yes]]);
        assert!(cfg.is_running(1) && !cfg.is_connected(1));
        assert_eq!(cfg.get_state(1), Some((0, false)));
        assert_eq!(kills(fakes), [0, 0, 0]);
    });
}

/// connect.
#[test]
fn connecting_opens_the_links_to_connected_servers_only() {
    on_three_servers(|cfg, fakes| {
        cfg.disconnect(0);
        cfg.disconnect(1);
        cfg.connect(0);
        let (yes, no) = (true, false);
        assert_eq!(ways(fakes), [[yes, no, yes], [no, no, no], [yes, no, yes]]);
        cfg.connect(1);
        assert_eq!(ways(fakes), [[true; 3]; 3]);
    });
}

/// crash1.
#[test]
fn a_crash_kills_and_isolates() {
    on_three_servers(|cfg, fakes| {
        cfg.crash(1);
        let (yes, no) = (true, false);
        assert_eq!(kills(fakes), [0, 1, 0]);
        assert_eq!(ways(fakes), [[yes, no, yes], [no, no, no], [yes, no, yes]]);
        assert!(!cfg.is_running(1) && !cfg.is_connected(1));
        assert_eq!((cfg.get_state(1), cfg.start(1, vec![1])), (None, None));
        cfg.crash(1);
        assert_eq!(kills(fakes), [0, 1, 0], "there was nothing left to crash");
    });
}

/// start1: it crashes a running server. Every test calls connect after it.
#[test]
fn a_restarted_server_is_a_new_peer_that_has_to_be_connected() {
    on_three_servers(|cfg, fakes| {
        let old = fakes.of(1);
        cfg.start_server(1);
        assert_eq!((old.script.lock().kills, kills(fakes)), (1, [0, 0, 0]));
        assert!(cfg.is_running(1) && !cfg.is_connected(1));
        assert!(!reaches(&fakes.of(0), 1));
        cfg.connect(1);
        assert_eq!(ways(fakes), [[true; 3]; 3]);
    });
}

/// start1 makes new ends, so that calls of an old incarnation are never mistaken for calls of the
/// new one.
#[test]
fn the_ends_of_an_old_incarnation_reach_no_server() {
    on_three_servers(|cfg, fakes| {
        let old = fakes.of(1);
        cfg.start_server(1);
        cfg.connect(1);
        for to in 0..3 {
            assert!(!reaches(&old, to));
            assert_ne!(old.context.ends[to].name(), fakes.of(1).context.ends[to].name());
        }
    });
}

/// crash1 and start1 copy the persister: the tests Persist1 to Persist3 depend on it.
#[test]
fn a_restarted_server_has_what_was_saved_before_the_crash_and_nothing_later() {
    on_three_servers(|cfg, fakes| {
        let read = |server: usize| fakes.of(server).context.persister.read_raft_state();
        let old = fakes.of(1);
        old.context.persister.save(b"before".to_vec(), Vec::new());
        cfg.crash(1);
        old.context.persister.save(b"after the crash".to_vec(), Vec::new());
        cfg.start_server(1);
        assert_eq!(read(1), b"before");
        old.context.persister.save(b"after the restart".to_vec(), Vec::new());
        assert_eq!(read(1), b"before");
        assert_eq!(cfg.log_size(), b"before".len());
        cfg.start_server(1);
        assert_eq!(read(1), b"before");
        assert_eq!(read(0), b"");
    });
}

/// LogSize and SnapshotSize.
#[test]
fn the_sizes_are_those_of_the_largest_server() {
    on_three_servers(|cfg, fakes| {
        assert_eq!((cfg.log_size(), cfg.snapshot_size()), (0, 0));
        fakes.of(0).context.persister.save(vec![0; 7], vec![0; 2]);
        fakes.of(2).context.persister.save(vec![0; 5], vec![0; 9]);
        assert_eq!((cfg.log_size(), cfg.snapshot_size()), (7, 9));
        cfg.crash(2);
        assert_eq!((cfg.log_size(), cfg.snapshot_size()), (7, 9), "it is still saved");
    });
}

/// ingestSnap, when a server starts.
#[test]
fn a_saved_snapshot_that_the_lab_never_made_is_refused() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let failure = fakes.failure(Setup::reliable(3), |cfg, fakes| {
            fakes.of(2).context.persister.save(Vec::new(), b"junk".to_vec());
            cfg.start_server(2);
        });
        let sentence = "server 2 restarted, and the snapshot in its persister is not one that the \
                        lab made: \"junk\"; the lab restores its service from these bytes, so \
                        they must be exactly the bytes that `snapshot` got";
        assert_eq!(failure, Failure::of(2, Class::Contract, sentence).with_rule(Rule::S14));
    });
}

/// A peer that saved nothing has forgotten its term. Other checks find that.
#[test]
fn a_restarted_server_may_be_in_an_older_term() {
    on_three_servers(|cfg, fakes| {
        meet(fakes, 3);
        fakes.of(0).script.lock().states = [(5, true)].into();
        assert_eq!(cfg.get_state(0), Some((5, true)));
        cfg.start_server(0);
        assert_eq!(cfg.get_state(0), Some((0, false)));
    });
}

/// rpcCount, which TestCount uses.
#[test]
fn calls_are_counted_by_server_from_zero_after_a_restart() {
    on_three_servers(|cfg, fakes| {
        for _ in 0..3 {
            assert!(reaches(&fakes.of(0), 1));
        }
        assert_eq!([0, 1, 2].map(|server| cfg.rpc_count(server)), [0, 3, 0]);
        cfg.crash(1);
        assert_eq!(cfg.rpc_count(1), 0);
        cfg.start_server(1);
        cfg.connect(1);
        assert_eq!(cfg.rpc_count(1), 0);
        assert!(reaches(&fakes.of(0), 1));
        assert_eq!(cfg.rpc_count(1), 1);
    });
}

/// rpcTotal and bytesTotal: a failed call is a call, and its request has bytes.
#[test]
fn failed_calls_count_for_the_network_but_not_for_the_server() {
    on_three_servers(|cfg, fakes| {
        cfg.disconnect(1);
        assert!(!reaches(&fakes.of(0), 1));
        assert_eq!((cfg.rpc_total(), cfg.bytes_total(), cfg.rpc_count(1)), (1, 5, 0));
        cfg.connect(1);
        assert!(reaches(&fakes.of(0), 1));
        assert_eq!((cfg.rpc_total(), cfg.bytes_total(), cfg.rpc_count(1)), (2, 15, 1));
    });
}

/// begin and end.
#[test]
fn the_figures_are_those_between_begin_and_end() {
    on_three_servers(|cfg, fakes| {
        assert!(reaches(&fakes.of(0), 1));
        apply(fakes, 0, 1);
        cfg.wait(1, 1, None);
        cfg.begin();
        assert!(reaches(&fakes.of(0), 1));
        assert!(reaches(&fakes.of(1), 2));
        for server in 0..2 {
            (1 + u64::from(server == 0)..=4).for_each(|index| apply(fakes, server, index));
        }
        cfg.wait(4, 2, None);
        assert_eq!(fakes.referee.figures(), None);
        cfg.end();
        let figures = fakes.referee.figures().unwrap();
        let expected = Figures { time: figures.time, peers: 3, rpcs: 2, bytes: 20, commands: 3 };
        assert_eq!(figures, expected);
    });
}

/// cleanup: the network takes no more calls either.
#[test]
fn the_end_of_a_cluster_kills_every_peer_once() {
    on_three_servers(|cfg, fakes| {
        cfg.crash(1);
        drop(cfg);
        assert_eq!(kills(fakes), [1, 1, 1]);
        assert_eq!(ways(fakes), [[false; 3]; 3]);
    });
}

#[test]
fn a_deaf_server_gets_no_requests_but_gets_replies_until_it_hears_again() {
    on_three_servers(|cfg, fakes| {
        let call = |from: usize, to: usize| {
            fakes.of(from).context.ends[to].call::<str, String>("Raft.Echo", "x").is_ok()
        };
        cfg.faults().deafen(1);
        assert_eq!((call(0, 1), call(1, 0), call(1, 1)), (false, true, true));
        cfg.disconnect(1);
        assert!(!call(1, 0), "it is disconnected as well");
        cfg.connect(1);
        assert_eq!((call(0, 1), call(1, 0)), (false, true), "to connect it is not to cure it");
        cfg.faults().hear(1);
        assert_eq!((call(0, 1), call(1, 0)), (true, true));
    });
}
