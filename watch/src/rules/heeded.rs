//! S13, a server stores entries only of a leader of its own term (sections 5.1 and 5.3).
//!
//! If a server accepts an AppendEntries of an earlier term, the effect shows late: the old leader
//! counts the reply, and S7 finds a later leader without the entry. This rule finds the cause. Two
//! samples of one incarnation in one term show a new entry, and no server can have led that term
//! and sent it:
//!
//! - To lead a term a server needs a majority of votes of that term. So it must hear, in a message
//!   or a chain of messages, from enough other servers, of something that happened there after it
//!   was itself last seen in a lower term. When the last of these that it needs arrives, it can
//!   lead at the earliest.
//! - Its entries come from it, in a message or a chain. So the server that stores them has heard of
//!   the leader's state at that moment or later.
//!
//! **Sound**: samples come late, but both conditions are about what was sent and delivered, which
//! the history knows without delay ([`Clocks`]). A sample only limits when a server was still in a
//! lower term. Everything unknown counts as possible: a server that does not show its state, or a
//! term that it was in long ago. It does not matter what a message was, how it was answered, which
//! server passed it on, or when it was processed. So pre-vote, batches, queues of messages, relays,
//! transfer of leadership, a message that outlives a crash, and a leader that was never seen cause
//! no false alarm. The server itself can have led the term unseen; then its new entries are of that
//! term. `inspect` is one view: an entry that it shows was not stored in an earlier term than the
//! one that it shows.
//!
//! Only new entries are judged. Removed entries do not show which leader a server follows, and the
//! content of an installed snapshot is committed, whichever server sent it.

use std::collections::BTreeMap;

use history::Moment;
use labrpc::network::Event;
use raftapi::Role;

use crate::breach::{LogBreach, Violation};
use crate::clocks::Clocks;
use crate::sample::Transition;

/// The number of terms that are remembered for each server.
const TERMS_MAX: usize = 8;

/// What each server has heard of the others, by term.
#[derive(Debug)]
pub(crate) struct Heeded {
    servers: Vec<Server>,
    clocks: Clocks,
}

#[derive(Debug, Default)]
struct Server {
    /// The sender of the last message that was delivered to it, and when that was.
    last: Option<(usize, Moment)>,
    /// By term: what it has heard since it was last seen in that term.
    terms: BTreeMap<u64, Heard>,
}

/// What a server has heard since it was asked for its term.
#[derive(Debug)]
struct Heard {
    asked: Moment,
    /// By server: when it first heard of a later event there.
    first: Vec<Option<Moment>>,
}

impl Heeded {
    pub(crate) fn new(servers: usize) -> Heeded {
        let clocks = Clocks::new(servers);
        Heeded { servers: (0..servers).map(|_| Server::default()).collect(), clocks }
    }

    /// Reads a step of a call.
    pub(crate) fn hear(&mut self, event: &Event, at: Moment) {
        let Some(server) = self.clocks.hear(event, at) else { return };
        let sender = if event.to == Some(server) { event.from } else { event.to };
        let known = &mut self.servers[server];
        known.last = sender.map(|sender| (sender, at)).or(known.last);
        for heard in known.terms.values_mut() {
            heard.note(server, at, &self.clocks);
        }
    }

    /// Checks the new entries of a sample. `led` says whether the server is known to lead its term.
    pub(crate) fn see(&mut self, seen: &Transition<'_>, led: bool) -> Result<(), Violation> {
        let now = seen.now;
        let term = now.state.current_term;
        let result = self.check(seen, led);
        // It was in this term at some time after it was asked. What it has heard since then can
        // have come before or after that time, so the earliest possible moment counts.
        let mut heard = Heard { asked: now.asked, first: vec![None; self.servers.len()] };
        heard.note(now.server, now.asked, &self.clocks);
        let terms = &mut self.servers[now.server].terms;
        terms.insert(term, heard);
        while terms.len() > TERMS_MAX {
            terms.pop_first();
        }
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
        // Without any message there is no old message. S17 finds other channels between servers.
        let Some(last) = self.servers[now.server].last else { return Ok(()) };
        let leads_unseen = new.last_term() == term && self.leads_from(now.server, term).is_some();
        if leads_unseen || self.can_have_sent(now.server, term) {
            return Ok(());
        }
        let (entry, seen) = ((index, entry_term), [before.at, now.at]);
        let breach = LogBreach::FromNoLeader { term, entry, seen, last };
        Err(Violation::of(now.server, breach))
    }

    /// Whether an action of a leader of `term` can have reached `server`.
    fn can_have_sent(&self, server: usize, term: u64) -> bool {
        let others = (0..self.servers.len()).filter(|other| *other != server);
        others.into_iter().any(|other| {
            let earliest = self.leads_from(other, term);
            earliest.is_some_and(|at| self.clocks.heard(server, other) >= at.event)
        })
    }

    /// The earliest moment at which a server can lead a term; none if it cannot.
    fn leads_from(&self, server: usize, term: u64) -> Option<Moment> {
        let below = self.servers[server].terms.range(..term).next_back();
        let Some((_, heard)) = below else { return Some(Moment::default()) };
        let mut first: Vec<Moment> = heard.first.iter().flatten().copied().collect();
        first.sort_unstable();
        match self.servers.len() / 2 {
            0 => Some(Moment::default()),
            needed => first.get(needed - 1).copied(),
        }
    }
}

impl Heard {
    /// Records what else the server may have heard.
    fn note(&mut self, server: usize, at: Moment, clocks: &Clocks) {
        for (other, first) in self.first.iter_mut().enumerate() {
            if other != server && first.is_none() && clocks.heard(server, other) > self.asked.event
            {
                *first = Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::breach::Violation;
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    /// Server 0 leads term 1 and sends server 2 an entry, which is in flight. Server 1 is a
    /// candidate in term 2, and asks server 2 for its vote.
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
    fn an_entry_of_an_old_leader_is_reported_although_the_new_one_can_be_elected() {
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

    /// Server 0 leads term 2 without being seen, and server 1 passes its entry on.
    #[test]
    fn another_server_may_pass_an_entry_on() {
        kept(|scenario: &mut Scenario| {
            (0..3).try_for_each(|server| scenario.sees(server, |peer| peer.term(1)))?;
            scenario.sends(0, 1, 1);
            scenario.dispatches_from(0, 1, 1)?;
            scenario.answers(1, 0, 1);
            scenario.sees(2, |peer| peer.term(2))?;
            scenario.sends(0, 1, 2);
            scenario.dispatches_from(0, 1, 2)?;
            scenario.sends(1, 2, 3);
            scenario.dispatches_from(1, 2, 3)?;
            scenario.sees(2, |peer| peer.term(2).log(&[2]))
        });
    }

    #[test]
    fn a_reply_of_a_leader_may_bring_entries() {
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
