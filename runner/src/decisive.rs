//! Finds the moment that decided a failing run.
//!
//! A run can be made again up to a moment, and go on in another way from there: everything after
//! the moment is drawn by another seed. In how many of such futures the failure happens tells how
//! likely it was at that moment. The moment before which few futures fail and after which most do
//! is the one that decided the run.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use config::Failure;
use runfile::Odds;

use crate::interrupt::interrupted;
use crate::job::{Job, Supervise};
use crate::outcome::Outcome;
use crate::picture;
use crate::plain;
use crate::target::Target;
use crate::variation::Variation;

/// The moments that are tried first, at equal distances.
const COARSE: u32 = 8;
/// The futures of each of them.
const COARSE_FUTURES: u32 = 10;
/// The futures of the moments after that.
const FINE_FUTURES: u32 = 20;
/// The futures of the last two moments.
const LAST_FUTURES: u32 = 50;
/// Two moments that are this close are not told apart: a few steps of a simulation.
const RESOLUTION: Duration = Duration::from_micros(100);
/// A future can be this much later than the run and still count as failing in the same way.
const LATER: Duration = Duration::from_millis(500);
/// If the failure becomes likelier by less than this share of the futures, no moment decided it.
const CLEAR_RISE: f64 = 0.25;
/// The events of the moment that are shown.
const HAPPENINGS_SHOWN_MAX: usize = 6;

/// The moment that decided a run.
#[derive(Debug, Clone)]
pub struct Decisive {
    /// The last moment at which the failure could still be avoided.
    pub before: Odds,
    /// The first moment at which it could hardly be avoided.
    pub after: Odds,
    /// All moments that were tried, in order.
    pub curve: Vec<Odds>,
    /// The number of futures that were tried.
    pub futures: u32,
    /// How long that took.
    pub time: Duration,
}

/// Finds the moment that decided a failing run, within `time`. None if time is too short for a
/// first look.
pub fn decisive(
    job: &Job<'_>,
    supervise: &dyn Supervise,
    outcome: &Outcome,
    time: Duration,
    stop: &AtomicBool,
) -> Option<Decisive> {
    let begin = Instant::now();
    let failure: &Failure = outcome.verdict.as_ref().err()?;
    let target = Target::of(failure);
    let end = outcome.simulation?.time;
    let futures = Futures { job, supervise, target, end, begin, time, stop };
    let mut curve = Curve::default();
    curve.add(end, LAST_FUTURES, LAST_FUTURES);
    for part in 0..COARSE {
        futures.look(&mut curve, end * part / COARSE, COARSE_FUTURES)?;
    }
    while let Some((before, after)) = curve.steepest()
        && after - before > RESOLUTION
    {
        if futures.look(&mut curve, (before + after) / 2, FINE_FUTURES).is_none() {
            break;
        }
    }
    let (before, after) = curve.steepest()?;
    for moment in [before, after] {
        // Without time for that, the numbers so far have to do.
        _ = futures.look(&mut curve, moment, LAST_FUTURES);
    }
    Some(Decisive {
        before: curve.odds(before),
        after: curve.odds(after),
        futures: curve.tried(end),
        curve: curve.moments.keys().map(|moment| curve.odds(*moment)).collect(),
        time: begin.elapsed(),
    })
}

/// What is known of each moment: how many futures failed, and of how many.
#[derive(Debug, Default)]
struct Curve {
    moments: BTreeMap<Duration, (u32, u32)>,
}

impl Curve {
    fn add(&mut self, moment: Duration, failed: u32, futures: u32) {
        let known = self.moments.entry(moment).or_default();
        *known = (known.0 + failed, known.1 + futures);
    }

    fn known(&self, moment: Duration) -> u32 {
        self.moments.get(&moment).map_or(0, |(_, futures)| *futures)
    }

    /// How many of a million futures fail. An integer, so that equal rises compare as equal.
    fn rate(&self, moment: Duration) -> i64 {
        let (failed, futures) = self.moments[&moment];
        i64::from(failed) * 1_000_000 / i64::from(futures.max(1))
    }

    /// The two neighbouring moments between which the failure became likelier by most. Of several
    /// the last, since what made the failure certain is nearer to it.
    fn steepest(&self) -> Option<(Duration, Duration)> {
        let moments: Vec<Duration> = self.moments.keys().copied().collect();
        let rise = |pair: &[Duration]| self.rate(pair[1]) - self.rate(pair[0]);
        let steepest = moments.windows(2).max_by_key(|pair| rise(pair))?;
        Some((steepest[0], steepest[1]))
    }

    fn odds(&self, moment: Duration) -> Odds {
        let (failed, futures) = self.moments[&moment];
        Odds { t: moment.as_micros() as u64, failed, futures }
    }

