//! Describes what has several parts: lists and maps.

use serde::{Serialize, ser};

use super::part::{Describe, Described, NotDescribed, variant};
use crate::value::Value;

/// A list, a tuple, or a variant with fields by position.
pub(crate) struct List<'a> {
    describe: Describe<'a>,
    variant: Option<&'static str>,
    parts: Parts,
}

/// The parts of a list, which can be long if they are bytes.
enum Parts {
    Bytes(Vec<u8>),
    Values(Vec<Value>),
}

/// A map, a struct, or a variant with named fields.
pub(crate) struct Map<'a> {
    describe: Describe<'a>,
    variant: Option<&'static str>,
    parts: Vec<(String, Value)>,
    key: String,
}

fn end(
    describe: Describe<'_>,
    name: Option<&str>,
    value: Value,
) -> Result<Described, NotDescribed> {
    describe.other(match name {
        Some(name) => variant(name, value),
        None => value,
    })
}

impl<'a> List<'a> {
    pub(crate) fn new(describe: Describe<'a>, variant: Option<&'static str>) -> List<'a> {
        List { describe, variant, parts: Parts::Bytes(Vec::new()) }
    }

    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        match (self.describe.part(value)?, &mut self.parts) {
            (Described::Byte(byte), Parts::Bytes(bytes)) => bytes.push(byte),
            (Described::Other(value), Parts::Bytes(bytes)) => {
                self.describe.take_room(bytes.len())?;
                let numbers = bytes.iter().map(|byte| Value::Unsigned((*byte).into()));
                self.parts = Parts::Values(numbers.chain([value]).collect());
            }
            (Described::Byte(byte), Parts::Values(values)) => {
                self.describe.take_room(1)?;
                values.push(Value::Unsigned(byte.into()));
            }
            (Described::Other(value), Parts::Values(values)) => values.push(value),
        }
        Ok(())
    }

    fn end(self) -> Result<Described, NotDescribed> {
        let value = match self.parts {
            Parts::Bytes(bytes) if bytes.is_empty() => Value::List(Vec::new()),
            Parts::Bytes(bytes) => Value::Bytes(bytes),
            Parts::Values(values) => Value::List(values),
        };
        end(self.describe, self.variant, value)
    }
}

impl<'a> Map<'a> {
    pub(crate) fn new(describe: Describe<'a>, variant: Option<&'static str>) -> Map<'a> {
        Map { describe, variant, parts: Vec::new(), key: String::new() }
    }

    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), NotDescribed> {
        self.parts.push((key.to_owned(), self.describe.part(value)?.into_value()));
        Ok(())
    }

    fn end(self) -> Result<Described, NotDescribed> {
        end(self.describe, self.variant, Value::Map(self.parts))
    }
}

/// serde has a trait for each kind of list, with the same two methods.
macro_rules! serialize_list {
    ($($kind:ident: $add:ident),*) => {$(
        impl ser::$kind for List<'_> {
            type Ok = Described;
            type Error = NotDescribed;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
                self.add(value)
            }

            fn end(self) -> Result<Described, NotDescribed> {
                List::end(self)
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

impl ser::SerializeMap for Map<'_> {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotDescribed> {
        self.key = match self.describe.part(key)?.into_value() {
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
        Map::end(self)
    }
}

impl ser::SerializeStruct for Map<'_> {
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
        Map::end(self)
    }
}

impl ser::SerializeStructVariant for Map<'_> {
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
        Map::end(self)
    }
}
