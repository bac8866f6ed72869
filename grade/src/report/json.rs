//! `report.json`: the results of a grading, in a versioned format.
//!
//! `report.schema.json` in this crate's folder is made from these types. The same submissions,
//! seeds and kit give the same report to the byte: it contains no wall time.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use runner::{Clock, plain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::exit::UserError;
use crate::isolation::Isolation;
use crate::report::graded::{Attempt, Graded};
use crate::report::reporter::{Conditions, Reporter};
use crate::run::confine;
use crate::run::store::Store;

/// The version of the report. It changes if a reader of older reports could misunderstand new ones.
const SCHEMA: u32 = 1;

/// The results of one grading.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// The version of this format: 1.
    pub(crate) schema: u32,
    /// The kit's version, `+`, and a hash of its sources.
    pub(crate) kit: String,
    /// The output of `rustc --version`.
    pub(crate) rustc: String,
    /// The engine that ran the submissions: `fiber` or `kernel` in virtual time, or `real`.
    pub(crate) engine: String,
    /// Where the servers of a submission ran: each in its own process (`apart`), or all in one
    /// process (`together`).
    pub(crate) peers: Isolation,
    /// The salt of the servers' random numbers; see `--salt`.
    #[serde(default)]
    pub(crate) salt: String,
    /// The seeds of every test.
    pub(crate) seeds: Seeds,
    /// The layers of the sandbox that were in force; null if all servers ran in one process,
    /// because then there is no sandbox.
    pub(crate) sandbox: Option<Vec<String>>,
    /// The submissions, in the order of the command line.
    pub(crate) submissions: Vec<Graded>,
}

/// All seeds from the first to the last, both included.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

type Sink<'a> = Box<dyn Fn(&str) -> Result<()> + 'a>;

/// Collects the submissions, and writes the report at the end.
struct Json<'a> {
    conditions: Conditions<'a>,
    submissions: Vec<Graded>,
    write: Sink<'a>,
}

/// Writes the report to stdout.
pub(crate) fn to_stdout<'a>(conditions: Conditions<'a>) -> Box<dyn Reporter + 'a> {
    let write = |report: &str| Ok(io::stdout().write_all(plain::json(report).as_bytes())?);
    Box::new(Json { conditions, submissions: Vec::new(), write: Box::new(write) })
}

/// Writes the report to the folder of `--out`.
pub(crate) fn to_store<'a>(conditions: Conditions<'a>, store: &'a Store) -> Box<dyn Reporter + 'a> {
    let write = |report: &str| {
        store.save_report(report);
        Ok(())
    };
    Box::new(Json { conditions, submissions: Vec::new(), write: Box::new(write) })
}

impl Reporter for Json<'_> {
    fn graded(&mut self, graded: &Graded, _attempt: &Attempt) {
        self.submissions.push(graded.clone());
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let report = Report::new(&self.conditions, self.submissions);
        (self.write)(&report.to_json())
    }
}

impl Report {
    fn new(conditions: &Conditions<'_>, submissions: Vec<Graded>) -> Report {
        let Conditions { kit, sandbox, plan } = conditions;
        let seeds = &plan.seeds;
        Report {
            schema: SCHEMA,
            kit: kit.version().into(),
            rustc: kit.rustc().into(),
            engine: Clock::default().to_string(),
            peers: plan.isolation,
            salt: plan.salt.clone(),
            seeds: Seeds { first: seeds[0], last: seeds[seeds.len() - 1] },
            sandbox: sandbox.map(|sandbox| confine::names(sandbox.layers())),
            submissions,
        }
    }

    fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has an encoding") + "\n"
    }

    /// Reads the report of a grading. An error says what is wrong and where.
    pub(crate) fn read(path: &Path) -> Result<Report> {
        /// The field that a report of any version has.
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        let shown = path.display();
        let text = fs::read(path)
            .map_err(|error| UserError::usage(format!("{shown} cannot be read: {error}")))?;
        let refuse = |error: serde_json::Error| {
            let at = format!("line {}, column {}", error.line(), error.column());
            let why = match error.classify() {
                Category::Eof => format!("it ends too early, at {at}"),
                Category::Syntax | Category::Io => format!("{at} is not valid JSON"),
                Category::Data => error.to_string(),
            };
            UserError::usage(format!("{shown} is not a report.json of `cargo grade`: {why}"))
        };
        let Versioned { schema } = serde_json::from_slice(&text).map_err(refuse)?;
        if schema != SCHEMA {
            return Err(UserError::usage(format!(
                "{shown} is a report of version {schema}; this kit reads only version {SCHEMA}"
            ))
            .into());
        }
        Ok(serde_json::from_slice(&text).map_err(refuse)?)
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    #[test]
    fn the_published_schema_matches_the_types() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/report.schema.json"));
        let schema = schemars::schema_for!(Report);
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            fs::write(file, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(file).unwrap(), text, "run `just bless` to update it");
    }
}
