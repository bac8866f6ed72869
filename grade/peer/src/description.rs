//! The description of a message, in a recorded run: its value with the names of fields, as bytes.
//!
//! A description is a list of tokens, the outer ones first, so reading it takes no recursion that
//! the sender controls. It is only shown. One that makes no sense is left out, because a recorded
//! run has to end as it did without its descriptions.

use labrpc::codec;
use labrpc::network::Value;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::bounds;

/// The limit on the size of a description. A larger one is left out.
const DESCRIPTION_BYTES_MAX: usize = 1 << 20;
/// The limit on values in one description, which is above labrpc's own.
const TOKENS_MAX: usize = 1 << 18;
/// The limit on lists and maps in each other. labrpc describes nothing deeper, and a run file with
/// a deeper value could not be read.
const DEPTH_MAX: usize = 122;

#[derive(Serialize, Deserialize)]
struct Tokens(#[serde(deserialize_with = "bounds::at_most::<TOKENS_MAX, _, _>")] Vec<Token>);

#[derive(Serialize, Deserialize)]
enum Token {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Bytes(ByteBuf),
    /// This many values follow.
    List(usize),
    /// A value for each name follows.
    Map(Vec<String>),
}

/// A value as bytes; none if they are too many.
pub fn write(value: Value) -> Option<ByteBuf> {
    let mut tokens = Vec::new();
    add(value, &mut tokens);
    let bytes = codec::encode(&Tokens(tokens)).ok()?;
    (bytes.len() <= DESCRIPTION_BYTES_MAX).then(|| bytes.into())
}

fn add(value: Value, tokens: &mut Vec<Token>) {
    match value {
        Value::Null => tokens.push(Token::Null),
        Value::Bool(value) => tokens.push(Token::Bool(value)),
        Value::Unsigned(value) => tokens.push(Token::Unsigned(value)),
        Value::Signed(value) => tokens.push(Token::Signed(value)),
        Value::Float(value) => tokens.push(Token::Float(value)),
        Value::Text(value) => tokens.push(Token::Text(value)),
        Value::Bytes(value) => tokens.push(Token::Bytes(value.into())),
        Value::List(values) => {
            tokens.push(Token::List(values.len()));
            values.into_iter().for_each(|value| add(value, tokens));
        }
        Value::Map(fields) => {
            let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
            tokens.push(Token::Map(names));
            values.into_iter().for_each(|value| add(value, tokens));
        }
    }
}

/// The value of these bytes; none if they are no description, or exceed a limit.
pub fn read(bytes: &[u8]) -> Option<Value> {
    if bytes.len() > DESCRIPTION_BYTES_MAX {
        return None;
    }
    let Tokens(tokens) = codec::decode(bytes).ok()?;
    let mut tokens = tokens.into_iter();
    let value = take(&mut tokens, DEPTH_MAX)?;
    tokens.next().is_none().then_some(value)
}

/// The next value, with up to `depth` lists and maps in each other.
fn take(tokens: &mut impl Iterator<Item = Token>, depth: usize) -> Option<Value> {
    Some(match tokens.next()? {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(value),
        Token::Unsigned(value) => Value::Unsigned(value),
        Token::Signed(value) => Value::Signed(value),
        Token::Float(value) => Value::Float(value),
        Token::Text(value) => Value::Text(value),
        Token::Bytes(value) => Value::Bytes(value.into_vec()),
        // The length may be a lie, so nothing is reserved for it.
        Token::List(length) => {
            let depth = depth.checked_sub(1)?;
            let mut values = Vec::new();
            for _ in 0..length {
                values.push(take(tokens, depth)?);
            }
            Value::List(values)
        }
        Token::Map(names) => {
            let depth = depth.checked_sub(1)?;
            let mut fields = Vec::new();
            for name in names {
                fields.push((name, take(tokens, depth)?));
            }
            Value::Map(fields)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn bytes(tokens: Vec<Token>) -> Vec<u8> {
        codec::encode(&Tokens(tokens)).unwrap()
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| Value::List(vec![inner]))
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        let value = Value::Map(vec![
            ("term".into(), Value::Unsigned(u64::MAX)),
            ("vote".into(), Value::Map(vec![("Some".into(), Value::Signed(-1))])),
            ("entries".into(), Value::List(vec![Value::Bytes(vec![0, 255]), text("x")])),
            ("empty".into(), Value::List(vec![])),
            ("rest".into(), Value::List(vec![Value::Null, Value::Bool(true), Value::Float(0.5)])),
        ]);
        for value in [value, nested(DEPTH_MAX), Value::Map(vec![])] {
            assert_eq!(read(&write(value.clone()).unwrap()), Some(value));
        }
    }

    #[test]
    fn a_description_that_is_too_large_is_not_written_and_not_read() {
        let long = |length| Value::Bytes(vec![7; length]);
        assert!(write(long(DESCRIPTION_BYTES_MAX - 100)).is_some());
        assert_eq!(write(long(DESCRIPTION_BYTES_MAX)), None);
        assert_eq!(read(&bytes(vec![Token::Bytes(vec![7; DESCRIPTION_BYTES_MAX].into())])), None);
    }

    #[test]
    fn what_is_no_description_is_none() {
        assert_eq!(read(&write(nested(DEPTH_MAX + 1)).unwrap()), None);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[200, 200]), None);
        let mut left_over = write(Value::Null).unwrap().into_vec();
        left_over.push(0);
        assert_eq!(read(&left_over), None);
        assert_eq!(read(&bytes(vec![])), None);
        assert_eq!(read(&bytes(vec![Token::Null, Token::Null])), None);
        assert_eq!(read(&bytes(vec![Token::List(usize::MAX), Token::Null])), None);
        assert_eq!(read(&bytes(vec![Token::Map(vec!["a".into(), "b".into()]), Token::Null])), None);
        let deep = std::iter::repeat_with(|| Token::List(1)).take(TOKENS_MAX - 1);
        assert_eq!(read(&bytes(deep.chain([Token::Null]).collect())), None);
        let many = std::iter::once(Token::List(TOKENS_MAX));
        let many = many.chain(std::iter::repeat_with(|| Token::Null).take(TOKENS_MAX));
        assert_eq!(read(&bytes(many.collect())), None);
    }
}
