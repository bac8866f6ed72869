//! The points at which a condition in brackets holds, ready to be searched from other points.
//!
//! To compare all pairs of events would take minutes for a long run. So what the condition asks of
//! its own event alone is tried once. The points where it holds are sorted by what has to be the
//! `same` outside, and are in blocks that know their smallest and largest values: a comparison with
//! a value outside, such as `term > that term`, skips whole blocks.

use std::collections::HashMap;
use std::ops::Range;

use super::lexer::Step;
use super::moments::Point;
use super::place::{self, Judge, Place};
use super::query::{Condition, Field, Relation, Sum, Value, When};
use super::values::Val;

const BLOCK: usize = 128;

/// The points at which a condition can hold.
pub(super) struct Search<'a> {
    /// The values that have to be equal here and there.
    keys: Vec<&'a Sum>,
    /// What else looks at the event outside.
    rest: Vec<&'a Condition>,
    /// Those of `rest` that can skip blocks.
    bounds: Vec<Bound<'a>>,
    /// By their values of `keys`.
    points: HashMap<Vec<String>, Points>,
}

/// A comparison of a value here with one outside.
struct Bound<'a> {
    here: &'a Sum,
    relation: Relation,
    outside: &'a Sum,
}

#[derive(Default)]
struct Points {
    /// In order.
    points: Vec<Point>,
    /// The values of each bound, block by block.
    extents: Vec<Vec<Extent>>,
}

/// The values of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Extent {
    #[default]
    Empty,
    Between(i128, i128),
    /// Also values that are no numbers.
    Mixed,
}

impl<'a> Search<'a> {
    pub(super) fn new(judge: &dyn Judge<'a>, condition: &'a Condition) -> Search<'a> {
        let parts = match condition {
            Condition::All(parts) => parts.iter().collect(),
            one => vec![one],
        };
        let (mut keys, mut rest, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match key(part) {
                Some(value) => keys.push(value),
                None if part.looks_out() => rest.push(part),
                None => own.push(part),
            }
        }
        let bounds: Vec<Bound<'_>> = rest.iter().copied().filter_map(bound).collect();
        let mut points: HashMap<Vec<String>, Points> = HashMap::new();
        for here in place::points(judge.moments(), condition) {
            let at = Place { here, that: None };
            if own.iter().all(|part| judge.holds(part, at))
                && let Some(key) = key_at(judge, &keys, here)
            {
                points.entry(key).or_default().push(here, judge, &bounds);
            }
        }
        Search { keys, rest, bounds, points }
    }

    /// The nearest point among some events, for the question at a point outside.
    pub(super) fn nearest(
        &self,
        judge: &dyn Judge<'a>,
        outside: Point,
        events: Range<usize>,
        is_past: bool,
    ) -> Option<Point> {
        let points = self.points.get(&key_at(judge, &self.keys, outside)?)?;
        let place = |event| points.points.partition_point(|point| point.event < event);
        let (start, end) = (place(events.start), place(events.end.max(events.start)));
        let limits = self.limits(judge, outside)?;
        let blocks = start / BLOCK..end.div_ceil(BLOCK);
        let in_block = |block: usize| {
            if !self.can_hold(points, block, &limits) {
                return None;
            }
            let (first, last) = (start.max(block * BLOCK), end.min((block + 1) * BLOCK));
            let points = &points.points[first..last];
            let is_it = |point: &&Point| {
                let at = Place { here: **point, that: Some(outside) };
                self.rest.iter().all(|part| judge.holds(part, at))
            };
            let found =
                if is_past { points.iter().rev().find(is_it) } else { points.iter().find(is_it) };
            found.copied()
        };
        if is_past {
            blocks.rev().find_map(in_block)
        } else {
            blocks.into_iter().find_map(in_block)
        }
    }

    /// What the bounds are compared with; none for what is not one number. None at all if one is
    /// compared with nothing: then it holds nowhere.
    fn limits(&self, judge: &dyn Judge<'a>, outside: Point) -> Option<Vec<Option<i128>>> {
        let at = Place { here: outside, that: Some(outside) };
        let limit = |bound: &Bound<'a>| {
            let mut extent = Extent::Empty;
            judge.each(bound.outside, at, &mut |value| extent.add(value));
            match extent {
                Extent::Empty => None,
                Extent::Between(least, most) if least == most => Some(Some(least)),
                _ => Some(None),
            }
        };
        self.bounds.iter().map(limit).collect()
    }

    fn can_hold(&self, points: &Points, block: usize, limits: &[Option<i128>]) -> bool {
        let mut bounds = self.bounds.iter().zip(&points.extents).zip(limits);
        bounds.all(|((bound, extents), limit)| {
            limit.is_none_or(|limit| extents[block].can_hold(bound.relation, limit))
        })
    }
}

