//! Describes a value: a serializer whose output is a [`Value`].
//!
//! The value comes from code under test, and a recording keeps every description. So what nests too
//! deep or has too many parts has none.

mod part;
mod lists;

use std::cell::Cell;

use serde::{Serialize, Serializer};

use self::lists::{List, Map};
use self::part::{Describe, Described, NotDescribed, variant};
use crate::value::Value;

/// The limit on the values of one description. A list of bytes is one value.
const VALUES_MAX: usize = 1 << 17;

/// Describes a value; none if its type cannot be serialized, or if it exceeds a limit.
pub(crate) fn describe<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    let room = Cell::new(VALUES_MAX);
    value.serialize(Describe::within(&room)).ok().map(Described::into_value)
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

impl<'a> Serializer for Describe<'a> {
    type Ok = Described;
    type Error = NotDescribed;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    fn serialize_bool(self, v: bool) -> Result<Described, NotDescribed> {
        self.other(Value::Bool(v))
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
        self.other(u64::try_from(v).map_or(Value::Signed(v), Value::Unsigned))
    }

    fn serialize_i128(self, v: i128) -> Result<Described, NotDescribed> {
        self.text(v.to_string())
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
        self.other(Value::Unsigned(v))
    }

    fn serialize_u128(self, v: u128) -> Result<Described, NotDescribed> {
        self.text(v.to_string())
    }

    fn serialize_f32(self, v: f32) -> Result<Described, NotDescribed> {
        self.other(Value::Float(v.into()))
    }

    fn serialize_f64(self, v: f64) -> Result<Described, NotDescribed> {
        self.other(Value::Float(v))
    }

    fn serialize_char(self, v: char) -> Result<Described, NotDescribed> {
        self.text(v)
    }

    fn serialize_str(self, v: &str) -> Result<Described, NotDescribed> {
        self.text(v)
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Described, NotDescribed> {
        self.other(Value::Bytes(v.to_vec()))
    }

    fn serialize_none(self) -> Result<Described, NotDescribed> {
        self.other(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Described, NotDescribed> {
        self.part(value)
    }

    fn serialize_unit(self) -> Result<Described, NotDescribed> {
        self.other(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Described, NotDescribed> {
        self.other(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Described, NotDescribed> {
        self.text(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Described, NotDescribed> {
        self.part(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Described, NotDescribed> {
        self.other(variant(name, self.part(value)?.into_value()))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, NotDescribed> {
        Ok(List::new(self, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, NotDescribed> {
        Ok(List::new(self, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>, NotDescribed> {
        Ok(List::new(self, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<List<'a>, NotDescribed> {
        Ok(List::new(self, Some(name)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'a>, NotDescribed> {
        Ok(Map::new(self, None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Map<'a>, NotDescribed> {
        Ok(Map::new(self, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Map<'a>, NotDescribed> {
        Ok(Map::new(self, Some(name)))
    }
}

#[cfg(test)]
mod tests;
