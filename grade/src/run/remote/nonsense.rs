//! What a peer's process sent makes no sense, and that is the verdict on its server.

use ::peer::frames::FrameError;
use config::{Class, Failure};
use labrpc::codec::CodecError;

pub(super) enum Nonsense {
    /// It is not what is due now.
    Unexpected,
    /// It is no frame, or the bytes in a frame are no value of the type that is due.
    Undecodable(FrameError),
}

impl From<CodecError> for Nonsense {
    fn from(error: CodecError) -> Nonsense {
        Nonsense::Undecodable(FrameError::Malformed(error))
    }
}

impl Nonsense {
    pub(super) fn verdict(self, server: usize) -> Failure {
        let process = format!("server {server}'s process");
        let sentence = match self {
            Nonsense::Unexpected => format!("{process} sent malformed data"),
            Nonsense::Undecodable(error) => format!("{process} sent malformed data: {error}"),
        };
        Failure::of(server, Class::Contract, sentence)
    }
}
