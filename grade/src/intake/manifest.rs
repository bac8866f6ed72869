//! The manifest under which a submission is compiled: its own name, edition and dependencies, and
//! nothing else from its `Cargo.toml`.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use crate::bounds::PACKAGE_NAME_BYTES_MAX;
use crate::exit::UserError;
use crate::kit::Kit;

/// The manifest whose dependencies are the crates that a submission may use.
const ALLOWED: &str = include_str!("../../allowed/Cargo.toml");
/// The keys of a dependency that are kept.
const KEPT: [&str; 4] = ["package", "version", "features", "default-features"];
/// The keys of a dependency that does not come from the registry.
const ELSEWHERE: [&str; 4] = ["path", "git", "registry", "registry-index"];
/// Settings that would change how a submission is compiled, and are ignored.
const IGNORED: [&str; 9] = [
    "build-dependencies",
    "features",
    "lib",
    "bin",
    "target",
    "patch",
    "replace",
    "profile",
    "cargo-features",
];

/// Graded code is optimized, but an overflow stops it.
pub(crate) const PROFILE: &str = "\
[profile.release]
overflow-checks = true
debug-assertions = true
debug = \"line-tables-only\"

[profile.release.package.\"*\"]
overflow-checks = false
debug-assertions = false
";

/// The parts of a submission's `Cargo.toml` that count.
pub(crate) struct Manifest {
    pub(crate) name: String,
    edition: String,
    dependencies: Table,
    /// Settings that have no effect although they may matter.
    pub(crate) ignored: Vec<String>,
}

impl Manifest {
    /// None without a `[package]` that has a name.
    pub(crate) fn read(document: &DocumentMut, kit: &Kit) -> Option<Result<Manifest, UserError>> {
        let package = document.get("package")?.as_table_like()?;
        let name = package.get("name")?.as_str()?.to_owned();
        Some(Manifest::take(document, package, name, kit))
    }

    fn take(
        document: &DocumentMut,
        package: &dyn TableLike,
        name: String,
        kit: &Kit,
    ) -> Result<Manifest, UserError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > PACKAGE_NAME_BYTES_MAX || !name.chars().all(fits) {
            let sentence = format!(
                "a crate cannot be graded under the name {name:?}; use at most \
                 {PACKAGE_NAME_BYTES_MAX} letters, digits, - and _"
            );
            return Err(UserError::build_failed(sentence));
        }
        let dependencies = match document.get("dependencies").and_then(Item::as_table_like) {
            Some(table) => dependencies(&name, table, kit)?,
            None => Table::new(),
        };
        let tables = IGNORED.into_iter().filter(|key| document.contains_key(key));
        let mut ignored: Vec<String> = tables.map(|table| format!("[{table}]")).collect();
        if package.contains_key("build") {
            ignored.push("package.build".into());
        }
        // An empty one only makes the folder a workspace of its own.
        let workspace = document.get("workspace").and_then(Item::as_table_like);
        if workspace.is_some_and(|table| !table.is_empty()) {
            ignored.push("[workspace]".into());
        }
        Ok(Manifest { name, edition: edition(package, kit), dependencies, ignored })
    }

    /// The edition of its sources.
    pub(crate) fn edition(&self) -> &str {
        &self.edition
    }

    /// The manifest of a workspace with the submission at its root and a runner below.
    ///
    /// The version contains `id`: all submissions share a target folder, in which cargo
    /// distinguishes crates by name, version and place in the workspace. `unsafe` code is
    /// forbidden, because it could defeat everything that watches a run. An `allow` in the sources
    /// is then an error.
    pub(crate) fn render(&self, id: &str) -> String {
        let mut document = DocumentMut::new();
        document["dependencies"] = Item::Table(self.dependencies.clone());
        format!(
            "[package]\nname = \"submitted\"\nversion = \"0.0.0+{id}\"\nedition = {}\n\
             publish = false\nbuild = false\nautobins = false\nautoexamples = false\n\
             autotests = false\nautobenches = false\n\n\
             [lib]\nname = {}\npath = \"src/lib.rs\"\n\n\
             [workspace]\nmembers = [\"program\"]\nresolver = \"3\"\n\n\
             [lints.rust]\nunsafe_code = \"forbid\"\n\n{PROFILE}\n{document}",
            Value::from(self.edition.as_str()),
            Value::from(self.name.replace('-', "_")),
        )
    }
}

