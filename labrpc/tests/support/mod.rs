//! What the tests of the network share.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use labrpc::{Network, Step};

/// Runs `test` and fails if it takes longer than a minute, so that nothing here can hang.
#[track_caller]
pub(crate) fn bounded(test: impl FnOnce() + Send + 'static) {
    let (ended, end) = mpsc::channel();
    let worker = thread::spawn(move || {
        test();
        let _ = ended.send(());
    });
    match end.recv_timeout(Duration::from_secs(60)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the test takes longer than a minute"),
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => {}
    }
    if let Err(panic) = worker.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A channel that gets a word for each later event that `wanted` picks.
pub(crate) fn watch(
    network: &Network,
    wanted: impl Fn(&Step) -> bool + Send + Sync + 'static,
) -> mpsc::Receiver<()> {
    let (seen, events) = mpsc::channel();
    network.subscribe(move |event| {
        if wanted(&event.step) {
            let _ = seen.send(());
        }
    });
    events
}
