//! What a failure of liveness adds to its sentence: who leads since when, what it sent last, and
//! which command waits.
//!
//! "No server agreed within 2 s" says what did not happen. Where it stopped is in the history: a
//! leader that sends nothing, a follower that does not answer, a command that one server has.

use std::collections::BTreeMap;
use std::sync::Arc;

use history::command::show;
use history::{Event, History, Moment, RaftEvent, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use parking_lot::Mutex;
use raftapi::{ApplyMsg, Role, Started};
use verdict::Referee;

/// How the note begins.
const BEGINNING: &str = "at the end: ";

/// Reads the history of a cluster from now on, and explains its failures of liveness.
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
    /// Since when it is down, if it is.
    down: Option<Moment>,
    /// The highest index that it has applied since its start.
    applied: u64,
    /// By receiver: its last call, and when it was last answered.
    called: BTreeMap<usize, (Arc<str>, Moment)>,
    answered: BTreeMap<usize, Moment>,
}

/// The leader of the latest term.
#[derive(Debug, Clone, Copy)]
struct Leader {
    server: usize,
    term: u64,
    since: Moment,
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
            What::Server(of, ServerEvent::Crashed) => self.servers[of.server].down = Some(at),
            What::Server(of, ServerEvent::Starting(_)) => {
                self.servers[of.server] = Server::default();
            }
            What::Raft(of, RaftEvent::Leads { term }) => self.leads(of.server, *term, at),
            What::Raft(of, RaftEvent::Sampled { state: Some(state), .. })
                if state.role == Role::Leader =>
            {
                self.leads(of.server, state.current_term, at);
            }
            What::Raft(of, RaftEvent::Started { started, command, .. }) => {
                self.leads(of.server, started.term, at);
                let (server, command) = (of.server, show(command));
                self.taken = Some(Taken { server, started: *started, command, at });
            }
            What::Raft(of, RaftEvent::Applied(message)) => {
                let (ApplyMsg::Command { index, .. } | ApplyMsg::Snapshot { index, .. }) = message;
                let server = &mut self.servers[of.server];
                server.applied = server.applied.max(*index);
            }
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

    fn leads(&mut self, server: usize, term: u64, at: Moment) {
        if self.leader.is_none_or(|leader| leader.term < term) {
            self.leader = Some(Leader { server, term, since: at });
        }
    }

    /// One line, in the order in which a command makes its way.
    fn tell(&self) -> String {
        let mut parts = match self.leader {
            Some(leader) => self.tell_leader(leader),
            None => self.tell_candidates(),
        };
        parts.extend(self.taken.as_ref().map(|taken| self.tell_command(taken)));
        format!("{BEGINNING}{}", parts.join("; "))
    }

    fn tell_leader(&self, Leader { server, term, since }: Leader) -> Vec<String> {
        let known = &self.servers[server];
        let down = known.down.map(|at| format!(", and is down since {}", seconds(at)));
        let down = down.unwrap_or_default();
        let leads = format!("server {server} leads term {term} since {}{down}", seconds(since));
        let others = (0..self.servers.len()).filter(|other| *other != server);
        let calls = others.map(|other| {
            let Some((method, at)) = known.called.get(&other) else {
                return format!("it has sent nothing to server {other}");
            };
            let at = seconds(*at);
            let answered = answered(known.answered.get(&other));
            format!("it last sent {method} to server {other} at {at}, {answered}")
        });
        [leads].into_iter().chain(calls).collect()
    }

    fn tell_candidates(&self) -> Vec<String> {
        let mut parts = vec!["no server has led a term".to_owned()];
        if self.servers.iter().all(|server| server.called.is_empty()) {
            parts.push("no server has sent anything".to_owned());
            return parts;
        }
        parts.extend(self.servers.iter().enumerate().map(|(server, known)| {
            let last = known.called.iter().max_by_key(|(_, (_, at))| *at);
            let Some((other, (method, at))) = last else {
                return format!("server {server} has sent nothing");
            };
            let at = seconds(*at);
            let answered = answered(known.answered.values().max());
            format!("server {server} last sent {method} at {at}, to server {other}, {answered}")
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

fn answered(at: Option<&Moment>) -> String {
    at.map_or_else(|| "never answered".into(), |at| format!("last answered at {}", seconds(*at)))
}

fn seconds(moment: Moment) -> String {
    format!("{:.3} s", moment.at.as_secs_f64())
}
