//! Everything that happens in a run, in one order.
//!
//! The code that causes something records an [`Event`] in the [`History`]. The checker of Raft's
//! rules, the findings, and the lab's record of applied entries are readers: they subscribe to the
//! history, and nothing else calls them. Without a reader nothing is recorded, and recording costs
//! nothing.
//!
//! A [`Moment`] is a place in that order. Conclusions about two servers use this order and never
//! the clock: if a state was asked for after an event, it shows everything that led to the event.

mod event;
mod record;
mod rule;
pub mod command;

pub use event::{Event, Incarnation, Moment, RaftEvent, ServerEvent, What};
pub use record::History;
pub use rule::Rule;
