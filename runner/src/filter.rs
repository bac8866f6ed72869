//! Finds the tests that the words on the command line mean.

use libtest_mimic::Arguments;

use crate::test::{Part, Test};

/// The number of names that are suggested for one that does not exist.
const SIMILAR_SHOWN: usize = 3;
/// How similar a suggested name is, from 0 to 1. Below it, names have little in common.
const SIMILAR_MIN: f64 = 0.8;
/// The columns of a line of names.
const LINE_CHARS_MAX: usize = 96;

/// See [`Table::find`](crate::Table::find).
pub(crate) fn find(tests: &[&'static Test], words: &str) -> Vec<&'static Test> {
    let wanted = normal(words);
    let is_named = |test: &Test| [normal(test.words), normal(&test.name())].contains(&wanted);
    let matches = |test: &Test| normal(&test.name()).contains(&wanted);
    let named: Vec<_> = tests.iter().copied().filter(|test| is_named(test)).collect();
    if named.is_empty() {
        return tests.iter().copied().filter(|test| matches(test)).collect();
    }
    named
}

/// See [`Table::similar`](crate::Table::similar).
pub(crate) fn similar(tests: &[&'static Test], words: &str) -> Vec<String> {
    let wanted = normal(words);
    let likeness = |test: &Test| {
        let whole = strsim::jaro_winkler(&normal(&test.name()), &wanted);
        whole.max(strsim::jaro_winkler(&normal(test.words), &wanted))
    };
    let mut similar: Vec<(f64, &Test)> = tests.iter().map(|&it| (likeness(it), it)).collect();
    similar.retain(|(likeness, _)| *likeness >= SIMILAR_MIN);
    similar.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    similar.into_iter().take(SIMILAR_SHOWN).map(|(_, test)| test.name()).collect()
}

/// See [`Table::list`](crate::Table::list).
pub(crate) fn list(parts: &[Part], tests: &[&'static Test]) -> String {
    let mut text = String::new();
    for part in parts {
        let mut line = format!("{:<4}", part.name);
        let mut names = tests.iter().filter(|test| test.part == *part).peekable();
        while let Some(test) = names.next() {
            let comma = if names.peek().is_some() { "," } else { "" };
            if line.len() + test.words.len() + 2 > LINE_CHARS_MAX {
                text += &format!("{line}\n");
                line = " ".repeat(4);
            }
            line += &format!(" {}{comma}", test.words);
        }
        text += &format!("{line}\n");
    }
    text
}

/// The tests that the command line asks for.
///
/// A filter that matches no test is reported with similar names. This is not an error, because
/// cargo passes a filter to every test program.
pub(crate) fn choose(tests: &[&'static Test], arguments: &Arguments) -> Vec<&'static Test> {
    let Some(filter) = &arguments.filter else { return tests.to_vec() };
    if arguments.exact {
        return tests.iter().copied().filter(|test| test.name() == *filter).collect();
    }
    let found = find(tests, filter);
    if found.is_empty() && !arguments.list {
        match &similar(tests, filter)[..] {
            [] => println!("no lab test is named {filter:?}; `cargo test -- --list` lists them"),
            names => println!("no lab test is named {filter:?}; similar: {}", names.join(", ")),
        }
    }
    found
}

/// The words in lower case, with one blank between them.
pub(crate) fn normal(words: &str) -> String {
    let words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::tests::SUITE;

    fn tests() -> Vec<&'static Test> {
        SUITE.tests.iter().collect()
    }

    #[track_caller]
    fn check(words: &str, expected: &[&str]) {
        let names: Vec<String> = find(&tests(), words).into_iter().map(Test::name).collect();
        assert_eq!(names, expected, "{words:?}");
    }

    #[test]
    fn a_filter_may_separate_its_words_by_anything() {
        for words in ["initial election", "initial_election", "Initial--Election", "3A initial"] {
            check(words, &["3A initial election"]);
        }
        check("re-election", &["3A re-election"]);
        check("re_election", &["3A re-election"]);
        check("3a", &["3A initial election", "3A re-election", "3A many elections"]);
        check("persist", &["3C persist 1", "3C persist 2", "3C persist 3"]);
        check("elections, many", &[]);
    }

    #[test]
    fn a_misspelt_name_is_similar_to_the_right_one_only() {
        assert_eq!(similar(&tests(), "inital election"), ["3A initial election"]);
        assert_eq!(similar(&tests(), "reelection"), ["3A re-election"]);
        assert_eq!(similar(&tests(), "3A mny"), ["3A many elections"]);
        assert_eq!(similar(&tests(), "no such thing"), [""; 0]);
    }
}
