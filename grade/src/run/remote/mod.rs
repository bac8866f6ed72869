//! A run whose peers are processes of their own, all in the run's one virtual time.
//!
//! This program, started again for each run, plays the test; it owns the network, the persisters
//! and the verdict. Each [peer](peer::RemotePeer) stands for a [process] that holds nothing but the
//! submission. A [driver] thread lets that process advance whenever something is due there, and
//! carries out what comes out of it.
//!
//! All of that serves any service. [`raft`] asks a peer for what the labs want of a Raft.

mod raft;
mod launcher;
mod driver;
mod peer;
mod mailbox;
mod view;
mod nonsense;
mod template;
mod process;
mod descriptors;
mod output;
mod liveness;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use runner::{JobArguments, Table};
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
use sandbox::Sandbox;
use sha2::{Digest, Sha256};

use crate::kit;

use launcher::Launcher;
use template::Template;

/// The first argument of a process that plays a run.
const PEERS: &str = "--peers";

/// The arguments before those of the job for a process that plays a run: the peers' sandbox, their
/// program, and the salt of what they draw.
pub(crate) fn arguments(
    sandbox: &Sandbox,
    program: &Path,
    salt: &str,
) -> io::Result<Vec<OsString>> {
    let sandbox = serde_json::to_string(sandbox)?;
    Ok(vec![PEERS.into(), sandbox.into(), program.into(), salt.into()])
}

/// Plays a run of one of the tests, if the words of the command line ask for that.
pub(crate) fn run_if_asked(
    table: &Table,
    words: impl IntoIterator<Item = OsString>,
) -> Option<std::convert::Infallible> {
    let mut words = words.into_iter();
    if words.next()? != PEERS {
        return None;
    }
    let sandbox: Sandbox = serde_json::from_str(words.next()?.to_str()?).ok()?;
    let program = PathBuf::from(words.next()?);
    let salt = words.next()?.into_string().ok()?;
    let job = JobArguments::from_words(table, words)?;
    stay_here();
    // In this thread, which stays until the end: so do its children.
    let template = Template::start(&sandbox, &program);
    let seed = seed_of_peers(&job.test().name(), job.seed(), &salt);
    job.run(|referee| raft::make(Launcher::new(template, seed, referee)))
}

/// What the peers of a run draw from. It is another for each test and each salt, so that a program
/// cannot tell by the first number that it draws which seed it is graded with.
fn seed_of_peers(test: &str, seed: u64, salt: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for piece in [test.as_bytes(), &seed.to_le_bytes(), salt.as_bytes()] {
        kit::update(&mut hasher, piece);
    }
    hasher.finalize().into()
}

/// The run and its peers take turns, and a turn goes over twice as fast on one processor. They
/// inherit it.
fn stay_here() {
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    // Where that is not allowed it only takes longer.
    let _ = sched_setaffinity(None, &here);
}

#[cfg(test)]
mod tests {
    use super::seed_of_peers;

    #[test]
    fn peers_draw_otherwise_in_every_test_with_every_seed_and_salt() {
        let mut seeds = Vec::new();
        for test in ["3A initial election", "3A re-election"] {
            for seed in [1, 2] {
                seeds.extend(["", "night"].map(|salt| seed_of_peers(test, seed, salt)));
            }
        }
        assert_eq!(seeds[0], seed_of_peers("3A initial election", 1, ""));
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 8);
    }
}
