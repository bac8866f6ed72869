//! The cluster, on scripted peers.

#[path = "../support/mod.rs"]
mod support;

mod life;
mod after_the_end;
mod meeting;
mod checks;
mod agreement;
mod snapshots;
mod bad_peers;
mod watched;
mod faults;
