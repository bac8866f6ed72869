//! Notices a build that waits for something that never comes, such as a compiler that reads from
//! its own pipe, long before its time is over.
//!
//! A build is idle if some compiler runs, and between two looks no thread of any of its processes
//! but cargo itself was on a processor once, or waits for one, or for a disk. That is no matter of
//! how busy the machine is: a thread that wants a processor is runnable (state R) and its delay
//! grows; one that waits for a disk, a network's file system or for memory to be swapped in is in
//! state D; one that was stopped is in T. Only one that waits for another process, a lock or a
//! timer is in S, and the compilers of a build wait for nobody but each other. File systems that
//! another process serves are the exception, and are known by where the kernel waits. Cargo is left
//! out, since it wakes twice a second, and alone it may wait for a lock that another cargo holds.
//! Looks are counted, not seconds, so that a grader that was stopped itself blames nobody.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::bounds::IDLE_SECONDS_MAX;

/// The time between two looks.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
const COMPILER: &str = "rustc";
/// Functions of the kernel, by a part of their names, in which a thread in state S waits for a file
/// system.
const OF_FILE_SYSTEMS: [&str; 6] = ["cifs", "fuse", "nfs", "p9_", "request_wait_answer", "rpc_"];

/// A watch over the processes of one build.
pub(crate) struct Idle {
    /// Cargo, which leads the session or the group of the build.
    leader: u32,
    before: Option<Look>,
    /// So many looks in a row have seen nothing move.
    count: u64,
}

/// For each thread that its processes have, the time it was on a processor, the time it waited for
/// one, and how often it was there.
type Look = BTreeMap<(u32, String), String>;

impl Idle {
    pub(crate) fn of(leader: u32) -> Idle {
        Idle { leader, before: None, count: 0 }
    }

    /// To be called once in each [`LOOK`]: whether the build has waited for long enough.
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

/// None unless a compiler is there and all threads sleep; nor where the kernel does not tell.
fn look(leader: u32) -> Option<Look> {
    let mut threads = Look::new();
    let mut compiles = false;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended meanwhile, or be somebody else's.
        let Some(stat) = Stat::read(&format!("/proc/{process}/stat")) else { continue };
        if process == leader || (stat.group != leader && stat.session != leader) {
            continue;
        }
        compiles |= stat.name == COMPILER;
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten() {
            let folder = thread.path();
            let stat = Stat::read(&format!("{}/stat", folder.display()))?;
            // Empty or 0 where the kernel does not tell.
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

/// What the kernel says of a process or a thread.
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
        // A name may have parentheses and spaces in it.
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

    /// A shell under the name of a compiler, which leads no group but is in its parent's.
    struct Build {
        leader: Child,
        _folder: TempDir,
    }

    impl Build {
        fn that(name: &str, does: &str) -> Build {
            let folder = TempDir::new().unwrap();
            let program = folder.path().join(name);
            fs::copy(fs::canonicalize("/bin/sh").unwrap(), &program).unwrap();
            // The shell's own child, since the leader itself is cargo.
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

        /// Waits until the compiler has begun, and waits itself.
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
    fn a_compiler_that_waits_for_somebody_is_idle() {
        let build = Build::that("rustc", "read never").settled();
        let mut idle = build.idle();
        let looks = (0..1000).take_while(|_| !idle.look()).count() as u64;
        assert!((IDLE_SECONDS_MAX..1000).contains(&looks), "{looks}");
    }

    #[test]
    fn one_that_was_stopped_or_computes_is_not_idle() {
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
    fn cargo_alone_may_wait() {
        let build = Build::that("build-script", "read never");
        let mut idle = build.idle();
        assert!(!(0..100).any(|_| idle.look()));
        assert_eq!(idle.count, 0);
    }
}
