//! The peer's own calls: they travel to the grader, where the network is.

use std::sync::Arc;

use labrpc::{CallError, Carrier, ClientEnd};
use serde_bytes::ByteBuf;

use crate::frames::Output;
use crate::outlet::Outlet;
use crate::slots::Slots;

/// The calls under way.
pub(crate) struct Calls {
    me: usize,
    outlet: Arc<Outlet>,
    replies: Slots<Result<ByteBuf, CallError>>,
}

/// The way to one server.
struct Wire {
    to: usize,
    calls: Arc<Calls>,
}

impl Calls {
    pub(crate) fn new(me: usize, outlet: Arc<Outlet>) -> Calls {
        Calls { me, outlet, replies: Slots::default() }
    }

    pub(crate) fn end(self: &Arc<Self>, to: usize) -> ClientEnd {
        let wire = Wire { to, calls: Arc::clone(self) };
        ClientEnd::carried(format!("{}-{to}", self.me), Arc::new(wire))
    }

    pub(crate) fn reply(&self, id: u64, result: Result<ByteBuf, CallError>) {
        self.replies.fill(id, result);
    }
}

impl Carrier for Wire {
    fn carry(&self, method: &str, args: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let (id, reply) = self.calls.replies.open();
        let method = method.to_owned();
        self.calls.outlet.send(Output::Call { id, to: self.to, method, args });
        reply.wait().unwrap_or(Err(CallError::NoAnswer)).map(ByteBuf::into_vec)
    }

    fn misused(&self, error: &CallError) {
        let failure = config::misuse(self.calls.me, self.to, error);
        self.calls.outlet.send(Output::Failed(failure));
    }
}
