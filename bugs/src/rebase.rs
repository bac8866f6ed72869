//! Moves patches to a changed `raft/` by a three-way merge.
//!
//! One side of the merge is the base with the patch. The other side is `raft/` in the working tree.
//! Git merges the two and finds renamed files itself. If the merge is clean, the new patch is the
//! difference between the working tree and the result.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::exit::UserError;
use crate::git::{self, Scratch};
use crate::mutant::Mutant;

/// The folder that all patches change.
const FOLDER: &str = "raft";

/// The result of one patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rebased {
    /// It applies, and its bytes stay the same.
    Unchanged,
    /// Its file was written.
    Rewritten,
    /// It must be moved by hand, for this reason. Its file is the same as before.
    Left(String),
}

/// Moves each patch from `raft/` of the revision `base` to `raft/` of the working tree in `kit`.
///
/// A patch that does not apply to `base` but applies to the working tree was moved before.
///
/// # Errors
/// If git is too old, or there is no such revision.
pub(crate) fn rebase<'a>(
    kit: &Path,
    mutants: &[&'a Mutant],
    base: &str,
) -> Result<Vec<(&'a Mutant, Rebased)>> {
    git::check_version()?;
    let tree = git::read(kit, &["rev-parse", "--verify", &format!("{base}:./{FOLDER}")])
        .map_err(|error| UserError::usage(format!("no {FOLDER}/ at {base:?}: {error}")))?;
    let scratch = Scratch::reading(kit)?;
    let base = Tree::commit(&scratch, &scratch.tree_of(FOLDER, &tree)?, None)?;
    let new = Tree::commit(&scratch, &scratch.tree_of_folder(kit, FOLDER)?, Some(&base))?;
    let rebase = Rebase { scratch, base, new };
    mutants.iter().map(|mutant| Ok((*mutant, rebase.one(mutant)?))).collect()
}

/// A tree and a commit of it, by their names.
struct Tree {
    tree: String,
    commit: String,
}

struct Rebase {
    scratch: Scratch,
    /// The tree for which the patches were made.
    base: Tree,
    /// The working tree.
    new: Tree,
}

impl Tree {
    fn commit(scratch: &Scratch, tree: &str, parent: Option<&Tree>) -> Result<Tree> {
        let mut arguments = vec!["commit-tree", tree, "-m", "a tree"];
        if let Some(parent) = parent {
            arguments.extend(["-p", &parent.commit]);
        }
        Ok(Tree { tree: tree.into(), commit: scratch.read(&arguments)? })
    }
}

impl Rebase {
    fn one(&self, mutant: &Mutant) -> Result<Rebased> {
        let file = mutant.file.as_ref().context("the reference has no patch")?;
        let patched = match self.apply(&self.base, file)? {
            Ok(tree) => Tree::commit(&self.scratch, &tree, Some(&self.base))?,
            Err(_) if self.apply(&self.new, file)?.is_ok() => return Ok(Rebased::Unchanged),
            Err(why) => return Ok(Rebased::Left(format!("it does not apply to the base: {why}"))),
        };
        let merged = match self.merge(&patched)? {
            Ok(tree) => tree,
            Err(why) => return Ok(Rebased::Left(why)),
        };
        if merged == self.new.tree {
            return Ok(Rebased::Left("its change is already there".into()));
        }
        let old = fs::read_to_string(file).context("failed to read a patch")?;
        let text = format!("{}{}", head(&old)?, self.diff(&merged)?);
        if text == old {
            return Ok(Rebased::Unchanged);
        }
        fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))?;
        Ok(Rebased::Rewritten)
    }

    /// The tree with the patch, or why it does not apply.
    fn apply(&self, to: &Tree, file: &Path) -> Result<Result<String, String>> {
        self.scratch.read(&["read-tree", &to.tree])?;
        let file = std::path::absolute(file).context("failed to find a patch")?;
        let mut command = self.scratch.git();
        let output =
            git::run(command.args(["apply", "--cached", "--whitespace=nowarn"]).arg(file))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Ok(Err(words.trim().replace('\n', "; ")));
        }
        Ok(Ok(self.scratch.read(&["write-tree"])?))
    }

    /// The tree with both changes, or the conflicts.
    fn merge(&self, patched: &Tree) -> Result<Result<String, String>> {
        let mut command = self.scratch.git();
        command
            .args(["-c", "merge.directoryRenames=true"])
            .args(["merge-tree", "--write-tree", "--name-only", "-z"])
            .args([&self.new.commit, &patched.commit]);
        let output = git::run(&mut command)?;
        let text = String::from_utf8_lossy(&output.stdout);
        match output.status.code() {
            Some(0) => {
                let tree = text.split('\0').next();
                Ok(Ok(tree.context("git merged to no tree")?.to_owned()))
            }
            Some(1) => Ok(Err(conflicts(&text).context("git listed no conflicts")?)),
            _ => bail!("git failed to merge: {}", String::from_utf8_lossy(&output.stderr).trim()),
        }
    }

    /// The difference from the working tree to `tree`, in the form of all patches: each file has
    /// two lines with its name, and a hunk has nothing after its numbers.
    fn diff(&self, tree: &str) -> Result<String> {
        let arguments = ["diff-tree", "-p", "--unified=3", "--no-renames", &self.new.tree, tree];
        let text = self.scratch.read(&arguments)?;
        let lines = text.lines().filter(|line| !is_header(line)).map(|line| {
            let hunk = line.strip_prefix("@@ ").and_then(|rest| rest.split_once(" @@"));
            hunk.map_or_else(|| line.to_owned(), |(numbers, _)| format!("@@ {numbers} @@"))
        });
        Ok(lines.map(|line| line + "\n").collect())
    }
}

