//! `cargo grade replay`: makes a run again, prints its result, and compares it with a report.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use config::Class;
use runner::by_plan::ByPlan;
use runner::shorter::{Shorter, shorten};
use runner::{Outcome, Plan, Style, Table, Test, Variation, decisive, plain};
use sandbox::Sandbox;

use crate::args::{Replay, one_test};
use crate::build::budget::Budget;
use crate::build::compile::Builder;
use crate::exit::{self, Exit, UserError};
use crate::intake::submission::Submission;
use crate::intake::submission_names::names;
use crate::isolation::Isolation;
use crate::kit::Kit;
use crate::report::graded::{Graded, TestVerdict, Tested};
use crate::report::json::Report;
use crate::run::confine;
use crate::run::finished::{Run, Verdict};
use crate::run::runner::Runner;
use crate::run::scratch::Scratch;

/// Runs one test with one seed, or the failures of a report.
pub(crate) fn replay(table: &'static Table, replay: &Replay) -> Result<Exit> {
    if replay.seed.is_some() && replay.test.is_none() {
        let sentence = "--seed runs one test again; name that test with --test";
        return Err(UserError::usage(sentence).into());
    }
    let kit = Kit::find_for(table.tests())?;
    if let Some(file) = &replay.plan {
        let plan = Plan::read(file).map_err(UserError::usage)?;
        let test = table.test(&plan.test).ok_or_else(|| {
            let sentence =
                format!("{} is a plan of {:?}, which is no test", file.display(), plan.test);
            UserError::usage(sentence)
        })?;
        let by_plan = ByPlan::new(file, &plan).map_err(anyhow::Error::msg)?;
        return replay_one(&kit, replay, test, plan.seed, Some(&by_plan));
    }
    match (replay.seed, &replay.test) {
        (Some(seed), Some(words)) => replay_one(&kit, replay, one_test(table, words)?, seed, None),
        _ => replay_report(table, &kit, replay),
    }
}

/// Makes one run of a submission.
fn replay_one(
    kit: &Kit,
    replay: &Replay,
    test: &'static Test,
    seed: u64,
    by_plan: Option<&ByPlan>,
) -> Result<Exit> {
    replay.record.as_deref().map_or(Ok(()), check_file)?;
    let paths = [replay.path.clone()];
    let isolation = if replay.in_process { Isolation::Thread } else { Isolation::Process };
    isolation.check(&[test])?;
    let sandbox = confine::sandbox(isolation, false)?;
    let sandbox = sandbox.as_ref();
    let replayer = Replayer::new(kit, isolation, sandbox, replay.budget, &replay.salt)?;
    let (runner, _) = replayer.build(&names(&paths)[0], &replay.path)?;
    let scratch = replayer.scratch.path();
    let variation = by_plan.map(|by_plan| &by_plan.variation);
    let mut run = runner.run_by(scratch, test, seed, variation);
    let recorded = replay
        .record
        .as_ref()
        .filter(|file| record(&runner, scratch, &run, variation, file, replay));
    if let Some(by_plan) = by_plan {
        let lines = by_plan.forgive(&mut run.outcome).into_iter().chain(by_plan.unmet());
        lines.for_each(|line| println!("{line}"));
    }
    print!("{}", describe(&run));
    if let (Some(file), Verdict::Failed) = (recorded, run.verdict()) {
        explain(&runner, scratch, &run, file, replay);
    }
    Ok(exit(&run))
}

/// Refuses a file that cannot be written. A build takes minutes, so this comes before it.
fn check_file(file: &Path) -> Result<(), UserError> {
    let shown = file.display();
    let extension = file.extension().and_then(OsStr::to_str);
    if let Some(extension @ ("html" | "txt")) = extension {
        let sentence = format!(
            "{shown} is the name of a picture; give --record a name that does not end in \
             .{extension}"
        );
        return Err(UserError::usage(sentence));
    }
    let is_new = !file.exists();
    let opened = File::options().write(true).create(true).truncate(false).open(file);
    opened.map_err(|error| UserError::usage(format!("failed to write {shown}: {error}")))?;
    if is_new {
        // If the build fails, no empty file is left.
        let _ = fs::remove_file(file);
    }
    Ok(())
}

