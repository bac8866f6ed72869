//! A plant: one mistake, or one lawful variant, as a patch with a head that says what it is.
//!
//! The head is lines of `key: text`, each of which goes on in indented lines, up to the first empty
//! line; the diff follows. The keys are `id`, `kind`, `breaks` and `caught-by`; `why` where a plant
//! claims to change nothing that anybody could see; except for lawful variants `original`: how
//! 6.824's own suite catches the mistake; `sharper` where this kit's form of that suite always
//! does, and why; `finding` where the suite must note a bad habit; and `except` for the tests whose
//! limits do not allow a variant that is lawful elsewhere.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ::tests::LABS;
use anyhow::{Context, Result};
use config::Habit;
use serde::{Deserialize, Serialize};

use crate::exit::Refusal;

/// The folders of a crate that hold patches.
const FOLDERS: [&str; 2] = ["patches", "legal"];
/// So many plants may claim to change nothing.
const EQUIVALENT_MAX: usize = 8;

/// What a plant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A real fault: the suite must kill it.
    Fault,
    /// Lawful, but slow or wasteful: a finding, never unsafe.
    Quality,
    /// In this reference nothing changes that anybody could see.
    Equivalent,
    /// A lawful variant: it must pass.
    Legal,
}

/// How the suite of 6.824 catches a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Original {
    /// In every run, or nearly.
    Reliably,
    /// In some runs.
    ByLuck,
    Never,
}

/// One patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plant {
    /// The row of the catalogue, such as `A1`, or the name of a legal variant.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// What is wrong with it, in a sentence; of a legal variant, what it does otherwise.
    pub(crate) breaks: String,
    /// Which rule or check must catch it, and what it takes.
    pub(crate) caught_by: String,
    /// Why it changes nothing, if it claims that.
    pub(crate) why: Option<String>,
    /// What the original suite makes of it; none of a lawful variant.
    pub(crate) original: Option<Original>,
    /// Why this kit's form of the original suite always finds it, though the original does not.
    pub(crate) sharper: Option<String>,
    /// The habit that the suite must note, if it is one that shows.
    pub(crate) finding: Option<Habit>,
    /// The tests, by name, that set limits which a lawful variant need not keep.
    pub(crate) except: Vec<String>,
    /// The file's name without its ending; it sorts in the order of the catalogue.
    pub(crate) name: String,
    /// None for the reference itself.
    pub(crate) file: Option<PathBuf>,
}

impl Plant {
    /// Every patch of the crate in `folder`, in order.
    pub(crate) fn all(folder: &Path) -> Result<Vec<Plant>> {
        let mut plants = Vec::new();
        for name in FOLDERS {
            let folder = folder.join(name);
            let files = fs::read_dir(&folder)
                .with_context(|| format!("failed to list {}", folder.display()))?;
            let mut files: Vec<PathBuf> =
                files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
            files.retain(|file| file.extension() == Some(OsStr::new("patch")));
            files.sort();
            for file in files {
                plants.push(Plant::read(&file)?);
            }
        }
        refuse_twins(&plants)?;
        Ok(plants)
    }

    /// The reference without any patch.
    pub(crate) fn reference() -> Plant {
        Plant {
            id: "reference".into(),
            kind: Kind::Legal,
            breaks: "Nothing.".into(),
            caught_by: "nothing".into(),
            why: None,
            original: None,
            sharper: None,
            finding: None,
            except: Vec::new(),
            name: "reference".into(),
            file: None,
        }
    }

    /// Whether the original suite misses the mistake or finds it by luck only. Then the plant must
    /// survive this kit's form of that suite now and then, or it is grosser than what it stands
    /// for; except where that form is sharper than the original, and the head says how.
    pub(crate) fn must_be_subtle(&self) -> bool {
        self.original.is_some_and(|original| original != Original::Reliably)
    }

