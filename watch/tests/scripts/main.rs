//! Histories that read like a log, and what the checker says about them.
//!
//! Each file in `histories/` is a script: lines of events, `---`, and the output, which is `ok` if
//! no rule was broken. [`player`] lists the kinds of lines. The tests in `rules/*.rs` check the
//! edge cases of each rule; a script is one scenario from beginning to end, such as Figure 8 of the
//! paper.
//!
//! `UPDATE_GOLDENFILES=1 cargo test -p watch --test scripts` renews the output.

mod player;

use std::fs;
use std::path::{Path, PathBuf};

use crate::player::Player;

#[test]
fn the_checker_says_what_the_scripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/histories");
    let entries = fs::read_dir(folder).unwrap();
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    for script in scripts {
        println!("{}", script.display());
        goldenscript::run(&mut Player::default(), script).unwrap();
    }
}
