//! `cargo grade`: from a folder of student code to points.
//!
//! A submission is [taken](take), [compiled](compile) against the kit, [run] through the labs,
//! [scored](score) and [told about](table). A user's error is one sentence and an exit code of its
//! own; what the kit does wrong is another.

mod args;
mod exit;
mod kit;
mod new;
mod manifest;
mod take;
mod compile;
mod run;
mod score;
mod table;
mod failures;

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::{env, io};

use clap::Parser;

use args::{Args, Command, Plan};
use exit::Exit;
use kit::Kit;
use score::Score;
use take::Submission;

fn main() -> ExitCode {
    if let Some(exit) = sandbox::launch(env::args_os()) {
        return exit;
    }
    let args = Args::parse_from(own_arguments(env::args_os()));
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
        None => args.grading.plan().and_then(|plan| grade_all(&plan)),
    };
    result.unwrap_or_else(|error| exit::tell(&error))
}

/// One submission after the other; one that cannot be graded does not keep the others from it.
fn grade_all(plan: &Plan) -> anyhow::Result<Exit> {
    let kit = Kit::find()?;
    let exits = plan
        .paths
        .iter()
        .map(|path| grade(&kit, plan, path).unwrap_or_else(|error| exit::tell(&error)));
    Ok(exits.max().unwrap_or(Exit::Passed))
}

fn grade(kit: &Kit, plan: &Plan, path: &Path) -> anyhow::Result<Exit> {
    let submission = Submission::at(path, kit)?;
    let program = compile::compile(&submission, kit)?;
    let runs = run::run(&program, plan);
    let scores = Score::of_each(&plan.tests, runs);
    let mut out = io::stdout().lock();
    write!(out, "{}", table::render(&submission, plan, &scores))?;
    write!(out, "{}", failures::render(path, &scores))?;
    if plan.paths.len() > 1 {
        writeln!(out)?;
    }
    out.flush()?;
    Ok(score::exit(&scores))
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
