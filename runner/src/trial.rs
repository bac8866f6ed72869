//! One line of `cargo test`: a test with all its seeds.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, process, thread};

use libtest_mimic::{Failed, Trial};

use crate::job::{Job, Supervisor, TimeLimit};
use crate::outcome::Outcome;
use crate::picture;
use crate::plain;
use crate::render::Style;
use crate::settings::{Clock, Settings, Timeline};
use crate::shorter::shorten;
use crate::table::Table;
use crate::test::Test;
use crate::variation::Variation;

/// The exit code of a test program that failed, as cargo expects it.
const FAILED: i32 = 101;
/// The number of seeds that run at the same time in real time, where a test mostly sleeps.
const SEEDS_AT_ONCE_REAL: usize = 4;

pub(crate) fn trial(table: &Table, test: &'static Test, settings: &Settings) -> Trial {
    let (words, settings) = (table.words_of(test), settings.clone());
    Trial::test(test.name(), move || {
        let program = env::current_exe();
        let program = program.map_err(|error| format!("failed to find this program: {error}"))?;
        let variation = settings
            .plan
            .as_ref()
            .map(|(file, _)| Variation { plan: Some(file.clone()), ..Variation::default() });
        let job = |seed| Job {
            program: &program,
            arguments: &[],
            test,
            seed,
            clock: settings.clock,
            invariants: settings.invariants,
            record: None,
            variation: variation.as_ref(),
        };
        let runs = run(&job, &words, &settings)?;
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
        let recording = recording.map_or_else(Vec::new, |recording| match recording {
            Ok(path) => pictures(&path),
            Err(why) => vec![format!("not recorded: {why}")],
        });
        let Some(Run { seed, outcome, .. }) = failed.first() else {
            print!("{}", passed(test, &runs, &recording));
            return Ok(());
        };
        let mut recording = recording;
        if let Some(time) = settings.shrink {
            let lines = shorter(&job(*seed), outcome, time, &words, &settings);
            recording.splice(0..0, lines.unwrap_or_else(|why| vec![format!("not shorter: {why}")]));
        }
        let rate = (failed.len(), runs.len());
        let again = again(&words, *seed, &settings);
        let text = failure(test, *seed, outcome, rate, recording, &again);
        if settings.fail_fast {
            eprint!("{text}");
            process::exit(FAILED);
        }
        Err(text.into())
    })
}

/// Looks for a shorter run that fails the same way, and says what it found.
fn shorter(
    job: &Job<'_>,
    outcome: &Outcome,
    time: Duration,
    words: &str,
    settings: &Settings,
) -> Result<Vec<String>, String> {
    if settings.clock == Clock::Real {
        return Err("a run in real time cannot be repeated".into());
    }
    let path = picture::path(job.test, job.seed)?;
    let supervisor = || Box::new(TimeLimit) as Box<dyn Supervisor>;
    let by_plan = |plan: &Path| by_plan(plan, words, settings);
    let shorter = shorten(job, &supervisor, outcome, time, &path, &by_plan)?;
    let mut lines = shorter.lines();
    match &shorter.recording {
        Ok(path) => lines.extend(pictures(path).into_iter().map(|line| format!("  {line}"))),
        Err(why) => lines.push(format!("  not recorded: {why}")),
    }
    lines.push(format!("  again:   {}", by_plan(&shorter.plan)));
    Ok(lines)
}

/// One run that has ended.
struct Run {
    seed: u64,
    outcome: Outcome,
    /// If the run had to be recorded: the run file, or why there is none.
    recording: Option<Result<PathBuf, String>>,
}

