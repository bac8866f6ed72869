//! A caller's handle to one destination.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{self, Request};
use crate::codec;
use crate::error::CallError;
use crate::log::Step;
use crate::name::Name;
use crate::network::Shared;

/// A caller's handle to exactly one destination. Clones are the same end.
#[derive(Clone)]
pub struct ClientEnd {
    name: Name,
    way: Way,
}

/// How calls get to where the network is.
#[derive(Clone)]
enum Way {
    /// It is here, and knows the end by this number.
    Network(Arc<Shared>, usize),
    Carrier(Arc<dyn Carrier>),
}

/// Takes the calls of an end to a network that is not in this process.
pub trait Carrier: Send + Sync {
    /// Makes the call and waits for its result, as [`ClientEnd::call_raw`].
    ///
    /// # Errors
    /// As for [`ClientEnd::call`].
    fn carry(&self, method: &str, args: Vec<u8>) -> Result<Vec<u8>, CallError>;

    /// The caller's own arguments or the reply are not what it says: for whom such errors are
    /// [`Step::Misused`] in a network's log, even if the caller ignores them.
    fn misused(&self, error: &CallError);
}

impl ClientEnd {
    pub(crate) fn new(network: Arc<Shared>, name: Name, number: usize) -> ClientEnd {
        ClientEnd { name, way: Way::Network(network, number) }
    }

    /// An end whose calls a carrier takes to a network elsewhere, such as in another process.
    pub fn carried(name: impl Into<Name>, carrier: Arc<dyn Carrier>) -> ClientEnd {
        ClientEnd { name: name.into(), way: Way::Carrier(carrier) }
    }

    /// The end's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Calls `method` (`Service.Method`) and waits for the reply.
    ///
    /// It always returns in the end unless the handler never does, so a caller needs no time limit
    /// of its own; but with long delays a call to a server that cannot be reached takes up to seven
    /// seconds. The handler may run even if no answer comes.
    ///
    /// # Errors
    /// [`CallError::NoAnswer`] is what a lossy network does; the other variants are bugs.
    pub fn call<Args, Reply>(&self, method: &str, args: &Args) -> Result<Reply, CallError>
    where
        Args: Serialize + ?Sized,
        Reply: DeserializeOwned,
    {
        let args = codec::encode(args).map_err(|why| {
            let error = CallError::UnencodableArgs { method: method.into(), why };
            self.misuse(None, method, &error);
            error
        })?;
        let (request, result) = self.travel(method, args);
        codec::decode(&result?).map_err(|why| {
            let error = CallError::UndecodableReply { method: method.into(), why };
            self.misuse(request, method, &error);
            error
        })
    }

    /// The same on the level of bytes: the arguments as they travel, and the reply likewise.
    ///
    /// # Errors
    /// As for [`ClientEnd::call`].
    pub fn call_raw(&self, method: &str, args: Vec<u8>) -> Result<Vec<u8>, CallError> {
        self.travel(method, args).1
    }

    /// The request comes back where there is a log, for what may have to be added.
    fn travel(&self, method: &str, args: Vec<u8>) -> (Option<Request>, Result<Vec<u8>, CallError>) {
        match &self.way {
            Way::Network(network, number) => {
                let (request, result) = call::call(network, *number, method, args);
                (Some(request), result)
            }
            Way::Carrier(carrier) => (None, carrier.carry(method, args)),
        }
    }

    fn misuse(&self, request: Option<Request>, method: &str, error: &CallError) {
        match &self.way {
            Way::Network(network, number) => request
                .unwrap_or_else(|| Request::new(network, *number, method))
                .log(network, Step::Misused(error.to_string())),
            Way::Carrier(carrier) => carrier.misused(error),
        }
    }
}
