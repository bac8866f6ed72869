//! All words of the language. The parser, the help and docs/questions.md have them from here.

mod word;
mod of_servers;
mod of_events;
mod joining;

use self::joining::{JOINING, ORDER, OTHERS, SERVERS};
use self::of_events::{EVENTS, OF_AN_EVENT};
use self::of_servers::{OF_A_SERVER, STATES};
use self::word::Word;
use super::meaning::Meaning;

/// The first word is the one of the table; the second means the same.
const ALSO: [(&str, &str); 7] = [
    ("term", "current_term"),
    ("commit_index", "commit"),
    ("last_log_index", "last_index"),
    ("last_log_term", "last_term"),
    ("snapshot_index", "last_included_index"),
    ("snapshot_term", "last_included_term"),
    ("none", "null"),
];

/// What a single word means.
pub(super) fn meaning(word: &str) -> Option<Meaning> {
    let word = ALSO.iter().find(|(_, also)| *also == word).map_or(word, |(name, _)| name);
    // Words that belong together begin with the one that decides.
    let is_it = |it: &&Word| it.name.split(' ').next() == Some(word);
    words().find(is_it).map(|word| word.meaning)
}

/// The words of a group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    /// What is common to them.
    pub(super) about: &'static str,
    pub(super) words: &'static [Word],
}

pub(super) fn words() -> impl Iterator<Item = &'static Word> {
    GROUPS.iter().flat_map(|group| group.words)
}

pub(super) const GROUPS: &[Group] = &[
    Group {
        title: "States",
        about: "A state holds for a while. A server that is down has none but `down`.",
        words: STATES,
    },
    Group {
        title: "Events",
        about: "An event happens at one moment, most of them to one server.",
        words: EVENTS,
    },
    Group {
        title: "Values of a server",
        about: "The state after the event, as the server shows it.",
        words: OF_A_SERVER,
    },
    Group {
        title: "Values of an event",
        about: "Only some events have them. The server is the one that the event happens to.",
        words: OF_AN_EVENT,
    },
    Group { title: "Other values", about: "They are the same for all servers.", words: OTHERS },
    Group {
        title: "Joining words",
        about: "`not` binds first, then `and`, then `or`. Use brackets for another order.",
        words: JOINING,
    },
    Group {
        title: "Order",
        about: "An earlier or later event, of any server. The search ends where the test makes \
                another cluster.",
        words: ORDER,
    },
    Group {
        title: "Other servers",
        about: "In the brackets, the words are about one server after another, at the same event.",
        words: SERVERS,
    },
];
