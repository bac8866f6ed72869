//! The loop of a peer's process: virtual time advances once for each frame of the grader.

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

/// Threads that have something to do at the end of a step may go on for this long. A thread that
/// polls never waits, and the others must not wait for it.
const OVERTIME: Duration = Duration::from_millis(1);
/// The exit code of a peer's program that could not begin, by no fault of an implementation.
pub const EXIT_MISUSED: i32 = 2;

/// The first argument of a peer's program where no filter of system calls is in force. Without it
/// the program takes the last steps of that filter itself, and ends if it cannot.
pub const UNSEALED: &str = "--unsealed";

/// The whole `main` of a program that hosts a service: makes copies of itself, each of which hosts
/// one server, which `prepare` makes, until the grader has no more use for it.
///
/// The grader's end of the connection is what it finds as its standard input.
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
        // The grader has ended, so this process ends, too.
        Err(error) if error.is_end() => process::exit(0),
        Ok(()) => process::exit(0),
        Err(error) => {
            eprintln!("error: this program runs a peer; only `cargo grade` starts it: {error}");
            process::exit(EXIT_MISUSED)
        }
    }
}

/// The connection with the grader. A copy closes it, and has another standard input.
fn take_socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    Ok(socket)
}

/// Hosts one server: reads frames from `from` and answers them to `to`, from [`Init`] on.
///
/// # Errors
/// How the connection ended; an end that [`FrameError::is_end`] is the usual one.
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
            // The receiver may be gone as well.
            next.map(with_overtime).map_err(|error| drop(broken.send(error))).ok()
        },
    );
    if let Ok(error) = why.try_recv() {
        return Err(error);
    }
    report_end(&mut last, &report, outputs)
}

/// The simulation is over, and the grader does not know. It has no use for a peer after that, so
/// the process ends when the connection does.
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
