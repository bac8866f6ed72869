//! Calls that a template of peers can make, and its copies cannot. This is a program of its own,
//! without the test harness, because a process with other threads cannot be copied.

#![cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    expect(unused, reason = "there is no filter")
)]

use std::io::{self, ErrorKind};
use std::process::{self, Command};
use std::sync::mpsc;
use std::{env, thread};

use rustix::net::{RecvAncillaryBuffer, RecvFlags, recvmsg};
use rustix::process::{
    Signal, WaitOptions, getppid, kill_process, set_parent_process_death_signal, setsid, wait,
};

/// The argument of the process that is copied.
const TEMPLATE: &str = "template";
/// The exit codes of the template and the copy if they found no fault.
const OF_TEMPLATE: i32 = 40;
const OF_COPY: i32 = 41;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn main() {
    if env::args().nth(1).as_deref() == Some(TEMPLATE) {
        be_template();
    }
    let me = env::current_exe().expect("it runs");
    #[expect(clippy::zombie_processes, reason = "all children are waited for below")]
    Command::new(me).arg(TEMPLATE).spawn().expect("it starts");
    let mut ends: Vec<_> = (0..3)
        .map(|_| {
            let (_, status) = wait(WaitOptions::empty()).expect("three children").expect("an end");
            (status.exit_status(), status.terminating_signal())
        })
        .collect();
    ends.sort_unstable();
    let by_filter = (None, Some(Signal::SYS.as_raw()));
    assert_eq!(ends, [by_filter, (Some(OF_TEMPLATE), None), (Some(OF_COPY), None)]);
    println!("a copy gives up the additional rights of its template");
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn main() {}

/// Makes one copy that tries calls that are refused, and one that tries a call that ends it.
fn be_template() -> ! {
    seal::seal_template().expect("the kernel filters system calls");
    if copy().is_none() {
        setsid().expect("a copy may, at first");
        set_parent_process_death_signal(Some(Signal::KILL)).expect("a copy may, at first");
        seal::seal_copy().expect("the kernel filters system calls");
        let refused = |error: io::Error| assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        refused(sim::copy_process().expect_err("it is refused"));
        refused(Command::new("/proc/self/exe").spawn().expect_err("it is refused"));
        refused(setsid().expect_err("it is refused").into());
        refused(set_parent_process_death_signal(None).expect_err("it is refused").into());
        let mut ancillary = RecvAncillaryBuffer::new(&mut []);
        let received = recvmsg(io::stdin(), &mut [], &mut ancillary, RecvFlags::DONTWAIT);
        refused(received.expect_err("it is refused").into());
        // It is not joined, because the C library waits for the end of a thread with a futex that
        // other processes could wake.
        let (says, said) = mpsc::channel();
        thread::spawn(move || says.send(()));
        said.recv().expect("a thread is no process");
        process::exit(OF_COPY);
    }
    if copy().is_none() {
        seal::seal_copy().expect("the kernel filters system calls");
        let parent = getppid().expect("the program that tests");
        let _ = kill_process(parent, Signal::TERM);
        process::exit(0);
    }
    process::exit(OF_TEMPLATE)
}

fn copy() -> Option<u32> {
    sim::copy_process().expect("it has one thread")
}
