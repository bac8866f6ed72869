//! What the threads of the servers do, as far as virtual time lets the lab see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sim::{ThreadInfo, ThreadState};

use crate::label::Label;
use crate::lives::Life;

/// A thread that has waited so long without a limit is worth a note when something hangs.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// Folders with no code of an implementation's: an inlined call has no name to be told by.
const FOREIGN: [&str; 5] =
    ["/rustc/", "/registry/src/", "/sim/src/", "/labrpc/src/", "/grade/peer/src/"];
/// Code of the kit's crates, as it is called in a backtrace.
const KIT: [&str; 6] = ["labrpc::", "<labrpc::", "config::", "<config::", "peer::", "<peer::"];

/// ``server 1's thread `ticker` ``.
pub fn name(thread: &ThreadInfo) -> String {
    let owner = owner(thread);
    match own_name(thread) {
        "" => format!("an unnamed thread of {owner}"),
        name => format!("{owner}'s thread `{name}`"),
    }
}

/// `server 1`.
pub(crate) fn owner(thread: &ThreadInfo) -> String {
    match Label::of(thread.label) {
        Label::Kit => "the lab".to_owned(),
        Label::Server(server) => format!("server {server}"),
    }
}

/// Its name without its server's, which the threads have that the lab starts for one, for real
/// time.
pub(crate) fn own_name(thread: &ThreadInfo) -> &str {
    thread.name.trim_start_matches(owner(thread).as_str()).trim_start()
}

/// Where a thread stands, such as `in raft::Raft::tick at src/raft.rs:57:9`: the innermost call
/// that is neither of a library nor of the kit. None without a backtrace.
pub fn place(thread: &ThreadInfo) -> Option<String> {
    thread.frames().iter().find_map(|frame| {
        let (name, file) = frame.rsplit_once(" at ")?;
        let is_foreign = FOREIGN.iter().any(|folder| file.contains(folder));
        if is_foreign || !file.contains(".rs:") || is_of_kit(name) {
            return None;
        }
        // Where the crate lies is no news.
        let start = file.rfind("/src/").or_else(|| file.rfind("/tests/")).map_or(0, |at| at + 1);
        Some(format!("in {name} at {}", &file[start..]))
    })
}

fn is_of_kit(name: &str) -> bool {
    KIT.iter().any(|crate_name| name.starts_with(crate_name))
}

/// What a thread waits for, as its innermost calls tell.
fn object(thread: &ThreadInfo) -> &'static str {
    for frame in thread.frames() {
        if frame.contains("condvar") || frame.contains("Condvar") {
            return " on a condition variable";
        }
        if frame.contains("lock_slow") || frame.contains("lock_contended") {
            return " for a lock";
        }
        if frame.contains("crossbeam_channel") || frame.contains("mpmc") {
            return " on a channel";
        }
    }
    ""
}

type Tell = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Who knows of the threads of servers that are in processes of their own.
static ELSEWHERE: Mutex<BTreeMap<usize, Tell>> = Mutex::new(BTreeMap::new());

/// From now on `tell` says what [`waiting`] is to say of this server, whose threads are elsewhere.
pub fn are_elsewhere(server: usize, tell: impl Fn() -> Vec<String> + Send + Sync + 'static) {
    ELSEWHERE.lock().insert(server, Arc::new(tell));
}

/// A sentence for each thread of `server` that has waited for long with nothing that would end it
/// but another thread. Empty in real time.
pub fn waiting(server: usize) -> Vec<String> {
    let is_meant = |label| Label::of(label) == Label::Server(server);
    elsewhere(server).unwrap_or_else(|| waiting_here(is_meant))
}

/// The same of one incarnation: what threads of an earlier one wait for explains nothing.
pub(crate) fn waiting_of(life: Life) -> Vec<String> {
    let is_meant = |label| Life::of(label) == Some(life);
    elsewhere(life.server).unwrap_or_else(|| waiting_here(is_meant))
}

fn elsewhere(server: usize) -> Option<Vec<String>> {
    let tell = ELSEWHERE.lock().get(&server).cloned();
    tell.map(|tell| tell())
}

fn waiting_here(is_meant: impl Fn(sim::Label) -> bool) -> Vec<String> {
    let threads = sim::threads_with_backtraces();
    let waits = |thread: &&ThreadInfo| {
        is_meant(thread.label)
            && thread.state == (ThreadState::Waiting { deadline: None })
            && thread.waited > LONG_WAIT
    };
    let tell = |thread: &ThreadInfo| {
        let place = place(thread).map_or_else(String::new, |place| format!(", {place}"));
        let (name, seconds) = (name(thread), thread.waited.as_secs_f64());
        format!("{name} has waited {seconds:.1} s{}{place}", object(thread))
    };
    threads.iter().filter(waits).map(tell).collect()
}
