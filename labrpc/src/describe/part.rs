//! A part of a description, and the limits on it.

use std::cell::Cell;
use std::fmt;

use serde::{Serialize, ser};

use crate::value::Value;

/// The limit on values in values. A reader of JSON has a limit twice as high.
const DEPTH_MAX: usize = 60;

/// Describes any value.
#[derive(Clone, Copy)]
pub(crate) struct Describe<'a> {
    /// The number of values around this one.
    depth: usize,
    /// The number of further values.
    room: &'a Cell<usize>,
}

/// A value or a single byte. A list of bytes becomes [`Value::Bytes`]; elsewhere a byte is a
/// number.
pub(crate) enum Described {
    Byte(u8),
    Other(Value),
}

/// The type's own `Serialize` fails, or the description exceeds a limit.
#[derive(Debug)]
pub(crate) struct NotDescribed;

impl Described {
    pub(crate) fn into_value(self) -> Value {
        match self {
            Described::Byte(byte) => Value::Unsigned(byte.into()),
            Described::Other(value) => value,
        }
    }
}

impl fmt::Display for NotDescribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be described")
    }
}

impl std::error::Error for NotDescribed {}

impl ser::Error for NotDescribed {
    fn custom<T: fmt::Display>(_: T) -> NotDescribed {
        NotDescribed
    }
}

/// A value that stands for a variant with fields.
pub(crate) fn variant(name: &str, value: Value) -> Value {
    Value::Map(vec![(name.to_owned(), value)])
}

impl<'a> Describe<'a> {
    /// Describes a value that is in no other. `room` is the number of values that it can have.
    pub(crate) fn within(room: &'a Cell<usize>) -> Describe<'a> {
        Describe { depth: 0, room }
    }

    /// Describes a part of this value.
    pub(crate) fn part<T: Serialize + ?Sized>(self, part: &T) -> Result<Described, NotDescribed> {
        if self.depth == DEPTH_MAX {
            return Err(NotDescribed);
        }
        part.serialize(Describe { depth: self.depth + 1, ..self })
    }

    pub(crate) fn other(self, value: Value) -> Result<Described, NotDescribed> {
        self.take_room(1)?;
        Ok(Described::Other(value))
    }

    pub(crate) fn text(self, text: impl Into<String>) -> Result<Described, NotDescribed> {
        self.other(Value::Text(text.into()))
    }

    pub(crate) fn take_room(self, values: usize) -> Result<(), NotDescribed> {
        self.room.set(self.room.get().checked_sub(values).ok_or(NotDescribed)?);
        Ok(())
    }
}
