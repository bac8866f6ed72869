//! For each mutant that the labs kill: how few choices its failure needs, and which moment decided
//! it. Prints a table.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::tests::LABS;
use anyhow::Result;
use runner::decisive::{Decisive, decisive};
use runner::shrink::{Bounds, Shrunk, shrink};
use runner::{Clock, Job, Outcome, TimeLimit};

use crate::column::Kill;
use crate::compile;
use crate::matrix::Row;
use crate::mode::Mode;
use crate::mutant::Mutant;
use crate::workspace::{Workspace, package_name};

const HEAD: &str = "| mutant | failure | choices | faults | commands | messages | switches | steps | \
                    CPU s | decisive moment |\n|---|---|---|---|---|---|---|---|---|---|";

/// Prints the table for the mutants of these rows that are killed with `inspect`. Each search takes
/// at most `time`.
pub(crate) fn print(workspace: &Workspace, rows: &[&Row], time: Duration) -> Result<()> {
    let killed: Vec<&&Row> = rows.iter().filter(|row| row.kill(Mode::Inspect).is_some()).collect();
    let mutants: Vec<&Mutant> = killed.iter().map(|row| &row.mutant).collect();
    let programs = compile::build_all(workspace, &mutants)?;
    println!("{HEAD}");
    for row in killed {
        let Some(kill) = row.kill(Mode::Inspect) else { continue };
        println!("{}", line(&row.mutant, kill, &programs[&package_name(&row.mutant)], time));
    }
    Ok(())
}

fn line(mutant: &Mutant, kill: &Kill, program: &Path, time: Duration) -> String {
    let id = mutant.id();
    let Some(test) = LABS.tests.iter().find(|test| test.name() == kill.test) else {
        return format!("| {id} | the test {} is gone |", kill.test);
    };
    let job = Job {
        program,
        arguments: &[],
        test,
        seed: kill.seed,
        clock: Clock::default(),
        invariants: true,
        record: None,
        variation: None,
    };
    let outcome = job.run();
    let Err(failure) = &outcome.verdict else {
        return format!("| {id} | {} passes with seed {} |", kill.test, kill.seed);
    };
    let rule = failure.rule.map_or_else(String::new, |rule| format!(" {}", rule.id()));
    let failed = format!("{}, seed {}: {}{rule}", kill.test, kill.seed, failure.class);
    let stop = AtomicBool::new(false);
    let bounds = Bounds { time, stop: &stop, progress: &|_, _| () };
    let shrunk = shrink(&job, &TimeLimit, &outcome, &bounds);
    let decisive = decisive(&job, &TimeLimit, &outcome, time, &stop);
    let sizes = shrunk.map_or_else(|why| why, |shrunk| sizes(&shrunk, &outcome));
    format!("| {id} | {failed} | {sizes} | {} |", moment(decisive.as_ref()))
}

/// Whole run to shorter run, for each size.
fn sizes(shrunk: &Shrunk, whole: &Outcome) -> String {
    let Shrunk { before, after, .. } = shrunk;
    let steps = |outcome: &Outcome| outcome.simulation.map_or(0, |simulation| simulation.steps);
    let end = if shrunk.is_minimal { "" } else { ", stopped" };
    format!(
        "{} to {} | {} to {} | {} to {} | {} to {} | {} to {} | {} to {} | {:.1}{end}",
        before.total(),
        after.total(),
        before.faults,
        after.faults,
        before.commands,
        after.commands,
        before.messages,
        after.messages,
        before.switches,
        after.switches,
        steps(whole),
        steps(&shrunk.outcome),
        shrunk.cpu.as_secs_f64()
    )
}

fn moment(decisive: Option<&Decisive>) -> String {
    let Some(Decisive { before, after, time, .. }) = decisive else {
        return "the time was too short".into();
    };
    format!(
        "{:.4} s: {} of {}, before {} of {} ({:.1} s)",
        after.t as f64 / 1e6,
        after.failed,
        after.futures,
        before.failed,
        before.futures,
        time.as_secs_f64()
    )
}
