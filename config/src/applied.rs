//! Everything that each server has applied in the whole run, as the appliers of 6.824 record it.
//! Checks rules S8 and S9, and the part of S14 about snapshots that are applied.
//!
//! It is stricter than the original in three points. A restarted server must apply again from index
//! 1, or from the index after its snapshot, in order. Entries that a server applied after its
//! snapshot and before a crash still count after the restart. And a snapshot that ends before an
//! entry that this incarnation has already applied is an error (S14); the original accepts it.
//!
//! **S9 after a restart**: a server may restart and continue at or before the index where it was
//! before the crash. This breaks the contract with the lab (class contract) and not safety, because
//! a service that has kept its state loses no command. But the lab's service has not kept its
//! state. `lastApplied` is volatile in Figure 2 and begins with 0, so a Raft that follows the paper
//! applies everything again, and is never blamed. Parts 3A to 3C of the original accept other Rafts
//! in most years, because their appliers keep the log of a server through its crash. Such Rafts
//! fail here: the applier of the original's 3D fails them in every year, that of 3A to 3C failed
//! them in 2025, and a key/value service on such a Raft would lose its data.
//!
//! **A saved snapshot that the lab did not make** also breaks the contract: when a server starts,
//! the lab reads the persister in place of a service, as 6.824 does. A Raft can keep anything else
//! in its own saved state.

use std::collections::BTreeMap;

use history::{Event, Incarnation, Moment, RaftEvent, ServerEvent, What};
use labrpc::codec;
use parking_lot::Mutex;
use raftapi::ApplyMsg;
use serde_bytes::{ByteBuf, Bytes};
use watch::{ApplyingBreach, SnapshotBreach, SnapshotFault, Violation};

/// The applied entries of all servers.
pub(crate) struct Applied {
    state: Mutex<State>,
}

struct State {
    servers: Vec<Server>,
    index_max: u64,
}

#[derive(Default)]
struct Server {
    /// The entries that any incarnation has ever applied, and when.
    log: BTreeMap<u64, (Vec<u8>, Moment)>,
    incarnation: u32,
    alive: bool,
    last_applied: u64,
    /// This incarnation has applied nothing yet.
    is_fresh: bool,
    /// The highest index that an earlier incarnation has applied.
    applied_before: u64,
    /// The number of snapshots with new entries that any incarnation has applied.
    snapshots: u64,
}

impl Applied {
    pub(crate) fn new(servers: usize) -> Applied {
        let servers = (0..servers).map(|_| Server::default()).collect();
        Applied { state: Mutex::new(State { servers, index_max: 0 }) }
    }

    /// Reads an event. An error if the event breaks a rule.
    pub(crate) fn read(&self, event: &Event<'_>) -> Result<(), Violation> {
        let mut state = self.state.lock();
        match &event.what {
            What::Server(of, ServerEvent::Starting(saved)) => {
                state.start(*of, &saved.snapshot, event.moment)
            }
            What::Server(of, ServerEvent::Crashed) => {
                state.servers[of.server].alive = false;
                Ok(())
            }
            What::Raft(of, RaftEvent::Applied(message)) if state.runs(*of) => match message {
                ApplyMsg::Command { index, command } => {
                    state.apply(of.server, *index, command, event.moment)
                }
                ApplyMsg::Snapshot { index, snapshot, .. } => {
                    state.ingest(of.server, Some(*index), snapshot, event.moment)
                }
            },
            _ => Ok(()),
        }
    }

    /// Whether this incarnation runs and `index` is the last index that it has applied.
    pub(crate) fn has_just_applied(&self, of: Incarnation, index: u64) -> bool {
        let state = self.state.lock();
        state.runs(of) && state.servers[of.server].last_applied == index
    }

    /// The last index that a server has applied since it started. None if the server does not run
    /// or has applied nothing.
    pub(crate) fn last_applied(&self, server: usize) -> Option<u64> {
        let state = self.state.lock();
        let server = &state.servers[server];
        Some(server.last_applied).filter(|index| server.alive && *index > 0)
    }

