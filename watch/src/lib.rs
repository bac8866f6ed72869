//! Raft's own rules, checked at every event of a run.
//!
//! An implementation that breaks a rule where no test checks it passes the original suite. Here a
//! [`Checker`] folds over the [history] of a run. It compares what each server shows with
//! everything that was seen before, of this server and of all others. A broken rule is a
//! [`Violation`]: the rule, the values, and the events that show it as [evidence](Fact).
//!
//! If a server does something that the paper forbids but that provably does no harm, it is a
//! [`Remark`] and not a violation.
//!
//! A false alarm is the worst fault of a checker, so each file in `rules/` argues why it gives
//! none. In short: a sample is the state of one peer at one instant. Two samples are compared only
//! by what one had shown *before the other was asked for*. State that a crash can lose counts only
//! if another server can have learned of it before.
//!
//! | file in `rules/` | rule |
//! |---|---|
//! | `leaders` | S1 one leader in a term; S15 leadership that a server claims |
//! | `votes` | S2 one vote in a term |
//! | `given_up` | S2 for a vote that was given up: whether that can have done harm |
//! | `ballot` | for S2 and S3: who can have been elected in a term |
//! | `up_to_date` | S3 the election restriction |
//! | `elected` | S4 a leader has a majority |
//! | `leader_log` | S5 a leader only appends |
//! | `matching` | S6 log matching, with the commands that were taken and applied |
//! | `committed` | S7 leader completeness; S11 what a leader can commit |
//! | `majority` | S11 a committed entry is on a majority; S10 it stays there |
//! | `monotonic` | S12 terms and commit indices never fall; S14, S8 |
//! | `regression` | S13 no committed or acknowledged entry is removed; S14 |
//! | `heeded` | S13 no entry is stored that the term's leader cannot have sent |
//! | `restart` | S10 and S12 through crashes; S14 state and snapshot together |
//! | `snapshots` | S14 no older snapshot over a newer one |
//! | `shape` | S12 in one state; states that no Raft can be in |
//!
//! S17, a server knows only what messages brought, needs no samples. It is a fold of its own,
//! [`Knowledge`], with the part of S11 that is visible from outside.
//!
//! S16, nothing comes from a crashed server, is checked in `network`. `config` checks S8 and S9
//! where it records what was applied, and L1 to L5 in the checks that wait for them.
//!
//! A new rule is a file in `rules/` with a call in `checker.rs`, a variant in its family in
//! `breach/`, and an id in `history`.

mod checker;
mod server;
mod network;
mod clocks;
mod sample;
mod poll;
mod rules;
mod losses;
mod breach;
mod knowledge;
mod remark;

#[cfg(test)]
mod scenario;

pub use breach::{
    ApplyingBreach, Breach, Claim, CommitmentBreach, CrashBreach, ElectionBreach, Fact, Forgotten,
    KnowledgeBreach, LogBreach, LogChange, LogEnd, Loss, MustStay, ShapeBreach, SnapshotBreach,
    SnapshotFault, Violation, Way,
};
pub use checker::Checker;
pub use knowledge::Knowledge;
pub use remark::{Deviation, Remark};
