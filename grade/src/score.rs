//! From outcomes to points: a test gives its points if every seed passed.

use ::tests::{Outcome, Part, Test};
use config::{Class, Failure};

use crate::exit::Exit;
use crate::run::Run;

/// All runs of one test, by seed.
pub(crate) struct Score {
    pub(crate) test: &'static Test,
    pub(crate) runs: Vec<Run>,
}

/// What a test gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Points {
    All,
    None,
    /// Nothing failed, but by a fault of the kit not every seed has a verdict.
    Undecided,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// The kit's own fault.
    Infra,
}

impl Run {
    pub(crate) fn verdict(&self) -> Verdict {
        match &self.outcome.verdict {
            Ok(()) => Verdict::Passed,
            Err(Failure { class: Class::Infra, .. }) => Verdict::Infra,
            Err(_) => Verdict::Failed,
        }
    }
}

impl Run {
    /// How long it took by its own clock, which a busy machine does not change; none if it came to
    /// no end of its own.
    fn seconds(&self) -> Option<f64> {
        let Outcome { figures, simulation, .. } = &self.outcome;
        let of_test = figures.as_ref().map(|figures| figures.time);
        let of_run = simulation.as_ref().map(|simulation| simulation.time);
        of_test.or(of_run).map(|time| time.as_secs_f64())
    }
}

impl Score {
    /// The scores of the tests, in their order.
    pub(crate) fn of_each(tests: &[&'static Test], runs: Vec<Run>) -> Vec<Score> {
        let mut scores: Vec<Score> =
            tests.iter().map(|test| Score { test, runs: Vec::new() }).collect();
        for run in runs {
            let score = scores.iter_mut().find(|score| score.test.name() == run.test.name());
            score.expect("only tests of the plan are run").runs.push(run);
        }
        for score in &mut scores {
            score.runs.sort_by_key(|run| run.seed);
        }
        scores
    }

    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.with(verdict).count()
    }

    /// The runs with this verdict, by seed.
    pub(crate) fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.verdict() == verdict)
    }

    pub(crate) fn points(&self) -> Points {
        if self.count(Verdict::Failed) > 0 {
            Points::None
        } else if self.count(Verdict::Infra) > 0 {
            Points::Undecided
        } else {
            Points::All
        }
    }

    /// The mean of the times in seconds, and their standard deviation if there are several; none
    /// if no run has a time.
    pub(crate) fn time(&self) -> Option<(f64, Option<f64>)> {
        let times: Vec<f64> = self.runs.iter().filter_map(Run::seconds).collect();
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        match times.len() {
            0 => None,
            1 => Some((mean, None)),
            _ => Some((mean, Some((squares / (n - 1.0)).sqrt()))),
        }
    }
}

/// Points of several tests: those that are won, that can be, and that are undecided.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) won: u32,
    pub(crate) all: u32,
    pub(crate) undecided: u32,
}

/// The sums of the lab's own tests, and those of part 3E, whose points are counted apart.
pub(crate) fn sums(scores: &[Score]) -> (Sums, Sums) {
    let (mut lab, mut adversary) = (Sums::default(), Sums::default());
    for score in scores {
        let sums = if score.test.part == Part::E { &mut adversary } else { &mut lab };
        let points = score.test.points;
        sums.all += points;
        match score.points() {
            Points::All => sums.won += points,
            Points::Undecided => sums.undecided += points,
            Points::None => {}
        }
    }
    (lab, adversary)
}

pub(crate) fn exit(scores: &[Score]) -> Exit {
    let any = |verdict| scores.iter().any(|score| score.count(verdict) > 0);
    if any(Verdict::Infra) {
        Exit::Kit
    } else if any(Verdict::Failed) {
        Exit::Failed
    } else {
        Exit::Passed
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use ::tests::LABS;
    use config::Figures;

    use super::*;

    pub(crate) fn failed(class: Class, sentence: &str) -> Result<(), Failure> {
        Err(Failure::new(class, sentence))
    }

    fn figures(seconds: u64) -> Figures {
        let time = Duration::from_secs(seconds);
        Figures { time, peers: 3, rpcs: 0, bytes: 0, commands: 0 }
    }

    /// Runs of the `test`th lab with the seeds from 1, which take 1, 2, 3 ... seconds.
    pub(crate) fn score(test: usize, verdicts: Vec<Result<(), Failure>>) -> Score {
        let test = &LABS[test];
        let run = |(seed, verdict)| Run {
            test,
            seed,
            outcome: Outcome {
                verdict,
                figures: Some(figures(seed)),
                findings: vec![],
                simulation: None,
                output: String::new(),
            },
        };
        let runs = (1..).zip(verdicts).map(run).collect();
        Score::of_each(&[test], runs).remove(0)
    }

    #[test]
    fn one_failed_seed_costs_all_points_of_a_test_and_no_other() {
        let scores = [
            score(0, vec![Ok(()), failed(Class::Liveness, "slow")]),
            score(1, vec![Ok(()), Ok(())]),
        ];
        assert_eq!(scores.each_ref().map(Score::points), [Points::None, Points::All]);
        let lab = Sums { won: 6, all: 10, undecided: 0 };
        assert_eq!(sums(&scores), (lab, Sums::default()));
        assert_eq!(exit(&scores), Exit::Failed);
    }

    #[test]
    fn a_fault_of_the_kit_leaves_points_undecided_unless_a_seed_has_failed() {
        let infra = || failed(Class::Infra, "no memory");
        let scores = [
            score(0, vec![infra(), Ok(())]),
            score(1, vec![infra(), failed(Class::Safety, "two leaders")]),
            score(2, vec![Ok(())]),
        ];
        let points = scores.each_ref().map(Score::points);
        assert_eq!(points, [Points::Undecided, Points::None, Points::All]);
        let lab = Sums { won: 5, all: 15, undecided: 4 };
        assert_eq!(sums(&scores), (lab, Sums::default()));
        assert_eq!(exit(&scores), Exit::Kit);
    }

    #[test]
    fn the_points_of_3e_are_counted_apart() {
        let adversary = LABS.iter().position(|test| test.part == Part::E).expect("3E has tests");
        let scores = [score(0, vec![Ok(())]), score(adversary, vec![Ok(())])];
        let points = LABS[adversary].points;
        let (lab, apart) = sums(&scores);
        assert_eq!((lab.won, lab.all), (4, 4));
        assert_eq!((apart.won, apart.all), (points, points));
    }

    #[test]
    fn the_spread_of_times_is_that_of_a_sample() {
        let score = score(0, vec![Ok(()), Ok(()), Ok(())]);
        assert_eq!(score.time(), Some((2.0, Some(1.0))));
    }
}
