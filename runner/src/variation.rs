//! How a run differs from the plain run of its seed, and what it chose.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use choice::{Choice, Choices, Name, Turn};
use serde::{Deserialize, Serialize};
use sim::Decisions;

use crate::plan::Plan;
use crate::virtual_time::Drawing;

/// How a run differs from the plain run of its seed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Variation {
    /// The file of a [`Plan`]: the run makes only the choices of it.
    pub plan: Option<PathBuf>,
    /// The file for what the run chose, a [`Listing`].
    pub listing: Option<PathBuf>,
    /// After this moment everything is drawn anew: virtual time, and which future.
    pub turn: Option<(Duration, u64)>,
    /// The run ends at this virtual time, if it has not failed before.
    pub until: Option<Duration>,
}

/// What a run chose, and did not choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What differs from a plain run, in order.
    pub choices: Vec<Choice>,
    /// What the plan has and the run did not meet.
    pub unmet: Vec<Name>,
    /// All decisions of the schedule.
    pub decisions: u64,
    /// Those that did not let the running thread run on.
    pub switches: u64,
}

impl Variation {
    pub(crate) fn to_word(&self) -> String {
        serde_json::to_string(self).expect("plain data has an encoding")
    }

    pub(crate) fn from_word(word: &str) -> Option<Variation> {
        serde_json::from_str(word).ok()
    }

    /// The choices of the run, and what the simulation draws.
    pub(crate) fn choices(&self) -> io::Result<(Choices, Drawing)> {
        let (turn, until) = (self.turn(), self.until);
        let drawing = Drawing { turn, until, ..Drawing::default() };
        let (choices, drawing) = match (&self.plan, &self.listing) {
            (Some(plan), _) => {
                let plan = Plan::read(plan).map_err(io::Error::other)?;
                let (seed, drawn) = (Some(plan.code_seed), Some(plan.decisions));
                (Choices::planned(plan.choices), Drawing { seed, drawn, ..drawing })
            }
            (None, Some(_)) => {
                (Choices::listed(), Drawing { drawn: Some(every_decision()), ..drawing })
            }
            (None, None) => (Choices::drawn(), drawing),
        };
        Ok((choices.turning(turn), drawing))
    }

    fn turn(&self) -> Option<Turn> {
        self.turn.map(|(at, salt)| Turn { at, salt })
    }

    /// Writes what the run chose, if the variation asks for that.
    pub(crate) fn write_listing(&self, choices: &Choices, decisions: Decisions) -> io::Result<()> {
        let Some(file) = &self.listing else { return Ok(()) };
        let listing = Listing {
            choices: choices.list(),
            unmet: choices.unmet(),
            decisions: decisions.made,
            switches: decisions.different,
        };
        fs::write(file, serde_json::to_vec(&listing)?)
    }
}

impl Listing {
    /// Reads what a run chose.
    ///
    /// # Errors
    /// If there is no such file, or it is not a listing.
    pub fn read(file: &Path) -> io::Result<Listing> {
        Ok(serde_json::from_slice(&fs::read(file)?)?)
    }
}

/// The decisions of a run that draws them all.
pub(crate) fn every_decision() -> Vec<Range<u64>> {
    std::iter::once(0..u64::MAX).collect()
}