impl Points {
    fn push<'a>(&mut self, point: Point, judge: &dyn Judge<'a>, bounds: &[Bound<'a>]) {
        let is_new_block = self.points.len().is_multiple_of(BLOCK);
        self.points.push(point);
        self.extents.resize_with(bounds.len(), Vec::new);
        for (bound, extents) in bounds.iter().zip(&mut self.extents) {
            if is_new_block {
                extents.push(Extent::Empty);
            }
            let extent = extents.last_mut().expect("a block has begun");
            let at = Place { here: point, that: None };
            judge.each(bound.here, at, &mut |value| extent.add(value));
        }
    }
}

impl Extent {
    /// Takes in a value. Never what is looked for, so that all values are.
    fn add(&mut self, value: Val<'_>) -> bool {
        *self = match (*self, value) {
            (Extent::Empty, Val::Number(it) | Val::Time(it)) => Extent::Between(it, it),
            (Extent::Between(least, most), Val::Number(it) | Val::Time(it)) => {
                Extent::Between(least.min(it), most.max(it))
            }
            _ => Extent::Mixed,
        };
        false
    }

    /// Whether one of the values can be in this relation to the limit.
    fn can_hold(self, relation: Relation, limit: i128) -> bool {
        let (least, most) = match self {
            Extent::Empty => return false,
            Extent::Mixed => return true,
            Extent::Between(least, most) => (least, most),
        };
        match relation {
            Relation::Equal => least <= limit && limit <= most,
            Relation::Unequal => least != limit || most != limit,
            Relation::Less => least < limit,
            Relation::AtMost => least <= limit,
            Relation::Greater => most > limit,
            Relation::AtLeast => most >= limit,
        }
    }
}

/// The value of a condition such as `same term`: it says what is equal here and outside.
fn key(condition: &Condition) -> Option<&Sum> {
    let Condition::Compare(left, Relation::Equal, right) = condition else { return None };
    let Sum::Value(Value::Field(When::Now, here)) = left else { return None };
    let Sum::Value(Value::Field(When::That, there)) = right else { return None };
    let is_one = |field: &Field| match field {
        Field::Plain(_) => true,
        Field::Path(_, steps, _) => !steps.contains(&Step::Each),
    };
    (here == there && is_one(here)).then_some(left)
}

/// A comparison whose sides can be known apart.
fn bound(condition: &Condition) -> Option<Bound<'_>> {
    let Condition::Compare(left, relation, right) = condition else { return None };
    if !left.looks_out() && right.is_of_outside() {
        return Some(Bound { here: left, relation: *relation, outside: right });
    }
    let turned = match relation {
        Relation::Equal | Relation::Unequal => *relation,
        Relation::Less => Relation::Greater,
        Relation::AtMost => Relation::AtLeast,
        Relation::Greater => Relation::Less,
        Relation::AtLeast => Relation::AtMost,
    };
    let is_turned = !right.looks_out() && left.is_of_outside();
    is_turned.then_some(Bound { here: right, relation: turned, outside: left })
}

/// The values at a point; none if one is missing.
fn key_at<'a>(judge: &dyn Judge<'a>, keys: &[&'a Sum], here: Point) -> Option<Vec<String>> {
    let at = Place { here, that: None };
    let mut values = Vec::with_capacity(keys.len());
    let mut is_there = |value: &&'a Sum| {
        judge.each(value, at, &mut |value| {
            values.push(value.key());
            true
        })
    };
    keys.iter().all(&mut is_there).then_some(values)
}
