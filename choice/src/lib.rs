//! The choices that the kit makes in a run: what it does to each message, which faults it injects,
//! which commands its clients send, how long its tests wait.
//!
//! A run of a seed draws thousands of them. To explain a failure, one wants to know which of them
//! matter. So each has a [`Name`], and a run can be asked to keep some and to leave out the others:
//! then a message that is not named arrives at once, and a fault that is not named does not happen.
//! A name says what a person would say ("the third RequestVote of server 2 to server 1 in term 3"),
//! so it still means the same message after the code under test was changed.
//!
//! [`Choices`] is asked at each choice of a run. It answers with what was drawn, and lists it or
//! consults a plan if the run has one. [`Stream`] is where tests and networks draw from; it can
//! turn to another future at one moment of the run ([`sim::Turn`]).

mod choices;
mod list;
mod name;
mod stream;

pub use choices::{Choices, PLAIN_UNREACHABLE_MS, PLAIN_WAIT};
pub use list::{Choice, Fate, Value};
pub use name::Name;
pub use sim::Turn;
pub use stream::Stream;
