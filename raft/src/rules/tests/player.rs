//! Plays the commands of a script on the states of some servers.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use goldenscript::{ArgumentConsumer, Command, Context, Runner};
use raftapi::{Inspect, Persister};

use super::messages::{Message, Reply, answer, note_reply};
use super::{HandClock, apply_all, describe, saved_server};
use crate::rules::clock::Clock;
use crate::rules::messages::Request;
use crate::rules::state::State;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// No `converse` of a script exchanges more messages than this.
const MESSAGES_MAX: usize = 100;

/// The cluster that the script has made so far.
pub(super) struct Player {
    clock: HandClock,
    servers: Vec<Server>,
    /// The messages on their way, in the order in which they were sent.
    network: Vec<Message>,
    output: String,
}

struct Server {
    persister: Persister,
    /// None while the server is down.
    state: Option<State>,
}

impl Server {
    fn new(me: usize, servers: usize, current_term: u64, terms: &[u64]) -> Server {
        let persister = Persister::new();
        let state = Some(saved_server(&persister, me, servers, current_term, terms));
        Server { persister, state }
    }
}

impl Runner for Player {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String> {
        let mut args = command.consume_args();
        match command.name.as_str() {
            "cluster" => self.begin(next(&mut args)?),
            "server" => self.replace(&mut args)?,
            "timeout" => self.time_out(next_server(&mut args)?)?,
            "start" => self.start(next_server(&mut args)?, next(&mut args)?)?,
            "tick" => self.clock.advance(Duration::from_millis(next(&mut args)?)),
            "deliver" => self.on_links(&mut args, Player::deliver)?,
            "drop" => self.on_links(&mut args, Player::drop)?,
            "converse" => self.converse(next_server(&mut args)?, next_server(&mut args)?)?,
            "snapshot" => self.snapshot(next_server(&mut args)?, next(&mut args)?)?,
            "crash" => self.crash(next_server(&mut args)?),
            "restart" => self.restart(next_server(&mut args)?),
            name => return Err(format!("there is no command {name}").into()),
        }
        args.reject_next()?;
        self.send_what_is_due()?;
        Ok(std::mem::take(&mut self.output))
    }
}

/// The commands.
impl Player {
    pub(super) fn new() -> Player {
        let (servers, network) = (Vec::new(), Vec::new());
        Player { clock: HandClock::new(), servers, network, output: String::new() }
    }

    fn begin(&mut self, servers: usize) {
        *self = Player::new();
        self.servers.extend((0..servers).map(|me| Server::new(me, servers, 0, &[])));
    }

    fn replace(&mut self, args: &mut ArgumentConsumer<'_>) -> Result<()> {
        let me = next_server(args)?;
        let term = args.take_key("term").ok_or("which term?")?.parse()?;
        let log = args.take_key("log").unwrap_or_default().split_whitespace();
        let log = log.map(u64::from_str).collect::<std::result::Result<Vec<u64>, _>>()?;
        self.servers[me] = Server::new(me, self.servers.len(), term, &log);
        Ok(())
    }

    fn time_out(&mut self, me: usize) -> Result<()> {
        let due = self.servers[me].state.as_ref().ok_or("it is down")?.election_due;
        self.clock.now.set(due.max(self.clock.now()));
        let requests = self.follow_rule(me, |state, clock| state.on_deadline(clock))?;
        self.send(me, requests);
        Ok(())
    }

    fn start(&mut self, me: usize, command: String) -> Result<()> {
        let started = self.follow_rule(me, |state, clock| state.start(command.into(), clock))?;
        started.map(|_| ()).ok_or_else(|| "it does not lead".into())
    }

    fn deliver(&mut self, from: usize, to: usize) -> Result<()> {
        let Message { request, reply, .. } = self.take(from, to)?;
        if let Some(reply) = reply {
            return self.follow_rule(to, |it, clock| note_reply(it, from, &request, &reply, clock));
        }
        let reply = self.follow_rule(to, |state, clock| answer(state, &request, clock))?;
        self.reply(to, from, request, reply);
        Ok(())
    }

    fn drop(&mut self, from: usize, to: usize) -> Result<()> {
        let sent = self.network.len();
        self.network.retain(|message| (message.from, message.to) != (from, to));
        if self.network.len() == sent { Err("no message is on this link".into()) } else { Ok(()) }
    }

    fn converse(&mut self, one: usize, other: usize) -> Result<()> {
        let links = [(one, other), (other, one)];
        for _ in 0..MESSAGES_MAX {
            let next = self.network.iter().find(|it| links.contains(&(it.from, it.to)));
            let Some(message) = next else { return Ok(()) };
            self.deliver(message.from, message.to)?;
            self.send_what_is_due()?;
        }
        Err(format!("they exchange more than {MESSAGES_MAX} messages").into())
    }

