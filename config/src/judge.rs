//! The reader that turns a broken rule into the verdict, and a remark into a finding.

use std::collections::BTreeSet;
use std::sync::Arc;

use history::{Event, History, Moment, Rule};
use parking_lot::Mutex;
use verdict::{Class, Evidence, Failure, FindingKind, Referee, Stopped};
use watch::{Checker, Knowledge, Remark, Violation};

use crate::applied::Applied;

/// Knows which events broke a rule. Clones share the same state.
#[derive(Clone, Default)]
pub(crate) struct Judge {
    state: Arc<Mutex<State>>,
}

/// The rules of Raft as folds over the history.
pub(crate) struct Rules {
    pub(crate) checker: Checker,
    pub(crate) knowledge: Knowledge,
}

impl Rules {
    fn read(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        self.checker.read(event).and_then(|()| self.knowledge.read(event))
    }
}

#[derive(Default)]
struct State {
    /// Violations that the fold has found and that are not reported yet.
    pending: Vec<(Moment, Violation)>,
    /// Remarks that are not reported yet.
    remarks: Vec<(Moment, Remark)>,
    /// By server and kind: the remarks that were reported. Each is reported once.
    remarked: BTreeSet<(usize, usize)>,
    broken: BTreeSet<Moment>,
}

impl Judge {
    /// Starts to read the history. `applied` gets every event first, then the rules.
    pub(crate) fn new(
        history: &History,
        referee: &Referee,
        applied: &Arc<Applied>,
        mut rules: Option<Rules>,
    ) -> Judge {
        let judge = Judge::default();
        let (folding, applied) = (judge.clone(), Arc::clone(applied));
        history.fold(move |event| {
            let result = applied.read(event).and_then(|()| match &mut rules {
                Some(rules) => {
                    let result = rules.read(event);
                    folding.note(event.moment, rules.checker.take_remarks());
                    result
                }
                None => Ok(()),
            });
            if let Err(violation) = result {
                let mut state = folding.state.lock();
                state.broken.insert(event.moment);
                state.pending.push((event.moment, violation));
            }
        });
        let (reporting, referee) = (judge.clone(), referee.clone());
        history.listen(move |event| {
            for remark in reporting.take_remarks(event.moment) {
                referee.note(FindingKind::HarmlessBreach, remark);
            }
            if let Some(violation) = reporting.take(event.moment) {
                referee.fail(failure_of(&violation));
            }
        });
        judge
    }

    /// Reports violations and remarks that were found too late for the listeners. To be called
    /// after the history was closed.
    pub(crate) fn close(&self, referee: &Referee) {
        let pending = std::mem::take(&mut self.state.lock().pending);
        for (_, violation) in pending {
            referee.fail(failure_of(&violation));
        }
    }

    fn note(&self, moment: Moment, remarks: Vec<Remark>) {
        if remarks.is_empty() {
            return;
        }
        let state = &mut *self.state.lock();
        let new = remarks
            .into_iter()
            .filter(|remark| state.remarked.insert((remark.server, remark.kind())));
        state.remarks.extend(new.map(|remark| (moment, remark)));
    }

    fn take_remarks(&self, moment: Moment) -> Vec<Remark> {
        let remarks = &mut self.state.lock().remarks;
        remarks.extract_if(.., |(at, _)| *at == moment).map(|(_, remark)| remark).collect()
    }

    fn take(&self, moment: Moment) -> Option<Violation> {
        let pending = &mut self.state.lock().pending;
        let place = pending.iter().position(|(at, _)| *at == moment)?;
        Some(pending.swap_remove(place).1)
    }

    /// Whether an event broke a rule.
    pub(crate) fn has_broken(&self, moment: Moment) -> bool {
        self.state.lock().broken.contains(&moment)
    }

    /// Unwinds the calling thread of the test if an event broke a rule.
    pub(crate) fn stop_if_broken(&self, moment: Moment) {
        if self.has_broken(moment) {
            std::panic::resume_unwind(Box::new(Stopped));
        }
    }
}

/// The failure of a violation.
fn failure_of(violation: &Violation) -> Failure {
    let class = match violation.rule() {
        Some(Rule::S16) => Class::Infra,
        _ if violation.is_of_contract() => Class::Contract,
        _ => Class::Safety,
    };
    let evidence = violation.evidence().into_iter().map(|fact| Evidence {
        event: fact.moment.event,
        at: fact.moment.at,
        server: Some(fact.server),
        what: fact.what,
    });
    let failure = Failure::new(class, violation.to_string()).with_evidence(evidence);
    let look = violation.look().map(str::to_owned);
    Failure { server: violation.culprit(), rule: violation.rule(), look, ..failure }
}
