//! Attacks by a submission's code while it runs as a peer.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use sandbox::{Ending, Purpose};

use crate::support::{
    LIMIT, attacker, check, command, finish, folder, limits, outcome, programs, sandbox,
};

const DENIED: &str = "Permission denied (os error 13)";
const REFUSED: &str = "Operation not permitted (os error 1)";
const SIGSYS: &str = "it made a system call that the sandbox forbids (SIGSYS)";

#[test]
fn an_honest_program_runs() {
    check(&["do nothing"], "done");
}

#[test]
fn code_before_main_runs_inside_the_sandbox() {
    check(&["before main"], &format!("{DENIED}, {REFUSED}"));
}

#[test]
fn no_file_can_be_read() {
    let secret = folder("secret").join("hidden-seeds");
    fs::write(&secret, "1 2 3").expect("the folder is ours");
    check(&["read", secret.to_str().expect("Unicode")], DENIED);
    check(&["read", programs().join("attacks.rs").to_str().expect("Unicode")], DENIED);
    check(&["read", "/etc/passwd"], DENIED);
    check(&["read", "/proc/self/root/etc/passwd"], DENIED);
    check(&["read", "/proc/self/environ"], DENIED);
    check(&["list", "/"], DENIED);
    check(&["list", "/proc"], DENIED);
}

#[test]
fn the_grader_cannot_be_read() {
    check(&["read the grader's memory"], DENIED);
    check(&["read the grader's environment"], DENIED);
    check(&["read another's memory"], SIGSYS);
    check(&["read its own environment"], "none");
}

#[test]
fn nothing_can_be_written() {
    let beside = folder("beside");
    let beside = beside.to_str().expect("Unicode");
    for place in ["/tmp", "/dev/shm", ".", beside] {
        check(&["write", place], DENIED);
        check(&["make a folder", place], REFUSED);
        check(&["change a mode", place], REFUSED);
    }
    assert_eq!(fs::read_dir(beside).expect("it is there").count(), 0);
}

/// The program is opened before the user changes, so the folder may be closed to others.
#[test]
fn a_program_in_a_folder_that_only_the_grader_can_read_runs() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder("closed");
    let program = folder.join("attacks");
    fs::copy(attacker(), &program).expect("the folder is ours");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let mut command = sandbox().command(&program, &Purpose::Peer, &limits());
    assert_eq!(outcome(&finish(command.arg("do nothing"), LIMIT)), "do nothing: done");
}

#[test]
fn descriptors_of_the_grader_do_not_reach_it() {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};

    let secret = File::open(programs().join("attacks.rs")).expect("it is there");
    fcntl(&secret, FcntlArg::F_SETFD(FdFlag::empty())).expect("it is open");
    check(&["see descriptors"], "none");
}

#[test]
fn no_process_can_be_started() {
    check(&["fork"], REFUSED);
    check(&["start a process"], REFUSED);
    check(&["execute"], DENIED);
    check(&["execute from memory"], REFUSED);
}

#[test]
fn no_process_can_be_reached() {
    check(&["ptrace"], SIGSYS);
    check(&["kill the grader"], SIGSYS);
    check(&["kill everybody"], SIGSYS);
}

#[test]
fn no_other_attack_succeeds() {
    check(&["unshare"], SIGSYS);
    check(&["io_uring"], SIGSYS);
    check(&["outlive the grader"], REFUSED);
    check(&["raise a limit"], REFUSED);
}

#[test]
fn there_is_no_network() {
    check(&["listen"], REFUSED);
    check(&["connect"], REFUSED);
    check(&["send a datagram"], REFUSED);
    check(&["connect to a local socket"], REFUSED);
}

#[test]
fn a_bomb_of_threads_ends_at_the_limit() {
    let tasks = limits().tasks.to_string();
    check(&["bomb of threads", &tasks], &format!("no more than {tasks}: true"));
}

#[test]
fn bombs_of_memory_and_stack_end_by_themselves() {
    check(&["bomb of memory"], "it aborted (SIGABRT)");
    check(&["bomb of stack"], "it aborted (SIGABRT)");
}

#[test]
fn endless_output_into_a_file_is_cut_off() {
    let path = folder("output").join("printed");
    let mut file = File::create(&path).expect("the folder is ours");
    let mut command = command(&["print for ever"]);
    command.stdout(file.try_clone().expect("a descriptor")).stderr(Stdio::null());
    let status = command.spawn().expect("it starts").wait().expect("it ends");
    assert_eq!(Ending(status).to_string(), "it exceeded the limit for a file (SIGXFSZ)");
    assert_eq!(file.seek(SeekFrom::End(0)).expect("a file"), limits().file_bytes);
}

/// The pipe is not read after the limit. The time limit ends the program.
#[test]
fn endless_output_into_a_pipe_is_cut_off() {
    let finished = finish(&mut command(&["print for ever"]), LIMIT);
    assert_eq!(Ending(finished.status).to_string(), "it exceeded its limit of CPU time (SIGXCPU)");
    assert_eq!(finished.stdout.len(), 64 << 10);
}

#[test]
fn an_endless_loop_is_ended_with_and_without_yields() {
    check(&["compute for ever"], "it exceeded its limit of CPU time (SIGXCPU)");
    check(&["yield for ever"], "it exceeded its limit of CPU time (SIGXCPU)");
}

#[test]
fn a_program_that_sleeps_in_the_kernel_is_killed_at_the_time_limit() {
    let finished = finish(&mut command(&["sleep for ever"]), Duration::from_millis(200));
    assert!(finished.timed_out);
    assert_eq!(Ending(finished.status).to_string(), "it was killed (SIGKILL)");
}

/// For the kernel, the grader ends when the thread ends that started the program.
#[test]
fn a_program_ends_with_the_grader() {
    let start = || {
        let mut command = command(&["wait for ever"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut waiting = [0; 7];
        let stdout = child.stdout.as_mut().expect("a pipe");
        stdout.read_exact(&mut waiting).expect("it says that it waits");
        child
    };
    let mut child = thread::scope(|scope| scope.spawn(start).join().expect("it was started"));
    // Kept open until the end, because `wait` would close it, which also ends the program.
    let stdin = child.stdin.take();
    let status = child.wait().expect("it ends");
    drop(stdin);
    assert_eq!(Ending(status).to_string(), "it was killed (SIGKILL)");
}
