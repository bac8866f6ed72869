//! Conditions at other moments: what is found earlier or later, and how long a state has held.

use super::moments::Point;
use super::place::{Judge, Place, points};
use super::query::{Condition, Ordered};
use super::search::Search;

/// Finds earlier or later events of one condition of a question.
pub(super) struct Finder<'a> {
    what: Search<'a>,
    bound: Option<Search<'a>>,
}

/// Since which event a state has held.
pub(super) struct Lasting {
    width: usize,
    /// The first event of the time, plus 1; 0 where it does not hold.
    since: Vec<usize>,
}

impl Lasting {
    pub(super) fn new<'a>(judge: &dyn Judge<'a>, condition: &'a Condition) -> Lasting {
        let moments = judge.moments();
        let width = moments.servers + 1;
        let mut since = vec![0; moments.events().len() * width];
        for here in points(moments, condition) {
            if judge.holds(condition, Place { here, that: None }) {
                let at = here.event * width + here.server;
                let before = at.checked_sub(width).map_or(0, |before| since[before]);
                since[at] = if before > 0 { before } else { here.event + 1 };
            }
        }
        Lasting { width, since }
    }

    pub(super) fn since(&self, at: Point) -> Option<usize> {
        self.since[at.event * self.width + at.server].checked_sub(1)
    }
}

impl<'a> Finder<'a> {
    pub(super) fn new(judge: &dyn Judge<'a>, ordered: &'a Ordered) -> Finder<'a> {
        let what = Search::new(judge, &ordered.condition);
        let bound = ordered.bound.as_ref().map(|bound| Search::new(judge, bound));
        Finder { what, bound }
    }

    /// Whether there is such an event before or after this one.
    pub(super) fn finds(&self, judge: &dyn Judge<'a>, ordered: &Ordered, at: Point) -> bool {
        let events = judge.moments().events();
        let cluster = judge.moments().cluster(at);
        let time = events[at.event].t;
        let mut window =
            if ordered.is_past { cluster.start..at.event } else { at.event + 1..cluster.end };
        if let Some(bound) = &self.bound
            && let Some(bound) = bound.nearest(judge, at, window.clone(), ordered.is_past)
        {
            let (before, after) = (bound.event, bound.event + 1);
            window = if ordered.is_past { after..window.end } else { window.start..before };
        }
        if let Some(micros) = ordered.within {
            let (first, last) = (time.saturating_sub(micros), time.saturating_add(micros));
            let start = events.partition_point(|event| event.t < first);
            let end = events.partition_point(|event| event.t <= last);
            window = window.start.max(start)..window.end.min(end);
        }
        self.what.nearest(judge, at, window, ordered.is_past).is_some()
    }
}
