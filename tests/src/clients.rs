//! Client threads of a test. Like the test itself, they unwind when any thread has found a failure.

use std::panic::{self, AssertUnwindSafe};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use config::Stopped;
use verdict::label::{self, Label};

/// A thread that works for a test.
pub(crate) struct Client<'scope, T> {
    thread: ScopedJoinHandle<'scope, Option<T>>,
}

impl<'scope, T: Send + 'scope> Client<'scope, T> {
    /// Starts a thread.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        number: usize,
        work: impl FnOnce() -> T + Send + 'scope,
    ) -> Client<'scope, T> {
        let labelled = move || {
            let _label = label::enter(Label::Kit, "a client");
            // The referee already knows the reason of the unwinding.
            panic::catch_unwind(AssertUnwindSafe(work)).ok()
        };
        let thread = Builder::new()
            .name(format!("client {number}"))
            .spawn_scoped(scope, labelled)
            .expect("failed to start a client");
        Client { thread }
    }

    /// Waits for the thread's result. Unwinds if the thread did.
    pub(crate) fn join(self) -> T {
        let result = self.thread.join().ok().flatten();
        result.unwrap_or_else(|| panic::resume_unwind(Box::new(Stopped)))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use config::{Class, Failure, Referee};

    use super::*;

    #[test]
    fn a_client_returns_its_result_and_is_labelled_as_the_kit() {
        let label = thread::scope(|scope| Client::start(scope, 0, label::current).join());
        assert_eq!(label, Some(Label::Kit));
    }

    #[test]
    fn a_client_that_finds_a_failure_unwinds_the_test_with_it() {
        let referee = Referee::new();
        let failure = Failure::new(Class::Safety, "found by a client");
        let test = panic::catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                let finder: Client<'_, ()> =
                    Client::start(scope, 0, || referee.stop(failure.clone()));
                finder.join();
            });
        }));
        assert!(test.is_err_and(|payload| payload.is::<Stopped>()));
        assert_eq!(referee.verdict(), Some(Err(failure)));
    }
}
