//! The names of submissions in everything that is reported: short, and different from each other.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// For each path the shortest end of it that no other path has.
pub(crate) fn names(paths: &[PathBuf]) -> Vec<String> {
    let parts: Vec<Vec<String>> = paths.iter().map(|path| parts(path)).collect();
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let end =
        |parts: &Vec<String>, length: usize| parts[parts.len().saturating_sub(length)..].join("/");
    let mut names: Vec<String> = Vec::new();
    for own in &parts {
        let is_own = |length: &usize| {
            let same = parts.iter().filter(|other| end(other, *length) == end(own, *length));
            same.count() == 1
        };
        let length = (1..=longest).find(is_own).unwrap_or(1);
        names.push(end(own, length));
    }
    // The same path several times, or a folder next to an archive of the same name.
    let mut known = BTreeSet::new();
    for name in &mut names {
        let base = name.clone();
        let mut count = 1;
        while !known.insert(name.clone()) {
            count += 1;
            *name = format!("{base} ({count})");
        }
    }
    names
}

fn parts(path: &Path) -> Vec<String> {
    // The real place, so that `.` has a name.
    let whole = path.canonicalize().or_else(|_| std::path::absolute(path));
    let whole = whole.unwrap_or_else(|_| path.into());
    let mut parts: Vec<String> = whole
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if let Some(last) = parts.last_mut().filter(|_| !whole.is_dir()) {
        let end = [".tar.gz", ".tgz", ".tar", ".zip"].into_iter().find(|end| last.ends_with(end));
        last.truncate(last.len() - end.map_or(0, str::len));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &[&str]) {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        assert_eq!(names(&paths), expected);
    }

    #[test]
    fn names_are_the_shortest_ends_of_paths_that_differ() {
        check(&["/x/ada", "/x/bob.tar.gz"], &["ada", "bob"]);
        check(&["/x/ada/raft", "/x/bob/raft", "/x/eve"], &["ada/raft", "bob/raft", "eve"]);
        check(&["/x/ada", "/x/ada", "/x/ada.zip"], &["ada", "ada (2)", "ada (3)"]);
    }
}
