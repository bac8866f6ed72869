//! Part 3E, the adversary: tests that the original does not have.
//!
//! The [`swarm`] draws a plan of faults from the seed, and checks liveness after it has healed a
//! majority. The other tests are scenarios, each brought to one moment at which a rule of the paper
//! is needed: [`votes`], [`leaders`], [`giving_way`], [`figures`], [`late`], [`again`], [`tails`],
//! [`moments`], [`overtaken`], [`compaction`]. They are staged by message ([`staging`]), for any
//! implementation. The table of tests says what each is for.

pub(crate) mod swarm;
pub(crate) mod storms;
pub(crate) mod votes;
pub(crate) mod leaders;
pub(crate) mod giving_way;
pub(crate) mod figures;
pub(crate) mod late;
pub(crate) mod again;
pub(crate) mod tails;
pub(crate) mod moments;
pub(crate) mod overtaken;
pub(crate) mod compaction;
pub(crate) mod thrift;
pub(crate) mod catching_up;
mod timers;
mod judgements;
mod plan;
mod race;
mod staging;
mod arena;

use config::{Class, Failure, RAFT_ELECTION_TIMEOUT, Rule, Setup};
use runner::Lab;

/// Figure 2, rules for all servers: a higher term in a reply deposes a leader.
///
/// In the tests of part A an old leader that comes back also gets the new one's heartbeats, so a
/// leader that ignores the terms in replies is never found. Here it gets only replies.
pub(crate) fn deaf_leader(lab: &Lab) {
    let cfg = lab.make_config(Setup::reliable(3));
    cfg.begin();
    let leader1 = cfg.check_one_leader();
    let term1 = cfg.check_terms();
    cfg.disconnect(leader1);
    cfg.check_one_leader();

    cfg.faults().deafen(leader1);
    cfg.connect(leader1);
    cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
    let (term, leads) = cfg.get_state(leader1).expect("it was not crashed");
    if term <= term1 {
        let sentence = format!(
            "server {leader1} {} term {term} after 2 s in which all replies to it came from \
             servers of a later term",
            if leads { "still leads" } else { "is still in" }
        );
        let failure = Failure::of(leader1, Class::Liveness, sentence);
        lab.referee().stop(failure.with_rule(Rule::L4));
    }

    cfg.faults().hear(leader1);
    cfg.check_one_leader();
    cfg.end();
}
