//! The run file of a recorded run. The run's process writes it, and the parent completes it.

use std::path::Path;

use config::Failure;
use record::Recording;
use runfile::{End, Error, Event, Fact, Header, Kind, RunFile, VERSION};

use crate::arguments::JobArguments;
use crate::outcome::Outcome;

/// Writes what was recorded of a run, without the run's output.
pub(crate) fn write(
    job: &JobArguments,
    recording: Recording,
    outcome: &Outcome,
    path: &Path,
) -> Result<(), Error> {
    let failure = outcome.verdict.as_ref().err().map(|failure| of(failure, &recording));
    let last = recording.events.last().map_or(0, |event| event.t);
    let hash = outcome.simulation.map(|simulation| format!("{:016x}", simulation.trace_hash));
    let time = outcome.simulation.map_or(0, |simulation| micros(simulation.time));
    let header = Header {
        run_file: VERSION,
        test: job.test.name().to_owned(),
        purpose: job.test.purpose.to_owned(),
        seed: job.seed,
        servers: recording.servers,
        clock: job.clock.to_string(),
        rules_checked: job.invariants,
    };
    let end = End {
        end: true,
        events: recording.events.len(),
        t: time.max(last),
        hash,
        failure,
        findings: outcome.findings.clone(),
        replay: String::new(),
        odds: Vec::new(),
    };
    runfile::write(&RunFile { header, events: recording.events, end }, path)
}

/// Adds what only the parent knows: the output, and the command that repeats the run.
pub(crate) fn complete(run: &mut RunFile, output: &str, replay: &str) {
    let mut t = 0;
    for line in output.lines() {
        let (kind, at) = of_line(line);
        // A line without a time belongs to the time of the line before it.
        t = at.unwrap_or(t);
        let place = run.events.partition_point(|event| event.t <= t);
        let n = run.events[..place].last().map_or(0, |event| event.n);
        run.events.insert(place, Event { n, t, kind });
    }
    run.end.events = run.events.len();
    run.end.replay = replay.to_owned();
}

/// Reads a line of output as the simulator prints it: `[     1.234567 server 0 ticker] text`.
fn of_line(line: &str) -> (Kind, Option<u64>) {
    let stamped = || {
        let (stamp, text) = line.strip_prefix('[')?.split_once("] ")?;
        let (at, who) = stamp.trim_start().split_once(' ')?;
        let (seconds, fraction) = at.split_once('.')?;
        let t = seconds.parse::<u64>().ok()? * 1_000_000 + fraction.parse::<u64>().ok()?;
        let number = who.strip_prefix("server ").and_then(|rest| rest.split(' ').next());
        let server = number.and_then(|number| number.parse().ok());
        Some((Kind::Output { server, thread: who.to_owned(), text: text.to_owned() }, Some(t)))
    };
    stamped().unwrap_or_else(|| {
        let text = line.to_owned();
        (Kind::Output { server: None, thread: String::new(), text }, None)
    })
}

fn of(failure: &Failure, recording: &Recording) -> runfile::Failure {
    let begins = micros(recording.last_history_at);
    let fact = |fact: &verdict::Evidence| Fact {
        n: recording.last_history_n + fact.event,
        t: begins + micros(fact.at),
        server: fact.server,
        what: fact.what.clone(),
    };
    let rule = |rule: config::Rule| runfile::Rule {
        id: rule.id().to_owned(),
        title: rule.title().to_owned(),
        section: rule.section().to_owned(),
    };
    runfile::Failure {
        class: failure.class.to_string(),
        rule: failure.rule.map(rule),
        sentence: failure.sentence.clone(),
        look: failure.where_to_look().map(str::to_owned),
        notes: failure.notes.clone(),
        evidence: failure.evidence.iter().map(fact).collect(),
    }
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_and_the_server_of_a_line_of_output_are_read() {
        let (kind, at) = of_line("[     1.234567 server 2 ticker] a vote: [x] y");
        let text = "a vote: [x] y".to_owned();
        let thread = "server 2 ticker".to_owned();
        assert_eq!((kind, at), (Kind::Output { server: Some(2), thread, text }, Some(1_234_567)));
        let (kind, at) = of_line("[     0.000001 #7] x");
        assert_eq!(at, Some(1));
        assert!(matches!(kind, Kind::Output { server: None, .. }));
        for other in ["", "plain", "[1, 2] list", "[a b] c"] {
            let (kind, at) = of_line(other);
            assert_eq!(at, None);
            assert!(matches!(kind, Kind::Output { text, .. } if text == other));
        }
    }
}
