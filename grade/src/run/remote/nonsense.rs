//! The verdict on a server whose process sent malformed data.

use ::peer::frames::FrameError;
use config::{Class, Failure};
use labrpc::codec::CodecError;

pub(super) enum Nonsense {
    /// It is a valid frame, but does not fit here.
    Unexpected,
    /// It is no frame, or bytes in a frame are no value of the expected type.
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
