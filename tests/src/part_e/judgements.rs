//! The limits above which a cost is reported as a finding.
//!
//! Each limit is several times what the reference needs, and its comment says what other
//! implementations need.

use std::time::Duration;

use config::FindingKind;

/// The kind of a finding and its sentence; none within the limit.
pub(crate) type Finding = Option<(FindingKind, String)>;

/// Without delays a command is committed within two round trips. One that waits for a heartbeat
/// takes 50 ms on average.
const AGREEMENT_MS_MAX: u128 = 25;
/// Calls to each follower in a second; the lab wants about ten heartbeats.
const IDLE_CALLS_MAX: u64 = 40;
/// Bytes of each such call, with its reply; an empty AppendEntries has about fifty.
const IDLE_CALL_BYTES_MAX: u64 = 500;
/// Threads of one server while another is away for some seconds.
const THREADS_MAX: usize = 60;
/// The number of times that each follower may get an entry while answers are slow. Streaming needs
/// one; a leader that sends everything unacknowledged with every heartbeat needs two or three, and
/// one that does so with every command needs ten.
const COPIES_MAX: u64 = 5;
/// Calls to a server until it has its leader's log, whatever it lacked: a refusal, the entries, and
/// maybe a commit index and a heartbeat. A leader that goes back entry by entry needs thirty.
const ROUNDS_MAX: u64 = 8;
/// How often a snapshot is sent while the first is on its way, five heartbeats long.
const SNAPSHOT_COPIES_MAX: usize = 3;
/// This many needless elections among those tried are no coincidence.
const HASTY_MIN: usize = 2;

/// Judges how long each command took to be applied, in ms; there is at least one.
pub(crate) fn agreement(took_ms: &[u128]) -> Finding {
    let mean = took_ms.iter().sum::<u128>() / took_ms.len() as u128;
    (mean > AGREEMENT_MS_MAX).then(|| {
        let sentence = format!(
            "on a network without delays a command takes {mean} ms on average: does it wait for a \
             heartbeat?"
        );
        (FindingKind::SlowAgreement, sentence)
    })
}

/// Judges the number of calls to these followers during an idle time.
pub(crate) fn idle_calls(rpcs: u64, followers: u64, time: Duration) -> Finding {
    let rate = rpcs / followers / time.as_secs();
    (rate > IDLE_CALLS_MAX).then(|| {
        let sentence = format!("each follower gets {rate} empty RPCs a second");
        (FindingKind::IdleCalls, sentence)
    })
}

/// Judges the bytes of these calls, with their replies.
pub(crate) fn idle_bytes(bytes: u64, rpcs: u64) -> Finding {
    (bytes > rpcs * IDLE_CALL_BYTES_MAX).then(|| {
        let sentence = format!("{bytes} bytes in {rpcs} calls, while there was nothing to send");
        (FindingKind::NeedlessBytes, sentence)
    })
}

/// Judges the terms before and after an idle time.
pub(crate) fn idle_terms(before: u64, after: u64) -> Finding {
    (before != after).then(|| {
        let sentence =
            format!("the term went from {before} to {after} although nothing had failed");
        (FindingKind::NeedlessElections, sentence)
    })
}

/// Judges a thread by the number of looks in which it could run during an idle time. A thread that
/// waits or sleeps cannot run in any.
pub(crate) fn idle_thread(name: &str, busy: usize, looks: usize) -> Finding {
    (busy * 2 > looks).then(|| {
        let sentence = format!(
            "{name} was running at {busy} of {looks} checks while it had nothing to do: does it \
             poll?"
        );
        (FindingKind::BusyLoop, sentence)
    })
}

/// Judges the bytes of one election, given the bytes in the log of each server.
pub(crate) fn election_bytes(bytes: u64, log: usize) -> Finding {
    (bytes > log as u64).then(|| {
        let sentence = format!(
            "{bytes} bytes for one election, although all servers had the same log before it"
        );
        (FindingKind::NeedlessBytes, sentence)
    })
}

/// Judges the bytes that were sent while commands came to a leader faster than answers.
pub(crate) fn entries_bytes(bytes: u64, followers: u64, commands: usize) -> Finding {
    let most = COPIES_MAX * followers * commands as u64;
    (bytes > most).then(|| {
        let sentence = format!(
            "{bytes} bytes were sent for {commands} bytes of commands that came faster than \
             replies; the limit is {most}: does a leader resend entries that are still in flight?"
        );
        (FindingKind::NeedlessBytes, sentence)
    })
}

