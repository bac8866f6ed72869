//! Compiles a submission to a program that hosts its servers: offline, and once for each content.
//!
//! The kit's crates are fetched and compiled first, by themselves, to a program that hosts nothing.
//! If that fails it is the fault of the kit or the machine. A later failure is the submission's
//! fault, unless cargo or a compiler reports a failure of the disk or was killed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use sandbox::{Layer, Sandbox};
use toml_edit::DocumentMut;

use crate::bounds::KIT_LIMIT;
use crate::build::budget::Budget;
use crate::build::cargo::{Cargo, Confined, Ended};
use crate::build::layout;
use crate::build::linked::{Library, Traits};
use crate::build::programs::{Program, Programs};
use crate::exit::UserError;
use crate::intake::submission::Submission;
use crate::isolation::Isolation;
use crate::kit::Kit;

const BUILD: [&str; 6] = ["build", "--release", "--offline", "--quiet", "--message-format", "json"];

/// The manifests above the crates of the kit that a build can read.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "grade/Cargo.toml"];

/// Builds submissions, one at a time.
pub(crate) struct Builder<'a> {
    kit: &'a Kit,
    isolation: Isolation,
    sandbox: Option<&'a Sandbox>,
    budget: Budget,
    /// The parts of the kit that a build can read: the crates that a submission is compiled with.
    /// Not the reference, and nothing else.
    sources: Vec<PathBuf>,
    /// The folder for everything that is built.
    folder: PathBuf,
    programs: Programs,
    /// The traits of the program of the kit alone, once its crates are fetched and compiled.
    prepared: OnceLock<Traits>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(
        kit: &'a Kit,
        isolation: Isolation,
        sandbox: Option<&'a Sandbox>,
        budget: Budget,
    ) -> Result<Builder<'a>> {
        let folder = kit.target()?;
        let programs = Programs::in_folder(folder.join("programs"));
        let crates = kit.crates_below(isolation.host())?;
        let sources = MANIFESTS.into_iter().chain(crates.iter().map(String::as_str));
        let sources = sources.map(|name| kit.path(name)).collect();
        Ok(Builder {
            kit,
            isolation,
            sandbox,
            budget,
            sources,
            folder,
            programs,
            prepared: OnceLock::new(),
        })
    }

    /// Builds the program, or finds it if the same content was built before. It stays in its folder
    /// until it is dropped.
    pub(crate) fn program(&self, submission: &Submission) -> Result<Program> {
        let id = submission.id(self.kit, self.isolation);
        let find = || self.programs.find(&id).context("failed to read a program that was built");
        if let Some(program) = find()? {
            return Ok(program);
        }
        let _lock = lock(&self.folder).context("failed to lock the folder of the builds")?;
        // Another grader may have built it in the meantime.
        if let Some(program) = find()? {
            return Ok(program);
        }
        let honest = self.prepare()?;
        let workspace = self.workspace(&id)?;
        let program = self.build(submission, &id, &workspace, honest);
        self.tidy(&workspace);
        program
    }

    /// Makes an empty folder for a submission's sources while they are compiled.
    fn workspace(&self, name: &str) -> Result<PathBuf> {
        let workspace = self.folder.join("work").join(name);
        if workspace.exists() {
            fs::remove_dir_all(&workspace).context("failed to clear a folder of the builds")?;
        }
        fs::create_dir_all(&workspace).context("failed to make a folder for the builds")?;
        // Cargo reports real paths.
        workspace.canonicalize().context("failed to find a folder of the builds")
    }

    fn cargo<'b>(&self, folder: &'b Path, target: &'b Path) -> Cargo<'b> {
        Cargo { folder, target, confined: None }
    }

    /// For steps that read a submission's sources: in the sandbox, if there is one.
    fn confined<'b>(
        &'b self,
        folder: &'b Path,
        reads: Vec<PathBuf>,
        target: &'b Path,
    ) -> Cargo<'b> {
        let confined =
            self.sandbox.map(|sandbox| Confined { sandbox, reads, limits: self.budget.limits() });
        Cargo { folder, target, confined }
    }

    /// Compiles the kit alone. A failure is never a submission's fault.
    fn prepare(&self) -> Result<&Traits> {
        if let Some(honest) = self.prepared.get() {
            return Ok(honest);
        }
        // Graders that were killed may have left files there.
        let _ = fs::remove_dir_all(self.folder.join("work"));
        let target = self.folder.join("build");
        self.fetch(&target)?;
        let workspace = self.workspace("kit")?;
        layout::kit_alone(self.kit, self.isolation, &workspace)?;
        let built = self.cargo(&workspace, &target).run(&BUILD, KIT_LIMIT)?;
        if !built.succeeded() {
            return Err(built.kits_fault("failed to compile the kit's crates").into());
        }
        let program = built.executable().context("cargo named no program of the kit alone")?;
        let honest = Traits::of_kit(&program).context("failed to inspect the kit's own program")?;
        Ok(self.prepared.get_or_init(|| honest))
    }

    /// The only step that may use a network, and only for crates in the kit's lock file.
    fn fetch(&self, target: &Path) -> Result<()> {
        let root = self.kit.path("");
        let cargo = self.cargo(&root, target);
        let offline = ["fetch", "--locked", "--offline", "--quiet"];
        if cargo.run(&offline, KIT_LIMIT)?.succeeded() {
            return Ok(());
        }
        eprintln!("note: fetching the crates that the kit and submissions use");
        let fetched = cargo.run(&["fetch", "--locked", "--quiet"], KIT_LIMIT)?;
        if fetched.succeeded() {
            return Ok(());
        }
        let sentence = format!(
            "failed to fetch the crates that the kit uses; run `cargo fetch` in {} \
             where there is a network",
            root.display()
        );
        Err(fetched.kits_fault(&sentence).into())
    }

    fn build(
        &self,
        submission: &Submission,
        id: &str,
        workspace: &Path,
        honest: &Traits,
    ) -> Result<Program> {
        let name = &submission.name;
        let target = self.folder.join("build");
        layout::submission(self.kit, self.isolation, submission, id, workspace)?;
        self.resolve(submission, workspace, &target)?;
        self.compile(name, workspace, &target)?;
        let built = self.link(name, workspace, &target)?;
        if let Some(what) = Traits::of(&built)
            .map_err(|error| refused(name, &format!("its program cannot be read ({error:#})")))?
            .beyond(honest)
        {
            let why = format!("its program {what}; safe Rust never does that: remove native code");
            return Err(refused(name, &why).into());
        }
        self.programs.keep(&built, id).context("failed to keep the program that was built")
    }

    /// Compiles the submission alone. A failure is its own.
    fn compile(&self, name: &str, workspace: &Path, target: &Path) -> Result<()> {
        let cargo = self.confined(workspace, self.reads(&[workspace.into()]), target);
        let built = cargo.run_watched(&[&BUILD[..], &["--lib"]].concat(), self.budget.wall())?;
        let manifest = workspace.join("Cargo.toml");
        let of_crate = built.complaints(&manifest);
        self.judge(&built, "submitted", of_crate, || format!("{name} does not build"), name)?;
        let metadata = built.metadata(&manifest).and_then(Library::of);
        let library = metadata.context("cargo named no library after it had compiled one")?;
        if let Some(file) = library.foreign_source(workspace, &workspace.join("src"))? {
            let why = format!("it includes {file}, which is outside its src; copy it there");
            return Err(refused(name, &why).into());
        }
        if let Some(object) = library.foreign_object()? {
            let why = format!("it links the object {object}; remove native code");
            return Err(refused(name, &why).into());
        }
        Ok(())
    }

    /// Links the program. Only `make` can be wrong here, because the rest is compiled.
    ///
    /// The linker cannot read the submission's sources, whatever the library asks it to link. Cargo
    /// only needs to know that they have not changed.
    fn link(&self, name: &str, workspace: &Path, target: &Path) -> Result<PathBuf> {
        let folder = workspace.join(layout::PROGRAM);
        let own = ["Cargo.toml", "Cargo.lock", layout::PROGRAM].map(|it| workspace.join(it));
        let cargo = self.confined(&folder, self.reads(&own), target);
        let built = cargo.run_watched(&BUILD, self.budget.wall())?;
        let of_crate = built.complaints(&folder.join("Cargo.toml"));
        let sentence = match of_crate {
            Some(_) => {
                format!("{name} has no `pub fn make(PeerContext) -> Arc<dyn RaftPeer>` at its root")
            }
            None => format!("{name} does not build"),
        };
        self.judge(&built, layout::PROGRAM, of_crate, || sentence.clone(), name)?;
        built.executable().context("cargo named no program after it had compiled one")
    }

    /// The files that a step of a build may read: the kit's, and these.
    fn reads(&self, own: &[PathBuf]) -> Vec<PathBuf> {
        own.iter().chain(&self.sources).cloned().collect()
    }

    /// Decides whose fault it is if a package could not be compiled.
    fn judge(
        &self,
        ended: &Ended,
        package: &str,
        complaints: Option<String>,
        sentence: impl Fn() -> String,
        name: &str,
    ) -> Result<()> {
        let has_limits =
            |it: &Sandbox| it.layers().in_force.iter().any(|it| it.layer == Layer::Limits);
        let has_limits = self.sandbox.is_some_and(has_limits);
        if let Some(excess) = self.budget.excess(ended, package, has_limits) {
            let sentence = format!("{name} does not build: {excess}");
            return Err(UserError::build_failed(sentence)
                .in_words(complaints.unwrap_or_default())
                .into());
        }
        match complaints {
            _ if ended.succeeded() => Ok(()),
            Some(words) => Err(UserError::build_failed(sentence()).in_words(words).into()),
            None if ended.is_of_the_machine() || (!has_limits && Budget::no_memory(ended)) => {
                Err(ended.kits_fault(&format!("failed to build {name}")).into())
            }
            // The kit alone compiles, so the cause is what the submission asks of the compiler or
            // of its dependencies.
            None => Err(UserError::build_failed(sentence()).in_words(ended.errors()).into()),
        }
    }

    /// Its dependencies must be in the kit's lock file, whatever other versions this machine has.
    fn resolve(&self, submission: &Submission, workspace: &Path, target: &Path) -> Result<()> {
        let name = &submission.name;
        let fetch = ["fetch", "--offline", "--quiet"];
        let resolved = self.cargo(workspace, target).run(&fetch, KIT_LIMIT)?;
        if !resolved.succeeded() {
            // The kit's crates are there, so its manifest asks for more.
            if resolved.failed_by_itself() && !resolved.reports_the_machine() {
                let sentence =
                    format!("{name} does not build: cargo cannot resolve its Cargo.toml");
                return Err(UserError::build_failed(sentence).in_words(resolved.words()).into());
            }
            return Err(resolved.kits_fault("failed to resolve dependencies").into());
        }
        let locked = packages(&self.kit.path("Cargo.lock"))?;
        let wanted = packages(&workspace.join("Cargo.lock"))?;
        if let Some((package, version)) = wanted.difference(&locked).next() {
            let sentence = format!(
                "{name} cannot be graded: it needs {package} {version}, which is not in the kit's \
                 Cargo.lock"
            );
            return Err(UserError::build_failed(sentence).into());
        }
        Ok(())
    }

    /// Removes everything but the program, which was copied.
    fn tidy(&self, workspace: &Path) {
        let target = self.folder.join("build");
        let packages = ["-p", "submitted", "-p", layout::PROGRAM];
        let clean = [&["clean", "--release", "--offline", "--quiet"], &packages[..]].concat();
        let _ = self.cargo(workspace, &target).run(&clean, KIT_LIMIT);
        let _ = fs::remove_dir_all(workspace);
    }
}

fn refused(name: &str, why: &str) -> UserError {
    UserError::build_failed(format!("{name} cannot be graded: {why}"))
}

/// Keeps other graders from building until the file is dropped.
fn lock(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join("lock"))?;
    file.lock()?;
    Ok(file)
}

/// Name and version of the packages in a lock file that come from a registry.
fn packages(lock_file: &Path) -> Result<BTreeSet<(String, String)>> {
    let failed = || format!("failed to read {}", lock_file.display());
    let text = fs::read_to_string(lock_file).with_context(failed)?;
    let document: DocumentMut = text.parse().with_context(failed)?;
    let packages = document.get("package").and_then(|item| item.as_array_of_tables());
    let from_registry = packages.into_iter().flatten().filter(|table| table.contains_key("source"));
    let text = |item: Option<&toml_edit::Item>| item.and_then(|it| it.as_str()).map(str::to_owned);
    Ok(from_registry
        .filter_map(|it| Some((text(it.get("name"))?, text(it.get("version"))?)))
        .collect())
}

#[cfg(test)]
mod tests;
