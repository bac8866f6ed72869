//! Reads a question: from its parts to a tree.
//!
//! It is written by hand, a function a rule of the grammar. The grammar is small, and its errors
//! are the larger part: which words are right depends on the place, on the words before, and on
//! whether a condition happens or holds. A parser library would carry that as well, but not shorten
//! it, and each student's project compiles this crate.
//!
//! ```text
//! condition := both { "or" both }
//! both      := single { "and" single }
//! single    := "not" single | order | lasting
//! order     := ("preceded" | "followed") "by" lasting { "within" time | "since" lasting
//!                                                     | "before" lasting }
//! lasting   := plain [ "for" time ]
//! plain     := "(" condition ")" | ("becomes" | "stops") plain | "same" value | "other" "server"
//!            | ("any" | "every") [ "other" ] "server" "(" condition ")"
//!            | state | event [ text ] | sum relation sum | sum
//! sum       := value { ("+" | "-") value }
//! ```

use std::ops::Range;

use super::dictionary;
use super::lexer::{Sign, Token, TokenKind, tokens};
use super::meaning::{EventWord, FieldWord, Grammar, Meaning};
use super::mistake::Mistake;
use super::query::{Condition, Field, Ordered, Relation, Servers, Sum, Text, Value, When};
use super::suggest::{self, Wanted};

/// Conditions in conditions, so that no question can use up the stack.
const DEPTH_MAX: usize = 64;

/// Reads a question.
pub(super) fn parse(question: &str) -> Result<Condition, Mistake> {
    let mut parser =
        Parser { question, tokens: tokens(question)?, at: 0, depth: 0, scopes: 0, ids: 0 };
    if parser.next().kind == TokenKind::End {
        return Err(parser.mistake("the question is empty"));
    }
    let condition = parser.condition()?;
    match parser.meaning() {
        _ if parser.next().kind == TokenKind::End => Ok(condition),
        Some(Meaning::Grammar(Grammar::Preceded | Grammar::Followed | Grammar::Not)) => {
            let word = &question[parser.next().place.clone()];
            Err(parser.mistake(format!("write `and` before `{word}`")))
        }
        _ => Err(parser.mistake("`and`, `or` or the end was expected here")),
    }
}

/// The place of what is being read.
pub(super) struct Parser<'a> {
    pub(super) question: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// The number of conditions around this one that `that` could look at.
    pub(super) scopes: usize,
    ids: usize,
}

