//! Tries each layer: a process inside attempts what the layer forbids.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::{env, process, thread};

use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;
use nix::unistd;

use crate::files;
use crate::layers::{InForce, Layer, Layers, Missing};
use crate::limits::Limits;
use crate::purpose::{Purpose, Sandbox};
use crate::user;

/// The first argument of a process that tries forbidden things. The second names the layers that
/// forbid them, separated by commas.
pub(crate) const PROBE: &str = "--probe";
/// Not a layer: whether addresses are the same in each run.
const ADDRESSES: &str = "addresses";

/// Small, so that they are reached soon.
fn limits() -> Limits {
    Limits {
        cpu_s: 10,
        data_bytes: 256 << 20,
        file_bytes: 1 << 20,
        open_files: 16,
        tasks: 8,
        stack_bytes: 8 << 20,
    }
}

impl Sandbox {
    /// Tries every layer on this machine. The launcher is the running program: its `main` has to
    /// call [`launch`](crate::launch()) before anything else.
    ///
    /// # Errors
    /// If the running program cannot be found or started, or if layers that hold alone fail
    /// together.
    pub fn probe() -> io::Result<Sandbox> {
        Sandbox::probe_with(&env::current_exe()?)
    }

    /// The same with another launcher.
    ///
    /// # Errors
    /// See [`probe`](Sandbox::probe).
    pub fn probe_with(launcher: &Path) -> io::Result<Sandbox> {
        Ok(Sandbox::with(launcher, layers(launcher)?))
    }
}

/// Tries each layer alone, because one could hide the failure of another, and then all that hold
/// together.
fn layers(launcher: &Path) -> io::Result<Layers> {
    let mut layers = Layers::default();
    for layer in Layer::ALL {
        let mut alone = Layers::default();
        alone.in_force.push(InForce { layer, detail: String::new() });
        if layer == Layer::User {
            // The kernel counts processes by user, which is tried too.
            alone.in_force.push(InForce { layer: Layer::Limits, detail: String::new() });
        }
        match attempt_inside(launcher, alone, &name_of(layer))? {
            Ok(detail) => layers.in_force.push(InForce { layer, detail }),
            Err(why) => layers.missing.push(Missing { layer, why }),
        }
    }
    layers.addresses_vary = attempt_inside(launcher, Layers::default(), ADDRESSES)?.is_err();
    let together = layers.in_force.iter().map(|it| name_of(it.layer)).collect::<Vec<_>>();
    match attempt_inside(launcher, layers.clone(), &together.join(","))? {
        Ok(_) => Ok(layers),
        Err(why) => Err(io::Error::other(format!("the layers do not hold together: {why}"))),
    }
}

/// The details of the layer from a process inside, or what that process could do although it is
/// forbidden.
fn attempt_inside(
    launcher: &Path,
    layers: Layers,
    what: &str,
) -> io::Result<Result<String, String>> {
    let sandbox = Sandbox::with(launcher, layers);
    let Output { status, stdout, stderr } = sandbox
        .command(launcher, &Purpose::Peer, &limits())
        .args([PROBE, what])
        .stdin(Stdio::null())
        .output()?;
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().replace('\n', " ");
    Ok(match status.success() {
        true => Ok(line(&stdout)),
        false if stderr.is_empty() => Err(format!("the probe ended with {status}")),
        false => Err(line(&stderr).trim_start_matches("sandbox: ").to_owned()),
    })
}

fn name_of(layer: Layer) -> String {
    layer.to_string().replace(' ', "-")
}

