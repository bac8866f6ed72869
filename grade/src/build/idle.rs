//! Finds a build that waits for something that never happens, long before its time limit: a
//! compiler that reads from its own pipe, for example.
//!
//! A build is idle if a compiler runs, and between two looks no thread of its processes, cargo
//! excepted, ran on a processor or waits for a processor or a disk. This does not depend on the
//! load of the machine. A thread that wants a processor is runnable (state R) and its delay grows.
//! A thread that waits for a disk, a network file system or swapped memory is in state D. A stopped
//! thread is in T. Only a thread that waits for another process, a lock or a timer is in S, and the
//! compilers of a build wait only for each other. File systems that another process serves are the
//! exception; they are recognized by the kernel function that waits. Cargo is excepted because it
//! wakes twice a second, and may rightly wait alone for a lock of another cargo. Looks are counted
//! and not seconds, so that a build is not blamed if the grader itself was stopped.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::bounds::IDLE_SECONDS_MAX;

/// The time between two looks.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
const COMPILER: &str = "rustc";
/// Parts of the names of kernel functions in which a thread in state S waits for a file system.
const OF_FILE_SYSTEMS: [&str; 6] = ["cifs", "fuse", "nfs", "p9_", "request_wait_answer", "rpc_"];

/// A watch over the processes of one build.
pub(crate) struct Idle {
    /// Cargo, the leader of the build's session or group.
    leader: u32,
    before: Option<Look>,
    /// The number of looks in a row that saw no progress.
    count: u64,
}

/// For each thread its time on a processor, the time it waited for one, and how often it ran.
type Look = BTreeMap<(u32, String), String>;

impl Idle {
    pub(crate) fn of(leader: u32) -> Idle {
        Idle { leader, before: None, count: 0 }
    }

    /// Whether the build has been idle for too long. Call it once in each [`LOOK`].
    pub(crate) fn look(&mut self) -> bool {
        let now = look(self.leader);
        self.count = match (&self.before, &now) {
            (Some(before), Some(now)) if before == now => self.count + 1,
            _ => 0,
        };
        self.before = now;
        self.count >= IDLE_SECONDS_MAX
    }
}

/// None unless there is a compiler and all threads sleep, or if the kernel does not say.
fn look(leader: u32) -> Option<Look> {
    let mut threads = Look::new();
    let mut compiles = false;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended, or belong to another user.
        let Some(stat) = Stat::read(&format!("/proc/{process}/stat")) else { continue };
        if process == leader || (stat.group != leader && stat.session != leader) {
            continue;
        }
        compiles |= stat.name == COMPILER;
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten() {
            let folder = thread.path();
            let stat = Stat::read(&format!("{}/stat", folder.display()))?;
            // Empty or 0 if the kernel does not say.
            let waits_in = fs::read_to_string(folder.join("wchan")).unwrap_or_default();
            if stat.state != "S" || OF_FILE_SYSTEMS.iter().any(|it| waits_in.contains(it)) {
                return None;
            }
            let times = fs::read_to_string(folder.join("schedstat")).ok()?;
            threads.insert((process, thread.file_name().to_str()?.into()), times);
        }
    }
    compiles.then_some(threads)
}

/// The state of a process or a thread, from the kernel.
struct Stat {
    name: String,
    state: String,
    group: u32,
    session: u32,
}

impl Stat {
    fn read(file: &str) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(file).ok()?)
    }

    fn parse(text: &str) -> Option<Stat> {
        // A name may contain parentheses and spaces.
        let (name, rest) = text.split_once('(')?.1.rsplit_once(')')?;
        let mut words = rest.split_whitespace();
        let state = words.next()?.into();
        let mut number = |at: usize| words.nth(at)?.parse().ok();
        Some(Stat { name: name.into(), state, group: number(1)?, session: number(0)? })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process_group};
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_name_may_look_like_anything() {
        let stat = Stat::parse("17 (a) R (b) S 1 16 15 0 -1 4194304").unwrap();
        assert_eq!((&*stat.name, &*stat.state), ("a) R (b", "S"));
        assert_eq!((stat.group, stat.session), (16, 15));
    }

    /// A shell with the name of a compiler, in its parent's group.
    struct Build {
        leader: Child,
        _folder: TempDir,
    }

    impl Build {
        fn that(name: &str, does: &str) -> Build {
            let folder = TempDir::new().unwrap();
            let program = folder.path().join(name);
            fs::copy(fs::canonicalize("/bin/sh").unwrap(), &program).unwrap();
            // The shell's child, because the leader stands for cargo.
            let script = format!("{} -c '{does}' <&3; true", program.display());
            let leader = Command::new("/bin/sh")
                .args(["-c", &format!("exec 3<&0; {script}")])
                .stdin(Stdio::piped())
                .process_group(0)
                .spawn();
            Build { leader: leader.unwrap(), _folder: folder }
        }

        fn idle(&self) -> Idle {
            Idle::of(self.leader.id())
        }

        /// Waits until the compiler runs and waits.
        fn settled(self) -> Build {
            while look(self.leader.id()).is_none() {
                std::thread::yield_now();
            }
            self
        }
    }

    impl Drop for Build {
        fn drop(&mut self) {
            let _ = kill_process_group(Pid::from_child(&self.leader), Signal::KILL);
            let _ = self.leader.wait();
        }
    }

    /// The number of looks does not depend on the time between them.
    #[test]
    fn a_compiler_that_waits_is_idle() {
        let build = Build::that("rustc", "read never").settled();
        let mut idle = build.idle();
        let looks = (0..1000).take_while(|_| !idle.look()).count() as u64;
        assert!((IDLE_SECONDS_MAX..1000).contains(&looks), "{looks}");
    }

    #[test]
    fn a_compiler_that_is_stopped_or_computes_is_not_idle() {
        let build = Build::that("rustc", "read never").settled();
        let mut idle = build.idle();
        kill_process_group(Pid::from_child(&build.leader), Signal::STOP).unwrap();
        while look(build.leader.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(!(0..100).any(|_| idle.look()));

        let build = Build::that("rustc", "while :; do :; done");
        let mut idle = build.idle();
        assert!(!(0..100).any(|_| idle.look()));
    }

    #[test]
    fn cargo_without_a_compiler_is_not_idle() {
        let build = Build::that("build-script", "read never");
        let mut idle = build.idle();
        assert!(!(0..100).any(|_| idle.look()));
        assert_eq!(idle.count, 0);
    }
}
