//! The matrix for people: a line for each result, and the page `matrix.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::column::{Column, Kill};
use crate::head::Kind;
use crate::matrix::{Matrix, Row};
use crate::mode::Mode;

/// The result of a mutant in one mode, in a line.
pub(crate) fn line(row: &Row, mode: Mode) -> String {
    let result = if mode == Mode::SuiteOnly { suite_only(row) } else { result(row, mode) };
    format!("{:<4} {:<10} {mode:<19} {result}", row.mutant.id(), row.mutant.head.kind)
}

/// The counts, a line for each column.
pub(crate) fn totals(matrix: &Matrix) -> String {
    let mut text = String::new();
    for mode in Mode::KILLING {
        let of_kind = |kind: Kind| {
            let tried = matrix.rows.iter().filter(move |row| row.mutant.head.kind == kind);
            tried.filter_map(move |row| row.column(mode)).collect::<Vec<_>>()
        };
        let faults = of_kind(Kind::Fault);
        let killed: Vec<u64> = faults.iter().filter_map(|column| column.seeds_needed).collect();
        let soon = killed.iter().filter(|seeds| **seeds <= 3).count();
        let findings: Vec<bool> =
            matrix.rows.iter().filter_map(|row| has_reported(row, row.column(mode)?)).collect();
        let reported = findings.iter().filter(|reported| **reported).count();
        text += &format!(
            "- {mode}: {} of {} faults killed, {soon} of them within 3 seeds; ",
            killed.len(),
            faults.len()
        );
        if !findings.is_empty() {
            let all = findings.len();
            text += &format!("{reported} of {all} findings reported, or the run failed; ");
        }
        text += &alarms(matrix, mode);
    }
    let subtle = matrix.rows.iter().filter(|row| row.mutant.head.must_be_subtle());
    let tried: Vec<&Row> = subtle.filter(|row| row.suite_only.is_some()).collect();
    let gross: Vec<&str> =
        tried.iter().filter(|row| row.is_gross()).map(|row| row.mutant.id()).collect();
    let survives =
        |row: &&&Row| row.suite_only.as_ref().is_some_and(|it| it.survived_seed.is_some());
    text += &format!(
        "- {}: of {} bugs that 6.824's own suite finds by luck or never, {} survive some run of \
         its tests in this kit",
        Mode::SuiteOnly,
        tried.len(),
        tried.iter().filter(survives).count()
    );
    match &gross[..] {
        [] => text + "\n",
        gross => text + &format!("; grosser than the bug: {}\n", gross.join(", ")),
    }
}

/// The counts of the rows that are not faults.
fn alarms(matrix: &Matrix, mode: Mode) -> String {
    let tried = |kinds: &[Kind]| {
        let rows = matrix.rows.iter().filter(|row| kinds.contains(&row.mutant.head.kind));
        rows.filter(|row| row.column(mode).is_some()).collect::<Vec<_>>()
    };
    let count_alarms = |rows: &[&Row]| rows.iter().filter(|row| row.is_false_alarm(mode)).count();
    let (quality, correct) = (tried(&[Kind::Quality]), tried(&[Kind::Equivalent, Kind::Variant]));
    if quality.is_empty() && correct.is_empty() {
        return "no correct variant was tried\n".into();
    }
    let fails = |row: &&&Row| row.column(mode).is_some_and(|column| column.killed_by.is_some());
    let (count, wrong) = (correct.len(), count_alarms(&correct));
    let mut text =
        format!("{wrong} false alarms among {count} equivalent mutants and correct variants");
    if !quality.is_empty() {
        let (count, wrong) = (quality.len(), count_alarms(&quality));
        let failed = quality.iter().filter(fails).count() - wrong;
        text += &format!(
            "; of {count} quality mutants {wrong} were called unsafe, and {failed} failed in \
             another way"
        );
    }
    text + "\n"
}

/// Writes `matrix.md`.
pub(crate) fn write(matrix: &Matrix, folder: &Path) -> Result<()> {
    fs::write(folder.join("matrix.md"), page(matrix)).context("failed to write the matrix")
}

fn page(matrix: &Matrix) -> String {
    let mut text = String::from(
        "# The kill matrix\n\n\
         Known bugs, applied to the reference Raft one by one, and what the labs reported.\n\
         Written by `just bugs`; do not edit. `cargo run --release -p bugs -- --again A5` tries \
         one of them again.\n\n",
    );
    text += &totals(matrix);
    text += "\n\
             The columns: all labs with what `inspect` shows; without it, as a submission may have \
             it; with thread switches at the edges of the mutant's code; and as graded, with each \
             server in a process of its own.\n\
             A cell names the seed in which the mutant was killed, the rule or the class of the \
             failure, and the test; `cargo doc -p history` has the rules, from S1 to L5, as \
             `history::Rule`.\n\
             The column \"original\" says how 6.824's own suite finds the bug. For a bug that it \
             finds by luck or never, it also names a seed that the mutant survives if only its \
             tests run, without checks of Raft's rules.\n";
    for (kind, title) in [
        (Kind::Fault, "Faults: the suite must kill them"),
        (Kind::Quality, "Quality: a finding or a failed test, but never called unsafe"),
        (Kind::Equivalent, "Equivalent: no change can be observed"),
        (Kind::Variant, "Correct variants: they must pass"),
    ] {
        text += &format!("\n## {title}\n\n{}", table(matrix, kind));
    }
    text + &survivors(matrix)
}

