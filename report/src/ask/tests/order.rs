//! The search for earlier and later events finds what comparing all pairs finds.

use super::{real_run, short_run};
use crate::ask::Question;
use crate::ask::evaluate::Evaluator;
use crate::ask::moments::{Moments, Point};
use crate::ask::place::{Judge, Place};
use crate::ask::query::{Condition, Ordered};
use crate::sample;

/// Conditions on earlier and later events, by what the search has to do for them.
const ORDERED: &[&str] = &[
    "preceded by crash",
    "followed by becomes leader",
    "preceded by (vote and same server)",
    "preceded by (vote and same server and other server)",
    "followed by (start and same term and index >= that last_log_index)",
    "preceded by (state and term < that term and server != that server)",
    "preceded by (that term < term and state)",
    "followed by (state and term = that term + 1) within 300 ms",
    "preceded by call within 1 ms",
    "preceded by (saved and same server) since (arrival and same server)",
    "followed by vote before (crash or becomes leader)",
    "followed by (leader and voted_for != that voted_for) within 10 ms",
    "preceded by (answered and args.entries.*.term = that term)",
    "preceded by (state and match_index.* > that commit_index)",
    "preceded by (state and not preceded by (state and same server and same term))",
    "preceded by count(last_log_index >= that last_log_index) = 1",
    "followed by (unanswered and how = that how)",
];

/// As the documents say it: all earlier or later events, one after another.
fn by_all_pairs<'a>(evaluator: &Evaluator<'a>, ordered: &'a Ordered, at: Point) -> bool {
    let events = evaluator.moments().events();
    let cluster = evaluator.moments().cluster(at);
    let none = evaluator.moments().servers;
    let is_there = |condition: &'a Condition, event: usize| {
        // No server is asked about an event that happens to none.
        let mut servers = match (condition.asks_about_a_server(), condition.happens()) {
            (true, true) => 0..none + 1,
            (true, false) => 0..none,
            (false, _) => none..none + 1,
        };
        servers.any(|server| {
            let here = Point { event, server };
            evaluator.holds(condition, Place { here, that: Some(at) })
        })
    };
    let mut others: Vec<usize> = match ordered.is_past {
        true => (cluster.start..at.event).rev().collect(),
        false => (at.event + 1..cluster.end).collect(),
    };
    if let Some(bound) = &ordered.bound
        && let Some(end) = others.iter().position(|event| is_there(bound, *event))
    {
        others.truncate(end);
    }
    let is_near = |event: &&usize| {
        ordered.within.is_none_or(|micros| events[**event].t.abs_diff(events[at.event].t) <= micros)
    };
    others.iter().filter(is_near).any(|event| is_there(&ordered.condition, *event))
}

#[test]
fn the_search_finds_what_all_pairs_have() {
    let mut found = 0;
    let mut beginning = short_run();
    // All pairs of more events would take long.
    beginning.events.truncate(130);
    for run in [sample::run(), beginning] {
        let moments = Moments::new(&run);
        for text in ORDERED {
            let Ok(Question { condition }) = Question::parse(text) else { panic!("{text}") };
            let Condition::Ordered(ordered) = &condition else { panic!("{text}") };
            let evaluator = Evaluator::new(&moments, &condition);
            for event in 0..run.events.len() {
                for server in 0..=moments.servers {
                    let at = Point { event, server };
                    let expected = by_all_pairs(&evaluator, ordered, at);
                    let holds = evaluator.holds(&condition, Place { here: at, that: None });
                    assert_eq!(holds, expected, "{text}: {at:?}");
                    found += usize::from(holds);
                }
            }
        }
    }
    assert!(found > 1000, "the conditions hold only {found} times");
}

/// More points than fit into a block, so that blocks are skipped.
#[test]
fn blocks_that_are_skipped_have_nothing() {
    let run = real_run();
    let count = |question: &str| Question::parse(question).unwrap().ask(&run).count();
    let later = count("said_state and preceded by (said_state and term > that term)");
    let now = count("said_state and not preceded by (said_state and term > that term)");
    assert_eq!(later + now, count("said_state"));
    // A server in an older term answers after one in a newer term has.
    assert_eq!((later > 0, now > 0), (true, true));
    let turned = count("said_state and preceded by (said_state and that term < term)");
    assert_eq!(turned, later);
}
