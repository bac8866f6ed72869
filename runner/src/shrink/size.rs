//! How large a run is.

use choice::{Choice, Name};

/// The size of a run: choices that differ from a run in which nothing happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Calls to which the network did something.
    pub messages: usize,
    /// Faults that began.
    pub faults: usize,
    /// Commands that clients sent.
    pub commands: usize,
    /// Decisions of the schedule that did not let the running thread run on.
    pub switches: u64,
}

impl Size {
    pub(super) fn of(choices: &[Choice], switches: u64) -> Size {
        let mut size = Size { switches, ..Size::default() };
        for choice in choices {
            match choice.name {
                Name::Message { .. } | Name::CutReply { .. } => size.messages += 1,
                Name::Fault { .. } => size.faults += 1,
                Name::Command { .. } => size.commands += 1,
                Name::Wait { .. } | Name::Server { .. } => {}
            }
        }
        size
    }

    /// All choices together.
    pub fn total(&self) -> u64 {
        (self.messages + self.faults + self.commands) as u64 + self.switches
    }
}