fn table(matrix: &Matrix, kind: Kind) -> String {
    let last = match kind {
        Kind::Fault => "the report",
        Kind::Quality => "the report",
        Kind::Equivalent => "why",
        Kind::Variant => "time",
    };
    let mut text = format!(
        "| id | what it does | with `inspect` | as a black box | with edges | as graded \
         | original | {last} |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    for row in matrix.rows.iter().filter(|row| row.mutant.head.kind == kind) {
        let results = Mode::KILLING.map(|mode| cell(&short_result(row, mode)));
        let last = match kind {
            Kind::Fault => verdict(row),
            Kind::Quality => findings(row),
            Kind::Equivalent => row.mutant.head.why.clone().unwrap_or_default(),
            Kind::Variant => times(row),
        };
        let (id, breaks) = (&row.mutant.id(), cell(&row.mutant.head.breaks));
        text += &format!(
            "| {id} | {breaks} | {} | {} | {} |\n",
            results.join(" | "),
            original(row),
            cell(&last)
        );
    }
    text
}

/// The faults that survive a column, each with the argument of its head.
fn survivors(matrix: &Matrix) -> String {
    let mut survivors = String::new();
    for row in matrix.rows.iter().filter(|row| row.mutant.head.kind == Kind::Fault) {
        let head = &row.mutant.head;
        for mode in Mode::KILLING {
            if row.column(mode).is_none_or(|column| column.killed_by.is_some()) {
                continue;
            }
            let argument = head.survives.get(&mode).map_or_else(
                || format!("no argument; it must be caught by {}", head.caught_by),
                Clone::clone,
            );
            survivors += &format!("- {} {mode}: {argument}.\n", head.id);
        }
    }
    if survivors.is_empty() {
        survivors = "None of the faults that were tried.\n".into();
    }
    format!(
        "\n## Survivors\n\n\
         These faults survive a column. The argument says why, although the suite is right.\n\n\
         {survivors}"
    )
}

/// The result in a sentence.
fn result(row: &Row, mode: Mode) -> String {
    let Some(column) = row.column(mode) else { return "not tried".into() };
    let unsure = unsure(column);
    let Some(kill) = &column.killed_by else {
        let findings = match &column.findings[..] {
            [] => String::new(),
            [first, ..] => format!(" with findings, such as in {}: {}", first.test, first.sentence),
        };
        return format!("{} {} seeds{findings}{unsure}", survival(row), column.seeds_run);
    };
    let alarm = alarm(row, mode);
    let rule = kill.rule.as_ref().map_or_else(String::new, |rule| format!(" {rule}"));
    format!(
        "{alarm}killed in seed {} by {}: {}{rule}: {}{unsure}",
        kill.seed, kill.test, kill.class, kill.sentence
    )
}

/// The result for a cell of a table.
fn short_result(row: &Row, mode: Mode) -> String {
    let Some(column) = row.column(mode) else { return "not tried".into() };
    let unsure = unsure(column);
    let Some(kill) = &column.killed_by else {
        return format!("{} {} seeds{unsure}", survival(row), column.seeds_run);
    };
    format!("{}{}: {}, {}{unsure}", alarm(row, mode), kill.seed, what_broke(kill), kill.test)
}

fn what_broke(kill: &Kill) -> &str {
    kill.rule.as_ref().unwrap_or(&kill.class)
}

fn alarm(row: &Row, mode: Mode) -> &'static str {
    if row.is_false_alarm(mode) { "FALSE ALARM, " } else { "" }
}

fn unsure(column: &Column) -> String {
    match column.no_verdict.len() {
        0 => String::new(),
        n => format!("; {n} runs without a verdict"),
    }
}

fn survival(row: &Row) -> &'static str {
    match row.mutant.head.kind {
        Kind::Fault => "SURVIVES",
        Kind::Quality | Kind::Equivalent | Kind::Variant => "passes",
    }
}

/// The result of the original suite only.
fn suite_only(row: &Row) -> String {
    let Some(column) = &row.suite_only else { return "not tried".into() };
    match column.survived_seed {
        Some(seed) => format!("survives seed {seed}"),
        None if row.is_gross() => format!("GROSSER THAN THE BUG: fails all {}", column.seeds_run),
        None => {
            let why = row.mutant.head.sharper.as_ref().map(|why| format!(": {why}"));
            format!("fails all {}{}", column.seeds_run, why.unwrap_or_default())
        }
    }
}

fn original(row: &Row) -> String {
    match row.mutant.head.original {
        None => String::new(),
        Some(original) if row.mutant.head.must_be_subtle() => {
            format!("{original}; {}", suite_only(row))
        }
        Some(original) => original.to_string(),
    }
}