    fn snapshot(&mut self, me: usize, index: u64) -> Result<()> {
        self.follow_rule(me, |state, _| state.snapshot(index, format!("all up to {index}").into()))
    }

    fn crash(&mut self, me: usize) {
        self.servers[me].state = None;
        self.network.retain(|message| message.to != me);
    }

    fn restart(&mut self, me: usize) {
        let (servers, persister) = (self.servers.len(), &self.servers[me].persister);
        let state = State::restored_from(me, servers, persister, &self.clock);
        self.write(me, describe::changes(&Inspect::default(), &state.inspect()));
        self.servers[me].state = Some(state);
    }
}

/// What the commands have in common.
impl Player {
    /// Runs a rule on a server, then saves and applies. Writes what has changed.
    fn follow_rule<T>(
        &mut self,
        me: usize,
        rule: impl FnOnce(&mut State, &HandClock) -> T,
    ) -> Result<T> {
        let Server { persister, state } = &mut self.servers[me];
        let state = state.as_mut().ok_or("the server is down")?;
        let before = state.inspect();
        let result = rule(state, &self.clock);
        state.assert_consistent();
        state.save_to(persister);
        let mut lines = describe::changes(&before, &state.inspect());
        lines.extend(apply_all(state).iter().map(describe::applied));
        self.write(me, lines);
        Ok(result)
    }

    /// Has the leaders send.
    fn send_what_is_due(&mut self) -> Result<()> {
        for me in 0..self.servers.len() {
            let leads = self.servers[me].state.as_ref().is_some_and(State::is_leader);
            if leads {
                let requests = self.follow_rule(me, |state, clock| state.on_deadline(clock))?;
                self.send(me, requests);
            }
        }
        Ok(())
    }

    /// Sends requests. Those that are the same are one line.
    fn send(&mut self, from: usize, requests: Vec<(usize, Request)>) {
        for same in requests.chunk_by(|(_, one), (_, other)| one == other) {
            let to: Vec<String> = same.iter().map(|(to, _)| describe::server(*to)).collect();
            let text = describe::request(&same[0].1);
            self.output += &format!("{} -> {}: {text}\n", describe::server(from), to.join(" "));
        }
        let message = |(to, request)| Message { from, to, request, reply: None };
        self.network.extend(requests.into_iter().map(message));
    }

    fn reply(&mut self, from: usize, to: usize, request: Request, reply: Reply) {
        let message = Message { from, to, request, reply: Some(reply) };
        let text = describe::message(&message);
        self.output += &format!("{} -> {}: {text}\n", describe::server(from), describe::server(to));
        self.network.push(message);
    }

    /// Takes the oldest message on a link.
    fn take(&mut self, from: usize, to: usize) -> Result<Message> {
        let oldest = self.network.iter().position(|it| (it.from, it.to) == (from, to));
        Ok(self.network.remove(oldest.ok_or("no message is on this link")?))
    }

    /// Does something on each of the links of `S1 S2 to S3 S4`.
    fn on_links(
        &mut self,
        args: &mut ArgumentConsumer<'_>,
        act: fn(&mut Player, usize, usize) -> Result<()>,
    ) -> Result<()> {
        let names: Vec<&str> = std::iter::from_fn(|| args.next_pos()).collect();
        let mut sides = names.split(|name| *name == "to");
        let (Some(from), Some(to), None) = (sides.next(), sides.next(), sides.next()) else {
            return Err("a link is: S1 to S2".into());
        };
        for from in from {
            for to in to {
                act(self, number(from)?, number(to)?)?;
                self.send_what_is_due()?;
            }
        }
        Ok(())
    }

    fn write(&mut self, me: usize, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.output += &format!("{}: {line}\n", describe::server(me));
        }
    }
}

fn next_server(args: &mut ArgumentConsumer<'_>) -> Result<usize> {
    number(&next::<String>(args)?)
}

/// The number of a server; that of S1 is 0.
fn number(name: &str) -> Result<usize> {
    let number: usize = name.strip_prefix('S').ok_or("a server is S1, S2, ..")?.parse()?;
    Ok(number.checked_sub(1).ok_or("the first server is S1")?)
}

fn next<T: FromStr<Err: Error + 'static>>(args: &mut ArgumentConsumer<'_>) -> Result<T> {
    Ok(args.next_pos().ok_or("an argument is missing")?.parse()?)
}
