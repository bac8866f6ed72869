//! A word of the language.

use crate::ask::meaning::Meaning;

/// A word, or some words that belong together.
#[derive(Debug)]
pub(in crate::ask) struct Word {
    /// As it is written.
    pub(in crate::ask) name: &'static str,
    pub(in crate::ask) meaning: Meaning,
    /// In a sentence.
    pub(in crate::ask) means: &'static str,
    /// A whole question.
    pub(in crate::ask) example: &'static str,
}

pub(super) const fn word(
    name: &'static str,
    meaning: Meaning,
    means: &'static str,
    example: &'static str,
) -> Word {
    Word { name, meaning, means, example }
}
