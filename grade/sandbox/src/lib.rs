//! A sandbox for untrusted programs.
//!
//! A program is not started directly. The caller's own program is executed again as a
//! [launcher](launch()): it gives up all rights and then executes the program. No code of the
//! program ever runs outside the sandbox, not even code that runs before `main`.
//!
//! There are six [layers](Layer). None needs a container or namespaces, so all of them work in a
//! default Docker container. A layer counts only after a [probe](Sandbox::probe), in which a
//! process inside tries what the layer forbids. Layers that do not hold are reported with the
//! reason.
//!
//! A program runs for one of three [purposes](Purpose). A [peer](Purpose::Peer) can compute and use
//! the descriptors that it was given. A [template of peers](Purpose::Peers) can also make copies of
//! itself. A [build](Purpose::Build) can start programs, read a toolchain, and write to its own
//! folders.

/// The exit code of a launcher that could not start its program. Its stderr says why.
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
