//! The limits of a run in virtual time, and the verdict if a run reaches one of them.
//!
//! Both the run of a whole test and that of a single peer in its own process need this.

use std::time::Duration;

use sim::{Options, Report};

use crate::crowd::crowd_with_the_dead;
use crate::failure::{Class, Failure};
use crate::label::{self, Label};
use crate::lives::Life;
use crate::referee::Referee;
use crate::threads;

/// The limit of a run's steps. The costliest test of the reference takes about a hundredth of this.
const STEPS_MAX: u64 = 100_000_000;
/// The limit of the number of threads alive at the same time.
const THREADS_MAX: usize = 5_000;
/// A thread that computes longer than this, without a call that the simulator takes over, is in an
/// endless loop.
const CPU_WITHOUT_A_STEP: Duration = Duration::from_secs(5);
/// A thread that waits longer than this in real time waits for something outside the run.
const REAL_TIME_WITHOUT_A_STEP: Duration = Duration::from_secs(10);

/// The options of a run with this seed and all limits.
pub fn options(seed: u64) -> Options {
    Options::new()
        .seed(seed)
        .step_limit(STEPS_MAX)
        .thread_limit(THREADS_MAX)
        .cpu_limit(CPU_WITHOUT_A_STEP)
        .wall_limit(REAL_TIME_WITHOUT_A_STEP)
        .label_names(label::name)
        .edges(sim::instrumented_edges() > 0)
}

/// Why a simulation ended before the code in it did. A thread of a killed server can also end the
/// run, since the run cannot continue next to it. The sentence then says that the server was
/// killed.
pub fn failure(report: &Report, referee: &Referee) -> Failure {
    let blamed = |id: u32| report.threads.iter().find(|thread| thread.id == id);
    let of_thread = |class, id, what: &str| {
        let Some(thread) = blamed(id) else {
            return Failure::new(class, format!("a thread {what}"));
        };
        let death = Life::of(thread.label).and_then(|life| referee.death(life));
        let late = death.map_or_else(String::new, |death| format!(" {death}"));
        let sentence = format!("{} {what}{late}", threads::name(thread));
        let failure = match Label::of(thread.label) {
            Label::Server(server) => Failure::of(server, class, sentence),
            Label::Shared => Failure::new(class, sentence),
            Label::Kit => Failure::new(Class::Infra, sentence),
        };
        failure.with_notes(threads::place(thread, referee).map(|place| format!("it is {place}")))
    };
    match &report.halt {
        sim::Halt::Spin { thread } => {
            of_thread(Class::Spin, *thread, "computes without a call that lets time pass")
        }
        sim::Halt::BlockedOutside { thread } => of_thread(
            Class::Outside,
            *thread,
            "waits for something outside the lab, such as a file or a socket",
        ),
        sim::Halt::Deadlock => {
            Failure::new(Class::Deadlock, "every thread waits for another thread").with_notes(
                report.threads.iter().map(|thread| {
                    let place = threads::place(thread, referee).unwrap_or_default();
                    format!("{} waits {place}", threads::name(thread))
                }),
            )
        }
        sim::Halt::StepLimit => {
            let busiest = report.threads.iter().find(|t| t.state == sim::ThreadState::Running);
            let what = format!("was running after {STEPS_MAX} steps: does it poll?");
            of_thread(Class::Spin, busiest.map_or(u32::MAX, |thread| thread.id), &what)
        }
        sim::Halt::ThreadLimit => {
            let sentence = format!("more than {THREADS_MAX} threads were alive at the same time");
            Failure::new(Class::Limit, sentence)
                .with_notes(crowd_with_the_dead(&report.threads, referee))
        }
        other => Failure::new(Class::Infra, format!("the simulation ended early: {other}")),
    }
}
