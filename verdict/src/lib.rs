//! Why a run failed, and whose fault it is.
//!
//! The first [`Failure`] that any thread reports to the [`Referee`] is the verdict of a run. The
//! thread decides whose fault it is. Each thread works for a server or for the kit ([`label`]), and
//! the server may be dead already ([`Life`]). A panic in any thread is reported with both
//! ([`panics`]). A run in virtual time has limits of its own ([`virtual_time`]).
//!
//! Nothing here knows which service the servers run.

mod failure;
mod finding;
mod lives;
mod kit_code;
mod referee;
pub mod label;
pub mod panics;
pub mod threads;
pub mod crowd;
pub mod virtual_time;

pub use failure::{Class, Evidence, Failure, NOTE_BYTES_MAX, NOTES_MAX, SENTENCE_BYTES_MAX, cut};
pub use finding::FindingKind;
pub use kit_code::KitCode;
pub use lives::{Death, KILL, Life};
pub use referee::{FINDINGS_MAX, Figures, Referee, Stopped};