/// Records a run, and says where. A run without a recording is still a run: the error is printed.
fn record(
    runner: &Runner,
    scratch: &Path,
    run: &Run,
    variation: Option<&Variation>,
    file: &Path,
    replay: &Replay,
) -> bool {
    let shown = |extension| plain::line(&file.with_extension(extension).display().to_string());
    let again = again(replay, run);
    match runner.record(scratch, run, variation, file, &again) {
        Ok(()) => println!("picture:  {}\ntimeline: {}", shown("html"), shown("txt")),
        Err(why) => eprintln!("error: failed to record the run: {why}"),
    }
    file.exists()
}

/// The command that makes a run again.
fn again(replay: &Replay, run: &Run) -> String {
    match &replay.plan {
        Some(plan) => format!("cargo grade replay --plan {}", plan.display()),
        None => format!("cargo grade replay --test \"{}\" --seed {}", run.test.words, run.seed),
    }
}

/// Looks for the moment that decided a run, and for a shorter run, if that is asked for.
fn explain(runner: &Runner, scratch: &Path, run: &Run, file: &Path, replay: &Replay) {
    let seconds = Duration::from_secs;
    runner.vary(scratch, run, |job, supervise| {
        if let Some(time) = replay.decisive.map(seconds) {
            let lines = decisive::tell(job, supervise, &run.outcome, time, Some(file));
            lines.iter().for_each(|line| println!("  {line}"));
        }
        if let Some(time) = replay.shrink.map(seconds) {
            let again = |plan: &Path| format!("cargo grade replay --plan {}", plan.display());
            match shorten(job, supervise, &run.outcome, time, file, &again) {
                Ok(shorter) => print!("{}", describe_shorter(&shorter, run)),
                Err(why) => println!("  not shorter: {why}"),
            }
        }
    });
}

fn describe_shorter(shorter: &Shorter, run: &Run) -> String {
    let mut lines = shorter.lines();
    lines.push(match &shorter.recording {
        Ok(path) => format!("picture:  {}", path.with_extension("html").display()),
        Err(why) => format!("not recorded: {why}"),
    });
    let style = Style { lines: &lines, again: Some(&shorter.again), ..Style::default() };
    shorter.shrunk.outcome.render(run.test, run.seed, style)
}

/// Runs every failure of the report again, or those that the command line asks for.
fn replay_report(table: &Table, kit: &Kit, replay: &Replay) -> Result<Exit> {
    let report = Report::read(&replay.path)?;
    let isolation = report.peers;
    let sandbox = confine::sandbox(isolation, false)?;
    let replayer = Replayer::new(kit, isolation, sandbox.as_ref(), replay.budget, &report.salt)?;
    let test =
        replay.test.as_deref().map(|words| one_test(table, words)).transpose()?.map(Test::name);
    let mut tally = Tally::default();
    let mut ungraded = Vec::new();
    for submission in submissions(&report, replay.submission.as_deref(), &replay.path)? {
        let wanted = |tested: &&Tested| test.as_ref().is_none_or(|name| tested.name == *name);
        let failures: Vec<(&Tested, u64)> =
            submission.tests.iter().filter(wanted).filter_map(|it| Some((it, it.seed?))).collect();
        if submission.error.is_some() {
            ungraded.push(submission.name.as_str());
        }
        if !failures.is_empty() {
            replayer.replay_all(table, submission, &failures, &mut tally)?;
        }
    }
    if !ungraded.is_empty() {
        let names = plain::line(&ungraded.join(", "));
        eprintln!("note: not graded, so not run again: {names}");
    }
    let Tally { runs, same, exits } = tally;
    if exits.is_empty() {
        if ungraded.is_empty() && replay.test.is_none() && replay.submission.is_none() {
            let path = plain::line(&replay.path.display().to_string());
            println!("{path} has no failures");
            return Ok(Exit::Passed);
        }
        let sentence = format!("{} has no such failure", replay.path.display());
        return Err(UserError::usage(sentence).into());
    }
    if runs > 0 {
        println!("{same} of {runs} failures as reported");
    }
    Ok(exits.into_iter().max().unwrap_or(Exit::Passed))
}

