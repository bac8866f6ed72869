//! Dialogues between servers that read like a log, for the cases that the paper tells as a story.
//!
//! Each file in `scripts/` has commands, `---`, and what the servers do then: changes of their
//! role, term and vote, log and commit index, what they apply, and what they send. An entry is
//! shown as its term, as in Figure 7.
//!
//! | command | what happens |
//! |---|---|
//! | `cluster 5` | five new servers, S1 to S5, replace those before |
//! | `server S1 term=4 log="1 2"` | S1 has been in term 4, and has entries with these terms |
//! | `timeout S1` | S1's election timer expires |
//! | `start S1 x` | S1's service starts the command x |
//! | `tick 100` | 100 ms pass; leaders send their heartbeats, but no election timer expires |
//! | `deliver S1 to S2 S3` | the oldest message on the link to S2 arrives, then that to S3 |
//! | `drop S1 to S2 S3` | all messages on these links are lost |
//! | `converse S1 S2` | messages between the two arrive until none is on its way |
//! | `snapshot S2 5` | S2's service has a snapshot of everything up to index 5 |
//! | `crash S2` | S2 keeps what it saved; messages to it are lost |
//! | `restart S2` | S2 starts with what it saved |
//!
//! As with the real threads, a server saves and applies after each rule, and a leader immediately
//! sends what is due. With `UPDATE_GOLDENFILES=1` the tests write what the servers do now into the
//! files.

use std::fs;
use std::path::{Path, PathBuf};

use super::player::Player;

#[test]
fn the_servers_do_what_the_scripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/tests/scripts");
    let entries = fs::read_dir(folder).unwrap();
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    for script in scripts {
        println!("{}", script.display());
        goldenscript::run(&mut Player::new(), script).unwrap();
    }
}
