//! Values with parts: lists and maps, while their parts come one by one.

use serde::Serialize;
use serde::ser;

use super::Value;
use super::serializer::{Describe, Described, NotDescribed, variant};

/// A list, a tuple, or a variant with fields by position.
pub(super) struct List {
    variant: Option<&'static str>,
    parts: Vec<Described>,
}

/// A map, a struct, or a variant with named fields.
pub(super) struct Map {
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
    pub(super) fn new(variant: Option<&'static str>) -> List {
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
    pub(super) fn new(variant: Option<&'static str>) -> Map {
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

impl ser::SerializeSeq for List {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        self.add(value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(List::end(self))
    }
}

impl ser::SerializeTuple for List {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        self.add(value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(List::end(self))
    }
}

impl ser::SerializeTupleStruct for List {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        self.add(value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(List::end(self))
    }
}

impl ser::SerializeTupleVariant for List {
    type Ok = Described;
    type Error = NotDescribed;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotDescribed> {
        self.add(value)
    }

    fn end(self) -> Result<Described, NotDescribed> {
        Ok(List::end(self))
    }
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
