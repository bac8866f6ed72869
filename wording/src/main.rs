//! `cargo wording`: checks what people read.
//!
//! Exit code 0 if the list of messages is complete and no word to avoid is used, 1 if not, 2 if
//! the check failed.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

/// Checks the sentences that people read: messages, help, comments and pages
#[derive(Parser)]
#[command(name = "cargo wording")]
struct Args {
    /// Write the list of messages, wording/messages.txt, as it is now
    #[arg(long)]
    accept: bool,
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the kit");
    if args.accept {
        wording::accept(root)?;
    }
    let problems = wording::check(root)?;
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} problems", problems.len());
    Ok(ExitCode::from(BROKEN))
}
