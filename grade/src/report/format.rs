//! The output formats: what `--format` can be, and the reporter that writes it to stdout.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::report::reporter::{Conditions, Reporter};
use crate::report::{json, text};

/// All formats. To add one, write a reporter in a file of its own, and add a line here.
const FORMATS: &[Format] = &[
    Format { name: "text", help: "Tables and failures for people", reporter: text::to_stdout },
    Format { name: "json", help: "report.json", reporter: json::to_stdout },
];

/// One output format.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    name: &'static str,
    help: &'static str,
    /// Makes the reporter.
    pub(crate) reporter: for<'a> fn(Conditions<'a>) -> Box<dyn Reporter + 'a>,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        FORMATS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).help(self.help))
    }
}
