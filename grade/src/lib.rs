//! `cargo grade`: from a folder of student code to points.
//!
//! The command is [`main_with`] over the labs. A course that has tests of its own builds a grader
//! with them.
//!
//! A batch of submissions is read (`intake/`), built (`build/`) against the kit, run through the
//! labs (`run/`), and reported (`report/`). Each of these folders imports only from those before
//! it. An error of the user is one sentence with an exit code; a fault of the kit has another exit
//! code.

mod bounds;
mod exit;
mod kit;
mod isolation;
mod intake;
mod build;
mod run;
mod plan;
mod report;
mod args;
mod batch;
mod replay;
mod new;

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use runner::{Suite, Table};

use args::{Args, Command};
use build::guard;
use exit::{Exit, UserError};
use intake::submission_names::names;
use isolation::Isolation;
use kit::Kit;
use plan::Plan;
use report::format::Format;
use report::graded::Graded;
use report::json;
use report::notices::{Notices, Summaries};
use report::progress::Progress;
use report::reporter::{Conditions, Reporter};
use run::runner::Files;
use run::store::Store;
use run::{confine, remote};

/// Grades with the tests of these suites: the whole `main` of a grader.
///
/// The first suites should be [`LABS`](tests::LABS); more suites are a course's own tests. The
/// program starts itself again for each run, so nothing may come before this call.
pub fn main_with(suites: &[Suite]) -> ExitCode {
    if let Some(exit) = sandbox::launch(env::args_os()) {
        return exit;
    }
    let table = match Table::new(suites) {
        Ok(table) => Box::leak(Box::new(table)),
        Err(error) => {
            let error = UserError::usage(error.to_string()).into();
            return ExitCode::from(exit::report(&error) as u8);
        }
    };
    let words = || env::args_os().skip(1);
    let asked = remote::run_if_asked(table, words()).or_else(|| guard::run_if_asked(words()));
    if let Some(never) = asked {
        match never {}
    }
    let args = Args::try_parse_with(table, own_arguments(env::args_os()));
    let args = args.unwrap_or_else(|error| exit::end_with(&error));
    let exit = panic::catch_unwind(AssertUnwindSafe(|| execute(table, args)));
    let exit = exit.unwrap_or_else(|_| {
        eprintln!("error: the grader panicked; this is a fault of the kit");
        Exit::Kit
    });
    ExitCode::from(exit as u8)
}

/// Cargo calls `cargo grade PATH` as `cargo-grade grade PATH`.
fn own_arguments<T: AsRef<std::ffi::OsStr>>(
    arguments: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let is_cargos_word = |(at, word): &(usize, T)| *at == 1 && word.as_ref() == "grade";
    arguments.enumerate().filter(move |word| !is_cargos_word(word)).map(|(_, word)| word)
}

fn execute(table: &'static Table, args: Args) -> Exit {
    let result = match args.command {
        Some(Command::New { dir }) => new::create(&dir).map(|()| Exit::Passed),
        Some(Command::Replay(replay)) => replay::replay(table, &replay),
        Some(Command::RunsOf { program }) => print_arguments(&program).map(|()| Exit::Passed),
        None => {
            let format = args.grading.format;
            args.grading.plan(table).and_then(|plan| grade_all(&plan, format))
        }
    };
    result.unwrap_or_else(|error| exit::report(&error))
}

/// For the kit's own programs, which make runs as a grading does, and grade nothing.
fn print_arguments(program: &Path) -> anyhow::Result<()> {
    let sandbox = confine::sandbox(Isolation::Process, false)?.context("servers are processes")?;
    let words = remote::arguments(&sandbox, program, "")?;
    let words: Option<Vec<&str>> = words.iter().map(|word| word.to_str()).collect();
    let words = words.context("the path of the program is not valid Unicode")?;
    println!("{}", serde_json::to_string(&words)?);
    Ok(())
}

fn grade_all(plan: &Plan, format: Format) -> anyhow::Result<Exit> {
    let kit = Kit::find_for(plan.table.tests())?;
    let sandbox = confine::sandbox(plan.isolation, plan.require_sandbox)?;
    let store = plan.out.as_deref().map(Store::open).transpose()?;
    let scratch = confine::scratch(&kit, plan.jobs)?;
    let names = names(&plan.paths);
    let progress = Progress::new(names.len(), plan.tests.len() * plan.seeds.len());
    let conditions = Conditions { kit: &kit, sandbox: sandbox.as_ref(), plan };
    let mut reporters = reporters(conditions, format, store.as_ref());
    let mut worst = Exit::Passed;
    batch::grade(
        conditions,
        &names,
        Files { store: store.as_ref(), scratch: scratch.path() },
        &progress,
        |at, attempt| {
            worst = worst.max(attempt.exit());
            let graded = Graded::of(&names[at], &plan.paths[at], plan, &attempt);
            progress.print(|| {
                for reporter in &mut reporters {
                    reporter.graded(&graded, &attempt);
                }
            });
        },
    )?;
    progress.finish();
    for reporter in reporters {
        reporter.finish()?;
    }
    if let Some(store) = store {
        store.close()?;
    }
    Ok(worst)
}

/// All reporters, in the order in which they print.
fn reporters<'a>(
    conditions: Conditions<'a>,
    format: Format,
    store: Option<&'a Store>,
) -> Vec<Box<dyn Reporter + 'a>> {
    let plan = conditions.plan;
    let mut reporters: Vec<Box<dyn Reporter>> = vec![
        Box::new(Notices { several: plan.paths.len() > 1 }),
        (format.reporter)(conditions),
        Box::new(Summaries::new(plan)),
    ];
    reporters.extend(store.map(|store| json::to_store(conditions, store)));
    reporters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], expected: &[&str]) {
        assert_eq!(own_arguments(arguments.iter()).copied().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_word_that_cargo_adds_is_dropped_once() {
        check(&["cargo-grade", "grade", "raft"], &["cargo-grade", "raft"]);
        check(&["cargo-grade", "raft"], &["cargo-grade", "raft"]);
        check(&["cargo-grade", "grade", "grade"], &["cargo-grade", "grade"]);
    }
}
