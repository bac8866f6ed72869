//! Peers that know facts that no message has told them. Rule S17 finds them without `inspect`,
//! whatever they share.

use crate::support::{assert_golden, cargo_grade, folder, write_crate};

/// Server 0 leads term 1, because the code says so.
#[test]
fn a_leader_that_is_fixed_in_the_code_gets_no_points() {
    let name = "fixed_leader";
    let folder = folder(name);
    let base = include_str!("idle_peer.rs");
    let place = "// get_state\n";
    assert!(base.contains(place));
    let line = "if true { return (1, self.me == 0); }\n";
    write_crate(&folder, name, &base.replace(place, line));
    let words = ["--seeds", "1", "--part", "3A", name];
    assert_golden!("fixed_leader_over_processes", folder, cargo_grade(&folder, words));
    let in_process = words.iter().copied().chain(["--in-process"]);
    assert_golden!("fixed_leader_in_process", folder, cargo_grade(&folder, in_process));
}

#[test]
fn servers_that_share_their_log_in_memory_fail_tests_with_crashes_and_long_commands() {
    let name = "shares_its_log";
    let folder = folder(name);
    write_crate(&folder, name, include_str!("shared_board.rs"));
    let words = ["--seeds", "1", "--part", "3A,3B,3C", "--in-process", name];
    assert_golden!("shares_its_log_in_process", folder, cargo_grade(&folder, words));
}
