//! A value of any type as data that people can read, with the names of fields.
//!
//! The encoding of a message has no names. So a recording takes the value where its type is known:
//! the arguments where a call is made, the reply where the handler returns.

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

impl Value {
    /// The number in a field of this name, whatever the case of its letters.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let Value::Map(fields) = self else { return None };
        let (_, value) = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        match value {
            Value::Unsigned(number) => Some(*number),
            Value::Signed(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }
}
