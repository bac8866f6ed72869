//! The blocks of ARCHITECTURE.md that say what the structure of the workspace must be.
//!
//! A block is a fence followed by a word:
//!
//! ````text
//! ```arrows
//! labrpc -> sim
//! tests -> runner, labrpc
//! tests -> raft (dev)
//! ```
//!
//! ```forbidden
//! raft/src/rules: std::thread, std::sync, Instant::now, rand
//! . except sim, grade/tests/attacks: unsafe
//! raft/src, skeleton/src: kit except raftapi, labrpc
//! ```
//! ````
//!
//! `arrows` has each dependency between two members, as in the manifests. `(dev)` and `(build)`
//! mark those of tests and of build scripts. `forbidden` has `FOLDERS: NAMES`, and a folder can
//! also be a file. `.` means the whole workspace; `kit` means every member.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::workspace::Kind;

/// The page's name.
pub(crate) const PAGE: &str = "ARCHITECTURE.md";

/// The rules of the page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Dependencies between members; `None` if there is no such block.
    pub(crate) arrows: Option<Vec<Drawn>>,
    /// Forbidden names; `None` if there is no such block.
    pub(crate) forbidden: Option<Vec<Forbidden>>,
}

/// An arrow of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// Counted from 1.
    pub(crate) line: usize,
    /// The package that depends.
    pub(crate) from: String,
    /// The package on which it depends.
    pub(crate) to: String,
    /// The builds that need it.
    pub(crate) kind: Kind,
}

/// Names that are forbidden in some folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forbidden {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Folders and files, relative to the root.
    pub(crate) folders: List,
    /// Paths, keywords or packages.
    pub(crate) names: List,
}

/// A list with exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// The members.
    pub(crate) of: Vec<String>,
    /// The exceptions.
    pub(crate) except: Vec<String>,
}

impl Page {
    /// Reads the page in the folder `root`.
    pub(crate) fn read(root: &Path) -> Result<Page, Error> {
        let failed = |error| Error::Read { path: PAGE.to_owned(), error };
        Page::parse(&fs::read_to_string(root.join(PAGE)).map_err(failed)?)
    }

    /// Reads the blocks in `text`.
    pub(crate) fn parse(text: &str) -> Result<Page, Error> {
        let mut page = Page::default();
        let mut block = None;
        for (number, line) in text.lines().enumerate() {
            let line_number = number + 1;
            let line = line.trim();
            if let Some(word) = line.strip_prefix("```") {
                block = if block.is_some() { None } else { Some(word) };
                page.open(block);
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let wrong = |reason: &str| Error::Page { line: line_number, reason: reason.to_owned() };
            match block {
                Some("arrows") => {
                    let arrows = arrows(line, line_number).map_err(wrong)?;
                    page.arrows.get_or_insert_default().extend(arrows);
                }
                Some("forbidden") => {
                    let forbidden = forbidden(line, line_number).map_err(wrong)?;
                    page.forbidden.get_or_insert_default().push(forbidden);
                }
                _ => {}
            }
        }
        Ok(page)
    }

    /// Notes that a block exists, although it may be empty.
    fn open(&mut self, block: Option<&str>) {
        match block {
            Some("arrows") => drop(self.arrows.get_or_insert_default()),
            Some("forbidden") => drop(self.forbidden.get_or_insert_default()),
            _ => {}
        }
    }
}

fn arrows(line: &str, number: usize) -> Result<Vec<Drawn>, &'static str> {
    const FORMAT: &str = "expected `crate -> crate, crate`";
    let (from, to) = line.split_once("->").ok_or(FORMAT)?;
    let drawn = |to: &str| {
        let to = to.trim();
        let (to, kind) = match to.split_once(' ') {
            None => (to, Kind::Normal),
            Some((to, "(dev)")) => (to, Kind::Dev),
            Some((to, "(build)")) => (to, Kind::Build),
            Some(_) => return Err("expected `(dev)` or `(build)` after a crate"),
        };
        if to.is_empty() || from.trim().is_empty() {
            return Err(FORMAT);
        }
        Ok(Drawn { line: number, from: from.trim().to_owned(), to: to.to_owned(), kind })
    };
    to.split(',').map(drawn).collect()
}

fn forbidden(line: &str, number: usize) -> Result<Forbidden, &'static str> {
    let (folders, names) = line.split_once(": ").ok_or("expected `folder: name, name`")?;
    Ok(Forbidden { line: number, folders: list(folders)?, names: list(names)? })
}

fn list(text: &str) -> Result<List, &'static str> {
    let (of, except) = text.split_once(" except ").unwrap_or((text, ""));
    let words = |text: &str| -> Vec<String> {
        text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    let list = List { of: words(of), except: words(except) };
    if list.of.is_empty() { Err("expected a name") } else { Ok(list) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_are_read_from_their_blocks_only() {
        let text = "a -> b\n```text\nc -> d\n```\n```arrows\na -> b, c\nt -> r (dev)\n```\n";
        let arrows = Page::parse(text).unwrap().arrows.unwrap();
        let found: Vec<_> =
            arrows.iter().map(|a| (a.line, a.from.as_str(), a.to.as_str(), a.kind)).collect();
        let expected =
            [(6, "a", "b", Kind::Normal), (6, "a", "c", Kind::Normal), (7, "t", "r", Kind::Dev)];
        assert_eq!(found, expected);
    }

    #[test]
    fn forbidden_names_and_folders_have_exceptions() {
        let text = "```forbidden\n. except sim: unsafe\na/src: kit except b, c\n```";
        let forbidden = Page::parse(text).unwrap().forbidden.unwrap();
        assert_eq!(forbidden[0].folders, list(". except sim").unwrap());
        assert_eq!(forbidden[1].names.of, ["kit"]);
        assert_eq!(forbidden[1].names.except, ["b", "c"]);
    }

    #[test]
    fn a_page_without_a_block_is_not_one_with_an_empty_block() {
        assert!(Page::parse("text").unwrap().arrows.is_none());
        assert_eq!(Page::parse("```arrows\n```").unwrap().arrows, Some(Vec::new()));
    }

    #[track_caller]
    fn check_error(line: &str, expected: &str) {
        let error = Page::parse(&format!("```{line}\n```")).unwrap_err();
        assert_eq!(error.to_string(), format!("failed to read ARCHITECTURE.md:2: {expected}"));
    }

    #[test]
    fn a_line_of_another_format_is_an_error() {
        check_error("arrows\na b", "expected `crate -> crate, crate`");
        check_error("arrows\na -> ", "expected `crate -> crate, crate`");
        check_error("arrows\na -> b (test)", "expected `(dev)` or `(build)` after a crate");
        check_error("forbidden\nunsafe", "expected `folder: name, name`");
        check_error("forbidden\na: ,", "expected a name");
    }
}