/// Runs inside the sandbox: tries what the layers forbid.
pub(crate) fn attempt(what: &OsStr) -> ExitCode {
    if what == ADDRESSES {
        let fixed = personality::get().is_ok_and(|it| it.contains(Persona::ADDR_NO_RANDOMIZE));
        return if fixed { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let what = what.to_string_lossy();
    let named: Vec<&str> = what.split(',').collect();
    let chosen = Layer::ALL.into_iter().filter(|layer| named.contains(&&*name_of(*layer)));
    for layer in chosen {
        match try_layer(layer, named.len() > 1) {
            Ok(detail) if detail.is_empty() => {}
            Ok(detail) => println!("{detail}"),
            Err(fault) => {
                eprintln!("{fault}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn try_layer(layer: Layer, with_others: bool) -> Result<String, String> {
    match layer {
        Layer::NoNewPrivileges => no_new_privileges(),
        Layer::Session => session(),
        Layer::Limits => limits_hold(),
        Layer::Seccomp => seccomp(),
        Layer::Landlock => landlock(with_others),
        Layer::User => user(),
    }
}

type Attempt = Result<String, String>;

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn no_new_privileges() -> Attempt {
    let set = prctl::get_no_new_privs() == Ok(true);
    expect(set, "a program can gain privileges")?;
    Ok(String::new())
}

fn session() -> Attempt {
    let leads = unistd::getsid(None) == Ok(unistd::getpid());
    expect(leads, "it has no session of its own")?;
    let dies = prctl::get_pdeathsig() == Ok(Some(Signal::SIGKILL));
    expect(dies, "it outlives the grader")?;
    Ok(String::new())
}

fn limits_hold() -> Attempt {
    let limits = limits();
    let much = usize::try_from(limits.data_bytes).unwrap_or(usize::MAX);
    expect(Vec::<u8>::new().try_reserve_exact(much).is_err(), "memory has no limit")?;
    let descriptors: Vec<_> = (0..limits.open_files)
        .map_while(|_| io::stdin().as_fd().try_clone_to_owned().ok())
        .collect();
    expect((descriptors.len() as u64) < limits.open_files, "open files have no limit")?;
    let set = |resource, value| getrlimit(resource).is_ok_and(|(_, hard)| hard == value);
    expect(set(Resource::RLIMIT_CPU, limits.cpu_s + 1), "processor time has no limit")?;
    expect(set(Resource::RLIMIT_FSIZE, limits.file_bytes), "files have no limit")?;
    expect(set(Resource::RLIMIT_STACK, limits.stack_bytes), "the stack has no limit")?;
    expect(set(Resource::RLIMIT_CORE, 0), "a core can be dumped")?;
    Ok(String::new())
}

fn seccomp() -> Attempt {
    let socket = UnixDatagram::unbound().map_err(|error| error.kind());
    expect(socket.err() == Some(ErrorKind::PermissionDenied), "a socket can be made")?;
    let me = env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(me).args([PROBE, "nothing"]).status().map_err(|error| error.kind());
    expect(child.err() == Some(ErrorKind::PermissionDenied), "a process can be started")?;
    Ok(String::new())
}

fn landlock(with_others: bool) -> Attempt {
    let listing = fs::read_dir("/").map_err(|error| error.kind()).err();
    expect(listing == Some(ErrorKind::PermissionDenied), "any folder can be read")?;
    let file = env::temp_dir().join(format!("sandbox-{}", process::id()));
    let written = File::create(&file).map_err(|error| error.kind()).err();
    if written.is_none() {
        let _ = fs::remove_file(&file);
    }
    expect(written == Some(ErrorKind::PermissionDenied), "a file can be created")?;
    // The filter forbids the calls that ask for the version.
    let abi = if with_others { None } else { files::abi() };
    Ok(abi.map(|abi| format!("abi {abi}")).unwrap_or_default())
}

fn user() -> Attempt {
    let ids = unistd::getresuid().map_err(|error| error.to_string())?;
    let rooted = [ids.real, ids.effective, ids.saved].iter().any(|id| id.is_root());
    expect(!rooted, "it is root")?;
    expect(unistd::seteuid(0.into()).is_err(), "it can be root again")?;
    // Tries to start more threads than it may have.
    let count = usize::try_from(limits().tasks).unwrap_or(usize::MAX);
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let start = |_| {
        let gate = Arc::clone(&gate);
        let wait = move || drop(gate.lock());
        thread::Builder::new().stack_size(64 << 10).spawn(wait).ok()
    };
    let threads: Vec<_> = (0..count).map_while(start).collect();
    drop(closed);
    let started = threads.len();
    for thread in threads {
        let _ = thread.join();
    }
    // If the user is the grader's, other processes of that user come and go.
    let own = ids.real.as_raw() >= user::FIRST;
    expect(!own || started < count, "threads have no limit")?;
    Ok(match own {
        true => "one of its own".to_owned(),
        false => format!("uid {}", ids.real),
    })
}
