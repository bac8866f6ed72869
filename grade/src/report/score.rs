//! Turns outcomes into points: a test gives its points if every seed ran and passed.
//!
//! Not every planned run counts. After a run that ended by a limit in real time the other seeds of
//! its test are not run, and nothing is run after a submission has used up its processor time. Only
//! this file decides which runs count, in the order of the plan. So it does not matter how many
//! runs are made at the same time, or which of them ends first.

use std::collections::BTreeMap;
use std::time::Duration;

use runner::Test;

use crate::exit::Exit;
use crate::run::finished::{Run, Verdict};

/// The runs of one test that count, by seed.
pub(crate) struct Score {
    pub(crate) test: &'static Test,
    pub(crate) runs: Vec<Run>,
    /// The seeds that were not run, or whose runs do not count.
    pub(crate) not_run: Vec<(u64, WhyNot)>,
}

/// Why a seed was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhyNot {
    /// An earlier seed of the test ended by a limit in real time.
    Stopped,
    /// The submission had used up its processor time.
    Spent,
}

/// The points of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Points {
    All,
    None,
    /// Nothing failed, but some seed has no verdict because of a fault of the kit.
    Undecided,
}

impl Score {
    /// The scores of the tests, in their order. `runs`: those that were made, by seed and test. All
    /// that count must be among them.
    pub(crate) fn of_each(
        tests: &[&'static Test],
        seeds: &[u64],
        budget: Duration,
        mut runs: BTreeMap<(u64, usize), Run>,
    ) -> Vec<Score> {
        let mut account = Account::new(tests.len(), budget);
        let mut scores: Vec<Score> = tests.iter().map(|test| Score::new(test)).collect();
        for &seed in seeds {
            for (at, score) in scores.iter_mut().enumerate() {
                match account.refuses(at) {
                    Some(why) => score.not_run.push((seed, why)),
                    None => {
                        let run = runs.remove(&(seed, at)).expect("every run that counts was made");
                        account.enter(at, &run);
                        score.runs.push(run);
                    }
                }
            }
        }
        scores
    }

    fn new(test: &'static Test) -> Score {
        Score { test, runs: Vec::new(), not_run: Vec::new() }
    }

    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.with(verdict).count()
    }

    /// The runs with this verdict, by seed.
    pub(crate) fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.verdict() == verdict)
    }

    pub(crate) fn points(&self) -> Points {
        if self.count(Verdict::Failed) > 0 || !self.not_run.is_empty() {
            Points::None
        } else if self.count(Verdict::Infra) > 0 {
            Points::Undecided
        } else {
            Points::All
        }
    }

    /// The mean of the times in seconds, and the standard deviation if there are several. None if
    /// no run has a time.
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

/// The processor time that a submission has used so far, run by run in the order of the plan.
pub(crate) struct Account {
    left: Option<Duration>,
    is_stopped: Vec<bool>,
}

impl Account {
    pub(crate) fn new(tests: usize, budget: Duration) -> Account {
        Account { left: Some(budget), is_stopped: vec![false; tests] }
    }

    /// Why the next run, a run of this test, is not made.
    pub(crate) fn refuses(&self, test: usize) -> Option<WhyNot> {
        if self.is_stopped[test] {
            return Some(WhyNot::Stopped);
        }
        self.left.is_none().then_some(WhyNot::Spent)
    }

    /// The next run was made.
    pub(crate) fn enter(&mut self, test: usize, run: &Run) {
        self.left = self.left.and_then(|left| left.checked_sub(run.cost));
        self.is_stopped[test] |= run.stops_its_test();
    }
}

/// Sums of points of several tests: won, possible and undecided.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) won: u32,
    pub(crate) all: u32,
    pub(crate) undecided: u32,
}

/// The sums of the parts that count towards the lab, and those of the other parts.
pub(crate) fn sums(scores: &[Score]) -> (Sums, Sums) {
    let (mut lab, mut extra) = (Sums::default(), Sums::default());
    for score in scores {
        let sums = if score.test.part.counts { &mut lab } else { &mut extra };
        let points = score.test.points;
        sums.all += points;
        match score.points() {
            Points::All => sums.won += points,
            Points::Undecided => sums.undecided += points,
            Points::None => {}
        }
    }
    (lab, extra)
}

