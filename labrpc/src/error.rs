//! Why a call has no reply.

use serde::{Deserialize, Serialize};

use crate::codec::CodecError;

/// Why a call has no reply.
///
/// [`CallError::NoAnswer`] is the ordinary case and says nothing about the cause, as on a real
/// network. Every other variant is a bug of the caller or of the service; it is also left in the
/// network's log as [`Step::Misused`](crate::Step::Misused), so that a test can fail by it even
/// when the caller ignores its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CallError {
    /// No reply came: the request was lost, the reply was lost, the server is gone or cannot be
    /// reached. The handler may have run or not.
    #[error("no answer")]
    NoAnswer,
    /// The server has no service of that name.
    #[error("unknown service {service:?} in a call of {method:?}; the server offers {known}")]
    UnknownService {
        /// The part of the method's name before its last dot.
        service: String,
        /// The whole name that was called.
        method: String,
        /// The services that the server has.
        known: String,
    },
    /// The service has no method of that name.
    #[error("unknown method {method:?}; the service offers {known}")]
    UnknownMethod {
        /// The whole name that was called.
        method: String,
        /// The methods that the service has.
        known: String,
    },
    /// The arguments have no encoding.
    #[error("the arguments of {method:?} cannot be sent: {why}")]
    UnencodableArgs {
        /// The whole name that was called.
        method: String,
        /// What the encoder said.
        why: CodecError,
    },
    /// The handler expects other arguments than were sent.
    #[error("{method:?} cannot read its arguments: {why}")]
    UndecodableArgs {
        /// The whole name that was called.
        method: String,
        /// What the decoder said.
        why: CodecError,
    },
    /// The handler's reply has no encoding.
    #[error("the reply of {method:?} cannot be sent: {why}")]
    UnencodableReply {
        /// The whole name that was called.
        method: String,
        /// What the encoder said.
        why: CodecError,
    },
    /// The caller expects another reply than was sent.
    #[error("the caller of {method:?} cannot read the reply: {why}")]
    UndecodableReply {
        /// The whole name that was called.
        method: String,
        /// What the decoder said.
        why: CodecError,
    },
}
