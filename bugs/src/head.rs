//! The head of a patch: what the patch is, in lines of `key: text`.
//!
//! A text continues in indented lines. The head ends at the first empty line; the diff follows.
//! The keys:
//! - `id`, `kind`, `breaks` and `caught-by` are always there.
//! - `why`: why no change can be observed. Only an equivalent mutant has it.
//! - `original`: how 6.824's own suite catches the bug: `reliably`, `by luck` or `never`. Only a
//!   variant may leave it out.
//! - `sharper`: why this kit's form of that suite always finds the bug, though the original does
//!   not.
//! - `survives`: `COLUMN: argument`, which says why the fault survives that column although the
//!   suite is right. A column is `inspect`, `black-box`, `edges` or `graded`. The key may come more
//!   than once, with a different column each time. Only a fault may have it.
//! - `finding`: the name of the finding that the suite must report. Only a quality mutant may have
//!   it.
//! - `except`: the tests whose limits a variant exceeds, separated by commas.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ::tests::LABS;
use config::FindingKind;
use serde::{Deserialize, Serialize};

use crate::mode::Mode;

/// The key that may come more than once.
const SURVIVES: &str = "survives";

/// The kind of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A real bug: the suite must kill it.
    Fault,
    /// Correct, but slow or wasteful: a finding, never unsafe.
    Quality,
    /// In this reference no change can be observed.
    Equivalent,
    /// A correct Raft that differs from the reference: it must pass.
    #[serde(rename = "legal")]
    Variant,
}

/// How 6.824's own suite catches a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Original {
    /// In every run, or nearly every run.
    Reliably,
    /// In some runs.
    ByLuck,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The row in the catalogue, such as `A1`, or the name of a variant.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// One sentence: what is wrong with a mutant, or how a variant differs.
    pub(crate) breaks: String,
    /// Which rule or check must catch it, and in which situation.
    pub(crate) caught_by: String,
    pub(crate) why: Option<String>,
    pub(crate) original: Option<Original>,
    pub(crate) sharper: Option<String>,
    pub(crate) survives: BTreeMap<Mode, String>,
    pub(crate) finding: Option<FindingKind>,
    pub(crate) except: Vec<String>,
}

impl Head {
    /// Reads the head of a patch file.
    ///
    /// # Errors
    /// What is wrong, in words that follow "the head of a patch".
    pub(crate) fn parse(text: &str) -> Result<Head, String> {
        let mut fields = fields(text)?;
        let survives = survives(fields.remove(SURVIVES).unwrap_or_default())?;
        let mut take = |key: &str| {
            let value = fields.remove(key).and_then(|mut values| values.pop());
            value.filter(|value| !value.is_empty()).ok_or_else(|| format!("has no {key:?}"))
        };
        let (id, kind) = (take("id")?, take("kind")?.parse()?);
        let (breaks, caught_by) = (take("breaks")?, take("caught-by")?);
        let why = take("why").ok();
        let original = match take("original") {
            Ok(text) => Some(text.parse()?),
            Err(_) if kind == Kind::Variant => None,
            Err(missing) => return Err(missing),
        };
        let sharper = take("sharper").ok();
        let finding = take("finding").ok().map(|name| finding_kind(&name)).transpose()?;
        let except = take("except").ok().map(|names| tests(&names)).transpose()?;
        let except = except.unwrap_or_default();
        if let Some(key) = fields.keys().next() {
            return Err(format!("has an unknown key, {key:?}"));
        }
        let head =
            Head { id, kind, breaks, caught_by, why, original, sharper, survives, finding, except };
        head.check_keys()?;
        Ok(head)
    }

    /// Whether the original suite finds the bug only by luck or never.
    ///
    /// Such a mutant must sometimes survive this kit's form of that suite. Otherwise it is grosser
    /// than the bug, unless the head says why this kit's form is sharper.
    pub(crate) fn must_be_subtle(&self) -> bool {
        self.original.is_some_and(|original| original != Original::Reliably)
    }

    /// Checks that each key is allowed for this kind of patch.
    fn check_keys(&self) -> Result<(), String> {
        if self.why.is_some() != (self.kind == Kind::Equivalent) {
            return Err("needs a \"why\" if it is equivalent, and no \"why\" otherwise".into());
        }
        if !self.survives.is_empty() && self.kind != Kind::Fault {
            return Err("has a \"survives\", which only faults may have".into());
        }
        if self.sharper.is_some() && !self.must_be_subtle() {
            return Err(
                "has a \"sharper\", although the original suite finds the bug reliably".into()
            );
        }
        if self.finding.is_some() && self.kind != Kind::Quality {
            return Err("has a \"finding\", which only quality mutants may have".into());
        }
        if !self.except.is_empty() && self.kind != Kind::Variant {
            return Err("has an \"except\", which only correct variants may have".into());
        }
        Ok(())
    }
}

/// The keys and texts above the first empty line. Only [`SURVIVES`] may have several texts.
fn fields(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with(' ') {
            let values = fields.get_mut(&last).and_then(|values| values.last_mut());
            let value = values.ok_or("begins with an indented line")?;
            *value = format!("{value} {}", line.trim());
            continue;
        }
        let (key, value) =
            line.split_once(':').ok_or_else(|| format!("has a line without a key, {line:?}"))?;
        let values = fields.entry(key.into()).or_default();
        if !values.is_empty() && key != SURVIVES {
            return Err(format!("has {key:?} twice"));
        }
        values.push(value.trim().into());
        last = key.into();
    }
    Ok(fields)
}

