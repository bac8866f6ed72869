//! The matrix for people: a line for each plant, and a page in Markdown.

use crate::column::Column;
use crate::matrix::{Matrix, Mode, Row};
use crate::plant::Kind;

/// What became of a plant, as it is told while the program runs.
pub(crate) fn line(row: &Row, mode: Mode) -> String {
    format!("{:<4} {:<10} {}", row.plant.id, word(row.plant.kind), fate(row, mode))
}

/// The counts below the last line.
pub(crate) fn summary(matrix: &Matrix, mode: Mode) -> String {
    let of_kind = |kind: Kind| {
        let tried = matrix.rows.iter().filter(move |row| row.plant.kind == kind);
        tried.filter_map(move |row| row.column(mode)).collect::<Vec<_>>()
    };
    let faults = of_kind(Kind::Fault);
    let killed: Vec<u64> = faults.iter().filter_map(|column| column.seeds_needed).collect();
    let soon = killed.iter().filter(|seeds| **seeds <= 3).count();
    let alarms = matrix.rows.iter().filter(|row| row.is_false_alarm(mode)).count();
    format!(
        "{} of {} faults killed, {soon} of them within 3 seeds; {alarms} false alarms among {} \
         rows that are lawful\n",
        killed.len(),
        faults.len(),
        of_kind(Kind::Quality).len() + of_kind(Kind::Equivalent).len() + of_kind(Kind::Legal).len()
    )
}

/// `matrix.md`.
pub(crate) fn page(matrix: &Matrix) -> String {
    let mut text = String::from(
        "# The kill matrix\n\n\
         Known mistakes, planted into the reference Raft one by one, and what the labs made of \
         them.\n\
         Written by `just bugs`; do not edit.\n\n",
    );
    text += &summary(matrix, Mode::Inspect);
    for (kind, title) in [
        (Kind::Fault, "Faults: the suite must kill them"),
        (Kind::Quality, "Quality: findings, never unsafe"),
        (Kind::Equivalent, "Equivalent: nothing changes that anybody could see"),
        (Kind::Legal, "Legal variants: they must pass"),
    ] {
        text += &format!("\n## {title}\n\n{}", table(matrix, kind));
    }
    text + &survivors(matrix)
}

fn table(matrix: &Matrix, kind: Kind) -> String {
    let mut text = String::from(
        "| id | what it does | with `inspect` | as a black box | with edges | expected |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in matrix.rows.iter().filter(|row| row.plant.kind == kind) {
        let fates = [Mode::Inspect, Mode::BlackBox, Mode::Edges].map(|mode| cell(&fate(row, mode)));
        let expected = row.plant.why.as_ref().unwrap_or(&row.plant.caught_by);
        let (id, breaks) = (&row.plant.id, cell(&row.plant.breaks));
        text += &format!("| {id} | {breaks} | {} | {} |\n", fates.join(" | "), cell(expected));
    }
    text
}

/// The faults that the suite has not found, with who must find them.
fn survivors(matrix: &Matrix) -> String {
    let mut text = String::from("\n## Faults that survive with `inspect`\n\n");
    let mut any = false;
    for row in matrix.rows.iter().filter(|row| row.plant.kind == Kind::Fault) {
        let Some(column) = row.column(Mode::Inspect) else { continue };
        if column.killed_by.is_none() {
            any = true;
            text += &format!("- {}: must be caught by {}.\n", row.plant.id, row.plant.caught_by);
        }
    }
    if any { text } else { text + "None of those that were tried.\n" }
}

/// What became of it, in a phrase.
fn fate(row: &Row, mode: Mode) -> String {
    let Some(column) = row.column(mode) else { return "not tried".into() };
    let unsure = match column.no_verdict.len() {
        0 => String::new(),
        n => format!("; {n} runs without a verdict"),
    };
    let Some(kill) = &column.killed_by else {
        return format!("{} {} seeds{}{unsure}", survival(row), column.seeds_run, findings(column));
    };
    let alarm = if row.is_false_alarm(mode) { "FALSE ALARM, " } else { "" };
    let rule = kill.rule.as_ref().map_or_else(String::new, |rule| format!(" {rule}"));
    let seeds = if kill.seed == 1 { "1 seed".into() } else { format!("{} seeds", kill.seed) };
    format!(
        "{alarm}killed in {seeds} by {}: {}{rule}: {}{unsure}",
        kill.test, kill.class, kill.sentence
    )
}

fn survival(row: &Row) -> &'static str {
    match row.plant.kind {
        Kind::Fault => "SURVIVES",
        Kind::Quality | Kind::Equivalent | Kind::Legal => "passes",
    }
}

fn findings(column: &Column) -> String {
    match &column.findings[..] {
        [] => String::new(),
        [first, ..] => format!(" with findings, such as in {}: {}", first.test, first.sentence),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Fault => "fault",
        Kind::Quality => "quality",
        Kind::Equivalent => "equivalent",
        Kind::Legal => "legal",
    }
}

/// As a table's cell can hold it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::row;

    #[test]
    fn a_line_says_what_became_of_a_plant() {
        assert_eq!(
            line(&row("A1", Kind::Fault, Some("liveness")), Mode::Inspect),
            "A1   fault      killed in 2 seeds by 3A initial election: liveness L1: L1: no | leader"
        );
        assert_eq!(
            line(&row("A2", Kind::Fault, None), Mode::Inspect),
            "A2   fault      SURVIVES 5 seeds"
        );
        assert_eq!(
            line(&row("A3", Kind::Quality, None), Mode::BlackBox),
            "A3   quality    not tried"
        );
    }

    #[test]
    fn the_page_counts_and_names_the_survivors() {
        let rows = vec![
            row("A1", Kind::Fault, Some("liveness")),
            row("A2", Kind::Fault, None),
            row("V1", Kind::Legal, Some("safety")),
        ];
        let page = page(&Matrix { rows });
        assert!(page.contains("1 of 2 faults killed, 1 of them within 3 seeds; 1 false alarms"));
        assert!(page.contains("| V1 | Nothing. | FALSE ALARM, killed in 2 seeds"));
        assert!(page.contains("no \\| leader"));
        assert!(page.ends_with("- A2: must be caught by nothing.\n"));
    }
}
