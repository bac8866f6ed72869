//! S13, a server stores entries only of a leader of its own term (sections 5.1 and 5.3).
//!
//! An AppendEntries of an earlier term that is not refused names itself late: the old leader counts
//! the reply, and S7 finds a later leader without the entry. Here the cause is named. Two samples of
//! one incarnation in one term show a new entry, and nobody can have led that term and sent it:
//!
//! - To lead a term a server needs a majority of votes of that term. So after it was last seen in a
//!   lower term, something from enough other servers has to be delivered to it: each vote is a reply
//!   or a message. The moment of the last delivery that it needs is the earliest at which it leads.
//! - A leader sends its entries itself. So the server that stores them was delivered something that
//!   the leader sent at that moment or later, however long ago, as a request or as a reply.
//!
//! **Sound**: samples are late, but both conditions are about what was sent and delivered, which the
//! history knows at once. A sample only bounds when a server was still in a lower term; what is not
//! known counts as possible: a server that does not show its state, a term that it was in long ago,
//! a message whose sending is forgotten. It does not matter what a message was, how it was answered,
//! or when it was processed. So pre-vote, batches, queues of messages, transfer of leadership, a
//! message that outlives a crash and a leader that was never seen leave nothing to blame. The server
//! itself can have led the term unseen; then its new entries are of that term.
//!
//! Only new entries are judged. A server that removes some says nothing about who it heeds, and what
//! an installed snapshot brings is committed, whoever sent it.

use std::collections::BTreeMap;

use history::Moment;
use labrpc::network::{CallStep, Ending, Event};
use raftapi::Role;

use crate::breach::{LogBreach, Violation};
use crate::sample::Transition;

/// The number of terms of a server that are remembered.
const TERMS_MAX: usize = 8;

/// Who was delivered what by whom.
#[derive(Debug)]
pub(crate) struct Heeded {
    servers: Vec<Server>,
    /// By the number of a call that has not ended: when it was sent, and when it was handled last.
    calls: BTreeMap<u64, (Moment, Option<Moment>)>,
}

/// What was delivered to one server.
#[derive(Debug)]
struct Server {
    /// By sender: when it sent the latest message of those that were delivered.
    sent: Vec<Option<Moment>>,
    /// By sender: when its last message was delivered.
    delivered: Vec<Option<Moment>>,
    last: Option<(usize, Moment)>,
    /// By term: what was delivered since the server was last seen in that term.
    since: BTreeMap<u64, Deliveries>,
}

/// By sender: the first delivery.
type Deliveries = Vec<Option<Moment>>;

impl Heeded {
    pub(crate) fn new(servers: usize) -> Heeded {
        let server = || Server {
            sent: vec![None; servers],
            delivered: vec![None; servers],
            last: None,
            since: BTreeMap::new(),
        };
        Heeded { servers: (0..servers).map(|_| server()).collect(), calls: BTreeMap::new() }
    }

    /// Takes in a step of a call.
    pub(crate) fn hear(&mut self, event: &Event, at: Moment) {
        let known = |server: &usize| *server < self.servers.len();
        let (Some(from), Some(to)) = (event.from.filter(known), event.to.filter(known)) else {
            return;
        };
        match &event.step {
            CallStep::Sent { .. } => _ = self.calls.insert(event.call, (at, None)),
            CallStep::Dispatched { .. } => {
                let sent = self.calls.get(&event.call).map_or(at, |call| call.0);
                self.servers[to].hear(from, sent, at);
            }
            CallStep::Handled { .. } => {
                if let Some(call) = self.calls.get_mut(&event.call) {
                    call.1 = Some(at);
                }
            }
            CallStep::Ended(ending) => {
                let call = self.calls.remove(&event.call);
                if matches!(ending, Ending::Answered { .. }) {
                    let sent = call.and_then(|call| call.1).unwrap_or(at);
                    self.servers[from].hear(to, sent, at);
                }
            }
            CallStep::Intercepted { .. } | CallStep::Misused(_) | CallStep::Overloaded { .. } => {}
        }
    }

    /// Checks the new entries of a sample. `led` says that the server is known to lead its term.
    pub(crate) fn see(&mut self, seen: &Transition<'_>, led: bool) -> Result<(), Violation> {
        let now = seen.now;
        let term = now.state.current_term;
        let result = self.check(seen, led);
        self.servers[now.server].is_in(term, now.asked);
        result
    }

    fn check(&self, seen: &Transition<'_>, led: bool) -> Result<(), Violation> {
        let (now, Some(before)) = (seen.now, seen.before) else { return Ok(()) };
        let (old, new, term) = (&before.state, &now.state, now.state.current_term);
        let may_be_own = led || old.role == Role::Leader || new.role == Role::Leader;
        if old.current_term != term
            || old.last_included_index != new.last_included_index
            || may_be_own
        {
            return Ok(());
        }
        let Some(index) = (seen.new_from..=new.last_index()).next() else { return Ok(()) };
        let Some(entry_term) = new.term_at(index) else { return Ok(()) };
        // Without any message there is no old one: what servers share otherwise is for S17.
        let Some(last) = self.servers[now.server].last else { return Ok(()) };
        let leads_unseen = new.last_term() == term && self.leads_from(now.server, term).is_some();
        if leads_unseen || self.can_have_sent(now.server, term) {
            return Ok(());
        }
        let (entry, seen) = ((index, entry_term), [before.at, now.at]);
        let breach = LogBreach::FromNoLeader { term, entry, seen, last };
        Err(Violation::of(now.server, breach))
    }