/// The common data of replayed runs.
struct Replayer<'a> {
    kit: &'a Kit,
    isolation: Isolation,
    sandbox: Option<&'a Sandbox>,
    builder: Builder<'a>,
    salt: &'a str,
    scratch: Scratch,
}

/// The results of all replayed failures so far.
#[derive(Default)]
struct Tally {
    runs: u32,
    /// The number of runs that ended as the report says.
    same: u32,
    exits: Vec<Exit>,
}

impl<'a> Replayer<'a> {
    fn new(
        kit: &'a Kit,
        isolation: Isolation,
        sandbox: Option<&'a Sandbox>,
        budget: Budget,
        salt: &'a str,
    ) -> Result<Replayer<'a>> {
        let builder = Builder::new(kit, isolation, sandbox, budget)?;
        let scratch = confine::scratch(kit, 1)?;
        Ok(Replayer { kit, isolation, sandbox, builder, salt, scratch })
    }

    /// Reads and builds a submission; returns its id as well.
    fn build(&self, name: &str, path: &Path) -> Result<(Runner, String)> {
        let submission = Submission::read(name, path, self.kit)?;
        let program = self.builder.program(&submission)?;
        let runner = Runner::new(program, self.sandbox, self.salt);
        let runner = runner.context("failed to find this program")?;
        Ok((runner, submission.id(self.kit, self.isolation)))
    }

    /// An error of one submission does not keep the others from being run.
    fn replay_all(
        &self,
        table: &Table,
        submission: &Graded,
        failures: &[(&Tested, u64)],
        tally: &mut Tally,
    ) -> Result<()> {
        let (runner, id) = match self.build(&submission.name, Path::new(&submission.path)) {
            Ok(built) => built,
            Err(error) => {
                tally.exits.push(exit::report(&error));
                return Ok(());
            }
        };
        let name = plain::line(&submission.name);
        let is_same_program = submission.id.as_ref() == Some(&id);
        if !is_same_program {
            println!("{name}, the kit or the compiler has changed since the report");
        }
        for (tested, seed) in failures {
            let test = one_test(table, &tested.name)?;
            self.isolation.check(&[test])?;
            let run = runner.run(self.scratch.path(), test, *seed);
            println!("{name}: {}", describe(&run).trim_end());
            let is_same = is_reported(tested, &run.outcome);
            tally.runs += 1;
            tally.same += u32::from(is_same);
            println!("  {}\n", if is_same { "as reported" } else { "NOT as reported" });
            // The same program with the same seed has to do the same.
            tally.exits.push(if is_same || !is_same_program { exit(&run) } else { Exit::Kit });
        }
        Ok(())
    }
}

fn submissions<'a>(
    report: &'a Report,
    name: Option<&str>,
    path: &Path,
) -> Result<Vec<&'a Graded>, UserError> {
    let Some(name) = name else { return Ok(report.submissions.iter().collect()) };
    let found: Vec<&Graded> = report.submissions.iter().filter(|it| it.name == name).collect();
    if found.is_empty() {
        let shown = path.display();
        return Err(UserError::usage(format!("{shown} has no submission named {name:?}")));
    }
    Ok(found)
}

fn is_reported(tested: &Tested, outcome: &Outcome) -> bool {
    let Err(failure) = &outcome.verdict else { return tested.verdict == TestVerdict::Passed };
    tested.class.as_ref() == Some(&failure.class.to_string())
        && tested.sentence.as_ref() == Some(&failure.sentence)
        // A thread that spins can be anywhere in its loop.
        && (failure.class == Class::Spin || tested.notes == failure.notes)
}

fn describe(run: &Run) -> String {
    match &run.outcome.verdict {
        Ok(()) => format!("ok    {} seed {}\n", run.test.name(), run.seed),
        Err(_) => run.outcome.render(run.test, run.seed, Style::default()),
    }
}

fn exit(run: &Run) -> Exit {
    match run.verdict() {
        Verdict::Passed => Exit::Passed,
        Verdict::Failed => Exit::Failed,
        Verdict::Infra => Exit::Kit,
    }
}
