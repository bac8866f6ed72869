//! The settings of a run: the seed, the engine, the policy and the limits.
//!
//! Only these settings can change what happens inside a run. So one `Options` value and one binary
//! determine every step of a run.

use std::ops::Range;
use std::time::Duration;

use crate::engine_kind::Engine;
use crate::label::Label;

/// How the next thread is chosen when several can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Any ready thread, with equal chances.
    Random,
    /// Probabilistic concurrency testing: the thread with the highest random priority runs, and
    /// priorities change at `depth - 1` random steps. It finds a bug that needs `depth` ordering
    /// constraints with a probability that has a known lower bound (Burckhardt et al., ASPLOS
    /// 2010). One thing is added: a thread that yields, polls the clock, or is chosen 1,000 times
    /// in a row while others are ready falls to the lowest priority, so that waiting loops end.
    Pct {
        /// The number of ordering constraints of the bugs to look for; 3 is a usual choice.
        depth: u32,
        /// The expected number of steps of the run; the change points are drawn from this range.
        steps: u64,
    },
    /// First in, first out, without randomness: for teaching and for reading traces.
    Fifo,
}

/// Where lines written to the standard output and the standard error go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Whole lines, each with the virtual time, the label and the thread's name in front.
    Stamped,
    /// Passed on unchanged.
    Plain,
    /// Stamped, and kept in [`Report::output`](crate::Report::output) instead of written.
    Captured,
}

/// The settings of a run; a builder.
///
/// ```
/// use std::time::Duration;
/// let options = sim::Options::new().seed(7).time_limit(Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) seed: u64,
    pub(crate) engine: Engine,
    pub(crate) policy: Policy,
    pub(crate) output: Output,
    pub(crate) label_names: fn(Label) -> String,
    pub(crate) time_limit: Duration,
    pub(crate) step_limit: u64,
    pub(crate) thread_limit: usize,
    pub(crate) cpu_limit: Duration,
    pub(crate) wall_limit: Duration,
    pub(crate) outside_limit: Duration,
    pub(crate) edges: bool,
    pub(crate) edge_mean: u32,
    pub(crate) spurious: bool,
    pub(crate) trace: bool,
    pub(crate) backtraces: bool,
    pub(crate) drawn: Option<Vec<Range<u64>>>,
    pub(crate) turn: Option<Turn>,
}

/// A moment of a run after which everything is drawn anew.
///
/// Two runs with the same seed and other turns are the same run up to the earlier turn, and two
/// different futures after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The virtual time of the moment. The schedule and the random bytes of the operating system
    /// change when the first timer at or after it runs out.
    pub at: Duration,
    /// Chooses the future; 0 and 1 are two of them.
    pub salt: u64,
}

impl Turn {
    /// The seed of what is drawn after the turn, in a run with this seed.
    #[must_use]
    pub fn seed(&self, seed: u64) -> u64 {
        // An odd multiplier, so that each salt gives another seed.
        seed ^ (self.salt.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 0,
            engine: Engine::from_env(),
            policy: Policy::Random,
            output: Output::Stamped,
            label_names: numbers,
            time_limit: Duration::from_secs(3600),
            step_limit: 1_000_000_000,
            thread_limit: 20_000,
            cpu_limit: Duration::from_secs(5),
            wall_limit: Duration::from_secs(20),
            outside_limit: Duration::from_secs(2),
            edges: false,
            edge_mean: 100,
            spurious: false,
            trace: false,
            backtraces: true,
            drawn: None,
            turn: None,
        }
    }
}

impl Options {
    /// Seed 0, the fastest engine, the random schedule, one virtual hour.
    #[must_use]
    pub fn new() -> Options {
        Options::default()
    }

