//! The rules for names of a submission's files: every file system must be able to hold them in one
//! folder, and a terminal must be able to show them.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::bounds::{COMPONENT_BYTES_MAX, PATH_BYTES_MAX, SHOWN_NAME_CHARS_MAX};

/// Characters that change the order in which a terminal shows the following text.
const BIDIRECTIONAL: [char; 12] = [
    '\u{061c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// The names of a submission's files and folders so far.
#[derive(Default)]
pub(crate) struct Names {
    /// The names as written, by their folded form.
    known: HashMap<String, Known>,
}

struct Known {
    name: String,
    is_folder: bool,
}

impl Names {
    /// Adds a file or a folder by its path, with `/` between folders. An error is the end of a
    /// sentence about the submission.
    pub(crate) fn add(&mut self, name: &str, is_folder: bool) -> Result<(), String> {
        check(name)?;
        for (at, _) in name.match_indices('/') {
            self.add_one(&name[..at], true)?;
        }
        self.add_one(name, is_folder)
    }

    fn add_one(&mut self, name: &str, is_folder: bool) -> Result<(), String> {
        let new = Known { name: name.into(), is_folder };
        let Some(known) = self.known.get(&folded(name)) else {
            self.known.insert(folded(name), new);
            return Ok(());
        };
        match (known.name == name, known.is_folder, is_folder) {
            (true, true, true) => Ok(()),
            (true, false, false) => Err(format!("it has {} twice", shown(name))),
            (true, ..) => Err(format!("{} is both a file and a folder in it", shown(name))),
            (false, ..) => Err(format!(
                "it has both {} and {}, which some file systems treat as one name",
                shown(&known.name),
                shown(name)
            )),
        }
    }
}

/// Fails if a name is wrong by itself.
pub(crate) fn check(name: &str) -> Result<(), String> {
    if name.chars().any(|c| c.is_control() || BIDIRECTIONAL.contains(&c)) {
        return Err(format!("the name {} has a character that cannot be shown", shown(name)));
    }
    if let Some(long) = name.split('/').find(|part| part.len() > COMPONENT_BYTES_MAX) {
        let (size, shown) = (long.len(), shown(long));
        return Err(format!(
            "the name {shown} has {size} bytes, but the limit is {COMPONENT_BYTES_MAX}"
        ));
    }
    if name.len() > PATH_BYTES_MAX {
        let (size, shown) = (name.len(), shown(name));
        return Err(format!(
            "the path {shown} has {size} bytes, but the limit is {PATH_BYTES_MAX}"
        ));
    }
    Ok(())
}

/// The same result for names that differ only in case or in the encoding of accents: a folder on
/// macOS or Windows cannot hold both.
pub(crate) fn folded(name: &str) -> String {
    name.nfd().flat_map(char::to_lowercase).nfc().collect()
}

/// A name in quotes, cut if it is long, with escapes for characters that cannot be shown.
pub(crate) fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(SHOWN_NAME_CHARS_MAX).collect();
    if shown.len() < name.len() {
        shown.push_str("...");
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[&str], expected: Result<(), &str>) {
        let mut names = Names::default();
        let result = files.iter().try_for_each(|file| names.add(file, false));
        assert_eq!(result, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_name_occurs_only_once() {
        check(&["src/lib.rs", "src/log.rs", "src/log/a.rs", "src/log/b.rs"], Ok(()));
        check(&["src/lib.rs", "src/lib.rs"], Err("it has \"src/lib.rs\" twice"));
        let clash = Err("\"src/log\" is both a file and a folder in it");
        check(&["src/log", "src/log/a.rs"], clash);
        check(&["src/log/a.rs", "src/log"], clash);
    }

    #[test]
    fn names_that_some_file_systems_treat_as_one_are_both_reported() {
        check(
            &["src/Raft.rs", "src/raft.rs"],
            Err(
                "it has both \"src/Raft.rs\" and \"src/raft.rs\", which some file systems treat as \
                 one name",
            ),
        );
        check(
            &["src/a/b.rs", "src/A/c.rs"],
            Err("it has both \"src/a\" and \"src/A\", which some file systems treat as one name"),
        );
        check(
            &["src/\u{e9}.rs", "src/e\u{301}.rs"],
            Err("it has both \"src/\u{e9}.rs\" and \"src/e\\u{301}.rs\", which some file systems \
                 treat as one name"),
        );
        check(&["src/\u{e9}.rs", "src/e.rs"], Ok(()));
    }

    #[test]
    fn a_name_can_be_shown_and_stored() {
        check(
            &["src/a\n.rs"],
            Err("the name \"src/a\\n.rs\" has a character that cannot be shown"),
        );
        check(
            &["src/\u{202e}sr.a"],
            Err("the name \"src/\\u{202e}sr.a\" has a character that cannot be shown"),
        );
        let long = "a".repeat(256);
        let beginning = "a".repeat(SHOWN_NAME_CHARS_MAX);
        check(
            &[&format!("src/{long}")],
            Err(&format!("the name \"{beginning}...\" has 256 bytes, but the limit is 255")),
        );
        let deep = "d/".repeat(PATH_BYTES_MAX / 2) + "x";
        let beginning = &deep[..SHOWN_NAME_CHARS_MAX];
        check(
            &[&deep],
            Err(&format!(
                "the path \"{beginning}...\" has {} bytes, but the limit is 512",
                deep.len()
            )),
        );
        check(&[&deep[2..]], Ok(()));
    }
}
