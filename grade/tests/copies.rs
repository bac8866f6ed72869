//! Attacks by native code in a peer's process. The process is made as in a grading: by
//! `peer::main`, under the launcher's layers and the program's own filters. Another copy of the
//! same user runs at the same time.
//!
//! The same again on machines that lack a layer: the others must still hold.

mod machine;

use std::fs::{self, File};
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, process, thread};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use peer::frames::{self, Advance, Call, Init, Input, Settled};
use peer::template;
use sandbox::{Layer, Limits, Purpose, Sandbox};

/// The time for all attacks together, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// The argument that makes this program act as the grader. The attacker's program follows.
const GRADER: &str = "--grader";
/// The user `nobody` of Linux.
const NOBODY: u32 = 65_534;

/// Attacks that are answered with an error. One process can try all of them.
const ANSWERED: &str = "
    open its descriptors
    open its own files in /proc
    open a sibling's files in /proc
    open the grader's files in /proc
    open what all may read
    make a file
    stat a file
    stat a sibling's threads
    stat a file by statx
    ask for access
    read a link
    ask for its folder
    change its folder
    list a descriptor
    lock a descriptor
    lock a descriptor's bytes
    change a pipe's size
    change a pipe's mode
    want signals of a pipe
    watch a folder
    make a pipe
    make an event
    make a timer
    make a socket
    make two sockets
    make a file in memory
    make secret memory
    share memory
    share memory, validated
    share memory of System V
    share a semaphore
    share a queue
    share a queue of POSIX
    wake at a word of the program
    wake some at a word of the program
    move those who wait at a word
    wait at a word of the program
    lock a word with the number of a thread
    time of a sibling
    processors of a sibling
    session of a sibling
    group of a sibling
    locks of a sibling
    priority of a sibling
    policy of a sibling
    limits of a sibling
    pages of a sibling
    load of the machine
    yield priority
    be looked into
    be traced
    outlive the grader
    begin a session
    copy itself
    fork
    begin by clone3
    execute
    receive a descriptor
    send a descriptor
    raise a limit";

/// Attacks that end the process.
const PUNISHED: &str = "
    kill
    see whether it is there
    kill the grader
    kill everybody
    kill itself
    kill a thread
    kill a thread of a process
    queue a signal
    open a process
    trace
    read another's memory
    write another's memory
    compare with another
    io_uring
    userfaultfd
    bpf
    add a key
    use keys
    count events
    unshare
    mount
    open by a handle
    have other addresses
    filter more";

/// Attacks that other layers stop as well. Some of the rest would leave traces on the machine.
const HELD_WITHOUT_A_FILTER: [&str; 6] = [
    "make a file",
    "locks of a sibling",
    "pages of a sibling",
    "execute",
    "trace",
    "compare with another",
];

fn main() -> ExitCode {
    if let Some(exit) = sandbox::launch(env::args_os()) {
        return exit;
    }
    let mut words = env::args().skip(1);
    if words.next().as_deref() == Some(GRADER) {
        let attacker = PathBuf::from(words.next().expect("the attacker's program"));
        print!("{}", attack(&attacker));
        return ExitCode::SUCCESS;
    }
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("the attacks go on after {LIMIT:?}");
        process::exit(1);
    });
    let attacker = compile();
    let unknown = |calls: &'static [libc::c_long]| move || machine::answer_as_unknown(calls);
    check("with_all_layers", &attacker, || (), |_| ());
    let landlock = &[libc::SYS_landlock_create_ruleset];
    check("without_landlock", &attacker, unknown(landlock), |_| ());
    check("without_seccomp", &attacker, unknown(&[libc::SYS_seccomp]), |_| ());
    check(
        "as_an_ordinary_user",
        &attacker,
        || (),
        |command| {
            command.uid(NOBODY).gid(NOBODY);
        },
    );
    println!("copies are kept apart");
    ExitCode::SUCCESS
}

/// Compares the result on such a machine with a golden file.
fn check(
    name: &str,
    attacker: &Path,
    change_machine: impl FnOnce() + Send,
    change_grader: impl FnOnce(&mut Command) + Send,
) {
    let start = || {
        change_machine();
        let mut grader = Command::new(env::current_exe().expect("it runs"));
        grader.arg(GRADER).arg(attacker).stderr(Stdio::inherit());
        change_grader(&mut grader);
        grader.output().expect("it starts")
    };
    // In a separate thread, because a thread cannot remove its filter.
    let output = thread::scope(|scope| scope.spawn(start).join().expect("it does not panic"));
    assert!(output.status.success(), "{name}: {}", output.status);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"landlock \(abi \d+\)", "landlock (abi N)");
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    let said = String::from_utf8(output.stdout).expect("words");
    settings.bind(|| insta::assert_snapshot!(name, said));
}

/// Compiles the attacker with the kit's own part of a peer's program.
fn compile() -> PathBuf {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the kit holds the crate");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inside");
    fs::create_dir_all(folder.join("src")).expect("there is room for a folder");
    let at = |name: &str| kit.join(name).display().to_string();
    let manifest = format!(
        "[package]\nname = \"inside\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nraftapi = {{ path = {:?} }}\nlibc = \"0.2\"\npeer = {{ path = {:?} }}\n",
        at("raftapi"),
        at("grade/peer"),
    );
    let copy = |from: &str, to: &str| fs::copy(kit.join(from), folder.join(to)).expect("a file");
    fs::write(folder.join("Cargo.toml"), manifest).expect("there is room for a file");
    copy("Cargo.lock", "Cargo.lock");
    copy("grade/tests/programs/inside.rs", "src/main.rs");
    let built = Command::new(env!("CARGO"))
        .current_dir(&folder)
        .args(["build", "--offline", "--quiet", "--target-dir", "target"])
        .status();
    assert!(built.expect("cargo runs").success(), "the attacker does not compile");
    // Any user can find it there.
    let program = env::temp_dir().join(format!("inside-{}", process::id()));
    fs::copy(folder.join("target/debug/inside"), &program).expect("there is room for a program");
    program
}