    /// The number of futures that were tried; at the end of the run nothing is left to try.
    fn tried(&self, end: Duration) -> u32 {
        self.moments.iter().filter(|(at, _)| **at < end).map(|(_, (_, futures))| futures).sum()
    }
}

/// The futures of a run.
struct Futures<'a> {
    job: &'a Job<'a>,
    supervise: &'a dyn Supervise,
    target: Target,
    /// When the run ended.
    end: Duration,
    begin: Instant,
    time: Duration,
    stop: &'a AtomicBool,
}

impl Futures<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.begin.elapsed() >= self.time
    }

    /// Tries futures of a moment until `wanted` are known. None if the time is over before.
    fn look(&self, curve: &mut Curve, moment: Duration, wanted: u32) -> Option<()> {
        let known = curve.known(moment);
        if moment >= self.end || known >= wanted {
            return Some(());
        }
        let next = AtomicU64::new(known.into());
        let (failed, tried) = (AtomicU32::new(0), AtomicU32::new(0));
        let work = || {
            while !self.is_stopped() {
                let future = next.fetch_add(1, Ordering::Relaxed);
                if future >= wanted.into() {
                    break;
                }
                let fails = self.fails(moment, future);
                failed.fetch_add(fails.into(), Ordering::Relaxed);
                tried.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                scope.spawn(work);
            }
        });
        let (failed, tried) = (failed.into_inner(), tried.into_inner());
        if known + tried < wanted {
            return None;
        }
        curve.add(moment, failed, tried);
        Some(())
    }

    /// Whether one future fails in the same way, not much later than the run.
    fn fails(&self, moment: Duration, future: u64) -> bool {
        let turn = Some((moment, future));
        let until = Some(self.end + LATER);
        let variation = Variation { turn, until, ..Variation::default() };
        let job = Job { variation: Some(&variation), record: None, ..*self.job };
        let outcome = job.run_under(&*self.supervise.supervisor());
        outcome.verdict.is_err_and(|failure| self.target.is_shown_by(&failure))
    }
}

impl Decisive {
    /// Whether the failure became much likelier at the moment.
    fn is_clear(&self) -> bool {
        let rate = |odds: &Odds| f64::from(odds.failed) / f64::from(odds.futures.max(1));
        rate(&self.after) - rate(&self.before) >= CLEAR_RISE
    }

    /// Adds the odds to a recording. Returns what happened at the moment.
    fn add_to(&self, path: &Path) -> Result<Vec<String>, String> {
        let times = self.before.t..=self.after.t;
        let run = picture::change(path, |run| run.end.odds.clone_from(&self.curve))?;
        Ok(report::timeline::happenings(&run, times))
    }

    /// What a person is told.
    fn sentence(&self) -> String {
        let Decisive { before, after, futures, time, .. } = self;
        format!(
            "decisive moment: {:.4} s. Of futures that begin after it {} of {} fail like this, of \
             those that begin before it {} of {} ({futures} futures in {:.1} s)",
            after.t as f64 / 1e6,
            after.failed,
            after.futures,
            before.failed,
            before.futures,
            time.as_secs_f64()
        )
    }
}

/// Looks for the moment that decided a run. Returns what a person is told, and adds the odds to the
/// recording of the run.
pub fn tell(
    job: &Job<'_>,
    supervise: &dyn Supervise,
    outcome: &Outcome,
    time: Duration,
    recording: Option<&Path>,
) -> Vec<String> {
    let Some(decisive) = decisive(job, supervise, outcome, time, interrupted()) else {
        return vec!["no decisive moment: the time was too short for a first look".into()];
    };
    if !decisive.is_clear() {
        let Odds { failed, futures, .. } = decisive.curve[0];
        return vec![format!(
            "no decisive moment: of the futures that begin at the start, {failed} of {futures} \
             fail like this"
        )];
    }
    let mut lines = vec![decisive.sentence()];
    match recording.map(|path| decisive.add_to(path)) {
        Some(Ok(happenings)) => {
            let shown = happenings.iter().take(HAPPENINGS_SHOWN_MAX);
            lines.extend(shown.map(|line| plain::sentence(line)));
        }
        Some(Err(why)) => lines.push(why),
        None => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_rise_of_several_is_the_last() {
        let mut curve = Curve::default();
        let ms = Duration::from_millis;
        for (moment, failed) in [(0, 1), (10, 2), (20, 8), (30, 5), (40, 10)] {
            curve.add(ms(moment), failed, 10);
        }
        assert_eq!(curve.steepest(), Some((ms(10), ms(20))));
        curve.add(ms(35), 4, 10);
        curve.add(ms(36), 10, 10);
        assert_eq!(curve.steepest(), Some((ms(35), ms(36))));
        assert_eq!(curve.tried(ms(40)), 60);
        assert_eq!(curve.odds(ms(20)), Odds { t: 20_000, failed: 8, futures: 10 });
    }
}
