//! A run in the trace event format that <https://ui.perfetto.dev> opens.
//!
//! A server is a process. Each of its incarnations is a slice on the track `lives`, and each role
//! and term a slice on the track `role`. A call is an async slice on its caller: calls overlap,
//! and slices of one track must nest. A flow leads from a request to the handler of its first
//! arrival. Term, last index and commit index are counters.

use std::collections::{BTreeMap, BTreeSet};

use runfile::{Event, Kind, Role, RunFile};
use serde_json::{Value, json};

use crate::plain;
use crate::server::{self, Look, Server};

/// Tracks of a server.
const LIVES: u32 = 1;
const ROLES: u32 = 2;
const MOMENTS: u32 = 3;
const TEXT_CHARS_MAX: usize = 200;

/// The run as JSON.
pub fn trace(run: &RunFile) -> String {
    let mut trace = Trace::new(run.header.servers);
    for event in &run.events {
        trace.take(event);
    }
    trace.end(run);
    let name = format!("{}, seed {}", run.header.test, run.header.seed);
    json!({
        "traceEvents": trace.events,
        "displayTimeUnit": "ms",
        "otherData": { "test": name, "replay": run.end.replay },
    })
    .to_string()
}

struct Trace {
    servers: Vec<Server>,
    events: Vec<Value>,
    /// The tracks with an open slice: server and track.
    open: BTreeSet<(usize, u32)>,
    calls: BTreeMap<u64, Call>,
}

/// A call that has not ended.
#[derive(Clone)]
struct Call {
    from: usize,
    to: Option<usize>,
    name: String,
    sent: u64,
}

impl Trace {
    fn new(servers: usize) -> Trace {
        let mut events = Vec::new();
        let name = |pid: usize, tid: u32, kind: &str, name: String| {
            json!({
                "ph": "M", "pid": pid, "tid": tid, "name": kind, "args": {"name": name},
            })
        };
        for server in 0..servers {
            events.push(name(server + 1, 0, "process_name", format!("server {server}")));
            for (track, title) in [(LIVES, "lives"), (ROLES, "role"), (MOMENTS, "moments")] {
                events.push(name(server + 1, track, "thread_name", title.to_owned()));
            }
        }
        let none = servers + 1;
        events.push(name(none, 0, "process_name", "the test".to_owned()));
        Trace {
            servers: vec![Server::default(); servers],
            events,
            open: BTreeSet::new(),
            calls: BTreeMap::new(),
        }
    }

    fn take(&mut self, event: &Event) {
        let t = event.t;
        match &event.kind {
            Kind::Cluster { .. } => {
                self.close_all(t);
                self.servers.iter_mut().for_each(|server| *server = Server::default());
            }
            Kind::Sent { call, from, to, method, .. } => self.send(t, *call, *from, *to, method),
            Kind::Dispatched { call, copy: 0 } => self.arrive(t, *call),
            Kind::Ended { call, .. } => self.end_call(t, *call, &event.kind),
            Kind::Waiting { phrase } => {
                let none = self.servers.len();
                self.instant(t, none, 0, &format!("waits for {phrase}"));
            }
            kind => self.take_of_server(t, kind),
        }
    }

    fn take_of_server(&mut self, t: u64, kind: &Kind) {
        let Some(of) = server::of(kind).filter(|of| *of < self.servers.len()) else { return };
        let before = self.servers[of].look();
        self.servers[of].take(kind);
        let now = self.servers[of].look();
        match kind {
            Kind::Started { incarnation, .. } => {
                self.close(t, of, LIVES);
                self.close(t, of, ROLES);
                self.begin(t, of, LIVES, &format!("incarnation {incarnation}"));
            }
            Kind::Crashed { .. } => {
                self.close(t, of, ROLES);
                self.close(t, of, LIVES);
            }
            Kind::State(_) => {
                if (before.role, before.term) != (now.role, now.term) || before.role.is_none() {
                    self.close(t, of, ROLES);
                    self.begin(t, of, ROLES, &format!("{} {}", role(now.role), now.term));
                }
                // A change of details alone changes no counter.
                if before != now {
                    self.count(t, of, &now);
                }
            }
            Kind::Fault { verb, .. } => self.instant(t, of, MOMENTS, verb),
            Kind::Accepted { index, command, .. } => {
                self.instant(t, of, MOMENTS, &format!("takes {command} as index {index}"));
            }
            Kind::Applied { index, command, .. } => {
                self.instant(t, of, MOMENTS, &format!("applies {command} at index {index}"));
            }
            Kind::AppliedSnapshot { index, .. } => {
                self.instant(t, of, MOMENTS, &format!("applies a snapshot up to index {index}"));
            }
            Kind::Output { text, .. } => self.instant(t, of, MOMENTS, text),
            _ => {}
        }
    }

    fn send(&mut self, t: u64, call: u64, from: Option<usize>, to: Option<usize>, method: &str) {
        let pid = from.unwrap_or(self.servers.len());
        let to = to.filter(|to| *to < self.servers.len());
        let receiver = to.map_or_else(|| "no server".to_owned(), |to| format!("server {to}"));
        let name = format!("{} to {receiver}", plain::line(method, 40));
        self.events.push(json!({
            "ph": "b", "cat": "call", "id": call, "pid": pid + 1, "tid": 0, "ts": t, "name": name,
        }));
        self.calls.insert(call, Call { from: pid, to, name, sent: t });
    }

