//! The kill matrix: a row for each plant, a column for each way of running, kept in a file.

use std::path::Path;
use std::{fmt, fs, io};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::column::{Column, Plain};
use crate::page;
use crate::plant::{Kind, Plant};

const VERSION: u32 = 1;

/// How the labs were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// With what `inspect` says.
    Inspect,
    /// Without it.
    BlackBox,
    /// With thread switches at the edges of the plant's own code.
    Edges,
    /// Only the tests of the original, with no watch on the rules of Raft.
    Plain,
}

impl Mode {
    pub(crate) const ALL: [Mode; 4] = [Mode::Inspect, Mode::BlackBox, Mode::Edges, Mode::Plain];
    /// Those in which the suite tries to kill.
    pub(crate) const KILLING: [Mode; 3] = [Mode::Inspect, Mode::BlackBox, Mode::Edges];
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mode::Inspect => "with `inspect`",
            Mode::BlackBox => "as a black box",
            Mode::Edges => "with edges",
            Mode::Plain => "plain",
        })
    }
}

/// All rows, in the order of the catalogue.
pub(crate) struct Matrix {
    pub(crate) rows: Vec<Row>,
}

/// One plant with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) plant: Plant,
    pub(crate) columns: Vec<(Mode, Column)>,
    /// Whether it survives the original suite; none if that was not tried.
    pub(crate) plain: Option<Plain>,
}

/// The file. A row's own columns are those with `inspect`; the others have names.
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
    plain: Option<Plain>,
}

impl Row {
    /// Of a plant that was not tried.
    pub(crate) fn of(plant: &Plant) -> Row {
        Row { plant: plant.clone(), columns: Vec::new(), plain: None }
    }

    pub(crate) fn column(&self, mode: Mode) -> Option<&Column> {
        self.columns.iter().find(|(of, _)| *of == mode).map(|(_, column)| column)
    }

    /// Something lawful was killed, or something safe was called unsafe.
    pub(crate) fn is_false_alarm(&self, mode: Mode) -> bool {
        let kill = self.column(mode).and_then(|column| column.killed_by.as_ref());
        kill.is_some_and(|kill| match self.plant.kind {
            Kind::Fault => false,
            Kind::Quality => kill.class == "safety",
            Kind::Equivalent | Kind::Legal => true,
        })
    }

    /// Puts what was found out in the place of what was known.
    pub(crate) fn put(&mut self, mode: Mode, column: Column) {
        self.columns.retain(|(of, _)| *of != mode);
        self.columns.push((mode, column));
        self.columns.sort_unstable_by_key(|(mode, _)| *mode);
    }

    /// Whether this column is known, with so many seeds, of what has this digest.
    pub(crate) fn is_known(&self, mode: Mode, digest: &str, seeds: u64) -> bool {
        match mode {
            Mode::Plain => self.plain.as_ref().is_some_and(|plain| plain.is_known(digest, seeds)),
            _ => self.column(mode).is_some_and(|column| column.is_known(digest, seeds)),
        }
    }

    /// The original suite always finds the plant, though it finds the bug by luck at best.
    pub(crate) fn is_gross(&self) -> bool {
        let is_killed = self.plain.as_ref().is_some_and(|plain| plain.survived_seed.is_none());
        is_killed && self.plant.must_be_subtle() && self.plant.sharper.is_none()
    }

    fn to_saved(&self) -> SavedRow {
        let Plant { id, kind, breaks, caught_by, why, name, .. } = self.plant.clone();
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
            plain: self.plain.clone(),
        }
    }
}

impl Matrix {
    /// The matrix in `folder`, with a row for each of the plants, tried or not, and no other.
    pub(crate) fn read(folder: &Path, plants: &[Plant]) -> Result<Matrix> {
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
        let mut matrix = Matrix { rows: plants.iter().map(Row::of).collect() };
        for row in &mut matrix.rows {
            if let Some(at) = saved.iter().position(|saved| saved.id == row.plant.id) {
                let SavedRow { inspect, black_box, edges, plain, .. } = saved.swap_remove(at);
                row.plain = plain;
                let columns = Mode::KILLING.into_iter().zip([inspect, black_box, edges]);
                row.columns = columns.filter_map(|(mode, of)| Some((mode, of?))).collect();
            }
        }
        Ok(matrix)
    }

