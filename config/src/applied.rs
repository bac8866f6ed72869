//! What every server has applied, for the whole run: the memory of 6.824's appliers.
//!
//! Stricter than the original in three points. A server that was restarted must apply again from
//! index 1, or from behind its snapshot, in order; the original accepts any index whose predecessor
//! was ever applied there. What a server applied behind its snapshot before it crashed is not
//! forgotten when it restarts. And a snapshot that ends before what this incarnation has applied
//! already is refused (S14); the original takes it.

use std::collections::BTreeMap;

use labrpc::codec;
use parking_lot::Mutex;
use serde_bytes::{ByteBuf, Bytes};

use crate::command::show;
use crate::failure::{Class, Failure};
use crate::invariants::Rule;

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
    /// Ever applied, by any incarnation.
    log: BTreeMap<u64, Vec<u8>>,
    incarnation: u32,
    alive: bool,
    last_applied: u64,
    /// Snapshots that brought anything new, of any incarnation.
    snapshots: u64,
}

/// What became of an applied entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// It came from an incarnation that was crashed: nothing from there counts.
    TooLate,
}

impl Applied {
    pub(crate) fn new(servers: usize) -> Applied {
        let servers = (0..servers).map(|_| Server::default()).collect();
        Applied { state: Mutex::new(State { servers, index_max: 0 }) }
    }

    /// A new incarnation of `server` starts from `snapshot`, which may be empty.
    pub(crate) fn start(
        &self,
        server: usize,
        incarnation: u32,
        snapshot: &[u8],
    ) -> Result<(), Failure> {
        {
            let mut state = self.state.lock();
            let slot = &mut state.servers[server];
            (slot.incarnation, slot.alive, slot.last_applied) = (incarnation, true, 0);
        }
        if snapshot.is_empty() {
            return Ok(());
        }
        self.ingest(server, incarnation, None, snapshot).map(|_| ())
    }

    pub(crate) fn crash(&self, server: usize) {
        self.state.lock().servers[server].alive = false;
    }

    /// An entry was applied: 6.824's checkLogs and the order that its appliers demand.
    pub(crate) fn command(
        &self,
        server: usize,
        incarnation: u32,
        index: u64,
        command: &[u8],
    ) -> Result<Taken, Failure> {
        let mut state = self.state.lock();
        if !state.is_alive(server, incarnation) {
            return Ok(Taken::TooLate);
        }
        let expected = state.servers[server].last_applied + 1;
        if index != expected {
            let sentence =
                format!("server {server} applied index {index}, but index {expected} was next");
            return Err(Failure::of(server, Class::Safety, sentence).with_rule(Rule::S9));
        }
        for (other, slot) in state.servers.iter().enumerate() {
            if let Some(theirs) = slot.log.get(&index)
                && theirs != command
            {
                let who = if other == server { "it had".into() } else { format!("server {other}") };
                let sentence = format!(
                    "server {server} applied {} at index {index}, where {who} applied {}",
                    show(command),
                    show(theirs)
                );
                return Err(Failure::of(server, Class::Safety, sentence).with_rule(Rule::S8));
            }
        }
        let slot = &mut state.servers[server];
        slot.log.insert(index, command.to_vec());
        slot.last_applied = index;
        state.index_max = state.index_max.max(index);
        Ok(Taken::Yes)
    }

    /// A snapshot was applied, or lies in the persister of a server that starts (without `index`).
    pub(crate) fn ingest(
        &self,
        server: usize,
        incarnation: u32,
        index: Option<u64>,
        snapshot: &[u8],
    ) -> Result<Taken, Failure> {
        let refused = |why: String| {
            let sentence = format!("server {server} has a snapshot that {why}");
            Failure::of(server, Class::Safety, sentence).with_rule(Rule::S14)
        };
        let mut state = self.state.lock();
        if !state.is_alive(server, incarnation) {
            return Ok(Taken::TooLate);
        }
        let (covers, commands) = codec::decode::<(u64, Vec<ByteBuf>)>(snapshot)
            .map_err(|_| refused(format!("the lab never made: {}", show(snapshot))))?;
        if let Some(index) = index
            && index != covers
        {
            return Err(refused(format!("covers index {covers}, but was applied as {index}")));
        }
        let slot = &mut state.servers[server];
        if covers < slot.last_applied {
            return Err(refused(format!(
                "covers index {covers}, but it has applied index {} already",
                slot.last_applied
            )));
        }
        // A peer that starts may well hand over its own snapshot again.
        slot.snapshots += u64::from(index.is_some() && covers > slot.last_applied);
        slot.log.extend((1..).zip(commands.into_iter().map(ByteBuf::into_vec)));
        slot.last_applied = covers;
        state.index_max = state.index_max.max(covers);
        Ok(Taken::Yes)
    }

    /// The lab's snapshot of everything that `server` applied up to `index`.
    pub(crate) fn snapshot(&self, server: usize, index: u64) -> Vec<u8> {
        let state = self.state.lock();
        let log = state.servers[server].log.range(1..=index);
        let commands: Vec<&Bytes> = log.map(|(_, command)| Bytes::new(command)).collect();
        codec::encode(&(index, commands)).expect("numbers and bytes have an encoding")
    }

