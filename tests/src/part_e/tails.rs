//! Staged tails: entries of its own that a server has after those that it shares with its leader.

use config::Setup;
use runner::Lab;

use crate::draw;
use crate::part_e::arena::Arena;

/// Four of these are more than an ordinary Raft puts into one message.
const LARGE_COMMAND_BYTES: usize = 400_000;
const LARGE_COMMANDS: usize = 4;
const LARGE_ROUNDS: usize = 2;

/// A log that takes several messages: a follower that has a rest of its own behind what it shares
/// with the leader must not take that rest for committed when the first of them comes (5.3).
pub(crate) fn large_commands(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in 0..LARGE_ROUNDS {
        let [old, a, b] = arena.roles();
        for _ in 0..LARGE_COMMANDS {
            let command = draw::letters(&mut arena.rng, LARGE_COMMAND_BYTES);
            arena.cfg.start(old, command);
        }
        let all = arena.all();
        arena.agree(&all);
        arena.cfg.faults().isolate(old);
        let tail = (0..2 * LARGE_COMMANDS).filter_map(|_| arena.start(old)).count();
        tried += usize::from(tail > 0);
        for _ in 0..LARGE_COMMANDS {
            arena.agree(&[a, b]);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}
