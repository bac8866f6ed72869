//! The directed links between servers, and what is wrong with them.

use std::collections::BTreeMap;

use super::address::Address;
use super::fate::{self, Disturbance};

/// All links of a network that were ever changed.
#[derive(Default)]
pub(crate) struct Links {
    /// By the indices of sender and receiver.
    changed: BTreeMap<(usize, usize), Link>,
}

/// The link from one server to another.
#[derive(Default)]
pub(crate) struct Link {
    pub(crate) cut: bool,
    pub(crate) hold: Option<Hold>,
    pub(crate) disturbance: Disturbance,
}

/// Messages on a link are held back.
#[derive(Default)]
pub(crate) struct Hold {
    /// Only those of calls of these kinds; of all kinds if none.
    pub(crate) only: Option<Vec<String>>,
    /// Messages that come now overtake those that are held.
    pub(crate) lets_pass: bool,
}

impl Links {
    pub(crate) fn change(&mut self, from: &Address, to: &Address) -> &mut Link {
        self.changed.entry((from.index, to.index)).or_default()
    }

    /// The link between two servers; none if nothing is wrong with it, or if either is unknown.
    pub(crate) fn get(&self, (from, to): (Option<&Address>, Option<&Address>)) -> Option<&Link> {
        // Most runs never change a link, and this is on the path of every call.
        if self.changed.is_empty() {
            return None;
        }
        self.changed.get(&(from?.index, to?.index))
    }
}

impl Link {
    /// Whether it holds a message that comes now.
    pub(crate) fn holds(&self, kind: &str) -> bool {
        let hold = self.hold.as_ref();
        hold.is_some_and(|hold| !hold.lets_pass && fate::concerns(hold.only.as_deref(), kind))
    }
}
