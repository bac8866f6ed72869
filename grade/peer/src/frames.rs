//! The frames between the grader and a peer's process: all data that they exchange.
//!
//! Each frame is its length (four bytes, little-endian) and that many bytes of labrpc's encoding.
//! First the peer sends [`Settled`], and the grader sends [`Init`]. Then the peer answers each
//! [`Advance`] with one [`Advanced`].
//!
//! In a recorded run the peer also describes what it sends. An unrecorded run has none of the
//! frames for that.
//!
//! The frames do not depend on the service. A call of the server's object is the name of a method
//! and bytes, and so is an RPC. Messages and observations are bytes.

use std::io::{self, Read, Write};
use std::time::Duration;

use labrpc::{CallError, codec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use verdict::Failure;

use crate::bounds::{self, FRAME_BYTES_MAX, LIST_MAX, OUTPUTS_MAX};
use crate::delta::Change;

/// In bytes. Most frames are shorter.
const BYTES_AT_ONCE: usize = 4 << 10;

/// The first frame of a peer: it has given up its rights, and no code of the implementation has
/// run. Any failure before this frame is the kit's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled;

/// The first frame to a peer: the number of its server, and the data that survived the last crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Init {
    /// The server's number.
    pub me: usize,
    /// The number of servers. The server gets one end for each.
    pub servers: usize,
    /// The seed of its simulation.
    pub seed: u64,
    /// The saved state. Empty if nothing was saved.
    #[serde(with = "serde_bytes")]
    pub state: Vec<u8>,
    /// The snapshot that was saved with it. Empty if there is none.
    #[serde(with = "serde_bytes")]
    pub snapshot: Vec<u8>,
}

/// Lets the virtual time of a peer advance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advance {
    /// The time to which the peer's clock advances.
    pub until: Duration,
    /// The inputs that arrive at that time.
    pub inputs: Vec<Input>,
}

/// An input of a peer. Its `id` is repeated in the output that answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Another server sends an RPC. The peer answers with an [`Output::Reply`].
    Request {
        /// The number of the request.
        id: u64,
        /// The whole name of the method, such as `Service.Method`.
        method: String,
        /// Its encoded arguments.
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
    },
    /// The reply to an [`Output::Request`].
    Reply {
        /// The number of that request.
        id: u64,
        /// The encoded reply, or why there is none.
        result: Result<ByteBuf, CallError>,
    },
    /// The owner of the service calls the server. The peer answers with an [`Output::Answer`].
    Call {
        /// The number of the call.
        id: u64,
        /// The call.
        call: Call,
    },
    /// The owner of the service waits for the next message.
    Credit,
}

/// A call of the server: of a method of its object, or of its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Make the object. This is the first call.
    Make,
    /// List the RPC handlers of the object. This is the second call.
    Handlers,
    /// List the threads of the server that have waited for a long time.
    Waiting,
    /// Call a method of the object.
    Method {
        /// Its name.
        method: String,
        /// Its encoded arguments.
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
    },
    /// The same as [`Call::Make`] in a recorded run: from now on the process describes the messages
    /// that it sends, and shows details with its state.
    MakeDescribed,
}

/// The result of a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The object is made.
    Made {
        /// Whether it has read the saved state.
        has_read: bool,
    },
    /// The RPC handlers.
    Handlers(#[serde(deserialize_with = "bounds::at_most::<LIST_MAX, _, _>")] Vec<Handlers>),
    /// A sentence for each thread that has waited for a long time.
    Waiting(#[serde(deserialize_with = "bounds::at_most::<LIST_MAX, _, _>")] Vec<String>),
    /// The encoded result of a method. An error is a bug of the kit, or a forgery.
    Returned(Result<ByteBuf, CallError>),
}

/// The names of one service's RPC handlers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handlers {
    /// The name of the service.
    pub service: String,
    /// The names of its methods.
    #[serde(deserialize_with = "bounds::at_most::<LIST_MAX, _, _>")]
    pub methods: Vec<String>,
}

/// The result of an [`Advance`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advanced {
    /// The time of the next event if there is no input, on the peer's clock. A time in the past
    /// means immediately, because some thread never waits. None if no thread waits for a time.
    pub next_deadline: Option<Duration>,
    /// The outputs, in order, each with its time.
    #[serde(deserialize_with = "bounds::at_most::<OUTPUTS_MAX, _, _>")]
    pub outputs: Vec<(Duration, Output)>,
}

