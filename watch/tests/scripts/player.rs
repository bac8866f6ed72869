//! Feeds a history to a checker, line by line, and prints each violation with its evidence.
//!
//! | line | event |
//! |---|---|
//! | `cluster 3` | a new cluster, whose servers start; every script begins with it |
//! | `0 follows STATE`, `0 stands STATE`, `0 leads STATE` | `inspect` shows this role |
//! | `0 votes 1 STATE` | `inspect` shows a follower that voted for server 1 |
//! | `0 takes 1 "a"` | `start` took the command as index 1 of the current term |
//! | `0 applies 1 "a"` | the command at index 1 was applied |
//! | `0 saves 3` | a snapshot up to index 3 was saved |
//! | `0 crashes`, `0 restarts STATE` | a crash; a restart, and what it restored |
//! | `0 sends 1 call=7` | server 0 sends a RequestVote to server 1 |
//! | `1 receives 0 call=7`, `1 answers 0 call=7` | its handler begins; it returns |
//! | `0 hears 1 call=7` | server 0 has the reply of server 1 |
//!
//! STATE is the change of the state: any of `term=2`, `log="1 1 2"` (the terms of the entries),
//! `snapshot="3 1"` (last index and term), `commit=1` and `vote=none`. A higher term clears the
//! vote. Each line happens a millisecond after the one before.