pub(crate) fn exit(scores: &[Score]) -> Exit {
    let any = |verdict| scores.iter().any(|score| score.count(verdict) > 0);
    if any(Verdict::Infra) {
        Exit::Kit
    } else if any(Verdict::Failed) || scores.iter().any(|score| !score.not_run.is_empty()) {
        Exit::Failed
    } else {
        Exit::Passed
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use ::tests::{LABS, PART_E};
    use config::{Class, Failure};

    use super::*;
    use crate::run::finished::tests::{failed, run};

    /// Runs of the `test`th lab with the seeds from 1, which take 1, 2, 3 ... seconds.
    pub(crate) fn score(test: usize, verdicts: Vec<Result<(), Failure>>) -> Score {
        let runs = (1..).zip(verdicts).map(|(seed, verdict)| run(test, seed, verdict)).collect();
        Score { test: &LABS.tests[test], runs, not_run: vec![] }
    }

    /// Scores two tests with three seeds. All were run, whether they count or not.
    fn of_each(budget_s: u64, verdicts: [[Result<(), Failure>; 3]; 2]) -> Vec<Score> {
        let tests = [&LABS.tests[0], &LABS.tests[1]];
        let mut runs = BTreeMap::new();
        for (at, verdicts) in verdicts.into_iter().enumerate() {
            let score = score(at, verdicts.into());
            runs.extend(score.runs.into_iter().map(|run| ((run.seed, at), run)));
        }
        Score::of_each(&tests, &[1, 2, 3], Duration::from_secs(budget_s), runs)
    }

    fn counted(score: &Score) -> Vec<u64> {
        score.runs.iter().map(|run| run.seed).collect()
    }

    #[test]
    fn a_run_that_ends_by_a_limit_in_real_time_ends_its_test() {
        let spins = || failed(Class::Spin, "it runs on and on");
        let slow = || failed(Class::Liveness, "slow");
        let scores = of_each(100, [[slow(), spins(), Ok(())], [Ok(()), slow(), spins()]]);
        assert_eq!(counted(&scores[0]), [1, 2]);
        assert_eq!(scores[0].not_run, [(3, WhyNot::Stopped)]);
        assert_eq!(counted(&scores[1]), [1, 2, 3]);
        assert_eq!(exit(&scores), Exit::Failed);
    }

    #[test]
    fn runs_beyond_the_cpu_time_are_not_made_and_give_no_points() {
        let passed = || [Ok(()), Ok(()), Ok(())];
        let scores = of_each(4, [passed(), passed()]);
        assert_eq!([counted(&scores[0]), counted(&scores[1])], [vec![1, 2, 3], vec![1, 2]]);
        assert_eq!(scores[1].not_run, [(3, WhyNot::Spent)]);
        assert_eq!([scores[0].points(), scores[1].points()], [Points::All, Points::None]);
        assert_eq!(exit(&scores), Exit::Failed);
        assert_eq!(exit(&of_each(6, [passed(), passed()])), Exit::Passed);
    }

    #[test]
    fn one_failed_seed_costs_all_points_of_its_test_and_of_no_other() {
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
    fn the_points_of_3e_are_counted_separately() {
        let adversary =
            LABS.tests.iter().position(|test| test.part == PART_E).expect("3E has tests");
        let scores = [score(0, vec![Ok(())]), score(adversary, vec![Ok(())])];
        let points = LABS.tests[adversary].points;
        let (lab, apart) = sums(&scores);
        assert_eq!((lab.won, lab.all), (4, 4));
        assert_eq!((apart.won, apart.all), (points, points));
    }

    #[test]
    fn the_standard_deviation_of_times_is_that_of_a_sample() {
        let score = score(0, vec![Ok(()), Ok(()), Ok(())]);
        assert_eq!(score.time(), Some((2.0, Some(1.0))));
    }
}