/// Without an edition cargo uses the first one.
fn edition(package: &dyn TableLike, kit: &Kit) -> String {
    let own = package.get("edition");
    let inherits = own.and_then(|own| own.as_table_like()?.get("workspace")?.as_bool());
    let edition = if inherits == Some(true) { kit.edition() } else { own.and_then(Item::as_str) };
    edition.unwrap_or("2015").to_owned()
}

fn dependencies(name: &str, table: &dyn TableLike, kit: &Kit) -> Result<Table, UserError> {
    let mut taken = Table::new();
    for (key, item) in table.iter() {
        let resolved = dependency(key, item, kit)
            .map_err(|why| UserError::build_failed(format!("{name} cannot be graded: {why}")))?;
        taken.insert(key, value(resolved));
    }
    Ok(taken)
}

fn dependency(key: &str, item: &Item, kit: &Kit) -> Result<InlineTable, String> {
    let mut wanted = InlineTable::new();
    let inherits = item.as_table_like().and_then(|table| table.get("workspace")?.as_bool());
    if inherits == Some(true) {
        let inherited = kit.dependency(key).ok_or_else(|| {
            format!(
                "it inherits {key:?} from a workspace, but the kit's workspace has no such \
                 dependency"
            )
        })?;
        add(&mut wanted, inherited);
    }
    add(&mut wanted, item);

    let package = wanted.get("package").and_then(Value::as_str).unwrap_or(key).to_owned();
    let allowed: DocumentMut = ALLOWED.parse().expect("the kit's manifests are valid");
    let allowed = allowed["dependencies"].as_table_like().expect("it has dependencies");
    if !allowed.contains_key(&package) {
        let names: Vec<&str> = allowed.iter().map(|(name, _)| name).collect();
        return Err(format!(
            "it depends on {package:?}, which is not allowed; the allowed crates are {}",
            names.join(", ")
        ));
    }
    if let Some(folder) = kit.folder_of(&package) {
        // The kit's own folder, whatever the submission says.
        let path = kit.path_text(folder).map_err(|error| error.to_string())?;
        return Ok(InlineTable::from_iter([("path", path), ("package", package)]));
    }
    if let Some(elsewhere) = ELSEWHERE.iter().find(|key| wanted.contains_key(key)) {
        return Err(format!("it takes {package:?} from outside the registry (`{elsewhere}`)"));
    }
    wanted.retain(|key, _| KEPT.contains(&key));
    wanted.fmt();
    Ok(wanted)
}