    /// The lab's snapshot of everything that `server` applied up to `index`.
    pub(crate) fn snapshot(&self, server: usize, index: u64) -> Vec<u8> {
        let state = self.state.lock();
        let log = state.servers[server].log.range(1..=index);
        let commands: Vec<&Bytes> = log.map(|(_, (command, _))| Bytes::new(command)).collect();
        codec::encode(&(index, commands)).expect("numbers and bytes have an encoding")
    }

    /// The number of servers that have ever applied `index`, and the command.
    pub(crate) fn n_committed(&self, index: u64) -> (usize, Option<Vec<u8>>) {
        let state = self.state.lock();
        let mut commands = state.servers.iter().filter_map(|server| server.log.get(&index));
        let first = commands.next().map(|(command, _)| command.clone());
        (usize::from(first.is_some()) + commands.count(), first)
    }

    pub(crate) fn snapshots(&self, server: usize) -> u64 {
        self.state.lock().servers[server].snapshots
    }

    pub(crate) fn index_max(&self) -> u64 {
        self.state.lock().index_max
    }
}

/// The last index that a snapshot covers. None if the lab did not make the snapshot.
pub(crate) fn covers(snapshot: &[u8]) -> Option<u64> {
    codec::decode::<(u64, Vec<ByteBuf>)>(snapshot).ok().map(|(covers, _)| covers)
}

impl State {
    fn runs(&self, of: Incarnation) -> bool {
        let server = &self.servers[of.server];
        server.alive && server.incarnation == of.number
    }

    /// A new incarnation starts from `snapshot`, which may be empty.
    fn start(&mut self, of: Incarnation, snapshot: &[u8], at: Moment) -> Result<(), Violation> {
        let server = &mut self.servers[of.server];
        server.applied_before = server.applied_before.max(server.last_applied);
        (server.incarnation, server.alive, server.last_applied) = (of.number, true, 0);
        server.is_fresh = true;
        if snapshot.is_empty() { Ok(()) } else { self.ingest(of.server, None, snapshot, at) }
    }

    /// Checks and records an applied entry: 6.824's checkLogs, and the order that its appliers
    /// check.
    fn apply(
        &mut self,
        server: usize,
        index: u64,
        command: &[u8],
        at: Moment,
    ) -> Result<(), Violation> {
        let slot = &mut self.servers[server];
        let expected = slot.last_applied + 1;
        let is_first = std::mem::take(&mut slot.is_fresh);
        if index != expected {
            let resumes = is_first && slot.incarnation > 1 && index <= slot.applied_before + 1;
            let breach = if resumes {
                ApplyingBreach::OutOfOrderAfterRestart { index, expected, applied: at }
            } else {
                ApplyingBreach::OutOfOrder { index, expected, applied: at }
            };
            return Err(Violation::of(server, breach));
        }
        for (other, slot) in self.servers.iter().enumerate() {
            if let Some((theirs, before)) = slot.log.get(&index)
                && theirs != command
            {
                let there = (other, theirs.clone(), *before);
                let here = (command.to_vec(), at);
                return Err(Violation::of(
                    server,
                    ApplyingBreach::AppliedTwo { index, here, there },
                ));
            }
        }
        let slot = &mut self.servers[server];
        slot.log.insert(index, (command.to_vec(), at));
        slot.last_applied = index;
        self.index_max = self.index_max.max(index);
        Ok(())
    }

