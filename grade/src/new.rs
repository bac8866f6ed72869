//! `cargo grade new DIR`: writes the skeleton that a student starts from.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml_edit::{Array, DocumentMut, table, value};

use crate::exit::UserError;
use crate::kit::Kit;

const MANIFEST: &str = include_str!("../../skeleton/Cargo.toml");
const FILES: [(&str, &str); 11] = [
    (".gitignore", include_str!("../../skeleton/.gitignore")),
    ("README.md", include_str!("../../skeleton/README.md")),
    ("src/lib.rs", include_str!("../../skeleton/src/lib.rs")),
    ("src/rules/mod.rs", include_str!("../../skeleton/src/rules/mod.rs")),
    ("src/rules/messages.rs", include_str!("../../skeleton/src/rules/messages.rs")),
    ("src/rules/state.rs", include_str!("../../skeleton/src/rules/state.rs")),
    ("src/rules/election.rs", include_str!("../../skeleton/src/rules/election.rs")),
    ("src/rules/replication.rs", include_str!("../../skeleton/src/rules/replication.rs")),
    ("src/rules/persistent.rs", include_str!("../../skeleton/src/rules/persistent.rs")),
    ("src/server.rs", include_str!("../../skeleton/src/server.rs")),
    ("tests/labs.rs", include_str!("../../skeleton/tests/labs.rs")),
];
/// The skeleton's name, used if the folder's name cannot be a crate's name.
const NAME: &str = "my-raft";
/// Names that would clash with a dependency, a crate of Rust's own, or a keyword.
const TAKEN: &str = "config labrpc raftapi runner sim tests labs crossbeam_channel parking_lot \
    rand serde alloc core proc_macro std test \
    abstract as async await become box break const continue crate do dyn else enum extern false \
    final fn for gen if impl in let loop macro match mod move mut override priv pub ref return \
    self static struct super trait true try type typeof unsafe unsized use virtual where while \
    yield";

/// Writes the skeleton with the kit's path filled in, and prints the next steps.
pub(crate) fn create(dir: &Path) -> Result<()> {
    let kit = Kit::find()?;
    refuse_if_in_use(dir)?;
    let whole = std::path::absolute(dir).context("failed to find the folder")?;
    let name = package_name(&whole);
    for (file, text) in FILES {
        write(&dir.join(file), &text.replace("my_raft", &name.replace('-', "_")))?;
    }
    write(&dir.join("Cargo.toml"), &manifest(&kit, name)?)?;
    write(&dir.join(".cargo/config.toml"), &explore_alias(&kit))?;
    // The same versions as the kit's, so that nothing else has to be fetched.
    fs::copy(kit.path("Cargo.lock"), dir.join("Cargo.lock"))
        .context("failed to copy the kit's Cargo.lock")?;
    let shown = runner::plain::line(&dir.display().to_string());
    println!("Wrote the project {name} to {shown}. Next, in that folder:");
    println!("    cargo test \"initial election\"    fails until you fill in src/server.rs");
    println!("    cargo grade .                    grades it; before that, run");
    println!("    cargo install --path {}", kit.path("grade").display());
    Ok(())
}

/// Makes `cargo explore` in the student's folder run the kit's. The alias is one string, as in the
/// kit's own configuration: a project inside the kit's folder has both, and cargo would join lists.
fn explore_alias(kit: &Kit) -> String {
    let manifest = kit.path("Cargo.toml").display().to_string();
    let mut config = DocumentMut::new();
    let run = ["run", "--quiet", "--manifest-path", &manifest];
    let explore = ["--package", "runner", "--bin", "explore", "--"];
    let words: Vec<&str> = run.into_iter().chain(explore).collect();
    config["alias"] = table();
    // Cargo splits a string at blanks, without regard to quotes.
    config["alias"]["explore"] = if manifest.contains(char::is_whitespace) {
        value(words.into_iter().collect::<Array>())
    } else {
        value(words.join(" "))
    };
    config.to_string()
}

fn refuse_if_in_use(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    if !dir.is_dir() {
        return Err(UserError::usage(format!("{} is not a folder", dir.display())).into());
    }
    let mut entries =
        dir.read_dir().with_context(|| format!("failed to read {}", dir.display()))?;
    if entries.next().is_some() {
        let sentence = format!("{} is not empty; name a new folder", dir.display());
        return Err(UserError::usage(sentence).into());
    }
    Ok(())
}

/// The folder's name if it can be a crate's name.
fn package_name(dir: &Path) -> &str {
    let Some(name) = dir.file_name().and_then(|name| name.to_str()) else { return NAME };
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on_well = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let is_taken = TAKEN.split_whitespace().any(|taken| taken == name.replace('-', "_"));
    if begins_well && goes_on_well && !is_taken { name } else { NAME }
}

fn manifest(kit: &Kit, name: &str) -> Result<String> {
    let mut manifest: DocumentMut = MANIFEST.parse().expect("the skeleton's manifest is valid");
    manifest["package"]["name"] = value(name);
    for (table, dependency) in
        [("dependencies", "raftapi"), ("dependencies", "labrpc"), ("dev-dependencies", "tests")]
    {
        manifest[table][dependency]["path"] = value(kit.path_text(dependency)?);
    }
    Ok(manifest.to_string())
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().expect("the skeleton's files lie in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .with_context(|| format!("failed to write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dir: &str, expected: &str) {
        assert_eq!(package_name(Path::new(dir)), expected, "{dir}");
    }

    #[test]
    fn a_project_gets_its_folders_name_if_a_crate_can_have_it() {
        check("/tmp/Ada_Lovelace", "Ada_Lovelace");
        check("lab-3/ongaro/", "ongaro");
        check("2026", NAME);
        check("my lab", NAME);
        check("..", NAME);
        check("config", NAME);
        check("raftapi", NAME);
        check("parking-lot", NAME);
        check("struct", NAME);
    }
}
