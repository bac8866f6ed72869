//! The liveness watchdog: limits the real time for which the grader waits for a peer's process.
//!
//! The process itself normally finds a thread that computes or waits without end, and reports it.
//! The watchdog is for a process that does not even do that.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use config::{Class, Failure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::run::remote::output::{OUTPUT_BYTES_MAX, ProcessOutput};

/// The interval between two looks at a process that does not answer.
const LOOK_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// The limit on processor time in clock ticks, of which Linux counts a hundred a second. It is more
/// than the watchdog inside the process allows.
const CPU_TICKS_MAX: u64 = 1_500;
/// The limit on looks in a row at which no thread wants to run. It is more than the watchdog inside
/// the process allows, too.
const LOOKS_ASLEEP_MAX: u32 = 200;
/// The limit on all looks of one round trip.
const LOOKS_MAX: u32 = 600;
/// A starved process waits for a processor for at least this many seconds of that time. It cannot
/// cause this itself: its threads would have to wait for each other, and then one of them computes.
const STARVED_S_MIN: u64 = 30;
/// A process that slept at this many looks, or computed for this many clock ticks, could have
/// answered in that time. One that did neither was starved, for example by a disk.
const SLOW_LOOKS_MIN: u32 = 100;
const SLOW_TICKS_MIN: u64 = 300;
/// The time to wait for the end of a process that has closed its connection.
const END_WITHIN_S: i64 = 5;

/// Why the watchdog gave up a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hang {
    Computes,
    Sleeps,
    /// It had time to answer, but it neither computed nor slept all the time.
    Slow,
    /// The machine gave it no processor time.
    Starved,
    /// It printed too much.
    Floods,
}

/// A connection that fails when its process hangs.
pub(super) struct Watchdog {
    from: File,
    to: File,
    output: ProcessOutput,
    pid: Pid,
    hang: Cell<Option<Hang>>,
    looks: Cell<u32>,
    looks_asleep: Cell<u32>,
    looks_asleep_total: Cell<u32>,
    /// At the first look.
    cpu_ticks: Cell<u64>,
    queued_ns: Cell<u64>,
}

impl Watchdog {
    pub(super) fn new(
        from: File,
        to: File,
        output: ProcessOutput,
        pid: Pid,
    ) -> io::Result<Watchdog> {
        ioctl_fionbio(&to, true)?;
        let (hang, looks, looks_asleep) = (Cell::new(None), Cell::new(0), Cell::new(0));
        let looks_asleep_total = Cell::new(0);
        let (cpu_ticks, queued_ns) = (Cell::new(0), Cell::new(0));
        Ok(Watchdog {
            from,
            to,
            output,
            pid,
            hang,
            looks,
            looks_asleep,
            looks_asleep_total,
            cpu_ticks,
            queued_ns,
        })
    }

    /// A new round trip begins.
    pub(super) fn begin(&self) {
        self.looks.set(0);
        self.looks_asleep.set(0);
        self.looks_asleep_total.set(0);
    }

    /// Why the connection was given up. None if it was not.
    pub(super) fn hang(&self) -> Option<Hang> {
        self.hang.get()
    }

    /// The output of its process.
    pub(super) fn output(&self) -> &ProcessOutput {
        &self.output
    }

    /// Waits until `file` is ready. Passes output on in the meantime.
    fn wait(&self, file: &File, events: PollFlags) -> io::Result<()> {
        loop {
            let source = self.output.source();
            let printed = source.unwrap_or(file.as_fd());
            let mut both =
                [PollFd::new(file, events), PollFd::from_borrowed_fd(printed, PollFlags::IN)];
            let count = 1 + usize::from(source.is_some());
            if poll(&mut both[..count], Some(&LOOK_INTERVAL))? == 0 {
                self.look()?;
            }
            let happened = |at: usize| at < count && !both[at].revents().is_empty();
            if happened(1) {
                self.output.take();
            }
            if self.output.is_too_much() {
                return Err(self.give_up(Hang::Floods));
            }
            if happened(0) {
                return Ok(());
            }
        }
    }

    fn give_up(&self, hang: Hang) -> io::Error {
        self.hang.set(Some(hang));
        io::ErrorKind::TimedOut.into()
    }

