//! The kill matrix: a row for each mutant, a column for each mode, kept in `matrix.json`.

use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::column::{Column, Kill, SuiteOnly};
use crate::head::{Head, Kind};
use crate::mode::Mode;
use crate::mutant::Mutant;

const VERSION: u32 = 1;

/// All rows, in the order of the catalogue.
pub(crate) struct Matrix {
    pub(crate) rows: Vec<Row>,
}

/// A mutant and its results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mutant: Mutant,
    pub(crate) columns: Vec<(Mode, Column)>,
    /// Whether it survives the original suite; `None` if that was not tried.
    pub(crate) suite_only: Option<SuiteOnly>,
}

/// The file. The fields of the column with `inspect` are fields of the row; other columns have
/// names.
#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    bugs: Vec<SavedRow>,
}

#[derive(Serialize, Deserialize)]
struct SavedRow {
    id: String,
    kind: Kind,
    name: String,
    breaks: String,
    caught_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(flatten)]
    inspect: Option<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    black_box: Option<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edges: Option<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graded: Option<Column>,
    #[serde(default, rename = "plain", skip_serializing_if = "Option::is_none")]
    suite_only: Option<SuiteOnly>,
}

impl Row {
    /// The row of a mutant that was not tried.
    pub(crate) fn of(mutant: &Mutant) -> Row {
        Row { mutant: mutant.clone(), columns: Vec::new(), suite_only: None }
    }

    pub(crate) fn column(&self, mode: Mode) -> Option<&Column> {
        self.columns.iter().find(|(of, _)| *of == mode).map(|(_, column)| column)
    }

    /// The run that killed in this mode.
    pub(crate) fn kill(&self, mode: Mode) -> Option<&Kill> {
        self.column(mode)?.killed_by.as_ref()
    }

    /// Whether the suite killed a correct mutant, or called a safe one unsafe.
    pub(crate) fn is_false_alarm(&self, mode: Mode) -> bool {
        self.kill(mode).is_some_and(|kill| match self.mutant.head.kind {
            Kind::Fault => false,
            Kind::Quality => kill.class == "safety",
            Kind::Equivalent | Kind::Variant => true,
        })
    }

    /// Replaces a column.
    pub(crate) fn put(&mut self, mode: Mode, column: Column) {
        self.columns.retain(|(of, _)| *of != mode);
        self.columns.push((mode, column));
        self.columns.sort_unstable_by_key(|(mode, _)| *mode);
    }

    /// Whether the column has a result for the sources of `digest` and for this many seeds.
    pub(crate) fn is_known(&self, mode: Mode, digest: &str, seeds: u64) -> bool {
        match mode {
            Mode::SuiteOnly => {
                self.suite_only.as_ref().is_some_and(|column| column.is_known(digest, seeds))
            }
            _ => self.column(mode).is_some_and(|column| column.is_known(digest, seeds)),
        }
    }

    /// Whether the original suite always finds the mutant, though it finds the bug only by luck or
    /// never.
    pub(crate) fn is_gross(&self) -> bool {
        let is_killed =
            self.suite_only.as_ref().is_some_and(|column| column.survived_seed.is_none());
        is_killed && self.mutant.head.must_be_subtle() && self.mutant.head.sharper.is_none()
    }

    fn to_saved(&self) -> SavedRow {
        let Mutant { head: Head { id, kind, breaks, caught_by, why, .. }, name, .. } =
            self.mutant.clone();
        let column = |mode| self.column(mode).cloned();
        SavedRow {
            id,
            kind,
            name,
            breaks,
            caught_by,
            why,
            inspect: column(Mode::Inspect),
            black_box: column(Mode::BlackBox),
            edges: column(Mode::Edges),
            graded: column(Mode::Graded),
            suite_only: self.suite_only.clone(),
        }
    }
}

impl Matrix {
    /// The matrix in `folder`, with exactly one row for each of the mutants, tried or not.
    pub(crate) fn read(folder: &Path, mutants: &[Mutant]) -> Result<Matrix> {
        let file = folder.join("matrix.json");
        let mut saved = match fs::read(&file) {
            Ok(bytes) => {
                serde_json::from_slice::<Saved>(&bytes)
                    .with_context(|| format!("failed to read {}; remove it", file.display()))?
                    .bugs
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).context("failed to read the matrix"),
        };
        let mut matrix = Matrix { rows: mutants.iter().map(Row::of).collect() };
        for row in &mut matrix.rows {
            if let Some(at) = saved.iter().position(|saved| saved.id == row.mutant.id()) {
                let SavedRow { inspect, black_box, edges, graded, suite_only, .. } =
                    saved.swap_remove(at);
                row.suite_only = suite_only;
                let columns = Mode::KILLING.into_iter().zip([inspect, black_box, edges, graded]);
                row.columns = columns.filter_map(|(mode, of)| Some((mode, of?))).collect();
            }
        }
        Ok(matrix)
    }

