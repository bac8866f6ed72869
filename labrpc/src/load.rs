//! How many bytes of each server are under way: a network that took any amount would be a way to
//! use up the memory of the machine.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::name::Name;

/// What one server may have under way at once, its requests and its replies, in bytes; a call that
/// would exceed it is [`Step::Overloaded`](crate::Step::Overloaded) and gets no answer.
///
/// What goes to a server that cannot be reached does not count, as it is dropped at once; what is
/// held back or delayed does. The reference has at most 1.6 MB under way (all tests, 3 seeds), so
/// that a Raft may send forty times as much before it waits for an answer.
pub const UNDER_WAY_BYTES_MAX: usize = 64 << 20;

/// The bytes under way, by the server that they come from.
#[derive(Default)]
pub(crate) struct Loads {
    bytes: Mutex<BTreeMap<Option<Name>, usize>>,
}

/// One message under way, until this is dropped.
pub(crate) struct Load<'a> {
    loads: &'a Loads,
    from: Option<Name>,
    bytes: usize,
}

impl Loads {
    /// None if that server has too much under way.
    pub(crate) fn take_on(&self, from: Option<&Name>, bytes: usize) -> Option<Load<'_>> {
        let from = from.cloned();
        let mut all = self.bytes.lock();
        let of_server = all.entry(from.clone()).or_default();
        let sum = of_server.saturating_add(bytes);
        if sum > UNDER_WAY_BYTES_MAX {
            return None;
        }
        *of_server = sum;
        Some(Load { loads: self, from, bytes })
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        if let Some(of_server) = self.loads.bytes.lock().get_mut(&self.from) {
            *of_server -= self.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_may_have_so_much_under_way() {
        let loads = Loads::default();
        let (ada, bob) = (Name::from("ada"), Name::from("bob"));
        let most = loads.take_on(Some(&ada), UNDER_WAY_BYTES_MAX);
        assert!(most.is_some() && loads.take_on(Some(&ada), 1).is_none());
        assert!(loads.take_on(Some(&bob), 1).is_some() && loads.take_on(None, 1).is_some());
        drop(most);
        assert!(loads.take_on(Some(&ada), 1).is_some());
    }
}
