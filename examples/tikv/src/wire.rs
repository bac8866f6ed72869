//! TiKV's messages as the requests and replies of the lab's RPCs.
//!
//! TiKV's messages are one-way, and an answer is a message like any other. The lab's network makes
//! calls. TiKV makes every answer while it handles the message that it answers, so the answer
//! becomes the call's reply.

use labrpc::Service;
use protobuf::Message as _;
use raft::eraftpb::{Message, MessageType};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The arguments of every call: one message, as the bytes of its protobuf.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request(ByteBuf);

/// The reply to every call: the answers, maybe none. The default is that of a killed server.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Reply(Vec<ByteBuf>);

impl Request {
    pub(crate) fn new(message: &Message) -> Request {
        Request(to_bytes(message))
    }

    pub(crate) fn message(&self) -> Message {
        from_bytes(&self.0)
    }
}

impl Reply {
    pub(crate) fn new(answers: &[Message]) -> Reply {
        Reply(answers.iter().map(to_bytes).collect())
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> {
        self.0.iter().map(|bytes| from_bytes(bytes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
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
    match message.get_msg_type() {
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => Some("Raft.RequestVote"),
        MessageType::MsgAppend | MessageType::MsgHeartbeat => Some("Raft.AppendEntries"),
        MessageType::MsgSnapshot => Some("Raft.InstallSnapshot"),
        _ => None,
    }
}

fn to_bytes(message: &Message) -> ByteBuf {
    ByteBuf::from(message.write_to_bytes().expect("a message has an encoding"))
}

fn from_bytes(bytes: &[u8]) -> Message {
    Message::parse_from_bytes(bytes).expect("another server encoded it")
}