    fn read(file: &Path) -> Result<Plant> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("failed to read {}", file.display()))?;
        let name = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let plant = Plant::parse(name, &text)
            .map_err(|why| Refusal::patch(format!("the head of {name}.patch {why}")))?;
        Ok(Plant { file: Some(file.into()), ..plant })
    }

    fn parse(name: &str, text: &str) -> Result<Plant, String> {
        let mut head = head(text)?;
        let mut take = |key: &str| {
            let value = head.remove(key).filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("has no {key:?}"))
        };
        let (id, kind) = (take("id")?, take("kind")?.parse()?);
        let (breaks, caught_by) = (take("breaks")?, take("caught-by")?);
        let why = take("why").ok();
        let original = match take("original") {
            Ok(text) => Some(text.parse()?),
            Err(_) if kind == Kind::Legal => None,
            Err(lack) => return Err(lack),
        };
        let sharper = take("sharper").ok();
        let finding = take("finding").ok().map(|name| habit(&name)).transpose()?;
        let except = take("except").ok().map(|names| tests(&names)).transpose()?;
        let except = except.unwrap_or_default();
        if let Some(key) = head.keys().next() {
            return Err(format!("has a key that nobody knows, {key:?}"));
        }
        if why.is_some() != (kind == Kind::Equivalent) {
            return Err("has to have a \"why\" if, and only if, it claims to be equivalent".into());
        }
        if sharper.is_some() && matches!(original, None | Some(Original::Reliably)) {
            return Err("has a \"sharper\", though the original suite is as sharp".into());
        }
        if finding.is_some() && kind != Kind::Quality {
            return Err("has a \"finding\", which is for quality alone".into());
        }
        if !except.is_empty() && kind != Kind::Legal {
            return Err("has an \"except\", which is for lawful variants alone".into());
        }
        if !name.starts_with(&prefix(&id)) {
            return Err(format!("says {id}, so its file's name has to begin with {}", prefix(&id)));
        }
        let (name, file) = (name.into(), None);
        Ok(Plant {
            id,
            kind,
            breaks,
            caught_by,
            why,
            original,
            sharper,
            finding,
            except,
            name,
            file,
        })
    }
}

/// Tests by their names, between commas.
fn tests(names: &str) -> Result<Vec<String>, String> {
    let known = |name: &str| LABS.iter().any(|test| test.name() == name);
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !known(name)) {
        Some(name) => Err(format!("names {name:?}, which is no test")),
        None => Ok(names),
    }
}

/// The plants with these ids, in order; all if there are none.
pub(crate) fn choose<'a>(plants: &'a [Plant], ids: &[String]) -> Result<Vec<&'a Plant>, Refusal> {
    for id in ids {
        if !plants.iter().any(|plant| is_meant(plant, id)) {
            let sentence = format!("there is no plant {id:?}; see bugs/patches and bugs/legal");
            return Err(Refusal::usage(sentence));
        }
    }
    let is_chosen = |plant: &&Plant| ids.is_empty() || ids.iter().any(|id| is_meant(plant, id));
    Ok(plants.iter().filter(is_chosen).collect())
}

/// `A1`, `a01` and the whole name all mean the same plant; `legal` means all of that kind.
fn is_meant(plant: &Plant, id: &str) -> bool {
    id.eq_ignore_ascii_case(&plant.kind.to_string())
        || id.eq_ignore_ascii_case(&plant.id)
        || id.eq_ignore_ascii_case(&prefix(&plant.id))
        || id.eq_ignore_ascii_case(&plant.name)
}

/// `A01` for `A1`, so that files sort as the rows do.
fn prefix(id: &str) -> String {
    match (id.get(..1), id.get(1..).map(str::parse::<u32>)) {
        (Some(letter), Some(Ok(number))) => format!("{letter}{number:02}"),
        _ => id.into(),
    }
}

fn habit(name: &str) -> Result<Habit, String> {
    let known = Habit::ALL.into_iter().find(|habit| habit.to_string() == name);
    known.ok_or_else(|| format!("has a finding that nobody knows, {name:?}"))
}

fn refuse_twins(plants: &[Plant]) -> Result<(), Refusal> {
    let mut names = BTreeMap::new();
    for plant in plants {
        if let Some(other) = names.insert(&plant.id, &plant.name) {
            let sentence = format!("{other}.patch and {}.patch have the same id", plant.name);
            return Err(Refusal::patch(sentence));
        }
    }
    let equivalent = plants.iter().filter(|plant| plant.kind == Kind::Equivalent).count();
    if equivalent > EQUIVALENT_MAX {
        let sentence = format!("{equivalent} plants claim to change nothing, not {EQUIVALENT_MAX}");
        return Err(Refusal::patch(sentence));
    }
    Ok(())
}

