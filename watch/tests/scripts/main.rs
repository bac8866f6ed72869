//! Histories that read like a log, and what the checker says of them.
//!
//! Each file in `histories/` is a script: lines of events, `---`, and the output, which is `ok` if
//! no rule was broken. [`player`] says which lines there are. The tables of `rules/*.rs` try each
//! rule at its edges; a script tells one story from beginning to end, such as Figure 8 of the
//! paper.
//!
//! `UPDATE_GOLDENFILES=1 cargo test -p watch --test scripts` writes the output anew.

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
