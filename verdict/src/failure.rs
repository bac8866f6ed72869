//! Why a run failed. A failure is a value: a student's fault is a verdict, not an error of the kit.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use history::Rule;

/// The limit of a failure's sentence. A longer one is cut, and its end says so. It can quote text
/// of an implementation, such as the text of a panic, which can have any length.
pub const SENTENCE_BYTES_MAX: usize = 2 << 10;
/// The limit of a note or a finding. A longer one is cut in the same way.
pub const NOTE_BYTES_MAX: usize = 1 << 10;
/// The limit of the number of notes. Later notes are left out, and one more note says so.
pub const NOTES_MAX: usize = 64;
/// The limit of the number of events that explain a failure. Later ones are left out.
const EVIDENCE_MAX: usize = 64;
const NOTES_LEFT_OUT: &str = "more notes are left out";
/// The longest mark of a cut text.
const CUT_BYTES_MAX: usize = 40;

/// The kinds of verdict, kept apart in every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// A rule of Raft's safety was broken.
    Safety,
    /// Something required did not happen in time.
    Liveness,
    /// The implementation broke the contract with the lab: an unknown RPC, an impossible state.
    Contract,
    /// A thread of the implementation panicked, or its process ended.
    Panic,
    /// Threads wait for one another and never continue.
    Deadlock,
    /// A thread runs without a pause, so virtual time cannot pass.
    Spin,
    /// A thread waits for something outside the lab.
    Outside,
    /// The run took too long.
    Timeout,
    /// The run used too much of something other than time, such as memory or threads.
    Limit,
    /// A fault of the kit itself. It costs no points.
    Infra,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Safety => "safety",
            Class::Liveness => "liveness",
            Class::Contract => "contract",
            Class::Panic => "panic",
            Class::Deadlock => "deadlock",
            Class::Spin => "spin",
            Class::Outside => "outside",
            Class::Timeout => "timeout",
            Class::Limit => "limit",
            Class::Infra => "infra",
        })
    }
}

/// The first failure of a run.
///
/// Its constructors limit the length of its texts, by [`SENTENCE_BYTES_MAX`] and similar limits.
/// [`Failure::bounded`] does the same for a failure that was read from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which kind of verdict this is.
    pub class: Class,
    /// The server whose fault it is, if it is the fault of one server.
    pub server: Option<usize>,
    /// What happened, in one sentence with servers, terms and indices.
    pub sentence: String,
    /// The broken rule, if it is a rule of Raft.
    pub rule: Option<Rule>,
    /// Where to look for the cause, if this is more exact than the hint of the rule.
    pub look: Option<String>,
    /// More sentences that can help to understand it.
    pub notes: Vec<String>,
    /// The events that explain it, in their order.
    pub evidence: Vec<Evidence>,
}

/// An event of the run that helps to understand a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its number in the history of the run.
    pub event: u64,
    /// When it happened, since the history began.
    pub at: Duration,
    /// The server that it happened to, if any.
    pub server: Option<usize>,
    /// What happened, in a phrase such as `voted for server 2 in term 1`.
    pub what: String,
}

