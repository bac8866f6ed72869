//! The comments of a source file, as paragraphs of prose.

use crate::prose::Prose;

/// The comments of a Rust file: each run of lines that are nothing but a comment, up to an empty
/// one, is a paragraph; a comment at the end of a line of code is one of its own. Blocks of code in
/// doc comments are left out.
pub(crate) fn of(text: &str) -> Vec<Prose> {
    let mut all = Vec::new();
    let mut open: Option<Prose> = None;
    let mut in_code = false;
    for (line, text) in (1..).zip(text.lines()) {
        let Some(comment) = whole_line(text) else {
            all.extend(open.take());
            in_code = false;
            all.extend(at_end(text).map(|comment| Prose::of(line, comment)));
            continue;
        };
        if comment.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        if comment.is_empty() {
            all.extend(open.take());
            continue;
        }
        open.get_or_insert_with(Prose::new).add(line, comment);
    }
    all.extend(open);
    all
}

/// The comment of a line that has no code.
fn whole_line(line: &str) -> Option<&str> {
    let comment = line.trim_start().strip_prefix("//")?;
    Some(comment.trim_start_matches(['/', '!']).trim())
}

/// The comment after code. A string can have slashes too, but not after a space.
fn at_end(line: &str) -> Option<&str> {
    line.split_once(" // ").map(|(_, comment)| comment.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_ends_with_an_empty_line_or_code() {
        let text =
            "//! One\n//! two.\n//!\n//! Three.\nlet a = 1; // four\n/// ```\n/// five\n/// ```\n";
        let words = |prose: &Prose| -> Vec<(String, usize)> {
            prose.words().iter().map(|word| (word.text.clone(), word.line)).collect()
        };
        let all: Vec<_> = of(text).iter().map(words).collect();
        let word = |text: &str, line| (text.to_owned(), line);
        assert_eq!(
            all,
            [vec![word("One", 1), word("two", 2)], vec![word("Three", 4)], vec![word("four", 5)]]
        );
    }
}
