//! A question to every server, answered by the first inspection of each that is asked for later.
//!
//! "Did a majority vote for it?" and "does a majority have it?" cannot be read off what was seen so
//! far: a peer may have voted or appended since. An inspection that is asked for after the claim
//! shows whatever the claim can rest on, so only a peer that shows there that it has *not* counts,
//! and it counts against. Whoever is down, or will not tell, might have: it never counts.

use crate::invariants::sighting::Sighting;

/// One question.
#[derive(Debug)]
pub(crate) struct Survey {
    since: u64,
    open: Vec<bool>,
    against: Vec<usize>,
}

impl Survey {
    /// Asks all that are alive.
    pub(crate) fn new(since: u64, alive: &[bool]) -> Survey {
        Survey { since, open: alive.to_vec(), against: Vec::new() }
    }

    /// Whether an inspection is the answer of its server.
    pub(crate) fn awaits(&self, now: &Sighting) -> bool {
        self.open[now.server] && now.asked > self.since
    }

    /// True if so many have answered with a no that no majority is left.
    pub(crate) fn answer(&mut self, server: usize, yes: bool) -> bool {
        self.open[server] = false;
        if !yes {
            self.against.push(server);
        }
        self.is_lost()
    }

    /// The server is not to be asked any more: what it had may be lost lawfully.
    pub(crate) fn give_up(&mut self, server: usize) {
        self.open[server] = false;
    }

    /// No majority of the cluster is left that could have said yes.
    pub(crate) fn is_lost(&self) -> bool {
        self.against.len() * 2 >= self.open.len()
    }

    /// Nobody is left to answer.
    pub(crate) fn is_over(&self) -> bool {
        !self.open.contains(&true)
    }

    /// Who said no, in a sentence: `servers 0 and 2`.
    pub(crate) fn naysayers(&self) -> String {
        let mut against = self.against.clone();
        against.sort_unstable();
        let words: Vec<String> = against.iter().map(usize::to_string).collect();
        match &words[..] {
            [one] => format!("server {one}"),
            [most @ .., last] => format!("servers {} and {last}", most.join(", ")),
            [] => "nobody".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_is_lost_when_no_majority_can_be_left() {
        let mut of_four = Survey::new(0, &[true; 4]);
        assert!(!of_four.answer(3, false));
        assert!(!of_four.answer(1, true));
        assert!(of_four.answer(0, false), "two of four are no majority");
        assert_eq!(of_four.naysayers(), "servers 0 and 3");
        assert!(!of_four.is_over());
        of_four.give_up(2);
        assert!(of_four.is_over());
    }
}
