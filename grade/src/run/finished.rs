//! The result of one run: one test with one seed.

use std::time::Duration;

use config::{Class, Failure};
use runner::{Outcome, Test};

/// A run that was made.
pub(crate) struct Run {
    pub(crate) test: &'static Test,
    pub(crate) seed: u64,
    pub(crate) outcome: Outcome,
    /// The processor time that is charged to the submission.
    pub(crate) cost: Duration,
}

/// The verdict on a run.
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

    /// Whether the other seeds of its test are not run: this one ended by a limit in real time, and
    /// the others would too.
    pub(crate) fn stops_its_test(&self) -> bool {
        let Err(failure) = &self.outcome.verdict else { return false };
        matches!(failure.class, Class::Timeout | Class::Spin | Class::Outside)
    }

    /// Its length in seconds by its own clock, which does not depend on the load of the machine.
    /// None if it did not come to an end of its own.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let Outcome { figures, simulation, .. } = &self.outcome;
        let of_test = figures.as_ref().map(|figures| figures.time);
        let of_run = simulation.as_ref().map(|simulation| simulation.time);
        of_test.or(of_run).map(|time| time.as_secs_f64())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use ::tests::LABS;
    use config::Figures;

    use super::*;

    pub(crate) fn failed(class: Class, sentence: &str) -> Result<(), Failure> {
        Err(Failure::new(class, sentence))
    }

    /// A run of the `test`th lab that takes as many seconds as its seed.
    pub(crate) fn run(test: usize, seed: u64, verdict: Result<(), Failure>) -> Run {
        let time = Duration::from_secs(seed);
        Run {
            test: &LABS.tests[test],
            seed,
            outcome: Outcome {
                verdict,
                figures: Some(Figures { time, peers: 3, rpcs: 0, bytes: 0, commands: 0 }),
                findings: vec![],
                simulation: None,
                output: String::new(),
            },
            cost: Duration::from_secs(1),
        }
    }
}
