//! The environment variables of the labs.

use std::env;

/// `cargo test` runs so many seeds of each test.
pub const SEEDS_BY_DEFAULT: u64 = 3;

/// Which seeds to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) seeds: Vec<u64>,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Settings, String> {
        Settings::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let number = |name: &str| {
            let Some(text) = variable(name) else { return Ok(None) };
            let number = text.parse::<u64>();
            number.map(Some).map_err(|_| format!("{name} is {text:?}; it has to be a number"))
        };
        let seeds = match (number("LAB_SEED")?, number("LAB_SEEDS")?) {
            (Some(seed), _) => vec![seed],
            (None, Some(0)) => return Err("LAB_SEEDS is 0; it has to be at least 1".into()),
            (None, count) => (1..=count.unwrap_or(SEEDS_BY_DEFAULT)).collect(),
        };
        Ok(Settings { seeds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Result<Vec<u64>, &str>) {
        let lookup = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        };
        let expected = expected.map(|seeds| Settings { seeds }).map_err(str::to_owned);
        assert_eq!(Settings::read(lookup), expected);
    }

    #[test]
    fn one_seed_goes_before_a_number_of_seeds() {
        check(&[], Ok(vec![1, 2, 3]));
        check(&[("LAB_SEEDS", "2")], Ok(vec![1, 2]));
        check(&[("LAB_SEED", "77"), ("LAB_SEEDS", "2")], Ok(vec![77]));
        check(&[("LAB_SEEDS", "0")], Err("LAB_SEEDS is 0; it has to be at least 1"));
        check(&[("LAB_SEED", "x")], Err("LAB_SEED is \"x\"; it has to be a number"));
    }
}
