//! The output of simulated threads in the scheduler.

use crate::options::Output;
use crate::scheduler::Scheduler;
use crate::scheduler::thread::State;

impl Scheduler {
    pub(crate) fn output(&self) -> Output {
        self.lines.output
    }

    /// Takes bytes that the running thread writes.
    pub(crate) fn write_lines(&mut self, fd: i32, bytes: &[u8]) {
        let slot = self.current;
        let thread = &self.threads[slot as usize];
        self.lines.write(slot, fd, bytes, self.now, thread);
    }

    pub(super) fn flush_lines(&mut self, slot: u32) {
        let thread = &self.threads[slot as usize];
        self.lines.flush(slot, self.now, thread);
    }

    /// Writes out the incomplete lines.
    pub(crate) fn flush_all_lines(&mut self) {
        for slot in 0..self.threads.len() as u32 {
            if self.threads[slot as usize].state != State::Free {
                self.flush_lines(slot);
            }
        }
    }
}
