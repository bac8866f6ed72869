//! A caller's handle to one server.
//!
//! An end only encodes and decodes. Its carrier makes the call: the network of this process, or
//! code that reaches a network in another process.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::describe::{describe, describe_if};
use crate::error::CallError;
use crate::value::Value;

/// A caller's handle to exactly one server: 6.824's `labrpc.ClientEnd`. Clones are the same end.
///
/// Any number of threads can call through one end at the same time. Their calls can overtake each
/// other.
#[derive(Clone)]
pub struct ClientEnd {
    name: Arc<str>,
    carrier: Arc<dyn Carrier>,
}

/// Makes the calls of an end.
pub trait Carrier: Send + Sync {
    /// Makes a call and waits for its result, as [`ClientEnd::call_raw`] does. Returns the call's
    /// number, which no other call of the network has, and the result. `value` describes the
    /// arguments, if the carrier asked for that.
    fn carry(
        &self,
        method: &str,
        args: Vec<u8>,
        value: Option<Value>,
    ) -> (u64, Result<Vec<u8>, CallError>);

    /// Whether the carrier records the values of arguments.
    fn describes(&self) -> bool {
        false
    }

    /// The caller used the wrong type: its arguments have no encoding, or the reply is of another
    /// type. `call` is the call's number, or none if it was not made. The carrier records such an
    /// error even if the caller ignores it.
    fn misused(&self, call: Option<u64>, method: &str, error: &CallError);
}

impl ClientEnd {
    /// An end whose calls are made by `carrier`; for a harness. The labs make the ends of a server.
    pub fn carried(name: impl Into<Arc<str>>, carrier: Arc<dyn Carrier>) -> ClientEnd {
        ClientEnd { name: name.into(), carrier }
    }

    /// The end's name. No two ends of a network share one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls `method` (such as `"Raft.RequestVote"`) and waits for the reply: 6.824's
    /// `ok := end.Call("Raft.RequestVote", &args, &reply)`. Where that returns false, this returns
    /// [`CallError::NoAnswer`].
    ///
    /// A call always returns, unless the method never does, so a caller needs no timeout of its
    /// own. But it can take long: where the labs enable long delays, a call to a server that cannot
    /// be reached takes up to 7 s, and an answer can come seconds late. A message that a test holds
    /// takes as long as the test holds it. So hold no lock while you call. The method can have run
    /// even if there is no answer, or run later, or run twice.
    ///
    /// # Errors [`CallError::NoAnswer`] if the network lost the call or no server answered. A call
    /// also gets it if it would bring a server's messages under way above 64 MiB; that fails the
    /// test. Any other error is a bug in the caller or in the service, and fails the test.
    pub fn call<Args, Reply>(&self, method: &str, args: &Args) -> Result<Reply, CallError>
    where
        Args: Serialize + ?Sized,
        Reply: DeserializeOwned,
    {
        let value = describe_if(self.carrier.describes(), &|| describe(args));
        let args = codec::encode(args).map_err(|why| {
            let error = CallError::UnencodableArgs { method: method.into(), why };
            self.carrier.misused(None, method, &error);
            error
        })?;
        let (call, result) = self.carrier.carry(method, args, value);
        codec::decode(&result?).map_err(|why| {
            let error = CallError::UndecodableReply { method: method.into(), why };
            self.carrier.misused(Some(call), method, &error);
            error
        })
    }

    /// Like [`ClientEnd::call`], with encoded arguments and an encoded reply; for a harness.
    ///
    /// # Errors
    /// As for [`ClientEnd::call`].
    pub fn call_raw(&self, method: &str, args: Vec<u8>) -> Result<Vec<u8>, CallError> {
        self.call_described(method, args, None)
    }

    /// Like [`ClientEnd::call_raw`], with a description of the arguments.
    ///
    /// # Errors
    /// As for [`ClientEnd::call`].
    pub fn call_described(
        &self,
        method: &str,
        args: Vec<u8>,
        value: Option<Value>,
    ) -> Result<Vec<u8>, CallError> {
        self.carrier.carry(method, args, value).1
    }
}
