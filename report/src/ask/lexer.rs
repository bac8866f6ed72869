//! The words, numbers, texts and signs of a question, with their places.

use std::ops::Range;

use super::mistake::Mistake;

/// A part of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) place: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A word, and what follows it after dots: `args.entries.0.term`.
    Word(String, Vec<Step>),
    /// Digits, and digits after a dot.
    Number(String, String),
    /// A text between quotes.
    Text(String),
    Sign(Sign),
    End,
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The field of this name.
    Field(String),
    /// The element at this place, from 0.
    Element(usize),
    /// Each element.
    Each,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Open,
    Close,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Plus,
    Minus,
}

/// Signs of other languages, and the word that is meant.
const FOREIGN: [(&str, &str); 4] = [("&&", "and"), ("||", "or"), ("&", "and"), ("|", "or")];

const SIGNS: [(&str, Sign); 11] = [
    ("==", Sign::Equal),
    ("!=", Sign::Unequal),
    ("<=", Sign::AtMost),
    (">=", Sign::AtLeast),
    ("(", Sign::Open),
    (")", Sign::Close),
    ("=", Sign::Equal),
    ("<", Sign::Less),
    (">", Sign::Greater),
    ("+", Sign::Plus),
    ("-", Sign::Minus),
];

/// The parts of a question; the last one is the end.
pub(super) fn tokens(question: &str) -> Result<Vec<Token>, Mistake> {
    let mut lexer = Lexer { question, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let is_last = token.kind == TokenKind::End;
        tokens.push(token);
        if is_last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    question: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.question[self.at..]
    }

    /// Takes the longest beginning of such characters.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn token(&mut self) -> Result<Token, Mistake> {
        self.take(char::is_whitespace);
        let start = self.at;
        let kind = self.kind()?;
        Ok(Token { kind, place: start..self.at })
    }

    fn kind(&mut self) -> Result<TokenKind, Mistake> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(TokenKind::End) };
        if first.is_alphabetic() || first == '_' {
            let word = self.take(is_of_word).to_owned();
            return Ok(TokenKind::Word(word, self.steps()?));
        }
        if first.is_ascii_digit() {
            let whole = self.take(|c| c.is_ascii_digit()).to_owned();
            let has_fraction = self.rest().strip_prefix('.').is_some_and(begins_with_digit);
            self.at += usize::from(has_fraction);
            let fraction = if has_fraction { self.take(|c| c.is_ascii_digit()) } else { "" };
            return Ok(TokenKind::Number(whole, fraction.to_owned()));
        }
        if first == '"' || first == '\'' {
            return Ok(TokenKind::Text(self.text(first)?));
        }
        if let Some((sign, word)) = FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign)) {
            let place = self.at..self.at + sign.len();
            let sentence = format!("write `{word}` instead of `{sign}`");
            return Err(Mistake::new(self.question, place, sentence));
        }
        if let Some((text, sign)) = SIGNS.iter().find(|(text, _)| rest.starts_with(text)) {
            self.at += text.len();
            return Ok(TokenKind::Sign(*sign));
        }
        let sentence = match first {
            '!' => "write `not` instead of `!`".to_owned(),
            other => format!("`{}` has no meaning here", other.escape_debug()),
        };
        Err(Mistake::new(self.question, self.at..self.at + first.len_utf8(), sentence))
    }

    /// What follows a word after dots.
    fn steps(&mut self) -> Result<Vec<Step>, Mistake> {
        let mut steps = Vec::new();
        while self.rest().starts_with('.') {
            self.at += 1;
            let start = self.at;
            let next = self.rest().chars().next();
            steps.push(match next {
                Some('*') => {
                    self.at += 1;
                    Step::Each
                }
                Some('"') => Step::Field(self.text('"')?),
                Some(c) if c.is_ascii_digit() => {
                    let digits = self.take(|c| c.is_ascii_digit());
                    Step::Element(digits.parse().map_err(|_| {
                        Mistake::new(self.question, start..self.at, "this number is too large")
                    })?)
                }
                Some(c) if is_of_word(c) => Step::Field(self.take(is_of_word).to_owned()),
                _ => {
                    let sentence = "after a dot comes the name of a field, a number or `*`";
                    return Err(Mistake::new(self.question, start - 1..start, sentence));
                }
            });
        }
        Ok(steps)
    }

    fn text(&mut self, quote: char) -> Result<String, Mistake> {
        let start = self.at;
        self.at += 1;
        let text = self.take(|c| c != quote).to_owned();
        if self.rest().is_empty() {
            return Err(Mistake::new(self.question, start..self.at, "this text has no end"));
        }
        self.at += 1;
        Ok(text)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_words_numbers_texts_and_signs() {
        let kinds = |question: &str| -> Vec<TokenKind> {
            tokens(question).unwrap().into_iter().map(|token| token.kind).collect()
        };
        let word = |word: &str| TokenKind::Word(word.into(), Vec::new());
        let number = |whole: &str, rest: &str| TokenKind::Number(whole.into(), rest.into());
        let expected = [
            word("call"),
            TokenKind::Text("RequestVote".into()),
            word("and"),
            TokenKind::Word("args".into(), vec![Step::Field("term".into())]),
            TokenKind::Sign(Sign::AtLeast),
            number("3", ""),
            TokenKind::End,
        ];
        assert_eq!(kinds("call \"RequestVote\" and args.term>=3"), expected);
        assert_eq!(kinds("1.25s"), [number("1", "25"), word("s"), TokenKind::End]);
        let steps = vec![
            Step::Field("a-b".into()),
            Step::Element(0),
            Step::Each,
            Step::Field("length".into()),
        ];
        let path = TokenKind::Word("reply".into(), steps);
        assert_eq!(kinds("reply.\"a-b\".0.*.length"), [path, TokenKind::End]);
    }
}
