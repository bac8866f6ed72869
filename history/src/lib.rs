//! Everything that happens in a run, in one order.
//!
//! Whoever causes something records an [`Event`]; whoever wants to know subscribes to the
//! [`History`]. The checkers of Raft's rules, the findings and the lab's memory of what was applied
//! are readers, and none of them is called by anything else. Without a reader nothing is recorded,
//! and nothing is paid for.
//!
//! A [`Moment`] is a place in that order. What can be concluded about two servers rests on the
//! order, never on the clock: a state that was asked for after an event shows what the event rests
//! on.

mod event;
mod record;
mod rule;
pub mod command;

pub use event::{Event, Incarnation, Moment, RaftEvent, ServerEvent, What};
pub use record::History;
pub use rule::Rule;