/// Where the pictures of a recorded run are.
fn pictures(path: &Path) -> Vec<String> {
    [("picture: ", "html"), ("timeline:", "txt")]
        .map(|(name, extension)| format!("{name} {}", path.with_extension(extension).display()))
        .to_vec()
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

/// The lines that 6.824 prints for a test that passed, with the figures of the first seed.
fn passed(test: &Test, runs: &[Run], recording: &[String]) -> String {
    let mut text = format!("Test ({}): {} ...\n", test.part, test.words);
    text.extend(recording.iter().map(|line| format!("  {line}\n")));
    for Run { seed, outcome, .. } in runs {
        for finding in &outcome.findings {
            text += &format!("  warning: {} (seed {seed})\n", plain::sentence(finding));
        }
    }
    if let Some(Run { seed, outcome: Outcome { figures: Some(figures), .. }, .. }) = runs.first() {
        let others = match runs.len() {
            1 => String::new(),
            n => format!(" of {n}"),
        };
        text += &format!("{figures}  (seed {seed}{others})\n");
    }
    text
}

fn failure(
    test: &Test,
    seed: u64,
    outcome: &Outcome,
    (failed, total): (usize, usize),
    recording: Vec<String>,
    again: &str,
) -> String {
    let fails = (total > 1).then(|| format!("fails {failed} of {total} seeds"));
    let lines: Vec<String> = fails.into_iter().chain(recording).collect();
    let style = Style { purpose: true, lines: &lines, again: Some(again), ..Style::default() };
    outcome.render(test, seed, style)
}

/// The command that repeats the run. With another build it would be another run.
fn again(words: &str, seed: u64, settings: &Settings) -> String {
    match &settings.plan {
        Some((file, _)) => by_plan(file, words, settings),
        None => command(&format!("LAB_SEED={seed}"), words, settings),
    }
}

fn by_plan(file: &Path, words: &str, settings: &Settings) -> String {
    command(&format!("LAB_PLAN={}", file.display()), words, settings)
}

fn command(variable: &str, words: &str, settings: &Settings) -> String {
    let mut command = String::new();
    match settings.clock {
        Clock::Real => command += "LAB_CLOCK=real ",
        clock if clock != Clock::default() => command += &format!("LAB_ENGINE={clock} "),
        Clock::Virtual(_) => {}
    }
    if !settings.invariants {
        command += "LAB_INVARIANTS=off ";
    }
    let tests = if sim::instrumented_edges() > 0 { "explore" } else { "test" };
    command += &format!("{variable} cargo {tests} ");
    if !cfg!(debug_assertions) {
        command += "--release ";
    }
    command + &format!("\"{words}\"")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::{Class, Failure, Figures};

    use super::*;
    use crate::test::tests::SUITE;

    #[test]
    fn a_passed_test_prints_the_lines_of_6_824_and_its_warnings() {
        let figures = Figures {
            time: Duration::from_millis(3049),
            peers: 3,
            rpcs: 58,
            bytes: 1684,
            commands: 0,
        };
        let outcome = Outcome {
            verdict: Ok(()),
            figures: Some(figures),
            findings: vec!["the term went from 1 to 2 although nothing had failed\x07".into()],
            simulation: None,
            output: "ignored".into(),
        };
        let run = |seed, outcome| Run { seed, outcome, recording: None };
        assert_eq!(
            passed(
                &SUITE.tests[0],
                &[run(1, outcome.clone()), run(2, Outcome { findings: vec![], ..outcome })],
                &pictures(Path::new("a.run"))
            ),
            "Test (3A): initial election ...\n  \
             picture:  a.html\n  timeline: a.txt\n  \
             warning: the term went from 1 to 2 although nothing had failed\\x07 (seed 1)\n  \
             ... Passed --  3.0  3   58    1684    0  (seed 1 of 2)\n"
        );
    }

    #[test]
    fn a_failed_test_says_what_failed_and_how_to_repeat_it() {
        let failed = Failure::of(1, Class::Safety, "term 3 has 2 leaders, servers 0 and 2")
            .with_notes(["a note\x1b[2J\nfails 0 of 3 seeds".into()]);
        let outcome = Outcome { output: "one\ntwo\r\n".into(), ..Outcome::failed(failed) };
        let clock = Clock::Virtual(sim::Engine::Kernel);
        let settings = Settings {
            seeds: vec![7],
            clock,
            invariants: false,
            fail_fast: false,
            timeline: Timeline::Never,
            shrink: None,
            plan: None,
        };
        let test = &SUITE.tests[1];
        // Without the option of a release build, which this test may be.
        let again = again(test.words, 7, &settings).replace("--release ", "");
        let text = failure(test, 7, &outcome, (2, 3), pictures(Path::new("a.run")), &again);
        assert_eq!(
            text,
            "FAIL  3A re-election                   safety       seed 7\n  \
             term 3 has 2 leaders, servers 0 and 2\n  \
             a note\\x1b[2J\n    \
             | fails 0 of 3 seeds\n  \
             the test: A disconnected leader is replaced; its return changes nothing; without a \
             majority no server leads.\n  \
             fails 2 of 3 seeds\n  \
             picture:  a.html\n  timeline: a.txt\n  \
             it printed:\n    \
             one\n    \
             two\\r\n  \
             again:  LAB_ENGINE=kernel LAB_INVARIANTS=off LAB_SEED=7 cargo test \
             \"re-election\"\n"
        );
    }
}
