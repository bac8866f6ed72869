//! Why a call has no reply.

use serde::{Deserialize, Serialize};

use crate::codec::CodecError;

/// Why a call has no reply.
///
/// [`CallError::NoAnswer`] is the normal case, where 6.824's `Call` returns false. It says nothing
/// about the cause, as on a real network. Every other variant is a bug in the caller or in the
/// service, where 6.824 ends the process. The network also logs it as
/// [`CallStep::Misused`](crate::network::CallStep::Misused), so a test can fail even if the caller
/// ignores the error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CallError {
    /// No reply came: the request or the reply was lost, or the server is gone or cannot be
    /// reached. The handler may or may not have run.
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
        /// The encoder's message.
        why: CodecError,
    },
    /// The arguments are not of the type that the handler takes.
    #[error("{method:?} cannot read its arguments: {why}")]
    UndecodableArgs {
        /// The whole name that was called.
        method: String,
        /// The decoder's message.
        why: CodecError,
    },
    /// The handler's reply has no encoding.
    #[error("the reply of {method:?} cannot be sent: {why}")]
    UnencodableReply {
        /// The whole name that was called.
        method: String,
        /// The encoder's message.
        why: CodecError,
    },
    /// The reply is not of the type that the caller expects.
    #[error("the caller of {method:?} cannot read the reply: {why}")]
    UndecodableReply {
        /// The whole name that was called.
        method: String,
        /// The decoder's message.
        why: CodecError,
    },
}
