//! Reads the values of a question, and checks that those that are compared can be.

use super::lexer::Step;
use super::lexer::{Sign, TokenKind};
use super::meaning::{FieldWord, Grammar, Meaning, Root, Sort};
use super::mistake::Mistake;
use super::parser::Parser;
use super::query::{Condition, Field, Relation, Sum, Value, When};
use super::suggest::Wanted;

/// A value that was read.
struct Operand {
    sum: Sum,
    sort: Sort,
    place: std::ops::Range<usize>,
}

impl Parser<'_> {
    pub(super) fn comparison(&mut self) -> Result<Condition, Mistake> {
        let left = self.sum(Wanted::Condition, None)?;
        let Some(relation) = self.relation() else {
            return match (left.sum, left.sort) {
                (Sum::Value(value), Sort::Any | Sort::Truth) => Ok(Condition::True(value)),
                _ => Err(self
                    .mistake("`=`, `!=`, `<`, `<=`, `>` or `>=` was expected here, after a value")),
            };
        };
        self.advance();
        let right = self.sum(Wanted::Value, Some(left.sort))?;
        self.check(&left, relation, &right)?;
        Ok(Condition::Compare(left.sum, relation, right.sum))
    }

    fn relation(&self) -> Option<Relation> {
        let TokenKind::Sign(sign) = self.next().kind else { return None };
        Some(match sign {
            Sign::Equal => Relation::Equal,
            Sign::Unequal => Relation::Unequal,
            Sign::Less => Relation::Less,
            Sign::AtMost => Relation::AtMost,
            Sign::Greater => Relation::Greater,
            Sign::AtLeast => Relation::AtLeast,
            Sign::Open | Sign::Close | Sign::Plus | Sign::Minus => return None,
        })
    }

    fn check(&self, left: &Operand, relation: Relation, right: &Operand) -> Result<(), Mistake> {
        let place = left.place.start..right.place.end;
        let wrong = |sentence: &str| Err(Mistake::new(self.question, place.clone(), sentence));
        let sorts = (left.sort, right.sort);
        let can_be_equal = match sorts {
            (Sort::Any, _) | (_, Sort::Any) => true,
            // Commands can be digits. A server that voted for nobody has no number.
            (Sort::Number, Sort::Text | Sort::Nothing)
            | (Sort::Text | Sort::Nothing, Sort::Number) => true,
            (Sort::Choice(_), Sort::Text) | (Sort::Text, Sort::Choice(_)) => true,
            (left, right) => left == right,
        };
        if !can_be_equal {
            let unit = match sorts {
                (Sort::Time, Sort::Number) | (Sort::Number, Sort::Time) => {
                    "; a time has a unit, such as `300 ms` or `1.5 s`"
                }
                _ => "",
            };
            let (left, right) = (name(left.sort), name(right.sort));
            return wrong(&format!("{left} cannot be compared with {right}{unit}"));
        }
        if matches!(relation, Relation::Equal | Relation::Unequal) {
            return Ok(());
        }
        let has_order = |sort| matches!(sort, Sort::Number | Sort::Time | Sort::Any);
        if has_order(left.sort) && has_order(right.sort) {
            return Ok(());
        }
        wrong("only numbers and times have an order; use `=` or `!=`")
    }

    fn sum(&mut self, wanted: Wanted, other: Option<Sort>) -> Result<Operand, Mistake> {
        let mut sum = self.value(wanted, other)?;
        loop {
            let is_plus = match self.next().kind {
                TokenKind::Sign(Sign::Plus) => true,
                TokenKind::Sign(Sign::Minus) => false,
                _ => return Ok(sum),
            };
            self.advance();
            let next = self.value(Wanted::Value, None)?;
            let place = sum.place.start..next.place.end;
            let sort = match (sum.sort, next.sort) {
                (Sort::Any, other) | (other, Sort::Any)
                    if matches!(other, Sort::Any | Sort::Number) =>
                {
                    Sort::Number
                }
                (Sort::Number, Sort::Number) => Sort::Number,
                (Sort::Time, Sort::Time) => Sort::Time,
                (left, right) => {
                    let sentence =
                        format!("{} and {} have no sum or difference", name(left), name(right));
                    return Err(Mistake::new(self.question, place, sentence));
                }
            };
            let (left, right) = (Box::new(sum.sum), Box::new(next.sum));
            let sum_of = if is_plus { Sum::Plus(left, right) } else { Sum::Minus(left, right) };
            sum = Operand { sum: sum_of, sort, place };
        }
    }

    /// A value. What it is compared with says which words can name a choice.
    fn value(&mut self, wanted: Wanted, other: Option<Sort>) -> Result<Operand, Mistake> {
        let place = self.next().place.clone();
        if let Some(Sort::Choice(choices)) = other
            && let TokenKind::Word(word, _) | TokenKind::Text(word) = self.next().kind.clone()
            && !matches!(
                self.meaning(),
                Some(Meaning::Grammar(Grammar::That | Grammar::Previous) | Meaning::Field(_))
            )
        {
            if !choices.contains(&word.as_str()) {
                return Err(self.unexpected(Wanted::Choice(choices)));
            }
            self.advance();
            let sum = Sum::Value(Value::Text(word));
            return Ok(Operand { sum, sort: Sort::Text, place });
        }
        let (value, sort) = match self.next().kind.clone() {
            TokenKind::Number(..) => self.number()?,
            TokenKind::Text(text) => {
                self.advance();
                (Value::Text(text), Sort::Text)
            }
            _ => self.named_value(wanted)?,
        };
        let end = self.place_before().end;
        Ok(Operand { sum: Sum::Value(value), sort, place: place.start..end })
    }

    fn named_value(&mut self, wanted: Wanted) -> Result<(Value, Sort), Mistake> {
        match self.meaning() {
            Some(Meaning::Field(_) | Meaning::Root(_)) => {
                let field = self.field(When::Now)?;
                Ok(of_field(When::Now, field))
            }
            Some(Meaning::Grammar(Grammar::That)) => {
                let word = self.advance();
                self.needs_scope(&word)?;
                let field = self.field(When::That)?;
                Ok(of_field(When::That, field))
            }
            Some(Meaning::Grammar(Grammar::Previous)) => {
                self.advance();
                let field = self.field(When::Previous)?;
                Ok(of_field(When::Previous, field))
            }
            Some(Meaning::Grammar(Grammar::Count)) => self.count(),
            Some(Meaning::Grammar(Grammar::TermAt)) => self.term_at(),
            Some(Meaning::Grammar(Grammar::True)) => self.literal(Value::Truth(true), Sort::Truth),
            Some(Meaning::Grammar(Grammar::False)) => {
                self.literal(Value::Truth(false), Sort::Truth)
            }
            Some(Meaning::Grammar(Grammar::Nothing)) => self.literal(Value::Nothing, Sort::Nothing),
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn literal(&mut self, value: Value, sort: Sort) -> Result<(Value, Sort), Mistake> {
        self.no_steps()?;
        self.advance();
        Ok((value, sort))
    }

    /// The name of a value, after `previous`, `that`, `same` or nothing.
    pub(super) fn field(&mut self, when: When) -> Result<Field, Mistake> {
        let wanted = if when == When::Previous { Wanted::ServerValue } else { Wanted::Value };
        match self.meaning() {
            Some(Meaning::Field(field)) => {
                if when == When::Previous && !field.is_of_state() {
                    return Err(self.unexpected(wanted));
                }
                self.no_steps()?;
                self.advance();
                Ok(Field::Plain(field))
            }
            Some(Meaning::Root(root)) => {
                if when == When::Previous && root.is_of_event() {
                    return Err(self.unexpected(wanted));
                }
                self.path(root)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn path(&mut self, root: Root) -> Result<Field, Mistake> {
        let TokenKind::Word(word, steps) = self.next().kind.clone() else {
            return Err(self.unexpected(Wanted::Value));
        };
        if root.is_of_event() && steps.is_empty() {
            let sentence = format!("`{word}` needs the name of a field: `{word}.term`");
            return Err(self.mistake(sentence));
        }
        if !root.is_of_event() && !matches!(steps[..], [Step::Element(_) | Step::Each]) {
            let sentence =
                format!("`{word}` needs the number of a server: `{word}.2`, or `{word}.*`");
            return Err(self.mistake(sentence));
        }
        let place = self.advance().place;
        Ok(Field::Path(root, steps, place))
    }

    fn count(&mut self) -> Result<(Value, Sort), Mistake> {
        self.advance();
        let start = self.next().place.start;
        let condition = self.scope()?;
        if condition.happens() {
            let place = start..self.place_before().end;
            let sentence = "`count` needs a state, and this is an event";
            return Err(Mistake::new(self.question, place, sentence));
        }
        Ok((Value::Count(Box::new(condition)), Sort::Number))
    }

    fn term_at(&mut self) -> Result<(Value, Sort), Mistake> {
        self.advance();
        self.expect_sign(Sign::Open, "`(`")?;
        let index = self.sum(Wanted::Value, None)?;
        if !matches!(index.sort, Sort::Number | Sort::Any) {
            let sentence = format!("`term_at` needs an index, and this is {}", name(index.sort));
            return Err(Mistake::new(self.question, index.place, sentence));
        }
        self.expect_sign(Sign::Close, "`)`")?;
        Ok((Value::TermAt(Box::new(index.sum)), Sort::Number))
    }

    /// A number, or a time if a unit follows.
    fn number(&mut self) -> Result<(Value, Sort), Mistake> {
        if self.has_unit() || self.has_fraction() {
            return Ok((Value::Time(self.time()?), Sort::Time));
        }
        let token = self.advance();
        let number = self.question[token.place.clone()]
            .parse()
            .map_err(|_| Mistake::new(self.question, token.place, "this number is too large"))?;
        Ok((Value::Number(number), Sort::Number))
    }

    fn has_fraction(&self) -> bool {
        matches!(&self.next().kind, TokenKind::Number(_, fraction) if !fraction.is_empty())
    }

    fn has_unit(&self) -> bool {
        self.unit_after().is_some()
    }

    fn unit_after(&self) -> Option<u64> {
        match self.meaning_after() {
            Some(Meaning::Unit(micros)) => Some(micros),
            _ => None,
        }
    }

    /// A time, such as `1.5 s`, in microseconds.
    pub(super) fn time(&mut self) -> Result<u64, Mistake> {
        let TokenKind::Number(whole, fraction) = self.next().kind.clone() else {
            return Err(self.mistake("a time was expected here, such as `300 ms` or `1.5 s`"));
        };
        let Some(unit) = self.unit_after() else {
            let shown = &self.question[self.next().place.clone()];
            let sentence =
                format!("a time needs a unit: `{shown} us`, `{shown} ms` or `{shown} s`");
            return Err(self.mistake(sentence));
        };
        let number = self.advance();
        let place = number.place.start..self.advance().place.end;
        micros(&whole, &fraction, unit)
            .ok_or_else(|| Mistake::new(self.question, place, "this time is too long or too exact"))
    }
}

/// A time in microseconds, if it is a whole number of them.
fn micros(whole: &str, fraction: &str, unit: u64) -> Option<u64> {
    let mut micros = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut of_digit = unit;
    for digit in fraction.bytes().map(|digit| u64::from(digit - b'0')) {
        if !of_digit.is_multiple_of(10) && digit != 0 {
            return None;
        }
        of_digit /= 10;
        micros = micros.checked_add(digit * of_digit)?;
    }
    Some(micros)
}

fn of_field(when: When, field: Field) -> (Value, Sort) {
    let sort = match &field {
        Field::Plain(field) => FieldWord::sort(*field),
        Field::Path(root, ..) if root.is_of_event() => Sort::Any,
        Field::Path(..) => Sort::Number,
    };
    (Value::Field(when, field), sort)
}

fn name(sort: Sort) -> &'static str {
    match sort {
        Sort::Number => "a number",
        Sort::Time => "a time",
        Sort::Text => "a text",
        Sort::Choice(_) => "a word such as a role",
        Sort::Truth => "`true` or `false`",
        Sort::Nothing => "`none`",
        Sort::Any => "a part of a message",
    }
}
