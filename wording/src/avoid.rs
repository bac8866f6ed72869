//! Words and phrases to avoid, and where prose uses them.

use anyhow::{Result, bail};

use crate::problem::Problem;
use crate::prose::{Prose, Word};

/// All phrases to avoid.
#[derive(Debug)]
pub(crate) struct Avoid {
    phrases: Vec<Phrase>,
}

#[derive(Debug)]
struct Phrase {
    /// In small letters.
    words: Vec<String>,
    /// Only at the beginning of a sentence.
    begins: bool,
    instead: String,
}

impl Avoid {
    /// Parses lines of `phrase | what to write instead`. A phrase that starts with `^` counts only
    /// at the beginning of a sentence. Empty lines and lines that start with `#` are skipped.
    ///
    /// # Errors
    /// If a line has no `|`, or no phrase before it.
    pub(crate) fn parse(text: &str) -> Result<Avoid> {
        let mut phrases = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let Some((phrase, instead)) = text.split_once('|') else {
                bail!("line {line}: expected `phrase | what to write instead`");
            };
            let begins = phrase.starts_with('^');
            let words: Vec<String> =
                phrase.trim_start_matches('^').split_whitespace().map(str::to_lowercase).collect();
            if words.is_empty() {
                bail!("line {line}: expected a phrase before `|`");
            }
            phrases.push(Phrase { words, begins, instead: instead.trim().to_owned() });
        }
        Ok(Avoid { phrases })
    }

    /// The phrases to avoid in a piece of prose.
    pub(crate) fn find(&self, path: &str, prose: &Prose) -> Vec<Problem> {
        let places = (0..prose.words().len()).map(|first| &prose.words()[first..]);
        let found = places.flat_map(|words| {
            let uses = |phrase: &&Phrase| phrase.is_at(words);
            self.phrases.iter().filter(uses).map(|phrase| phrase.problem(path, &words[0]))
        });
        found.collect()
    }
}

impl Phrase {
    fn is_at(&self, words: &[Word]) -> bool {
        let mut pairs = self.words.iter().zip(words);
        words.len() >= self.words.len()
            && (words[0].begins || !self.begins)
            && words[1..self.words.len()].iter().all(|word| !word.begins)
            && pairs.all(|(phrase, word)| *phrase == word.text.to_lowercase())
    }

    fn problem(&self, path: &str, at: &Word) -> Problem {
        Problem::Phrase {
            path: path.to_owned(),
            line: at.line,
            phrase: self.words.join(" "),
            instead: self.instead.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let avoid = Avoid::parse("# comment\n\nso many | n\n^who | a noun\n").unwrap();
        let problems = avoid.find("a.rs", &Prose::of(7, text));
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_phrase_is_found_whatever_its_case_and_punctuation() {
        check("(So many) servers", &["a.rs:7: \"so many\"; write instead: n"]);
        check("It is so. Many servers run.", &[]);
        check("`so many` servers", &[]);
    }

    #[test]
    fn a_phrase_for_the_beginning_counts_only_there() {
        check("Who leads a term is known.", &["a.rs:7: \"who\"; write instead: a noun"]);
        check("Servers who lead", &[]);
        check("A server stops. Who leads?", &["a.rs:7: \"who\"; write instead: a noun"]);
        check("{who} leads", &[]);
    }

    #[test]
    fn a_malformed_line_is_an_error() {
        let error = Avoid::parse("a | b\nso many").unwrap_err();
        assert_eq!(error.to_string(), "line 2: expected `phrase | what to write instead`");
        let error = Avoid::parse("^ | b").unwrap_err();
        assert_eq!(error.to_string(), "line 1: expected a phrase before `|`");
    }
}
