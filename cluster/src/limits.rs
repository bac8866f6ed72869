//! The time limits of a test and of the lab's calls into a server.

use std::time::Duration;

use verdict::KILL;

/// A test that takes longer has failed.
pub const TEST_LIMIT: Duration = Duration::from_secs(120);
/// A method of a server must return within this time; none has a reason to wait.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);

/// A server must be made within this time: 1 s of virtual time, in which computing costs almost
/// nothing, or 5 s of real time, in which the machine may do something else.
pub fn make_limit() -> Duration {
    Duration::from_secs(if sim::is_virtual() { 1 } else { 5 })
}

/// A method of a server that the lab calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Its name in a sentence.
    pub name: &'static str,
    limit: Limit,
    /// No thread of the test waits for the call once the server was killed.
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

    /// The same without a limit.
    #[must_use]
    pub const fn without_limit(self) -> Method {
        Method { limit: Limit::None, ..self }
    }

    /// The same, and no thread of the test waits for it once the server was killed.
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
