//! The workspace as cargo and the file system show it: crates, dependencies, source files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::error::Error;
use crate::modules::Sources;
use crate::source::Source;

/// Everything that is checked.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Members, in alphabetical order.
    pub(crate) crates: Vec<Crate>,
    /// All source files below the root, including those of excluded packages.
    pub(crate) sources: Sources,
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    /// The package's name.
    pub(crate) name: String,
    /// The name by which sources import it, if it has a library.
    pub(crate) library: Option<String>,
    /// The package's folder, relative to the root.
    pub(crate) folder: String,
    /// The root files of its library and programs, relative to the workspace's root.
    pub(crate) roots: Vec<Root>,
    /// Members that it depends on.
    pub(crate) dependencies: BTreeSet<Arrow>,
}

/// The root file of a library or a program.
#[derive(Debug)]
pub(crate) struct Root {
    /// Relative to the workspace's root.
    pub(crate) file: String,
    /// Whether it is the library.
    pub(crate) is_library: bool,
}

/// A dependency on another member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    /// The package on which it depends.
    pub(crate) to: String,
    /// The builds that need it.
    pub(crate) kind: Kind,
}

/// The builds that need a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Always.
    Normal,
    /// For tests, examples and benchmarks.
    Dev,
    /// For the build script.
    Build,
}

impl Workspace {
    /// Reads the workspace to which the folder `within` belongs.
    pub(crate) fn read(within: &Path) -> Result<Workspace, Error> {
        let offline = ["--offline".to_owned()];
        let metadata =
            MetadataCommand::new().current_dir(within).no_deps().other_options(offline).exec()?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let mut files = Vec::new();
        find_sources(&root, "", &mut files)?;
        Ok(Workspace { crates: crates(&metadata), sources: read_all(&root, &files)?, root })
    }

    /// The packages that the build of `name` needs, directly or not, without `name` itself.
    pub(crate) fn needs(&self, name: &str) -> BTreeSet<&str> {
        let by_name: BTreeMap<&str, &Crate> =
            self.crates.iter().map(|member| (member.name.as_str(), member)).collect();
        let mut needed = BTreeSet::new();
        let mut open = vec![name];
        while let Some(member) = open.pop().and_then(|name| by_name.get(name)) {
            for arrow in member.dependencies.iter().filter(|arrow| arrow.kind != Kind::Dev) {
                if needed.insert(arrow.to.as_str()) {
                    open.push(&arrow.to);
                }
            }
        }
        needed
    }
}

fn crates(metadata: &Metadata) -> Vec<Crate> {
    let packages = metadata.workspace_packages();
    let names: BTreeSet<String> = packages.iter().map(|p| p.name.to_string()).collect();
    let mut crates: Vec<Crate> = packages
        .iter()
        .map(|package| Crate {
            name: package.name.to_string(),
            library: package.targets.iter().find(|t| t.is_lib()).map(|t| t.name.replace('-', "_")),
            folder: relative(metadata, package.manifest_path.parent().map(AsRef::as_ref)),
            roots: roots(metadata, package),
            dependencies: dependencies(package, &names),
        })
        .collect();
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    crates
}

fn roots(metadata: &Metadata, package: &Package) -> Vec<Root> {
    let targets = package.targets.iter().filter(|target| target.is_lib() || target.is_bin());
    let root = |target: &cargo_metadata::Target| Root {
        file: relative(metadata, Some(target.src_path.as_ref())),
        is_library: target.is_lib(),
    };
    targets.map(root).collect()
}

fn dependencies(package: &Package, names: &BTreeSet<String>) -> BTreeSet<Arrow> {
    let members = package.dependencies.iter();
    let members = members.filter(|to| to.path.is_some() && names.contains(&to.name));
    let arrow = |to: &cargo_metadata::Dependency| {
        let kind = match to.kind {
            DependencyKind::Development => Kind::Dev,
            DependencyKind::Build => Kind::Build,
            _ => Kind::Normal,
        };
        Arrow { to: to.name.clone(), kind }
    };
    members.map(arrow).collect()
}

/// `path` relative to the root, with `/`.
fn relative(metadata: &Metadata, path: Option<&Path>) -> String {
    let path = path.and_then(|path| path.strip_prefix(&metadata.workspace_root).ok());
    let parts = path.into_iter().flat_map(Path::components);
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Adds the `.rs` files in `folder`, except those of hidden folders and of cargo's `target`.
fn find_sources(root: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), Error> {
    let failed = |error| Error::Read { path: folder.to_owned(), error };
    for entry in fs::read_dir(root.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type().map_err(failed)?.is_dir() {
            if !name.starts_with('.') && name != "target" {
                find_sources(root, &path, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads the files with one thread for each core of the computer.
fn read_all(root: &Path, files: &[String]) -> Result<Sources, Error> {
    let next = AtomicUsize::new(0);
    let read_some = || {
        let mut sources = Vec::new();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            sources.push((path.clone(), Source::read(root, path)?));
        }
        Ok(sources)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let shares: Vec<Result<Vec<(String, Source)>, Error>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(read_some)).collect();
        threads.into_iter().map(|t| t.join().expect("a reader does not panic")).collect()
    });
    let shares = shares.into_iter().collect::<Result<Vec<_>, Error>>()?;
    Ok(shares.into_iter().flatten().collect())
}
