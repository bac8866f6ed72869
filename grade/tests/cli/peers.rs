//! Peers that misbehave: one sentence names the server, and the other tests still run.

use crate::support::{assert_golden, cargo_grade, folder, write_crate};

/// A peer that does nothing.
const BASE: &str = include_str!("idle_peer.rs");

/// Grades the base with `line` at the place that a comment marks.
#[track_caller]
fn check(name: &str, place: &str, line: &str) {
    let marked = format!("// {place}\n");
    assert!(BASE.contains(&marked));
    let folder = folder(name);
    write_crate(&folder, name, &BASE.replace(&marked, line));
    assert_golden!(name, folder, cargo_grade(&folder, ["--seeds", "1", "--part", "3A", name]));
}

/// The same without the sandbox, which would stop it earlier.
#[track_caller]
fn check_in_process(name: &str, place: &str, line: &str) {
    let folder = folder(name);
    write_crate(&folder, name, &BASE.replace(&format!("// {place}\n"), line));
    let words = ["--in-process", "--seeds", "1", "--part", "3A", name];
    assert_golden!(name, folder, cargo_grade(&folder, words));
}

#[test]
fn a_peer_that_panics_in_make() {
    check("panics_in_make", "make", "assert_ne!(peer.me, 1, \"no server shall be the second\");");
}

#[test]
fn a_peer_that_never_returns_from_make() {
    check("hangs_in_make", "make", "while peer.me == 2 { std::thread::park(); }");
}

#[test]
fn a_peer_with_an_impossible_state() {
    check("nonsense_state", "get_state", "if self.me == 1 { return (0, true); }");
}

#[test]
fn a_peer_that_calls_an_unknown_method() {
    // In get_state, which is first called after every server is connected.
    let line = "if self.me == 2 {
            let _ = self.ends[0].call::<u64, u64>(\"Raft.Vote\", &1);
        }";
    check("unknown_rpc", "get_state", line);
}

#[test]
fn a_peer_that_calls_itself_while_it_holds_its_own_lock() {
    let line = "if self.me == 1 {
            let state = self.state.lock();
            return (self.ends[1].call(\"Raft.RequestVote\", &*state).unwrap_or(1), false);
        }";
    check("locks_itself", "get_state", line);
}

#[test]
fn a_peer_that_panics_in_a_thread_of_its_own() {
    let line = "if peer.me == 2 {
        let ticker = std::thread::Builder::new().name(\"ticker\".into());
        ticker.spawn(|| panic!(\"no more\")).unwrap();
    }";
    check("panics_in_a_thread", "make", line);
}

#[test]
fn a_peer_that_computes_without_end() {
    let line = "if peer.me == 1 {
        std::thread::spawn(|| {
            let mut turns = 0_u64;
            loop { turns = std::hint::black_box(turns + 1); }
        });
    }";
    check("computes_for_ever", "make", line);
}

#[test]
fn a_peer_that_waits_for_something_outside_the_lab() {
    let line = "if peer.me == 0 {
        std::thread::spawn(|| {
            std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap().accept().unwrap();
        });
    }";
    check_in_process("waits_for_the_world", "make", line);
    // In the sandbox it cannot even start.
    check("may_not_reach_the_world", "make", line);
}
