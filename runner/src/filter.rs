//! Finds the tests that the words on the command line mean.

use libtest_mimic::Arguments;

use crate::test::Test;

/// The number of names that are suggested for one that does not exist.
const NEAREST_SHOWN: usize = 3;

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

/// See [`Table::nearest`](crate::Table::nearest).
pub(crate) fn nearest(tests: &[&'static Test], words: &str) -> Vec<String> {
    let wanted = normal(words);
    let likeness = |test: &Test| {
        let whole = strsim::jaro_winkler(&normal(&test.name()), &wanted);
        whole.max(strsim::jaro_winkler(&normal(test.words), &wanted))
    };
    let mut nearest = tests.to_vec();
    nearest.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    nearest.into_iter().take(NEAREST_SHOWN).map(Test::name).collect()
}

/// The tests that the command line asks for.
///
/// A filter that matches no test is reported with the nearest names. This is not an error, because
/// cargo passes a filter to every test program.
pub(crate) fn choose(tests: &[&'static Test], arguments: &Arguments) -> Vec<&'static Test> {
    let Some(filter) = &arguments.filter else { return tests.to_vec() };
    if arguments.exact {
        return tests.iter().copied().filter(|test| test.name() == *filter).collect();
    }
    let found = find(tests, filter);
    if found.is_empty() && !arguments.list {
        println!(
            "no lab test is named {filter:?}; the nearest are {}",
            nearest(tests, filter).join(", ")
        );
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
    fn the_nearest_name_to_a_misspelt_one_is_the_right_one() {
        assert_eq!(nearest(&tests(), "inital election")[0], "3A initial election");
        assert_eq!(nearest(&tests(), "reelection")[0], "3A re-election");
        assert_eq!(nearest(&tests(), "3A mny")[0], "3A many elections");
    }
}