/// The layers of the sandbox, and the result of each attack.
fn attack(attacker: &Path) -> String {
    let sandbox = Sandbox::probe().expect("this program is a launcher");
    let template = Template::start(&sandbox, attacker);
    let mut said = format!("{}\n", sandbox.layers());
    check_descriptors(&template);
    let sibling = template.copy();
    let listed = |attacks: &'static str| attacks.lines().map(str::trim).filter(|it| !it.is_empty());
    let aimed = |attack: &str| format!("{attack} @ {}", sibling.pid);
    let is_filtered = sandbox.layers().has(Layer::Seccomp);
    let is_tried = |attack: &&str| is_filtered || HELD_WITHOUT_A_FILTER.contains(attack);
    let all: Vec<String> = listed(ANSWERED).filter(is_tried).map(aimed).collect();
    said += &template.copy().attack(&all.join("\n"));
    for attack in listed(PUNISHED).filter(is_tried) {
        let outcome = template.copy().attack(&aimed(attack));
        let is_told = outcome.starts_with(attack);
        said += &if is_told { outcome } else { format!("{attack}: {outcome}") };
    }
    // The attacks have not affected the sibling.
    assert_eq!(sibling.attack("do nothing"), "do nothing: done\n");
    said
}

/// All descriptors are pipes, and no two copies share one.
fn check_descriptors(template: &Template) {
    let seen = |copy: Copy| copy.attack("descriptors").replace("descriptors: ", "");
    let (one, other) = (seen(template.copy()), seen(template.copy()));
    let listed = |said: &str| said.trim_end().split(", ").map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (listed(&one), listed(&other));
    // Standard input, output and error; the pipes of frames, which the host has twice; and the
    // program, with an offset of its own.
    assert_eq!(one.len(), 8, "{one:?}");
    let (files, pipes): (Vec<_>, Vec<_>) = one.iter().partition(|it| *it == "a file");
    assert_eq!(files.len(), 1, "{one:?}");
    assert!(pipes.iter().all(|it| it.starts_with("pipe ") && !other.contains(it)), "{one:?}");
}

struct Template {
    control: UnixStream,
    child: Child,
    program: PathBuf,
}

/// The grader's side of a copy.
struct Copy {
    pid: Pid,
    to: File,
    from: File,
    printed: PipeReader,
}

impl Template {
    fn start(sandbox: &Sandbox, program: &Path) -> Template {
        let (control, far) = UnixStream::pair().expect("a connection");
        let mut command = sandbox.command(program, &Purpose::Peers, &Limits::of_peers());
        if !sandbox.layers().has(Layer::Seccomp) {
            command.arg(peer::UNSEALED);
        }
        command.stdin(Stdio::from(OwnedFd::from(far)));
        Template { control, child: command.spawn().expect("it starts"), program: program.into() }
    }

    fn copy(&self) -> Copy {
        let pipe = || io::pipe().expect("a pipe");
        let ((from_here, to), (from, to_here), (printed, prints)) = (pipe(), pipe(), pipe());
        let (nothing, _) = pipe();
        let program = File::open(&self.program).expect("it is there");
        let pipes = [from_here.as_fd(), to_here.as_fd(), prints.as_fd(), nothing.as_fd()];
        let given = [pipes[0], pipes[1], pipes[2], pipes[3], program.as_fd()];
        let number = template::copy(&self.control, given).expect("the template copies itself");
        let pid = Pid::from_raw(number.try_into().expect("the number of a process"));
        let (to, from) = (File::from(OwnedFd::from(to)), File::from(OwnedFd::from(from)));
        Copy { pid, to, from, printed }
    }
}

impl Copy {
    /// Its output, and how it ended if it did not end by itself.
    fn attack(mut self, attack: &str) -> String {
        let state = attack.as_bytes().to_vec();
        let init = Init { me: 0, servers: 1, seed: 1, state, snapshot: Vec::new() };
        let make = Input::Call { id: 1, call: Call::Make };
        let advance = Advance { until: Duration::ZERO, inputs: vec![make] };
        let Settled = frames::read(&mut self.from).expect("it is there");
        frames::write(&mut self.to, &init).expect("it reads");
        frames::write(&mut self.to, &advance).expect("it reads");
        let mut told = String::new();
        self.printed.read_to_string(&mut told).expect("words");
        // The text after the stamp that a simulation puts before each line.
        let lines = told.lines().map(|line| line.split_once("] ").map_or(line, |(_, line)| line));
        let told: String = lines.map(|line| format!("{line}\n")).collect();
        match waitpid(self.pid, None).expect("it is a child of this process") {
            WaitStatus::Exited(_, 0) => told,
            WaitStatus::Exited(_, code) => told + &format!("exit code {code}\n"),
            WaitStatus::Signaled(_, signal, _) => told + &format!("{signal}\n"),
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it has not ended");
    }
}
