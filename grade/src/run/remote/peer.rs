//! A peer that stands for one in another process: each call into it is a question to that one.

use std::sync::Arc;

use ::peer::bounds::NAME_BYTES_MAX;
use ::peer::frames::{Answer, Birth, Input, Question};
use ::peer::slots::Slots;
use config::{Class, Failure, Referee, threads};
use labrpc::{CallError, Service};
use parking_lot::Mutex;
use raftapi::{Inspect, PeerContext, RaftPeer, Saved, Started};
use serde_bytes::ByteBuf;

use crate::run::remote::driver;
use crate::run::remote::mailbox::Mailbox;
use crate::run::remote::process::Process;
use crate::run::remote::template::Template;
use crate::run::remote::view::View;

pub(super) struct RemotePeer {
    pub(super) me: usize,
    pub(super) referee: Referee,
    /// Locked for the length of a round trip, in which no virtual time passes.
    pub(super) process: Mutex<Process>,
    pub(super) mailbox: Mailbox,
    /// What the lab has asked.
    pub(super) questions: Slots<Answer>,
    /// The calls of other servers.
    pub(super) requests: Slots<Result<ByteBuf, CallError>>,
    pub(super) view: View,
}

impl RemotePeer {
    /// Starts the process and makes the peer there.
    pub(super) fn make(
        template: &Template,
        seed: u64,
        context: PeerContext,
        referee: &Referee,
    ) -> Arc<dyn RaftPeer> {
        let PeerContext { ends, me, persister, apply } = context;
        let saved = persister.storage().load();
        let Saved { raft_state, snapshot } = (*saved).clone();
        let birth = Birth { me, servers: ends.len(), seed, raft_state, snapshot };
        let process = Process::start(template, &birth)
            .unwrap_or_else(|fault| referee.stop(fault.verdict(me)));
        let peer = Arc::new(RemotePeer {
            me,
            referee: referee.clone(),
            process: Mutex::new(process),
            mailbox: Mailbox::default(),
            questions: Slots::default(),
            requests: Slots::default(),
            view: View::default(),
        });
        driver::start(Arc::clone(&peer), ends, Arc::clone(&persister), saved, apply);
        let elsewhere = Arc::downgrade(&peer);
        threads::are_elsewhere(me, move || {
            let answer = elsewhere.upgrade().and_then(|peer| peer.ask(Question::Waiting));
            match answer {
                Some(Answer::Waiting(told)) => told,
                _ => Vec::new(),
            }
        });
        if let Some(Answer::Made { has_read: true }) = peer.ask(Question::Make) {
            persister.storage().note_read();
        }
        peer
    }

    /// None if the process is gone.
    fn ask(&self, question: Question) -> Option<Answer> {
        let (id, slot) = self.questions.open();
        self.mailbox.push(Input::Ask { id, question });
        slot.wait()
    }

    fn request(&self, method: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        let (id, slot) = self.requests.open();
        self.mailbox.push(Input::Request { id, method: method.into(), args: args.into() });
        slot.wait().unwrap_or(Err(CallError::NoAnswer)).map(ByteBuf::into_vec)
    }

    /// The process is gone: nobody waits for it any more.
    pub(super) fn give_up(&self) {
        self.mailbox.close();
        self.questions.close();
        self.requests.close();
        self.view.close();
    }
}

impl RaftPeer for RemotePeer {
    fn service(self: Arc<Self>) -> Service {
        let Some(Answer::Service { name, methods }) = self.ask(Question::Service) else {
            return Service::new("Raft");
        };
        if [&name].into_iter().chain(&methods).any(|it| it.len() > NAME_BYTES_MAX) {
            let sentence = format!(
                "a name in the service of server {} has more than {NAME_BYTES_MAX} bytes",
                self.me
            );
            self.referee.stop(Failure::of(self.me, Class::Contract, sentence));
        }
        methods.iter().fold(Service::new(name.clone()), |service, method| {
            let (peer, whole) = (Arc::clone(&self), format!("{name}.{method}"));
            service.raw_method(method, move |args| peer.request(&whole, args))
        })
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        let Some(Answer::Started(started)) = self.ask(Question::Start(command)) else {
            return None;
        };
        if let Some(started) = started {
            self.view.note_term(started.term);
        }
        started
    }

    fn get_state(&self) -> (u64, bool) {
        match self.ask(Question::GetState) {
            Some(Answer::State(term, leads)) => {
                self.view.note_term(term);
                (term, leads)
            }
            // A server that was killed meanwhile says nothing that it has not said before.
            _ => (self.view.term(), false),
        }
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.ask(Question::Snapshot(index, snapshot));
    }

    fn inspect(&self) -> Option<Inspect> {
        self.view.wait()
    }

    /// At once, wherever it stands; what it has said and was not heard yet is lost.
    fn kill(&self) {
        // First, so that the driver, which may wait for the process, knows why it is gone.
        self.give_up();
        self.process.lock().kill();
    }
}
