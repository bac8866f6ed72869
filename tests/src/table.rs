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
/// The adversary: what the original does not try. Its points are extra points.
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
        purpose: "A leader is elected, and stays while nothing fails.",
        run: part_a::initial_election,
    },
    Test {
        part: PART_A,
        words: "re-election",
        points: 6,
        original: Some("TestReElection3A"),
        purpose: "A leader that is cut off is replaced, its return changes nothing, and without a \
                  majority nobody leads.",
        run: part_a::re_election,
    },
    Test {
        part: PART_A,
        words: "many elections",
        points: 5,
        original: Some("TestManyElections3A"),
        purpose: "Nine times the leader and two more of seven servers are cut off.",
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
        purpose: "Each command travels to each server once.",
        run: part_b::rpc_bytes,
    },
    Test {
        part: PART_B,
        words: "follower failure",
        points: 3,
        original: Some("TestFollowerFailure3B"),
        purpose: "Agreement goes on without one follower of two, and stops without both.",
        run: part_b::follower_failure,
    },
    Test {
        part: PART_B,
        words: "leader failure",
        points: 3,
        original: Some("TestLeaderFailure3B"),
        purpose: "Agreement goes on under a new leader, and stops when that is cut off, too.",
        run: part_b::leader_failure,
    },
    Test {
        part: PART_B,
        words: "fail agree",
        points: 3,
        original: Some("TestFailAgree3B"),
        purpose: "A follower that comes back gets what it missed, and takes part again.",
        run: part_b::fail_agree,
    },
    Test {
        part: PART_B,
        words: "fail no agree",
        points: 3,
        original: Some("TestFailNoAgree3B"),
        purpose: "Nothing is committed while three of five servers are away, and all is well when \
                  they are back.",
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
        purpose: "A leader that was cut off loses the entries that only it had, and gets those \
                  that it missed.",
        run: part_b::rejoin,
    },
    Test {
        part: PART_B,
        words: "backup",
        points: 4,
        original: Some("TestBackup3B"),
        purpose: "A log with fifty wrong entries is put right in the time of one agreement.",
        run: part_b::backup,
    },
    Test {
        part: PART_B,
        words: "count",
        points: 2,
        original: Some("TestCount3B"),
        purpose: "Elections, agreement and idleness cost no more RPCs than they need.",
        run: part_b::count,
    },
    Test {
        part: PART_C,
        words: "persist 1",
        points: 3,
        original: Some("TestPersist13C"),
        purpose: "Agreement goes on after all servers have crashed, then the leader, then a \
                  follower.",
        run: part_c::persist_1,
    },
    Test {
        part: PART_C,
        words: "persist 2",
        points: 4,
        original: Some("TestPersist23C"),
        purpose: "Agreement goes on while majorities of five crash and come back one by one.",
        run: part_c::persist_2,
    },
    Test {
        part: PART_C,
        words: "persist 3",
        points: 3,
        original: Some("TestPersist33C"),
        purpose: "A committed command is kept when both servers that have it crash and one comes \
                  back to one that has not.",
        run: part_c::persist_3,
    },
    Test {
        part: PART_C,
        words: "figure 8",
        points: 4,
        original: Some("TestFigure83C"),
        purpose: "An entry of an older term is committed only through one of the present term \
                  (5.4.2), whoever crashes.",
        run: part_c::figure_8,
    },
    Test {
        part: PART_C,
        words: "unreliable agree",
        points: 3,
        original: Some("TestUnreliableAgree3C"),
        purpose: "Five clients at once get their commands agreed on although a fifth of all calls \
                  fail.",
        run: part_c::unreliable_agree,
    },
    Test {
        part: PART_C,
        words: "figure 8 unreliable",
        points: 5,
        original: Some("TestFigure8Unreliable3C"),
        purpose: "Logs that differ widely become one again on a network that loses, delays and \
                  reorders.",
        run: part_c::figure_8_unreliable,
    },
    Test {
        part: PART_C,
        words: "reliable churn",
        points: 4,
        original: Some("TestReliableChurn3C"),
        purpose: "What three clients saw committed is in every log, after servers crashed and \
                  were cut off.",
        run: part_c::reliable_churn,
    },
    Test {
        part: PART_C,
        words: "unreliable churn",
        points: 4,
        original: Some("TestUnreliableChurn3C"),
        purpose: "What three clients saw committed is in every log, after trouble on a network \
                  that loses.",
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
        purpose: "A server that was cut off gets what it missed in a snapshot.",
        run: part_d::snapshot_install,
    },
    Test {
        part: PART_D,
        words: "snapshot install unreliable",
        points: 4,
        original: Some("TestSnapshotInstallUnreliable3D"),
        purpose: "A server that was cut off gets what it missed in a snapshot, on a network that \
                  loses.",
        run: part_d::snapshot_install_unreliable,
    },
    Test {
        part: PART_D,
        words: "snapshot install crash",
        points: 4,
        original: Some("TestSnapshotInstallCrash3D"),
        purpose: "A server that crashed starts from its snapshot, and gets what it missed in \
                  another.",
        run: part_d::snapshot_install_crash,
    },
    Test {
        part: PART_D,
        words: "snapshot install unreliable crash",
        points: 4,
        original: Some("TestSnapshotInstallUnCrash3D"),
        purpose: "A server that crashed gets what it missed in a snapshot, on a network that \
                  loses.",
        run: part_d::snapshot_install_unreliable_crash,
    },
    Test {
        part: PART_D,
        words: "snapshot all crash",
        points: 4,
        original: Some("TestSnapshotAllCrash3D"),
        purpose: "After all servers have crashed, agreement goes on from where it was.",
        run: part_d::snapshot_all_crash,
    },
    Test {
        part: PART_D,
        words: "snapshot init",
        points: 3,
        original: Some("TestSnapshotInit3D"),
        purpose: "A server that has started from its snapshot still has it when it crashes again.",
        run: part_d::snapshot_init,
    },
    Test {
        part: PART_E,
        words: "deaf leader",
        points: 1,
        original: None,
        purpose: "A leader that hears nothing but answers learns of a newer term from them.",
        run: part_e::deaf_leader,
    },
    Test {
        part: PART_E,
        words: "swarm of three",
        points: 2,
        original: None,
        purpose: "Whatever goes wrong, nothing committed is lost, and three servers recover.",
        run: part_e::swarm::swarm_of_three,
    },
    Test {
        part: PART_E,
        words: "swarm of five",
        points: 2,
        original: None,
        purpose: "Whatever goes wrong, nothing committed is lost, and five servers recover.",
        run: part_e::swarm::swarm_of_five,
    },
    Test {
        part: PART_E,
        words: "swarm of seven",
        points: 2,
        original: None,
        purpose: "Whatever goes wrong, nothing committed is lost, and seven servers recover.",
        run: part_e::swarm::swarm_of_seven,
    },
    Test {
        part: PART_E,
        words: "even and tiny clusters",
        points: 1,
        original: None,
        purpose: "The same with two, four, six servers and one: a majority is more than half.",
        run: part_e::swarm::even_and_tiny_clusters,
    },
    Test {
        part: PART_E,
        words: "partitions",
        points: 2,
        original: None,
        purpose: "Halves, bridges, rings, one-way cuts and flapping links divide nobody for ever.",
        run: part_e::swarm::partitions,
    },
    Test {
        part: PART_E,
        words: "messages",
        points: 2,
        original: None,
        purpose: "Loss, delay, reordering and duplicates of any kind of message break no rule.",
        run: part_e::swarm::messages,
    },
    Test {
        part: PART_E,
        words: "crashes",
        points: 2,
        original: None,
        purpose: "Servers crash between any two saves, the leader, one or all, and forget nothing.",
        run: part_e::swarm::crashes,
    },
    Test {
        part: PART_E,
        words: "clocks and pauses",
        points: 2,
        original: None,
        purpose: "Clocks that run at half or twice the rate and stopped servers break no rule.",
        run: part_e::swarm::clocks_and_pauses,
    },
    Test {
        part: PART_E,
        words: "client storms",
        points: 1,
        original: None,
        purpose: "What one of four clients saw committed stays so, however fast they ask.",
        run: part_e::storms::client_storms,
    },
    Test {
        part: PART_E,
        words: "one vote a term",
        points: 1,
        original: None,
        purpose: "Who has voted refuses another candidate of the term, also as a follower (5.2).",
        run: part_e::votes::one_vote_a_term,
    },
    Test {
        part: PART_E,
        words: "forgotten vote",
        points: 2,
        original: None,
        purpose: "A vote survives a crash of the voter (5.2).",
        run: part_e::votes::forgotten_vote,
    },
    Test {
        part: PART_E,
        words: "forgotten candidacy",
        points: 1,
        original: None,
        purpose: "A candidate's vote for itself survives its crash (5.2).",
        run: part_e::votes::forgotten_candidacy,
    },
    Test {
        part: PART_E,
        words: "late votes",
        points: 1,
        original: None,
        purpose: "Votes for an old election do not count in the next one (5.2).",
        run: part_e::votes::late_votes,
    },
    Test {
        part: PART_E,
        words: "lost votes",
        points: 1,
        original: None,
        purpose: "Elections come to an end although most votes are lost and asked for twice.",
        run: part_e::votes::lost_votes,
    },
    Test {
        part: PART_E,
        words: "stale candidate",
        points: 2,
        original: None,
        purpose: "Who lacks a committed entry is not elected, however long its log is (5.4.1).",
        run: part_e::votes::stale_candidate,
    },
    Test {
        part: PART_E,
        words: "figure 8 staged",
        points: 2,
        original: None,
        purpose: "An old entry on a majority is not committed by that, in the paper's very steps.",
        run: part_e::figures::figure_8_staged,
    },
    Test {
        part: PART_E,
        words: "figure 7 logs",
        points: 1,
        original: None,
        purpose: "Logs that lack entries, have too many, or both, become one.",
        run: part_e::figures::figure_7_logs,
    },
    Test {
        part: PART_E,
        words: "stale entries",
        points: 1,
        original: None,
        purpose: "An old AppendEntries takes back nothing that a newer one brought (5.3).",
        run: part_e::late::stale_entries,
    },
    Test {
        part: PART_E,
        words: "overtaken messages",
        points: 1,
        original: None,
        purpose: "Messages that newer ones have overtaken break no rule.",
        run: part_e::late::overtaken_messages,
    },
    Test {
        part: PART_E,
        words: "late acknowledgement",
        points: 2,
        original: None,
        purpose: "An answer acknowledges what its request brought, and no more (5.3).",
        run: part_e::late::late_acknowledgement,
    },
    Test {
        part: PART_E,
        words: "late answers",
        points: 1,
        original: None,
        purpose: "Answers to the leader of an old term say nothing when it leads again (5.3).",
        run: part_e::again::late_answers,
    },
    Test {
        part: PART_E,
        words: "led before",
        points: 1,
        original: None,
        purpose: "What a leader knew of a follower is forgotten when it leads again (5.3).",
        run: part_e::again::led_before,
    },
    Test {
        part: PART_E,
        words: "overwritten tail",
        points: 1,
        original: None,
        purpose: "Entries that replace as many others outlive a crash, and a later vote (5.4.1).",
        run: part_e::tails::overwritten_tail,
    },
    Test {
        part: PART_E,
        words: "silent leader",
        points: 1,
        original: None,
        purpose: "Who led without a word still has what it had acknowledged before (5.3).",
        run: part_e::tails::silent_leader,
    },
    Test {
        part: PART_E,
        words: "entries after the vote",
        points: 1,
        original: None,
        purpose: "Who has voted in a newer term refuses the entries of the old leader (5.1).",
        run: part_e::tails::entries_after_the_vote,
    },
    Test {
        part: PART_E,
        words: "old snapshot",
        points: 1,
        original: None,
        purpose: "An old InstallSnapshot takes back nothing, neither entries nor the lead (7).",
        run: part_e::overtaken::old_snapshot,
    },
    Test {
        part: PART_E,
        words: "overtaken snapshot",
        points: 1,
        original: None,
        purpose: "A snapshot takes nothing back that comes after what it covers (7).",
        run: part_e::overtaken::overtaken_snapshot,
    },
    Test {
        part: PART_E,
        words: "entries before a snapshot",
        points: 1,
        original: None,
        purpose: "Entries that a snapshot covers change nothing when they arrive after it (7).",
        run: part_e::compaction::entries_before_a_snapshot,
    },
    Test {
        part: PART_E,
        words: "logs after a snapshot",
        points: 1,
        original: None,
        purpose: "A log whose beginning is a snapshot keeps the rules of a whole one (7).",
        run: part_e::compaction::logs_after_a_snapshot,
    },
    Test {
        part: PART_E,
        words: "crash at every save",
        points: 2,
        original: None,
        purpose: "What a server has said it still knows, whichever of its saves was the last.",
        run: part_e::moments::crash_at_every_save,
    },
    Test {
        part: PART_E,
        words: "woken leader",
        points: 1,
        original: None,
        purpose: "An old leader that was paused wakes, and commits nothing.",
        run: part_e::moments::woken_leader,
    },
    Test {
        part: PART_E,
        words: "giving way",
        points: 1,
        original: None,
        purpose: "Who hears of the leader of its own term follows it (5.2).",
        run: part_e::giving_way::giving_way,
    },
    Test {
        part: PART_E,
        words: "late rival",
        points: 1,
        original: None,
        purpose: "A rival of its own term neither deposes a leader nor gets its vote (5.2).",
        run: part_e::leaders::late_rival,
    },
    Test {
        part: PART_E,
        words: "forgotten term",
        points: 1,
        original: None,
        purpose: "A term that was learned from an answer outlives a crash.",
        run: part_e::leaders::forgotten_term,
    },
    Test {
        part: PART_E,
        words: "close calls",
        points: 1,
        original: None,
        purpose: "Votes, newer terms and questions that come at the same instant (5.2).",
        run: part_e::leaders::close_calls,
    },
    Test {
        part: PART_E,
        words: "alone",
        points: 1,
        original: None,
        purpose: "A server that is a majority by itself applies nothing before it is saved.",
        run: part_e::moments::alone,
    },
    Test {
        part: PART_E,
        words: "slow links",
        points: 0,
        original: None,
        purpose: "Commands that come faster than answers; it reports entries sent too often.",
        run: part_e::thrift::slow_links,
    },
    Test {
        part: PART_E,
        words: "large commands",
        points: 1,
        original: None,
        purpose: "A command of 1.2 MB is sent, and of several messages each is judged by itself.",
        run: part_e::tails::large_commands,
    },
    Test {
        part: PART_E,
        words: "catching up",
        points: 0,
        original: None,
        purpose: "Servers that were away catch up; what that costs beyond need is reported.",
        run: part_e::catching_up::catching_up,
    },
    Test {
        part: PART_E,
        words: "peace",
        points: 0,
        original: None,
        purpose: "A cluster that has nothing to do does nothing; else that is told.",
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
