//! What is left out, and in which order.
//!
//! Large things come first: the schedule's decisions, then all that the network does, then whole
//! faults, commands, servers and waits, each in blocks that become smaller. Later choices are tried
//! before earlier ones, since a failure needs its beginning more often than what came last. The
//! passes repeat until none of them finds anything.

use std::ops::{Range, RangeInclusive};

use choice::{Choice, Name};

use crate::plan::Plan;

use super::trials::Trials;

/// The groups of choices, in the order in which they are tried.
const GROUPS: [fn(&Name) -> bool; 5] = [
    |name| matches!(name, Name::Message { .. } | Name::CutReply { .. }),
    |name| matches!(name, Name::Fault { .. }),
    |name| matches!(name, Name::Command { .. }),
    |name| matches!(name, Name::Server { .. }),
    |name| matches!(name, Name::Wait { .. }),
];

/// Other seeds for the random numbers of the code under test, where a failure needs other ones.
const OTHER_SEEDS: RangeInclusive<u64> = 1..=12;
/// The same once the run is shorter and takes less time.
const MORE_SEEDS: RangeInclusive<u64> = 1..=64;

/// The smallest ranges of decisions that are tried, as a share of all: a range has no name that
/// means anything to a person, so few are worth more time.
const DECISION_RANGES_MAX: u64 = 64;

/// Leaves out what can be left out. False if the search was stopped before it was done.
pub(super) fn reduce(trials: &mut Trials<'_>) -> bool {
    // First whole groups, so that a search that is stopped early has the large gains, and later
    // runs take less time.
    leave_out_whole_groups(trials);
    loop {
        let mut found = leave_out_blocks(trials);
        found |= run_on(trials);
        found |= simplify(trials);
        if trials.is_stopped() {
            return false;
        }
        if !found {
            return true;
        }
    }
}

/// Leaves out all of a group, or all switches between threads. If the failure then needs other
/// random numbers in the code under test, a few are tried.
fn leave_out_whole_groups(trials: &mut Trials<'_>) {
    let none = Plan { decisions: Vec::new(), ..trials.plan().clone() };
    take_with_any_seed(trials, &none, OTHER_SEEDS);
    for group in GROUPS {
        let names: Vec<Name> = members(trials, group);
        if !names.is_empty() && !trials.is_stopped() {
            let plan = without(trials.plan(), &names);
            take_with_any_seed(trials, &plan, OTHER_SEEDS);
        }
    }
}

fn take_with_any_seed(trials: &mut Trials<'_>, plan: &Plan, seeds: RangeInclusive<u64>) -> bool {
    let other = |code_seed| Plan { code_seed, ..plan.clone() };
    let plans: Vec<Plan> = [plan.clone()].into_iter().chain(seeds.map(other)).collect();
    trials.take_first(&plans).is_some()
}

/// The choices of a group that may be left out.
fn members(trials: &Trials<'_>, group: fn(&Name) -> bool) -> Vec<Name> {
    let names = trials.plan().choices.iter().map(|choice| &choice.name);
    let may_go = |name: &&Name| group(name) && trials.plan().fails.allows_without(name);
    names.filter(may_go).cloned().collect()
}

/// Leaves out choices in blocks that become smaller: halves of each group, then quarters, at last
/// single choices. The groups take turns, since one of them can take all the time.
fn leave_out_blocks(trials: &mut Trials<'_>) -> bool {
    let mut found = false;
    let mut sizes = GROUPS.map(|group| members(trials, group).len());
    while sizes.iter().any(|size| *size > 0) && !trials.is_stopped() {
        for (group, size) in GROUPS.iter().zip(&mut sizes) {
            if *size > 0 {
                found |= leave_out(trials, *group, *size);
                let halved = if *size == 1 { 0 } else { size.div_ceil(2) };
                *size = halved.min(members(trials, *group).len());
            }
        }
    }
    found
}

/// Leaves out choices of one group in blocks of one size.
fn leave_out(trials: &mut Trials<'_>, group: fn(&Name) -> bool, size: usize) -> bool {
    let mut found = false;
    let left = members(trials, group);
    // Later ones first.
    let mut blocks: Vec<Vec<Name>> = left.rchunks(size).map(<[Name]>::to_vec).collect();
    while !blocks.is_empty() && !trials.is_stopped() {
        let plans: Vec<Plan> = blocks.iter().map(|block| without(trials.plan(), block)).collect();
        let Some(place) = trials.take_first(&plans) else { break };
        found = true;
        blocks.drain(..=place);
        // Some may have gone together with the block.
        let left = members(trials, group);
        for block in &mut blocks {
            block.retain(|name| left.contains(name));
        }
        blocks.retain(|block| !block.is_empty());
    }
    found
}

