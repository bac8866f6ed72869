//! What a server shows, put together from its changes.

use runfile::{Kind, Role, State};

/// A server at one moment of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Server {
    /// 0 before its first start.
    pub(crate) incarnation: u32,
    /// It runs.
    pub(crate) is_up: bool,
    pub(crate) role: Option<Role>,
    pub(crate) term: u64,
    pub(crate) voted_for: Option<usize>,
    /// The last index and term that the snapshot covers.
    pub(crate) snapshot: (u64, u64),
    /// The terms of the entries after the snapshot.
    pub(crate) log: Vec<u64>,
    pub(crate) commit: u64,
    pub(crate) applied: u64,
}

impl Server {
    /// Takes in an event of this server.
    pub(crate) fn take(&mut self, kind: &Kind) {
        match kind {
            Kind::Started { incarnation, .. } => {
                *self = Server { incarnation: *incarnation, is_up: true, ..Server::default() };
            }
            Kind::Crashed { .. } => self.is_up = false,
            Kind::State(state) => self.change(state),
            _ => {}
        }
    }

    fn change(&mut self, state: &State) {
        self.role = state.role.or(self.role);
        self.term = state.term.unwrap_or(self.term);
        self.voted_for = state.voted_for.unwrap_or(self.voted_for);
        self.commit = state.commit.unwrap_or(self.commit);
        self.applied = state.applied.unwrap_or(self.applied);
        if let Some((index, term)) = state.snapshot {
            let gone = usize::try_from(index.saturating_sub(self.snapshot.0)).unwrap_or(usize::MAX);
            self.log.drain(..gone.min(self.log.len()));
            self.snapshot = (index, term);
        }
        if let Some(change) = &state.log {
            let kept = change.from.saturating_sub(self.snapshot.0 + 1);
            self.log.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
            self.log.extend(&change.terms);
        }
    }

    /// The index of the last entry.
    pub(crate) fn last_index(&self) -> u64 {
        self.snapshot.0 + self.log.len() as u64
    }
}

/// The server that an event happened to; none for an event of the network or the test.
pub(crate) fn of(kind: &Kind) -> Option<usize> {
    match kind {
        Kind::Started { server, .. }
        | Kind::Crashed { server }
        | Kind::Fault { server, .. }
        | Kind::Saved { server, .. }
        | Kind::State(State { server, .. })
        | Kind::Offered { server, .. }
        | Kind::Accepted { server, .. }
        | Kind::Refused { server }
        | Kind::SaidState { server, .. }
        | Kind::SaidLeader { server, .. }
        | Kind::Applied { server, .. }
        | Kind::AppliedSnapshot { server, .. } => Some(*server),
        Kind::Output { server, .. } => *server,
        Kind::Sent { from, .. } => *from,
        Kind::Caught { .. }
        | Kind::Dispatched { .. }
        | Kind::Handled { .. }
        | Kind::Ended { .. }
        | Kind::Misused { .. }
        | Kind::Cluster { .. }
        | Kind::Link { .. }
        | Kind::Waiting { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use runfile::LogChange;

    use super::*;

    #[test]
    fn changes_add_up_to_the_state() {
        let mut server = Server::default();
        server.take(&Kind::Started { server: 1, incarnation: 2 });
        let change = |state: State| Kind::State(State { server: 1, ..state });
        let log = |from, terms: &[u64]| Some(LogChange { from, terms: terms.to_vec() });
        server.take(&change(State { term: Some(3), log: log(1, &[1, 1, 2]), ..State::default() }));
        server.take(&change(State { voted_for: Some(Some(0)), ..State::default() }));
        server.take(&change(State { snapshot: Some((2, 1)), ..State::default() }));
        server.take(&change(State { log: log(4, &[3]), commit: Some(3), ..State::default() }));
        assert_eq!((server.term, server.voted_for, server.incarnation), (3, Some(0), 2));
        assert_eq!((server.log.as_slice(), server.last_index()), ([2, 3].as_slice(), 4));
        server.take(&change(State { log: log(3, &[]), ..State::default() }));
        assert_eq!((server.log.as_slice(), server.commit), ([].as_slice(), 3));
        server.take(&change(State { snapshot: Some((9, 3)), ..State::default() }));
        assert_eq!((server.last_index(), server.log.len()), (9, 0));
        server.take(&Kind::Crashed { server: 1 });
        assert!(!server.is_up);
    }
}