    /// Checks and records a snapshot that was applied, or, without `index`, that a starting server
    /// has on its disk.
    fn ingest(
        &mut self,
        server: usize,
        index: Option<u64>,
        snapshot: &[u8],
        at: Moment,
    ) -> Result<(), Violation> {
        let refused =
            |what| Err(Violation::of(server, SnapshotBreach::BadSnapshot { what, seen: at }));
        let Ok((covers, commands)) = codec::decode::<(u64, Vec<ByteBuf>)>(snapshot) else {
            let bytes = snapshot.to_vec();
            return refused(match index {
                Some(_) => SnapshotFault::Unknown(bytes),
                None => SnapshotFault::Foreign(bytes),
            });
        };
        if let Some(index) = index
            && index != covers
        {
            return refused(SnapshotFault::OtherIndex { covers, index });
        }
        let slot = &mut self.servers[server];
        if covers < slot.last_applied {
            return refused(SnapshotFault::Older { covers, applied: slot.last_applied });
        }
        slot.is_fresh &= index.is_none();
        // A starting peer may apply its own snapshot again.
        slot.snapshots += u64::from(index.is_some() && covers > slot.last_applied);
        let commands = commands.into_iter().map(|command| (command.into_vec(), at));
        slot.log.extend((1..).zip(commands));
        slot.last_applied = covers;
        self.index_max = self.index_max.max(covers);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use history::command::number;
    use raftapi::Saved;

    use super::*;

    fn two_servers() -> Applied {
        let applied = Applied::new(2);
        starts(&applied, 0, 1, &[]).unwrap();
        starts(&applied, 1, 1, &[]).unwrap();
        applied
    }

    fn read(applied: &Applied, what: What<'_>) -> Result<(), Violation> {
        applied.read(&Event { moment: Moment::default(), what })
    }

    fn starts(
        applied: &Applied,
        server: usize,
        number: u32,
        snapshot: &[u8],
    ) -> Result<(), Violation> {
        let saved = Saved { raft_state: vec![], snapshot: snapshot.to_vec() };
        let of = Incarnation { server, number };
        read(applied, What::Server(of, ServerEvent::Starting(&saved)))
    }

    fn crashes(applied: &Applied, server: usize, number: u32) {
        let of = Incarnation { server, number };
        read(applied, What::Server(of, ServerEvent::Crashed)).unwrap();
    }

    /// Applies a command. True if it counts.
    fn applies(
        applied: &Applied,
        server: usize,
        number: u32,
        index: u64,
        command: &[u8],
    ) -> Result<bool, Violation> {
        let of = Incarnation { server, number };
        let message = ApplyMsg::Command { index, command: command.to_vec() };
        read(applied, What::Raft(of, RaftEvent::Applied(&message)))?;
        Ok(applied.has_just_applied(of, index))
    }

    fn ingests(
        applied: &Applied,
        server: usize,
        number: u32,
        index: u64,
        snapshot: &[u8],
    ) -> Result<(), Violation> {
        let message = ApplyMsg::Snapshot { index, term: 1, snapshot: snapshot.to_vec() };
        let of = Incarnation { server, number };
        read(applied, What::Raft(of, RaftEvent::Applied(&message)))
    }

    #[test]
    fn entries_in_order_are_counted_by_server() {
        let applied = two_servers();
        assert_eq!(applies(&applied, 0, 1, 1, &number(7)), Ok(true));
        assert_eq!(applied.n_committed(1), (1, Some(number(7))));
        assert_eq!(applies(&applied, 1, 1, 1, &number(7)), Ok(true));
        assert_eq!(applied.n_committed(1), (2, Some(number(7))));
        assert_eq!((applied.n_committed(2), applied.index_max()), ((0, None), 1));
    }

    #[test]
    fn another_command_at_the_same_index_names_both_servers() {
        let applied = two_servers();
        applies(&applied, 0, 1, 1, &number(7)).unwrap();
        let violation = applies(&applied, 1, 1, 1, &number(8)).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 1 applied \"8\" at index 1, where server 0 applied \"7\""
        );
    }

    #[test]
    fn a_gap_and_a_repetition_are_out_of_order() {
        let applied = two_servers();
        applies(&applied, 0, 1, 1, &number(7)).unwrap();
        for index in [1, 3] {
            let violation = applies(&applied, 0, 1, index, &number(7)).unwrap_err();
            assert_eq!(
                violation.to_string(),
                format!("server 0 applied index {index}, but index 2 was next")
            );
        }
    }