/// The keys and texts above the first empty line.
fn head(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut head: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with(' ') {
            let value = head.get_mut(&last).ok_or("begins with an indented line")?;
            *value = format!("{value} {}", line.trim());
            continue;
        }
        let (key, value) =
            line.split_once(':').ok_or_else(|| format!("has a line without a key, {line:?}"))?;
        if head.insert(key.into(), value.trim().into()).is_some() {
            return Err(format!("has {key:?} twice"));
        }
        last = key.into();
    }
    Ok(head)
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Kind, String> {
        match text {
            "fault" => Ok(Kind::Fault),
            "quality" => Ok(Kind::Quality),
            "equivalent" => Ok(Kind::Equivalent),
            "legal" => Ok(Kind::Legal),
            _ => Err(format!("has a kind that nobody knows, {text:?}")),
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
            _ => Err(format!("says of the original what nobody understands, {text:?}")),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Fault => "fault",
            Kind::Quality => "quality",
            Kind::Equivalent => "equivalent",
            Kind::Legal => "legal",
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
mod tests {
    use super::*;

    const HEAD: &str = "id: A1\nkind: fault\nbreaks: The one\n    and the other.\ncaught-by: L1\n\
         original: by luck\n\n";

    #[track_caller]
    fn check_refused(name: &str, text: &str, expected: &str) {
        assert_eq!(Plant::parse(name, text), Err(expected.into()));
    }

    #[test]
    fn a_head_is_keys_with_texts_that_may_go_on_in_the_next_line() {
        let plant = Plant::parse("A01-some", &format!("{HEAD}--- a/raft/src/log.rs\n")).unwrap();
        assert_eq!((&plant.id[..], plant.kind), ("A1", Kind::Fault));
        assert_eq!(plant.breaks, "The one and the other.");
        assert_eq!((&plant.caught_by[..], plant.why), ("L1", None));
        assert_eq!(plant.original, Some(Original::ByLuck));
    }

    #[test]
    fn a_head_that_lacks_something_is_refused_by_name() {
        check_refused("A01-some", "id: A1\nkind: fault\nbreaks: It.\n\n", "has no \"caught-by\"");
        let lawful = HEAD.replace("original: by luck\n", "").replace("fault", "legal");
        assert_eq!(Plant::parse("A01-some", &lawful).unwrap().original, None);
        check_refused("A01-some", &lawful.replace("legal", "fault"), "has no \"original\"");
        let finding = |kind, name| {
            HEAD.replace("fault", kind).replace("\n\n", &format!("\nfinding: {name}\n\n"))
        };
        let plant = Plant::parse("A01-some", &finding("quality", "held lock")).unwrap();
        assert_eq!(plant.finding, Some(Habit::HeldLock));
        let refusal = "has a finding that nobody knows, \"no lock\"";
        check_refused("A01-some", &finding("quality", "no lock"), refusal);
        let refusal = "has a \"finding\", which is for quality alone";
        check_refused("A01-some", &finding("fault", "held lock"), refusal);
        check_refused("A01-some", "id A1\n\n", "has a line without a key, \"id A1\"");
        check_refused("A01-some", " id: A1\n\n", "begins with an indented line");
        check_refused("A01-some", "id: A1\nid: A2\n\n", "has \"id\" twice");
        check_refused(
            "A01-some",
            &HEAD.replace("fault", "joke"),
            "has a kind that nobody knows, \"joke\"",
        );
        check_refused(
            "A01-some",
            &HEAD.replace("id:", "colour: red\nid:"),
            "has a key that nobody knows, \"colour\"",
        );
        check_refused(
            "A01-some",
            &HEAD.replace("fault", "equivalent"),
            "has to have a \"why\" if, and only if, it claims to be equivalent",
        );
        check_refused("A1-some", HEAD, "says A1, so its file's name has to begin with A01");
    }

    #[test]
    fn a_plant_is_meant_by_its_row_with_or_without_zeros_by_its_name_and_by_its_kind() {
        let plants = [Plant::parse("A01-some", HEAD).unwrap(), Plant::reference()];
        for id in ["A1", "a1", "a01", "A01-some", "fault"] {
            assert_eq!(choose(&plants, &[id.into()]).unwrap(), [&plants[0]]);
        }
        assert_eq!(choose(&plants, &[]).unwrap().len(), 2);
        let refusal = choose(&plants, &["Z9".into()]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "there is no plant \"Z9\"; see bugs/patches and bugs/legal"
        );
    }

    #[test]
    fn the_patches_of_this_crate_have_good_heads() {
        let plants = Plant::all(Path::new(crate::CRATE)).unwrap();
        assert!(plants.iter().any(|plant| plant.kind == Kind::Fault));
    }
}
