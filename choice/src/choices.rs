//! The choices of one run, as the code asks that makes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::Turn;
use crate::list::{Choice, Fate, Value};
use crate::name::Name;
use crate::stream::Stream;

/// How long a test lets time pass where a plan does not name the wait. It is not zero, since many
/// tests wait in a loop until a time has passed. A shorter wait is no choice.
pub const PLAIN_WAIT: Duration = Duration::from_millis(20);
/// A call takes at most this long to find no server where a plan does not name the call, in ms. A
/// shorter time is no choice.
pub const PLAIN_UNREACHABLE_MS: u64 = 100;

/// What was chosen in one run, and what is to be chosen. Clones are the same run.
///
/// An ordinary run neither lists its choices nor has a plan; then each method returns what was
/// drawn, and costs nothing.
#[derive(Clone, Default)]
pub struct Choices {
    turn: Option<Turn>,
    run: Option<Arc<Run>>,
}

struct Run {
    /// What is kept; everything if none.
    plan: Option<BTreeMap<Name, Value>>,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    /// How often a choice was named, by its name without its number.
    counts: BTreeMap<Name, u32>,
    /// What was chosen and differs from a plain run, in order.
    list: Vec<Choice>,
}

impl Choices {
    /// An ordinary run.
    pub fn drawn() -> Choices {
        Choices::default()
    }

    /// The same run with a list of its choices.
    pub fn listed() -> Choices {
        Choices::with(None)
    }

    /// A run in which only these choices are made. It is listed, too.
    pub fn planned(plan: impl IntoIterator<Item = Choice>) -> Choices {
        Choices::with(Some(plan.into_iter().map(|choice| (choice.name, choice.value)).collect()))
    }

    fn with(plan: Option<BTreeMap<Name, Value>>) -> Choices {
        let run = Run { plan, made: Mutex::default() };
        Choices { turn: None, run: Some(Arc::new(run)) }
    }

    /// The same with a moment after which everything is drawn anew.
    #[must_use]
    pub fn turning(self, turn: Option<Turn>) -> Choices {
        Choices { turn, ..self }
    }

    /// A stream of random numbers of this run.
    pub fn stream(&self, seed: u64, number: u64) -> Stream {
        Stream::new(seed, number, self.turn)
    }

    /// Whether choices are listed or planned. If so, names need the values of messages.
    pub fn are_named(&self) -> bool {
        self.run.is_some()
    }

    /// What happens to a call for which `drawn` was drawn. `plain` is what happens if the call is
    /// not named. The arguments of `Name::Message` name it; its number is ignored.
    pub fn message(&self, name: impl FnOnce() -> Name, drawn: Fate) -> Fate {
        let is_reachable = drawn.unreachable_ms.is_none();
        let unreachable_ms = drawn.unreachable_ms.map(|ms| ms.min(PLAIN_UNREACHABLE_MS));
        let plain = Fate { unreachable_ms, ..Fate::default() };
        match self.choose(name, Value::Fate(drawn), &Value::Fate(plain.clone())) {
            // Whether a server is reached is no choice, but follows from the faults.
            Value::Fate(fate) if fate.unreachable_ms.is_none() == is_reachable => fate,
            _ => plain,
        }
    }

    /// How long a caller waits for a reply that a cut link loses.
    pub fn cut_reply(&self, name: impl FnOnce() -> Name, drawn: Duration) -> Duration {
        self.time(name, drawn, drawn.min(Duration::from_millis(PLAIN_UNREACHABLE_MS)))
    }

    /// Whether a fault begins that the test asks for.
    pub fn fault(&self, verb: &str, servers: &[usize]) -> bool {
        self.happens(|| Name::Fault { verb: verb.into(), servers: servers.into(), nth: 0 })
    }

    /// Whether a client offers a command to a server.
    pub fn command(&self, server: usize) -> bool {
        self.happens(|| Name::Command { server, nth: 0 })
    }

    /// Whether a server takes part.
    pub fn server(&self, server: usize) -> bool {
        let Some(run) = &self.run else { return true };
        let name = Name::Server { server };
        let takes_part = run.plan.as_ref().is_none_or(|plan| plan.contains_key(&name));
        let mut made = run.made.lock();
        if takes_part && made.counts.insert(name.clone(), 1).is_none() {
            made.list.push(Choice { name, value: Value::Yes });
        }
        takes_part
    }

    /// How long the test lets time pass.
    pub fn wait(&self, drawn: Duration) -> Duration {
        if drawn <= PLAIN_WAIT {
            return drawn;
        }
        self.time(|| Name::Wait { nth: 0 }, drawn, PLAIN_WAIT)
    }

