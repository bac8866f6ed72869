//! The environment variables of the labs.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::plan::Plan;

/// The number of seeds of each test that `cargo test` runs.
pub const SEEDS_BY_DEFAULT: u64 = 3;

/// How long a search for a shorter run takes at most.
const SHRINK_FOR: Duration = Duration::from_secs(30);
/// How long a search for the moment that decided a run takes at most.
const DECISIVE_FOR: Duration = Duration::from_secs(10);

/// The clock of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Virtual time, on an engine of `sim`: the same seed gives exactly the same run.
    Virtual(sim::Engine),
    /// Real time: the seed decides only the random numbers of the network and the test.
    Real,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::Virtual(sim::Engine::Fiber.or_available())
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Clock::Virtual(sim::Engine::Fiber) => "fiber",
            Clock::Virtual(sim::Engine::Kernel) => "kernel",
            Clock::Real => "real",
        })
    }
}

impl FromStr for Clock {
    type Err = String;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Clock, String> {
        match text {
            "fiber" => Ok(Clock::Virtual(sim::Engine::Fiber)),
            "kernel" => Ok(Clock::Virtual(sim::Engine::Kernel)),
            "real" => Ok(Clock::Real),
            _ => Err(format!("unknown clock {text:?}")),
        }
    }
}

/// Which seeds to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) seeds: Vec<u64>,
    pub(crate) clock: Clock,
    /// Whether to check the rules of Raft. Turned off only to measure their cost.
    pub(crate) invariants: bool,
    /// Whether the program ends after the first run that fails.
    pub(crate) fail_fast: bool,
    pub(crate) timeline: Timeline,
    /// How long to look for a shorter run that fails; none if not at all.
    pub(crate) shrink: Option<Duration>,
    /// How long to look for the moment that decided a failing run; none if not at all.
    pub(crate) decisive: Option<Duration>,
    /// The plan by which to run, and its file.
    pub(crate) plan: Option<(PathBuf, Plan)>,
}

/// Which runs are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeline {
    /// The first run of a test that fails.
    OnFailure,
    /// The first run of a test that fails, or the first run if none fails.
    Always,
    /// No run.
    Never,
}

impl Settings {
    /// Whether runs that pass are also recorded.
    pub(crate) fn draws_all(&self) -> bool {
        self.timeline == Timeline::Always
    }

    /// Whether other runs can be compared with a run: a run of a seed in virtual time.
    pub(crate) fn can_vary(&self) -> bool {
        self.clock != Clock::Real && self.plan.is_none()
    }

    /// The plan by which to run.
    pub(crate) fn planned(&self) -> Option<&Plan> {
        self.plan.as_ref().map(|(_, plan)| plan)
    }

    pub(crate) fn from_env() -> Result<Settings, String> {
        Settings::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let number = |name: &str| {
            let Some(text) = variable(name) else { return Ok(None) };
            let number = text.parse::<u64>();
            number.map(Some).map_err(|_| format!("{name} is {text:?}; expected a number"))
        };
        let switch = |name: &str, default| match variable(name).as_deref() {
            None => Ok(default),
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(other) => Err(format!("{name} is {other:?}; expected on or off")),
        };
        let plan = match variable("LAB_PLAN") {
            Some(file) => Some((PathBuf::from(&file), Plan::read(Path::new(&file))?)),
            None => None,
        };
        let planned = plan.as_ref().map(|(_, plan)| plan.seed);
        let seeds = match (planned.or(number("LAB_SEED")?), number("LAB_SEEDS")?) {
            (Some(seed), _) => vec![seed],
            (None, Some(0)) => return Err("LAB_SEEDS is 0; expected at least 1".into()),
            (None, count) => (1..=count.unwrap_or(SEEDS_BY_DEFAULT)).collect(),
        };
        let engine = match variable("LAB_ENGINE").as_deref() {
            None => sim::Engine::Fiber.or_available(),
            Some("fiber") => sim::Engine::Fiber,
            Some("kernel") => sim::Engine::Kernel,
            Some(other) => {
                return Err(format!("LAB_ENGINE is {other:?}; expected fiber or kernel"));
            }
        };
        let clock = match variable("LAB_CLOCK").as_deref() {
            None | Some("virtual") => Clock::Virtual(engine),
            Some("real") => Clock::Real,
            Some(other) => {
                return Err(format!("LAB_CLOCK is {other:?}; expected virtual or real"));
            }
        };
        let timeline = match variable("LAB_TIMELINE").as_deref() {
            None => Timeline::OnFailure,
            Some("always") => Timeline::Always,
            Some("never") => Timeline::Never,
            Some(other) => {
                return Err(format!("LAB_TIMELINE is {other:?}; expected always or never"));
            }
        };
        let search = |name: &str, by_default| search(name, variable(name).as_deref(), by_default);
        let shrink = search("LAB_SHRINK", SHRINK_FOR)?;
        let decisive = search("LAB_DECISIVE", DECISIVE_FOR)?;
        let (invariants, fail_fast) =
            (switch("LAB_INVARIANTS", true)?, switch("LAB_FAIL_FAST", false)?);
        Ok(Settings { seeds, clock, invariants, fail_fast, timeline, shrink, decisive, plan })
    }
}

