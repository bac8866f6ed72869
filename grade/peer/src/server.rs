//! The server of this process. It handles each input on a thread of its own.

use std::sync::{Arc, OnceLock};
use std::thread;

use labrpc::CallError;
use raftapi::{Persister, Saved};
use serde_bytes::ByteBuf;
use sim::{Inbox, Outbox};
use verdict::label::{self, Label};
use verdict::{KitCode, Referee, panics, threads};

use crate::deliveries::{Credits, Deliveries};
use crate::description;
use crate::frames::{Answer, Call, Handlers, Init, Input, Output};
use crate::observer;
use crate::outlet::Outlet;
use crate::requests::Requests;
use crate::saves::Saves;
use crate::service::{Context, Hosted};

struct Server {
    me: usize,
    outlet: Arc<Outlet>,
    saves: Arc<Saves>,
    hosted: Arc<dyn Hosted>,
    handlers: OnceLock<labrpc::network::Server>,
}

/// A referee that knows which code in this process is the kit's.
pub(crate) fn referee() -> Referee {
    let referee = Referee::new();
    referee.add_kit_code([KitCode { crate_name: "peer", folder: "/grade/peer/src/" }]);
    referee
}

/// Runs the server. It does not return, because the run ends when its host is gone.
pub(crate) fn serve(
    init: Init,
    prepare: impl FnOnce(Context) -> Arc<dyn Hosted>,
    inbox: &Inbox<Input>,
    outbox: Outbox<Output>,
) {
    let Init { me, servers, state, snapshot, seed: _ } = init;
    let outlet = Arc::new(Outlet::new(outbox));
    {
        let outlet = Arc::clone(&outlet);
        panics::report(move |failure| outlet.send(Output::Failed(failure)));
    }
    let requests = Arc::new(Requests::new(me, Arc::clone(&outlet)));
    let ends = (0..servers).map(|to| requests.end(to)).collect();
    let saved = Saved { raft_state: state, snapshot };
    let saves = Arc::new(Saves::new(saved, Arc::clone(&outlet)));
    let persister = Arc::new(Persister::with_storage(Arc::clone(&saves)));
    let credits = Arc::new(Credits::default());
    let deliveries = Deliveries::new(Arc::clone(&credits), Arc::clone(&outlet));
    let hosted = prepare(Context { me, ends, persister, deliveries });
    observer::start(Arc::clone(&hosted), Arc::clone(&outlet));

    let handlers = OnceLock::new();
    let server = Arc::new(Server { me, outlet, saves, hosted, handlers });
    while let Some(input) = inbox.receive() {
        match input {
            Input::Request { id, method, args } => server.handle(id, method, args),
            Input::Reply { id, result } => requests.reply(id, result),
            Input::Call { id, call } => server.call(id, call),
            Input::Credit => credits.add(),
        }
        server.outlet.wake();
    }
}

impl Server {
    fn handle(self: &Arc<Self>, id: u64, method: String, args: Vec<u8>) {
        let server = Arc::clone(self);
        self.spawn(format!("{} rpc", label::thread_name(self.me)), move || {
            // The grader cannot call handlers before it has listed them.
            let Some(handlers) = server.handlers.get() else { return };
            server.outlet.send(server.reply(id, handlers, &method, &args));
        });
    }

    /// Handles a request, and returns the output that answers it.
    fn reply(
        &self,
        id: u64,
        handlers: &labrpc::network::Server,
        method: &str,
        args: &[u8],
    ) -> Output {
        if !self.outlet.describes() {
            let result = handlers.dispatch_raw(method, args).map(ByteBuf::from);
            return Output::Reply { id, result };
        }
        let (result, value) = handlers.dispatch_described(method, args);
        let result = result.map(ByteBuf::from);
        match value.and_then(description::write) {
            Some(value) => Output::DescribedReply { id, result, value },
            None => Output::Reply { id, result },
        }
    }

    fn call(self: &Arc<Self>, id: u64, call: Call) {
        let server = Arc::clone(self);
        self.spawn(label::thread_name(self.me), move || {
            let answer = server.answer(call);
            server.outlet.send(Output::Answer { id, answer });
        });
    }

    fn answer(&self, call: Call) -> Answer {
        let enter = |doing| label::enter(Label::Server(self.me), doing);
        match call {
            Call::Make => self.make(),
            Call::MakeDescribed => {
                self.outlet.describe();
                self.make()
            }
            Call::Handlers => {
                let _label = enter("service");
                let services = self.hosted.handlers();
                let names = services.iter().map(names).collect();
                self.handlers.get_or_init(|| labrpc::network::Server::new(services));
                Answer::Handlers(names)
            }
            Call::Waiting => {
                let _label = enter("the host");
                Answer::Waiting(threads::waiting(self.me, &referee()))
            }
            Call::Method { method, args } => {
                let known = self.hosted.methods();
                let Some(name) = known.iter().find(|name| **name == method) else {
                    let known = known.join(", ");
                    return Answer::Returned(Err(CallError::UnknownMethod { method, known }));
                };
                let _label = enter(name);
                Answer::Returned(self.hosted.call(name, &args).map(ByteBuf::from))
            }
        }
    }

    fn make(&self) -> Answer {
        let _label = label::enter(Label::Server(self.me), "make");
        self.hosted.make();
        Answer::Made { has_read: self.saves.was_read() }
    }

    /// Starts a thread with the label of the server.
    fn spawn(&self, name: String, work: impl FnOnce() + Send + 'static) {
        let _label = label::enter(Label::Server(self.me), "the host");
        let builder = thread::Builder::new().name(name);
        builder.spawn(work).expect("failed to start a thread for the server");
    }
}

fn names(service: &labrpc::Service) -> Handlers {
    let methods = service.methods().map(str::to_owned).collect();
    Handlers { service: service.name().to_owned(), methods }
}
