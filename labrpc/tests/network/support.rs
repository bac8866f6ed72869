//! What the tests of the network share.

use std::sync::mpsc;
use std::time::Duration;

use labrpc::network::{CallStep, Network};

/// Runs `test` in virtual time, with three seeds, so that no test can hang, and no time depends on
/// the machine.
#[track_caller]
pub(crate) fn bounded(test: impl Fn() + Clone + Send + 'static) {
    for seed in 1..=3 {
        let options = sim::Options::new().seed(seed).time_limit(Duration::from_secs(60));
        let report = sim::run(options, test.clone());
        assert_eq!(report.halt, sim::Halt::Finished, "seed {seed}: {report}");
    }
}

/// A channel that gets a word for each later event that `wanted` picks.
pub(crate) fn watch(
    network: &Network,
    wanted: impl Fn(&CallStep) -> bool + Send + Sync + 'static,
) -> mpsc::Receiver<()> {
    let (seen, events) = mpsc::channel();
    network.subscribe(move |event| {
        if wanted(&event.step) {
            let _ = seen.send(());
        }
    });
    events
}
