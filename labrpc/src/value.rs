//! A value as data that people can read: fields by name, whatever the type.
//!
//! The encoding of a message has no names. So a recording takes the value where its type is known:
//! the arguments where a call is made, the reply where the handler returns.

mod compound;
mod serializer;

use serde::Serialize;

/// Any value, in the terms of serde's data model.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value: the unit type, or an option that is empty.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// An integer.
    Signed(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text, or the name of a variant without fields.
    Text(String),
    /// Bytes, or a list of bytes.
    Bytes(Vec<u8>),
    /// A list or a tuple.
    List(Vec<Value>),
    /// A struct or a map: names and values, in their order. A variant with fields is a map with its
    /// name alone.
    Map(Vec<(String, Value)>),
}

/// Describes a value; none if its type cannot be serialized.
pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    value.serialize(serializer::Describe).ok().map(serializer::Described::into_value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    enum Kind {
        Plain,
        Wrapped(u8),
        Pair(i8, bool),
        Named { a: Option<u16> },
    }

    #[derive(Serialize)]
    struct Args {
        term: u64,
        entries: Vec<(u64, Vec<u8>)>,
        kinds: Vec<Kind>,
        by_server: BTreeMap<usize, char>,
        nothing: Option<()>,
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn map(name: &str, value: Value) -> Value {
        Value::Map(vec![(name.into(), value)])
    }

    #[test]
    fn a_struct_shows_its_fields_by_name_and_lists_of_bytes_as_bytes() {
        let args = Args {
            term: 3,
            entries: vec![(1, vec![1, 255]), (2, vec![])],
            kinds: vec![
                Kind::Plain,
                Kind::Wrapped(7),
                Kind::Pair(-1, true),
                Kind::Named { a: Some(5) },
            ],
            by_server: BTreeMap::from([(2, 'x')]),
            nothing: None,
        };
        let entry = |index, command| Value::List(vec![Value::Unsigned(index), command]);
        let kinds = vec![
            text("Plain"),
            map("Wrapped", Value::Unsigned(7)),
            map("Pair", Value::List(vec![Value::Signed(-1), Value::Bool(true)])),
            map("Named", map("a", Value::Unsigned(5))),
        ];
        let expected = Value::Map(vec![
            ("term".into(), Value::Unsigned(3)),
            (
                "entries".into(),
                Value::List(vec![
                    entry(1, Value::Bytes(vec![1, 255])),
                    entry(2, Value::List(vec![])),
                ]),
            ),
            ("kinds".into(), Value::List(kinds)),
            ("by_server".into(), map("2", text("x"))),
            ("nothing".into(), Value::Null),
        ]);
        assert_eq!(of(&args), Some(expected));
    }

    #[test]
    fn a_type_that_cannot_be_serialized_has_no_description() {
        struct Broken;
        impl Serialize for Broken {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        assert_eq!(of(&[Broken]), None);
    }
}
