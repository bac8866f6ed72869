//! How many bytes it takes at least to tell a command that nobody can guess.

/// The shortest command that is judged.
const LEN_MIN: usize = 256;
/// Only so much of a command is looked at and counted.
const LEN_MAX: usize = 4096;
const WINDOW: usize = 8;

/// A lower bound on the bytes that a message needs to bring a command to a server that does not
/// know it; 0 if nothing can be said.
///
/// The lab's long commands are letters and digits drawn at random, which is 5.95 bits a byte: no
/// encoding takes fewer than 74 % of their length, and half of it is demanded. A command is taken
/// for one of these if it has only letters and digits and no 8 of them in a row occur twice: of
/// commands that a compressor could shrink to half none is so.
pub(crate) fn bytes_min(command: &[u8]) -> u64 {
    let seen = &command[..command.len().min(LEN_MAX)];
    if seen.len() < LEN_MIN || !seen.iter().all(u8::is_ascii_alphanumeric) {
        return 0;
    }
    let mut windows: Vec<&[u8]> = seen.windows(WINDOW).collect();
    windows.sort_unstable();
    let repeats = windows.windows(2).any(|pair| pair[0] == pair[1]);
    if repeats { 0 } else { (seen.len() / 2) as u64 }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::distr::{Alphanumeric, SampleString};
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn only_long_commands_that_look_random_have_a_bound() {
        let random = Alphanumeric.sample_string(&mut ChaCha8Rng::seed_from_u64(1), 5000);
        assert_eq!(bytes_min(random.as_bytes()), 2048);
        assert_eq!(bytes_min(&random.as_bytes()[..300]), 150);
        assert_eq!(bytes_min(&random.as_bytes()[..255]), 0);
        assert_eq!(bytes_min("abcdefghijklmnopqrstuvwxyz0123456789".repeat(20).as_bytes()), 0);
        assert_eq!(bytes_min(&[0; 5000]), 0);
        assert_eq!(bytes_min(b""), 0);
    }
}
