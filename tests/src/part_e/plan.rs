//! The faults of a run of the swarm, drawn from its seed: every run tries another mixture.

use choice::Stream;
use rand::RngExt;
use rand::seq::IndexedRandom;

/// One fault, or the end of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Two halves that do not reach one another.
    Halves,
    /// One server is alone.
    Isolate,
    /// The leader is alone.
    IsolateLeader,
    /// No message of one server arrives.
    Mute,
    /// One server hears nothing.
    Shut,
    /// Two halves that share one server.
    Bridge,
    /// Every server reaches a majority, each a different one.
    Ring,
    /// One server is isolated and rejoins again and again, about as often as elections are held.
    Flap,
    /// One server reaches all others again.
    Rejoin,
    /// Every link is healed, one after the other.
    Heal,

    /// Requests and replies are lost.
    Lose,
    /// Messages are delayed, mostly by less than an election timeout.
    Delay,
    /// Some messages arrive terms later.
    DelayForTerms,
    /// Requests arrive twice, the second time late.
    Duplicate,
    /// Messages on one link are held; newer ones overtake them or not.
    Hold,
    /// Replies come out of order.
    Reorder,
    /// Messages travel as they should.
    Calm,

    /// One server crashes.
    Crash,
    /// The leader crashes right after it took a command.
    CrashLeader,
    /// All servers crash; some restart immediately.
    CrashAll,
    /// One server crashes at one of its next saves.
    CrashAtSave,
    /// One server comes back.
    Restart,

    /// One server is paused.
    Pause,
    /// One server is resumed.
    Resume,
    /// A clock runs at another rate.
    RushClock,
    /// A clock runs at the right rate.
    SteadyClock,

    /// All messages from and to one server are slow.
    Slow,
    /// The lab is slow to take what one server applies.
    SlowApplies,
    /// All servers get commands at the same time.
    Storm,
}

impl Action {
    pub(crate) const LINKS: &[Action] = &[
        Action::Halves,
        Action::Isolate,
        Action::IsolateLeader,
        Action::Mute,
        Action::Shut,
        Action::Bridge,
        Action::Ring,
        Action::Flap,
    ];
    pub(crate) const MESSAGES: &[Action] = &[
        Action::Lose,
        Action::Delay,
        Action::DelayForTerms,
        Action::Duplicate,
        Action::Hold,
        Action::Reorder,
    ];
    pub(crate) const PROCESSES: &[Action] =
        &[Action::Crash, Action::CrashLeader, Action::CrashAll, Action::CrashAtSave];
    pub(crate) const TIME: &[Action] = &[Action::Pause, Action::RushClock];
    pub(crate) const LOAD: &[Action] = &[Action::Slow, Action::SlowApplies, Action::Storm];

    /// The actions that end this one: a run that can draw it can draw them.
    fn ended_by(self) -> &'static [Action] {
        match self {
            Action::Halves
            | Action::Isolate
            | Action::IsolateLeader
            | Action::Mute
            | Action::Shut
            | Action::Bridge
            | Action::Ring => &[Action::Rejoin, Action::Heal],
            Action::Lose
            | Action::Delay
            | Action::DelayForTerms
            | Action::Duplicate
            | Action::Hold
            | Action::Reorder
            | Action::Slow => &[Action::Calm],
            Action::Crash | Action::CrashLeader | Action::CrashAll | Action::CrashAtSave => {
                &[Action::Restart, Action::Restart]
            }
            Action::Pause => &[Action::Resume],
            Action::RushClock => &[Action::SteadyClock],
            _ => &[],
        }
    }
}

/// The faults of one run, and how strong they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What may happen next. An action that is here twice happens twice as often.
    pub(crate) actions: Vec<Action>,
    /// The longest time between two of them, in ms.
    pub(crate) pause_ms: u64,
    /// Where messages are lost: this many of 1,000.
    pub(crate) lose_permille: u32,
    /// Where messages are delayed: by this many ms.
    pub(crate) delay_ms: u64,
    /// Where requests arrive twice: this many of 1,000.
    pub(crate) duplicate_permille: u32,
    /// The maximum number of commands with each action.
    pub(crate) commands: usize,
    /// Messages to a server outlive its crash.
    pub(crate) outlives: bool,
}

impl Plan {
    /// Draws which of the possible faults are on; some always are.
    pub(crate) fn draw(rng: &mut Stream, possible: &[&[Action]]) -> Plan {
        let possible = possible.concat();
        let mut chosen: Vec<Action> =
            possible.iter().copied().filter(|_| rng.random_ratio(1, 2)).collect();
        if chosen.is_empty() {
            chosen.extend(possible.choose(rng));
        }
        let ends = chosen.iter().flat_map(|action| action.ended_by().iter().copied());
        let actions = ends.chain(chosen.iter().copied()).collect();
        Plan {
            actions,
            pause_ms: *[60, 200, 500, 900].choose(rng).expect("there are four"),
            lose_permille: rng.random_range(50..=700),
            delay_ms: rng.random_range(5..=400),
            duplicate_permille: rng.random_range(50..=1000),
            commands: rng.random_range(1..=6),
            outlives: rng.random_ratio(1, 2),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn each_fault_can_end() {
        for seed in 0..200 {
            let mut rng = Stream::new(seed, 0, None);
            let plan = Plan::draw(&mut rng, &[Action::LINKS, Action::PROCESSES, Action::TIME]);
            assert!(!plan.actions.is_empty());
            for action in &plan.actions {
                let ends = action.ended_by();
                assert!(ends.iter().all(|end| plan.actions.contains(end)), "{action:?}");
            }
        }
    }

    #[test]
    fn messages_outlive_crashes_in_some_runs_and_die_with_their_receiver_in_others() {
        let outlives =
            |seed| Plan::draw(&mut Stream::new(seed, 0, None), &[Action::PROCESSES]).outlives;
        let count = (0..200).filter(|seed| outlives(*seed)).count();
        assert!((60..140).contains(&count), "{count} of 200");
    }

    #[test]
    fn two_seeds_draw_two_plans_and_one_seed_one() {
        let plan = |seed| Plan::draw(&mut Stream::new(seed, 0, None), &[Action::LINKS]);
        assert_eq!(plan(1), plan(1));
        assert!((2..9).any(|seed| plan(seed) != plan(1)));
    }
}
