//! Random choices of tests, always from the seed of the run.

use std::time::Duration;

use choice::Stream;
use config::command::number;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// A command that differs from all others: a number of up to 19 digits, as in the original.
pub(crate) fn command(rng: &mut impl Rng) -> Vec<u8> {
    number(rng.random::<u64>() >> 1)
}

/// The pause between two rounds of the tests of Figure 8. Nine of ten are too short to commit
/// anything, and one is probably long enough.
pub(crate) fn figure_8_pause(rng: &mut impl Rng) -> Duration {
    let longest_ms = if rng.random_ratio(1, 10) { 499 } else { 12 };
    Duration::from_millis(rng.random_range(0..=longest_ms))
}

/// For each of `rounds` rounds whether something happens in it; it happens in `times` of them.
pub(crate) fn in_some_rounds(rng: &mut Stream, times: usize, rounds: usize) -> Vec<bool> {
    let mut happens: Vec<bool> = (0..rounds).map(|round| round < times).collect();
    happens.shuffle(rng);
    happens
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_command_has_up_to_19_digits_and_mostly_18_or_19() {
        let mut rng = Stream::new(1, 0, None);
        let commands: Vec<usize> = (0..100).map(|_| command(&mut rng).len()).collect();
        assert!(commands.iter().all(|len| (1..=19).contains(len)));
        assert!(commands.iter().sum::<usize>() > 1700, "most have 18 or 19 digits");
    }

    #[test]
    fn it_happens_in_the_given_number_of_rounds_and_not_always_in_the_same() {
        let mut rng = Stream::new(1, 0, None);
        let draws: Vec<Vec<bool>> = (0..8).map(|_| in_some_rounds(&mut rng, 4, 20)).collect();
        for rounds in &draws {
            assert_eq!((rounds.len(), rounds.iter().filter(|happens| **happens).count()), (20, 4));
        }
        assert!(draws.iter().any(|rounds| *rounds != draws[0]));
    }

    #[test]
    fn a_pause_is_mostly_short_and_never_longer_than_half_an_election() {
        let mut rng = Stream::new(1, 0, None);
        let pauses: Vec<u128> = (0..1000).map(|_| figure_8_pause(&mut rng).as_millis()).collect();
        assert!(pauses.iter().all(|ms| *ms < 500));
        let long = pauses.iter().filter(|ms| **ms > 12).count();
        assert!((50..200).contains(&long), "{long} of 1000 were long");
    }
}
