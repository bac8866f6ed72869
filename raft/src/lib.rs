//! The reference Raft: ordinary threads, one mutex, and the rules apart from both.
//!
//! It follows "In Search of an Understandable Consensus Algorithm (Extended Version)" by Ongaro and
//! Ousterhout; a file a section. All of Figure 2 and section 7 are here; changes of membership
//! (section 6) are not.
//!
//! **The rules** are methods of `State`, which is Figure 2's state of one server. They are plain
//! functions: a message goes in, a reply or requests come out. A rule that needs the time or a
//! random election timeout asks the `Clock` that it is given. No rule starts a thread, waits, sends
//! or locks, so each can be tested by itself, and read next to the paper.
//!
//! | file in `rules/` | contents |
//! |---|---|
//! | `log` | the entries by index, and the only place that knows where they lie in memory |
//! | `messages` | the RPCs' arguments and replies (Figures 2 and 13) |
//! | `progress` | what a leader knows of each follower, and when it sends next (5.3) |
//! | `persistent` | what survives a crash, behind the only methods that can change it |
//! | `clock` | the time and the election timeouts, as the rules ask for them |
//! | `state` | the roles, and what every server does about terms (5.1) |
//! | `election` | RequestVote (5.2), and who may win (5.4.1) |
//! | `replication` | AppendEntries (5.3); a heartbeat is its empty case |
//! | `commit` | when an entry is committed (5.3, 5.4.2) |
//! | `snapshot` | InstallSnapshot, and the log that forgets its beginning (7) |
//! | `apply` | what the service gets, in order (5.3) |
//! | `deadline` | what a server does without being asked, and when (5.2) |
//!
//! **The threads** in `server` only carry messages. Every rule that can change what must survive a
//! crash runs in `Raft::with_state`, which saves the change before any reply or request can reveal
//! it.
//! - The ticker sleeps until the next deadline, and sends what the rules want to send then.
//! - The senders make the calls. A call may take seven seconds, or never be answered, so each has a
//!   thread of its own while it lasts.
//! - The applier hands over what is committed, and holds no lock meanwhile.
//! - The network's threads run the handlers, and the service's threads `start` and `snapshot`; none
//!   of them ever waits.

mod rules;
mod server;

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};

/// Makes one server's Raft: 6.824's `Make`.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    server::Raft::start(context)
}
