//! S13, nothing is taken back that is committed or acknowledged (section 5.3), and the part of S14
//! about the entries behind an installed snapshot (section 7).
//!
//! **Sound for committed entries**: what a peer itself showed below its commit index never changes
//! in its log, and only a snapshot takes its place.
//!
//! **Sound for acknowledged entries**: a follower removes an entry only where it conflicts with
//! what the leader sent. Between two inspections of one incarnation in one term only that term's
//! leader was heeded. If the leader was seen to have the very entry that is gone, there was no
//! conflict: an older message was taken for the whole log, or a snapshot for more than it covers.
//! A follower that removes a conflicting entry before it has the new one is not touched by this.

use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Look, Sighting, seconds};

/// `leader` is the last inspection of the peer's leader as such, if it was seen.
pub(crate) fn see(look: &Look<'_>, leader: Option<&Sighting>) -> Result<(), Failure> {
    let Some(before) = look.before else { return Ok(()) };
    let (old, new) = (&before.state, &look.now.state);
    let removed = look.differs_at.unwrap_or(new.last_index() + 1);
    let Some(term) = old.term_at(removed).filter(|_| removed <= old.last_index()) else {
        return Ok(());
    };
    let server = look.now.server;
    let what = format!(
        "server {server} took back its entry {removed} of term {term} between {} and {}",
        seconds(before.at),
        seconds(look.now.at)
    );
    if removed <= old.commit_index {
        let sentence = format!("{what}, though its commit index was {}", old.commit_index);
        return Err(broken(Rule::S13, server, sentence));
    }
    let Some(leader) = leader.filter(|leader| {
        old.current_term == new.current_term
            && leader.state.current_term == new.current_term
            && leader.state.term_at(removed) == Some(term)
    }) else {
        return Ok(());
    };
    let same = format!("{what}, though its leader, server {}, has the same entry", leader.server);
    if new.last_included_index > old.last_included_index {
        let sentence =
            format!("{same}; the snapshot it installed covers index {}", new.last_included_index);
        return Err(broken(Rule::S14, server, sentence));
    }
    Err(broken(Rule::S13, server, same))
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn uncommitted_entries_give_way_to_the_leaders() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(3).leads().log(&[1, 3]))?;
            story.sees(1, |peer| peer.term(3).voted(0).log(&[1, 2, 2]).commit(1))?;
            story.sees(1, |peer| peer.term(3).voted(0).log(&[1]).commit(1))?;
            story.sees(1, |peer| peer.term(3).voted(0).log(&[1, 3]).commit(1))
        });
    }

    #[test]
    fn a_committed_entry_that_is_gone_is_told() {
        let sentence = "server 1 took back its entry 2 of term 1 between 0.001 s and 0.002 s, \
                        though its commit index was 2";
        broke(Rule::S13, sentence, |story: &mut Story| {
            story.sees(1, |peer| peer.term(1).log(&[1, 1]).commit(2))?;
            story.sees(1, |peer| peer.term(2).log(&[1, 2]).commit(2))
        });
    }

    #[test]
    fn an_entry_that_the_leader_has_is_not_to_be_removed() {
        let sentence = "server 1 took back its entry 2 of term 1 between 0.002 s and 0.003 s, \
                        though its leader, server 0, has the same entry";
        broke(Rule::S13, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads().log(&[1, 1]))?;
            story.sees(1, |peer| peer.term(1).voted(0).log(&[1, 1]))?;
            story.sees(1, |peer| peer.term(1).voted(0).log(&[1]))
        });
    }

    #[test]
    fn what_follows_an_installed_snapshot_is_kept() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads().log(&[1, 1, 1]))?;
            story.sees(1, |peer| peer.term(1).voted(0).log(&[1, 1, 1]))?;
            story.sees(1, |peer| peer.term(1).voted(0).snapshot(2, 1).log(&[1]).commit(2))
        });
        let sentence = "server 1 took back its entry 3 of term 1 between 0.002 s and 0.003 s, \
                        though its leader, server 0, has the same entry; the snapshot it installed \
                        covers index 2";
        broke(Rule::S14, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads().log(&[1, 1, 1]))?;
            story.sees(1, |peer| peer.term(1).voted(0).log(&[1, 1, 1]))?;
            story.sees(1, |peer| peer.term(1).voted(0).snapshot(2, 1).commit(2))
        });
    }
}