/// An output of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// The server sends an RPC. The grader answers with an [`Input::Reply`].
    Request {
        /// The number of the request.
        id: u64,
        /// The number of the server to which it goes.
        to: usize,
        /// The whole name of the method, such as `Service.Method`.
        method: String,
        /// Its encoded arguments.
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
    },
    /// The reply to an [`Input::Request`].
    Reply {
        /// The number of that request.
        id: u64,
        /// The encoded reply, or why there is none.
        result: Result<ByteBuf, CallError>,
    },
    /// The answer to an [`Input::Call`].
    Answer {
        /// The number of that call.
        id: u64,
        /// The result of the call.
        answer: Answer,
    },
    /// The server has saved.
    Saved {
        /// The state, as the difference from the last one.
        state: Change,
        /// The snapshot, as the difference from the last one.
        snapshot: Change,
    },
    /// An encoded message to the owner of the service. It uses up one credit.
    Delivered(ByteBuf),
    /// A message is ready, and there is no credit.
    Blocked,
    /// An observation: the state of the object after `covers` outputs that are no observations.
    Observed {
        /// The number of those outputs.
        covers: u64,
        /// The encoded state, or the change of it. Empty if the state is the same. None if the
        /// object never shows its state.
        change: Option<ByteBuf>,
    },
    /// The server has failed, and this is the verdict.
    Failed(Failure),
    /// An [`Output::Request`] whose arguments are [described](crate::description). Only for a
    /// recorded run, as the next one.
    DescribedRequest {
        /// The number of the request.
        id: u64,
        /// The number of the server to which it goes.
        to: usize,
        /// The whole name of the method.
        method: String,
        /// Its encoded arguments.
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
        /// Their description.
        value: ByteBuf,
    },
    /// An [`Output::Reply`] that is described.
    DescribedReply {
        /// The number of the request.
        id: u64,
        /// The encoded reply, or why there is none.
        result: Result<ByteBuf, CallError>,
        /// The description of the reply.
        value: ByteBuf,
    },
}

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side is gone, or cannot be reached.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// It is longer than [`FRAME_BYTES_MAX`], or claims to be.
    #[error("a frame of {0} bytes exceeds the limit")]
    Oversized(usize),
    /// Its bytes are no value of the expected type.
    #[error("a frame is malformed: {0}")]
    Malformed(codec::CodecError),
}

impl FrameError {
    /// Whether the other side has closed the connection, even within a frame.
    pub fn is_end(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        let ends = [BrokenPipe, ConnectionReset, UnexpectedEof];
        matches!(self, FrameError::Broken(error) if ends.contains(&error.kind()))
    }
}

/// Writes one frame.
///
/// # Errors
/// [`FrameError::Broken`], [`FrameError::Oversized`].
pub fn write<T: Serialize>(to: &mut impl Write, frame: &T) -> Result<(), FrameError> {
    let mut bytes = codec::encode(frame).map_err(FrameError::Malformed)?;
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= FRAME_BYTES_MAX);
    let length = length.ok_or(FrameError::Oversized(bytes.len()))?.to_le_bytes();
    if bytes.len() <= BYTES_AT_ONCE {
        // Moving a few bytes costs less than a second system call.
        bytes.splice(..0, length);
    } else {
        to.write_all(&length)?;
    }
    Ok(to.write_all(&bytes)?)
}

/// Reads one frame.
///
/// # Errors All of [`FrameError`]. If nothing was received, [`FrameError::Broken`] with an
/// unexpected end.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<T, FrameError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(FrameError::Oversized(length));
    }
    // Not allocated all at once, so a peer that only announces a large frame costs little memory.
    let mut bytes = Vec::with_capacity(length.min(BYTES_AT_ONCE));
    if from.take(length as u64).read_to_end(&mut bytes)? < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    codec::decode(&bytes).map_err(FrameError::Malformed)
}

#[cfg(test)]
mod tests {
    use verdict::Class;

    use super::*;