    /// How many servers ever applied `index`, and what.
    pub(crate) fn n_committed(&self, index: u64) -> (usize, Option<Vec<u8>>) {
        let state = self.state.lock();
        let mut commands = state.servers.iter().filter_map(|slot| slot.log.get(&index));
        let first = commands.next().cloned();
        (usize::from(first.is_some()) + commands.count(), first)
    }

    pub(crate) fn snapshots(&self, server: usize) -> u64 {
        self.state.lock().servers[server].snapshots
    }

    pub(crate) fn index_max(&self) -> u64 {
        self.state.lock().index_max
    }
}

/// The index up to which a snapshot of the lab's goes; none if the lab did not make it.
pub(crate) fn covers(snapshot: &[u8]) -> Option<u64> {
    codec::decode::<(u64, Vec<ByteBuf>)>(snapshot).ok().map(|(covers, _)| covers)
}

impl State {
    fn is_alive(&self, server: usize, incarnation: u32) -> bool {
        let slot = &self.servers[server];
        slot.alive && slot.incarnation == incarnation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::number;

    fn two_servers() -> Applied {
        let applied = Applied::new(2);
        applied.start(0, 1, &[]).unwrap();
        applied.start(1, 1, &[]).unwrap();
        applied
    }

    #[test]
    fn entries_in_order_are_counted_by_server() {
        let applied = two_servers();
        assert_eq!(applied.command(0, 1, 1, &number(7)), Ok(Taken::Yes));
        assert_eq!(applied.n_committed(1), (1, Some(number(7))));
        assert_eq!(applied.command(1, 1, 1, &number(7)), Ok(Taken::Yes));
        assert_eq!(applied.n_committed(1), (2, Some(number(7))));
        assert_eq!((applied.n_committed(2), applied.index_max()), ((0, None), 1));
    }

    #[test]
    fn another_command_at_the_same_index_names_both_servers() {
        let applied = two_servers();
        applied.command(0, 1, 1, &number(7)).unwrap();
        let failure = applied.command(1, 1, 1, &number(8)).unwrap_err();
        assert_eq!(
            failure.sentence,
            "server 1 applied \"8\" at index 1, where server 0 applied \"7\""
        );
    }

    #[test]
    fn a_gap_and_a_repetition_are_out_of_order() {
        let applied = two_servers();
        applied.command(0, 1, 1, &number(7)).unwrap();
        for index in [1, 3] {
            let failure = applied.command(0, 1, index, &number(7)).unwrap_err();
            assert_eq!(
                failure.sentence,
                format!("server 0 applied index {index}, but index 2 was next")
            );
        }
    }

    #[test]
    fn a_restarted_server_begins_at_one_and_its_old_incarnation_is_not_heard() {
        let applied = two_servers();
        applied.command(0, 1, 1, &number(7)).unwrap();
        applied.crash(0);
        assert_eq!(applied.command(0, 1, 2, &number(8)), Ok(Taken::TooLate));
        applied.start(0, 2, &[]).unwrap();
        assert_eq!(applied.command(0, 1, 2, &number(8)), Ok(Taken::TooLate));
        assert!(applied.command(0, 2, 2, &number(8)).is_err(), "it must begin at 1");
        assert_eq!(applied.command(0, 2, 1, &number(7)), Ok(Taken::Yes));
    }

    #[test]
    fn a_restart_from_a_snapshot_forgets_nothing_that_was_applied_behind_it() {
        let applied = two_servers();
        applied.command(0, 1, 1, &number(7)).unwrap();
        let snapshot = applied.snapshot(0, 1);
        applied.command(0, 1, 2, &number(8)).unwrap();
        applied.crash(0);
        applied.start(0, 2, &snapshot).unwrap();
        assert_eq!(applied.ingest(0, 2, Some(1), &snapshot), Ok(Taken::Yes));
        assert_eq!(applied.snapshots(0), 0, "it was its own");
        let failure = applied.command(0, 2, 2, &number(9)).unwrap_err();
        assert_eq!(
            failure.sentence,
            "server 0 applied \"9\" at index 2, where it had applied \"8\""
        );
        assert_eq!(applied.command(0, 2, 2, &number(8)), Ok(Taken::Yes));
    }

    #[test]
    fn a_snapshot_brings_its_prefix_and_the_order_goes_on_behind_it() {
        let applied = two_servers();
        for index in 1..=3 {
            applied.command(0, 1, index, &number(index * 100)).unwrap();
        }
        let snapshot = applied.snapshot(0, 3);
        assert_eq!(applied.ingest(1, 1, Some(3), &snapshot), Ok(Taken::Yes));
        assert_eq!((applied.snapshots(0), applied.snapshots(1)), (0, 1));
        assert_eq!(applied.n_committed(2), (2, Some(number(200))));
        assert_eq!(applied.command(1, 1, 4, &number(400)), Ok(Taken::Yes));
        let failure = applied.ingest(1, 1, Some(3), &snapshot).unwrap_err();
        assert_eq!(
            failure.sentence,
            "server 1 has a snapshot that covers index 3, but it has applied index 4 already"
        );
        let failure = applied.ingest(0, 1, Some(2), &snapshot).unwrap_err();
        assert_eq!(
            failure.sentence,
            "server 0 has a snapshot that covers index 3, but was applied as 2"
        );
        let failure = applied.start(0, 2, b"junk").unwrap_err();
        assert_eq!(failure.sentence, "server 0 has a snapshot that the lab never made: \"junk\"");
    }
}
