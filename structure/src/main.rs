//! `cargo structure`: exit code 0 if no rule is broken, 1 if one is, 2 if the check failed.

use std::env;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// Checks the structure of this workspace against ARCHITECTURE.md
#[derive(Parser)]
#[command(name = "cargo structure")]
struct Args {
    /// Do not check; print sizes, folders, levels and cycles
    #[arg(long)]
    report: bool,

    /// Do not check; print the actual arrows between crates, for ARCHITECTURE.md
    #[arg(long, conflicts_with = "report")]
    arrows: bool,
}

const BROKEN: u8 = 1;
const FAILED: u8 = 2;

fn main() -> ExitCode {
    run(&Args::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(FAILED)
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
