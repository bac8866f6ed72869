//! Which server a thread works for, so that its panic is reported as the fault of that server.

use std::cell::Cell;
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::lives::Life;

/// What a thread works for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The lab itself.
    Kit,
    /// One server.
    Server(usize),
    /// Several servers: a thread of a pool that they share. It was seen to work for more than one.
    Shared,
}

/// The group of the threads that work for several servers. No fault acts on this group.
const SHARED_GROUP: u32 = u32::MAX;
/// Stands in place of an incarnation, and marks a thread of the kit that is in the group of a
/// server.
const BESIDE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Work {
    label: Label,
    /// The number of the [`Life`].
    life: u32,
    doing: &'static str,
}

thread_local! {
    static WORK: Cell<Option<Work>> = const { Cell::new(None) };
}

impl Label {
    /// The group of threads that has this label in virtual time. A thread belongs to the group of
    /// the thread that started it.
    pub fn group(self) -> sim::Label {
        let group = match self {
            Label::Kit => 0,
            Label::Server(server) => u32::try_from(server).expect("few servers") + 1,
            Label::Shared => SHARED_GROUP,
        };
        sim::Label { group, incarnation: 0 }
    }

    /// The time since the run began at which the clock of these threads shows `instant`. To ask is
    /// no step of the run.
    pub fn time_of(self, instant: Instant) -> Duration {
        sim::time_of(self.group().group, instant)
    }

    /// What a thread works for, by its label in virtual time.
    pub fn of(label: sim::Label) -> Label {
        match label {
            sim::Label { group: 0, .. } | sim::Label { incarnation: BESIDE, .. } => Label::Kit,
            sim::Label { group: SHARED_GROUP, .. } => Label::Shared,
            sim::Label { group, .. } => Label::Server(group as usize - 1),
        }
    }
}

impl Life {
    /// The label of its threads in virtual time.
    pub fn label(self) -> sim::Label {
        sim::Label { incarnation: self.number, ..Label::Server(self.server).group() }
    }

    /// The incarnation that a thread with this label works for; none for the kit's threads.
    pub fn of(label: sim::Label) -> Option<Life> {
        match Label::of(label) {
            Label::Kit | Label::Shared => None,
            Label::Server(server) => Some(Life { server, number: label.incarnation }),
        }
    }
}

/// The name at the beginning of each line that a thread prints in virtual time.
pub fn name(label: sim::Label) -> String {
    match Label::of(label) {
        Label::Kit => "lab".into(),
        Label::Server(server) => format!("server {server}"),
        Label::Shared => "servers".into(),
    }
}

/// Labels the calling thread until the guard is dropped, and notes what it does, such as `make`.
///
/// A server's thread keeps its label: code of an implementation must never count as code of the
/// kit.
pub fn enter(label: Label, doing: &'static str) -> Entered {
    if label == Label::Kit
        && let Some(Label::Server(_) | Label::Shared) = current()
    {
        return Entered { before: WORK.get(), _group: sim::label(sim::current_label()) };
    }
    enter_as(Work { label, life: 0, doing }, label.group())
}

/// Like [`enter`], for one incarnation of a server.
pub fn enter_life(life: Life, doing: &'static str) -> Entered {
    enter_as(Work { label: Label::Server(life.server), life: life.number, doing }, life.label())
}

/// Labels the calling thread as a thread of the kit, but pauses it together with a server's threads
/// and gives it their clock. For a thread that represents a server in another process.
pub fn enter_beside(server: usize, doing: &'static str) -> Entered {
    let label = sim::Label { incarnation: BESIDE, ..Label::Server(server).group() };
    enter_as(Work { label: Label::Kit, life: 0, doing }, label)
}

fn enter_as(work: Work, group: sim::Label) -> Entered {
    Entered { before: WORK.replace(Some(work)), _group: sim::label(group) }
}

/// See [`enter`].
#[must_use]
pub struct Entered {
    before: Option<Work>,
    _group: sim::LabelGuard,
}

impl Drop for Entered {
    fn drop(&mut self) {
        WORK.set(self.before);
    }
}

/// To be called when the calling thread makes a call or a save for `server`. If the thread belonged
/// to another server so far, returns that server: the thread works for both, and belongs to neither
/// from now on. Only in virtual time.
///
/// A thread of a correct Raft is never mistaken for a shared one: only code that was given the ends
/// or the persister of a server can use them.
pub fn work_for(server: usize) -> Option<usize> {
    if !sim::is_virtual() {
        return None;
    }
    let Some(Label::Server(other)) = current().filter(|label| *label != Label::Server(server))
    else {
        return None;
    };
    // A thread of the lab that makes a call into a server keeps that label until the call returns.
    if !is_entered() {
        sim::relabel(Label::Shared.group());
    }
    Some(other)
}

/// Whether the calling thread is in a call of the lab, whose label is certain.
pub(crate) fn is_entered() -> bool {
    WORK.get().is_some()
}

/// The calling thread's label; none for an unknown thread.
///
/// In virtual time every thread has the label of the thread that started it. In real time the
/// threads that run `make` and the RPC handlers of a server are named after the server, and Linux
/// gives a thread without a name the name of the thread that started it. A thread with another name
/// is unknown, and so is a thread that was started in a call such as `start`.
pub fn current() -> Option<Label> {
    if let Some(work) = WORK.get() {
        return Some(work.label);
    }
    if sim::is_virtual() {
        return Some(Label::of(sim::current_label()));
    }
    if let Some(server) = thread::current().name().and_then(server_of) {
        return Some(Label::Server(server));
    }
    let inherited = fs::read_to_string("/proc/thread-self/comm").ok()?;
    server_of(&inherited).map(Label::Server)
}

/// The incarnation that the calling thread works for, if it works for a server. In real time only
/// the server is known for a thread that the lab has not labelled.
pub fn life() -> Option<Life> {
    let Some(Label::Server(server)) = current() else { return None };
    let number = WORK.get().map_or_else(|| sim::current_label().incarnation, |work| work.life);
    Some(Life { server, number })
}

/// What the calling thread does, as given to [`enter`].
pub fn doing() -> Option<&'static str> {
    WORK.get().map(|work| work.doing)
}

/// The name of a thread that works for a server; [`current`] reads it back.
pub fn thread_name(server: usize) -> String {
    format!("server {server}")
}

fn server_of(thread_name: &str) -> Option<usize> {
    thread_name.strip_prefix("server ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_holds_until_its_guard_is_dropped() {
        let outer = enter(Label::Kit, "a test");
        let inner = enter(Label::Server(2), "make");
        assert_eq!((current(), doing()), (Some(Label::Server(2)), Some("make")));
        let innermost = enter(Label::Kit, "the lab");
        assert_eq!((current(), doing()), (Some(Label::Server(2)), Some("make")));
        drop(innermost);
        drop(inner);
        assert_eq!((current(), doing()), (Some(Label::Kit), Some("a test")));
        drop(outer);
    }

    #[test]
    fn an_unnamed_thread_belongs_to_the_server_of_the_thread_that_started_it() {
        let named = thread::Builder::new().name(thread_name(3)).spawn(|| {
            let child = thread::spawn(current).join().unwrap();
            (current(), child)
        });
        let (own, child) = named.unwrap().join().unwrap();
        assert_eq!(own, Some(Label::Server(3)));
        if cfg!(target_os = "linux") {
            assert_eq!(child, Some(Label::Server(3)));
        }
    }
}
