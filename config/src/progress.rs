//! The note that explains a failure of liveness: which server leads since when, what it sent last,
//! and which command waits.
//!
//! The sentence of such a failure says only what did not happen. The history shows where the
//! cluster stopped: a leader that sends nothing, a follower that does not answer, a command that
//! only one server has.

use std::collections::BTreeMap;
use std::sync::Arc;

use history::command::show;
use history::{Event, History, Incarnation, Moment, RaftEvent, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use parking_lot::Mutex;
use raftapi::{ApplyMsg, Role, Started};
use verdict::Referee;

/// The beginning of the note.
const BEGINNING: &str = "at the end: ";

/// Starts to read the history of a cluster, and explains its failures of liveness.
pub(crate) fn explain(servers: usize, history: &History, referee: &Referee) {
    let progress = Arc::new(Mutex::new(Progress::new(servers)));
    let told = Arc::clone(&progress);
    history.fold(move |event| progress.lock().read(event));
    referee.explain_liveness(move || told.lock().tell());
}

/// What is known of a cluster.
#[derive(Debug)]
struct Progress {
    servers: Vec<Server>,
    leader: Option<Leader>,
    taken: Option<Taken>,
}

#[derive(Debug, Clone, Default)]
struct Server {
    /// The number of the latest incarnation.
    number: u32,
    /// Since when it has been down, if it is.
    down: Option<Moment>,
    /// Since when it has been disconnected, if it is.
    disconnected: Option<Moment>,
    /// Since when it has been paused, if it is.
    paused: Option<Moment>,
    /// The highest index that it has applied since its start.
    applied: u64,
    /// By receiver: the method of the last call to it, and when it was sent.
    called: BTreeMap<usize, (Arc<str>, Moment)>,
    /// By receiver: when it last answered a call.
    answered: BTreeMap<usize, Moment>,
}

/// The leader of the latest term that was led.
#[derive(Debug, Clone, Copy)]
struct Leader {
    server: usize,
    term: u64,
    since: Moment,
    /// When it was first seen not to lead that term any more.
    until: Option<Moment>,
}

/// The last command that `start` took.
#[derive(Debug)]
struct Taken {
    server: usize,
    started: Started,
    command: String,
    at: Moment,
}

impl Progress {
    fn new(servers: usize) -> Progress {
        Progress { servers: vec![Server::default(); servers], leader: None, taken: None }
    }

    fn read(&mut self, event: &Event<'_>) {
        let at = event.moment;
        match &event.what {
            What::Call(call) => self.hear_call(call, at),
            What::Server(of, ServerEvent::Crashed) => {
                self.servers[of.server].down = Some(at);
                self.end_lead(of.server, at);
            }
            What::Server(of, ServerEvent::Starting(_)) => {
                let Server { disconnected, .. } = self.servers[of.server];
                let number = of.number;
                self.servers[of.server] = Server { number, disconnected, ..Server::default() };
                self.end_lead(of.server, at);
            }
            What::Server(of, what) => self.servers[of.server].hear_fault(what, at),
            What::Raft(of, event) => self.hear_raft(*of, event, at),
            _ => {}
        }
    }

    fn hear_raft(&mut self, of: Incarnation, event: &RaftEvent<'_>, at: Moment) {
        if let RaftEvent::Started { started, command, .. } = event {
            let (server, command) = (of.server, show(command));
            self.taken = Some(Taken { server, started: *started, command, at });
        }
        let server = &mut self.servers[of.server];
        if server.number != of.number || server.down.is_some() {
            return; // It comes from an incarnation that has crashed.
        }
        match event {
            RaftEvent::Leads { term } => self.note_leader(of.server, *term, at),
            RaftEvent::Started { started, .. } => self.note_leader(of.server, started.term, at),
            RaftEvent::State { asked, term } => {
                self.note_answer(of.server, *term, true, *asked, at);
            }
            RaftEvent::Sampled { asked, state: Some(state) } => {
                let leads = state.role == Role::Leader;
                self.note_answer(of.server, state.current_term, leads, *asked, at);
                if leads {
                    self.note_leader(of.server, state.current_term, at);
                }
            }
            RaftEvent::Applied(
                ApplyMsg::Command { index, .. } | ApplyMsg::Snapshot { index, .. },
            ) => server.applied = server.applied.max(*index),
            _ => {}
        }
    }

    fn hear_call(&mut self, call: &labrpc::network::Event, at: Moment) {
        let known = |server: &usize| *server < self.servers.len();
        let (Some(from), Some(to)) = (call.from.filter(known), call.to.filter(known)) else {
            return;
        };
        match call.step {
            CallStep::Sent { .. } => {
                self.servers[from].called.insert(to, (Arc::clone(&call.method), at));
            }
            CallStep::Ended(Ending::Answered { .. }) => {
                self.servers[from].answered.insert(to, at);
            }
            _ => {}
        }
    }

    fn note_leader(&mut self, server: usize, term: u64, at: Moment) {
        if self.leader.is_none_or(|leader| leader.term < term) {
            self.leader = Some(Leader { server, term, since: at, until: None });
        }
    }

    /// Reads an answer of a server: its term, and whether it may lead that term. An answer is
    /// ignored if it was asked for before the leader was seen to lead.
    fn note_answer(&mut self, server: usize, term: u64, may_lead: bool, asked: Moment, at: Moment) {
        let is_over = |leader: Leader| {
            asked > leader.since && (term > leader.term || term == leader.term && !may_lead)
        };
        if self.leader.is_some_and(is_over) {
            self.end_lead(server, at);
        }
    }

    /// Ends the leadership of a server, if it leads.
    fn end_lead(&mut self, server: usize, at: Moment) {
        if let Some(leader) = self.leader.as_mut().filter(|leader| leader.server == server) {
            leader.until.get_or_insert(at);
        }
    }

    /// One line: first the leader, then its calls, then the waiting command.
    fn tell(&self) -> String {
        let mut parts = match self.leader {
            Some(Leader { server, term, until: Some(until), .. }) => self.tell_candidates(format!(
                "server {server} last led term {term}, until {}",
                seconds(until)
            )),
            Some(Leader { server, term, since, until: None }) => {
                self.tell_leader(server, term, since)
            }
            None => self.tell_candidates("no server has led a term".to_owned()),
        };
        parts.extend(self.taken.as_ref().map(|taken| self.tell_command(taken)));
        format!("{BEGINNING}{}", parts.join("; "))
    }

    fn tell_leader(&self, server: usize, term: u64, since: Moment) -> Vec<String> {
        let known = &self.servers[server];
        let but = known.condition().map_or_else(String::new, |it| format!(", but {it}"));
        let leads = format!("server {server} has led term {term} since {}{but}", seconds(since));
        let others = (0..self.servers.len()).filter(|other| *other != server);
        let calls = others.map(|other| {
            let Some((method, at)) = known.called.get(&other) else {
                return format!("it has sent nothing to server {other}");
            };
            let answer = match known.answered.get(&other) {
                Some(at) => format!("last answered server {server} at {}", seconds(*at)),
                None => format!("never answered server {server}"),
            };
            let at = seconds(*at);
            format!("it last sent {method} to server {other} at {at}, and server {other} {answer}")
        });
        [leads].into_iter().chain(calls).collect()
    }

    fn tell_candidates(&self, beginning: String) -> Vec<String> {
        let mut parts = vec![beginning];
        if self.servers.iter().all(|server| server.called.is_empty()) {
            parts.push("no server has sent anything".to_owned());
            return parts;
        }
        parts.extend(self.servers.iter().enumerate().map(|(server, known)| {
            if let Some(at) = known.down {
                return format!("server {server} has been down since {}", seconds(at));
            }
            let and = known.condition().map_or_else(String::new, |it| format!(" {it}, and"));
            let last = known.called.iter().max_by_key(|(_, (_, at))| *at);
            let Some((other, (method, at))) = last else {
                return format!("server {server}{and} has sent nothing");
            };
            let answer = match known.answered.iter().max_by_key(|(_, at)| *at) {
                Some((from, at)) => {
                    format!("last got an answer from server {from} at {}", seconds(*at))
                }
                None => "never got an answer".to_owned(),
            };
            let at = seconds(*at);
            format!(
                "server {server}{and} last sent {method} to server {other} at {at}, and {answer}"
            )
        }));
        parts
    }

    fn tell_command(&self, taken: &Taken) -> String {
        let Taken { server, started: Started { index, term }, command, at } = taken;
        let applied = (0..self.servers.len()).filter(|it| self.servers[*it].applied >= *index);
        let applied: Vec<String> = applied.map(|server| server.to_string()).collect();
        let who = match &applied[..] {
            [] => "no server has applied that index".to_owned(),
            [one] => format!("only server {one} has applied that index"),
            more => format!("servers {} have applied that index", more.join(", ")),
        };
        let at = seconds(*at);
        format!("server {server} took {command} as index {index} of term {term} at {at}, and {who}")
    }
}

impl Server {
    fn hear_fault(&mut self, what: &ServerEvent<'_>, at: Moment) {
        match what {
            ServerEvent::Fault("disconnect") => self.disconnected = Some(at),
            ServerEvent::Fault("connect") => self.disconnected = None,
            ServerEvent::Paused => self.paused = Some(at),
            ServerEvent::Resumed => self.paused = None,
            _ => {}
        }
    }

    /// Why it cannot reach the others, if the test has seen to that.
    fn condition(&self) -> Option<String> {
        let since = |how: &str, at: Moment| format!("has been {how} since {}", seconds(at));
        let disconnected = self.disconnected.map(|at| since("disconnected", at));
        disconnected.or_else(|| self.paused.map(|at| since("paused", at)))
    }
}

fn seconds(moment: Moment) -> String {
    format!("{:.3} s", moment.at.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use raftapi::{Inspect, Saved};

    use super::*;

    /// A cluster of three running servers, and its history.
    struct Run {
        progress: Progress,
        event: u64,
    }

    impl Run {
        fn new() -> Run {
            let mut run = Run { progress: Progress::new(3), event: 0 };
            (0..3).for_each(|server| run.starts(server, 1));
            run
        }

        fn record(&mut self, what: What<'_>) -> Moment {
            self.event += 1;
            let moment = Moment { event: self.event, at: Duration::from_millis(self.event) };
            self.progress.read(&Event { moment, what });
            moment
        }

        fn starts(&mut self, server: usize, number: u32) {
            let of = Incarnation { server, number };
            self.record(What::Server(of, ServerEvent::Starting(&Saved::default())));
        }

        fn says(&mut self, server: usize, event: RaftEvent<'_>) -> Moment {
            self.record(What::Raft(Incarnation { server, number: 1 }, event))
        }

        fn tells(&self, sentence: &str) {
            assert_eq!(self.progress.tell(), format!("{BEGINNING}{sentence}"));
        }
    }

    const LED: &str = "server 1 last led term 2, until 0.006 s; no server has sent anything";

    #[test]
    fn a_leader_that_crashed_leads_no_longer() {
        let mut run = Run::new();
        run.says(1, RaftEvent::Leads { term: 2 });
        run.says(1, RaftEvent::Asked);
        run.record(What::Server(Incarnation { server: 1, number: 1 }, ServerEvent::Crashed));
        run.tells(LED);
        run.says(1, RaftEvent::Leads { term: 3 });
        run.starts(1, 2);
        run.tells(LED);
    }

    /// Only the leader's own answer ends its leadership, not the later term of another server.
    #[test]
    fn a_leader_that_was_seen_in_a_later_term_leads_no_longer() {
        let mut run = Run::new();
        run.says(1, RaftEvent::Leads { term: 2 });
        let asked = run.says(1, RaftEvent::Asked);
        run.says(1, RaftEvent::State { asked, term: 3 });
        run.tells(LED);

        let mut run = Run::new();
        run.says(1, RaftEvent::Leads { term: 2 });
        let asked = run.says(0, RaftEvent::Asked);
        run.says(0, RaftEvent::State { asked, term: 3 });
        run.tells(
            "server 1 has led term 2 since 0.004 s; it has sent nothing to server 0; \
             it has sent nothing to server 2",
        );
    }

    #[test]
    fn a_leader_that_is_disconnected_or_paused_is_said_to_be() {
        let says = |but: &str| {
            format!(
                "server 1 has led term 2 since 0.004 s, but has been {but}; \
                 it has sent nothing to server 0; it has sent nothing to server 2"
            )
        };
        let mut run = Run::new();
        let of = Incarnation { server: 1, number: 1 };
        run.says(1, RaftEvent::Leads { term: 2 });
        run.record(What::Server(of, ServerEvent::Paused));
        run.tells(&says("paused since 0.005 s"));
        run.record(What::Server(of, ServerEvent::Fault("disconnect")));
        run.tells(&says("disconnected since 0.006 s"));
        run.record(What::Server(of, ServerEvent::Resumed));
        run.record(What::Server(of, ServerEvent::Fault("connect")));
        run.tells(
            "server 1 has led term 2 since 0.004 s; it has sent nothing to server 0; \
             it has sent nothing to server 2",
        );
    }

    #[test]
    fn a_leader_that_gave_up_leads_no_longer() {
        let mut run = Run::new();
        let leader = Inspect { role: Role::Leader, current_term: 2, ..Inspect::default() };
        let follower = Inspect { role: Role::Follower, ..leader.clone() };
        let asked = run.says(1, RaftEvent::Asked);
        run.says(1, RaftEvent::Sampled { asked, state: Some(Arc::new(leader)) });
        let asked = Moment { event: 6, ..asked };
        run.says(1, RaftEvent::Sampled { asked, state: Some(Arc::new(follower)) });
        run.tells(LED);
    }

    #[test]
    fn an_answer_to_an_earlier_question_ends_no_leadership() {
        let mut run = Run::new();
        let asked = run.says(1, RaftEvent::Asked);
        run.says(1, RaftEvent::Leads { term: 2 });
        run.says(1, RaftEvent::State { asked, term: 3 });
        run.tells(
            "server 1 has led term 2 since 0.005 s; it has sent nothing to server 0; \
             it has sent nothing to server 2",
        );
    }

    #[test]
    fn only_applies_of_the_incarnation_that_runs_count() {
        let mut run = Run::new();
        run.starts(0, 2);
        run.says(0, RaftEvent::Applied(&ApplyMsg::Command { index: 4, command: Vec::new() }));
        run.says(2, RaftEvent::Applied(&ApplyMsg::Command { index: 4, command: Vec::new() }));
        let applied: Vec<u64> = run.progress.servers.iter().map(|server| server.applied).collect();
        assert_eq!(applied, [0, 0, 4]);
    }
}