impl Failure {
    /// A failure that is not the fault of a single server.
    pub fn new(class: Class, sentence: impl Into<String>) -> Failure {
        let sentence = cut(sentence.into(), SENTENCE_BYTES_MAX);
        Failure {
            class,
            server: None,
            sentence,
            rule: None,
            look: None,
            notes: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// A failure of one server.
    pub fn of(server: usize, class: Class, sentence: impl Into<String>) -> Failure {
        Failure { server: Some(server), ..Failure::new(class, sentence) }
    }

    /// The failure of an RPC that breaks the rules of the network, such as one to an unknown
    /// method.
    pub fn misuse(caller: usize, called: usize, what: impl fmt::Display) -> Failure {
        let sentence = format!("server {caller} called server {called}: {what}");
        Failure::of(caller, Class::Contract, sentence).with_look(
            "where the call is made, and the service that handles it; both name the same method \
             and the same types of arguments and reply",
        )
    }

    /// Sets the broken rule.
    #[must_use]
    pub fn with_rule(self, rule: Rule) -> Failure {
        Failure { rule: Some(rule), ..self }
    }

    /// Sets where to look for the cause: a place in an implementation, what must hold there, and
    /// the section of the paper.
    #[must_use]
    pub fn with_look(self, look: impl Into<String>) -> Failure {
        Failure { look: Some(cut(look.into(), NOTE_BYTES_MAX)), ..self }
    }

    /// Where to look for the cause: the failure's own hint, or else that of its rule. None without
    /// both.
    pub fn where_to_look(&self) -> Option<&str> {
        self.look.as_deref().or(self.rule.map(Rule::look))
    }

    /// Adds sentences that can help to understand it.
    #[must_use]
    pub fn with_notes(mut self, notes: impl IntoIterator<Item = String>) -> Failure {
        for note in notes {
            if self.notes.len() >= NOTES_MAX {
                self.notes.truncate(NOTES_MAX);
                self.notes.push(NOTES_LEFT_OUT.into());
                break;
            }
            self.notes.push(cut(note, NOTE_BYTES_MAX));
        }
        self
    }

    /// Adds sentences before the existing ones.
    #[must_use]
    pub(crate) fn with_first_notes(mut self, notes: impl IntoIterator<Item = String>) -> Failure {
        let later = std::mem::take(&mut self.notes);
        self.with_notes(notes).with_notes(later)
    }

    /// Adds events that explain it.
    #[must_use]
    pub fn with_evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Failure {
        let room = EVIDENCE_MAX.saturating_sub(self.evidence.len());
        self.evidence.extend(
            evidence
                .into_iter()
                .take(room)
                .map(|evidence| Evidence { what: cut(evidence.what, NOTE_BYTES_MAX), ..evidence }),
        );
        self
    }

    /// The same failure with every text cut to its limit.
    #[must_use]
    pub fn bounded(self) -> Failure {
        let Failure { class, server, sentence, rule, look, notes, evidence } = self;
        let bounded = Failure::new(class, sentence).with_notes(notes).with_evidence(evidence);
        let look = look.map(|look| cut(look, NOTE_BYTES_MAX));
        Failure { server, rule, look, ..bounded }
    }
}

/// Cuts a text to at most `bytes_max` bytes. A cut text keeps its beginning and says how long it
/// was.
pub fn cut(mut text: String, bytes_max: usize) -> String {
    let bytes = text.len();
    if bytes > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - CUT_BYTES_MAX));
        text += &format!("... (cut, {bytes} bytes)");
        assert!(text.len() <= bytes_max, "the bound includes the words that mark the cut");
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.sentence)?;
        if let Some(look) = self.where_to_look() {
            write!(f, "\n  where to look: {look}")?;
        }
        if let Some(rule) = self.rule {
            write!(f, "\n  rule: {rule}")?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_letters_and_says_so() {
        let long = "\u{e4}".repeat(SENTENCE_BYTES_MAX);
        let failure = Failure::new(Class::Panic, long).with_notes(["x".repeat(1 << 20)]);
        assert!((SENTENCE_BYTES_MAX - 40..=SENTENCE_BYTES_MAX).contains(&failure.sentence.len()));
        assert!(failure.sentence.ends_with("\u{e4}... (cut, 4096 bytes)"));
        assert!(failure.notes[0].len() <= NOTE_BYTES_MAX);
        assert!(failure.notes[0].ends_with("x... (cut, 1048576 bytes)"));
        let short = "a".repeat(SENTENCE_BYTES_MAX);
        assert_eq!(Failure::new(Class::Panic, short.clone()).sentence, short);
    }

    #[test]
    fn too_many_notes_are_cut_and_the_last_one_says_so() {
        let notes = |count: usize| (0..count).map(|n| format!("note {n}"));
        let failure = |count| Failure::new(Class::Deadlock, "").with_notes(notes(count));
        assert_eq!(failure(NOTES_MAX).notes, notes(NOTES_MAX).collect::<Vec<_>>());
        let many = failure(NOTES_MAX + 1);
        assert_eq!(many.notes.len(), NOTES_MAX + 1);
        assert_eq!(many.notes[NOTES_MAX], "more notes are left out");
        assert_eq!(many.clone().with_notes(notes(9)), many, "more of more");
    }

    fn evidence(bytes: usize) -> Evidence {
        Evidence { event: 1, at: Duration::ZERO, server: None, what: "z".repeat(bytes) }
    }

    /// For example, the process of a submission sends one.
    #[test]
    fn a_failure_from_elsewhere_is_cut_to_its_limits() {
        let made = Failure::of(1, Class::Panic, "x".repeat(1 << 20))
            .with_rule(Rule::S1)
            .with_look("z".repeat(1 << 12))
            .with_notes((0..1000).map(|_| "y".repeat(1 << 12)))
            .with_evidence((0..1000).map(|_| evidence(1 << 12)));
        assert_eq!(made.clone().bounded(), made, "it is bounded already");
        let read = Failure {
            sentence: "x".repeat(1 << 20),
            look: Some("z".repeat(1 << 12)),
            notes: vec!["y".repeat(1 << 12); 1000],
            evidence: vec![evidence(1 << 12); 1000],
            ..made.clone()
        };
        assert_eq!(read.bounded(), made);
    }
}
