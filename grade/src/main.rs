//! `cargo grade`: from a folder of student code to points.
//!
//! A [batch] of submissions is [read](intake), [built](build) against the kit, [run] through the
//! labs, and [reported](report). A user's error is one sentence and an exit code of its own; a
//! fault of the kit has another.

mod bounds;
mod exit;
mod kit;
mod isolation;
mod intake;
mod build;
mod run;
mod args;
mod report;
mod batch;
mod replay;
mod new;

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::{env, io};

use ::tests::plain;
use clap::Parser;

use args::{Args, Command, Format, Plan};
use batch::Attempt;
use build::guard;
use exit::Exit;
use kit::Kit;
use report::json::{Graded, Report};
use report::progress::Progress;
use report::{failures, score, table};
use run::finished::Files;
use run::store::Store;
use run::{confine, remote};

fn main() -> ExitCode {
    if let Some(exit) = sandbox::launch(env::args_os()) {
        return exit;
    }
    let words = || env::args_os().skip(1);
    if let Some(never) = remote::obey(words()).or_else(|| guard::obey(words())) {
        match never {}
    }
    let args = Args::try_parse_from(own_arguments(env::args_os()));
    let args = args.unwrap_or_else(|error| exit::end_with(&error));
    let exit = panic::catch_unwind(AssertUnwindSafe(|| obey(args))).unwrap_or_else(|_| {
        eprintln!("error: the grader itself panicked; that is a fault of the kit");
        Exit::Kit
    });
    ExitCode::from(exit as u8)
}

/// Cargo hands `cargo grade PATH` to this program as `cargo-grade grade PATH`.
fn own_arguments<T: AsRef<std::ffi::OsStr>>(
    arguments: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let is_cargos_word = |(at, word): &(usize, T)| *at == 1 && word.as_ref() == "grade";
    arguments.enumerate().filter(move |word| !is_cargos_word(word)).map(|(_, word)| word)
}

fn obey(args: Args) -> Exit {
    let result = match args.command {
        Some(Command::New { dir }) => new::create(&dir).map(|()| Exit::Passed),
        Some(Command::Replay(replay)) => replay::replay(&replay),
        None => args.grading.plan().and_then(|plan| grade_all(&plan)),
    };
    result.unwrap_or_else(|error| exit::tell(&error))
}

fn grade_all(plan: &Plan) -> anyhow::Result<Exit> {
    let kit = Kit::find()?;
    let sandbox = confine::sandbox(plan.peers, plan.require_sandbox)?;
    let store = plan.out.as_deref().map(Store::open).transpose()?;
    let scratch = confine::scratch(&kit, plan.jobs)?;
    let names = batch::names(&plan.paths);
    let progress = Progress::new(names.len(), plan.tests.len() * plan.seeds.len());
    let mut worst = Exit::Passed;
    let mut submissions = Vec::new();
    batch::grade(
        &kit,
        sandbox.as_ref(),
        plan,
        &names,
        Files { store: store.as_ref(), scratch: scratch.path() },
        &progress,
        |at, attempt| {
            let (name, path) = (&names[at], &plan.paths[at]);
            let exit = attempt.scores.as_ref().map_or_else(exit::of, |scores| score::exit(scores));
            worst = worst.max(exit);
            progress.print(|| {
                tell(plan, name, path, &attempt);
                if attempt.scores.is_err() {
                    progress.leave_a_line();
                }
            });
            let graded = Graded::of(name, path, plan, attempt);
            progress.say(&format!("{}/{} {}", at + 1, names.len(), graded.summary()));
            submissions.push(graded);
        },
    )?;
    progress.finish();
    let report = Report::of(&kit, sandbox.as_ref(), plan, submissions);
    if plan.format == Format::Text && report.submissions.len() > 1 {
        println!("{}", table::of_all(&report.submissions));
    }
    let report = report.to_json();
    if plan.format == Format::Json {
        io::stdout().write_all(plain::json(&report).as_bytes())?;
    }
    if let Some(store) = store {
        store.save_report(&report);
        store.close()?;
    }
    Ok(worst)
}

/// What people read of a submission.
fn tell(plan: &Plan, name: &str, path: &Path, attempt: &Attempt) {
    let left_out = attempt.left_out.iter().filter(|it| !it.is_ordinary);
    let left_out: Vec<&str> = left_out.map(|it| it.name.as_str()).collect();
    if !left_out.is_empty() {
        let line = format!("left out of {name}: {}", left_out.join(", "));
        eprintln!("note: {}", plain::line(&line));
    }
    let scores = match &attempt.scores {
        Ok(scores) => scores,
        Err(error) => {
            exit::tell(error);
            return;
        }
    };
    if plan.format == Format::Text {
        print!("{}", table::render(name, path, plan, scores));
        print!("{}", failures::render(path, &failures::how(plan), plan.submission_budget, scores));
        if plan.paths.len() > 1 {
            println!();
        }
    }
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
