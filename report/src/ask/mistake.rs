//! A mistake in a question: what is wrong, where, and what would be right.

use std::fmt;
use std::ops::Range;

/// A question that cannot be understood. As text it is a sentence, the question with carets under
/// the place, and the words that would be right there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    sentence: String,
    question: String,
    /// In bytes of the question.
    place: Range<usize>,
    /// A list of words a line.
    words: Vec<String>,
}

impl Mistake {
    pub(super) fn new(question: &str, place: Range<usize>, sentence: impl Into<String>) -> Mistake {
        let question = question.to_owned();
        Mistake { sentence: sentence.into(), question, place, words: Vec::new() }
    }

    pub(super) fn with_words(mut self, words: Vec<String>) -> Mistake {
        self.words = words;
        self
    }

    /// What is wrong, in one line.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The question with carets under the place, and the words that would be right there.
    pub fn place(&self) -> String {
        // A question of several lines is shown as one, so that the carets are under the place.
        let shown = |text: &str| text.replace(char::is_control, " ");
        let before = &self.question[..self.place.start];
        let at = &self.question[self.place.clone()];
        let (indent, width) = (before.chars().count(), at.chars().count().max(1));
        let carets = format!("  {:indent$}{}", "", "^".repeat(width));
        let lines = [format!("  {}", shown(&self.question)), carets];
        lines.into_iter().chain(self.words.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.sentence, self.place())
    }
}

impl std::error::Error for Mistake {}
