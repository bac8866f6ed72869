//! The wording of this workspace: which sentences its programs print, and which words to avoid.
//!
//! - `messages.txt` lists every string of the product's code that reads like a sentence, and every
//!   help text, by file. A reviewer sees each new sentence in one place, out of its code.
//! - `avoid.txt` lists words and phrases that readers had to translate, each with a better one. No
//!   message, comment or page may use them.
//!
//! [`check`] compares the tree with both. Only files that git knows count.

mod files;
mod messages;
mod comments;
mod pages;
mod prose;
mod avoid;
mod problem;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub use crate::problem::Problem;

use crate::avoid::Avoid;
use crate::files::Files;

const MESSAGES: &str = "wording/messages.txt";
const AVOID: &str = "wording/avoid.txt";

/// Checks the tree at `root`: the list of messages is complete, and no phrase to avoid is used.
///
/// # Errors
/// If git does not list the files, a file cannot be read, or `avoid.txt` has a malformed line.
pub fn check(root: &Path) -> Result<Vec<Problem>> {
    let files = Files::of(root)?;
    let mut problems = messages::compare(&files.read(MESSAGES)?, &files.messages()?);
    let avoid =
        Avoid::parse(&files.read(AVOID)?).with_context(|| format!("failed to read {AVOID}"))?;
    for (path, prose) in files.prose()? {
        problems.extend(avoid.find(&path, &prose));
    }
    Ok(problems)
}

/// Writes the list of messages of the tree at `root`.
///
/// # Errors
/// If git does not list the files, or a file cannot be read or written.
pub fn accept(root: &Path) -> Result<()> {
    let list = messages::render(&Files::of(root)?.messages()?);
    fs::write(root.join(MESSAGES), list).with_context(|| format!("failed to write {MESSAGES}"))
}
