//! The process of which a run's peers are copies, so that a program is started only once a run.
//!
//! The template has loaded the program, and no code of the implementation has run. For each peer
//! the grader sends [`GIVEN`] descriptors. The template answers with the process number of a copy
//! of itself, which is a child of the grader and uses these descriptors. The first frame of a copy
//! says that it has given up its rights.
//!
//! A copy has no other descriptor, and no other peer has these. Otherwise two copies could
//! communicate outside the network through a descriptor that they share.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::process;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{
    DumpableBehavior, Pid, Signal, getppid, set_dumpable_behavior, set_parent_process_death_signal,
    setsid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::frames::{self, Settled};

/// The number of threads that are made in advance: most peers of the reference need no more. More
/// are made on demand.
const THREADS_READY: usize = 16;

/// The answer of the template if no copy could be made.
const NO_PROCESS: u32 = 0;

/// The number of descriptors that a copy gets: the ends of four pipes, and the program's file. It
/// reads frames from the first pipe, writes frames to the second, and writes its output to the
/// third. The fourth is its standard input, and has no writer. It reads the names of functions from
/// the file.
pub const GIVEN: usize = 5;

/// A peer's connection with the grader. A round trip over a pair of sockets costs 16 us of
/// processor time; two pipes save 6 us of them.
pub(crate) struct Connection {
    pub(crate) from: File,
    pub(crate) to: File,
    printed: File,
    nothing: File,
    pub(crate) program: File,
}

/// The grader's side: asks the template for a copy that gets these descriptors, and returns its
/// process number.
///
/// # Errors If the template is gone (for example [`ErrorKind::UnexpectedEof`] or
/// [`ErrorKind::BrokenPipe`]), or if a system call fails.
pub fn copy(mut control: &UnixStream, given: [BorrowedFd<'_>; GIVEN]) -> io::Result<u32> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(GIVEN))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&given));
    sendmsg(control, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::NOSIGNAL)?;
    let mut number = [0; 4];
    control.read_exact(&mut number)?;
    Ok(u32::from_le_bytes(number))
}

/// The template's side: makes copies while the grader asks for them. It returns only in the copies,
/// each with its connection. If the template is sealed, its copies are sealed too. Each copy has
/// sent [`Settled`].
pub(crate) fn copies(control: UnixStream, is_sealed: bool) -> io::Result<Connection> {
    let grader = getppid();
    // The copies inherit this: only root can read their memory, or list their descriptors.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    sim::warm_up(THREADS_READY);
    loop {
        let connection = receive(&control)?;
        let number = match sim::copy_process() {
            Ok(Some(number)) => number,
            Ok(None) => {
                drop(control);
                return settle(connection, grader, is_sealed);
            }
            Err(error) => {
                eprintln!("error: failed to copy a peer's program: {error}");
                NO_PROCESS
            }
        };
        (&control).write_all(&number.to_le_bytes())?;
    }
}

/// Prepares a copy, up to [`Settled`]. Until then its messages go to the template's output.
fn settle(
    mut connection: Connection,
    grader: Option<Pid>,
    is_sealed: bool,
) -> io::Result<Connection> {
    setsid()?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != grader {
        // The grader has ended, so no process would end this one.
        process::exit(0);
    }
    if is_sealed {
        seal::seal_copy().map_err(|error| unsealed(&error))?;
    }
    // So far it has used the template's.
    dup2_stdin(&connection.nothing)?;
    dup2_stdout(&connection.printed)?;
    dup2_stderr(&connection.printed)?;
    frames::write(&mut connection.to, &Settled).map_err(io::Error::other)?;
    Ok(connection)
}

pub(crate) fn unsealed(error: &seal::Error) -> io::Error {
    io::Error::other(format!("no filter of system calls: {error}"))
}

fn receive(control: &UnixStream) -> io::Result<Connection> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(GIVEN))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let into = &mut [IoSliceMut::new(&mut byte)];
    if recvmsg(control, into, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?.bytes == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let given = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(given) => given.map(File::from).collect(),
        _ => Vec::new(),
    });
    let given: [File; GIVEN] =
        given.collect::<Vec<_>>().try_into().map_err(|_| ErrorKind::InvalidData)?;
    let [from, to, printed, nothing, program] = given;
    Ok(Connection { from, to, printed, nothing, program })
}
