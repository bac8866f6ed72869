//! What ends and servers are called.

use std::fmt;
use std::sync::Arc;

/// The name of an end or a server; cheap to clone.
///
/// The labs number their servers, so a name is also made from a number, and [`Name::number`] gives
/// it back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number this name was made from, if it was made from one.
    pub fn number(&self) -> Option<usize> {
        self.0.parse().ok()
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(text.into())
    }
}

impl From<usize> for Name {
    fn from(number: usize) -> Name {
        Name(number.to_string().into())
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Name {
        name.clone()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
