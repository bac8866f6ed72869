//! The time limits of a test and of the lab's calls into a server.

use std::time::Duration;

use verdict::KILL;

/// The time limit of a test. A test that takes longer fails.
pub const TEST_LIMIT: Duration = Duration::from_secs(120);
/// The time limit of a method of a server. No method has a reason to wait.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);

/// The time limit for making a server: 1 s of virtual time, where computing takes almost no time,
/// or 5 s of real time, where the machine may be busy with something else.
pub fn make_limit() -> Duration {
    Duration::from_secs(if sim::is_virtual() { 1 } else { 5 })
}

/// A method of a server that the lab calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Its name in a sentence.
    pub name: &'static str,
    limit: Limit,
    /// Once the server was killed, no thread of the test waits for the call.
    pub(crate) ends_with_server: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Make,
    Call,
    None,
}

impl Method {
    /// Makes a server.
    pub const MAKE: Method = Method { limit: Limit::Make, ..Method::new("make") };
    /// Ends a server.
    pub const KILL: Method = Method::new(KILL);

    /// A method that must return within [`CALL_LIMIT`].
    pub const fn new(name: &'static str) -> Method {
        Method { name, limit: Limit::Call, ends_with_server: false }
    }

    /// The same method without a limit.
    #[must_use]
    pub const fn without_limit(self) -> Method {
        Method { limit: Limit::None, ..self }
    }

    /// The same method, for a call that no thread of the test waits for once the server was killed.
    #[must_use]
    pub const fn ending_with_server(self) -> Method {
        Method { ends_with_server: true, ..self }
    }

    pub(crate) fn is_kill(self) -> bool {
        self.name == KILL
    }

    pub(crate) fn limit(self) -> Duration {
        match self.limit {
            Limit::Make => make_limit(),
            Limit::Call => CALL_LIMIT,
            Limit::None => Duration::MAX,
        }
    }
}
