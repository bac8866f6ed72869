//! How many bytes a server has under way. Without this limit a Raft could use up the memory of the
//! machine.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The maximum that one server can have under way, in bytes of requests and replies. A call that
/// would exceed it is [`CallStep::Overloaded`](super::CallStep::Overloaded) and gets no answer.
///
/// A message to a server that cannot be reached does not count, since it is dropped immediately.
/// One that is held or delayed does. The reference has at most 1.6 MB under way (all tests, 3
/// seeds). So a Raft can send forty times as much before it waits for an answer.
pub const UNDER_WAY_BYTES_MAX: usize = 64 << 20;

/// The bytes that one server has under way.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    bytes: AtomicUsize,
}

/// One message under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    under_way: &'a UnderWay,
    bytes: usize,
}

impl UnderWay {
    /// None if the server has too much under way.
    pub(crate) fn take_on(&self, bytes: usize) -> Option<Load<'_>> {
        let add = |old: usize| {
            let new = old.saturating_add(bytes);
            (new <= UNDER_WAY_BYTES_MAX).then_some(new)
        };
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(Load { under_way: self, bytes })
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        self.under_way.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_until_it_is_dropped() {
        let under_way = UnderWay::default();
        let most = under_way.take_on(UNDER_WAY_BYTES_MAX);
        assert!(most.is_some() && under_way.take_on(1).is_none());
        assert!(under_way.take_on(usize::MAX).is_none());
        drop(most);
        assert!(under_way.take_on(1).is_some());
    }
}
