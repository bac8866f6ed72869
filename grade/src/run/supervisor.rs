//! Watches one run: measures what it uses, ends it at a limit, and decides whose fault it is if it
//! leaves no outcome.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use config::{Class, Failure};
use runner::{End, RUN_LIMIT, Supervisor, TimeLimit};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use wait_timeout::ChildExt;

use crate::bounds::{
    GAP_MAX, LOOK_INTERVAL, RUN_CPU_S_MAX, RUN_FAIR_RESIDENT_BYTES_MAX,
    RUN_IN_PROCESS_RESIDENT_BYTES_MAX, RUN_RESIDENT_BYTES_MAX, RUN_WALL_PER_CPU, RUN_WALL_S_MAX,
};
use crate::isolation::Isolation;

/// The unit in which Linux shows processor time, independent of its own clock.
const TICKS_PER_S: u64 = 100;

/// The watch over one run.
pub(crate) struct Watch<'a> {
    folder: &'a Path,
    isolation: Isolation,
    used: Cell<Used>,
    looked_at: Cell<Option<Instant>>,
}

/// The resources that a run has used.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Used {
    cpu: Duration,
    wall: Duration,
    /// The maximum of its own process.
    resident_bytes: u64,
    /// The maximum of its own process and its peers' together.
    all_resident_bytes: u64,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(folder: &'a Path, isolation: Isolation) -> Watch<'a> {
        Watch { folder, isolation, used: Cell::default(), looked_at: Cell::default() }
    }

    pub(crate) fn used(&self) -> Used {
        self.used.get()
    }

    /// True when the process has ended, false after an interval.
    fn ends_soon(child: &mut Child) -> io::Result<bool> {
        let Ok(pidfd) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) else {
            // Then its use at the end is unknown.
            return Ok(child.wait_timeout(LOOK_INTERVAL)?.is_some());
        };
        let interval = Timespec {
            tv_sec: LOOK_INTERVAL.as_secs().cast_signed(),
            tv_nsec: LOOK_INTERVAL.subsec_nanos().into(),
        };
        let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
        match poll(&mut ended, Some(&interval)) {
            Err(rustix::io::Errno::INTR) => Ok(false),
            ready => Ok(ready? > 0),
        }
    }

    fn look(&self, pid: u32, began: Instant) {
        let seen = Process::read(pid);
        let peers: Vec<Process> =
            children(pid).into_iter().map(Process::read).filter(|it| it.parent == pid).collect();
        let before = self.used.get();
        let cpu = seen.cpu + peers.iter().map(|peer| peer.cpu).sum::<Duration>();
        let all = seen.resident_bytes + peers.iter().map(|peer| peer.resident_bytes).sum::<u64>();
        self.used.set(Used {
            cpu: before.cpu.max(cpu),
            // A run does not take longer because the grader was stopped or the machine suspended.
            wall: before.wall + self.gap(began).min(GAP_MAX),
            resident_bytes: before.resident_bytes.max(seen.resident_bytes),
            all_resident_bytes: before.all_resident_bytes.max(all),
        });
    }

    /// The real time since the last look.
    fn gap(&self, began: Instant) -> Duration {
        let now = Instant::now();
        now - self.looked_at.replace(Some(now)).unwrap_or(began)
    }

    /// The failure if the run must be ended.
    fn excess(&self) -> Option<Failure> {
        let Used { cpu, wall, resident_bytes, .. } = self.used.get();
        let resident_bytes_max = match self.isolation {
            Isolation::Process => RUN_RESIDENT_BYTES_MAX,
            Isolation::Thread => RUN_IN_PROCESS_RESIDENT_BYTES_MAX,
        };
        if cpu > Duration::from_secs(RUN_CPU_S_MAX) {
            let sentence = format!("the run used more than {RUN_CPU_S_MAX} s of CPU time");
            return Some(Failure::new(Class::Timeout, sentence));
        }
        if resident_bytes > resident_bytes_max {
            let mib = resident_bytes_max >> 20;
            let sentence = format!(
                "the run used more than {mib} MiB of memory for what its servers saved and sent"
            );
            return Some(Failure::new(Class::Limit, sentence));
        }
        match self.isolation {
            Isolation::Process if wall > Duration::from_secs(RUN_WALL_S_MAX) => {
                let sentence =
                    format!("the machine was too busy for the run: it took {RUN_WALL_S_MAX} s");
                Some(Failure::new(Class::Infra, sentence))
            }
            Isolation::Thread if wall > RUN_LIMIT => Some(TimeLimit::hung()),
            _ => None,
        }
    }
}

