//! A submission observes the same in every grading. Otherwise it could behave differently, and a
//! verdict could not be reproduced.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::{folder, target, write_crate};

const BASE: &str = include_str!("idle_peer.rs");
/// The user `nobody` of Linux.
const NOBODY: u32 = 65_534;

/// Prints everything it can observe, and fails, so that the output is shown.
const LINE: &str = r##"
    static STATIC: u8 = 1;
    let local = 1_u8;
    let heap = Box::new(1_u8);
    println!("process {} of {}", std::process::id(), std::os::unix::process::parent_id());
    println!("thread {:?}", std::thread::current().id());
    println!("addresses {:p} {:p} {:p} {:p}", &STATIC, &local, &*heap, make as fn(_) -> _);
    std::thread::spawn(|| {
        let (local, heap) = (1_u8, vec![1_u8; 5000]);
        println!("thread {:?}: {:p} {:p}", std::thread::current().id(), &local, &*heap);
    }).join().unwrap();
    println!("arguments {:?}", std::env::args().collect::<Vec<_>>());
    println!("variables {:?}", std::env::vars().collect::<Vec<_>>());
    println!("program {:?}, folder {:?}", std::env::current_exe(), std::env::current_dir());
    println!("processors {:?}", std::thread::available_parallelism());
    println!("{:?} {:?}", std::time::SystemTime::now(), std::time::Instant::now());
    use std::hash::{BuildHasher, Hasher};
    println!("{}", std::collections::hash_map::RandomState::new().build_hasher().finish());
    for name in ["stat", "status", "maps", "cmdline", "environ", "sched", "cgroup", "mountinfo"] {
        println!("{name}: {:?}", std::fs::read(format!("/proc/self/{name}")).map(|it| it.len()));
    }
    for name in ["/", "/proc", "/proc/self/fd", "/tmp", "/dev/shm", "."] {
        println!("{name}: {:?}", std::fs::read_dir(name).map(|it| it.count()));
        println!("{name}: {:?}", std::fs::metadata(name).map(|_| "seen"));
    }
    println!("{:?}", std::fs::read_link("/proc/self"));
    println!("{:?}", std::fs::canonicalize("/proc/self/cwd"));
    println!("{:?}", std::os::fd::AsRawFd::as_raw_fd(&std::io::stdin()));
    println!("{:?}", std::io::pipe().map(|_| "made"));
    panic!("that is all");
    #[expect(unreachable_code)]"##;

/// The output of the crate in a grading.
fn observed(grader: &mut Command, crate_folder: &Path) -> String {
    grader.args(["--seeds", "1", "--test", "initial"]).arg(crate_folder);
    let output = grader.env_remove("RUST_BACKTRACE").stdin(Stdio::null()).output();
    let output = output.expect("the program runs");
    let text = String::from_utf8(output.stdout).expect("words");
    let lines = text.lines().filter(|line| line.starts_with("    ["));
    let printed: String = lines.map(|line| format!("{line}\n")).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(printed.contains("that is all"), "{text}{errors}");
    printed
}

fn grader(folder: &Path) -> Command {
    let mut grader = Command::new(env!("CARGO_BIN_EXE_cargo-grade"));
    grader.current_dir(folder);
    grader
}

#[test]
fn a_submission_observes_the_same_in_every_grading() {
    let folder = folder("observed");
    let lib = BASE.replace("// make\n", LINE);
    let one = write_crate(&folder, "observed", &lib);
    let first = observed(&mut grader(&folder), &one);
    assert!(first.contains("process 1 of 0") && first.contains("processors Ok(1)"), "{first}");

    // On a busy machine.
    let is_over = AtomicBool::new(false);
    let loaded = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let loaded = observed(&mut grader(&folder), &one);
        is_over.store(true, Ordering::Relaxed);
        loaded
    });
    assert_eq!(loaded, first);

    // In another folder.
    let elsewhere = folder.join("another/folder/with/a/longer/name");
    fs::create_dir_all(&elsewhere).expect("there is room for a folder");
    let other = write_crate(&elsewhere, "observed", &lib);
    assert_eq!(observed(&mut grader(&elsewhere), &other), first);

    // As another user, for whom the program is already built.
    let mut grader = grader(Path::new("/"));
    grader.env("CARGO_TARGET_DIR", target_of_another_user(&folder)).env("RUSTC", rustc(&folder));
    if rustix::process::geteuid().is_root() {
        grader.uid(NOBODY).gid(NOBODY);
    }
    assert_eq!(observed(&mut grader, &one), first);
}

/// A target folder for that user, with the cached programs of this one.
fn target_of_another_user(folder: &Path) -> PathBuf {
    let theirs = folder.join("target");
    fs::create_dir_all(theirs.join("grade")).expect("there is room for a folder");
    let programs = Path::new(&target()).join("grade/programs");
    symlink(programs, theirs.join("grade/programs")).expect("there is room for a link");
    if rustix::process::geteuid().is_root() {
        for it in [&theirs, &theirs.join("grade")] {
            chown(it, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
    }
    theirs
}

/// That user may have no compiler. The grader only asks for its version.
fn rustc(folder: &Path) -> PathBuf {
    let version = Command::new("rustc").arg("--version").output().expect("there is a compiler");
    let version = String::from_utf8(version.stdout).expect("words");
    let program = folder.join("rustc");
    let script = format!("#!/bin/sh\necho '{}'\n", version.trim());
    fs::write(&program, script).expect("there is room for a file");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("it is ours");
    program
}
