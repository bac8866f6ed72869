//! Where conditions are asked, and who answers.

use super::moments::{Moments, Point};
use super::query::{Condition, Sum};
use super::values::Val;

/// Where a condition is asked: at a point, in the brackets of a condition at another point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) here: Point,
    pub(super) that: Option<Point>,
}

/// Answers conditions about a run.
pub(super) trait Judge<'a> {
    fn moments(&self) -> &'a Moments<'a>;

    fn holds(&self, condition: &'a Condition, at: Place) -> bool;

    /// Whether one of the values of a sum is the one that is looked for. It can have none, or
    /// several if it has a `*`.
    fn each(&self, sum: &'a Sum, at: Place, is_it: &mut dyn FnMut(Val<'a>) -> bool) -> bool;
}

/// All points at which a condition can hold, in order.
pub(super) fn points<'a>(
    moments: &'a Moments<'a>,
    condition: &Condition,
) -> impl Iterator<Item = Point> + use<'a> {
    let none = moments.servers;
    let servers = if condition.asks_about_a_server() { 0..none } else { none..none + 1 };
    let is_of_one = condition.is_of_the_events_server();
    (0..moments.events().len()).flat_map(move |event| {
        let only = moments.happens_to(event).unwrap_or(none);
        let servers = if is_of_one { only..only + 1 } else { servers.clone() };
        servers.map(move |server| Point { event, server })
    })
}
