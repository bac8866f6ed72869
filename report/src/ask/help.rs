//! The words of the language, for a terminal and for docs/questions.md.

use std::fmt::Write;

use super::dictionary::GROUPS;

const LINE_CHARS_MAX: usize = 96;

const INTRODUCTION: &str = "\
A question is a condition on the servers of a recorded run. For example:

    cargo timeline FILE.run --ask 'leader and not majority_reachable'

A question about events has an answer for each event. A question about states has one for each
time that they hold. An answer has the time, the server, its state (role, term, last index/commit
index), what happened, the end if it is a state, and the number of the event.

    --json     print an object a line: n, t (in us), server, what, state, event, and for a state
               until (null: to the end of the run); the last one has the number of answers
    --limit N  print at most N answers

Exit codes: 0 there is an answer, 1 there is none, 2 the question or the file is wrong.
docs/questions.md has useful questions with their answers.
";

/// What `--ask help` prints.
pub(super) fn text() -> String {
    let mut text = INTRODUCTION.to_owned();
    for group in GROUPS {
        _ = writeln!(text, "\n{}\n", group.title.to_uppercase());
        fill(&mut text, "  ", group.about);
        for word in group.words {
            _ = writeln!(text, "\n  {}", word.name);
            fill(&mut text, "      ", word.means);
            _ = writeln!(text, "      e.g. {}", word.example);
        }
    }
    text
}

/// Adds words in lines of bounded width.
fn fill(text: &mut String, indent: &str, words: &str) {
    let mut line = indent.to_owned();
    for word in words.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > LINE_CHARS_MAX {
            _ = writeln!(text, "{line}");
            line = indent.to_owned();
        }
        let is_first = line.len() == indent.len();
        line.push_str(if is_first { "" } else { " " });
        line.push_str(word);
    }
    _ = writeln!(text, "{line}");
}

/// The tables of docs/questions.md.
pub(super) fn markdown() -> String {
    let mut text = String::new();
    for group in GROUPS {
        _ = writeln!(text, "### {}\n\n{}\n", group.title, group.about);
        text.push_str("| word | meaning | example |\n|---|---|---|\n");
        for word in group.words {
            let (name, means, example) = (word.name, word.means, word.example);
            _ = writeln!(text, "| `{name}` | {means} | `{example}` |");
        }
        text.push('\n');
    }
    text
}
