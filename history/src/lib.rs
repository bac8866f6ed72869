//! Everything that happens in a run, in one order.
//!
//! The code that causes something records an [`Event`] in the [`History`]. The checker of Raft's
//! rules, the findings and the lab's memory of what was applied are readers: they subscribe to the
//! history, and nothing else calls them. Without a reader nothing is recorded, at no cost.
//!
//! A [`Moment`] is a place in that order. Conclusions about two servers follow from the order,
//! never from the clock: a state that was asked for after an event shows everything that led to the
//! event.

mod event;
mod record;
mod rule;
pub mod command;

pub use event::{Event, Incarnation, Moment, RaftEvent, ServerEvent, What};
pub use record::History;
pub use rule::Rule;
