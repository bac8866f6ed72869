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
    network: Arc<Shared>,
    name: Name,
    /// By which the network knows it.
    number: usize,
}

impl ClientEnd {
    pub(crate) fn new(network: Arc<Shared>, name: Name, number: usize) -> ClientEnd {
        ClientEnd { network, name, number }
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
            let request = Request::new(&self.network, self.number, method);
            request.log(&self.network, Step::Misused(error.to_string()));
            error
        })?;
        let (request, result) = call::call(&self.network, self.number, method, args);
        codec::decode(&result?).map_err(|why| {
            let error = CallError::UndecodableReply { method: method.into(), why };
            request.log(&self.network, Step::Misused(error.to_string()));
            error
        })
    }

    /// The same on the level of bytes: the arguments as they travel, and the reply likewise.
    ///
    /// # Errors
    /// As for [`ClientEnd::call`].
    pub fn call_raw(&self, method: &str, args: Vec<u8>) -> Result<Vec<u8>, CallError> {
        call::call(&self.network, self.number, method, args).1
    }
}
