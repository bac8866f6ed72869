//! One line of `cargo test`: a test with all its seeds.

mod command;
mod text;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, process, thread};

use libtest_mimic::{Failed, Trial};

use crate::by_plan::ByPlan;
use crate::decisive::tell;
use crate::job::{Job, TimeLimit};
use crate::outcome::Outcome;
use crate::picture;
use crate::settings::{Clock, Settings, Timeline};
use crate::shorter::{Shorter, shorten};
use crate::table::Table;
use crate::test::Test;

use command::again;
use text::{Run, failure, passed, pictures, shortened};

/// The exit code of a test program that failed, as cargo expects it.
const FAILED: i32 = 101;
/// The number of seeds that run at the same time in real time, where a test mostly sleeps.
const SEEDS_AT_ONCE_REAL: usize = 4;

pub(crate) fn trial(table: &Table, test: &'static Test, settings: &Settings) -> Trial {
    let (words, settings) = (table.words_of(test), settings.clone());
    Trial::test(test.name(), move || {
        let program = env::current_exe();
        let program = program.map_err(|error| format!("failed to find this program: {error}"))?;
        let plan = settings.plan.as_ref().map(|(file, plan)| ByPlan::new(file, plan));
        let plan = plan.transpose()?;
        let job = |seed| Job {
            program: &program,
            arguments: &[],
            test,
            seed,
            clock: settings.clock,
            invariants: settings.invariants,
            record: None,
            variation: plan.as_ref().map(|plan| &plan.variation),
        };
        let mut runs = run(&job, &words, &settings)?;
        let not_shown: Vec<String> = plan.iter().fold(Vec::new(), |mut lines, plan| {
            lines.extend(runs.iter_mut().flat_map(|run| plan.forgive(&mut run.outcome)));
            lines
        });
        let failed: Vec<&Run> = runs.iter().filter(|run| !run.outcome.passed()).collect();
        let shown = failed.first().copied().or(runs.first().filter(|_| settings.draws_all()));
        let recording = shown.and_then(|run| match (&run.recording, settings.clock) {
            (Some(recording), _) => Some(recording.clone()),
            (None, Clock::Virtual(_)) if settings.timeline != Timeline::Never => {
                let again = again(&words, run.seed, &settings);
                Some(picture::path(test, run.seed).and_then(|path| {
                    let job = job(run.seed);
                    job.record_again(&TimeLimit, &run.outcome, &path, &again)?;
                    Ok(path)
                }))
            }
            _ => None,
        });
        let decided = match (failed.first(), settings.decisive) {
            (Some(run), Some(time)) if settings.can_vary() => {
                let path = recording.as_ref().and_then(|path| path.as_deref().ok());
                tell(&job(run.seed), &TimeLimit, &run.outcome, time, path)
            }
            _ => Vec::new(),
        };
        let recording = recording.map_or_else(Vec::new, |recording| match recording {
            Ok(path) => pictures(&path),
            Err(why) => vec![format!("not recorded: {why}")],
        });
        let recording: Vec<String> = decided.into_iter().chain(recording).collect();
        let unmet = plan.as_ref().map_or_else(Vec::new, ByPlan::unmet);
        let recording: Vec<String> = recording.into_iter().chain(not_shown).chain(unmet).collect();
        let Some(Run { seed, outcome, .. }) = failed.first() else {
            print!("{}", passed(test, &runs, &recording));
            return Ok(());
        };
        let rate = (failed.len(), runs.len());
        let again = again(&words, *seed, &settings);
        let text = match settings.shrink {
            None => failure(test, *seed, outcome, rate, recording, &again),
            Some(time) => match shorter(&job(*seed), outcome, time, &words, &settings) {
                Ok(shorter) => shortened(test, *seed, outcome, rate, recording, &again, &shorter),
                Err(why) => {
                    let lines = recording.into_iter().chain([format!("not shorter: {why}")]);
                    failure(test, *seed, outcome, rate, lines.collect(), &again)
                }
            },
        };
        if settings.fail_fast {
            eprint!("{text}");
            process::exit(FAILED);
        }
        Err(text.into())
    })
}

/// Looks for a shorter run that fails the same way.
fn shorter(
    job: &Job<'_>,
    outcome: &Outcome,
    time: Duration,
    words: &str,
    settings: &Settings,
) -> Result<Shorter, String> {
    if !settings.can_vary() {
        return Err("only the run of a seed in virtual time can be made shorter".into());
    }
    let path = picture::path(job.test, job.seed)?;
    let by_plan = |plan: &Path| command::by_plan(plan, words, settings);
    shorten(job, &TimeLimit, outcome, time, &path, &by_plan)
}

/// Runs every seed. Returns the runs in the order of the seeds.
fn run<'a>(
    job: &(impl Fn(u64) -> Job<'a> + Sync),
    words: &str,
    settings: &Settings,
) -> Result<Vec<Run>, Failed> {
    let seeds = &settings.seeds;
    let at_once = match settings.clock {
        Clock::Virtual(_) => 1,
        Clock::Real => SEEDS_AT_ONCE_REAL.min(seeds.len()),
    };
    // A second run in real time would be another run.
    let records = settings.clock == Clock::Real && settings.draws_all();
    let next = AtomicUsize::new(0);
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                    let job = job(seed);
                    let path = records.then(|| picture::path(job.test, seed));
                    let record = path.as_ref().and_then(|path| path.as_deref().ok());
                    let outcome = Job { record, ..job }.run();
                    let recording = path.map(|path| {
                        let path = path?;
                        let again = again(words, seed, settings);
                        picture::complete(&path, &outcome.output, &again)?;
                        Ok(path)
                    });
                    if settings.fail_fast && !outcome.passed() {
                        next.fetch_max(seeds.len(), Ordering::Relaxed);
                    }
                    runs.lock().expect("no run panics").push(Run { seed, outcome, recording });
                }
            });
        }
    });
    let mut runs = runs.into_inner().expect("no run panics");
    runs.sort_by_key(|run| run.seed);
    Ok(runs)
}
