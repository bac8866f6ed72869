//! raft-io's messages as the requests and replies of the lab's RPCs.
//!
//! raft-io's messages are one-way, and an answer is a message like any other. The lab's network
//! makes calls. raft-io answers a request within the step that takes it, so the answer becomes the
//! call's reply.

use labrpc::Service;
use raft_io::{Message, framing};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The arguments of every call: one message, in raft-io's own encoding.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request(ByteBuf);

/// The reply to every call: the answers, maybe none. The default is that of a killed server.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Reply(Vec<ByteBuf>);

impl Request {
    pub(crate) fn new(message: &Message) -> Request {
        Request(to_bytes(message))
    }

    /// None if it is not a message of raft-io.
    pub(crate) fn message(&self) -> Option<Message> {
        framing::decode(&self.0).ok()
    }
}

impl Reply {
    pub(crate) fn new(answers: &[Message]) -> Reply {
        Reply(answers.iter().map(to_bytes).collect())
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> {
        self.0.iter().filter_map(|bytes| framing::decode(bytes).ok())
    }
}

/// The lab's service. A method's name tells the lab what kind of call it is.
pub(crate) fn service<F>(answer: F) -> Service
where
    F: Fn(Request) -> Reply + Clone + Send + Sync + 'static,
{
    let (vote, append) = (answer.clone(), answer.clone());
    Service::new("Raft")
        .method("RequestVote", vote)
        .method("AppendEntries", append)
        .method("InstallSnapshot", answer)
}

/// The method that takes a message; none for an answer, which is not a request.
pub(crate) fn method_for(message: &Message) -> Option<&'static str> {
    match message {
        Message::PreVote(_) | Message::RequestVote(_) => Some("Raft.RequestVote"),
        Message::AppendEntries(_) => Some("Raft.AppendEntries"),
        Message::InstallSnapshot(_) => Some("Raft.InstallSnapshot"),
        _ => None,
    }
}

fn to_bytes(message: &Message) -> ByteBuf {
    ByteBuf::from(framing::encode(message).expect("a message has an encoding"))
}
