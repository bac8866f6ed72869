//! The RPCs that the server sends. They go to the grader, which owns the network.

use std::sync::Arc;

use labrpc::network::{Carrier, Value};
use labrpc::{CallError, ClientEnd};
use serde_bytes::ByteBuf;

use crate::description;
use crate::frames::Output;
use crate::outlet::Outlet;
use crate::slots::Slots;

/// The RPCs that have no reply yet.
pub(crate) struct Requests {
    me: usize,
    outlet: Arc<Outlet>,
    replies: Slots<Result<ByteBuf, CallError>>,
}

/// The link to one server.
struct Link {
    to: usize,
    requests: Arc<Requests>,
}

impl Requests {
    pub(crate) fn new(me: usize, outlet: Arc<Outlet>) -> Requests {
        Requests { me, outlet, replies: Slots::default() }
    }

    pub(crate) fn end(self: &Arc<Self>, to: usize) -> ClientEnd {
        let link = Link { to, requests: Arc::clone(self) };
        ClientEnd::carried(format!("{}-{to}", self.me), Arc::new(link))
    }

    pub(crate) fn reply(&self, id: u64, result: Result<ByteBuf, CallError>) {
        self.replies.fill(id, result);
    }
}

impl Carrier for Link {
    fn carry(
        &self,
        method: &str,
        args: Vec<u8>,
        value: Option<Value>,
    ) -> (u64, Result<Vec<u8>, CallError>) {
        let (id, reply) = self.requests.replies.open();
        let (to, method) = (self.to, method.to_owned());
        // One output in any case: a recorded run has the same outputs.
        self.requests.outlet.send(match value.and_then(description::write) {
            Some(value) => Output::DescribedRequest { id, to, method, args, value },
            None => Output::Request { id, to, method, args },
        });
        let result = reply.wait().unwrap_or(Err(CallError::NoAnswer));
        (id, result.map(ByteBuf::into_vec))
    }

    fn describes(&self) -> bool {
        self.requests.outlet.describes()
    }

    fn misused(&self, _call: Option<u64>, _method: &str, error: &CallError) {
        let failure = verdict::Failure::misuse(self.requests.me, self.to, error);
        self.requests.outlet.send(Output::Failed(failure));
    }
}