    /// Looks at a process that does not answer.
    fn look(&self) -> io::Result<()> {
        let (ticks, is_asleep) = state(self.pid);
        if self.looks.get() == 0 {
            self.cpu_ticks.set(ticks);
            self.queued_ns.set(queued_ns(self.pid).unwrap_or(0));
        }
        self.looks.set(self.looks.get() + 1);
        self.looks_asleep.set(if is_asleep { self.looks_asleep.get() + 1 } else { 0 });
        self.looks_asleep_total.set(self.looks_asleep_total.get() + u32::from(is_asleep));
        let ticks = ticks.saturating_sub(self.cpu_ticks.get());
        let hang = if ticks > CPU_TICKS_MAX {
            Hang::Computes
        } else if self.looks_asleep.get() > LOOKS_ASLEEP_MAX {
            Hang::Sleeps
        } else if self.looks.get() > LOOKS_MAX {
            match self.was_starved(ticks) {
                true => Hang::Starved,
                false => Hang::Slow,
            }
        } else {
            return Ok(());
        };
        Err(self.give_up(hang))
    }

    /// Whether the machine gave no CPU time to a process that has not answered, but has used this
    /// many clock ticks.
    fn was_starved(&self, ticks: u64) -> bool {
        let did_nothing = self.looks_asleep_total.get() < SLOW_LOOKS_MIN && ticks < SLOW_TICKS_MIN;
        let Some(now) = queued_ns(self.pid) else { return true };
        did_nothing || now.saturating_sub(self.queued_ns.get()) >= STARVED_S_MIN * 1_000_000_000
    }
}

impl Read for Watchdog {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(&self.from, PollFlags::IN)?;
        (&self.from).read(buffer)
    }
}

impl Write for Watchdog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match (&self.to).write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(&self.to, PollFlags::OUT)?;
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Hang {
    pub(super) fn verdict(self, server: usize) -> Failure {
        let process = format!("server {server}'s process");
        match self {
            Hang::Computes => {
                let sentence = format!("{process} is busy and does not respond");
                Failure::of(server, Class::Spin, sentence)
            }
            Hang::Sleeps => {
                let sentence = format!("{process} waits for something outside the lab");
                Failure::of(server, Class::Outside, sentence)
            }
            Hang::Floods => {
                let most = OUTPUT_BYTES_MAX >> 20;
                let sentence = format!("{process} printed more than {most} MiB");
                Failure::of(server, Class::Limit, sentence)
            }
            Hang::Slow => {
                let sentence = format!("{process} has not answered for a minute");
                Failure::of(server, Class::Timeout, sentence)
            }
            Hang::Starved => {
                let sentence = format!("the machine gave no CPU time to {process}");
                Failure::new(Class::Infra, sentence)
            }
        }
    }
}

/// The processor time of a process in clock ticks, and whether no thread of it wants to run.
fn state(pid: Pid) -> (u64, bool) {
    let stat = |file: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        // After the name, which may contain anything: see proc_pid_stat(5).
        let (_, fields) = text.rsplit_once(')').unwrap_or_default();
        fields.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let fields = stat(&format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let ticks = |field: usize| fields.get(field).and_then(|field| field.parse().ok()).unwrap_or(0);
    let tasks = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()))
        .into_iter()
        .flatten()
        .flatten();
    let mut states = tasks.map(|task| stat(&task.path().join("stat").to_string_lossy()));
    // A thread that waits for a disk (D) wants to run, too.
    let runs = states.any(|fields| fields.first().is_some_and(|it| it == "R" || it == "D"));
    (ticks(11) + ticks(12), !runs)
}

/// The longest time for which a thread of the process was ready but had no processor. None if the
/// kernel does not count it.
fn queued_ns(pid: Pid) -> Option<u64> {
    let tasks = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())).ok()?;
    let of_task = |task: fs::DirEntry| -> Option<u64> {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse().ok()
    };
    tasks.flatten().filter_map(of_task).max()
}

/// Waits a little for the end of a process. Returns whether it has ended.
pub(super) fn ended_soon(pid: Pid) -> bool {
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    let limit = Timespec { tv_sec: END_WITHIN_S, tv_nsec: 0 };
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready > 0)
}
