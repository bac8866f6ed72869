//! `bugs`: finds out which known bugs of the reference Raft the labs find.
//!
//! Every file in `patches` is a [mutant], every file in `legal` a correct variant, which must pass.
//! Each is [applied to a copy](workspace) of `raft`, compiled with the kit, and [run](trial)
//! through all labs, seed by seed, until it is killed. The result is the [matrix]: which bugs the
//! suite finds, and which it misses.
//!
//! After a change of the reference, [rebase] moves the patches, and [hashes] shows whether the
//! mutants still behave the same.

mod args;
mod exit;
mod mode;
mod head;
mod mutant;
mod git;
mod rebase;
mod sources;
mod digest;
mod workspace;
mod column;
mod matrix;
mod page;
mod compile;
mod trial;
mod hashes;
mod why;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;

use args::Args;
use column::{Column, SuiteOnly};
use exit::Exit;
use matrix::{Matrix, Row};
use mode::Mode;
use mutant::Mutant;
use rebase::Rebased;
use trial::Suite;
use workspace::Workspace;

/// The folder of this crate, which lies in the folder of the kit.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn main() -> ExitCode {
    let exit = run(&Args::parse()).unwrap_or_else(|error| exit::report(&error));
    ExitCode::from(exit as u8)
}

fn run(args: &Args) -> Result<Exit> {
    let known = Mutant::all(Path::new(CRATE))?;
    let chosen = mutant::choose(&known, &args.ids)?;
    match &args.rebase {
        Some(base) => rebase_patches(&chosen, base),
        None if args.check => check(&chosen),
        None if args.hashes => print_hashes(args, &chosen),
        None if args.why.is_some() => print_why(args, &chosen),
        None => try_out(args, &known, &chosen),
    }
}

/// Moves the patches to `raft/` of the working tree, and prints which must be moved by hand.
fn rebase_patches(mutants: &[&Mutant], base: &str) -> Result<Exit> {
    let kit = Path::new(CRATE).parent().context("this crate lies in the kit")?;
    let rebased = rebase::rebase(kit, mutants, base)?;
    let mut left = 0;
    for (mutant, rebased) in &rebased {
        if let Rebased::Left(why) = rebased {
            println!("{}.patch: {why}", mutant.name);
            left += 1;
        }
    }
    let rewritten = rebased.iter().filter(|(_, rebased)| *rebased == Rebased::Rewritten).count();
    let count = rebased.len();
    println!(
        "{count} patches: {rewritten} rewritten, {} unchanged, {left} to move by hand",
        count - rewritten - left
    );
    Ok(if left > 0 { Exit::Left } else { Exit::Good })
}

/// Checks that every patch applies and compiles.
fn check(mutants: &[&Mutant]) -> Result<Exit> {
    let workspace = Workspace::lay_out(Path::new(CRATE), mutants)?;
    let warnings = compile::check(&workspace, mutants)?;
    for (id, count) in warnings {
        println!("{id}: {count} warnings");
    }
    println!("{} patches apply and compile", mutants.len());
    Ok(Exit::Good)
}

/// Prints the hashes of some runs of every mutant.
fn print_hashes(args: &Args, mutants: &[&Mutant]) -> Result<Exit> {
    let folder = Path::new(CRATE);
    let workspace = Workspace::lay_out(folder, mutants)?;
    let all: Vec<Mutant> = mutants.iter().map(|mutant| (*mutant).clone()).collect();
    let matrix = Matrix::read(folder, &all)?;
    let rows: Vec<&Row> = matrix.rows.iter().collect();
    hashes::print(&workspace, &rows, args.seeds, args.jobs())?;
    Ok(Exit::Good)
}