/// Adds the keys of a dependency. Features add up; of any other key the later value counts.
fn add(wanted: &mut InlineTable, item: &Item) {
    if let Some(version) = item.as_str() {
        wanted.insert("version", version.into());
    }
    let Some(table) = item.as_table_like() else { return };
    for (key, item) in table.iter() {
        let Some(value) = item.as_value() else { continue };
        let known = wanted.get_mut(key).and_then(Value::as_array_mut);
        match (known, value.as_array()) {
            (Some(known), Some(more)) => known.extend(more.iter().cloned()),
            _ => {
                wanted.insert(key, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Manifest, UserError> {
        let kit = Kit::find().unwrap();
        Manifest::read(&text.parse().unwrap(), &kit).expect("there is a package")
    }

    #[track_caller]
    fn check(dependencies: &str, expected: Result<&str, &str>) {
        let text = format!("[package]\nname = \"it\"\n[dependencies]\n{dependencies}");
        let taken = read(&text).map(|manifest| manifest.dependencies.to_string());
        let kit = Kit::find().unwrap().path_text("").unwrap();
        let taken = taken.map(|taken| taken.replace(&kit, "KIT/"));
        let taken = taken.as_ref().map(|taken| taken.trim_end()).map_err(ToString::to_string);
        assert_eq!(taken, expected.map_err(str::to_owned));
    }

    #[test]
    fn versions_and_features_are_kept_and_inherited_ones_are_resolved() {
        check("log = \"0.4\"", Ok("log = { version = \"0.4\" }"));
        check(
            "serde = { version = \"1\", features = [\"rc\"], optional = true }",
            Ok("serde = { version = \"1\", features = [\"rc\"] }"),
        );
        check(
            "serde = { workspace = true, features = [\"rc\"] }",
            Ok("serde = { version = \"1.0.229\", features = [\"derive\",\"rc\"] }"),
        );
    }

    #[test]
    fn the_kits_crates_come_from_the_kit_whatever_the_manifest_says() {
        for said in ["raftapi.workspace = true", "raftapi.path = \"../evil\"", "raftapi = \"0.14\""]
        {
            check(said, Ok("raftapi = { path = \"KIT/raftapi\", package = \"raftapi\" }"));
        }
        check(
            "net = { path = \"x\", package = \"labrpc\" }",
            Ok("net = { path = \"KIT/labrpc\", package = \"labrpc\" }"),
        );
    }

    #[test]
    fn a_dependency_that_is_not_allowed_is_refused_by_name() {
        let refused = "it cannot be graded: it depends on \"tokio\", which is not allowed; the \
                       allowed crates are raftapi, labrpc, anyhow, arc-swap, bincode, bytes, \
                       crossbeam-channel, log, parking_lot, rand, serde, serde_bytes, thiserror, \
                       tracing";
        check("tokio = \"1\"", Err(refused));
        check("log = { package = \"tokio\", version = \"1\" }", Err(refused));
        check(
            "log = { path = \"../evil\" }",
            Err("it cannot be graded: it takes \"log\" from outside the registry (`path`)"),
        );
        check(
            "tracing.workspace = true",
            Err("it cannot be graded: it inherits \"tracing\" from a workspace, but the kit's \
                 workspace has no such dependency"),
        );
    }

    #[test]
    fn a_name_that_could_lead_elsewhere_is_refused() {
        for name in ["", "../evil", "a b", "x\\n"] {
            let refusal = read(&format!("[package]\nname = \"{name}\"\n")).map(|it| it.name);
            let sentence = refusal.unwrap_err().to_string();
            assert!(sentence.starts_with("a crate cannot be graded under the name "), "{sentence}");
        }
    }

    #[test]
    fn nothing_else_of_a_manifest_counts() {
        let text = "[package]\nname = \"it\"\nedition = \"2021\"\nbuild = \"evil.rs\"\n\
                    [features]\ndefault = []\n[profile.release]\nopt-level = 0\n\
                    [lints.rust]\nunsafe_code = \"allow\"\n\
                    [workspace]\nmembers = [\"more\"]\n";
        let manifest = read(text).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(manifest.ignored, ["[features]", "[profile]", "package.build", "[workspace]"]);
        let rendered: DocumentMut = manifest.render("77").parse().unwrap();
        assert_eq!(rendered["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
        assert!(rendered["lib"].get("proc-macro").is_none());
        assert_eq!(rendered["lib"]["name"].as_str(), Some("it"));
        assert_eq!(rendered["package"]["build"].as_bool(), Some(false));
        assert_eq!(rendered["package"]["version"].as_str(), Some("0.0.0+77"));
        assert_eq!(rendered["package"]["edition"].as_str(), Some("2021"));
        assert_eq!(rendered["profile"]["release"]["overflow-checks"].as_bool(), Some(true));
        assert!(rendered["profile"]["release"].get("opt-level").is_none());
    }
}
