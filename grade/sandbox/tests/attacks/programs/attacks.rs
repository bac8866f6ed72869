//! Attacks that a hostile submission could try. Its first argument names the attack.
//!
//! It prints the result. It is no member of the workspace, because it uses `unsafe`. A submission
//! with `unsafe` is refused, but the sandbox must hold even against such code.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::fmt::Debug;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Mutex;
use std::{env, process, thread};

unsafe extern "C" {
    fn fork() -> c_int;
    fn getppid() -> c_int;
    fn fcntl(descriptor: c_int, command: c_int, ...) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
    fn ptrace(request: c_int, process: c_int, address: *mut c_void, data: *mut c_void) -> c_long;
    fn syscall(number: c_long, ...) -> c_long;
    fn setrlimit(resource: c_int, limit: *const [u64; 2]) -> c_int;
    fn chmod(path: *const c_char, mode: u32) -> c_int;
}

/// The results of attacks by code that runs before `main`.
static BEFORE_MAIN: Mutex<String> = Mutex::new(String::new());

#[unsafe(link_section = ".init_array")]
#[used]
static CONSTRUCTOR: extern "C" fn() = {
    extern "C" fn constructor() {
        let found = format!("{}, {}", outcome(fs::read("/etc/passwd")), outcome(UdpSocket::bind("127.0.0.1:0")));
        *BEFORE_MAIN.lock().unwrap() = found;
    }
    constructor
};

fn main() {
    let words: Vec<String> = env::args().collect();
    let argument = words.get(2).map_or("", String::as_str);
    let attack = words[1].as_str();
    println!("{attack}: {}", attempt(attack, argument));
}

fn outcome<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "SUCCEEDED".into(),
        Err(error) => error.to_string(),
    }
}

/// For calls of the C library that return a negative number when they fail.
fn errno(result: impl Into<i64>) -> String {
    outcome(if result.into() < 0 { Err(io::Error::last_os_error()) } else { Ok(()) })
}

fn each<T: Debug>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<_> = all.into_iter().map(|one| format!("{one:?}")).collect();
    if all.is_empty() { "none".into() } else { all.join(", ") }
}

fn attempt(attack: &str, argument: &str) -> String {
    let parent = unsafe { getppid() };
    match attack {
        "do nothing" => "done".into(),
        "before main" => BEFORE_MAIN.lock().unwrap().clone(),
        // Files.
        "read" => outcome(fs::read(argument)),
        "list" => outcome(fs::read_dir(argument)),
        "read the grader's memory" => outcome(fs::File::open(format!("/proc/{parent}/mem"))),
        "read the grader's environment" => outcome(fs::read(format!("/proc/{parent}/environ"))),
        "read its own environment" => each(env::vars()),
        "write" => outcome(fs::write(format!("{argument}/written"), "x")),
        "make a folder" => outcome(fs::create_dir(format!("{argument}/made"))),
        "change a mode" => {
            let path = std::ffi::CString::new(argument).unwrap();
            errno(unsafe { chmod(path.as_ptr(), 0o777) })
        }
        "see descriptors" => each((3..1000).filter(|n| unsafe { fcntl(*n, 1) } >= 0)),
        // Processes.
        "fork" => match unsafe { fork() } {
            0 => process::exit(0),
            result => errno(result),
        },
        "start a process" => outcome(Command::new("/bin/sh").args(["-c", "exit"]).status()),
        "execute" => outcome::<(), _>(Err(Command::new("/bin/sh").args(["-c", "echo SUCCEEDED"]).exec())),
        "execute from memory" => errno(unsafe { syscall(MEMFD_CREATE, c"".as_ptr(), 0) }),
        "bomb of threads" => {
            let count = thread_bomb();
            format!("no more than {argument}: {}", count <= argument.parse().unwrap())
        }
        "ptrace" => errno(unsafe { ptrace(16, parent, std::ptr::null_mut(), std::ptr::null_mut()) }),
        "kill the grader" => errno(unsafe { kill(parent, 9) }),
        "kill everybody" => errno(unsafe { kill(-1, 9) }),
        "read another's memory" => errno(unsafe { syscall(PROCESS_VM_READV, parent, 0, 0, 0, 0, 0) }),
        "unshare" => errno(unsafe { syscall(UNSHARE, 0x1000_0000) }),
        "io_uring" => errno(unsafe { syscall(425, 1, 0) }),
        "outlive the grader" => errno(unsafe { prctl(1, 0) }),
        "raise a limit" => errno(unsafe { setrlimit(7, &[1 << 20, 1 << 20]) }),
        // The network.
        "listen" => outcome(TcpListener::bind("127.0.0.1:0")),
        "connect" => outcome(TcpStream::connect("127.0.0.1:1")),
        "send a datagram" => outcome(UdpSocket::bind("127.0.0.1:0")),
        "connect to a local socket" => outcome(UnixStream::connect("/run/socket")),
        // Attacks that use up resources.
        "bomb of memory" => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1_u8; 1 << 20]);
            }
        }
        "bomb of stack" => format!("{}", deep(1)),
        "print for ever" => loop {
            let _ = io::stdout().write_all(&[b'x'; 4096]);
        },
        "compute for ever" => loop {
            std::hint::black_box(0);
        },
        "yield for ever" => loop {
            thread::yield_now();
        },
        "sleep for ever" => {
            unsafe { syscall(NANOSLEEP, &[1_000_000_u64, 0], 0) };
            "woke".into()
        }
        "wait for ever" => {
            println!("waiting");
            outcome(io::stdin().read_to_end(&mut Vec::new()))
        }
        unknown => panic!("no attack is called {unknown}"),
    }
}

#[cfg(target_arch = "x86_64")]
mod numbers {
    pub const MEMFD_CREATE: i64 = 319;
    pub const PROCESS_VM_READV: i64 = 310;
    pub const UNSHARE: i64 = 272;
    pub const NANOSLEEP: i64 = 35;
}
#[cfg(target_arch = "aarch64")]
mod numbers {
    pub const MEMFD_CREATE: i64 = 279;
    pub const PROCESS_VM_READV: i64 = 270;
    pub const UNSHARE: i64 = 97;
    pub const NANOSLEEP: i64 = 101;
}
use numbers::*;

/// The largest number of threads that lived at the same time.
fn thread_bomb() -> usize {
    let mut count = 0;
    while thread::Builder::new().stack_size(1 << 16).spawn(|| loop { thread::park() }).is_ok() {
        count += 1;
    }
    count
}

fn deep(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { deep(depth + 1) + frame[0] }
}
