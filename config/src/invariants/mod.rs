//! The rules of Raft, watched at every step of every run.
//!
//! A submission that breaks a rule where no test looks passes the original suite. Here an
//! [`Observer`](observer::Observer) asks every peer for its state whenever something has happened
//! to it, and a [`Board`](board::Board) holds what it shows against what was seen before, of this
//! server and of all others. The first rule that is broken ends the run, with its name.
//!
//! A false alarm is the worst that can happen here, so each checker states why it can have none. In
//! short: an inspection is one peer at one instant; two of them are compared only by what one had
//! shown *before the other was asked for*; and what a crash may lose counts only once it was told.
//!
//! | file | rule |
//! |---|---|
//! | `leaders` | S1 one leader in a term; S15 who says that it leads |
//! | `votes` | S2 one vote in a term |
//! | `up_to_date` | S3 the election restriction |
//! | `elected` | S4 a leader has a majority |
//! | `leader_log` | S5 a leader only appends |
//! | `matching` | S6 log matching, with the commands that were taken and applied |
//! | `committed` | S7 leader completeness; S11 what a leader may commit |
//! | `majority` | S11 what is committed is on a majority; S10 and stays there |
//! | `falls` | S12 what never falls; S14, S8 |
//! | `taken_back` | S13 nothing is taken back; S14 |
//! | `restart` | S10 and S12 through crashes; S14 state and snapshot together |
//! | `board` | S16 nothing from the dead |
//!
//! S8 and S9 are judged where entries are applied (`applied`), L1 to L5 by the checks that wait for
//! them (`checks`, `agreement`).

pub(crate) mod rule;
pub(crate) mod observer;
pub(crate) mod board;
mod sighting;
mod survey;
mod leaders;
mod votes;
mod up_to_date;
mod elected;
mod leader_log;
mod matching;
mod committed;
mod majority;
mod falls;
mod taken_back;
mod restart;

#[cfg(test)]
mod story;

pub use observer::NOT_INSPECTED;
pub use rule::Rule;

use crate::failure::{Class, Failure};

/// A rule was broken, and a server has shown it.
fn broken(rule: Rule, server: usize, sentence: String) -> Failure {
    Failure::of(server, Class::Safety, sentence).with_rule(rule)
}
