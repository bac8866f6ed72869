//! The loop of a peer's process: a step of virtual time for each that the grader asks for.

use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use config::{Make, PeerContext, RaftPeer, virtual_time};
use sim::Stepped as Simulation;

use crate::frames::{self, Birth, FrameError, Output, Step, Stepped};
use crate::server;

/// Threads that have something to do at the end of a step may go on for so long. A thread that
/// polls never waits, and the others must not wait for it.
const OVERTIME: Duration = Duration::from_millis(1);
/// The kit was told to do something that makes no sense.
const EXIT_MISUSED: i32 = 2;

/// The whole `main` of a peer's program: hosts one server until the grader has no more use for it.
///
/// The grader's end of the connection is what it finds as its standard input.
pub fn main(make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static) -> ! {
    let result = take_socket().map_err(FrameError::from).and_then(|socket| {
        let mut from = BufReader::new(&socket);
        let birth = frames::read(&mut from)?;
        host(birth, Arc::new(make), &socket, &mut from)
    });
    match result {
        // The grader has gone, and so shall we.
        Err(error) if error.is_end() => process::exit(0),
        Err(error) => {
            eprintln!("error: a peer's program talks to `cargo grade` alone: {error}");
            process::exit(EXIT_MISUSED)
        }
        Ok(never) => match never {},
    }
}

/// Takes the connection away from where code of the implementation could find it.
fn take_socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    // What nobody writes to any more is at its end; and unlike a file it cannot be forbidden.
    let (nothing, _) = io::pipe()?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(socket)
}

enum Never {}

fn host(
    birth: Birth,
    make: Make,
    mut to: &UnixStream,
    from: &mut BufReader<&UnixStream>,
) -> Result<Never, FrameError> {
    let options = virtual_time::options(birth.seed);
    let mut simulation = Some(Simulation::start(options, move |inbox, outbox| {
        server::serve(birth, make, &inbox, outbox);
    }));
    loop {
        let Step { until, inputs } = frames::read(from)?;
        let stepped = match &mut simulation {
            Some(running) => step(running, until, inputs),
            None => Ok(Stepped { next_deadline: None, outputs: Vec::new() }),
        };
        let stepped = stepped.unwrap_or_else(|mut last| {
            if let Some(over) = simulation.take() {
                let failure = virtual_time::failure(&over.finish());
                last.outputs.push((until, Output::Failed(failure)));
            }
            last
        });
        frames::write(&mut to, &stepped)?;
    }
}

/// The last step of a simulation that is over is an error.
fn step(
    simulation: &mut Simulation<frames::Input, Output>,
    until: Duration,
    inputs: Vec<frames::Input>,
) -> Result<Stepped, Stepped> {
    let pause = simulation.settle(until, OVERTIME, inputs);
    let stepped = Stepped { next_deadline: pause.next_deadline, outputs: pause.outputs };
    if pause.running { Ok(stepped) } else { Err(stepped) }
}
