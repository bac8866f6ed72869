//! The names of ends and servers.

use std::fmt;
use std::sync::Arc;

/// The name of an end or a server. It is cheap to clone.
///
/// The labs number their servers. A name can be made from a number, and [`Name::number`] gives it
/// back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    text: Arc<str>,
    number: Option<usize>,
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name as a number, if it is one.
    pub fn number(&self) -> Option<usize> {
        self.number
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name { text: text.into(), number: text.parse().ok() }
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name::from(text.as_str())
    }
}

impl From<usize> for Name {
    fn from(number: usize) -> Name {
        Name { text: number.to_string().into(), number: Some(number) }
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Name {
        name.clone()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.text)
    }
}
