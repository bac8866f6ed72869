//! What the grader and a peer's process say to one another: frames of a bounded size.
//!
//! Each frame is a length (four bytes, little-endian) and so many bytes of labrpc's encoding. A
//! peer begins with [`Settled`] and the grader with a [`Birth`]; after that every [`Step`] of its
//! is answered by one [`Stepped`].

use std::io::{self, Read, Write};
use std::time::Duration;

use config::Failure;
use labrpc::{CallError, codec};
use raftapi::{ApplyMsg, Started};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::bounds::{self, FRAME_BYTES_MAX, LIST_MAX, OUTPUTS_MAX};
use crate::delta::{Change, InspectChange};

/// Most frames are shorter, in bytes.
const BYTES_AT_ONCE: usize = 4 << 10;

/// The first frame of a peer: it has given up its rights, and nothing of an implementation has run.
/// Whatever goes wrong before is the kit's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled;

/// The first frame to a peer: which server it is, and what survived the last crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    /// Its number.
    pub me: usize,
    /// The number of servers.
    pub servers: usize,
    /// From which its simulation draws.
    pub seed: u64,
    /// What was saved; empty if nothing was.
    #[serde(with = "serde_bytes")]
    pub raft_state: Vec<u8>,
    /// Likewise.
    #[serde(with = "serde_bytes")]
    pub snapshot: Vec<u8>,
}

/// Lets a peer's time pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// By the peer's clock.
    pub until: Duration,
    /// What comes in at that time.
    pub inputs: Vec<Input>,
}

/// What comes in to a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Another server calls: an [`Output::Answer`] is due.
    Request {
        /// By which it is answered.
        id: u64,
        /// The whole name of the method.
        method: String,
        /// Its arguments.
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
    },
    /// The reply to an [`Output::Call`].
    Reply {
        /// As in the call.
        id: u64,
        /// What came of it.
        result: Result<ByteBuf, CallError>,
    },
    /// The lab calls into the peer: an [`Output::Told`] is due.
    Ask {
        /// By which it is answered.
        id: u64,
        /// What it calls.
        question: Question,
    },
    /// The lab waits for the next message that is applied.
    Credit,
}

/// A method of the peer's, with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// `make` itself.
    Make,
    /// `service`.
    Service,
    /// `start`.
    Start(#[serde(with = "serde_bytes")] Vec<u8>),
    /// `get_state`.
    GetState,
    /// No method: what threads of the peer have waited for long.
    Waiting,
    /// `snapshot`.
    Snapshot(u64, #[serde(with = "serde_bytes")] Vec<u8>),
}

/// What a method of the peer's has returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The peer is made.
    Made {
        /// It has read what was saved.
        has_read: bool,
    },
    /// Its RPC handlers.
    Service {
        /// The service's name.
        name: String,
        /// The names of its methods.
        #[serde(deserialize_with = "bounds::at_most::<LIST_MAX, _, _>")]
        methods: Vec<String>,
    },
    /// Of `start`.
    Started(Option<Started>),
    /// Of `get_state`: the term, and whether it leads.
    State(u64, bool),
    /// A sentence for each such thread.
    Waiting(#[serde(deserialize_with = "bounds::at_most::<LIST_MAX, _, _>")] Vec<String>),
    /// Of `snapshot`, which returns nothing.
    Snapshot,
}

/// The end of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stepped {
    /// When something happens next if nothing comes in, by the peer's clock. A time that has passed
    /// means at once: some thread never waits.
    pub next_deadline: Option<Duration>,
    /// What came out, in order, each with its time.
    #[serde(deserialize_with = "bounds::at_most::<OUTPUTS_MAX, _, _>")]
    pub outputs: Vec<(Duration, Output)>,
}

/// What comes out of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// The peer calls a server: an [`Input::Reply`] is due.
    Call {
        /// By which it is answered.
        id: u64,
        /// The server's number.
        to: usize,
        /// The whole name of the method.
        method: String,
        /// Its arguments.
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
    },
    /// The reply to an [`Input::Request`].
    Answer {
        /// As in the request.
        id: u64,
        /// What the handler came to.
        result: Result<ByteBuf, CallError>,
    },
    /// The answer to an [`Input::Ask`].
    Told {
        /// As in the question.
        id: u64,
        /// What was returned.
        answer: Answer,
    },
    /// Something was saved.
    Saved {
        /// The Raft state, compared with the last.
        raft_state: Change,
        /// The snapshot, likewise.
        snapshot: Change,
    },
    /// Something was applied; that used up the credit.
    Applied(ApplyMsg),
    /// Something waits to be applied, and there is no credit.
    Waits,
    /// The peer's state as `inspect` showed it after the `covers`-th output that is no such look.
    Inspected {
        /// So many outputs had come before it.
        covers: u64,
        /// What is new; none if the peer has no `inspect`.
        change: Option<InspectChange>,
    },
    /// Something is wrong with the peer, and this is the verdict.
    Failed(Failure),
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side is gone, or cannot be reached.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// It says to be longer than [`FRAME_BYTES_MAX`].
    #[error("a frame of {0} bytes is longer than any may be")]
    Oversized(usize),
    /// It is not what is due now.
    #[error("a frame makes no sense: {0}")]
    Malformed(codec::CodecError),
}

