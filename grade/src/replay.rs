//! `cargo grade replay`: runs one test with one seed again, and says what came of it and whether
//! that is what a report says.

use std::path::Path;

use ::tests::{Outcome, Test, plain};
use anyhow::Result;
use config::Class;

use crate::args::{Replay, one_test};
use crate::batch::names;
use crate::build::compile::Builder;
use crate::exit::{self, Exit, Refusal};
use crate::isolation::Peers;
use crate::kit::Kit;
use crate::report::failures::printed;
use crate::report::json::{Graded, Report, TestVerdict, Tested};
use crate::report::score::Verdict;
use crate::run::confine;
use crate::run::finished::Run;

pub(crate) fn replay(replay: &Replay) -> Result<Exit> {
    let kit = Kit::find()?;
    match (replay.seed, &replay.test) {
        (Some(seed), Some(words)) => {
            let test = one_test(words)?;
            let paths = [replay.path.clone()];
            let peers = if replay.in_process { Peers::Together } else { Peers::Apart };
            let sandbox = confine::sandbox(peers, false)?;
            let builder = Builder::new(&kit, peers, sandbox.as_ref(), replay.budget, &replay.salt)?;
            let (runner, _) = builder.take(&names(&paths)[0], &replay.path)?;
            let scratch = confine::scratch(&kit, 1)?;
            let run = Run::fresh(&runner, scratch.path(), test, seed);
            print!("{}", told(&run));
            Ok(exit(&run))
        }
        _ => replay_report(&kit, replay),
    }
}

/// Every failure of the report, or those that were asked for.
fn replay_report(kit: &Kit, replay: &Replay) -> Result<Exit> {
    let report = Report::read(&replay.path)?;
    let sandbox = confine::sandbox(report.peers, false)?;
    let builder = Builder::new(kit, report.peers, sandbox.as_ref(), replay.budget, &report.salt)?;
    let scratch = confine::scratch(kit, 1)?;
    let test = replay.test.as_deref().map(one_test).transpose()?.map(Test::name);
    let mut exits = Vec::new();
    let (mut runs, mut same, mut ungraded) = (0, 0, Vec::new());
    for submission in submissions(&report, replay.submission.as_deref(), &replay.path)? {
        let wanted = |tested: &&Tested| test.as_ref().is_none_or(|name| tested.name == *name);
        let failures: Vec<(&Tested, u64)> =
            submission.tests.iter().filter(wanted).filter_map(|it| Some((it, it.seed?))).collect();
        if submission.error.is_some() {
            ungraded.push(submission.name.as_str());
        }
        if failures.is_empty() {
            continue;
        }
        let path = Path::new(&submission.path);
        let (runner, id) = match builder.take(&submission.name, path) {
            Ok(taken) => taken,
            // The others can be run all the same.
            Err(error) => {
                exits.push(exit::tell(&error));
                continue;
            }
        };
        let is_same_program = submission.id.as_ref() == Some(&id);
        if !is_same_program {
            let name = plain::line(&submission.name);
            println!("{name} is not what it was, or the kit or the compiler is not");
        }
        for (tested, seed) in failures {
            let run = Run::fresh(&runner, scratch.path(), one_test(&tested.name)?, seed);
            println!("{}: {}", plain::line(&submission.name), told(&run).trim_end());
            let is_same = is_reported(tested, &run.outcome);
            runs += 1;
            same += u32::from(is_same);
            println!("  {}\n", if is_same { "as reported" } else { "NOT as reported" });
            // The same program with the same seed has to do the same.
            exits.push(if is_same || !is_same_program { exit(&run) } else { Exit::Kit });
        }
    }
    if !ungraded.is_empty() {
        let ungraded = plain::line(&ungraded.join(", "));
        eprintln!("note: not graded, so not run again: {ungraded}");
    }
    if exits.is_empty() {
        if ungraded.is_empty() && replay.test.is_none() && replay.submission.is_none() {
            let path = plain::line(&replay.path.display().to_string());
            println!("{path} has no failure to run again");
            return Ok(Exit::Passed);
        }
        let sentence = format!("{} has no such failure to run again", replay.path.display());
        return Err(Refusal::usage(sentence).into());
    }
    if runs > 0 {
        println!("{same} of {runs} failures as reported");
    }
    Ok(exits.into_iter().max().unwrap_or(Exit::Passed))
}

fn submissions<'a>(
    report: &'a Report,
    name: Option<&str>,
    path: &Path,
) -> Result<Vec<&'a Graded>, Refusal> {
    let Some(name) = name else { return Ok(report.submissions.iter().collect()) };
    let found: Vec<&Graded> = report.submissions.iter().filter(|it| it.name == name).collect();
    if found.is_empty() {
        let shown = path.display();
        return Err(Refusal::usage(format!("{shown} has no submission named {name:?}")));
    }
    Ok(found)
}

fn is_reported(tested: &Tested, outcome: &Outcome) -> bool {
    let Err(failure) = &outcome.verdict else { return tested.verdict == TestVerdict::Passed };
    tested.class.as_ref() == Some(&failure.class.to_string())
        && tested.sentence.as_ref() == Some(&failure.sentence)
        // A thread that spins is met anywhere in its loop.
        && (failure.class == Class::Spin || tested.notes == failure.notes)
}

fn told(run: &Run) -> String {
    let name = run.test.name();
    let Err(failure) = &run.outcome.verdict else {
        return format!("ok    {name} seed {}\n", run.seed);
    };
    let mut text = format!("FAIL  {name:<32} {:<12} seed {}\n", failure.class, run.seed);
    text += &format!("  {}\n", plain::sentence(&failure.sentence));
    if let Some(rule) = failure.rule {
        text += &format!("  rule: {rule}\n");
    }
    for note in &failure.notes {
        text += &format!("  {}\n", plain::sentence(note));
    }
    text + &printed(&run.outcome.output)
}

fn exit(run: &Run) -> Exit {
    match run.verdict() {
        Verdict::Passed => Exit::Passed,
        Verdict::Failed => Exit::Failed,
        Verdict::Infra => Exit::Kit,
    }
}