    #[test]
    fn a_restarted_server_begins_at_one_and_its_old_incarnation_does_not_count() {
        let applied = two_servers();
        applies(&applied, 0, 1, 1, &number(7)).unwrap();
        crashes(&applied, 0, 1);
        assert_eq!(applies(&applied, 0, 1, 2, &number(8)), Ok(false));
        starts(&applied, 0, 2, &[]).unwrap();
        assert_eq!(applies(&applied, 0, 1, 2, &number(8)), Ok(false));
        let violation = applies(&applied, 0, 2, 2, &number(8)).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 0 restarted and then applied index 2, but index 1 was next: the lab's service \
             is empty after a restart and expects all committed entries again, from index 1"
        );
        assert!(violation.is_of_contract());
        assert_eq!(applies(&applied, 0, 2, 1, &number(7)), Ok(true));
    }

    #[test]
    fn a_restarted_server_that_skips_what_it_never_applied_is_unsafe() {
        let applied = two_servers();
        applies(&applied, 0, 1, 1, &number(7)).unwrap();
        crashes(&applied, 0, 1);
        starts(&applied, 0, 2, &[]).unwrap();
        let violation = applies(&applied, 0, 2, 3, &number(9)).unwrap_err();
        assert_eq!(violation.to_string(), "server 0 applied index 3, but index 1 was next");
        assert!(!violation.is_of_contract());
    }

    #[test]
    fn the_failure_of_a_server_that_restarts_before_its_snapshot_names_its_end() {
        let applied = two_servers();
        for index in 1..=2 {
            applies(&applied, 0, 1, index, &number(index)).unwrap();
        }
        let snapshot = applied.snapshot(0, 2);
        crashes(&applied, 0, 1);
        starts(&applied, 0, 2, &snapshot).unwrap();
        let violation = applies(&applied, 0, 2, 1, &number(1)).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 0 restarted and then applied index 1, but index 3 was next: the lab's service \
             restarts from the saved snapshot, which ends with index 2, and expects all later \
             entries"
        );
    }

    #[test]
    fn entries_applied_after_a_snapshot_still_count_after_a_restart_from_it() {
        let applied = two_servers();
        applies(&applied, 0, 1, 1, &number(7)).unwrap();
        let snapshot = applied.snapshot(0, 1);
        applies(&applied, 0, 1, 2, &number(8)).unwrap();
        crashes(&applied, 0, 1);
        starts(&applied, 0, 2, &snapshot).unwrap();
        assert_eq!(ingests(&applied, 0, 2, 1, &snapshot), Ok(()));
        assert_eq!(applied.snapshots(0), 0, "it was its own");
        let violation = applies(&applied, 0, 2, 2, &number(9)).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 0 applied \"9\" at index 2, where it had applied \"8\""
        );
        assert_eq!(applies(&applied, 0, 2, 2, &number(8)), Ok(true));
    }

    #[test]
    fn a_snapshot_brings_its_prefix_and_the_next_entry_follows_it() {
        let applied = two_servers();
        for index in 1..=3 {
            applies(&applied, 0, 1, index, &number(index * 100)).unwrap();
        }
        let snapshot = applied.snapshot(0, 3);
        assert_eq!(ingests(&applied, 1, 1, 3, &snapshot), Ok(()));
        assert_eq!((applied.snapshots(0), applied.snapshots(1)), (0, 1));
        assert_eq!(applied.n_committed(2), (2, Some(number(200))));
        assert_eq!(applies(&applied, 1, 1, 4, &number(400)), Ok(true));
        let violation = ingests(&applied, 1, 1, 3, &snapshot).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 1 has a snapshot that covers index 3, but it has applied index 4 already"
        );
        let violation = ingests(&applied, 0, 1, 2, &snapshot).unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 0 has a snapshot that covers index 3, but was applied as 2"
        );
        let violation = starts(&applied, 0, 2, b"junk").unwrap_err();
        assert_eq!(
            violation.to_string(),
            "server 0 restarted, and the snapshot in its persister is not one that the lab made: \
             \"junk\"; the lab restores its service from these bytes, so they must be exactly the \
             bytes that `snapshot` got"
        );
    }
}
