//! What a server shows, put together from its changes.

use runfile::{Kind, Role, State};

/// A server at one moment of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Server {
    /// All that is not the log.
    look: Look,
    /// The terms of the entries after the snapshot.
    log: Vec<u64>,
}

/// A server at one moment, without the entries of its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// 0 before its first start.
    pub(crate) incarnation: u32,
    /// It runs.
    pub(crate) is_up: bool,
    /// The lab has connected it.
    pub(crate) is_connected: bool,
    /// Its threads stand still.
    pub(crate) is_paused: bool,
    /// It gets no requests.
    pub(crate) is_deaf: bool,
    /// None if it has not shown its state since its start.
    pub(crate) role: Option<Role>,
    pub(crate) term: u64,
    pub(crate) voted_for: Option<usize>,
    /// The last index and term that the snapshot covers.
    pub(crate) snapshot: (u64, u64),
    pub(crate) last_index: u64,
    pub(crate) last_term: u64,
    pub(crate) commit: u64,
    pub(crate) applied: u64,
}

impl Server {
    /// Takes in an event of this server.
    pub(crate) fn take(&mut self, kind: &Kind) {
        let look = &mut self.look;
        match kind {
            Kind::Started { incarnation, .. } => {
                let is_deaf = look.is_deaf;
                let incarnation = *incarnation;
                *look = Look { incarnation, is_up: true, is_deaf, ..Look::default() };
                self.log.clear();
            }
            Kind::Crashed { .. } => {
                // The network is told as well; a pause ends with the server.
                *look = Look { is_up: false, is_connected: false, is_paused: false, ..*look };
            }
            Kind::Fault { verb, .. } => look.suffer(verb),
            Kind::State(state) => self.change(state),
            _ => {}
        }
    }

    fn change(&mut self, state: &State) {
        let look = &mut self.look;
        look.role = state.role.or(look.role);
        look.term = state.term.unwrap_or(look.term);
        look.voted_for = state.voted_for.unwrap_or(look.voted_for);
        look.commit = state.commit.unwrap_or(look.commit);
        look.applied = state.applied.unwrap_or(look.applied);
        if let Some((index, term)) = state.snapshot {
            let gone = usize::try_from(index.saturating_sub(look.snapshot.0)).unwrap_or(usize::MAX);
            self.log.drain(..gone.min(self.log.len()));
            look.snapshot = (index, term);
        }
        if let Some(change) = &state.log {
            let kept = change.from.saturating_sub(look.snapshot.0.saturating_add(1));
            self.log.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
            self.log.extend(&change.terms);
        }
        look.last_index = look.snapshot.0.saturating_add(self.log.len() as u64);
        look.last_term = self.log.last().copied().unwrap_or(look.snapshot.1);
    }

    /// The terms of the entries after the snapshot.
    pub(crate) fn log(&self) -> &[u64] {
        &self.log
    }

    /// All but the entries of its log.
    pub(crate) fn look(&self) -> Look {
        self.look
    }
}

impl Look {
    fn suffer(&mut self, verb: &str) {
        match verb {
            "connect" => self.is_connected = true,
            "disconnect" => self.is_connected = false,
            "pause" => self.is_paused = true,
            "resume" => self.is_paused = false,
            "deafen" => self.is_deaf = true,
            "hear" => self.is_deaf = false,
            _ => {}
        }
    }

    /// A few characters: the role, the term, the last index and the commit index.
    pub(crate) fn cell(&self) -> String {
        let role = match (self.is_up, self.role) {
            (false, _) if self.incarnation == 0 => return String::new(),
            (false, _) => return "-".into(),
            (true, None) => return "?".into(),
            (true, Some(Role::Follower)) => 'F',
            (true, Some(Role::Candidate)) => 'C',
            (true, Some(Role::Leader)) => 'L',
        };
        format!("{role}{} {}/{}", self.term, self.last_index, self.commit)
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
        let look = server.look();
        assert_eq!((look.term, look.voted_for, look.incarnation), (3, Some(0), 2));
        assert_eq!(
            (server.log.as_slice(), look.last_index, look.last_term),
            ([2, 3].as_slice(), 4, 3)
        );
        server.take(&change(State { log: log(3, &[]), ..State::default() }));
        assert_eq!((server.log.as_slice(), server.look().commit), ([].as_slice(), 3));
        server.take(&change(State { snapshot: Some((9, 3)), ..State::default() }));
        assert_eq!((server.look().last_index, server.log.len()), (9, 0));
        server.take(&Kind::Crashed { server: 1 });
        assert!(!server.look().is_up);
    }
}
