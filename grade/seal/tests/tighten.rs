//! The right that `tighten` takes away. This is a program of its own, because a filter cannot be
//! removed.

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

/// The filter applies to threads that run already. New threads can still start.
#[test]
fn no_thread_executes_another_program() {
    let (tighten, tightened) = mpsc::channel();
    let earlier = thread::spawn(move || {
        tightened.recv().expect("it is told when");
        Command::new("/proc/self/exe").exec().kind()
    });
    seal::tighten().expect("the kernel filters system calls");
    tighten.send(()).expect("it waits");
    assert_eq!(earlier.join().expect("it ends"), ErrorKind::PermissionDenied);
    let later = thread::spawn(|| Command::new("/proc/self/exe").exec().kind());
    assert_eq!(later.join().expect("it ends"), ErrorKind::PermissionDenied);
}
