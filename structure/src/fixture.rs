//! Workspaces for tests, written as one text: `-- path --` and then the file's content.

use crate::modules::Sources;
use crate::source::Source;

/// The files in `text`, with their paths.
pub(crate) fn files(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let head = line.trim().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (head, files.last_mut()) {
            (Some(path), _) => files.push((path.to_owned(), String::new())),
            (None, Some((_, content))) => *content += &format!("{line}\n"),
            (None, None) => assert!(line.trim().is_empty(), "a line before the first file: {line}"),
        }
    }
    files
}

/// The files in `text`, parsed.
pub(crate) fn sources(text: &str) -> Sources {
    let parsed = files(text).into_iter().map(|(path, content)| {
        let source = Source::parse(&path, &content).unwrap();
        (path, source)
    });
    parsed.collect()
}
