//! Reads a run file, and says what is wrong with one that cannot be read.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{End, Error, Event, Header, RunFile, VERSION};

/// Reads the run file at `path`.
///
/// # Errors
/// If it is not a complete run file of this version.
pub fn read(path: &Path) -> Result<RunFile, Error> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::NotARunFile)?;
    parse(&text)
}

fn parse(text: &str) -> Result<RunFile, Error> {
    let mut lines = (1..).zip(text.lines());
    let header = header(lines.next().map_or("", |(_, line)| line))?;
    let mut events = Vec::new();
    while let Some((number, line)) = lines.next() {
        let damaged =
            |error: serde_json::Error| Error::Damaged { line: number, why: error.to_string() };
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            // A file that was cut ends within a line.
            Err(error) if error.is_eof() => return Err(Error::Incomplete(events.len())),
            Err(error) => return Err(damaged(error)),
        };
        if value.get("end").is_some() {
            let end: End = serde_json::from_value(value).map_err(damaged)?;
            let is_last = lines.next().is_none() && end.events == events.len();
            return if is_last {
                Ok(RunFile { header, events, end })
            } else {
                Err(Error::Incomplete(events.len()))
            };
        }
        events.push(serde_json::from_value::<Event>(value).map_err(damaged)?);
    }
    Err(Error::Incomplete(events.len()))
}

fn header(line: &str) -> Result<Header, Error> {
    let value: Value = serde_json::from_str(line).map_err(|_| Error::NotARunFile)?;
    let version = value.get("run_file").and_then(Value::as_u64).ok_or(Error::NotARunFile)?;
    if version != u64::from(VERSION) {
        return Err(Error::Version(version));
    }
    serde_json::from_value(value)
        .map_err(|error| Error::Damaged { line: 1, why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{How, Kind, LogChange, Role, State};

    fn run() -> RunFile {
        let state = State {
            server: 1,
            role: Some(Role::Candidate),
            voted_for: Some(None),
            log: Some(LogChange { from: 1, terms: vec![1, 2] }),
            ..State::default()
        };
        let kinds = [
            Kind::Started { server: 1, incarnation: 1 },
            Kind::State(state),
            Kind::State(State { server: 1, term: Some(3), ..State::default() }),
            Kind::State(State {
                server: 1,
                votes_received: Some(None),
                next_index: Some(Some(vec![3, 1])),
                match_index: Some(Some(vec![2, 0])),
                election_deadline: Some(Some(153_000)),
                ..State::default()
            }),
            Kind::Ended { call: 7, how: How::RequestLost },
        ];
        let events = (1..).zip(kinds).map(|(n, kind)| Event { n, t: 1000 * n, kind }).collect();
        let header = Header {
            run_file: VERSION,
            test: "3A re-election".into(),
            purpose: "It works.".into(),
            seed: 7,
            servers: 3,
            clock: "fiber".into(),
            rules_checked: true,
        };
        let end = End {
            end: true,
            events: 5,
            t: 6000,
            hash: Some("ff".into()),
            failure: None,
            findings: Vec::new(),
            replay: "LAB_SEED=7 cargo test re-election".into(),
            odds: Vec::new(),
        };
        RunFile { header, events, end }
    }

    fn text(run: &RunFile) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.run");
        crate::write(run, &path).unwrap();
        assert_eq!(&read(&path).unwrap(), run);
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_run_is_a_line_an_event() {
        insta::assert_snapshot!(text(&run()));
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_file_that_cannot_be_read_gets_one_sentence() {
        let text = text(&run());
        check("", "it is not a run file");
        check("{}\n", "it is not a run file");
        let other = text.replace("\"run_file\":1", "\"run_file\":2");
        check(&other, "run file version 2 is not supported (expected 1); record the run again");
        check(&text[..text.len() / 2], "it ends early, after 2 events; record the run again");
        let last = text.trim_end().rfind('\n').unwrap();
        check(&text[..last], "it ends early, after 5 events; record the run again");
        let first = text.find('\n').unwrap();
        let second = first + 1 + text[first + 1..].find('\n').unwrap();
        let without_one = format!("{}{}", &text[..first], &text[second..]);
        check(&without_one, "it ends early, after 4 events; record the run again");
        let wrong = text.replace("\"request_lost\"", "\"eaten\"");
        assert!(parse(&wrong).unwrap_err().to_string().starts_with("line 6 is damaged: "));
    }
}
