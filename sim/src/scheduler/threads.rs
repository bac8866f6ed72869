//! The scheduler's report about its threads.

use std::backtrace::Backtrace;
use std::sync::Arc;
use std::time::Duration;

use crate::report::{ThreadInfo, ThreadState};
use crate::scheduler::Scheduler;
use crate::scheduler::thread::{State, name_of};

impl Scheduler {
    /// Every live thread, in order of creation.
    pub(crate) fn infos(&self) -> Vec<ThreadInfo> {
        let at = Duration::from_nanos;
        let mut infos: Vec<ThreadInfo> = self
            .threads
            .iter()
            .filter(|thread| !matches!(thread.state, State::Free | State::Discarded))
            .map(|thread| {
                let group = thread.label.group;
                let deadline = thread.deadline.map(|local| self.groups.global(group, local));
                ThreadInfo {
                    id: thread.id,
                    name: name_of(&thread.name),
                    label: thread.label,
                    state: match thread.state {
                        State::Running => ThreadState::Running,
                        State::Sleeping => {
                            ThreadState::Sleeping { until: at(deadline.unwrap_or(u64::MAX)) }
                        }
                        State::Futex { .. } => ThreadState::Waiting { deadline: deadline.map(at) },
                        State::Joining { id } => ThreadState::Joining { thread: id },
                        _ => ThreadState::Ready,
                    },
                    since: at(thread.since),
                    waited: at(self.now.saturating_sub(thread.since)),
                    paused: self.groups.is_paused(group),
                    backtrace: None,
                }
            })
            .collect();
        infos.sort_unstable_by_key(|info| info.id);
        infos
    }
}

/// Adds each backtrace to the thread with its number.
pub(crate) fn attach(infos: &mut [ThreadInfo], traces: Vec<(u32, Backtrace)>) {
    for (id, backtrace) in traces {
        if let Some(info) = infos.iter_mut().find(|info| info.id == id) {
            info.backtrace = Some(Arc::new(backtrace));
        }
    }
}