impl Supervisor for Watch<'_> {
    fn folder(&self) -> Option<&Path> {
        Some(self.folder)
    }

    fn wait(&self, child: &mut Child) -> io::Result<End> {
        let began = Instant::now();
        loop {
            let has_ended = Watch::ends_soon(child)?;
            // A process that has ended shows its use until it is waited for.
            self.look(child.id(), began);
            if has_ended {
                return child.wait().map(End::Ended);
            }
            if let Some(failure) = self.excess() {
                return Ok(End::Stopped(failure));
            }
        }
    }

    /// If peers are processes, no code of a submission runs in the process of the run, so its end
    /// is never the submission's fault.
    fn without_outcome(&self, status: ExitStatus, printed: &str, takes_files: bool) -> Failure {
        match self.isolation {
            Isolation::Thread => TimeLimit.without_outcome(status, printed, takes_files),
            Isolation::Process => {
                let why = if takes_files { "" } else { "; there is no space for its files" };
                let sentence =
                    format!("the process of the run ended without a result: {status}{why}");
                Failure::new(Class::Infra, sentence)
            }
        }
    }
}

impl Used {
    /// The processor time that is charged to the submission.
    pub(crate) fn cost(&self) -> Duration {
        self.cpu.max(self.wall / RUN_WALL_PER_CPU)
    }

    /// Replaces a fault of the kit if the run itself used up the memory.
    pub(crate) fn excess_of_memory(&self, failure: &Failure) -> Option<Failure> {
        // The amount differs from run to run, so it is not reported.
        let mib = RUN_FAIR_RESIDENT_BYTES_MAX >> 20;
        (self.all_resident_bytes > RUN_FAIR_RESIDENT_BYTES_MAX).then(|| {
            let sentence =
                format!("the servers used more than {mib} MiB, and the machine ran out of memory");
            Failure::new(Class::Limit, sentence).with_notes([failure.sentence.clone()])
        })
    }
}

/// The values that Linux shows for a process. All are zero if it is gone.
#[derive(Default)]
struct Process {
    parent: u32,
    /// Its own processor time, and that of children that have ended.
    cpu: Duration,
    resident_bytes: u64,
}

impl Process {
    fn read(pid: u32) -> Process {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // After the name, which may contain anything: see proc_pid_stat(5).
        let (_, fields) = text.rsplit_once(')').unwrap_or_default();
        let fields: Vec<u64> =
            fields.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or(0);
        let ticks: u64 = (11..=14).map(field).sum();
        let page = rustix::param::page_size() as u64;
        Process {
            parent: u32::try_from(field(1)).unwrap_or(0),
            cpu: Duration::from_millis(ticks * (1000 / TICKS_PER_S)),
            resident_bytes: field(21) * page,
        }
    }
}

/// The children of all threads: the peers of a run.
fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|it| it.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[track_caller]
    fn check(isolation: Isolation, used: Used, expected: Option<Class>) {
        let watch = Watch::new(Path::new(""), isolation);
        watch.used.set(used);
        assert_eq!(watch.excess().map(|failure| failure.class), expected, "{used:?}");
    }

    #[test]
    fn a_run_that_exceeds_a_limit_is_ended() {
        let seconds = Duration::from_secs;
        for isolation in [Isolation::Process, Isolation::Thread] {
            check(isolation, Used { cpu: seconds(59), wall: seconds(59), ..Used::default() }, None);
            let cpu = Used { cpu: seconds(61), wall: seconds(61), ..Used::default() };
            check(isolation, cpu, Some(Class::Timeout));
            let resident = Used { resident_bytes: 5 << 30, ..Used::default() };
            check(isolation, resident, Some(Class::Limit));
        }
        // With processes the machine gave no CPU time to the run. With threads it hung.
        let long = Used { cpu: seconds(50), wall: RUN_LIMIT + seconds(1), ..Used::default() };
        check(Isolation::Process, long, None);
        check(Isolation::Thread, long, Some(Class::Timeout));
        let slow = Used { wall: seconds(RUN_WALL_S_MAX + 1), ..long };
        check(Isolation::Process, slow, Some(Class::Infra));
    }

    #[test]
    fn a_run_without_an_outcome_is_judged_by_the_code_that_ran_in_it() {
        let class = |isolation| {
            let killed = ExitStatus::from_raw(9);
            Watch::new(Path::new(""), isolation).without_outcome(killed, "", true).class
        };
        assert_eq!(
            [class(Isolation::Process), class(Isolation::Thread)],
            [Class::Infra, Class::Panic]
        );
    }

    #[test]
    fn a_lack_of_memory_is_the_fault_of_a_run_that_used_much() {
        let failure = Failure::new(Class::Infra, "failed to talk to server 1's process");
        let class = |mib: u64| {
            let used = Used { all_resident_bytes: mib << 20, ..Used::default() };
            used.excess_of_memory(&failure).map(|failure| failure.class)
        };
        assert_eq!([class(219), class(400)], [None, Some(Class::Limit)]);
    }

    #[test]
    fn this_process_uses_something() {
        let process = Process::read(std::process::id());
        assert!(process.resident_bytes > 0 && process.parent > 0);
    }
}
