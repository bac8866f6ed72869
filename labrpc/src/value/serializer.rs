//! The serializer that describes a value.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::Value;
use super::compound::{List, Map};

/// Describes any value.
pub(super) struct Describe;

/// A value, or a byte that becomes a part of bytes in a list of such, and a number elsewhere.
pub(super) enum Described {
    Byte(u8),
    Other(Value),
}

/// The only error is one of the type itself.
#[derive(Debug)]
pub(super) struct NotDescribed;

impl Described {
    pub(super) fn into_value(self) -> Value {
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
pub(super) fn variant(name: &str, value: Value) -> Described {
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
