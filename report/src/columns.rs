//! A run as columns: a table for each kind of event, and a column for each of its fields.
//!
//! Numbers that grow are short as differences, and a page of columns is read faster than one of
//! objects. The columns follow the run file's own fields, so a new field needs no change here.

use std::collections::BTreeMap;

use runfile::{Event, RunFile, Value};
use serde::Serialize;
use serde_json::json;

use crate::values::Values;

/// The largest number that a script reads exactly.
const EXACT: i64 = (1 << 53) - 1;

/// A table: the events of one kind, in order.
#[derive(Debug, Default)]
struct Table {
    rows: usize,
    columns: BTreeMap<String, Vec<Option<Value>>>,
}

/// A column as the page has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Column {
    /// Each number as its difference to the one before.
    Steps(Vec<i64>),
    /// Numbers of values; 0 where the field is missing.
    Values(Vec<usize>),
}

/// The run as one JSON text for the script of the page.
pub(crate) fn of(run: &RunFile) -> serde_json::Result<serde_json::Value> {
    let mut kinds: Vec<String> = Vec::new();
    let mut tables: Vec<Table> = Vec::new();
    let mut order = Vec::with_capacity(run.events.len());
    for event in &run.events {
        let (kind, fields) = split(event)?;
        let place = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            kinds.push(kind);
            tables.push(Table::default());
            kinds.len() - 1
        });
        order.push(place);
        tables[place].push(fields);
    }
    let mut values = Values::default();
    let tables: Vec<_> = tables.into_iter().map(|table| table.columns(&mut values)).collect();
    Ok(json!({
        "header": run.header,
        // A script would round it.
        "seed": run.header.seed.to_string(),
        "end": run.end,
        "n": steps(run.events.iter().map(|event| event.n)),
        "t": steps(run.events.iter().map(|event| event.t)),
        "kinds": kinds,
        "order": order,
        "tables": tables,
        "shapes": values.shapes(),
        "values": values.nodes(),
    }))
}

/// The kind of an event and its fields, in the run file's own names and order.
fn split(event: &Event) -> serde_json::Result<(String, Vec<(String, Value)>)> {
    let line = serde_json::to_string(&event.kind)?;
    let Value::Fields(mut fields) = serde_json::from_str(&line)? else {
        return Ok((String::new(), Vec::new()));
    };
    match fields.iter().position(|(name, _)| name == "kind").map(|at| fields.remove(at)) {
        Some((_, Value::Text(kind))) => Ok((kind, fields)),
        _ => Ok((String::new(), fields)),
    }
}

impl Table {
    fn push(&mut self, fields: Vec<(String, Value)>) {
        for (name, value) in fields {
            let column = self.columns.entry(name).or_default();
            column.resize(self.rows, None);
            column.push(Some(value));
        }
        self.rows += 1;
    }

    fn columns(self, values: &mut Values) -> BTreeMap<String, Column> {
        let rows = self.rows;
        let encode = |(name, mut cells): (String, Vec<Option<Value>>)| {
            cells.resize(rows, None);
            (name, column(&cells, values))
        };
        self.columns.into_iter().map(encode).collect()
    }
}

fn column(cells: &[Option<Value>], values: &mut Values) -> Column {
    let number = |cell: &Option<Value>| match cell {
        Some(Value::Unsigned(number)) => i64::try_from(*number).ok().filter(|it| *it <= EXACT),
        _ => None,
    };
    match cells.iter().map(number).collect::<Option<Vec<_>>>() {
        Some(numbers) => Column::Steps(differences(numbers)),
        None => {
            let id = |cell: &Option<Value>| cell.as_ref().map_or(0, |value| values.id(value));
            Column::Values(cells.iter().map(id).collect())
        }
    }
}

/// Differences of numbers; what a script could not read exactly is cut off.
fn steps(numbers: impl Iterator<Item = u64>) -> Vec<i64> {
    differences(numbers.map(|number| i64::try_from(number).unwrap_or(EXACT).min(EXACT)))
}

fn differences(numbers: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut before = 0;
    numbers.into_iter().map(|number| number - std::mem::replace(&mut before, number)).collect()
}