    /// The number that determines every choice of the run; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Options {
        self.seed = seed;
        self
    }

    /// The engine; by default the one of [`Engine::from_env`].
    #[must_use]
    pub fn engine(mut self, engine: Engine) -> Options {
        self.engine = engine.or_available();
        self
    }

    /// How the schedule chooses; [`Policy::Random`] by default.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Options {
        self.policy = policy;
        self
    }

    /// Where printed lines go; [`Output::Stamped`] by default.
    #[must_use]
    pub fn output(mut self, output: Output) -> Options {
        self.output = output;
        self
    }

    /// How stamped lines name a label. By default they show its numbers, and nothing for the
    /// default label.
    #[must_use]
    pub fn label_names(mut self, names: fn(Label) -> String) -> Options {
        self.label_names = names;
        self
    }

    /// The virtual time after which the run is stopped; one hour by default.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Options {
        self.time_limit = limit;
        self
    }

    /// The number of steps after which the run is stopped; 1,000,000,000 by default.
    #[must_use]
    pub fn step_limit(mut self, steps: u64) -> Options {
        self.step_limit = steps;
        self
    }

    /// The largest number of threads alive at the same time. If there are more, the run is stopped;
    /// 20,000 by default.
    #[must_use]
    pub fn thread_limit(mut self, threads: usize) -> Options {
        self.thread_limit = threads;
        self
    }

    /// The CPU time without a step after which a thread counts as spinning; 5 s by default.
    #[must_use]
    pub fn cpu_limit(mut self, limit: Duration) -> Options {
        self.cpu_limit = limit;
        self
    }

    /// The real time without a step after which a thread counts as blocked outside the simulation;
    /// 20 s by default.
    #[must_use]
    pub fn wall_limit(mut self, limit: Duration) -> Options {
        self.wall_limit = limit;
        self
    }

    /// The real time to wait, when every simulated thread waits, for a thread outside that can
    /// still wake one of them; 2 s by default. The run waits only while such a thread exists.
    #[must_use]
    pub fn outside_limit(mut self, limit: Duration) -> Options {
        self.outside_limit = limit;
        self
    }

    /// Whether to switch threads also at the edges of instrumented crates; off by default.
    #[must_use]
    pub fn edges(mut self, edges: bool) -> Options {
        self.edges = edges;
        self
    }

    /// The mean number of instrumented edges between two such switches; 100 by default.
    #[must_use]
    pub fn edge_mean(mut self, edges: u32) -> Options {
        self.edge_mean = edges.max(1);
        self
    }

    /// Whether waits on the standard library's condition variables and parked threads sometimes end
    /// spuriously; off by default. `parking_lot` hides such wakes.
    #[must_use]
    pub fn spurious(mut self, spurious: bool) -> Options {
        self.spurious = spurious;
        self
    }

    /// Whether to keep every step in [`Report::trace`](crate::Report::trace), which takes 24 bytes
    /// a step; off by default.
    #[must_use]
    pub fn trace(mut self, trace: bool) -> Options {
        self.trace = trace;
        self
    }

    /// Whether the report of a run that did not finish has the backtraces of blocked threads; on by
    /// default.
    #[must_use]
    pub fn backtraces(mut self, backtraces: bool) -> Options {
        self.backtraces = backtraces;
        self
    }

    /// Draws only the decisions with these numbers, counted from 0 in the order of the run, in
    /// ascending ranges. In all others the running thread runs on, or else the thread that has
    /// waited longest runs. By default every decision is drawn.
    ///
    /// A decision that is not drawn still takes its number from the stream of the schedule. So two
    /// runs that differ only in these ranges draw the same for the same decision.
    #[must_use]
    pub fn draw_only(mut self, decisions: Vec<Range<u64>>) -> Options {
        self.drawn = Some(decisions);
        self
    }

    /// Draws everything anew after a moment of the run; never by default.
    #[must_use]
    pub fn turn(mut self, turn: Option<Turn>) -> Options {
        self.turn = turn;
        self
    }
}

fn numbers(label: Label) -> String {
    if label == Label::default() { String::new() } else { label.to_string() }
}
