//! The kind of a Raft's RPC, guessed from its name.

use labrpc::network::Messages;

use crate::config::Config;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Elections: `RequestVote`.
    Votes,
    /// Replication, heartbeats included: `AppendEntries`.
    Entries,
    /// `InstallSnapshot`.
    Snapshots,
}

impl Kind {
    /// Guesses from the name, because an implementation can choose the names of its RPCs freely.
    fn matches_name(self, name: &str) -> bool {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        match self {
            Kind::Votes => has(&["vote", "elect", "poll"]),
            Kind::Snapshots => has(&["snap", "install"]),
            Kind::Entries => has(&["append", "entr", "heart", "replic"]) && !has(&["snap", "vote"]),
        }
    }
}

impl Kind {
    /// Requests of this kind, whatever name the implementation gives them.
    pub fn requests(self) -> Messages {
        Messages::requests().whose_kind(self.as_test())
    }

    /// Replies to requests of this kind.
    pub fn replies(self) -> Messages {
        Messages::replies().whose_kind(self.as_test())
    }

    fn as_test(self) -> fn(&str) -> bool {
        match self {
            Kind::Votes => |name| Kind::Votes.matches_name(name),
            Kind::Entries => |name| Kind::Entries.matches_name(name),
            Kind::Snapshots => |name| Kind::Snapshots.matches_name(name),
        }
    }
}

impl Config {
    /// The names of the RPCs of this kind that were called so far. Empty if no name fits.
    pub fn names_of(&self, kind: Kind) -> Vec<String> {
        let methods = self.network().methods();
        let names = methods.iter().map(|method| method.rsplit('.').next().unwrap_or(method));
        names.filter(|name| kind.matches_name(name)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_guessed_from_the_name_of_the_rpc() {
        let told = |name| {
            let kinds = [Kind::Votes, Kind::Entries, Kind::Snapshots];
            kinds.into_iter().filter(|kind| kind.matches_name(name)).collect::<Vec<_>>()
        };
        for name in ["RequestVote", "PreVote", "HandleElection"] {
            assert_eq!(told(name), [Kind::Votes], "{name}");
        }
        for name in ["AppendEntries", "heartbeat", "Replicate"] {
            assert_eq!(told(name), [Kind::Entries], "{name}");
        }
        assert_eq!(told("InstallSnapshot"), [Kind::Snapshots]);
        assert_eq!(told("Echo"), []);
    }
}
