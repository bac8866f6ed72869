//! The launcher: gives up all rights, then executes the program.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{self, Pid};

use crate::LAUNCH_FAILED;
use crate::files::Files;
use crate::layers::{Layer, Layers};
use crate::limits::Limits;
use crate::probe;
use crate::purpose::{LAUNCH, Orders, Purpose};
use crate::user;

/// See [`LAUNCH_FAILED`].
const FAILED: u8 = LAUNCH_FAILED as u8;

/// The name under which a peer is executed.
const NAME: &str = "peer";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Acts as a launcher if the program's arguments say so. Call it first in `main`. It returns an
/// exit code if it failed or was a probe, and `None` if the arguments are of another kind.
pub fn launch(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    let first = arguments.next()?;
    if first == probe::PROBE {
        return Some(probe::attempt(&arguments.next()?));
    }
    if first != LAUNCH {
        return None;
    }
    let failure = match (arguments.next(), arguments.next()) {
        (Some(orders), Some(program)) => become_program(&orders, program.as_ref(), arguments),
        _ => "a launcher needs orders and a program".into(),
    };
    eprintln!("sandbox: {failure}");
    Some(ExitCode::from(FAILED))
}

/// Returns only to say what failed.
fn become_program(
    orders: &OsString,
    program: &Path,
    arguments: impl Iterator<Item = OsString>,
) -> Box<dyn Error> {
    match confine(orders, program) {
        Err(failure) => failure,
        Ok((opened, is_to_run)) => {
            let arguments: Vec<OsString> = arguments.collect();
            let error = match is_to_run {
                // The name is the same in every run: the program can read it among its arguments,
                // and its length changes the addresses of what follows it in memory.
                true => Command::new(opened.path()).arg0(NAME).args(&arguments).exec(),
                false => Command::new(program).args(&arguments).exec(),
            };
            format!("failed to execute {}: {error}", program.display()).into()
        }
    }
}

fn confine(orders: &OsString, program: &Path) -> Result<(Opened, bool)> {
    let orders = orders.to_str().ok_or("the orders are not valid Unicode")?;
    let orders: Orders =
        serde_json::from_str(orders).map_err(|error| format!("the orders are invalid: {error}"))?;
    let Orders { parent, purpose, limits, layers } = &orders;
    close_what_was_inherited()?;
    let opened = Opened::new(program)?;
    if purpose.is_to_run() {
        env::set_current_dir("/")?;
    }
    if layers.has(Layer::Session) {
        named(Layer::Session, own_session())?;
    }
    // Killed first when the machine runs out of memory. This is no layer: it only helps others.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let files = match layers.has(Layer::Landlock) {
        true => Some(named(Layer::Landlock, Files::of(purpose, program))?),
        false => None,
    };
    let user = match layers.has(Layer::User) && purpose.is_to_run() {
        true => user::own(),
        false => None,
    };
    if layers.has(Layer::Limits) {
        named(Layer::Limits, limit(limits, user.is_some()))?;
    }
    if let Some(user) = user {
        named(Layer::User, user::become_user(user))?;
    }
    if layers.has(Layer::Session) {
        // Only now, because a change of the user clears this setting.
        named(Layer::Session, die_with(*parent))?;
    }
    if layers.has(Layer::NoNewPrivileges) {
        named(Layer::NoNewPrivileges, prctl::set_no_new_privs())?;
    }
    if let Some(files) = files {
        named(Layer::Landlock, files.restrict())?;
    }
    if purpose.is_to_run() {
        // If it is not allowed, `Layers` says so.
        let _ = fix_addresses();
    }
    named(Layer::Seccomp, seal(purpose, layers))?;
    Ok((opened, purpose.is_to_run()))
}

/// After the next execution the program has the same addresses in every run.
pub(crate) fn fix_addresses() -> nix::Result<()> {
    let persona = personality::get()? | Persona::ADDR_NO_RANDOMIZE;
    personality::set(persona).map(drop)
}

fn named<T, E: std::fmt::Display>(
    layer: Layer,
    result: std::result::Result<T, E>,
) -> std::result::Result<T, String> {
    result.map_err(|error| format!("failed to apply {layer}: {error}"))
}

/// The program, held open so that a user without access to its folder can execute it.
struct Opened(fs::File);

impl Opened {
    fn new(program: &Path) -> Result<Opened> {
        let shown = program.display();
        let file =
            fs::File::open(program).map_err(|error| format!("failed to open {shown}: {error}"))?;
        Ok(Opened(file))
    }

    fn path(&self) -> std::path::PathBuf {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

/// Otherwise descriptors that the grader inherited would reach the program.
fn close_what_was_inherited() -> io::Result<()> {
    let mut open = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        open.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    for descriptor in open.into_iter().filter(|&descriptor| descriptor > 2) {
        // One of them was for the listing and is closed already.
        let _ = unistd::close(descriptor);
    }
    Ok(())
}

fn own_session() -> nix::Result<()> {
    match unistd::setsid() {
        Ok(_) => Ok(()),
        // It already leads one.
        Err(_) if unistd::getsid(None)? == unistd::getpid() => Ok(()),
        Err(error) => Err(error),
    }
}

fn die_with(parent: u32) -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let now = unistd::getppid();
    if Pid::from_raw(parent.try_into()?) != now {
        return Err("the grader has ended".into());
    }
    Ok(())
}

fn limit(limits: &Limits, user_is_new: bool) -> Result<()> {
    let others = if user_is_new { 0 } else { user::tasks_of(unistd::getuid())? };
    // SIGXCPU first, which names the limit; a second later SIGKILL, which cannot be ignored.
    setrlimit(Resource::RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1)?;
    let hard: [(Resource, rlim_t); 6] = [
        (Resource::RLIMIT_DATA, limits.data_bytes),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (Resource::RLIMIT_NPROC, others + limits.tasks),
        (Resource::RLIMIT_STACK, limits.stack_bytes),
        (Resource::RLIMIT_CORE, 0),
    ];
    for (resource, value) in hard {
        // Only root can raise a limit.
        let value = value.min(getrlimit(resource)?.1);
        setrlimit(resource, value, value)
            .map_err(|error| format!("{resource:?} cannot be {value}: {error}"))?;
    }
    Ok(())
}

fn seal(purpose: &Purpose, layers: &Layers) -> std::result::Result<(), seal::Error> {
    match purpose {
        _ if !layers.has(Layer::Seccomp) => Ok(()),
        Purpose::Peer => seal::seal_peer(),
        Purpose::Peers => seal::seal_template(),
        Purpose::Build { .. } => seal::seal_build(),
    }
}
