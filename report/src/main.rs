//! `cargo timeline`: a recorded run as text, as a page, or as a trace for Perfetto, and answers to
//! questions about it.
//!
//! Exit code 0 if it was written or there is an answer, 1 if there is no answer, 2 if the file or
//! the question is wrong.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use report::ask::Question;
use report::timeline::{Filter, Group};
use runfile::RunFile;

/// Shows a recorded run, a .run file that a test wrote to target/lab
#[derive(Parser)]
#[command(name = "cargo timeline")]
struct Args {
    /// The run file
    #[arg(required_unless_present = "ask")]
    file: Option<PathBuf>,

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

    /// Print the moments at which this holds, such as 'leader and not majority_reachable'; 'help'
    /// lists all words
    #[arg(long, value_name = "QUESTION",
          conflicts_with_all = ["servers", "groups", "from", "to", "html", "perfetto"])]
    ask: Option<String>,

    /// With --ask: print JSON Lines
    #[arg(long, requires = "ask")]
    json: bool,

    /// With --ask: print at most this many answers
    #[arg(long, value_name = "N", default_value_t = ANSWERS, requires = "ask")]
    limit: usize,
}

/// Answers that are shown if the command line does not say.
const ANSWERS: usize = 50;
const NO_ANSWER: u8 = 1;
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.ask {
        Some(question) => ask(question, &args),
        None => show(&args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(FAILED)
    })
}

fn ask(question: &str, args: &Args) -> Result<ExitCode> {
    if question.trim() == "help" {
        print(&report::ask::help());
        return Ok(ExitCode::SUCCESS);
    }
    let question = Question::parse(question)?;
    let run = read(args)?;
    let answers = question.ask(&run);
    if args.json {
        print(&answers.json(args.limit));
    } else {
        print(&answers.text(args.limit));
        answers.notes().iter().for_each(|note| eprintln!("note: {note}"));
    }
    Ok(if answers.count() > 0 { ExitCode::SUCCESS } else { ExitCode::from(NO_ANSWER) })
}

fn read(args: &Args) -> Result<RunFile> {
    let file = args.file.as_ref().context("a question needs a run file")?;
    runfile::read(file).with_context(|| shown(file))
}

fn show(args: &Args) -> Result<()> {
    let run = read(args)?;
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
    print(&text);
    Ok(())
}

fn print(text: &str) {
    // A reader such as `head` may close the pipe early.
    _ = std::io::stdout().write_all(text.as_bytes());
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
