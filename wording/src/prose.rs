//! A piece of prose, word by word, with its place in the file.

/// Text that somebody reads: a paragraph of a comment or of a page, or a message.
#[derive(Debug)]
pub(crate) struct Prose {
    words: Vec<Word>,
    in_code: bool,
    /// The next word begins a sentence.
    begins: bool,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As written, without punctuation around it. Code in backticks and placeholders of a format
    /// are empty words.
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// It is the first of a sentence.
    pub(crate) begins: bool,
}

impl Prose {
    pub(crate) fn new() -> Prose {
        Prose { words: Vec::new(), in_code: false, begins: true }
    }

    /// The prose of one text that begins in this line.
    pub(crate) fn of(line: usize, text: &str) -> Prose {
        let mut prose = Prose::new();
        prose.add(line, text);
        prose
    }

    /// Adds a line of text.
    pub(crate) fn add(&mut self, line: usize, text: &str) {
        for (part, text) in text.split('`').enumerate() {
            if part > 0 {
                self.in_code = !self.in_code;
            }
            if self.in_code {
                self.push(String::new(), line);
                continue;
            }
            for raw in text.split_whitespace() {
                if raw.starts_with('{') {
                    self.push(String::new(), line);
                    continue;
                }
                let word = raw.trim_matches(|c: char| !c.is_alphanumeric());
                if !word.is_empty() {
                    self.push(word.to_owned(), line);
                }
                self.begins |= ends_sentence(raw);
            }
        }
    }

    fn push(&mut self, text: String, line: usize) {
        self.words.push(Word { text, line, begins: self.begins });
        self.begins = false;
    }

    pub(crate) fn words(&self) -> &[Word] {
        &self.words
    }
}

fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches([')', '"', '*']).ends_with(['.', '!', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_where_they_stand_and_code_has_no_letters() {
        let mut prose = Prose::new();
        prose.add(3, "Calls `a b` (twice).");
        prose.add(4, "It stops.");
        let words: Vec<_> =
            prose.words().iter().map(|word| (&word.text[..], word.line, word.begins)).collect();
        assert_eq!(
            words,
            [
                ("Calls", 3, true),
                ("", 3, false),
                ("twice", 3, false),
                ("It", 4, true),
                ("stops", 4, false)
            ]
        );
    }
}