use std::error::Error;
use std::fmt::Write;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use goldenscript::{ArgumentConsumer, Command, Context, Runner};
use history::{Event, Incarnation, Moment, RaftEvent, Rule, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use raftapi::{ApplyMsg, Inspect, Role, Saved, Started};
use watch::{Checker, Remark, Violation};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A checker, and the state of each server.
#[derive(Default)]
pub(crate) struct Player {
    checker: Option<Checker>,
    servers: Vec<Server>,
    event: u64,
    millis: u64,
    /// Violations that are not printed yet.
    broken: Vec<Violation>,
    remarks: Vec<Remark>,
}

#[derive(Default)]
struct Server {
    incarnation: u32,
    state: Inspect,
    /// The last index that the saved snapshot covers; 0 without a snapshot.
    saved: u8,
}

impl Runner for Player {
    type Command = Command;

    fn run(&mut self, line: &Command, _: &Context) -> Result<String> {
        let mut args = line.consume_args();
        self.millis += 1;
        match line.name.as_str() {
            "cluster" => self.begin(positional(&mut args)?),
            number => self.play(number.parse()?, &mut args)?,
        }
        args.reject_next()?;
        let remarks = self.remarks.drain(..).map(|remark| format!("remark: {remark}\n"));
        Ok(remarks.chain(self.broken.drain(..).map(|violation| tell(&violation))).collect())
    }
}

impl Player {
    fn begin(&mut self, servers: usize) {
        let covers = |snapshot: &[u8]| snapshot.first().map(|index| u64::from(*index));
        let checker = Some(Checker::new(servers, covers));
        let all = (0..servers).map(|_| Server::default()).collect();
        *self = Player { checker, servers: all, ..Player::default() };
        (0..servers).for_each(|server| self.start(server));
    }

    fn play(&mut self, server: usize, args: &mut ArgumentConsumer<'_>) -> Result<()> {
        let verb: String = positional(args)?;
        match verb.as_str() {
            "follows" => self.show(server, Role::Follower, None, args)?,
            "stands" => self.show(server, Role::Candidate, Some(server), args)?,
            "leads" => self.show(server, Role::Leader, Some(server), args)?,
            "votes" => {
                let candidate = positional(args)?;
                self.show(server, Role::Follower, Some(candidate), args)?;
            }
            "takes" => {
                let (index, command) = (positional(args)?, positional::<String>(args)?);
                let started = Started { index, term: self.servers[server].state.current_term };
                let asked = self.raft(server, RaftEvent::Asked);
                let command = command.as_bytes();
                self.raft(server, RaftEvent::Started { asked, started, command });
            }
            "applies" => {
                let (index, command) = (positional(args)?, positional::<String>(args)?);
                let message = ApplyMsg::Command { index, command: command.into_bytes() };
                self.raft(server, RaftEvent::Applied(&message));
            }
            "saves" => self.save(server, positional(args)?),
            "crashes" => self.crash(server),
            "restarts" => self.restart(server, args)?,
            "hears" => {
                self.call(server, CallStep::Ended(Ending::Answered { bytes: 1 }), args)?;
            }
            "sends" => self.call(server, CallStep::Sent { bytes: 1 }, args)?,
            "receives" => self.receive(server, CallStep::Dispatched { copy: 0 }, args)?,
            "answers" => {
                let step = CallStep::Handled { bytes: Some(1), copy: 0 };
                self.receive(server, step, args)?;
            }
            _ => return Err(format!("a server does not do this: {verb}").into()),
        }
        Ok(())
    }

    /// `inspect` answers.
    fn show(
        &mut self,
        server: usize,
        role: Role,
        vote: Option<usize>,
        args: &mut ArgumentConsumer<'_>,
    ) -> Result<()> {
        let state = &mut self.servers[server].state;
        change(state, args)?;
        state.role = role;
        state.voted_for = vote.or(state.voted_for);
        let state = Some(Arc::new(state.clone()));
        let asked = self.raft(server, RaftEvent::Asked);
        self.raft(server, RaftEvent::Sampled { asked, state });
        Ok(())
    }

    fn start(&mut self, server: usize) {
        self.servers[server].incarnation += 1;
        self.server(server, ServerEvent::Starting(&Saved::default()));
    }

    fn crash(&mut self, server: usize) {
        self.server(server, ServerEvent::Crashed);
        self.server(server, ServerEvent::Silenced);
        let state = &mut self.servers[server].state;
        (state.role, state.commit_index) = (Role::Follower, state.last_included_index);
    }

    fn restart(&mut self, server: usize, args: &mut ArgumentConsumer<'_>) -> Result<()> {
        change(&mut self.servers[server].state, args)?;
        self.start(server);
        let Server { state, saved, .. } = &self.servers[server];
        let (state, covers) = (Arc::new(state.clone()), u64::from(*saved));
        let asked = self.raft(server, RaftEvent::Asked);
        self.raft(server, RaftEvent::Restored { asked, state, has_read: true, covers });
        Ok(())
    }

    fn save(&mut self, server: usize, index: u8) {
        let saved = |index: u8| Saved {
            raft_state: vec![],
            snapshot: if index == 0 { vec![] } else { vec![index] },
        };
        let old = std::mem::replace(&mut self.servers[server].saved, index);
        self.server(server, ServerEvent::Saved { old: &saved(old), new: &saved(index) });
    }

    fn receive(
        &mut self,
        to: usize,
        step: CallStep,
        args: &mut ArgumentConsumer<'_>,
    ) -> Result<()> {
        let from = positional(args)?;
        self.record_call(from, to, step, args)
    }

    fn call(&mut self, from: usize, step: CallStep, args: &mut ArgumentConsumer<'_>) -> Result<()> {
        let to = positional(args)?;
        self.record_call(from, to, step, args)
    }

    fn record_call(
        &mut self,
        from: usize,
        to: usize,
        step: CallStep,
        args: &mut ArgumentConsumer<'_>,
    ) -> Result<()> {
        let call = args.take_key("call").ok_or("which call?")?.parse()?;
        let (from, to) = (Some(from), Some(to));
        let (at, method) = (Duration::from_millis(self.millis), "Raft.RequestVote".into());
        self.record(What::Call(&labrpc::network::Event { at, call, from, to, method, step }));
        Ok(())
    }

    fn server(&mut self, server: usize, what: ServerEvent<'_>) {
        let number = self.servers[server].incarnation;
        self.record(What::Server(Incarnation { server, number }, what));
    }

    fn raft(&mut self, server: usize, what: RaftEvent<'_>) -> Moment {
        let number = self.servers[server].incarnation;
        self.record(What::Raft(Incarnation { server, number }, what))
    }

    fn record(&mut self, what: What<'_>) -> Moment {
        self.event += 1;
        let moment = Moment { event: self.event, at: Duration::from_millis(self.millis) };
        let checker = self.checker.as_mut().expect("a script begins with `cluster`");
        self.broken.extend(checker.read(&Event { moment, what }).err());
        self.remarks.extend(checker.take_remarks());
        moment
    }
}

/// Changes a state by the keys of a line.
fn change(state: &mut Inspect, args: &mut ArgumentConsumer<'_>) -> Result<()> {
    while let Some((key, value)) = args.next_key() {
        match key {
            "term" => {
                let term = value.parse()?;
                if term > state.current_term {
                    state.voted_for = None;
                }
                state.current_term = term;
            }
            "log" => state.log_terms = numbers(value)?,
            "commit" => state.commit_index = value.parse()?,
            "snapshot" => match numbers(value)?[..] {
                [index, term] => {
                    (state.last_included_index, state.last_included_term) = (index, term);
                }
                _ => return Err("a snapshot has an index and a term".into()),
            },
            "vote" if value == "none" => state.voted_for = None,
            _ => return Err(format!("a state has no {key}={value}").into()),
        }
    }
    Ok(())
}

fn numbers(words: &str) -> Result<Vec<u64>> {
    Ok(words.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}

fn positional<T: FromStr<Err: Error + 'static>>(args: &mut ArgumentConsumer<'_>) -> Result<T> {
    Ok(args.next_pos().ok_or("an argument is missing")?.parse()?)
}

/// A violation as text: the rule, the sentence, where to look, and the evidence as a table of time,
/// server and event.
fn tell(violation: &Violation) -> String {
    let rule = violation.rule().map_or_else(|| "no rule".to_owned(), |rule| rule.to_string());
    let look = violation.look().or(violation.rule().map(Rule::look)).expect("each breach has one");
    let mut text = format!("broken: {rule}\n{violation}\nwhere to look: {look}\n");
    for fact in violation.evidence() {
        let seconds = fact.moment.at.as_secs_f64();
        writeln!(text, "  {seconds:.3} s  server {}  {}", fact.server, fact.what)
            .expect("a string takes all text");
    }
    text
}
