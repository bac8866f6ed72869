//! The table of one submission, in the style of the `dstest` script that students of 6.824 know,
//! and the table of all submissions.

use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use runner::plain;

use crate::plan::Plan;
use crate::report::graded::{Graded, TestVerdict};
use crate::report::score::{Points, Score, sums};
use crate::run::finished::Verdict;

/// A heading, the table of tests, and a line with the sums.
pub(crate) fn render(name: &str, path: &Path, plan: &Plan, scores: &[Score]) -> String {
    let seeds = match &plan.seeds[..] {
        [seed] => format!("seed {seed}"),
        seeds => format!("{} seeds", seeds.len()),
    };
    let heading = plain::line(&format!("{name} ({}), {seeds}", path.display()));
    format!("{heading}\n{}\n{}\n", table(scores), sum_line(plan, scores))
}

fn table(scores: &[Score]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["Test", "Failed", "Total", "Time (s)", "Points"]);
    for score in scores {
        table.add_row([
            score.test.name(),
            score.count(Verdict::Failed).to_string(),
            total(score),
            time(score),
            points(score),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A row for each submission, also for those that could not be graded.
pub(crate) fn of_all(plan: &Plan, submissions: &[Graded]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let extra = format!("In {}", plan.extra_parts());
    table.set_header(["Submission", "Points", &extra, "Tests passed", "Remark"]);
    for graded in submissions {
        let passed = graded.tests.iter().filter(|it| it.verdict == TestVerdict::Passed).count();
        let undecided = graded.undecided + graded.extra.undecided;
        let remark = match &graded.error {
            Some(fault) => plain::line(&fault.sentence),
            None if undecided > 0 => format!("{undecided} points undecided by a fault of the kit"),
            None => String::new(),
        };
        let of = |all: u32, won: u32| match &graded.error {
            _ if all == 0 => "-".into(),
            Some(_) => format!("-/{all}"),
            None => format!("{won}/{all}"),
        };
        table.add_row([
            plain::line(&graded.name),
            of(graded.max_points, graded.points),
            of(graded.extra.max_points, graded.extra.points),
            match graded.tests.len() {
                0 => "-".into(),
                tests => format!("{passed}/{tests}"),
            },
            remark,
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The number of runs that count, and of those that are missing.
fn total(score: &Score) -> String {
    let runs = score.runs.len();
    match score.not_run.len() {
        0 => runs.to_string(),
        not_run => format!("{runs}, {not_run} not run"),
    }
}

fn time(score: &Score) -> String {
    match score.time() {
        None => "-".into(),
        Some((mean, None)) => format!("{mean:.2}"),
        Some((mean, Some(deviation))) => format!("{mean:.2} ± {deviation:.2}"),
    }
}

fn points(score: &Score) -> String {
    let all = score.test.points;
    match score.points() {
        Points::All => format!("{all}/{all}"),
        Points::None => format!("0/{all}"),
        Points::Undecided => format!("?/{all}"),
    }
}

fn sum_line(plan: &Plan, scores: &[Score]) -> String {
    let (lab, extra) = sums(scores);
    let passed = scores.iter().filter(|score| score.points() == Points::All).count();
    let mut parts = Vec::new();
    if lab.all > 0 {
        parts.push(format!("{} of {} points", lab.won, lab.all));
    }
    if extra.all > 0 {
        let name = plan.extra_parts();
        parts.push(format!("{} of {} extra points in {name}", extra.won, extra.all));
    }
    parts.push(format!("{passed} of {} tests passed every seed", scores.len()));
    let undecided = lab.undecided + extra.undecided;
    if undecided > 0 {
        parts.push(format!("{undecided} points undecided by a fault of the kit"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use ::tests::{LABS, PART_E};
    use config::Class;

    use super::*;
    use crate::exit::UserError;
    use crate::plan::tests::plan;
    use crate::report::graded::Attempt;
    use crate::report::score::tests::score;
    use crate::run::finished::tests::failed;

    #[test]
    fn a_table_shows_failures_times_and_points() {
        let scores = [
            score(0, vec![Ok(()), Ok(()), Ok(())]),
            score(1, vec![Ok(()), failed(Class::Liveness, "expected one leader")]),
            score(2, vec![failed(Class::Infra, "no memory")]),
        ];
        insta::assert_snapshot!(format!(
            "{}\n{}",
            table(&scores),
            sum_line(&plan(&["ada"]), &scores)
        ));
    }

    #[test]
    fn the_table_of_all_shows_points_or_errors() {
        let adversary =
            LABS.tests.iter().position(|test| test.part == PART_E).expect("3E has tests");
        let attempt = |scores| Attempt { id: None, ignored: Vec::new(), scores };
        let passed = || Ok(());
        let attempts = [
            ("ada", Ok(vec![score(0, vec![passed()]), score(adversary, vec![passed()])])),
            (
                "bob",
                Ok(vec![
                    score(0, vec![failed(Class::Infra, "no memory")]),
                    score(adversary, vec![failed(Class::Safety, "two leaders")]),
                ]),
            ),
            ("eve", Err(UserError::build_failed("eve does not build").into())),
        ];
        let plan = plan(&["ada", "bob", "eve"]);
        let graded = attempts
            .map(|(name, scores)| Graded::of(name, Path::new(name), &plan, &attempt(scores)));
        insta::assert_snapshot!(of_all(&plan, &graded).to_string());
    }
}
