//! Histories that read like a log, and what the checker says of them.
//!
//! Each file in `histories/` is a script: lines of events, `---`, and the output, which is `ok` if
//! no rule was broken. [`player`] says which lines there are. The tables of `rules/*.rs` try each
//! rule at its edges; a script tells one story from beginning to end, such as Figure 8 of the
//! paper.
//!
//! `UPDATE_GOLDENFILES=1 cargo test -p watch --test scripts` writes the output anew.

mod player;

use std::path::Path;

use crate::player::Player;

#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/histories").join(name);
    goldenscript::run(&mut Player::default(), path).unwrap();
}

/// Sections 5.2 and 5.3.
#[test]
fn an_election() {
    check("election");
}

/// Section 5.2.
#[test]
fn a_split_vote() {
    check("split-vote");
}

/// Section 5.4.2.
#[test]
fn figure_8() {
    check("figure-8");
}

/// Section 5.4.2, the leader that counts replicas of an older term.
#[test]
fn figure_8_with_a_leader_that_counts_old_entries() {
    check("figure-8-counted");
}

/// Figure 2, persistent state.
#[test]
fn a_vote_forgotten_in_a_crash() {
    check("forgotten-vote");
}

/// Section 5.4.
#[test]
fn a_leader_without_a_committed_entry() {
    check("incomplete-leader");
}

/// Section 5.3.
#[test]
fn a_command_that_another_was_taken_for() {
    check("wrong-command");
}

/// Section 7.
#[test]
fn snapshots() {
    check("snapshots");
}

/// What the kit itself must not do.
#[test]
fn a_message_from_the_dead() {
    check("message-from-the-dead");
}

/// How each breach reads that no other script shows.
#[test]
fn one_of_each() {
    check("one-of-each");
}
