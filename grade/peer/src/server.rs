//! The one server of this process: what comes in is handled, each thing on a thread of its own.

use std::sync::{Arc, OnceLock};
use std::thread;

use config::label::{self, Label};
use config::{panics, threads};
use crossbeam_channel::bounded;
use parking_lot::Mutex;
use raftapi::{Make, PeerContext, Persister, RaftPeer, Saved};
use serde_bytes::ByteBuf;
use sim::{Inbox, Outbox};

use crate::applied::Credits;
use crate::calls::Calls;
use crate::frames::{Answer, Birth, Input, Output, Question};
use crate::outlet::Outlet;
use crate::saves::Saves;
use crate::{applied, looks};

struct Server {
    me: usize,
    outlet: Arc<Outlet>,
    saves: Arc<Saves>,
    /// What `make` is called with, until it is.
    context: Mutex<Option<PeerContext>>,
    make: Make,
    peer: Arc<OnceLock<Arc<dyn RaftPeer>>>,
    handlers: OnceLock<labrpc::Server>,
}

/// Does not return: the run ends when its host is gone.
pub(crate) fn serve(birth: Birth, make: Make, inbox: &Inbox<Input>, outbox: Outbox<Output>) {
    let Birth { me, servers, raft_state, snapshot, seed: _ } = birth;
    let outlet = Arc::new(Outlet::new(outbox));
    {
        let outlet = Arc::clone(&outlet);
        panics::report(move |failure| outlet.send(Output::Failed(failure)));
    }
    let calls = Arc::new(Calls::new(me, Arc::clone(&outlet)));
    let ends = (0..servers).map(|to| calls.end(to)).collect();
    let saves = Arc::new(Saves::new(Saved { raft_state, snapshot }, Arc::clone(&outlet)));
    let persister = Arc::new(Persister::with_storage(Arc::clone(&saves)));
    let (apply, messages) = bounded(0);
    let credits = Arc::new(Credits::default());
    applied::start(messages, Arc::clone(&credits), Arc::clone(&outlet));
    let peer = Arc::new(OnceLock::new());
    looks::start(me, Arc::clone(&peer), Arc::clone(&outlet));

    let context = PeerContext { ends, me, persister, apply };
    let context = Mutex::new(Some(context));
    let handlers = OnceLock::new();
    let server = Arc::new(Server { me, outlet, saves, context, make, peer, handlers });
    while let Some(input) = inbox.receive() {
        match input {
            Input::Request { id, method, args } => server.handle(id, method, args),
            Input::Reply { id, result } => calls.reply(id, result),
            Input::Ask { id, question } => server.ask(id, question),
            Input::Credit => credits.add(),
        }
        server.outlet.ring();
    }
}

impl Server {
    fn handle(self: &Arc<Self>, id: u64, method: String, args: Vec<u8>) {
        let server = Arc::clone(self);
        self.spawn(format!("{} rpc", label::thread_name(self.me)), move || {
            // Before that the grader does not know what there is to call.
            let Some(handlers) = server.handlers.get() else { return };
            let result = handlers.dispatch_raw(&method, &args).map(ByteBuf::from);
            server.outlet.send(Output::Answer { id, result });
        });
    }

    fn ask(self: &Arc<Self>, id: u64, question: Question) {
        let server = Arc::clone(self);
        self.spawn(label::thread_name(self.me), move || {
            let _label = label::enter(Label::Server(server.me), name(&question));
            if let Some(answer) = server.answer(question) {
                server.outlet.send(Output::Told { id, answer });
            }
        });
    }

    /// None for a question that makes no sense now.
    fn answer(&self, question: Question) -> Option<Answer> {
        if let Question::Make = question {
            let context = self.context.lock().take()?;
            let made = (self.make)(context);
            self.peer.set(made).ok()?;
            return Some(Answer::Made { has_read: self.saves.was_read() });
        }
        if let Question::Waiting = question {
            return Some(Answer::Waiting(threads::waiting(self.me)));
        }
        let peer = Arc::clone(self.peer.get()?);
        Some(match question {
            Question::Make | Question::Waiting => return None,
            Question::Service => {
                let service = peer.service();
                let methods = service.methods().map(str::to_owned).collect();
                let name = service.name().to_owned();
                self.handlers.set(service.into()).ok()?;
                Answer::Service { name, methods }
            }
            Question::Start(command) => Answer::Started(peer.start(command)),
            Question::GetState => {
                let (term, leads) = peer.get_state();
                Answer::State(term, leads)
            }
            Question::Snapshot(index, snapshot) => {
                peer.snapshot(index, snapshot);
                Answer::Snapshot
            }
        })
    }

    /// A thread of the server's, as the labels have it.
    fn spawn(&self, name: String, work: impl FnOnce() + Send + 'static) {
        let _label = label::enter(Label::Server(self.me), "the host");
        let builder = thread::Builder::new().name(name);
        builder.spawn(work).expect("failed to start a thread for the server");
    }
}

fn name(question: &Question) -> &'static str {
    match question {
        Question::Make => "make",
        Question::Service => "service",
        Question::Start(_) => "start",
        Question::GetState => "get_state",
        Question::Waiting => "the host",
        Question::Snapshot(..) => "snapshot",
    }
}
