//! A seeded stream of random numbers that can turn to another future.

use std::convert::Infallible;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng, TryRng};

use crate::Turn;

/// A seeded stream of random numbers, for a test, a client or a network.
///
/// Up to the moment of a turn it gives the numbers of its seed, and from then on those of another
/// one.
#[derive(Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
    /// The turn that is still to come, and the generator after it. Behind a pointer, since few runs
    /// have one.
    turn: Option<Box<(Turn, ChaCha8Rng)>>,
}

impl Stream {
    /// The stream of this number under a seed. Streams with different numbers are independent.
    pub fn new(seed: u64, number: u64, turn: Option<Turn>) -> Stream {
        let rng = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            rng
        };
        Stream { rng: rng(seed), turn: turn.map(|turn| Box::new((turn, rng(turn.seed(seed))))) }
    }

    #[inline]
    fn now(&mut self) -> &mut ChaCha8Rng {
        // The clock is read without a step, so that a run with a turn is the same up to there.
        if self.turn.as_ref().is_some_and(|turn| sim::now() >= turn.0.at)
            && let Some(turn) = self.turn.take()
        {
            self.rng = turn.1;
        }
        &mut self.rng
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.now().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.now().next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.now().fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Draws a number every second for six seconds of virtual time.
    fn draws(turn: Option<Turn>) -> Vec<u64> {
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let numbers = Arc::clone(&drawn);
        sim::run(sim::Options::new(), move || {
            let mut stream = Stream::new(1, 7, turn);
            for _ in 0..6 {
                numbers.lock().unwrap().push(stream.next_u64());
                thread::sleep(Duration::from_secs(1));
            }
        });
        Arc::try_unwrap(drawn).unwrap().into_inner().unwrap()
    }

    #[test]
    fn two_futures_are_the_same_up_to_the_turn_and_differ_after_it() {
        let at = Duration::from_millis(2500);
        let plain = draws(None);
        let futures = [0, 1].map(|salt| draws(Some(Turn { at, salt })));
        for future in &futures {
            assert_eq!(future[..3], plain[..3]);
            assert!(future[3..].iter().all(|number| !plain.contains(number)));
        }
        assert_ne!(futures[0], futures[1]);
        assert_eq!(futures[0], draws(Some(Turn { at, salt: 0 })));
    }
}