/// The arguments by their columns, from texts of the form `COLUMN: argument`.
fn survives(texts: Vec<String>) -> Result<BTreeMap<Mode, String>, String> {
    let mut arguments = BTreeMap::new();
    for text in texts {
        let (column, argument) = text.split_once(':').unwrap_or((&text, ""));
        let mode: Mode = column.trim().parse()?;
        let argument = argument.trim();
        if argument.is_empty() {
            return Err(format!("has a {SURVIVES:?} without an argument, {text:?}"));
        }
        if arguments.insert(mode, argument.to_owned()).is_some() {
            return Err(format!("has {SURVIVES:?} twice for one column, {column:?}"));
        }
    }
    Ok(arguments)
}

/// Names of tests, separated by commas.
fn tests(names: &str) -> Result<Vec<String>, String> {
    let known = |name: &str| LABS.tests.iter().any(|test| test.name() == name);
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !known(name)) {
        Some(name) => Err(format!("names {name:?}, which is no test")),
        None => Ok(names),
    }
}

fn finding_kind(name: &str) -> Result<FindingKind, String> {
    let known = FindingKind::ALL.into_iter().find(|kind| kind.to_string() == name);
    known.ok_or_else(|| format!("has an unknown finding, {name:?}"))
}

impl Kind {
    /// The name in the head of a patch and on the command line.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Kind::Fault => "fault",
            Kind::Quality => "quality",
            Kind::Equivalent => "equivalent",
            Kind::Variant => "legal",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Kind, String> {
        match text {
            "fault" => Ok(Kind::Fault),
            "quality" => Ok(Kind::Quality),
            "equivalent" => Ok(Kind::Equivalent),
            "legal" => Ok(Kind::Variant),
            _ => Err(format!("has an unknown kind, {text:?}")),
        }
    }
}

impl FromStr for Original {
    type Err = String;

    fn from_str(text: &str) -> Result<Original, String> {
        match text {
            "reliably" => Ok(Original::Reliably),
            "by luck" => Ok(Original::ByLuck),
            "never" => Ok(Original::Never),
            _ => Err(format!("has an unknown value of \"original\", {text:?}")),
        }
    }
}

/// The name for people.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Variant => "variant",
            kind => kind.key(),
        })
    }
}

impl fmt::Display for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Original::Reliably => "reliably",
            Original::ByLuck => "by luck",
            Original::Never => "never",
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const HEAD: &str = "id: A1\nkind: fault\nbreaks: The one\n    and the other.\n\
         caught-by: L1\n\
         original: by luck\n\n";

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(Head::parse(text), Err(expected.into()));
    }

    #[test]
    fn a_text_continues_in_indented_lines() {
        let head = Head::parse(&format!("{HEAD}--- a/raft/src/log.rs\n")).unwrap();
        assert_eq!((&head.id[..], head.kind), ("A1", Kind::Fault));
        assert_eq!(head.breaks, "The one and the other.");
        assert_eq!((&head.caught_by[..], head.why), ("L1", None));
        assert_eq!(head.original, Some(Original::ByLuck));
    }

    #[test]
    fn a_missing_key_is_an_error_that_names_it() {
        check_error("id: A1\nkind: fault\nbreaks: It.\n\n", "has no \"caught-by\"");
        let variant = HEAD.replace("original: by luck\n", "").replace("fault", "legal");
        assert_eq!(Head::parse(&variant).unwrap().original, None);
        check_error(&variant.replace("legal", "fault"), "has no \"original\"");
        check_error("id A1\n\n", "has a line without a key, \"id A1\"");
        check_error(" id: A1\n\n", "begins with an indented line");
        check_error("id: A1\nid: A2\n\n", "has \"id\" twice");
    }

    #[test]
    fn an_unknown_key_or_kind_is_an_error_that_names_it() {
        check_error(&HEAD.replace("fault", "joke"), "has an unknown kind, \"joke\"");
        check_error(&HEAD.replace("id:", "colour: red\nid:"), "has an unknown key, \"colour\"");
    }

    #[test]
    fn some_keys_are_only_for_some_kinds() {
        let finding = |kind, name| {
            HEAD.replace("fault", kind).replace("\n\n", &format!("\nfinding: {name}\n\n"))
        };
        let head = Head::parse(&finding("quality", "held lock")).unwrap();
        assert_eq!(head.finding, Some(FindingKind::HeldLock));
        check_error(&finding("quality", "no lock"), "has an unknown finding, \"no lock\"");
        check_error(
            &finding("fault", "held lock"),
            "has a \"finding\", which only quality mutants may have",
        );
        check_error(
            &HEAD.replace("fault", "equivalent"),
            "needs a \"why\" if it is equivalent, and no \"why\" otherwise",
        );
    }

    #[test]
    fn a_survivor_has_one_argument_for_each_column() {
        let survives = |lines: &str| HEAD.replace("\n\n", &format!("\n{lines}\n\n"));
        let graded = "survives: graded: a process\n    hides it: always";
        let two = survives(&format!("{graded}\nsurvives: black-box: nothing shows it"));
        assert_eq!(
            Head::parse(&two).unwrap().survives,
            BTreeMap::from([
                (Mode::BlackBox, "nothing shows it".into()),
                (Mode::Graded, "a process hides it: always".into()),
            ])
        );
        check_error(
            &two.replace("fault", "quality"),
            "has a \"survives\", which only faults may have",
        );
        check_error(
            &survives(&format!("{graded}\n{graded}")),
            "has \"survives\" twice for one column, \"graded\"",
        );
        check_error(
            &survives("survives: edges:"),
            "has a \"survives\" without an argument, \"edges:\"",
        );
        check_error(
            &survives("survives: a process hides it"),
            "has an unknown column, \"a process hides it\"; use inspect, black-box, edges or \
             graded",
        );
    }
}