    /// Whether a server that leads `term` can have sent something that was delivered to `server`.
    fn can_have_sent(&self, server: usize, term: u64) -> bool {
        let others = (0..self.servers.len()).filter(|other| *other != server);
        others.into_iter().any(|other| {
            let sent = self.servers[server].sent[other];
            match (self.leads_from(other, term), sent) {
                (Some(earliest), Some(sent)) => sent >= earliest,
                _ => false,
            }
        })
    }

    /// The earliest moment at which a server can lead a term; none if it cannot.
    fn leads_from(&self, server: usize, term: u64) -> Option<Moment> {
        let below = self.servers[server].since.range(..term).next_back();
        let Some((_, deliveries)) = below else { return Some(Moment::default()) };
        let mut first: Vec<Moment> = deliveries.iter().flatten().copied().collect();
        first.sort_unstable();
        match self.servers.len() / 2 {
            0 => Some(Moment::default()),
            needed => first.get(needed - 1).copied(),
        }
    }
}

impl Server {
    fn hear(&mut self, from: usize, sent: Moment, at: Moment) {
        self.sent[from] = self.sent[from].max(Some(sent));
        self.delivered[from] = Some(at);
        self.last = Some((from, at));
        for deliveries in self.since.values_mut() {
            deliveries[from].get_or_insert(at);
        }
    }

    /// It was in `term` at some time after `asked`.
    fn is_in(&mut self, term: u64, asked: Moment) {
        // What was delivered later than that can be the first delivery, or not: the earliest moment
        // that is possible counts.
        let since = |at: &Option<Moment>| at.filter(|at| *at > asked).map(|_| asked);
        let deliveries = self.delivered.iter().map(since).collect();
        self.since.insert(term, deliveries);
        while self.since.len() > TERMS_MAX {
            self.since.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::breach::Violation;
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    /// Server 0 leads term 1 and sends server 2 an entry, which is under way. Server 1 stands in
    /// term 2, and asks server 2 for its vote.
    fn late_entry(scenario: &mut Scenario) -> Result<(), Violation> {
        scenario.sees(0, |peer| peer.term(1).leads())?;
        scenario.sees(1, |peer| peer.term(1).voted(0))?;
        scenario.sees(2, |peer| peer.term(1).voted(0))?;
        scenario.sends(0, 2, 1);
        scenario.sees(0, |peer| peer.term(1).leads().log(&[1]))?;
        scenario.sees(1, |peer| peer.term(2).stands())?;
        scenario.sends(1, 2, 2);
        scenario.dispatches_from(1, 2, 2)?;
        scenario.sees(2, |peer| peer.term(2).voted(1))
    }

    fn elected(scenario: &mut Scenario) {
        scenario.answers(2, 1, 2);
    }

    #[test]
    fn an_entry_of_an_old_leader_is_reported_though_the_new_one_may_be_elected() {
        let sentence = "server 2 stored entry 1 of term 1 between 0.006 s and 0.007 s, when it was \
                        in term 2, but no leader of that term can have sent it; the last message \
                        before that was one of server 0, at 0.006 s";
        broke(Rule::S13, sentence, |scenario: &mut Scenario| {
            late_entry(scenario)?;
            elected(scenario);
            scenario.dispatches_from(0, 2, 1)?;
            scenario.sees(2, |peer| peer.term(2).voted(1).log(&[1]))
        });
    }

    #[test]
    fn an_entry_of_a_leader_that_was_never_seen_is_correct() {
        kept(|scenario: &mut Scenario| {
            late_entry(scenario)?;
            elected(scenario);
            scenario.sends(1, 2, 3);
            scenario.dispatches_from(1, 2, 3)?;
            scenario.sees(2, |peer| peer.term(2).voted(1).log(&[1]))
        });
    }

    #[test]
    fn the_reply_of_a_leader_may_bring_entries() {
        kept(|scenario: &mut Scenario| {
            late_entry(scenario)?;
            elected(scenario);
            scenario.sends(2, 1, 3);
            scenario.dispatches_from(2, 1, 3)?;
            scenario.answers(1, 2, 3);
            scenario.sees(2, |peer| peer.term(2).voted(1).log(&[1]))
        });
    }

    #[test]
    fn a_server_that_does_not_show_its_state_may_lead() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(2, |peer| peer.term(2))?;
            scenario.sends(1, 2, 2);
            scenario.dispatches_from(1, 2, 2)?;
            scenario.sees(2, |peer| peer.term(2).log(&[1]))
        });
    }

    #[test]
    fn a_server_that_led_unseen_may_have_appended_entries_of_its_term() {
        let ask = |scenario: &mut Scenario| {
            scenario.sees(2, |peer| peer.term(1))?;
            scenario.sees(2, |peer| peer.term(2).stands())?;
            scenario.sends(2, 1, 1);
            scenario.dispatches_from(2, 1, 1)?;
            scenario.answers(1, 2, 1);
            Ok(())
        };
        kept(|scenario: &mut Scenario| {
            ask(scenario)?;
            scenario.sees(2, |peer| peer.term(2).voted(2).log(&[2]))
        });
    }
}
