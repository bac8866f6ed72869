//! The named methods that answer calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::describe::{describe, describe_if};
use crate::error::CallError;
use crate::value::Value;

/// A method on the level of bytes.
pub(crate) type RawMethod =
    Arc<dyn Fn(&[u8], Described<'_>) -> Result<Vec<u8>, CallError> + Send + Sync>;

/// Where a method leaves a description of its reply; none if the network does not record values.
pub(crate) type Described<'a> = Option<&'a mut Option<Value>>;

/// Describes a reply, if that is wanted. Never inlined, for the reason that [`describe_if`] gives.
#[inline(never)]
fn leave(described: Described<'_>, describe: &dyn Fn() -> Option<Value>) {
    if let Some(described) = described {
        *described = describe_if(true, describe);
    }
}

/// Named methods that answer calls, such as `Raft` with `RequestVote` and `AppendEntries`: 6.824's
/// `labrpc.MakeService`.
///
/// A method can run several times at the same time, each time on a thread of its own, so a method
/// may wait. A method that panics gives no answer, and fails the test.
///
/// ```
/// use std::sync::Arc;
/// use labrpc::Service;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct VoteArgs { term: u64, candidate: usize }
///
/// #[derive(Serialize, Deserialize)]
/// struct VoteReply { term: u64, granted: bool }
///
/// struct Raft { /* ... */ }
///
/// impl Raft {
///     fn request_vote(&self, args: VoteArgs) -> VoteReply {
///         VoteReply { term: args.term, granted: args.candidate == 0 }
///     }
/// }
///
/// let raft = Arc::new(Raft {});
/// let service = Service::new("Raft").method("RequestVote", move |args| raft.request_vote(args));
/// assert_eq!(service.methods().collect::<Vec<_>>(), ["RequestVote"]);
/// ```
pub struct Service {
    name: String,
    methods: BTreeMap<String, RawMethod>,
}

impl Service {
    /// A service without methods.
    pub fn new(name: impl Into<String>) -> Service {
        Service { name: name.into(), methods: BTreeMap::new() }
    }

    /// Adds a method that takes `Args` and returns `Reply`, both by value. It is called as
    /// `Service.Method`, by the names of both. Caller and method must agree on the two types. A
    /// second method with the same name replaces the first.
    #[must_use]
    pub fn method<Args, Reply>(
        self,
        name: &str,
        handler: impl Fn(Args) -> Reply + Send + Sync + 'static,
    ) -> Service
    where
        Args: DeserializeOwned,
        Reply: Serialize,
    {
        let method = format!("{}.{name}", self.name);
        self.insert(name, move |bytes, described| {
            let args = codec::decode(bytes)
                .map_err(|why| CallError::UndecodableArgs { method: method.clone(), why })?;
            let reply = handler(args);
            leave(described, &|| describe(&reply));
            codec::encode(&reply)
                .map_err(|why| CallError::UnencodableReply { method: method.clone(), why })
        })
    }

    /// Adds a method on the level of bytes, for a harness that decodes them elsewhere, such as in
    /// another process. Its error is the caller's error. [`CallError::NoAnswer`] means that the
    /// process which should answer is gone; every other error is a bug.
    #[must_use]
    pub fn raw_method(
        self,
        name: &str,
        handler: impl Fn(&[u8]) -> Result<Vec<u8>, CallError> + Send + Sync + 'static,
    ) -> Service {
        self.insert(name, move |bytes, _| handler(bytes))
    }

    /// Like [`Service::raw_method`], with a handler that also describes its reply, if the network
    /// [records values](crate::network::Network::describe_values).
    #[must_use]
    pub fn described_method(
        self,
        name: &str,
        handler: impl Fn(&[u8]) -> (Result<Vec<u8>, CallError>, Option<Value>) + Send + Sync + 'static,
    ) -> Service {
        self.insert(name, move |bytes, described| {
            let (result, value) = handler(bytes);
            if let Some(described) = described {
                *described = value;
            }
            result
        })
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its methods, in alphabetical order.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.methods.keys().map(String::as_str)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&RawMethod> {
        self.methods.get(name)
    }

    fn insert(
        mut self,
        name: &str,
        handler: impl Fn(&[u8], Described<'_>) -> Result<Vec<u8>, CallError> + Send + Sync + 'static,
    ) -> Service {
        self.methods.insert(name.to_owned(), Arc::new(handler));
        self
    }
}
