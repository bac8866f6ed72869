//! The page as text: what is embedded in it is the run, and no text of a run gets out of its place.

use runfile::{Event, Kind, RunFile, Value};
use serde_json::Value as Json;

fn figure_8() -> RunFile {
    runfile::read(concat!(env!("CARGO_MANIFEST_DIR"), "/web/tests/figure-8.run").as_ref()).unwrap()
}

/// The text between two others.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

fn embedded(page: &str) -> Json {
    let data = between(page, "<script type=\"application/json\" id=\"run\">", "</script>");
    serde_json::from_str(data).unwrap()
}

/// The events, read from the columns as the page's script does it.
fn events(embedded: &Json) -> Vec<Event> {
    let list = |value: &Json| value.as_array().unwrap().clone();
    let sums = |steps: &Json| -> Vec<i64> {
        let add = |sum: &mut i64, step: Json| {
            *sum += step.as_i64().unwrap();
            Some(*sum)
        };
        list(steps).into_iter().scan(0, add).collect()
    };
    let (n, t) = (sums(&embedded["n"]), sums(&embedded["t"]));
    let mut rows = vec![0; list(&embedded["kinds"]).len()];
    let event = |(at, kind): (usize, &Json)| {
        let kind = usize::try_from(kind.as_u64().unwrap()).unwrap();
        let row = rows[kind];
        rows[kind] += 1;
        let mut line = serde_json::Map::from_iter([
            ("n".to_owned(), n[at].into()),
            ("t".to_owned(), t[at].into()),
            ("kind".to_owned(), embedded["kinds"][kind].clone()),
        ]);
        for (name, column) in embedded["tables"][kind].as_object().unwrap() {
            let cell = match column.get("steps") {
                Some(steps) => Some(sums(steps)[row].into()),
                None => value(embedded, column["values"][row].as_u64().unwrap()),
            };
            line.extend(cell.map(|cell| (name.clone(), cell)));
        }
        serde_json::from_value(line.into()).unwrap()
    };
    list(&embedded["order"]).iter().enumerate().map(event).collect()
}

/// A value by its number; none if the number is 0.
fn value(embedded: &Json, id: u64) -> Option<Json> {
    let node = &embedded["values"][usize::try_from(id).unwrap().checked_sub(1)?];
    let part = |id: &Json| value(embedded, id.as_u64().unwrap()).unwrap();
    Some(match node {
        Json::Array(ids) if ids[0] == 0 => ids[1..].iter().map(part).collect(),
        Json::Array(ids) => {
            let shape = usize::try_from(ids[0].as_u64().unwrap()).unwrap() - 1;
            let names = embedded["shapes"][shape].as_array().unwrap();
            let name = |name: &Json| name.as_str().unwrap().to_owned();
            names.iter().map(name).zip(ids[1..].iter().map(part)).collect()
        }
        Json::Object(digits) => digits["digits"].as_str().unwrap().parse::<u64>().unwrap().into(),
        scalar => scalar.clone(),
    })
}

/// JSON sorts the names of fields here; the order of two equal values does not matter.
fn comparable(events: &[Event]) -> Vec<Json> {
    events.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

#[test]
fn the_columns_are_the_run() {
    let run = figure_8();
    let embedded = embedded(&report::html(&run));
    assert_eq!(comparable(&events(&embedded)), comparable(&run.events));
    assert_eq!(embedded["seed"], run.header.seed.to_string());
    assert_eq!(embedded["end"]["failure"]["rule"]["id"], "S11");
}

#[test]
fn fields_keep_the_order_of_the_student() {
    let mut run = figure_8();
    let args = Value::Fields(vec![("z".into(), Value::Null), ("a".into(), Value::Bool(true))]);
    let sent = run.events.iter_mut().find_map(|event| match &mut event.kind {
        Kind::Sent { args, .. } => Some(args),
        _ => None,
    });
    *sent.unwrap() = Some(args);
    let shapes = embedded(&report::html(&run))["shapes"].clone();
    assert!(shapes.as_array().unwrap().contains(&serde_json::json!(["z", "a"])), "{shapes}");
}

#[test]
fn the_largest_numbers_are_exact() {
    let mut run = figure_8();
    run.header.seed = u64::MAX;
    let kind = Kind::SaidState { server: 0, term: u64::MAX };
    run.events.push(Event { kind, ..run.events.last().unwrap().clone() });
    let embedded = embedded(&report::html(&run));
    assert_eq!(embedded["seed"], "18446744073709551615");
    assert_eq!(comparable(&events(&embedded)), comparable(&run.events));
}

#[test]
fn text_of_a_run_is_harmless() {
    let evil = "</script><script>alert(1)</script><!--<script>]]>\u{2028}\"'&<img src=x onerror=y>";
    let clean = report::html(&figure_8());
    let mut run = figure_8();
    run.header.test = evil.into();
    run.header.purpose = evil.into();
    run.end.replay = evil.into();
    run.end.findings.push(evil.into());
    let kind = Kind::Output { server: None, thread: evil.into(), text: evil.into() };
    run.events.push(Event { kind, ..run.events.last().unwrap().clone() });
    let page = report::html(&run);
    let tags =
        |page: &str| ["<script", "</script", "<!--", "<img"].map(|it| page.matches(it).count());
    assert_eq!(tags(&page), tags(&clean));
    assert!(between(&page, "<title>", "</title>").starts_with("&lt;/script&gt;"));
    assert_eq!(embedded(&page)["end"]["replay"], evil);
}

#[test]
fn the_page_refers_to_nothing_outside() {
    let page = report::html(&figure_8());
    for reference in ["src=", "<link", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'; script-src 'sha256-"));
}