    fn time(&self, name: impl FnOnce() -> Name, drawn: Duration, plain: Duration) -> Duration {
        if self.run.is_none() {
            return drawn;
        }
        let ms = |time: Duration| Value::Ms(time.as_millis() as u64);
        match self.choose(name, ms(drawn), &ms(plain)) {
            // A run whose choices are all kept is the same run, to the ns.
            Value::Ms(ms) if u128::from(ms) == drawn.as_millis() => drawn,
            Value::Ms(ms) => Duration::from_millis(ms),
            _ => plain,
        }
    }

    fn happens(&self, name: impl FnOnce() -> Name) -> bool {
        let Some(run) = &self.run else { return true };
        let mut made = run.made.lock();
        let name = made.number(name());
        let happens = run.plan.as_ref().is_none_or(|plan| plan.contains_key(&name));
        if happens {
            made.list.push(Choice { name, value: Value::Yes });
        }
        happens
    }

    fn choose(&self, name: impl FnOnce() -> Name, drawn: Value, plain: &Value) -> Value {
        let Some(run) = &self.run else { return drawn };
        let mut made = run.made.lock();
        let name = made.number(name());
        let value = match &run.plan {
            None => drawn,
            Some(plan) => plan.get(&name).cloned().unwrap_or_else(|| plain.clone()),
        };
        if value != *plain {
            made.list.push(Choice { name, value: value.clone() });
        }
        value
    }

    /// What was chosen so far and differs from a plain run, in order; servers that take part first.
    pub fn list(&self) -> Vec<Choice> {
        self.run.as_ref().map_or_else(Vec::new, |run| run.made.lock().list.clone())
    }

    /// The choices of the plan that the run has not met.
    pub fn unmet(&self) -> Vec<Name> {
        let Some(run) = &self.run else { return Vec::new() };
        let met: Vec<Name> = self.list().into_iter().map(|choice| choice.name).collect();
        let planned = run.plan.iter().flat_map(BTreeMap::keys);
        planned.filter(|name| !met.contains(name)).cloned().collect()
    }
}

impl Made {
    /// Gives a name its number.
    fn number(&mut self, name: Name) -> Name {
        let name = name.numbered(0);
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        name.numbered(*count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote() -> Name {
        let (from, to, term) = (Some(0), Some(1), Some(1));
        Name::Message { method: "Raft.RequestVote".into(), from, to, term, nth: 0 }
    }

    /// Makes some choices, and returns what happened.
    fn run(choices: &Choices) -> (Vec<Fate>, Vec<bool>, Duration) {
        let lost = Fate { request_lost: true, ..Fate::default() };
        let away = Fate { unreachable_ms: Some(700), ..Fate::default() };
        let fates = [lost.clone(), Fate::default(), lost, away];
        let fates = fates.map(|fate| choices.message(vote, fate)).to_vec();
        let faults = vec![choices.fault("crash", &[1]), choices.fault("crash", &[1])];
        (fates, faults, choices.wait(Duration::from_micros(1_000_500)))
    }

    #[test]
    fn a_run_that_keeps_all_its_choices_is_the_same_run() {
        let drawn = run(&Choices::drawn());
        let listed = Choices::listed();
        assert_eq!(run(&listed), drawn);
        let planned = Choices::planned(listed.list());
        assert_eq!(run(&planned), drawn);
        assert_eq!(planned.list(), listed.list());
        assert_eq!(planned.unmet(), []);
    }

    #[test]
    fn what_is_not_planned_does_not_happen() {
        let listed = Choices::listed();
        run(&listed);
        let said: Vec<String> = listed.list().iter().map(Choice::to_string).collect();
        assert_eq!(
            said,
            [
                "the 1st RequestVote of server 0 to server 1 in term 1 is lost",
                "the 3rd RequestVote of server 0 to server 1 in term 1 is lost",
                "the 4th RequestVote of server 0 to server 1 in term 1 finds no server for 700 ms",
                "the 1st `crash` of server 1",
                "the 2nd `crash` of server 1",
                "the 1st wait of the test, 1000 ms",
            ]
        );
        let kept = [1, 4].map(|index| listed.list()[index].clone());
        let (fates, faults, wait) = run(&Choices::planned(kept));
        let lost: Vec<bool> = fates.iter().map(|fate| fate.request_lost).collect();
        assert_eq!(lost, [false, false, true, false]);
        assert_eq!(fates[3].unreachable_ms, Some(PLAIN_UNREACHABLE_MS));
        let soon = Fate { unreachable_ms: Some(7), ..Fate::default() };
        assert_eq!(Choices::planned([]).message(vote, soon.clone()), soon);
        assert_eq!(faults, [false, true]);
        assert_eq!(wait, PLAIN_WAIT);
    }

    #[test]
    fn a_plan_says_what_it_did_not_meet() {
        let name = Name::Fault { verb: "pause".into(), servers: vec![2], nth: 1 };
        let choices = Choices::planned([Choice { name: name.clone(), value: Value::Yes }]);
        run(&choices);
        assert_eq!(choices.unmet(), [name]);
    }
}
