//! Phrases that several families of breaches use.

use history::Moment;

/// The end of a log: its last term, then its last index, in the order of "up to date".
pub type LogEnd = (u64, u64);

/// The time of a moment: `1.204 s`.
pub(crate) fn seconds(moment: Moment) -> String {
    format!("{:.3} s", moment.at.as_secs_f64())
}

/// Server numbers: `servers 0 and 2`.
pub(crate) fn servers(seen: &[(usize, Moment)]) -> String {
    let mut servers: Vec<usize> = seen.iter().map(|(server, _)| *server).collect();
    servers.sort_unstable();
    numbered(&servers)
}

/// Like [`servers`], for numbers in order.
pub(crate) fn numbered(servers: &[usize]) -> String {
    let words: Vec<String> = servers.iter().map(usize::to_string).collect();
    match &words[..] {
        [one] => format!("server {one}"),
        [most @ .., last] => format!("servers {} and {last}", most.join(", ")),
        [] => "no server".into(),
    }
}

/// The end of a log: `ended with index 2 of term 1`.
pub(crate) fn log_end((term, index): LogEnd) -> String {
    match index {
        0 => "was empty".to_owned(),
        _ => format!("ended with index {index} of term {term}"),
    }
}

/// An entry that a server shows as committed.
pub(crate) fn committed(index: u64, term: u64) -> String {
    format!("shows entry {index} of term {term} committed")
}

/// An entry that a server does not have.
pub(crate) fn lacks(index: u64, term: u64) -> String {
    format!("does not have entry {index} of term {term}")
}

/// A vote that was given.
pub(crate) fn has_voted(candidate: usize, term: u64) -> String {
    format!("has voted for server {candidate} in term {term}")
}
