//! The grader's sandbox: what a stranger's program may do while it runs.
//!
//! A program is not started but [launched](launch()): the grader's own program starts in its place,
//! with a [plan](Purpose) as its argument, takes every right away from itself, and then executes
//! the program. So nothing of a submission ever runs outside, not even what runs before `main`.
//!
//! There are six layers ([`Layer`]), none of which needs a container or its namespaces, so all
//! work in a default Docker container. Each is [tried](Sandbox::probe) before it is relied upon: a
//! process inside attempts what is forbidden. What is not in force is said, with why.
//!
//! Three purposes: a [peer](Purpose::Peer) may compute and speak through what it was given; what
//! [peers](Purpose::Peers) are copies of may make such copies, besides; a
//! [build](Purpose::Build) may start programs, read a toolchain, and write below its own folders.

/// The exit code of a launcher that could not do what it was told; its stderr says why.
pub const LAUNCH_FAILED: i32 = 125;

mod layers;
mod limits;
mod purpose;
mod end;
mod run;
mod toolchain;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod user;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(not(target_os = "linux"))]
mod elsewhere;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::launch;
pub use end::Ending;
#[cfg(target_os = "linux")]
pub use launch::launch;
pub use layers::{InForce, Layer, Layers, Missing};
pub use limits::Limits;
pub use purpose::{Purpose, Sandbox};
pub use run::{Finished, run};
pub use toolchain::Toolchain;
