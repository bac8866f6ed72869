//! The answers to a question.

use runfile::RunFile;

use super::evaluate::Evaluator;
use super::moments::{Moments, Point};
use super::notes;
use super::place::{Judge, Place, points};
use super::query::Condition;

/// What a run says to a question.
#[derive(Debug)]
pub struct Answers<'a> {
    pub(super) run: &'a RunFile,
    /// In the order of the run.
    pub(super) answers: Vec<Answer>,
    pub(super) notes: Vec<String>,
}

/// A place where the condition holds.
#[derive(Debug)]
pub(super) struct Answer {
    /// The event; for a state, the one with which it begins.
    pub(super) event: usize,
    /// None if the question asks about no server.
    pub(super) server: Option<usize>,
    /// What the server is then; none if it shows nothing.
    pub(super) look: Option<crate::server::Look>,
    /// For a state, when it ends.
    pub(super) lasts: Option<Lasts>,
}

/// How long a state holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    /// Until this time.
    Until(u64),
    /// Until the end of the run.
    ToTheEnd,
}

impl<'a> Answers<'a> {
    pub(super) fn new(condition: &Condition, run: &'a RunFile) -> Answers<'a> {
        let moments = Moments::new(run);
        let evaluator = Evaluator::new(&moments, condition);
        let mut answers = if condition.happens() {
            events(&evaluator, condition)
        } else {
            states(&evaluator, condition)
        };
        for answer in &mut answers {
            let at =
                Point { event: answer.event, server: answer.server.unwrap_or(moments.servers) };
            answer.look = moments.version(at).map(|version| version.look);
        }
        let times = answers.iter().map(|answer| run.events[answer.event].t);
        let notes = notes::of(condition, &moments, times);
        Answers { run, answers, notes }
    }

    /// The number of answers.
    pub fn count(&self) -> usize {
        self.answers.len()
    }

    /// What a person should know of them, such as a method that no call of the run has.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Each event at which it holds.
fn events<'a>(evaluator: &Evaluator<'a>, condition: &'a Condition) -> Vec<Answer> {
    let holds = |here: &Point| evaluator.holds(condition, Place { here: *here, that: None });
    let points = points(evaluator.moments(), condition).filter(holds);
    points.map(|point| answer(evaluator.moments(), point)).collect()
}

/// Each time during which it holds for a server.
fn states<'a>(evaluator: &Evaluator<'a>, condition: &'a Condition) -> Vec<Answer> {
    let moments = evaluator.moments();
    let mut answers: Vec<Answer> = Vec::new();
    // The answers whose end has not come.
    let mut open: Vec<Option<usize>> = vec![None; moments.servers + 1];
    for here in points(evaluator.moments(), condition) {
        let holds = evaluator.holds(condition, Place { here, that: None });
        match open[here.server] {
            None if holds => {
                open[here.server] = Some(answers.len());
                answers.push(Answer { lasts: Some(Lasts::ToTheEnd), ..answer(moments, here) });
            }
            Some(begun) if !holds => {
                open[here.server] = None;
                answers[begun].lasts = Some(Lasts::Until(moments.events()[here.event].t));
            }
            _ => {}
        }
    }
    answers
}

fn answer(moments: &Moments<'_>, at: Point) -> Answer {
    let server = (at.server < moments.servers).then_some(at.server);
    Answer { event: at.event, server, look: None, lasts: None }
}
