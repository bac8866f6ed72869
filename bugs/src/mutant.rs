//! A patch on the reference Raft: a mutant, which has a known bug, or a correct variant.
//!
//! Code says "mutant" for both where the difference does not matter.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit::UserError;
use crate::head::{Head, Kind};

/// The folders of a crate that hold patches.
const FOLDERS: [&str; 2] = ["patches", "legal"];
/// The most mutants that may claim that no change can be observed.
const EQUIVALENT_MAX: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mutant {
    pub(crate) head: Head,
    /// The file's name without its ending. Names sort in the order of the catalogue.
    pub(crate) name: String,
    /// `None` for the reference itself.
    pub(crate) file: Option<PathBuf>,
}

impl Mutant {
    /// Every patch of the crate in `folder`, in order.
    pub(crate) fn all(folder: &Path) -> Result<Vec<Mutant>> {
        let mut mutants = Vec::new();
        for name in FOLDERS {
            let folder = folder.join(name);
            let files = fs::read_dir(&folder)
                .with_context(|| format!("failed to list {}", folder.display()))?;
            let mut files: Vec<PathBuf> =
                files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
            files.retain(|file| file.extension() == Some(OsStr::new("patch")));
            files.sort();
            for file in files {
                mutants.push(Mutant::read(&file)?);
            }
        }
        check_ids(&mutants)?;
        Ok(mutants)
    }

    /// The reference without any patch.
    pub(crate) fn reference() -> Mutant {
        let head = Head {
            id: "reference".into(),
            kind: Kind::Variant,
            breaks: "Nothing.".into(),
            caught_by: "nothing".into(),
            why: None,
            original: None,
            sharper: None,
            survives: BTreeMap::new(),
            finding: None,
            except: Vec::new(),
        };
        Mutant { head, name: "reference".into(), file: None }
    }

    pub(crate) fn id(&self) -> &str {
        &self.head.id
    }

    fn read(file: &Path) -> Result<Mutant> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("failed to read {}", file.display()))?;
        let name = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let mutant = Mutant::parse(name, &text)
            .map_err(|why| UserError::patch(format!("the head of {name}.patch {why}")))?;
        Ok(Mutant { file: Some(file.into()), ..mutant })
    }

    fn parse(name: &str, text: &str) -> Result<Mutant, String> {
        let head = Head::parse(text)?;
        let prefix = prefix(&head.id);
        if !name.starts_with(&prefix) {
            return Err(format!(
                "says id {}, so the name of its file must begin with {prefix}",
                head.id
            ));
        }
        Ok(Mutant { head, name: name.into(), file: None })
    }
}

/// The mutants that `ids` name, in order; all of them if `ids` is empty.
///
/// # Errors
/// If an id names no mutant.
pub(crate) fn choose<'a>(
    mutants: &'a [Mutant],
    ids: &[String],
) -> Result<Vec<&'a Mutant>, UserError> {
    for id in ids {
        if !mutants.iter().any(|mutant| is_named_by(mutant, id)) {
            let sentence =
                format!("there is no mutant or variant {id:?}; see bugs/patches and bugs/legal");
            return Err(UserError::usage(sentence));
        }
    }
    let is_chosen =
        |mutant: &&Mutant| ids.is_empty() || ids.iter().any(|id| is_named_by(mutant, id));
    Ok(mutants.iter().filter(is_chosen).collect())
}

/// `A1`, `a01` and the whole name all mean the same mutant; `legal` means all correct variants.
fn is_named_by(mutant: &Mutant, id: &str) -> bool {
    id.eq_ignore_ascii_case(mutant.head.kind.key())
        || id.eq_ignore_ascii_case(mutant.id())
        || id.eq_ignore_ascii_case(&prefix(mutant.id()))
        || id.eq_ignore_ascii_case(&mutant.name)
}

/// `A01` for `A1`, so that files sort as the rows do.
fn prefix(id: &str) -> String {
    match (id.get(..1), id.get(1..).map(str::parse::<u32>)) {
        (Some(letter), Some(Ok(number))) => format!("{letter}{number:02}"),
        _ => id.into(),
    }
}

fn check_ids(mutants: &[Mutant]) -> Result<(), UserError> {
    let mut names = BTreeMap::new();
    for mutant in mutants {
        if let Some(other) = names.insert(mutant.id(), &mutant.name) {
            let sentence = format!("{other}.patch and {}.patch have the same id", mutant.name);
            return Err(UserError::patch(sentence));
        }
    }
    let equivalent = mutants.iter().filter(|mutant| mutant.head.kind == Kind::Equivalent).count();
    if equivalent > EQUIVALENT_MAX {
        let sentence =
            format!("{equivalent} mutants are marked as equivalent; the limit is {EQUIVALENT_MAX}");
        return Err(UserError::patch(sentence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::tests::HEAD;

    #[test]
    fn a_files_name_begins_with_its_id() {
        assert_eq!(
            Mutant::parse("A1-some", HEAD),
            Err("says id A1, so the name of its file must begin with A01".into())
        );
    }

    #[test]
    fn a_mutant_is_chosen_by_its_id_with_or_without_zeros_by_its_name_and_by_its_kind() {
        let mutants = [Mutant::parse("A01-some", HEAD).unwrap(), Mutant::reference()];
        for id in ["A1", "a1", "a01", "A01-some", "fault"] {
            assert_eq!(choose(&mutants, &[id.into()]).unwrap(), [&mutants[0]]);
        }
        assert_eq!(choose(&mutants, &[]).unwrap().len(), 2);
        let error = choose(&mutants, &["Z9".into()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no mutant or variant \"Z9\"; see bugs/patches and bugs/legal"
        );
    }

    #[test]
    fn the_heads_of_all_patches_of_this_crate_can_be_read() {
        let mutants = Mutant::all(Path::new(crate::CRATE)).unwrap();
        assert!(mutants.iter().any(|mutant| mutant.head.kind == Kind::Fault));
    }
}
