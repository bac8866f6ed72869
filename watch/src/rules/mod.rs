//! The rules, one file each, with the argument why the check never fails a correct Raft.

pub(crate) mod shape;
pub(crate) mod monotonic;
pub(crate) mod leaders;
pub(crate) mod votes;
pub(crate) mod first_votes;
pub(crate) mod ballot;
pub(crate) mod given_up;
pub(crate) mod up_to_date;
pub(crate) mod elected;
pub(crate) mod leader_log;
pub(crate) mod committed;
pub(crate) mod matching;
pub(crate) mod majority;
pub(crate) mod regression;
pub(crate) mod heeded;
pub(crate) mod restart;
pub(crate) mod snapshots;
