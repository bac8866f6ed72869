//! `cargo structure`: exit code 0 if the shape is right, 1 if a rule is broken, 2 if it is unknown.

use std::env;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// Checks the shape of this workspace against ARCHITECTURE.md
#[derive(Parser)]
#[command(name = "cargo structure")]
struct Args {
    /// Print sizes, rooms, floors and circles instead of checking
    #[arg(long)]
    report: bool,

    /// Print the arrows between crates as they are, for ARCHITECTURE.md
    #[arg(long, conflicts_with = "report")]
    arrows: bool,
}

const BROKEN: u8 = 1;
const UNKNOWN: u8 = 2;

fn main() -> ExitCode {
    run(&Args::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(UNKNOWN)
    })
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let here = env::current_dir().context("failed to find the current folder")?;
    if args.report {
        print!("{}", structure::report(&here)?);
        return Ok(ExitCode::SUCCESS);
    }
    if args.arrows {
        print!("{}", structure::arrows(&here)?);
        return Ok(ExitCode::SUCCESS);
    }
    let problems = structure::check(&here)?;
    for problem in &problems {
        print!("{problem}");
    }
    if problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} problems", problems.len());
    Ok(ExitCode::from(BROKEN))
}
