//! `bugs`: plants known mistakes into the reference Raft, and says which of them the labs find.
//!
//! Every file in `patches` is one [plant], every file in `legal` a variant that must pass.
//! Each is [applied to a copy](workspace) of `raft`, compiled with the kit, and [run](trial) through
//! all labs, seed by seed until it is killed. What came of it is the [matrix]: how good the
//! suite is, in numbers, and what it still misses.

mod args;
mod exit;
mod plant;
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
use exit::{Exit, Refusal};
use matrix::{Matrix, Row};
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
    args.refuse_what_is_not_there_yet()?;
    let known = Plant::all(Path::new(CRATE))?;
    let chosen = plant::choose(&known, &args.ids)?;
    if args.check { check(&chosen) } else { try_out(args, &known, &chosen) }
}

/// Whether every patch applies and compiles.
fn check(plants: &[&Plant]) -> Result<Exit> {
    let workspace = Workspace::lay_out(Path::new(CRATE), plants, false)?;
    let warnings = compile::check(&workspace, plants)?;
    for (id, count) in warnings {
        println!("{id}: {count} warnings");
    }
    println!("{} patches apply and compile", plants.len());
    Ok(Exit::Good)
}

/// Runs the labs on every plant, and writes the matrix after each.
fn try_out(args: &Args, known: &[Plant], plants: &[&Plant]) -> Result<Exit> {
    let folder = Path::new(CRATE);
    let reference = Plant::reference();
    let all: Vec<&Plant> = [&reference].into_iter().chain(plants.iter().copied()).collect();
    let workspace = Workspace::lay_out(folder, &all, args.black_box)?;
    let mut matrix = Matrix::read(folder, known)?;
    let suite = Suite::cheap_first(&compile::build(&workspace, &reference)?, args.jobs())?;
    let mut exit = Exit::Good;
    thread::scope(|scope| -> Result<()> {
        // One is compiled while another runs.
        let (built, programs) = sync_channel(0);
        scope.spawn(move || {
            for plant in plants {
                let program = compile::build(&workspace, plant);
                if built.send((*plant, program)).is_err() {
                    return;
                }
            }
        });
        for (plant, program) in programs {
            let column = suite.try_out(&program?, args.seeds);
            let row = Row { columns: vec![(args.column(), column)], ..Row::of(plant) };
            println!("{}", page::line(&row, args.column()));
            if row.is_false_alarm(args.column()) {
                exit = Exit::FalseAlarm;
            }
            matrix.put(row);
            matrix.write(folder)?;
        }
        Ok(())
    })?;
    print!("{}", page::summary(&matrix, args.column()));
    Ok(exit)
}

impl Args {
    fn refuse_what_is_not_there_yet(&self) -> Result<(), Refusal> {
        if self.edges {
            let sentence = "--edges is not there yet: a run cannot be told to switch at edges";
            return Err(Refusal::usage(sentence));
        }
        Ok(())
    }
}
