//! `bugs`: plants known mistakes into the reference Raft, and says which of them the labs find.
//!
//! Every file in `patches` is one [plant], every file in `legal` a variant that must pass.
//! Each is [applied to a copy](workspace) of `raft`, compiled with the kit, and [run](trial)
//! through all labs, seed by seed until it is killed. What came of it is the [matrix]: how good the
//! suite is, in numbers, and what it still misses.

mod args;
mod exit;
mod plant;
mod digest;
mod workspace;
mod compile;
mod trial;
mod column;
mod matrix;
mod page;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::Result;
use clap::Parser;

use args::Args;
use column::{Column, Plain};
use exit::Exit;
use matrix::{Matrix, Mode};
use plant::Plant;
use trial::Suite;
use workspace::Workspace;

/// This crate's folder, in the kit's.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn main() -> ExitCode {
    let exit = obey(&Args::parse()).unwrap_or_else(|error| exit::tell(&error));
    ExitCode::from(exit as u8)
}

fn obey(args: &Args) -> Result<Exit> {
    let known = Plant::all(Path::new(CRATE))?;
    let chosen = plant::choose(&known, &args.ids)?;
    if args.check { check(&chosen) } else { try_out(args, &known, &chosen) }
}

/// Whether every patch applies and compiles.
fn check(plants: &[&Plant]) -> Result<Exit> {
    let workspace = Workspace::lay_out(Path::new(CRATE), plants)?;
    let warnings = compile::check(&workspace, plants)?;
    for (id, count) in warnings {
        println!("{id}: {count} warnings");
    }
    println!("{} patches apply and compile", plants.len());
    Ok(Exit::Good)
}

/// Finds out what is not known yet of every plant, and writes the matrix after each.
fn try_out(args: &Args, known: &[Plant], plants: &[&Plant]) -> Result<Exit> {
    let folder = Path::new(CRATE);
    let reference = Plant::reference();
    let all: Vec<&Plant> = [&reference].into_iter().chain(plants.iter().copied()).collect();
    let workspace = Workspace::lay_out(folder, &all)?;
    let mut matrix = Matrix::read(folder, known)?;
    // Also where nothing is to be found out: what a head says may have changed.
    matrix.write(folder)?;
    let (known, trials): (Vec<_>, Vec<_>) = plants
        .iter()
        .flat_map(|plant| args.columns().into_iter().map(move |mode| (*plant, mode)))
        .filter(|(plant, mode)| *mode != Mode::Plain || plant.must_be_subtle())
        .partition(|(plant, mode)| {
            let digest = workspace.digest(plant);
            !args.again && matrix.row(plant).is_known(*mode, digest, args.seeds(*mode))
        });
    // Who names none wants to know what is new.
    for (plant, mode) in known.into_iter().filter(|_| !args.ids.is_empty()) {
        println!("{} (known; --again tries it anew)", page::line(matrix.row(plant), mode));
    }
    if let Some((_, mode)) = trials.first() {
        eprintln!("compiling the kit for the plants, which takes minutes the first time");
        let suite =
            Suite::cheap_first(&compile::build(&workspace, &reference, *mode)?, args.jobs())?;
        try_all(args, &suite, &workspace, &trials, &mut matrix)?;
    }
    print!("{}", page::totals(&matrix));
    let is_false_alarm = |plant: &&Plant| {
        let row = matrix.rows.iter().find(|row| row.plant.id == plant.id);
        row.is_some_and(|row| args.columns().into_iter().any(|mode| row.is_false_alarm(mode)))
    };
    Ok(if plants.iter().any(is_false_alarm) { Exit::FalseAlarm } else { Exit::Good })
}

fn try_all(
    args: &Args,
    suite: &Suite,
    workspace: &Workspace,
    trials: &[(&Plant, Mode)],
    matrix: &mut Matrix,
) -> Result<()> {
    thread::scope(|scope| {
        // One is compiled while another runs.
        let (built, programs) = sync_channel(0);
        scope.spawn(move || {
            for (plant, mode) in trials {
                let program = compile::build(workspace, plant, *mode);
                if built.send((*plant, *mode, program)).is_err() {
                    return;
                }
            }
        });
        for (plant, mode, program) in programs {
            let (program, seeds) = (program?, args.seeds(mode));
            let digest = workspace.digest(plant).to_owned();
            let row = matrix.row(plant);
            if mode == Mode::Plain {
                let plain = suite.plain().try_to_pass(&program, seeds);
                row.plain = Some(Plain { digest, ..plain });
            } else {
                let column = suite.without(&plant.except).try_out(&program, seeds);
                row.put(mode, Column { digest, ..column });
            }
            println!("{}", page::line(row, mode));
            matrix.write(Path::new(CRATE))?;
        }
        Ok(())
    })
}
