//! Runs ordinary threads one at a time, in seeded virtual time.

pub mod options;
pub mod report;
pub mod trace;
pub mod repeat;

#[cfg(sim_virtual)]
pub mod run;
#[cfg(sim_virtual)]
pub mod step;
#[cfg(sim_virtual)]
pub mod inside;
#[cfg(sim_virtual)]
mod watchdog;
#[cfg(sim_virtual)]
mod scheduler;
#[cfg(sim_virtual)]
mod hooks;
#[cfg(sim_virtual)]
mod engine;
#[cfg(sim_virtual)]
mod sys;

pub use options::{Engine, Options, Output, Schedule};
pub use repeat::{Divergence, repeat};
pub use report::{Label, Outcome, PanicInfo, Report, ThreadInfo, ThreadState};
pub use trace::{Difference, Op, Step, first_difference};

#[cfg(sim_virtual)]
pub use hooks::edges::instrumented_edges;
#[cfg(sim_virtual)]
pub use inside::{
    LabelGuard, current_label, discard, is_virtual, label, now, pause, resume, set_clock_rate,
    threads, threads_with_backtraces,
};
#[cfg(sim_virtual)]
pub use run::run;
#[cfg(sim_virtual)]
pub use step::{Inbox, Outbox, Pause, Stepped};