    #[track_caller]
    fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(frame: &T) {
        let mut bytes = Vec::new();
        write(&mut bytes, frame).unwrap();
        let mut rest = &bytes[..];
        assert_eq!(read::<T>(&mut rest).unwrap(), *frame);
        assert!(rest.is_empty());
        for cut in [0, 3, bytes.len() - 1] {
            assert!(read::<T>(&mut &bytes[..cut]).unwrap_err().is_end(), "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_is_read_as_it_was_written_and_a_cut_one_is_an_end() {
        let (state, snapshot) = (vec![1, 2], vec![]);
        check(&Init { me: 2, servers: 3, seed: u64::MAX, state, snapshot });
        let result = Err(CallError::UnknownMethod { method: "A.B".into(), known: "C".into() });
        let call = |id, call| Input::Call { id, call };
        check(&Advance {
            until: Duration::from_nanos(1_000_000_007),
            inputs: vec![
                Input::Request { id: 1, method: "Echo.Twice".into(), args: vec![0, 255] },
                Input::Reply { id: 2, result: result.clone() },
                Input::Credit,
                call(3, Call::Make),
                call(4, Call::Handlers),
                call(5, Call::Waiting),
                call(6, Call::Method { method: "add".into(), args: vec![7; 300] }),
                call(7, Call::MakeDescribed),
            ],
        });
        let (unchanged, changed) = (Change::between(&[1], &[1]), Change::between(&[1], &[1, 2]));
        let handlers = Handlers { service: "Echo".into(), methods: vec!["Twice".into()] };
        let answer = |id, answer| Output::Answer { id, answer };
        let bytes = || ByteBuf::from(vec![9]);
        let outputs = vec![
            Output::Request { id: 1, to: 0, method: "Echo.Twice".into(), args: vec![1] },
            Output::Reply { id: 1, result: Ok(bytes()) },
            answer(3, Answer::Made { has_read: true }),
            answer(4, Answer::Handlers(vec![handlers])),
            answer(5, Answer::Waiting(vec!["it waits".into()])),
            answer(6, Answer::Returned(Ok(bytes()))),
            answer(7, Answer::Returned(result)),
            Output::Saved { state: changed, snapshot: unchanged },
            Output::Delivered(bytes()),
            Output::Blocked,
            Output::Observed { covers: 6, change: Some(bytes()) },
            Output::Observed { covers: 7, change: None },
            Output::Failed(Failure::of(1, Class::Panic, "server 1 panicked")),
            Output::DescribedRequest {
                id: 1,
                to: 0,
                method: "Echo.Twice".into(),
                args: vec![1],
                value: bytes(),
            },
            Output::DescribedReply { id: 1, result: Ok(bytes()), value: bytes() },
        ];
        let timed = outputs.into_iter().map(|output| (Duration::from_micros(5), output)).collect();
        check(&Advanced { next_deadline: Some(Duration::from_millis(3)), outputs: timed });
    }

    /// The frames of a recorded run come last, so that the others keep their bytes.
    #[test]
    fn an_unrecorded_run_has_the_bytes_that_it_had_before_runs_were_recorded() {
        let number = |output: &Output| codec::encode(output).unwrap()[0];
        let failed = Output::Failed(Failure::of(1, Class::Panic, "server 1 panicked"));
        let (id, result, value) = (1, Ok(ByteBuf::new()), ByteBuf::new());
        assert_eq!(number(&Output::Reply { id, result: result.clone() }), 1);
        assert_eq!(number(&failed), 7);
        assert_eq!(number(&Output::DescribedReply { id, result, value }), 9);
        let calls = [Call::Make, Call::Handlers, Call::Waiting];
        assert_eq!(codec::encode(&calls).unwrap(), [0, 1, 2]);
        assert_eq!(codec::encode(&Call::MakeDescribed).unwrap(), [4]);
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_immediately() {
        let length = u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
        let error = read::<Advance>(&mut &length[..]).unwrap_err();
        assert_eq!(error.to_string(), "a frame of 67108865 bytes exceeds the limit");
    }

    #[test]
    fn more_outputs_than_the_limit_are_refused() {
        let sent = |count| {
            let outputs = vec![(Duration::ZERO, Output::Blocked); count];
            let mut bytes = Vec::new();
            write(&mut bytes, &Advanced { next_deadline: None, outputs }).unwrap();
            read::<Advanced>(&mut &bytes[..])
        };
        assert_eq!(sent(OUTPUTS_MAX).unwrap().outputs.len(), OUTPUTS_MAX);
        let error = sent(OUTPUTS_MAX + 1).unwrap_err().to_string();
        assert!(error.contains("a list is longer than 262144"), "{error}");
    }

    #[test]
    fn more_names_than_the_limit_are_refused() {
        let sent = |count| {
            let methods = vec![String::new(); count];
            let answer = Answer::Handlers(vec![Handlers { service: "Echo".into(), methods }]);
            let outputs = vec![(Duration::ZERO, Output::Answer { id: 1, answer })];
            let mut bytes = Vec::new();
            write(&mut bytes, &Advanced { next_deadline: None, outputs }).unwrap();
            read::<Advanced>(&mut &bytes[..])
        };
        assert!(sent(LIST_MAX).is_ok());
        let error = sent(LIST_MAX + 1).unwrap_err().to_string();
        assert!(error.contains("a list is longer than 8192"), "{error}");
    }

    #[test]
    fn garbage_is_no_end() {
        let error = read::<Advanced>(&mut &[3, 0, 0, 0, 200, 200, 200][..]).unwrap_err();
        assert!(matches!(error, FrameError::Malformed(_)) && !error.is_end());
    }
}
