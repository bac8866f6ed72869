//! The table of tests: names, points, and where each comes from.

use runner::{Part, Suite, Test};

use crate::{part_a, part_b, part_c, part_d, part_e};

/// Leader election and heartbeats.
pub const PART_A: Part =
    Part { name: "3A", title: "Leader election", edition: Some("2024"), counts: true };
/// The log.
pub const PART_B: Part = Part { name: "3B", title: "Log", ..PART_A };
/// Persistence.
pub const PART_C: Part = Part { name: "3C", title: "Persistence", ..PART_A };
/// Snapshots.
pub const PART_D: Part = Part { name: "3D", title: "Log compaction", ..PART_A };
/// The adversary: tests that the original does not have. Its points are extra points.
pub const PART_E: Part = Part { name: "3E", title: "Adversary", edition: None, counts: false };

/// The labs: every part and every test, in the original's order.
pub const LABS: Suite =
    Suite { name: "Raft labs", parts: &[PART_A, PART_B, PART_C, PART_D, PART_E], tests: TESTS };

const TESTS: &[Test] = &[
    Test {
        part: PART_A,
        words: "initial election",
        points: 4,
        original: Some("TestInitialElection3A"),
        purpose: "A leader is elected, and stays leader while nothing fails.",
        run: part_a::initial_election,
    },
    Test {
        part: PART_A,
        words: "re-election",
        points: 6,
        original: Some("TestReElection3A"),
        purpose: "A disconnected leader is replaced; its return changes nothing; without a \
                  majority no server leads.",
        run: part_a::re_election,
    },
    Test {
        part: PART_A,
        words: "many elections",
        points: 5,
        original: Some("TestManyElections3A"),
        purpose: "Nine times, the leader and two more of seven servers are disconnected; a leader \
                  is elected each time.",
        run: part_a::many_elections,
    },
    Test {
        part: PART_B,
        words: "basic agree",
        points: 3,
        original: Some("TestBasicAgree3B"),
        purpose: "Commands are committed one after the other, at the indices 1, 2 and 3.",
        run: part_b::basic_agree,
    },
    Test {
        part: PART_B,
        words: "rpc bytes",
        points: 2,
        original: Some("TestRPCBytes3B"),
        purpose: "Each command is sent to each server only once.",
        run: part_b::rpc_bytes,
    },
    Test {
        part: PART_B,
        words: "follower failure",
        points: 3,
        original: Some("TestFollowerFailure3B"),
        purpose: "Agreement continues without one of two followers, and stops without both.",
        run: part_b::follower_failure,
    },
    Test {
        part: PART_B,
        words: "leader failure",
        points: 3,
        original: Some("TestLeaderFailure3B"),
        purpose: "Agreement continues under a new leader, and stops when that one is disconnected, \
                  too.",
        run: part_b::leader_failure,
    },
    Test {
        part: PART_B,
        words: "fail agree",
        points: 3,
        original: Some("TestFailAgree3B"),
        purpose: "A follower that returns gets the entries that it missed, and takes part again.",
        run: part_b::fail_agree,
    },
    Test {
        part: PART_B,
        words: "fail no agree",
        points: 3,
        original: Some("TestFailNoAgree3B"),
        purpose: "Nothing is committed while three of five servers are disconnected; agreement \
                  continues when they return.",
        run: part_b::fail_no_agree,
    },
    Test {
        part: PART_B,
        words: "concurrent starts",
        points: 3,
        original: Some("TestConcurrentStarts3B"),
        purpose: "Five commands that come to the leader at the same time are all committed.",
        run: part_b::concurrent_starts,
    },
    Test {
        part: PART_B,
        words: "rejoin",
        points: 4,
        original: Some("TestRejoin3B"),
        purpose: "A disconnected leader loses the entries that only it has, and gets those that it \
                  missed.",
        run: part_b::rejoin,
    },
    Test {
        part: PART_B,
        words: "backup",
        points: 4,
        original: Some("TestBackup3B"),
        purpose: "A log with fifty wrong entries is repaired quickly.",
        run: part_b::backup,
    },
    Test {
        part: PART_B,
        words: "count",
        points: 2,
        original: Some("TestCount3B"),
        purpose: "Elections, agreement and idle time stay within their limits of RPCs.",
        run: part_b::count,
    },
    Test {
        part: PART_C,
        words: "persist 1",
        points: 3,
        original: Some("TestPersist13C"),
        purpose: "Agreement continues after all servers crash, then the leader, then a follower.",
        run: part_c::persist_1,
    },
    Test {
        part: PART_C,
        words: "persist 2",
        points: 4,
        original: Some("TestPersist23C"),
        purpose: "Agreement continues while three of five servers crash and restart one after the \
                  other.",
        run: part_c::persist_2,
    },
    Test {
        part: PART_C,
        words: "persist 3",
        points: 3,
        original: Some("TestPersist33C"),
        purpose: "A committed command survives when both servers that have it crash, and one \
                  returns to a server without it.",
        run: part_c::persist_3,
    },
    Test {
        part: PART_C,
        words: "figure 8",
        points: 4,
        original: Some("TestFigure83C"),
        purpose: "An entry of an older term is committed only through one of the current term \
                  (section 5.4.2), whichever servers crash.",
        run: part_c::figure_8,
    },
    Test {
        part: PART_C,
        words: "unreliable agree",
        points: 3,
        original: Some("TestUnreliableAgree3C"),
        purpose: "The commands of five clients are committed although a fifth of all calls fail.",
        run: part_c::unreliable_agree,
    },
    Test {
        part: PART_C,
        words: "figure 8 unreliable",
        points: 5,
        original: Some("TestFigure8Unreliable3C"),
        purpose: "Logs that differ become the same again on a network that loses, delays and \
                  reorders messages.",
        run: part_c::figure_8_unreliable,
    },
    Test {
        part: PART_C,
        words: "reliable churn",
        points: 4,
        original: Some("TestReliableChurn3C"),
        purpose: "Commands that three clients saw committed are in every log after crashes and \
                  disconnects.",
        run: part_c::reliable_churn,
    },
    Test {
        part: PART_C,
        words: "unreliable churn",
        points: 4,
        original: Some("TestUnreliableChurn3C"),
        purpose: "Commands that three clients saw committed are in every log after crashes and \
                  disconnects on an unreliable network.",
        run: part_c::unreliable_churn,
    },
    Test {
        part: PART_D,
        words: "snapshot basic",
        points: 3,
        original: Some("TestSnapshotBasic3D"),
        purpose: "Logs stay short when the lab makes snapshots.",
        run: part_d::snapshot_basic,
    },
    Test {
        part: PART_D,
        words: "snapshot install",
        points: 3,
        original: Some("TestSnapshotInstall3D"),
        purpose: "A server that was disconnected catches up by a snapshot.",
        run: part_d::snapshot_install,
    },
    Test {
        part: PART_D,
        words: "snapshot install unreliable",
        points: 4,
        original: Some("TestSnapshotInstallUnreliable3D"),
        purpose: "A server that was disconnected catches up by a snapshot, on an unreliable \
                  network.",
        run: part_d::snapshot_install_unreliable,
    },
    Test {
        part: PART_D,
        words: "snapshot install crash",
        points: 4,
        original: Some("TestSnapshotInstallCrash3D"),
        purpose: "A server that crashed restarts from its snapshot, and catches up by a newer one.",
        run: part_d::snapshot_install_crash,
    },
    Test {
        part: PART_D,
        words: "snapshot install unreliable crash",
        points: 4,
        original: Some("TestSnapshotInstallUnCrash3D"),
        purpose: "A server that crashed catches up by a snapshot, on an unreliable network.",
        run: part_d::snapshot_install_unreliable_crash,
    },
    Test {
        part: PART_D,
        words: "snapshot all crash",
        points: 4,
        original: Some("TestSnapshotAllCrash3D"),
        purpose: "After all servers crash, agreement continues from where it was.",
        run: part_d::snapshot_all_crash,
    },
    Test {
        part: PART_D,
        words: "snapshot init",
        points: 3,
        original: Some("TestSnapshotInit3D"),
        purpose: "A server that restarted from its snapshot still has it after another crash.",
        run: part_d::snapshot_init,
    },
    Test {
        part: PART_E,
        words: "deaf leader",
        points: 1,
        original: None,
        purpose: "A leader that receives only replies learns of a newer term from them.",
        run: part_e::deaf_leader,
    },
    Test {
        part: PART_E,
        words: "swarm of three",
        points: 2,
        original: None,
        purpose: "Under all faults together, three servers lose nothing committed, and recover.",
        run: part_e::swarm::swarm_of_three,
    },
    Test {
        part: PART_E,
        words: "swarm of five",
        points: 2,
        original: None,
        purpose: "Under all faults together, five servers lose nothing committed, and recover.",
        run: part_e::swarm::swarm_of_five,
    },
    Test {
        part: PART_E,
        words: "swarm of seven",
        points: 2,
        original: None,
        purpose: "Under all faults together, seven servers lose nothing committed, and recover.",
        run: part_e::swarm::swarm_of_seven,
    },
    Test {
        part: PART_E,
        words: "even and tiny clusters",
        points: 1,
        original: None,
        purpose: "Clusters of one, two, four and six servers recover from all faults: a majority \
                  is more than half.",
        run: part_e::swarm::even_and_tiny_clusters,
    },
    Test {
        part: PART_E,
        words: "partitions",
        points: 2,
        original: None,
        purpose: "After halves, bridges, rings, one-way cuts and flapping links the servers agree \
                  again.",
        run: part_e::swarm::partitions,
    },
    Test {
        part: PART_E,
        words: "messages",
        points: 2,
        original: None,
        purpose: "Loss, delay, reordering and duplicates of each kind of message break no rule.",
        run: part_e::swarm::messages,
    },
    Test {
        part: PART_E,
        words: "crashes",
        points: 2,
        original: None,
        purpose: "Servers that crash between any two saves forget nothing: the leader, one of \
                  them, or all.",
        run: part_e::swarm::crashes,
    },
    Test {
        part: PART_E,
        words: "clocks and pauses",
        points: 2,
        original: None,
        purpose: "Clocks at half or twice the rate, and paused servers, break no rule.",
        run: part_e::swarm::clocks_and_pauses,
    },
    Test {
        part: PART_E,
        words: "client storms",
        points: 1,
        original: None,
        purpose: "Commands that four fast clients saw committed stay committed.",
        run: part_e::storms::client_storms,
    },
    Test {
        part: PART_E,
        words: "one vote a term",
        points: 1,
        original: None,
        purpose: "A server votes for one candidate in a term, also after it becomes a follower \
                  (section 5.2).",
        run: part_e::votes::one_vote_a_term,
    },
    Test {
        part: PART_E,
        words: "forgotten vote",
        points: 2,
        original: None,
        purpose: "A vote survives a crash of the voter (section 5.2).",
        run: part_e::votes::forgotten_vote,
    },
    Test {
        part: PART_E,
        words: "forgotten candidacy",
        points: 1,
        original: None,
        purpose: "A candidate's vote for itself survives its crash (section 5.2).",
        run: part_e::votes::forgotten_candidacy,
    },
    Test {
        part: PART_E,
        words: "late votes",
        points: 1,
        original: None,
        purpose: "Votes for an old election do not count in the next one (section 5.2).",
        run: part_e::votes::late_votes,
    },
    Test {
        part: PART_E,
        words: "lost votes",
        points: 1,
        original: None,
        purpose: "A leader is elected although most votes are lost and requests are sent twice.",
        run: part_e::votes::lost_votes,
    },
    Test {
        part: PART_E,
        words: "stale candidate",
        points: 2,
        original: None,
        purpose: "A candidate that lacks a committed entry loses, even with a longer log \
                  (section 5.4.1).",
        run: part_e::votes::stale_candidate,
    },
    Test {
        part: PART_E,
        words: "figure 8 staged",
        points: 2,
        original: None,
        purpose: "An old entry on a majority is not committed by counting: Figure 8, step by step.",
        run: part_e::figures::figure_8_staged,
    },
    Test {
        part: PART_E,
        words: "figure 7 logs",
        points: 1,
        original: None,
        purpose: "Logs that lack entries or have extra ones become the same: Figure 7.",
        run: part_e::figures::figure_7_logs,
    },
    Test {
        part: PART_E,
        words: "stale entries",
        points: 1,
        original: None,
        purpose: "An old AppendEntries removes no entry that a newer one brought (section 5.3).",
        run: part_e::late::stale_entries,
    },
    Test {
        part: PART_E,
        words: "overtaken messages",
        points: 1,
        original: None,
        purpose: "Messages that arrive after newer ones break no rule.",
        run: part_e::late::overtaken_messages,
    },
    Test {
        part: PART_E,
        words: "late acknowledgement",
        points: 2,
        original: None,
        purpose: "A reply acknowledges the entries of its request, and no more (section 5.3).",
        run: part_e::late::late_acknowledgement,
    },
    Test {
        part: PART_E,
        words: "late answers",
        points: 1,
        original: None,
        purpose: "Replies to the leader of an old term do not count when it leads again \
                  (section 5.3).",
        run: part_e::again::late_answers,
    },
    Test {
        part: PART_E,
        words: "led before",
        points: 1,
        original: None,
        purpose: "A leader that is elected again starts with new match_index and next_index \
                  (section 5.3).",
        run: part_e::again::led_before,
    },
    Test {
        part: PART_E,
        words: "overwritten tail",
        points: 1,
        original: None,
        purpose: "Entries that overwrite the same number of others survive a crash, and count in a \
                  later vote (section 5.4.1).",
        run: part_e::tails::overwritten_tail,
    },
    Test {
        part: PART_E,
        words: "silent leader",
        points: 1,
        original: None,
        purpose: "A leader that sent nothing still has the entries that it had acknowledged before \
                  (section 5.3).",
        run: part_e::tails::silent_leader,
    },
    Test {
        part: PART_E,
        words: "entries after the vote",
        points: 1,
        original: None,
        purpose: "A server that voted in a newer term refuses entries of the old leader \
                  (section 5.1).",
        run: part_e::tails::entries_after_the_vote,
    },
    Test {
        part: PART_E,
        words: "old snapshot",
        points: 1,
        original: None,
        purpose: "An old InstallSnapshot removes no entry, and deposes no leader (section 7).",
        run: part_e::overtaken::old_snapshot,
    },
    Test {
        part: PART_E,
        words: "overtaken snapshot",
        points: 1,
        original: None,
        purpose: "A snapshot removes no entry after its last index (section 7).",
        run: part_e::overtaken::overtaken_snapshot,
    },
    Test {
        part: PART_E,
        words: "entries before a snapshot",
        points: 1,
        original: None,
        purpose: "Entries that a snapshot covers change nothing when they arrive after it \
                  (section 7).",
        run: part_e::compaction::entries_before_a_snapshot,
    },
    Test {
        part: PART_E,
        words: "logs after a snapshot",
        points: 1,
        original: None,
        purpose: "A log that begins with a snapshot keeps the rules of a whole log (section 7).",
        run: part_e::compaction::logs_after_a_snapshot,
    },
    Test {
        part: PART_E,
        words: "crash at every save",
        points: 2,
        original: None,
        purpose: "A server that crashes at any save forgets nothing that it has sent to others.",
        run: part_e::moments::crash_at_every_save,
    },
    Test {
        part: PART_E,
        words: "woken leader",
        points: 1,
        original: None,
        purpose: "An old leader that was paused commits nothing when it resumes.",
        run: part_e::moments::woken_leader,
    },
    Test {
        part: PART_E,
        words: "giving way",
        points: 1,
        original: None,
        purpose: "A candidate steps down when it hears from the leader of its term (section 5.2).",
        run: part_e::giving_way::giving_way,
    },
    Test {
        part: PART_E,
        words: "late rival",
        points: 1,
        original: None,
        purpose: "A candidate does not depose the leader of its own term, and does not get its \
                  vote (section 5.2).",
        run: part_e::leaders::late_rival,
    },
    Test {
        part: PART_E,
        words: "forgotten term",
        points: 1,
        original: None,
        purpose: "A term that was learned from a reply survives a crash.",
        run: part_e::leaders::forgotten_term,
    },
    Test {
        part: PART_E,
        words: "close calls",
        points: 1,
        original: None,
        purpose: "Votes, newer terms and calls of the lab at the same instant break no rule \
                  (section 5.2).",
        run: part_e::leaders::close_calls,
    },
    Test {
        part: PART_E,
        words: "alone",
        points: 1,
        original: None,
        purpose: "A cluster of one server applies nothing before it is saved.",
        run: part_e::moments::alone,
    },
    Test {
        part: PART_E,
        words: "slow links",
        points: 0,
        original: None,
        purpose: "Commands that come faster than replies are committed; entries sent too often are \
                  a finding.",
        run: part_e::thrift::slow_links,
    },
    Test {
        part: PART_E,
        words: "large commands",
        points: 1,
        original: None,
        purpose: "A command of 1.2 MB is sent, and a log that takes several messages is repaired \
                  (section 5.3).",
        run: part_e::tails::large_commands,
    },
    Test {
        part: PART_E,
        words: "catching up",
        points: 0,
        original: None,
        purpose: "Servers that were disconnected catch up; needless messages are a finding.",
        run: part_e::catching_up::catching_up,
    },
    Test {
        part: PART_E,
        words: "peace",
        points: 0,
        original: None,
        purpose: "An idle cluster stays idle; activity is a finding.",
        run: part_e::thrift::peace,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use runner::Table;

    use super::*;

    #[test]
    fn names_are_unique_and_the_parts_have_the_tests_and_points_of_the_lab() {
        let table = Table::new(&[LABS]).unwrap();
        let originals: BTreeSet<&str> =
            table.tests().iter().filter_map(|test| test.original).collect();
        assert_eq!(originals.len(), 28);
        let number = |part| LABS.parts.iter().position(|other| *other == part);
        assert!(LABS.tests.is_sorted_by_key(|test| number(test.part)));
        let sums = [PART_A, PART_B, PART_C, PART_D, PART_E].map(|part| {
            let tests = LABS.tests.iter().filter(|test| test.part == part);
            let points: Vec<u32> = tests.map(|test| test.points).collect();
            (points.len(), points.iter().sum())
        });
        assert_eq!(sums, [(3, 15), (10, 30), (8, 30), (7, 25), (41, 50)]);
    }

    #[test]
    fn a_test_has_an_original_if_its_part_has_an_edition() {
        for test in LABS.tests {
            assert_eq!(test.original.is_some(), test.part.edition.is_some(), "{}", test.name());
        }
    }
}