    /// The row of a plant that was there when the matrix was read.
    pub(crate) fn row(&mut self, plant: &Plant) -> &mut Row {
        let mut rows = self.rows.iter_mut();
        rows.find(|row| row.plant.id == plant.id).expect("every plant has a row")
    }

    /// Writes `matrix.json` and `matrix.md`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let bugs = self.rows.iter().map(Row::to_saved).collect();
        let json = serde_json::to_string_pretty(&Saved { version: VERSION, bugs })?;
        fs::write(folder.join("matrix.json"), json + "\n")
            .and_then(|()| fs::write(folder.join("matrix.md"), page::page(self)))
            .context("failed to write the matrix")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::column::Kill;
    use crate::plant::Original;

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
        let plant = Plant { id: id.into(), kind, ..Plant::reference() };
        Row { plant, columns: vec![(Mode::Inspect, column)], plain: None }
    }

    #[test]
    fn what_is_lawful_must_not_be_killed_and_what_is_safe_not_as_unsafe() {
        let is_false_alarm = |kind, class| row("X1", kind, class).is_false_alarm(Mode::Inspect);
        assert!(is_false_alarm(Kind::Legal, Some("liveness")));
        assert!(is_false_alarm(Kind::Equivalent, Some("contract")));
        assert!(is_false_alarm(Kind::Quality, Some("safety")));
        assert!(!is_false_alarm(Kind::Quality, Some("contract")));
        assert!(!is_false_alarm(Kind::Fault, Some("safety")));
        assert!(!is_false_alarm(Kind::Legal, None));
    }

    #[test]
    fn a_matrix_that_was_written_is_read_again_and_a_new_column_leaves_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let rows = vec![row("A1", Kind::Fault, Some("liveness")), row("A2", Kind::Fault, None)];
        let plants: Vec<Plant> = rows.iter().map(|row| row.plant.clone()).collect();
        Matrix { rows: rows.clone() }.write(folder.path()).unwrap();
        let mut matrix = Matrix::read(folder.path(), &plants).unwrap();
        assert_eq!(matrix.rows, rows);

        let row = matrix.row(&rows[0].plant);
        row.put(Mode::BlackBox, Column { seeds_run: 7, ..Column::default() });
        assert_eq!(row.column(Mode::BlackBox).unwrap().seeds_run, 7);
        assert_eq!(row.column(Mode::Inspect), rows[0].column(Mode::Inspect));
    }

    #[test]
    fn what_is_known_holds_for_the_same_sources_and_as_many_seeds() {
        let column = Column { seeds_run: 20, digest: "1".into(), ..Column::default() };
        let mut row = row("A1", Kind::Fault, None);
        row.put(Mode::Edges, column);
        assert!(row.is_known(Mode::Edges, "1", 20));
        assert!(!row.is_known(Mode::Edges, "1", 21));
        assert!(!row.is_known(Mode::Edges, "2", 20));
        assert!(!row.is_known(Mode::BlackBox, "1", 20));
        assert!(!row.is_known(Mode::Plain, "1", 20));
    }

    #[test]
    fn a_plant_is_gross_if_the_original_always_finds_it_though_the_bug_takes_luck() {
        let is_gross = |original, survived_seed| {
            let mut row = row("A1", Kind::Fault, None);
            row.plant.original = Some(original);
            row.plain = Some(Plain { survived_seed, ..Plain::default() });
            row.is_gross()
        };
        assert!(is_gross(Original::ByLuck, None));
        assert!(!is_gross(Original::Never, Some(20)));
        assert!(!is_gross(Original::Reliably, None));
    }
}