fn without(plan: &Plan, names: &[Name]) -> Plan {
    let choices =
        plan.choices.iter().filter(|choice| !names.contains(&choice.name)).cloned().collect();
    Plan { choices, ..plan.clone() }
}

/// Lets threads run on instead of drawing the next one: everywhere, or else outside of few ranges.
fn run_on(trials: &mut Trials<'_>) -> bool {
    if trials.plan().decisions.is_empty() {
        return false;
    }
    let none = Plan { decisions: Vec::new(), ..trials.plan().clone() };
    if take_with_any_seed(trials, &none, MORE_SEEDS) {
        return true;
    }
    let mut found = false;
    let mut size = total(&trials.plan().decisions);
    let smallest = (size / DECISION_RANGES_MAX).max(1);
    while size >= smallest && !trials.is_stopped() {
        let mut blocks = cut(&trials.plan().decisions, size);
        blocks.reverse();
        while !blocks.is_empty() && !trials.is_stopped() {
            let plans: Vec<Plan> = blocks
                .iter()
                .map(|block| {
                    let decisions = subtract(&trials.plan().decisions, block);
                    Plan { decisions, ..trials.plan().clone() }
                })
                .collect();
            let Some(place) = trials.take_first(&plans) else { break };
            found = true;
            blocks.drain(..=place);
        }
        size /= 2;
    }
    found
}

/// Replaces what happens to a call by something simpler: only one of several things.
fn simplify(trials: &mut Trials<'_>) -> bool {
    let mut found = false;
    let mut done = 0;
    while done < trials.plan().choices.len() && !trials.is_stopped() {
        let choice = trials.plan().choices[done].clone();
        done += 1;
        let plans: Vec<Plan> = simpler(&choice)
            .into_iter()
            .map(|simple| {
                let choices = trials.plan().choices.iter().map(|other| {
                    if other.name == simple.name { simple.clone() } else { other.clone() }
                });
                Plan { choices: choices.collect(), ..trials.plan().clone() }
            })
            .collect();
        found |= !plans.is_empty() && trials.take_first(&plans).is_some();
    }
    found
}

fn simpler(choice: &Choice) -> Vec<Choice> {
    use choice::{Fate, Value};
    let Value::Fate(fate) = &choice.value else { return Vec::new() };
    let only = |part: Fate| Choice { name: choice.name.clone(), value: Value::Fate(part) };
    let parts = [
        Fate { request_lost: fate.request_lost, ..Fate::default() },
        Fate { reply_lost: fate.reply_lost, ..Fate::default() },
        Fate { request_delay_ms: fate.request_delay_ms, ..Fate::default() },
        Fate { reply_delay_ms: fate.reply_delay_ms, ..Fate::default() },
        Fate { duplicate_after_ms: fate.duplicate_after_ms, ..Fate::default() },
    ];
    let is_simpler = |part: &Fate| *part != Fate::default() && part != fate;
    parts.into_iter().filter(is_simpler).map(only).collect()
}

fn total(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// Cuts ranges into pieces of at most this size.
fn cut(ranges: &[Range<u64>], size: u64) -> Vec<Range<u64>> {
    let mut pieces = Vec::new();
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(size));
            pieces.push(start..end);
            start = end;
        }
    }
    pieces
}

/// The ranges without one of them.
fn subtract(ranges: &[Range<u64>], hole: &Range<u64>) -> Vec<Range<u64>> {
    let around = |range: &Range<u64>| {
        [range.start..range.end.min(hole.start), range.start.max(hole.end)..range.end]
    };
    ranges.iter().flat_map(around).filter(|range| range.start < range.end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_and_subtracted() {
        assert_eq!(cut(&[0..10, 20..23], 4), [0..4, 4..8, 8..10, 20..23]);
        assert_eq!(subtract(&[0..10, 20..23], &(4..8)), [0..4, 8..10, 20..23]);
        assert_eq!(subtract(&[0..4, 6..8, 9..10], &(0..4)), [6..8, 9..10]);
        assert_eq!(total(&[0..10, 20..23]), 13);
    }
}