    /// The row of one of the mutants for which the matrix was read.
    pub(crate) fn row(&mut self, mutant: &Mutant) -> &mut Row {
        let mut rows = self.rows.iter_mut();
        rows.find(|row| row.mutant.id() == mutant.id()).expect("every mutant has a row")
    }

    /// Writes `matrix.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let bugs = self.rows.iter().map(Row::to_saved).collect();
        let json = serde_json::to_string_pretty(&Saved { version: VERSION, bugs })?;
        fs::write(folder.join("matrix.json"), json + "\n").context("failed to write the matrix")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::head::Original;

    pub(crate) fn row(id: &str, kind: Kind, class: Option<&str>) -> Row {
        let kill = |class: &str| Kill {
            test: "3A initial election".into(),
            class: class.into(),
            rule: Some("L1".into()),
            sentence: "no | leader".into(),
            seed: 2,
        };
        let killed_by = class.map(kill);
        let seeds_needed = killed_by.as_ref().map(|kill| kill.seed);
        let column = Column { killed_by, seeds_needed, seeds_run: 5, ..Column::default() };
        let reference = Mutant::reference();
        let head = Head { id: id.into(), kind, ..reference.head };
        let mutant = Mutant { head, ..reference };
        Row { mutant, columns: vec![(Mode::Inspect, column)], suite_only: None }
    }

    #[test]
    fn a_correct_raft_must_not_be_killed_nor_a_safe_one_called_unsafe() {
        let is_false_alarm = |kind, class| row("X1", kind, class).is_false_alarm(Mode::Inspect);
        assert!(is_false_alarm(Kind::Variant, Some("liveness")));
        assert!(is_false_alarm(Kind::Equivalent, Some("contract")));
        assert!(is_false_alarm(Kind::Quality, Some("safety")));
        assert!(!is_false_alarm(Kind::Quality, Some("contract")));
        assert!(!is_false_alarm(Kind::Fault, Some("safety")));
        assert!(!is_false_alarm(Kind::Variant, None));
    }

    #[test]
    fn a_written_matrix_reads_the_same_and_a_new_column_leaves_the_others_alone() {
        let folder = tempfile::tempdir().unwrap();
        let rows = vec![row("A1", Kind::Fault, Some("liveness")), row("A2", Kind::Fault, None)];
        let mutants: Vec<Mutant> = rows.iter().map(|row| row.mutant.clone()).collect();
        Matrix { rows: rows.clone() }.write(folder.path()).unwrap();
        let mut matrix = Matrix::read(folder.path(), &mutants).unwrap();
        assert_eq!(matrix.rows, rows);

        let row = matrix.row(&rows[0].mutant);
        row.put(Mode::BlackBox, Column { seeds_run: 7, ..Column::default() });
        row.put(Mode::Graded, Column { seeds_run: 9, ..Column::default() });
        matrix.write(folder.path()).unwrap();
        let mut matrix = Matrix::read(folder.path(), &mutants).unwrap();
        let row = matrix.row(&rows[0].mutant);
        let seeds_run = |mode| row.column(mode).map(|column| column.seeds_run);
        let modes = [Mode::BlackBox, Mode::Graded, Mode::Edges];
        assert_eq!(modes.map(seeds_run), [Some(7), Some(9), None]);
        assert_eq!(row.column(Mode::Inspect), rows[0].column(Mode::Inspect));
    }

    #[test]
    fn a_column_is_known_for_the_same_sources_and_at_most_its_seeds() {
        let column = Column { seeds_run: 20, digest: "1".into(), ..Column::default() };
        let mut row = row("A1", Kind::Fault, None);
        row.put(Mode::Edges, column);
        assert!(row.is_known(Mode::Edges, "1", 20));
        assert!(!row.is_known(Mode::Edges, "1", 21));
        assert!(!row.is_known(Mode::Edges, "2", 20));
        assert!(!row.is_known(Mode::BlackBox, "1", 20));
        assert!(!row.is_known(Mode::SuiteOnly, "1", 20));
    }

    #[test]
    fn a_mutant_is_gross_if_the_original_suite_always_finds_it_though_the_bug_takes_luck() {
        let is_gross = |original, survived_seed| {
            let mut row = row("A1", Kind::Fault, None);
            row.mutant.head.original = Some(original);
            row.suite_only = Some(SuiteOnly { survived_seed, ..SuiteOnly::default() });
            row.is_gross()
        };
        assert!(is_gross(Original::ByLuck, None));
        assert!(!is_gross(Original::Never, Some(20)));
        assert!(!is_gross(Original::Reliably, None));
    }
}