impl FrameError {
    /// Whether the other side has closed the connection, maybe in the midst of a frame.
    pub fn is_end(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        let ends = [BrokenPipe, ConnectionReset, UnexpectedEof];
        matches!(self, FrameError::Broken(error) if ends.contains(&error.kind()))
    }
}

/// Writes one frame, in one piece.
///
/// # Errors
/// [`FrameError::Broken`], [`FrameError::Oversized`].
pub fn write<T: Serialize>(to: &mut impl Write, frame: &T) -> Result<(), FrameError> {
    let mut bytes = codec::encode(frame).map_err(FrameError::Malformed)?;
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= FRAME_BYTES_MAX);
    let length = length.ok_or(FrameError::Oversized(bytes.len()))?;
    bytes.splice(..0, length.to_le_bytes());
    Ok(to.write_all(&bytes)?)
}

/// Reads one frame.
///
/// # Errors
/// All of [`FrameError`]. Where nothing came at all, the connection broke by an unexpected end.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<T, FrameError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(FrameError::Oversized(length));
    }
    // Not all at once: whoever only says to send much costs little memory.
    let mut bytes = Vec::with_capacity(length.min(BYTES_AT_ONCE));
    if from.take(length as u64).read_to_end(&mut bytes)? < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    codec::decode(&bytes).map_err(FrameError::Malformed)
}

#[cfg(test)]
mod tests {
    use config::Class;
    use raftapi::Inspect;

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
    fn frames_survive_the_journey_and_broken_ones_do_not() {
        let (raft_state, snapshot) = (vec![1, 2], vec![]);
        check(&Birth { me: 2, servers: 3, seed: u64::MAX, raft_state, snapshot });
        let result = Err(CallError::UnknownMethod { method: "A.B".into(), known: "C".into() });
        let ask = |id, question| Input::Ask { id, question };
        check(&Step {
            until: Duration::from_nanos(1_000_000_007),
            inputs: vec![
                Input::Request { id: 1, method: "Raft.RequestVote".into(), args: vec![0, 255] },
                Input::Reply { id: 2, result },
                Input::Credit,
                ask(3, Question::Make),
                ask(4, Question::Start(vec![7; 300])),
                ask(5, Question::Snapshot(10, vec![])),
            ],
        });
        let inspect = Inspect { log_terms: vec![1, 2], ..Inspect::default() };
        let (unchanged, changed) = (Change::between(&[1], &[1]), Change::between(&[1], &[1, 2]));
        let started = Answer::Started(Some(Started { index: 1, term: 2 }));
        let outputs = vec![
            Output::Call { id: 1, to: 0, method: "Raft.RequestVote".into(), args: vec![1] },
            Output::Answer { id: 1, result: Ok(ByteBuf::from(vec![9])) },
            Output::Told { id: 3, answer: started },
            Output::Saved { raft_state: changed, snapshot: unchanged },
            Output::Applied(ApplyMsg::Command { index: 1, command: vec![4] }),
            Output::Waits,
            Output::Inspected {
                covers: 6,
                change: Some(InspectChange::between(&Inspect::default(), &inspect)),
            },
            Output::Inspected { covers: 7, change: None },
            Output::Failed(Failure::of(1, Class::Panic, "server 1 panicked")),
        ];
        let timed = outputs.into_iter().map(|output| (Duration::from_micros(5), output)).collect();
        check(&Stepped { next_deadline: Some(Duration::from_millis(3)), outputs: timed });
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_at_once() {
        let length = u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
        let error = read::<Step>(&mut &length[..]).unwrap_err();
        assert_eq!(error.to_string(), "a frame of 67108865 bytes is longer than any may be");
    }

    #[test]
    fn a_step_from_which_too_much_comes_is_refused() {
        let sent = |count| {
            let outputs = vec![(Duration::ZERO, Output::Waits); count];
            let mut bytes = Vec::new();
            write(&mut bytes, &Stepped { next_deadline: None, outputs }).unwrap();
            read::<Stepped>(&mut &bytes[..])
        };
        assert_eq!(sent(OUTPUTS_MAX).unwrap().outputs.len(), OUTPUTS_MAX);
        let error = sent(OUTPUTS_MAX + 1).unwrap_err().to_string();
        assert!(error.contains("a list is longer than 262144"), "{error}");
    }

    #[test]
    fn garbage_is_told_from_an_end() {
        let error = read::<Stepped>(&mut &[3, 0, 0, 0, 200, 200, 200][..]).unwrap_err();
        assert!(matches!(error, FrameError::Malformed(_)) && !error.is_end());
    }
}