/// The verdict of the first column that killed.
fn verdict(row: &Row) -> String {
    let kills = row.columns.iter().filter_map(|(_, column)| column.killed_by.as_ref());
    kills.map(|kill| kill.sentence.clone()).next().unwrap_or_default()
}

/// Whether the suite reported the finding that the head of the mutant names, or failed the run.
///
/// `None` if the head names none.
fn has_reported(row: &Row, column: &Column) -> Option<bool> {
    row.mutant.head.finding.map(|kind| column.has_reported(kind) || column.killed_by.is_some())
}

/// The findings of the first column.
fn findings(row: &Row) -> String {
    let Some((_, column)) = row.columns.first() else { return String::new() };
    let missing = match row.mutant.head.finding {
        Some(kind) if has_reported(row, column) == Some(false) => {
            format!("NOT REPORTED: {kind}; ")
        }
        Some(_) => String::new(),
        None => format!("caught by {}; ", row.mutant.head.caught_by),
    };
    let sentences: Vec<&str> = column.findings.iter().map(|found| &found.sentence[..]).collect();
    (missing + &sentences.join("; ")).trim_end_matches("; ").to_owned()
}

fn times(row: &Row) -> String {
    let times = row.columns.iter().map(|(mode, column)| format!("{} s {mode}", column.seconds));
    times.collect::<Vec<_>>().join(", ")
}

/// Escapes what a cell of a table cannot hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use config::FindingKind;

    use super::*;
    use crate::column::{Finding, SuiteOnly};
    use crate::head::Original;
    use crate::matrix::tests::row;

    #[test]
    fn a_line_has_the_result_of_a_mutant() {
        assert_eq!(
            line(&row("A1", Kind::Fault, Some("liveness")), Mode::Inspect),
            "A1   fault      with `inspect`      killed in seed 2 by 3A initial election: liveness \
             L1: no | leader"
        );
        assert_eq!(
            line(&row("A2", Kind::Fault, None), Mode::Inspect),
            "A2   fault      with `inspect`      SURVIVES 5 seeds"
        );
        assert_eq!(
            line(&row("A3", Kind::Quality, None), Mode::BlackBox),
            "A3   quality    as a black box      not tried"
        );
        let mut gross = row("A4", Kind::Fault, None);
        gross.mutant.head.original = Some(Original::Never);
        gross.suite_only = Some(SuiteOnly { seeds_run: 20, ..SuiteOnly::default() });
        assert_eq!(
            line(&gross, Mode::SuiteOnly),
            "A4   fault      original suite only GROSSER THAN THE BUG: fails all 20"
        );
    }

    #[test]
    fn the_page_has_the_counts_and_all_results() {
        let mut quality = row("A3", Kind::Quality, None);
        quality.mutant.head.finding = Some(FindingKind::HeldLock);
        let finding = Finding { test: "one".into(), sentence: "idle calls: many".into(), seed: 1 };
        quality.columns[0].1.findings.push(finding);
        let rows = vec![
            row("A1", Kind::Fault, Some("liveness")),
            row("A2", Kind::Fault, None),
            quality,
            row("V1", Kind::Variant, Some("safety")),
        ];
        let page = page(&Matrix { rows });
        assert!(page.contains("1 of 2 faults killed, 1 of them within 3 seeds; "));
        assert!(page.contains("0 of 1 findings reported, or the run failed; "));
        assert!(page.contains("1 false alarms among 1 equivalent mutants and correct variants; "));
        assert!(
            page.contains("1 quality mutants 0 were called unsafe, and 0 failed in another way\n")
        );
        for mode in ["with edges", "as graded"] {
            assert!(page.contains(&format!("- {mode}: 0 of 0 faults killed, 0 of them within 3 ")));
        }
        assert!(page.contains("| with edges | as graded | original | the report |\n"));
        assert!(page.contains("; no correct variant was tried\n"));
        assert!(page.contains("| NOT REPORTED: held lock; idle calls: many |"));
        assert!(page.contains("| V1 | Nothing. | FALSE ALARM, 2: L1, 3A initial election | not"));
        assert!(page.contains("no \\| leader"));
    }

    #[test]
    fn each_fault_that_survives_a_column_is_listed_with_its_argument() {
        let survivors = |rows: &[Row]| {
            let page = page(&Matrix { rows: rows.to_vec() });
            page.split_once("right.\n\n").unwrap().1.to_owned()
        };
        let killed = row("A1", Kind::Fault, Some("liveness"));
        let correct = row("V1", Kind::Variant, None);
        assert_eq!(survivors(&[killed, correct]), "None of the faults that were tried.\n");

        let mut hidden = row("A2", Kind::Fault, None);
        hidden.put(Mode::Graded, Column::default());
        hidden.mutant.head.survives =
            BTreeMap::from([(Mode::Graded, "a process hides it".to_owned())]);
        assert_eq!(
            survivors(&[hidden]),
            "- A2 with `inspect`: no argument; it must be caught by nothing.\n\
             - A2 as graded: a process hides it.\n"
        );
    }
}
