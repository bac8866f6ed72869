//! A server of any service in another process: each call to it is a frame.

use std::sync::Arc;

use ::peer::bounds::NAME_BYTES_MAX;
use ::peer::frames::{Answer, Call, Handlers, Input};
use ::peer::slots::Slots;
use config::{Class, Failure, Referee};
use labrpc::network::Value;
use labrpc::{CallError, Service, codec};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

use crate::run::remote::mailbox::Mailbox;
use crate::run::remote::nonsense::Nonsense;
use crate::run::remote::process::Process;
use crate::run::remote::view::Shown;

pub(super) struct RemotePeer {
    pub(super) me: usize,
    pub(super) referee: Referee,
    /// Locked for the whole round trip, during which no virtual time passes.
    pub(super) process: Mutex<Process>,
    pub(super) mailbox: Mailbox,
    /// The calls that the process has not answered yet.
    pub(super) calls: Slots<Answer>,
    /// The RPCs of other servers that it has not replied to yet.
    pub(super) requests: Slots<Replied>,
    pub(super) view: Arc<dyn Shown>,
    /// The process describes its messages, and shows details with its state.
    pub(super) describes: bool,
}

/// The reply to an RPC.
pub(super) struct Replied {
    pub(super) result: Result<ByteBuf, CallError>,
    /// Its description, in a recorded run.
    pub(super) value: Option<Value>,
}

impl RemotePeer {
    pub(super) fn new(
        me: usize,
        process: Process,
        view: Arc<dyn Shown>,
        referee: Referee,
        describes: bool,
    ) -> RemotePeer {
        RemotePeer {
            me,
            referee,
            process: Mutex::new(process),
            mailbox: Mailbox::default(),
            calls: Slots::default(),
            requests: Slots::default(),
            view,
            describes,
        }
    }

    /// Makes the object. Returns whether it has read the saved state.
    pub(super) fn make(&self) -> bool {
        let make = if self.describes { Call::MakeDescribed } else { Call::Make };
        match self.call(make) {
            Some(Answer::Made { has_read }) => has_read,
            answer => self.refuse(answer).unwrap_or_default(),
        }
    }

    /// A sentence for each thread of the server that has waited for a long time.
    pub(super) fn waiting(&self) -> Vec<String> {
        match self.call(Call::Waiting) {
            Some(Answer::Waiting(sentences)) => sentences,
            answer => self.refuse(answer).unwrap_or_default(),
        }
    }

    /// The RPC handlers of the object, which send frames to the process. Empty if the process is
    /// gone.
    pub(super) fn handlers(self: &Arc<Self>) -> Vec<Service> {
        let services = match self.call(Call::Handlers) {
            Some(Answer::Handlers(services)) => services,
            answer => self.refuse(answer).unwrap_or_default(),
        };
        services.into_iter().map(|it| self.handlers_of(&it)).collect()
    }

    fn handlers_of(self: &Arc<Self>, Handlers { service, methods }: &Handlers) -> Service {
        if [service].into_iter().chain(methods).any(|it| it.len() > NAME_BYTES_MAX) {
            let sentence = format!(
                "a name in the service of server {} has more than {NAME_BYTES_MAX} bytes",
                self.me
            );
            self.referee.stop(Failure::of(self.me, Class::Contract, sentence));
        }
        methods.iter().fold(Service::new(service.clone()), |handlers, method| {
            let (peer, whole) = (Arc::clone(self), format!("{service}.{method}"));
            handlers.described_method(method, move |args| peer.request(&whole, args))
        })
    }

    /// Calls a method of the object. None if the process is gone, or has returned malformed data.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        args: &(impl Serialize + ?Sized),
    ) -> Option<T> {
        let args = codec::encode(args).expect("failed to encode the arguments of the lab");
        match self.call(Call::Method { method: method.to_owned(), args }) {
            Some(Answer::Returned(Ok(result))) => match codec::decode(&result) {
                Ok(result) => Some(result),
                Err(error) => self.fail(error.into()),
            },
            answer => self.refuse(answer),
        }
    }

    /// None if the process is gone.
    fn call(&self, call: Call) -> Option<Answer> {
        let (id, slot) = self.calls.open();
        self.mailbox.push(Input::Call { id, call });
        slot.wait()
    }

    fn request(&self, method: &str, args: &[u8]) -> (Result<Vec<u8>, CallError>, Option<Value>) {
        let (id, slot) = self.requests.open();
        self.mailbox.push(Input::Request { id, method: method.into(), args: args.into() });
        match slot.wait() {
            Some(Replied { result, value }) => (result.map(ByteBuf::into_vec), value),
            None => (Err(CallError::NoAnswer), None),
        }
    }

    /// Fails if the answer is not one to the call. Without an answer the process is gone.
    fn refuse<T>(&self, answer: Option<Answer>) -> Option<T> {
        answer.and_then(|_| self.fail(Nonsense::Unexpected))
    }

    fn fail<T>(&self, nonsense: Nonsense) -> Option<T> {
        self.referee.fail(nonsense.verdict(self.me));
        self.kill();
        None
    }

    /// The process is gone: ends everything that waits for it.
    pub(super) fn give_up(&self) {
        self.mailbox.close();
        self.calls.close();
        self.requests.close();
        self.view.close();
    }

    /// Kills the process immediately. Outputs that were not carried out yet are lost.
    pub(super) fn kill(&self) {
        // First, so that the driver, which may be waiting for the process, knows why it is gone.
        self.give_up();
        self.process.lock().kill();
    }
}
