//! The head of a patch: what the patch is, in lines of `key: text`.
//!
//! A text continues in indented lines. The head ends at the first empty line; the diff follows.
//! The keys:
//! - `id`, `kind`, `breaks` and `caught-by` are always there.
//! - `why`: why nothing changes that can be observed. Only an equivalent mutant has it.
//! - `original`: how 6.824's own suite catches the bug. Only a variant may leave it out.
//! - `sharper`: why this kit's form of that suite always finds the bug, though the original does
//!   not.
//! - `survives`: why the suite cannot find the fault in some column. Only a fault may have it.
//! - `finding`: what the suite must report. Only a quality mutant may have it.
//! - `except`: the tests whose limits a variant does not keep, between commas.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ::tests::LABS;
use config::FindingKind;
use serde::{Deserialize, Serialize};

/// What a patch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A real bug: the suite must kill it.
    Fault,
    /// Correct, but slow or wasteful: a finding, never unsafe.
    Quality,
    /// On this reference it changes nothing that can be observed.
    Equivalent,
    /// A correct Raft that differs from the reference: it must pass.
    #[serde(rename = "legal")]
    Variant,
}

/// How the suite of 6.824 catches a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Original {
    /// In every run, or nearly.
    Reliably,
    /// In some runs.
    ByLuck,
    Never,
}

/// The head of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The row of the catalogue, such as `A1`, or the name of a variant.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// One sentence: what is wrong with a mutant, or how a variant differs.
    pub(crate) breaks: String,
    /// Which rule or check must catch it, and what that takes.
    pub(crate) caught_by: String,
    pub(crate) why: Option<String>,
    pub(crate) original: Option<Original>,
    pub(crate) sharper: Option<String>,
    pub(crate) survives: Option<String>,
    pub(crate) finding: Option<FindingKind>,
    pub(crate) except: Vec<String>,
}

impl Head {
    /// Reads the head of a patch file.
    ///
    /// # Errors
    /// What is wrong, as words that follow "the head of a patch".
    pub(crate) fn parse(text: &str) -> Result<Head, String> {
        let mut fields = fields(text)?;
        let mut take = |key: &str| {
            let value = fields.remove(key).filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("has no {key:?}"))
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
        let survives = take("survives").ok();
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

    /// Whether the original suite misses the bug or finds it by luck only.
    ///
    /// Such a mutant must sometimes survive this kit's form of that suite. Otherwise it is grosser
    /// than the bug, unless the head says why that form is sharper.
    pub(crate) fn must_be_subtle(&self) -> bool {
        self.original.is_some_and(|original| original != Original::Reliably)
    }

    /// Checks that only the kinds that may have a key have it.
    fn check_keys(&self) -> Result<(), String> {
        if self.why.is_some() != (self.kind == Kind::Equivalent) {
            return Err("needs a \"why\" if it is equivalent, and must have none otherwise".into());
        }
        if self.survives.is_some() && self.kind != Kind::Fault {
            return Err("has a \"survives\", which only faults may have".into());
        }
        if self.sharper.is_some() && !self.must_be_subtle() {
            return Err("has a \"sharper\", though the original suite is as sharp".into());
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

/// The keys and texts above the first empty line.
fn fields(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with(' ') {
            let value = fields.get_mut(&last).ok_or("begins with an indented line")?;
            *value = format!("{value} {}", line.trim());
            continue;
        }
        let (key, value) =
            line.split_once(':').ok_or_else(|| format!("has a line without a key, {line:?}"))?;
        if fields.insert(key.into(), value.trim().into()).is_some() {
            return Err(format!("has {key:?} twice"));
        }
        last = key.into();
    }
    Ok(fields)
}

/// Tests by their names, between commas.
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

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Fault => "fault",
            Kind::Quality => "quality",
            Kind::Equivalent => "equivalent",
            Kind::Variant => "legal",
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
    fn some_keys_are_for_some_kinds_only() {
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
        let survives = HEAD.replace("\n\n", "\nsurvives: a process hides it\n\n");
        let head = Head::parse(&survives).unwrap();
        assert_eq!(head.survives.as_deref(), Some("a process hides it"));
        check_error(
            &survives.replace("fault", "quality"),
            "has a \"survives\", which only faults may have",
        );
        check_error(
            &HEAD.replace("fault", "equivalent"),
            "needs a \"why\" if it is equivalent, and must have none otherwise",
        );
    }
}
