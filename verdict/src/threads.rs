//! What the threads of the servers do, as far as virtual time shows it.

use std::time::Duration;

use sim::{ThreadInfo, ThreadState};

use crate::kit_code::KitCode;
use crate::label::Label;
use crate::lives::Life;
use crate::referee::Referee;

/// When something hangs, a thread that has waited longer than this without a limit is reported.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// Folders without code of an implementation: the standard library and the crates of the registry.
const LIBRARIES: [&str; 2] = ["/rustc/", "/registry/src/"];

/// ``server 1's thread `ticker` ``.
pub fn name(thread: &ThreadInfo) -> String {
    let owner = owner(thread);
    match own_name(thread) {
        "" => format!("an unnamed thread of {owner}"),
        name if owner.ends_with('s') => format!("{owner}' thread `{name}`"),
        name => format!("{owner}'s thread `{name}`"),
    }
}

/// `server 1`.
pub fn owner(thread: &ThreadInfo) -> String {
    match Label::of(thread.label) {
        Label::Kit => "the lab".to_owned(),
        Label::Server(server) => format!("server {server}"),
        Label::Shared => "several servers".to_owned(),
    }
}

/// The thread's name without the server's: in real time the lab names threads after their server.
pub fn own_name(thread: &ThreadInfo) -> &str {
    thread.name.trim_start_matches(owner(thread).as_str()).trim_start()
}

/// Where a thread stands, such as `in raft::Raft::tick at src/raft.rs:57:9`: its innermost call
/// outside libraries and the kit. None without a backtrace.
pub fn place(thread: &ThreadInfo, referee: &Referee) -> Option<String> {
    let kit = [&KitCode::BELOW, &referee.kit_code()[..]].concat();
    thread.frames().iter().find_map(|frame| {
        let (name, file) = frame.rsplit_once(" at ")?;
        let is_foreign = LIBRARIES.iter().any(|folder| file.contains(folder))
            || kit.iter().any(|code| code.holds(name, file));
        if is_foreign || !file.contains(".rs:") {
            return None;
        }
        // The path of the crate's folder does not help a reader.
        let start = file.rfind("/src/").or_else(|| file.rfind("/tests/")).map_or(0, |at| at + 1);
        Some(format!("in {name} at {}", &file[start..]))
    })
}

/// What kind of thing a thread waits for, according to its innermost calls.
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

/// A sentence for each thread of `server` that has waited long and that only another thread can
/// wake. Empty in real time.
pub fn waiting(server: usize, referee: &Referee) -> Vec<String> {
    let is_meant = |label| Label::of(label) == Label::Server(server);
    referee.waiting_elsewhere(server).unwrap_or_else(|| waiting_here(is_meant, referee))
}

/// Like [`waiting`], for one incarnation: the threads of an earlier one explain nothing.
pub fn waiting_of(life: Life, referee: &Referee) -> Vec<String> {
    let is_meant = |label| Life::of(label) == Some(life);
    referee.waiting_elsewhere(life.server).unwrap_or_else(|| waiting_here(is_meant, referee))
}

fn waiting_here(is_meant: impl Fn(sim::Label) -> bool, referee: &Referee) -> Vec<String> {
    let threads = sim::threads_with_backtraces();
    let waits = |thread: &&ThreadInfo| {
        is_meant(thread.label)
            && thread.state == (ThreadState::Waiting { deadline: None })
            && thread.waited > LONG_WAIT
    };
    let tell = |thread: &ThreadInfo| {
        let place = place(thread, referee).map_or_else(String::new, |place| format!(", {place}"));
        let (name, seconds) = (name(thread), thread.waited.as_secs_f64());
        format!("{name} has waited {seconds:.1} s{}{place}", object(thread))
    };
    threads.iter().filter(waits).map(tell).collect()
}
