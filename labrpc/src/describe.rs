//! Describes a value: a serializer whose output is a [`Value`].

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};

use crate::value::Value;

/// Describes a value; none if its type cannot be serialized.
pub(crate) fn describe<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    value.serialize(Describe).ok().map(Described::into_value)
}

/// Calls `describe` if a description is wanted.
///
/// The callers are generic, so they are compiled in the crate of an implementation, and its edges
/// may be places where threads are switched. A recorded run must be the same run. So this function
/// is neither generic nor inlined, the callers have no branch, and the edges of `describe` do not
/// count.
#[inline(never)]
pub(crate) fn describe_if(is_wanted: bool, describe: &dyn Fn() -> Option<Value>) -> Option<Value> {
    let mut value = None;
    if is_wanted {
        sim::without_edges(&mut || value = describe());
    }
    value
}

/// Describes any value.
struct Describe;

/// A value or a single byte. A list of bytes becomes [`Value::Bytes`]; elsewhere a byte is a
/// number.
enum Described {
    Byte(u8),
    Other(Value),
}

/// The only error: the type's own `Serialize` fails.
#[derive(Debug)]
struct NotDescribed;

impl Described {
    fn into_value(self) -> Value {
        match self {
            Described::Byte(byte) => Value::Unsigned(byte.into()),
            Described::Other(value) => value,
        }
    }
}

impl fmt::Display for NotDescribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be serialized")
    }
}

impl std::error::Error for NotDescribed {}

impl ser::Error for NotDescribed {
    fn custom<T: fmt::Display>(_: T) -> NotDescribed {
        NotDescribed
    }
}

/// A value that stands for a variant with fields.
fn variant(name: &str, value: Value) -> Described {
    Described::Other(Value::Map(vec![(name.to_owned(), value)]))
}

fn other(value: Value) -> Result<Described, NotDescribed> {
    Ok(Described::Other(value))
}

fn text(text: impl Into<String>) -> Result<Described, NotDescribed> {
    other(Value::Text(text.into()))
}

impl Serializer for Describe {
    type Ok = Described;
    type Error = NotDescribed;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Map;
    type SerializeStruct = Map;
    type SerializeStructVariant = Map;

    fn serialize_bool(self, v: bool) -> Result<Described, NotDescribed> {
        other(Value::Bool(v))
    }

    fn serialize_i8(self, v: i8) -> Result<Described, NotDescribed> {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<Described, NotDescribed> {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<Described, NotDescribed> {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<Described, NotDescribed> {
        other(u64::try_from(v).map_or(Value::Signed(v), Value::Unsigned))
    }

    fn serialize_i128(self, v: i128) -> Result<Described, NotDescribed> {
        text(v.to_string())
    }

    fn serialize_u8(self, v: u8) -> Result<Described, NotDescribed> {
        Ok(Described::Byte(v))
    }

    fn serialize_u16(self, v: u16) -> Result<Described, NotDescribed> {
        self.serialize_u64(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<Described, NotDescribed> {
        self.serialize_u64(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<Described, NotDescribed> {
        other(Value::Unsigned(v))
    }

    fn serialize_u128(self, v: u128) -> Result<Described, NotDescribed> {
        text(v.to_string())
    }

    fn serialize_f32(self, v: f32) -> Result<Described, NotDescribed> {
        other(Value::Float(v.into()))
    }

    fn serialize_f64(self, v: f64) -> Result<Described, NotDescribed> {
        other(Value::Float(v))
    }

    fn serialize_char(self, v: char) -> Result<Described, NotDescribed> {
        text(v)
    }

    fn serialize_str(self, v: &str) -> Result<Described, NotDescribed> {
        text(v)
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Described, NotDescribed> {
        other(Value::Bytes(v.to_vec()))
    }

    fn serialize_none(self) -> Result<Described, NotDescribed> {
        other(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Described, NotDescribed> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Described, NotDescribed> {
        other(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Described, NotDescribed> {
        other(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Described, NotDescribed> {
        text(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Described, NotDescribed> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Described, NotDescribed> {
        Ok(variant(name, value.serialize(self)?.into_value()))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, NotDescribed> {
        Ok(List::new(None))
    }

    fn serialize_tuple(self, _: usize) -> Result<List, NotDescribed> {
        Ok(List::new(None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, NotDescribed> {
        Ok(List::new(None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<List, NotDescribed> {
        Ok(List::new(Some(name)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map, NotDescribed> {
        Ok(Map::new(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Map, NotDescribed> {
        Ok(Map::new(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Map, NotDescribed> {
        Ok(Map::new(Some(name)))
    }
}

/// A list, a tuple, or a variant with fields by position.
struct List {
    variant: Option<&'static str>,
    parts: Vec<Described>,
}

/// A map, a struct, or a variant with named fields.
struct Map {
    variant: Option<&'static str>,
    parts: Vec<(String, Value)>,
    key: String,
}

fn end(name: Option<&'static str>, value: Value) -> Described {
    match name {
        Some(name) => variant(name, value),
        None => Described::Other(value),
    }
}

impl List {
    fn new(variant: Option<&'static str>) -> List {
        List { variant, parts: Vec::new() }
    }

    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        self.parts.push(value.serialize(Describe)?);
        Ok(())
    }

    fn end(self) -> Described {
        let byte = |part: &Described| match part {
            Described::Byte(byte) => Some(*byte),
            Described::Other(_) => None,
        };
        let bytes: Option<Vec<u8>> = self.parts.iter().map(byte).collect();
        let value = match bytes {
            Some(bytes) if !bytes.is_empty() => Value::Bytes(bytes),
            _ => Value::List(self.parts.into_iter().map(Described::into_value).collect()),
        };
        end(self.variant, value)
    }
}

impl Map {
    fn new(variant: Option<&'static str>) -> Map {
        Map { variant, parts: Vec::new(), key: String::new() }
    }

    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), NotDescribed> {
        self.parts.push((key.to_owned(), value.serialize(Describe)?.into_value()));
        Ok(())
    }

    fn end(self) -> Described {
        end(self.variant, Value::Map(self.parts))
    }
}

/// serde has a trait for each kind of list, with the same two methods.
macro_rules! serialize_list {
    ($($kind:ident: $add:ident),*) => {$(
        impl ser::$kind for List {
            type Ok = Described;
            type Error = NotDescribed;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
                self.add(value)
            }

            fn end(self) -> Result<Described, NotDescribed> {
                Ok(List::end(self))
            }
        }
    )*};
}

serialize_list! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
}

impl ser::SerializeMap for Map {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotDescribed> {
        self.key = match key.serialize(Describe)?.into_value() {
            Value::Text(text) => text,
            Value::Unsigned(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        let key = std::mem::take(&mut self.key);
        self.add(&key, value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(Map::end(self))
    }
}

impl ser::SerializeStruct for Map {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NotDescribed> {
        self.add(key, value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(Map::end(self))
    }
}

impl ser::SerializeStructVariant for Map {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NotDescribed> {
        self.add(key, value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(Map::end(self))
    }
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
        assert_eq!(describe(&args), Some(expected));
    }

    #[test]
    fn a_type_that_cannot_be_serialized_has_no_description() {
        struct Broken;
        impl Serialize for Broken {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        assert_eq!(describe(&[Broken]), None);
    }
}
