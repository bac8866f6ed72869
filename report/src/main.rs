//! `cargo timeline`: a recorded run as text, as a page, or as a trace for Perfetto.
//!
//! Exit code 0 if it was written, 2 if the file cannot be read or written.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use report::timeline::{Filter, Group};

/// Shows a recorded run, a .run file that a test wrote to target/lab
#[derive(Parser)]
#[command(name = "cargo timeline")]
struct Args {
    /// The run file
    file: PathBuf,

    /// Show only this server; can be given several times
    #[arg(long = "server", value_name = "N")]
    servers: Vec<usize>,

    /// Show only this group of events; can be given several times [default: all but details,
    /// messages, saves and answers]
    #[arg(long = "show", value_name = "GROUP")]
    groups: Vec<Group>,

    /// Show only events from this time on, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    from: f64,

    /// Show only events up to this time, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = f64::MAX)]
    to: f64,

    /// Write a page to this file instead, to open in a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write a trace for https://ui.perfetto.dev to this file instead
    #[arg(long, value_name = "FILE")]
    perfetto: Option<PathBuf>,
}

const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let run = runfile::read(&args.file).with_context(|| shown(&args.file))?;
    if let Some(path) = &args.html {
        return fs::write(path, report::html(&run)).with_context(|| shown(path));
    }
    if let Some(path) = &args.perfetto {
        return fs::write(path, report::perfetto::trace(&run)).with_context(|| shown(path));
    }
    let micros = |seconds: f64| (seconds.max(0.0) * 1e6) as u64;
    let filter = Filter {
        servers: args.servers.clone(),
        groups: args.groups.clone(),
        times: micros(args.from)..=micros(args.to),
    };
    let text = report::timeline::timeline(&run, &filter);
    // A reader such as `head` may close the pipe early.
    _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
