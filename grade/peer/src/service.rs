//! The trait that a service such as Raft implements so that a host can serve it.
//!
//! The grader's side also has one module for each service, which calls the same methods. Between
//! the two there are only names and bytes.

use std::sync::Arc;

use labrpc::{CallError, ClientEnd, codec};
use raftapi::Persister;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::deliveries::Deliveries;

/// The parts from which a server is made.
pub struct Context {
    /// Its number, from 0.
    pub me: usize,
    /// One end for each server, indexed by its number.
    pub ends: Vec<ClientEnd>,
    /// Contains the data that survived the last crash.
    pub persister: Arc<Persister>,
    /// Sends messages to the owner of the service.
    pub deliveries: Deliveries,
}

/// The object of one server, and the methods that its owner calls.
///
/// The host calls each method on a thread of its own, several at the same time.
pub trait Hosted: Send + Sync + 'static {
    /// Makes the object. Called once, before all other methods.
    fn make(&self);

    /// The object's RPC handlers. Called once, after [`Hosted::make`].
    fn handlers(&self) -> Vec<labrpc::Service>;

    /// The names that [`Hosted::call`] knows. A verdict on a call that panics or hangs contains the
    /// name.
    fn methods(&self) -> &'static [&'static str];

    /// Calls one of [`Hosted::methods`] with encoded arguments and returns the encoded result; see
    /// [`answer`].
    ///
    /// # Errors If the arguments cannot be decoded, or the result cannot be encoded.
    fn call(&self, method: &'static str, args: &[u8]) -> Result<Vec<u8>, CallError>;

    /// Compares the object's state with the last observation. One thread calls this whenever the
    /// state may have changed, also before the object is made. A thread that runs code of an
    /// implementation needs a label (`verdict::label::enter`). The service has to set it here,
    /// because only the service knows what it calls.
    ///
    /// In a recorded run, and only there, the observation has details that the run does not need.
    fn observe(&self, with_details: bool) -> Observation;
}

/// The result of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// The object is not made yet.
    NotYet,
    /// It never shows its state.
    Never,
    /// The state is the same as at the last observation. At the first observation: it is the
    /// default.
    Same,
    /// The state, in an encoding of the service's choice that is not empty. It can be the
    /// difference from the last observation.
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