impl Parser<'_> {
    pub(super) fn next(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.next().clone();
        // The end stays.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn meaning(&self) -> Option<Meaning> {
        match &self.next().kind {
            TokenKind::Word(word, _) => dictionary::meaning(word),
            _ => None,
        }
    }

    /// What the part after the next one means.
    pub(super) fn meaning_after(&self) -> Option<Meaning> {
        match &self.tokens.get(self.at + 1)?.kind {
            TokenKind::Word(word, _) => dictionary::meaning(word),
            _ => None,
        }
    }

    /// The place of the part that was read last.
    pub(super) fn place_before(&self) -> Range<usize> {
        self.tokens[self.at.saturating_sub(1)].place.clone()
    }

    pub(super) fn is_next(&self, grammar: Grammar) -> bool {
        self.meaning() == Some(Meaning::Grammar(grammar))
    }

    pub(super) fn take(&mut self, grammar: Grammar) -> bool {
        let is_next = self.is_next(grammar);
        if is_next {
            self.advance();
        }
        is_next
    }

    pub(super) fn expect_sign(&mut self, sign: Sign, name: &str) -> Result<(), Mistake> {
        if self.next().kind != TokenKind::Sign(sign) {
            return Err(self.mistake(format!("{name} was expected here")));
        }
        self.advance();
        Ok(())
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Mistake> {
        let is_next = matches!(&self.next().kind, TokenKind::Word(next, _) if next == word);
        if !is_next {
            return Err(self.mistake(format!("`{word}` was expected here")));
        }
        self.advance();
        Ok(())
    }

    /// A mistake at the next part.
    pub(super) fn mistake(&self, sentence: impl Into<String>) -> Mistake {
        Mistake::new(self.question, self.next().place.clone(), sentence)
    }

    /// A mistake at the next part, which is none of the words that are wanted.
    pub(super) fn unexpected(&self, wanted: Wanted) -> Mistake {
        suggest::unexpected(self.question, self.next(), wanted)
    }

    /// From the start of a part to the last part that was read.
    fn since(&self, start: usize) -> Range<usize> {
        start..self.place_before().end.max(start)
    }

    fn condition(&mut self) -> Result<Condition, Mistake> {
        let start = self.next().place.start;
        let mut parts = vec![self.both()?];
        while self.take(Grammar::Or) {
            parts.push(self.both()?);
            let holds_and_happens = parts.iter().any(|part| part.happens() != parts[0].happens());
            if holds_and_happens {
                let sentence = "one side of this `or` is an event and the other a state; write \
                                `becomes` before the state";
                return Err(Mistake::new(self.question, self.since(start), sentence));
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::AnyOf(parts) })
    }

    fn both(&mut self) -> Result<Condition, Mistake> {
        let mut parts = vec![self.single()?];
        while self.take(Grammar::And) {
            parts.push(self.single()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn single(&mut self) -> Result<Condition, Mistake> {
        self.deeper(|parser| {
            if parser.take(Grammar::Not) {
                return Ok(Condition::Not(Box::new(parser.single()?)));
            }
            match parser.meaning() {
                Some(Meaning::Grammar(Grammar::Preceded)) => parser.order(true),
                Some(Meaning::Grammar(Grammar::Followed)) => parser.order(false),
                _ => parser.lasting(),
            }
        })
    }

    /// Reads something with one level less to go.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        if self.depth == DEPTH_MAX {
            return Err(self.mistake("this question has too many conditions in one another"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn order(&mut self, is_past: bool) -> Result<Condition, Mistake> {
        self.advance();
        self.expect_word("by")?;
        self.scopes += 1;
        let condition = self.lasting()?;
        let (mut within, mut bound) = (None, None);
        loop {
            if within.is_none() && self.take(Grammar::Within) {
                within = Some(self.time()?);
            } else if bound.is_none() && self.is_bound(is_past)? {
                self.advance();
                bound = Some(self.lasting()?);
            } else {
                break;
            }
        }
        self.scopes -= 1;
        let id = self.id();
        Ok(Condition::Ordered(Box::new(Ordered { is_past, condition, within, bound, id })))
    }

    /// Whether the next word gives an order its other end.
    fn is_bound(&self, is_past: bool) -> Result<bool, Mistake> {
        match self.meaning() {
            Some(Meaning::Grammar(Grammar::Since)) if !is_past => {
                Err(self.mistake("`since` belongs to `preceded by`; write `before`"))
            }
            Some(Meaning::Grammar(Grammar::Before)) if is_past => {
                Err(self.mistake("`before` belongs to `followed by`; write `since`"))
            }
            Some(Meaning::Grammar(Grammar::Since | Grammar::Before)) => Ok(true),
            _ => Ok(false),
        }
    }

    fn id(&mut self) -> usize {
        self.ids += 1;
        self.ids - 1
    }

    fn lasting(&mut self) -> Result<Condition, Mistake> {
        let start = self.next().place.start;
        let condition = self.plain()?;
        if !self.is_next(Grammar::For) {
            return Ok(condition);
        }
        let place = self.since(start);
        if condition.happens() {
            let sentence = "`for` needs a state, and this is an event";
            return Err(Mistake::new(self.question, place, sentence));
        }
        if condition.looks_out() {
            let sentence = "`for` cannot use a value of the event outside of the brackets";
            return Err(Mistake::new(self.question, place, sentence));
        }
        self.advance();
        let (micros, id) = (self.time()?, self.id());
        Ok(Condition::Lasts { condition: Box::new(condition), micros, id })
    }

    fn plain(&mut self) -> Result<Condition, Mistake> {
        if self.next().kind == TokenKind::Sign(Sign::Open) {
            return self.in_brackets();
        }
        match self.meaning() {
            Some(Meaning::Grammar(Grammar::Becomes)) => self.turn(true),
            Some(Meaning::Grammar(Grammar::Stops)) => self.turn(false),
            Some(Meaning::Grammar(Grammar::Any)) => self.servers(false),
            Some(Meaning::Grammar(Grammar::Every)) => self.servers(true),
            Some(Meaning::Grammar(Grammar::Same)) => self.same(),
            Some(Meaning::Grammar(Grammar::Other)) => self.other_server(),
            Some(Meaning::State(state)) => {
                self.no_steps()?;
                self.advance();
                Ok(Condition::Is(state))
            }
            Some(Meaning::Event(event)) => self.event(event),
            _ => self.comparison(),
        }
    }

    fn in_brackets(&mut self) -> Result<Condition, Mistake> {
        self.expect_sign(Sign::Open, "`(`")?;
        let condition = self.deeper(Parser::condition)?;
        self.expect_sign(Sign::Close, "`and`, `or` or `)`")?;
        Ok(condition)
    }

    fn turn(&mut self, on: bool) -> Result<Condition, Mistake> {
        let word = self.advance();
        let start = self.next().place.start;
        let condition = self.deeper(Parser::plain)?;
        if condition.happens() {
            let word = &self.question[word.place];
            let sentence = format!("`{word}` needs a state, and this is an event");
            return Err(Mistake::new(self.question, self.since(start), sentence));
        }
        Ok(Condition::Turns { on, condition: Box::new(condition) })
    }

    fn servers(&mut self, every: bool) -> Result<Condition, Mistake> {
        self.advance();
        let others_only = self.take(Grammar::Other);
        self.expect_word("server")?;
        let condition = Box::new(self.scope()?);
        Ok(Condition::Servers(Servers { every, others_only, condition }))
    }

    /// A condition in brackets that is asked about other servers.
    pub(super) fn scope(&mut self) -> Result<Condition, Mistake> {
        self.scopes += 1;
        let condition = self.in_brackets();
        self.scopes -= 1;
        condition
    }

    fn same(&mut self) -> Result<Condition, Mistake> {
        let word = self.advance();
        self.needs_scope(&word)?;
        let field = self.field(When::That)?;
        let side = |when| Sum::Value(Value::Field(when, field.clone()));
        Ok(Condition::Compare(side(When::Now), Relation::Equal, side(When::That)))
    }

    fn other_server(&mut self) -> Result<Condition, Mistake> {
        let word = self.advance();
        self.needs_scope(&word)?;
        self.expect_word("server")?;
        let side = |when| Sum::Value(Value::Field(when, Field::Plain(FieldWord::Server)));
        Ok(Condition::Compare(side(When::Now), Relation::Unequal, side(When::That)))
    }

    /// There has to be an event outside for words that look there.
    pub(super) fn needs_scope(&self, word: &Token) -> Result<(), Mistake> {
        if self.scopes > 0 {
            return Ok(());
        }
        let shown = &self.question[word.place.clone()];
        let sentence = format!(
            "`{shown}` looks at the event outside of the brackets of `preceded by`, `followed by`, \
             `any server`, `every server` or `count`; it is in none"
        );
        Err(Mistake::new(self.question, word.place.clone(), sentence))
    }

    fn event(&mut self, event: EventWord) -> Result<Condition, Mistake> {
        self.no_steps()?;
        let word = self.advance();
        let TokenKind::Text(text) = self.next().kind.clone() else {
            return Ok(Condition::Happens(event, None));
        };
        if event.text().is_none() {
            let word = &self.question[word.place];
            return Err(self.mistake(format!("no text can follow `{word}`")));
        }
        let place = self.advance().place;
        Ok(Condition::Happens(event, Some(Text { text, place })))
    }

    /// A word that has no parts.
    pub(super) fn no_steps(&self) -> Result<(), Mistake> {
        match &self.next().kind {
            TokenKind::Word(word, steps) if !steps.is_empty() => {
                Err(self.mistake(format!("`{word}` has no parts")))
            }
            _ => Ok(()),
        }
    }
}