    /// A flow needs slices at both ends, so both moments are slices of no length.
    fn arrive(&mut self, t: u64, call: u64) {
        let Some(Call { from, to: Some(to), name, sent }) = self.calls.get(&call).cloned() else {
            return;
        };
        for (server, t, phase) in [(from, sent, "s"), (to, t, "f")] {
            let moment = json!({
                "ph": "X", "pid": server + 1, "tid": MOMENTS, "ts": t, "dur": 0, "name": name,
            });
            let flow = json!({
                "ph": phase, "bp": "e", "cat": "message", "id": call, "pid": server + 1,
                "tid": MOMENTS, "ts": t, "name": "message",
            });
            self.events.extend([moment, flow]);
        }
    }

    fn end_call(&mut self, t: u64, call: u64, kind: &Kind) {
        let Some(Call { from: pid, name, .. }) = self.calls.remove(&call) else { return };
        let Kind::Ended { how, .. } = kind else { return };
        self.events.push(json!({
            "ph": "e", "cat": "call", "id": call, "pid": pid + 1, "tid": 0, "ts": t, "name": name,
            "args": {"how": how},
        }));
    }

    fn count(&mut self, t: u64, of: usize, now: &Look) {
        for (name, value) in
            [("term", now.term), ("last index", now.last_index), ("commit index", now.commit)]
        {
            self.events.push(json!({
                "ph": "C", "pid": of + 1, "tid": 0, "ts": t, "name": name, "args": {name: value},
            }));
        }
    }

    fn begin(&mut self, t: u64, of: usize, track: u32, name: &str) {
        self.open.insert((of, track));
        self.events.push(json!({"ph": "B", "pid": of + 1, "tid": track, "ts": t, "name": name}));
    }

    fn close(&mut self, t: u64, of: usize, track: u32) {
        if self.open.remove(&(of, track)) {
            self.events.push(json!({"ph": "E", "pid": of + 1, "tid": track, "ts": t}));
        }
    }

    fn close_all(&mut self, t: u64) {
        let open: Vec<(usize, u32)> = self.open.iter().copied().collect();
        open.into_iter().for_each(|(of, track)| self.close(t, of, track));
        let calls: Vec<u64> = self.calls.keys().copied().collect();
        let how = runfile::How::Closed;
        calls.into_iter().for_each(|call| self.end_call(t, call, &Kind::Ended { call, how }));
    }

    fn instant(&mut self, t: u64, of: usize, track: u32, name: &str) {
        let name = plain::line(name, TEXT_CHARS_MAX);
        self.events.push(json!({
            "ph": "i", "s": "t", "pid": of + 1, "tid": track, "ts": t, "name": name,
        }));
    }

    fn end(&mut self, run: &RunFile) {
        self.close_all(run.end.t);
        let Some(failure) = &run.end.failure else { return };
        let none = self.servers.len();
        for fact in &failure.evidence {
            let of = fact.server.filter(|server| *server < none).unwrap_or(none);
            self.instant(fact.t, of, MOMENTS, &format!("evidence: {}", fact.what));
        }
        self.instant(run.end.t, none, 0, &format!("FAIL: {}", failure.sentence));
    }
}

fn role(role: Option<Role>) -> &'static str {
    match role {
        None => "not shown, term",
        Some(Role::Follower) => "follower, term",
        Some(Role::Candidate) => "candidate, term",
        Some(Role::Leader) => "leader, term",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn events() -> Vec<Value> {
        let trace: Value = serde_json::from_str(&trace(&sample::run())).unwrap();
        trace["traceEvents"].as_array().unwrap().clone()
    }

    /// What the viewer needs: slices of a track nest, so with at most one open there is an end for
    /// each beginning.
    #[test]
    fn slices_of_a_track_follow_one_another() {
        let mut open: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for event in events() {
            let track = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
            match event["ph"].as_str().unwrap() {
                "B" => assert!(open.insert(track, event["ts"].as_u64().unwrap()).is_none()),
                "E" => assert!(open.remove(&track).unwrap() <= event["ts"].as_u64().unwrap()),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn each_call_and_each_flow_has_both_ends_and_lasts_as_in_the_run() {
        let of = |phase: &str| -> BTreeMap<u64, u64> {
            let events = events().into_iter().filter(|event| event["ph"] == phase);
            events.map(|e| (e["id"].as_u64().unwrap(), e["ts"].as_u64().unwrap())).collect()
        };
        let (begun, ended) = (of("b"), of("e"));
        let time = |wanted: fn(&Kind) -> Option<u64>| -> BTreeMap<u64, u64> {
            let events = sample::run().events;
            events.iter().filter_map(|event| Some((wanted(&event.kind)?, event.t))).collect()
        };
        let sent = |kind: &Kind| match kind {
            Kind::Sent { call, .. } => Some(*call),
            _ => None,
        };
        let end = |kind: &Kind| match kind {
            Kind::Ended { call, .. } => Some(*call),
            _ => None,
        };
        assert_eq!((begun, ended), (time(sent), time(end)));
        assert_eq!(of("s").keys().collect::<Vec<_>>(), of("f").keys().collect::<Vec<_>>());
        assert_eq!(of("s").len(), 1);
    }
}
