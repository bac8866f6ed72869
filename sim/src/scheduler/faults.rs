//! Faults of a group of threads: pause, resume, discard, and a changed clock.

use crate::border::BORDER;
use crate::scheduler::Scheduler;
use crate::scheduler::thread::State;

impl Scheduler {
    pub(crate) fn pause(&mut self, group: u32) {
        self.groups.set_paused(group, true);
        let threads = &mut self.threads;
        self.ready.remove(|ready| {
            let thread = &mut threads[ready.slot as usize];
            let held = thread.label.group == group;
            if held {
                thread.state = State::Held;
            }
            held
        });
    }

    pub(crate) fn resume(&mut self, group: u32) {
        self.groups.set_paused(group, false);
        for slot in 0..self.threads.len() as u32 {
            let thread = &self.threads[slot as usize];
            if thread.state == State::Held && thread.label.group == group {
                self.make_ready(slot);
            }
        }
    }

    /// Ends a group's threads immediately. The locks that they hold stay held, and no destructor
    /// runs.
    pub(crate) fn discard(&mut self, group: u32) {
        self.groups.set_paused(group, false);
        let threads = &self.threads;
        self.ready.remove(|ready| threads[ready.slot as usize].label.group == group);
        for slot in 0..self.threads.len() as u32 {
            let thread = &mut self.threads[slot as usize];
            if thread.state == State::Free || thread.label.group != group {
                continue;
            }
            if let State::Futex { address } = thread.state {
                BORDER.with(|waiters| waiters.remove(address, slot));
            }
            if thread.state != State::Discarded {
                thread.state = State::Discarded;
                thread.sim_thread = None;
                self.timers.cancel(slot);
                self.alive -= 1;
            }
        }
    }

    /// Changes the rate of a group's clock, and moves its timers accordingly.
    pub(crate) fn set_rate(&mut self, group: u32, rate_ppm: u64) {
        self.groups.set_rate(group, rate_ppm, self.now);
        self.move_timers(group);
    }

    /// Sets the clocks of several groups to the one that is furthest ahead, so that none goes back.
    pub(crate) fn align_clocks(&mut self, groups: &[u32]) {
        let latest = groups.iter().map(|group| self.groups.local(*group, self.now)).max();
        for group in groups {
            self.groups.set_clock(*group, latest.unwrap_or(self.now), self.now);
            self.move_timers(*group);
        }
    }

    /// The time of the run at which a group's clock shows `local`.
    pub(crate) fn time_of(&self, group: u32, local: u64) -> u64 {
        self.groups.global(group, local)
    }

    /// Moves the timers of a group whose clock has changed.
    fn move_timers(&mut self, group: u32) {
        for slot in 0..self.threads.len() as u32 {
            let thread = &self.threads[slot as usize];
            let waits = matches!(thread.state, State::Sleeping | State::Futex { .. });
            if waits
                && thread.label.group == group
                && !thread.spurious
                && let Some(local) = thread.deadline
            {
                self.timers.set(slot, self.groups.global(group, local));
            }
        }
    }
}
