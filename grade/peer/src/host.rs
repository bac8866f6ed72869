//! The main loop of a peer's process: virtual time advances once for each frame of the grader.

use std::env;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use verdict::virtual_time;

use crate::frames::{self, Advance, Advanced, FrameError, Init, Input, Output};
use crate::server;
use crate::service::{Context, Hosted};
use crate::template::{self, Connection};

/// The virtual time for which threads that are ready at the end of a step can continue. It is
/// limited, because a thread that polls never waits, and the others must not wait for it.
const OVERTIME: Duration = Duration::from_millis(1);
/// The exit code of a peer's program that could not begin, which is no fault of the implementation.
pub const EXIT_MISUSED: i32 = 2;

/// The first argument of a peer's program if no filter of system calls is in force. Without it, the
/// program restricts the filter further itself, and ends if that fails.
pub const UNSEALED: &str = "--unsealed";

/// The whole `main` of a program that hosts a service. It makes copies of itself, and each copy
/// hosts one server until the grader ends it. `prepare` makes the server.
///
/// Its standard input must be a connection with the grader.
pub fn main(prepare: impl FnOnce(Context) -> Arc<dyn Hosted> + Send + 'static) -> ! {
    let result = take_socket().map_err(FrameError::from).and_then(|control| {
        let is_sealed = env::args_os().nth(1).is_none_or(|word| word != UNSEALED);
        if is_sealed {
            seal::tighten().map_err(|error| template::unsealed(&error))?;
        }
        let Connection { from, to, program, .. } = template::copies(control, is_sealed)?;
        sim::read_names_from(program);
        serve(from, to, prepare)
    });
    match result {
        // The grader has ended, so this process ends as well.
        Err(error) if error.is_end() => process::exit(0),
        Ok(()) => process::exit(0),
        Err(error) => {
            eprintln!("error: this program runs a peer; only `cargo grade` starts it: {error}");
            process::exit(EXIT_MISUSED)
        }
    }
}

/// The connection with the grader. A copy closes it and gets another standard input.
fn take_socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    Ok(socket)
}

/// Hosts one server: reads frames from `from`, starting with [`Init`], and writes the answers to
/// `to`.
///
/// # Errors Says how the connection ended. Usually [`FrameError::is_end`] is true.
pub fn serve(
    from: File,
    mut to: File,
    prepare: impl FnOnce(Context) -> Arc<dyn Hosted> + Send + 'static,
) -> Result<(), FrameError> {
    let mut from = BufReader::new(from);
    let init: Init = frames::read(&mut from)?;
    let mut last = (from.get_ref().try_clone()?, to.try_clone()?);
    let first = with_overtime(frames::read(&mut from)?);
    let (broken, why) = mpsc::channel();
    let (report, outputs) = sim::serve(
        virtual_time::options(init.seed),
        first,
        move |inbox, outbox| server::serve(init, prepare, &inbox, outbox),
        move |pause| {
            let advanced = Advanced { next_deadline: pause.next_deadline, outputs: pause.outputs };
            let next = frames::write(&mut to, &advanced).and_then(|()| frames::read(&mut from));
            // The receiver may be gone too.
            next.map(with_overtime).map_err(|error| drop(broken.send(error))).ok()
        },
    );
    if let Ok(error) = why.try_recv() {
        return Err(error);
    }
    report_end(&mut last, &report, outputs)
}

/// Reports that the simulation is over. After that the grader does not use the peer, so the process
/// ends when the connection ends.
fn report_end(
    (from, to): &mut (File, File),
    report: &sim::Report,
    mut outputs: Vec<(Duration, Output)>,
) -> Result<(), FrameError> {
    outputs
        .push((report.elapsed, Output::Failed(virtual_time::failure(report, &server::referee()))));
    loop {
        let outputs = std::mem::take(&mut outputs);
        frames::write(to, &Advanced { next_deadline: None, outputs })?;
        frames::read::<Advance>(from)?;
    }
}

fn with_overtime(Advance { until, inputs }: Advance) -> sim::Advance<Input> {
    sim::Advance { until, overtime: OVERTIME, inputs }
}