/// Prints how few choices each failure needs, and which moment decided it.
fn print_why(args: &Args, mutants: &[&Mutant]) -> Result<Exit> {
    let folder = Path::new(CRATE);
    let workspace = Workspace::lay_out(folder, mutants)?;
    let all: Vec<Mutant> = mutants.iter().map(|mutant| (*mutant).clone()).collect();
    let matrix = Matrix::read(folder, &all)?;
    let rows: Vec<&Row> = matrix.rows.iter().collect();
    why::print(&workspace, &rows, Duration::from_secs(args.why.unwrap_or_default()))?;
    Ok(Exit::Good)
}

/// Tries every mutant in every mode for which the matrix has no result yet, and writes the matrix
/// after each trial.
fn try_out(args: &Args, known: &[Mutant], mutants: &[&Mutant]) -> Result<Exit> {
    let folder = Path::new(CRATE);
    let reference = Mutant::reference();
    let all: Vec<&Mutant> = [&reference].into_iter().chain(mutants.iter().copied()).collect();
    let workspace = Workspace::lay_out(folder, &all)?;
    let mut matrix = Matrix::read(folder, known)?;
    // Written even if there is nothing to try, because a head may have changed.
    write(&matrix, folder)?;
    let (known, trials): (Vec<_>, Vec<_>) = mutants
        .iter()
        .flat_map(|mutant| args.columns().into_iter().map(move |mode| (*mutant, mode)))
        .filter(|(mutant, mode)| *mode != Mode::SuiteOnly || mutant.head.must_be_subtle())
        .partition(|(mutant, mode)| {
            let digest = workspace.digest(mutant, *mode);
            !args.again && matrix.row(mutant).is_known(*mode, digest, args.seeds_of(*mode))
        });
    // Without ids, known results would be a long list.
    for (mutant, mode) in known.into_iter().filter(|_| !args.ids.is_empty()) {
        println!("{} (known result; --again runs it again)", page::line(matrix.row(mutant), mode));
    }
    if let Some((_, mode)) = trials.first() {
        eprintln!("compiling the kit for the mutants; the first time this takes minutes");
        let suite =
            Suite::cheap_first(&compile::build(&workspace, &reference, *mode)?, args.jobs())?;
        try_all(args, &suite, &workspace, &trials, &mut matrix)?;
    }
    print!("{}", page::totals(&matrix));
    let is_false_alarm = |mutant: &&Mutant| {
        let row = matrix.rows.iter().find(|row| row.mutant.id() == mutant.id());
        row.is_some_and(|row| args.columns().into_iter().any(|mode| row.is_false_alarm(mode)))
    };
    Ok(if mutants.iter().any(is_false_alarm) { Exit::FalseAlarm } else { Exit::Good })
}

/// Tries each mutant in its mode. The next one is compiled while one runs.
fn try_all(
    args: &Args,
    suite: &Suite,
    workspace: &Workspace,
    trials: &[(&Mutant, Mode)],
    matrix: &mut Matrix,
) -> Result<()> {
    thread::scope(|scope| {
        let (built, programs) = sync_channel(0);
        scope.spawn(move || {
            for (mutant, mode) in trials {
                let program = compile::build(workspace, mutant, *mode);
                if built.send((*mutant, *mode, program)).is_err() {
                    return;
                }
            }
        });
        for (mutant, mode, program) in programs {
            let (program, seeds) = (program?, args.seeds_of(mode));
            let digest = workspace.digest(mutant, mode).to_owned();
            let row = matrix.row(mutant);
            if mode == Mode::SuiteOnly {
                let column = suite.suite_only().try_to_pass(&program, seeds);
                row.suite_only = Some(SuiteOnly { digest, ..column });
            } else {
                let column = suite.without(&mutant.head.except).try_out(&program, seeds);
                row.put(mode, Column { digest, ..column });
            }
            println!("{}", page::line(row, mode));
            write(matrix, Path::new(CRATE))?;
        }
        Ok(())
    })
}

/// Writes `matrix.json` and `matrix.md`.
fn write(matrix: &Matrix, folder: &Path) -> Result<()> {
    matrix.write(folder)?;
    page::write(matrix, folder)
}
