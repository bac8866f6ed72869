//! Tests of the language: its mistakes, its answers, and what must hold for every question.

mod answers;
mod dictionary;
mod mistakes;
mod order;
mod properties;

use runfile::{Kind, RunFile};

use super::Question;

/// The text of all answers, and the notes.
fn answers(run: &RunFile, question: &str) -> String {
    let question = Question::parse(question).unwrap_or_else(|mistake| panic!("{mistake}"));
    let answers = question.ask(run);
    let notes = answers.notes().iter().map(|note| format!("note: {note}\n"));
    notes.fold(answers.text(usize::MAX), |text, note| text + &note)
}

/// A failing run of the lab: figure 8, with a leader that commits an old entry by counting.
fn real_run() -> RunFile {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/figure-8.run");
    runfile::read(path.as_ref()).expect("docs/figure-8.run is a run file")
}

/// The same without the lab's questions to the servers, which are most of it.
fn short_run() -> RunFile {
    let mut run = real_run();
    let is_answer = |kind: &Kind| matches!(kind, Kind::SaidState { .. } | Kind::SaidLeader { .. });
    run.events.retain(|event| !is_answer(&event.kind));
    run
}
