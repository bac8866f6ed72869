//! What a kind of server has to offer so that a host can serve it: the one trait that a service
//! such as Raft implements here.
//!
//! The grader's side has one module a service as well, which asks by the same methods. Everything
//! between the two carries names and bytes.

use std::sync::Arc;

use labrpc::{CallError, ClientEnd, codec};
use raftapi::Persister;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::deliveries::Deliveries;

/// What a server is made from.
pub struct Context {
    /// Its number, from 0.
    pub me: usize,
    /// One end for each server, indexed by its number.
    pub ends: Vec<ClientEnd>,
    /// Holds what survived the last crash.
    pub persister: Arc<Persister>,
    /// Takes messages to the owner of the service.
    pub deliveries: Deliveries,
}

/// One server's object, and the methods by which its owner uses it.
///
/// The host calls each method on a thread of its own, several at once.
pub trait Hosted: Send + Sync + 'static {
    /// Makes the object. Called once, before all other methods.
    fn make(&self);

    /// The object's RPC handlers. Called once, after [`Hosted::make`].
    fn handlers(&self) -> Vec<labrpc::Service>;

    /// The names that [`Hosted::call`] knows. A verdict on a call that panics or hangs has them.
    fn methods(&self) -> &'static [&'static str];

    /// Calls one of [`Hosted::methods`] with encoded arguments and returns the encoded result; see
    /// [`answer`].
    ///
    /// # Errors
    /// The arguments cannot be decoded, or the result cannot be encoded.
    fn call(&self, method: &'static str, args: &[u8]) -> Result<Vec<u8>, CallError>;

    /// Compares the object's state with the last observation. One thread calls this whenever
    /// something may have changed, also before the object is made. A thread that runs code of an
    /// implementation needs a label (`verdict::label::enter`); here only the service knows its
    /// name.
    fn observe(&self) -> Observation;
}

/// What the object shows of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// The object is not made yet.
    NotYet,
    /// It never shows its state.
    Never,
    /// The state is the same as at the last observation, or the state of a new object is the
    /// default one.
    Same,
    /// The state, in an encoding of the service's choice that is not empty. It may be the
    /// difference to the last observation.
    Change(Vec<u8>),
}

/// Decodes the arguments of a method, calls `method_body`, and encodes its result.
///
/// # Errors
/// [`CallError::UndecodableArgs`], [`CallError::UnencodableReply`].
pub fn answer<Args: DeserializeOwned, Reply: Serialize>(
    method: &str,
    args: &[u8],
    method_body: impl FnOnce(Args) -> Reply,
) -> Result<Vec<u8>, CallError> {
    let args = codec::decode(args)
        .map_err(|why| CallError::UndecodableArgs { method: method.to_owned(), why })?;
    codec::encode(&method_body(args))
        .map_err(|why| CallError::UnencodableReply { method: method.to_owned(), why })
}