/// Judges the calls to a server until it has its leader's log; `lacking` says what was wrong.
pub(crate) fn rounds(server: usize, lacking: &str, calls: u64) -> Finding {
    (calls > ROUNDS_MAX).then(|| {
        let sentence = format!(
            "server {server}, which {lacking}, was called {calls} times until it had its leader's \
             log: does a leader move next_index one entry at a time?"
        );
        (FindingKind::ManyRounds, sentence)
    })
}

/// Judges the bytes of these calls, given the bytes in the log that all servers share: a part of
/// that is more than the server lacked.
pub(crate) fn repair_bytes(server: usize, lacking: &str, bytes: u64, shared: usize) -> Finding {
    (bytes * 2 > shared as u64).then(|| {
        let sentence = format!(
            "{bytes} bytes were sent to repair the log of server {server}, which {lacking}: does a \
             leader move next_index back too far?"
        );
        (FindingKind::NeedlessBytes, sentence)
    })
}

/// Judges how often a snapshot was sent while the first message with one was on its way.
pub(crate) fn snapshot_copies(copies: usize, time: Duration) -> Finding {
    (copies > SNAPSHOT_COPIES_MAX).then(|| {
        let sentence = format!(
            "a snapshot was sent {copies} times to one server within {} ms, before the first \
             arrived",
            time.as_millis()
        );
        (FindingKind::NeedlessBytes, sentence)
    })
}

/// Judges the number of threads of one server while another was away for some time.
pub(crate) fn threads(server: usize, count: usize, absence: Duration) -> Finding {
    (count > THREADS_MAX).then(|| {
        let seconds = absence.as_secs();
        let sentence = format!(
            "server {server} has {count} threads while another was disconnected for {seconds} s"
        );
        (FindingKind::ManyThreads, sentence)
    })
}

/// Judges how often a server voted and stood again within `limit_ms`; one server for each time.
pub(crate) fn hasty_voters(hasty: &[usize], elections: usize, limit_ms: u128) -> Finding {
    (hasty.len() >= HASTY_MIN).then(|| {
        let sentence = format!(
            "in {} of {elections} elections a server voted for another and stood against it less \
             than {limit_ms} ms later, server {} first: does granting a vote reset the election \
             timer?",
            hasty.len(),
            hasty[0]
        );
        (FindingKind::NeedlessElections, sentence)
    })
}

/// Judges how often a leader was deposed when a follower restarted.
pub(crate) fn hasty_restarts(deposed: usize, restarts: usize) -> Finding {
    (deposed >= HASTY_MIN).then(|| {
        let sentence = format!(
            "{deposed} of {restarts} times a follower restarted in a healthy cluster, an election \
             followed: does a server start with a fresh election timer?"
        );
        (FindingKind::NeedlessElections, sentence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_SECONDS: Duration = Duration::from_secs(2);

    #[test]
    fn costs_within_their_limits_are_not_reported() {
        let silent = [
            agreement(&[0, 10, 65]),
            idle_calls(161, 2, TWO_SECONDS),
            idle_bytes(20_000, 40),
            idle_terms(3, 3),
            idle_thread("server 1's thread `ticker`", 10, 20),
            election_bytes(40_000, 40_000),
            entries_bytes(400_000, 2, 40_000),
            rounds(2, "lacked 30 entries", 8),
            repair_bytes(2, "lacked 30 entries", 20_000, 40_000),
            snapshot_copies(3, TWO_SECONDS),
            threads(2, 60, TWO_SECONDS),
            hasty_voters(&[1], 7, 120),
            hasty_restarts(1, 5),
        ];
        assert!(silent.iter().all(Option::is_none), "{silent:?}");
    }

    #[test]
    fn costs_above_their_limits_are_reported() {
        let findings = [
            agreement(&[0, 10, 68]),
            idle_calls(164, 2, TWO_SECONDS),
            idle_bytes(20_001, 40),
            idle_terms(3, 4),
            idle_thread("server 1's thread `ticker`", 11, 20),
            election_bytes(40_001, 40_000),
            entries_bytes(400_001, 2, 40_000),
            rounds(2, "lacked 30 entries", 9),
            repair_bytes(2, "lacked 30 entries", 20_001, 40_000),
            snapshot_copies(4, TWO_SECONDS),
            threads(2, 61, TWO_SECONDS),
            hasty_voters(&[1, 0], 7, 120),
            hasty_restarts(2, 5),
        ];
        let lines: Vec<String> = findings
            .into_iter()
            .map(|finding| {
                let (kind, sentence) = finding.expect("it is above its limit");
                format!("{kind}: {sentence}")
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