/// Reads how long a search takes: `on`, `off`, or a number of seconds.
fn search(
    name: &str,
    text: Option<&str>,
    by_default: Duration,
) -> Result<Option<Duration>, String> {
    match text {
        None | Some("off" | "0") => Ok(None),
        Some("on" | "1") => Ok(Some(by_default)),
        Some(text) => {
            let seconds = text.strip_suffix('s').unwrap_or(text).parse::<u64>();
            let error = || format!("{name} is {text:?}; expected on, off or seconds, as 60s");
            seconds.map(|seconds| Some(Duration::from_secs(seconds))).map_err(|_| error())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        })
    }

    #[track_caller]
    fn check_seeds(variables: &[(&str, &str)], expected: Result<&[u64], &str>) {
        let seeds = read(variables).map(|settings| settings.seeds);
        assert_eq!(seeds, expected.map(Vec::from).map_err(str::to_owned));
    }

    #[track_caller]
    fn check_clock(variables: &[(&str, &str)], expected: Result<Clock, &str>) {
        let clock = read(variables).map(|settings| settings.clock);
        assert_eq!(clock, expected.map_err(str::to_owned));
    }

    #[test]
    fn one_seed_takes_precedence_over_a_number_of_seeds() {
        check_seeds(&[], Ok(&[1, 2, 3]));
        check_seeds(&[("LAB_SEEDS", "2")], Ok(&[1, 2]));
        check_seeds(&[("LAB_SEED", "77"), ("LAB_SEEDS", "2")], Ok(&[77]));
        check_seeds(&[("LAB_SEEDS", "0")], Err("LAB_SEEDS is 0; expected at least 1"));
        check_seeds(&[("LAB_SEED", "x")], Err("LAB_SEED is \"x\"; expected a number"));
    }

    #[test]
    fn time_is_virtual_by_default() {
        check_clock(&[], Ok(Clock::default()));
        check_clock(&[("LAB_ENGINE", "kernel")], Ok(Clock::Virtual(sim::Engine::Kernel)));
        check_clock(&[("LAB_CLOCK", "real"), ("LAB_ENGINE", "kernel")], Ok(Clock::Real));
        check_clock(&[("LAB_CLOCK", "sun")], Err("LAB_CLOCK is \"sun\"; expected virtual or real"));
        check_clock(
            &[("LAB_ENGINE", "steam")],
            Err("LAB_ENGINE is \"steam\"; expected fiber or kernel"),
        );
    }

    #[test]
    fn the_rules_are_checked_by_default() {
        let watched = |variables| read(variables).map(|settings| settings.invariants);
        assert_eq!(watched(&[]), Ok(true));
        assert_eq!(watched(&[("LAB_INVARIANTS", "off")]), Ok(false));
        let error = "LAB_INVARIANTS is \"no\"; expected on or off";
        assert_eq!(watched(&[("LAB_INVARIANTS", "no")]), Err(error.into()));
    }

    #[test]
    fn all_runs_are_made_by_default() {
        let fail_fast = |variables| read(variables).map(|settings| settings.fail_fast);
        assert_eq!(fail_fast(&[]), Ok(false));
        assert_eq!(fail_fast(&[("LAB_FAIL_FAST", "on")]), Ok(true));
        let error = "LAB_FAIL_FAST is \"1\"; expected on or off";
        assert_eq!(fail_fast(&[("LAB_FAIL_FAST", "1")]), Err(error.into()));
    }

    #[test]
    fn failures_are_recorded_by_default() {
        let timeline = |variables| read(variables).map(|settings| settings.timeline);
        assert_eq!(timeline(&[]), Ok(Timeline::OnFailure));
        assert_eq!(timeline(&[("LAB_TIMELINE", "always")]), Ok(Timeline::Always));
        assert_eq!(timeline(&[("LAB_TIMELINE", "never")]), Ok(Timeline::Never));
        let error = "LAB_TIMELINE is \"on\"; expected always or never";
        assert_eq!(timeline(&[("LAB_TIMELINE", "on")]), Err(error.into()));
    }

    #[test]
    fn a_failing_run_is_made_shorter_only_on_request() {
        let shrink = |variables| read(variables).map(|settings| settings.shrink);
        assert_eq!(shrink(&[]), Ok(None));
        assert_eq!(shrink(&[("LAB_SHRINK", "off")]), Ok(None));
        assert_eq!(shrink(&[("LAB_SHRINK", "1")]), Ok(Some(SHRINK_FOR)));
        assert_eq!(shrink(&[("LAB_SHRINK", "60s")]), Ok(Some(Duration::from_secs(60))));
        let error = "LAB_SHRINK is \"yes\"; expected on, off or seconds, as 60s";
        assert_eq!(shrink(&[("LAB_SHRINK", "yes")]), Err(error.into()));
    }

    #[test]
    fn a_clock_is_read_as_it_is_written() {
        for name in ["fiber", "kernel", "real"] {
            assert_eq!(name.parse::<Clock>().unwrap().to_string(), name);
        }
    }
}
