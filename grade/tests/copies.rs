//! Attacks by a peer's code in a copy of the template, under the filters that a peer's program
//! takes itself, and on the copies beside it, with which it shares a user.
//!
//! `tests/attacks` has what the launcher's filter keeps off, and `seal/tests/copies.rs` what a
//! filter refuses that no code in a simulation can try.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, process, thread};

use config::{PeerContext, RaftPeer};
use nix::sys::prctl;
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{self, Pid};
use peer::frames::{self, Birth, Input, Question, Settled, Step};
use peer::template;
use rustix::net::{RecvAncillaryBuffer, RecvFlags, recvmsg};
use sandbox::{Limits, Purpose, Sandbox};

/// All of them together, even on a machine that does much else.
const LIMIT: Duration = Duration::from_secs(60);

/// The argument of the program that is copied: it is not the one for no filter.
const PEER: &str = "--peer";

const REFUSED: &str = "Operation not permitted (os error 1), exit code 0";
const KILLED: &str = ", SIGSYS";

fn main() -> ExitCode {
    if let Some(exit) = sandbox::launch(env::args_os()) {
        return exit;
    }
    if env::args().nth(1).is_some_and(|word| word == PEER) {
        peer::main(|context| attack(&context));
    }
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("the attacks go on after {LIMIT:?}");
        process::exit(1);
    });
    let template = Template::start();
    template.check("do nothing", "done, exit code 0");
    template.check("execute", REFUSED);
    template.check("outlive the grader", REFUSED);
    template.check("take a connection", REFUSED);
    let sibling = template.copy();
    template.check(&format!("kill: {}", sibling.pid), KILLED);
    template.check(&format!("see whether it is there: {}", sibling.pid), KILLED);
    template.check("kill the grader", KILLED);
    template.check("kill everybody", KILLED);
    template.check(&format!("kill: {}", template.child.id()), KILLED);
    // It has not noticed.
    assert_eq!(sibling.attack("do nothing"), "done, exit code 0");
    println!("a copy has no more rights than a peer");
    ExitCode::SUCCESS
}

struct Template {
    control: UnixStream,
    child: Child,
}

/// The grader's side of a copy.
struct Copy {
    pid: Pid,
    to: File,
    from: File,
    printed: PipeReader,
}

impl Template {
    fn start() -> Template {
        let sandbox = Sandbox::probe().expect("this program is a launcher");
        assert!(sandbox.layers().complete(), "all layers are needed; {}", sandbox.layers());
        let (control, far) = UnixStream::pair().expect("a connection");
        let program = env::current_exe().expect("it runs");
        let mut command = sandbox.command(&program, &Purpose::Peers, &Limits::of_peers());
        command.arg(PEER).stdin(Stdio::from(OwnedFd::from(far)));
        Template { control, child: command.spawn().expect("it starts") }
    }

    fn copy(&self) -> Copy {
        let pipe = || io::pipe().expect("a pipe");
        let ((from_here, to), (from, to_here), (printed, prints)) = (pipe(), pipe(), pipe());
        let (nothing, _) = pipe();
        let pipes = [from_here.as_fd(), to_here.as_fd(), prints.as_fd(), nothing.as_fd()];
        let number = template::copy(&self.control, pipes).expect("the template copies itself");
        let pid = Pid::from_raw(number.try_into().expect("the number of a process"));
        let (to, from) = (File::from(OwnedFd::from(to)), File::from(OwnedFd::from(from)));
        Copy { pid, to, from, printed }
    }

    #[track_caller]
    fn check(&self, attack: &str, expected: &str) {
        assert_eq!(self.copy().attack(attack), expected, "{attack}");
    }
}

impl Copy {
    /// What it printed, and how it ended.
    fn attack(mut self, attack: &str) -> String {
        let raft_state = attack.as_bytes().to_vec();
        let birth = Birth { me: 0, servers: 1, seed: 1, raft_state, snapshot: Vec::new() };
        let question = Input::Ask { id: 1, question: Question::Make };
        let step = Step { until: Duration::ZERO, inputs: vec![question] };
        let Settled = frames::read(&mut self.from).expect("it is there");
        frames::write(&mut self.to, &birth).expect("it reads");
        frames::write(&mut self.to, &step).expect("it reads");
        let mut told = String::new();
        self.printed.read_to_string(&mut told).expect("words");
        // Behind the stamp that a simulation gives it.
        let told = told.rsplit("] ").next().unwrap_or_default().trim_end().to_owned();
        match waitpid(self.pid, None).expect("it is a child of this process") {
            WaitStatus::Exited(_, code) => told + &format!(", exit code {code}"),
            WaitStatus::Signaled(_, signal, _) => told + &format!(", {signal}"),
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it has not ended");
    }
}

/// A peer's `make`, which does what it finds saved instead, says what came of it, and ends.
fn attack(context: &PeerContext) -> Arc<dyn RaftPeer> {
    let saved = String::from_utf8(context.persister.read_raft_state()).expect("words");
    let (attack, number) = saved.split_once(": ").unwrap_or((&saved, "0"));
    let pid = Pid::from_raw(number.parse().expect("a number"));
    let parent = unistd::getppid();
    let result = match attack {
        "do nothing" => Ok(()),
        "execute" => Err(Command::new("/bin/true").exec()),
        "outlive the grader" => prctl::set_pdeathsig(None).map_err(io::Error::from),
        "take a connection" => take_connection(),
        "see whether it is there" => signal::kill(pid, None).map_err(io::Error::from),
        "kill everybody" => {
            signal::kill(Pid::from_raw(-1), Signal::SIGKILL).map_err(io::Error::from)
        }
        "kill the grader" => signal::kill(parent, Signal::SIGKILL).map_err(io::Error::from),
        "kill" => signal::kill(pid, Signal::SIGKILL).map_err(io::Error::from),
        unknown => panic!("no attack is called {unknown}"),
    };
    match result {
        Ok(()) => println!("done"),
        Err(error) => println!("{error}"),
    }
    process::exit(0)
}

/// As the template does. The control connection is gone, so any will do to be refused.
fn take_connection() -> io::Result<()> {
    let (near, _far) = io::pipe()?;
    let mut ancillary = RecvAncillaryBuffer::default();
    recvmsg(near, &mut [], &mut ancillary, RecvFlags::empty())?;
    Ok(())
}