/// The conflicts that `git merge-tree -z` lists, with their files.
///
/// After the tree and the names of files comes an empty string. Then come the messages. Each has
/// the number of its paths, the paths, its kind, and a text.
fn conflicts(text: &str) -> Option<String> {
    let mut parts = text.split_once("\0\0")?.1.split_terminator('\0');
    let mut conflicts = Vec::new();
    while let Some(count) = parts.next() {
        let paths: Vec<&str> = parts.by_ref().take(count.parse().ok()?).collect();
        let (kind, _words) = (parts.next()?, parts.next()?);
        if kind.starts_with("CONFLICT") {
            conflicts.push(format!("{kind} in {}", paths.join(" and ")));
        }
    }
    Some(conflicts.join("; "))
}

/// Whether this line of git's output is a header that no patch of the catalogue has. Lines of a
/// file begin with a space, `+` or `-`.
fn is_header(line: &str) -> bool {
    ["diff --git ", "index ", "new file mode ", "deleted file mode "]
        .iter()
        .any(|prefix| line.starts_with(prefix))
}

/// The head of a patch, up to and with the first empty line.
fn head(text: &str) -> Result<&str> {
    let end = text.find("\n\n").context("a patch has a head")?;
    Ok(&text[..end + 2])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    const HEAD: &str = "id: A1\nkind: fault\nbreaks: It,\n    really.\ncaught-by: L1\n\
        original: never\n\n";
    const LOG: &str = "fn first() -> u64 {\n    1\n}\n\nfn last() -> u64 {\n    2\n}\n\n\
        fn len() -> u64 {\n    3\n}\n";
    const DIFF: &str = "--- a/raft/src/log.rs\n+++ b/raft/src/log.rs\n@@ -3,7 +3,7 @@\n }\n \n \
        fn last() -> u64 {\n-    2\n+    20\n }\n \n fn len() -> u64 {\n";

    /// A kit with one patch, which changes what `last` returns; its `raft/` is committed.
    struct Kit {
        folder: TempDir,
        mutant: Mutant,
    }

    impl Kit {
        fn new() -> Kit {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path();
            fs::create_dir_all(path.join("raft/src")).unwrap();
            fs::create_dir_all(path.join("bugs/patches")).unwrap();
            fs::create_dir_all(path.join("bugs/legal")).unwrap();
            fs::write(path.join("raft/src/lib.rs"), "mod log;\n").unwrap();
            fs::write(path.join("raft/src/log.rs"), LOG).unwrap();
            git::read(path, &["init", "--quiet"]).unwrap();
            git::read(path, &["add", "."]).unwrap();
            let commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "base"];
            git::read(path, &commit).unwrap();
            fs::write(path.join("bugs/patches/A01-it.patch"), format!("{HEAD}{DIFF}")).unwrap();
            let mutant = Mutant::all(&path.join("bugs")).unwrap().remove(0);
            Kit { folder, mutant }
        }

        fn rebase(&self) -> Rebased {
            let mut rebased = rebase(self.folder.path(), &[&self.mutant], "HEAD").unwrap();
            rebased.remove(0).1
        }

        fn patch(&self) -> String {
            fs::read_to_string(self.mutant.file.as_ref().unwrap()).unwrap()
        }

        #[track_caller]
        fn check_left(&self, why: &str) {
            let patch = self.patch();
            assert_eq!(self.rebase(), Rebased::Left(why.into()));
            assert_eq!(self.patch(), patch);
        }

        /// Writes a file of `raft/src`.
        fn write(&self, name: &str, text: &str) {
            let file = self.folder.path().join("raft/src").join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }

        fn remove(&self, name: &str) {
            fs::remove_file(self.folder.path().join("raft/src").join(name)).unwrap();
        }

        /// The file with the patch applied.
        fn patched(&self, name: &str) -> String {
            let mut command = Command::new("git");
            command.current_dir(self.folder.path()).arg("apply");
            assert!(command.arg(self.mutant.file.as_ref().unwrap()).status().unwrap().success());
            fs::read_to_string(self.folder.path().join("raft/src").join(name)).unwrap()
        }
    }

    #[test]
    fn a_patch_on_an_unchanged_raft_stays_the_same_to_the_byte() {
        let kit = Kit::new();
        let patch = kit.patch();
        assert_eq!(kit.rebase(), Rebased::Unchanged);
        assert_eq!(kit.patch(), patch);
    }

    #[test]
    fn a_patch_keeps_its_head_and_moves_with_the_lines_around_it() {
        let kit = Kit::new();
        let log = format!("//! The log.\n\n{}", LOG.replace("first", "begin"));
        kit.write("log.rs", &log);
        assert_eq!(kit.rebase(), Rebased::Rewritten);
        let patch = kit.patch();
        assert!(patch.starts_with(&format!(
            "{HEAD}--- a/raft/src/log.rs\n+++ b/raft/src/log.rs\n@@ -5,7 +5,7 @@\n"
        )));
        assert_eq!(patch.lines().count(), 7 + 2 + 1 + 8);
        assert_eq!(kit.patched("log.rs"), log.replace("    2\n", "    20\n"));
    }

    #[test]
    fn a_patch_follows_a_renamed_file() {
        let kit = Kit::new();
        kit.remove("log.rs");
        let log = format!("//! The log.\n{LOG}");
        kit.write("rules/log.rs", &log);
        assert_eq!(kit.rebase(), Rebased::Rewritten);
        assert!(kit.patch().contains("\n--- a/raft/src/rules/log.rs\n"));
        assert_eq!(kit.patched("rules/log.rs"), log.replace("    2\n", "    20\n"));
    }

    #[test]
    fn a_conflict_leaves_the_patch_alone_and_names_the_file() {
        let kit = Kit::new();
        kit.write("log.rs", &LOG.replace("    2\n", "    200\n"));
        kit.check_left("CONFLICT (contents) in raft/src/log.rs");
    }

    #[test]
    fn a_change_that_is_already_there_leaves_the_patch_alone() {
        let kit = Kit::new();
        kit.write("log.rs", &LOG.replace("    2\n", "    20\n"));
        kit.check_left("its change is already there");
    }

    #[test]
    fn a_patch_that_was_moved_by_hand_is_accepted() {
        let kit = Kit::new();
        let log = LOG.replace("    2\n", "    200\n");
        kit.write("log.rs", &log);
        let patch = kit.patch().replace("-    2\n", "-    200\n");
        fs::write(kit.mutant.file.as_ref().unwrap(), patch).unwrap();
        assert_eq!(kit.rebase(), Rebased::Unchanged);
    }

    #[test]
    fn a_base_that_does_not_exist_is_the_users_error() {
        let kit = Kit::new();
        let error = rebase(kit.folder.path(), &[&kit.mutant], "nowhere").unwrap_err();
        assert!(error.downcast_ref::<UserError>().is_some());
        assert!(error.to_string().starts_with("no raft/ at \"nowhere\": git failed: fatal: "));
    }
}
