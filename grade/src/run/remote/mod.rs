//! A run whose peers are processes of their own, all in the virtual time of the run.
//!
//! This program is started again for each run. It runs the test, and owns the network, the
//! persisters and the verdict. Each [peer](peer::RemotePeer) stands for a [process] that contains
//! only the submission. A [driver] thread lets that process advance whenever something is due
//! there, and carries out its outputs.
//!
//! All of that works for any service. Only [`raft`] knows the methods of a Raft.

mod raft;
mod launcher;
mod clock;
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

/// The first argument of a process that makes a run.
const PEERS: &str = "--peers";

/// The arguments of a process that makes a run, before those of the job: the peers' sandbox, their
/// program, and the salt of their random numbers.
pub(crate) fn arguments(
    sandbox: &Sandbox,
    program: &Path,
    salt: &str,
) -> io::Result<Vec<OsString>> {
    let sandbox = serde_json::to_string(sandbox)?;
    Ok(vec![PEERS.into(), sandbox.into(), program.into(), salt.into()])
}

/// Makes a run of one of the tests, if the command line asks for one.
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
    // In this thread, which lives until the end: the kernel kills its children when it ends.
    let template = Template::start(&sandbox, &program);
    let seed = seed_of_peers(&job.test().name(), job.seed(), &salt);
    let describes = job.wants_values();
    job.run(|referee| raft::make(Launcher::new(template, seed, referee, describes)))
}

/// The seed of the peers' random numbers in a run. It differs for each test and each salt.
/// Otherwise a program could tell from its first random number with which seed it is graded.
fn seed_of_peers(test: &str, seed: u64, salt: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for piece in [test.as_bytes(), &seed.to_le_bytes(), salt.as_bytes()] {
        kit::update(&mut hasher, piece);
    }
    hasher.finalize().into()
}

/// Keeps this process and its children on one processor. The run and its peers take turns, and a
/// change of turns is more than twice as fast on one processor.
fn stay_here() {
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    // If this is not allowed, the run only takes longer.
    let _ = sched_setaffinity(None, &here);
}

#[cfg(test)]
mod tests {
    use super::seed_of_peers;

    #[test]
    fn peers_draw_other_numbers_for_each_test_seed_and_salt() {
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
