//! The words that would be right at a place.

use super::dictionary::{GROUPS, words};
use super::lexer::{Token, TokenKind};
use super::meaning::{Grammar, Meaning};
use super::mistake::Mistake;

const LINE_CHARS_MAX: usize = 96;

/// What would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Condition,
    Value,
    /// A value that a server had before the event.
    ServerValue,
    Choice(&'static [&'static str]),
}

/// The mistake that a part is nothing that is wanted.
pub(super) fn unexpected(question: &str, token: &Token, wanted: Wanted) -> Mistake {
    let names = wanted.names();
    let expected = match wanted {
        Wanted::Condition => "a condition was expected here",
        Wanted::Value => "a value was expected here",
        Wanted::ServerValue => "a value of a server was expected here",
        Wanted::Choice(_) => "one of these words was expected here",
    };
    let sentence = match &token.kind {
        TokenKind::Word(word, _) => {
            let is_known = super::dictionary::meaning(word).is_some();
            let what =
                if is_known { expected.to_owned() } else { format!("unknown word `{word}`") };
            match nearest(word, &names).filter(|near| *near != word) {
                Some(near) => format!("{what}; did you mean `{near}`?"),
                None => what,
            }
        }
        _ => expected.to_owned(),
    };
    Mistake::new(question, token.place.clone(), sentence).with_words(wanted.lines())
}

impl Wanted {
    fn takes(self, meaning: Meaning) -> bool {
        match (self, meaning) {
            (Wanted::Condition, Meaning::Unit(_)) => false,
            (Wanted::Condition, Meaning::Grammar(grammar)) => !matches!(
                grammar,
                Grammar::And
                    | Grammar::Or
                    | Grammar::For
                    | Grammar::Within
                    | Grammar::Since
                    | Grammar::Before
            ),
            (Wanted::Condition, _) => true,
            (Wanted::ServerValue, Meaning::Field(field)) => field.is_of_state(),
            (Wanted::ServerValue, Meaning::Root(root)) => !root.is_of_event(),
            (Wanted::Value, Meaning::Field(_) | Meaning::Root(_)) => true,
            (Wanted::Value, Meaning::Grammar(grammar)) => matches!(
                grammar,
                Grammar::That
                    | Grammar::Previous
                    | Grammar::Count
                    | Grammar::TermAt
                    | Grammar::True
                    | Grammar::False
                    | Grammar::Nothing
            ),
            _ => false,
        }
    }

    fn names(self) -> Vec<&'static str> {
        match self {
            Wanted::Choice(choices) => choices.to_vec(),
            wanted => {
                let fits = words().filter(|word| wanted.takes(word.meaning));
                fits.map(|word| word.name).collect()
            }
        }
    }

    /// All words that are right, by group.
    fn lines(self) -> Vec<String> {
        if let Wanted::Choice(choices) = self {
            return wrap("words", choices);
        }
        let mut lines = Vec::new();
        for group in GROUPS {
            let fits = group.words.iter().filter(|word| self.takes(word.meaning));
            let names: Vec<&str> = fits.map(|word| word.name).collect();
            if !names.is_empty() {
                lines.extend(wrap(&group.title.to_lowercase(), &names));
            }
        }
        lines
    }
}

/// The name that a word is a misspelling of.
fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(word, name);
    let near = names.iter().copied().min_by_key(|name| distance(name))?;
    (distance(&near) <= word.chars().count().div_ceil(3)).then_some(near)
}

/// Names in lines of bounded width, with the title in front.
fn wrap(title: &str, names: &[&str]) -> Vec<String> {
    let mut lines = vec![format!("  {title}:")];
    for (place, name) in names.iter().enumerate() {
        let comma = if place + 1 < names.len() { "," } else { "" };
        let line = lines.last_mut().expect("it has a first line");
        if line.chars().count() + name.len() + 2 > LINE_CHARS_MAX {
            lines.push(format!("    {name}{comma}"));
        } else {
            line.push_str(&format!(" {name}{comma}"));
        }
    }
    lines
}
