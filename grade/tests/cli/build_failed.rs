//! Submissions that do not compile, with the compiler's own messages.

use crate::support::{assert_golden, cargo_grade, folder, write_crate, write_crate_with};

const NO_DEPENDENCIES: &str = "[package]\nname = \"bare\"\nedition = \"2024\"\n";

#[test]
fn the_compilers_messages_are_shown_for_a_crate_that_does_not_compile() {
    let folder = folder("does_not_compile");
    write_crate(&folder, "broken", "pub fn make() -> u64 {\n    \"five\"\n}\n");
    assert_golden!("does_not_compile", folder, cargo_grade(&folder, ["broken"]));
}

#[test]
fn a_missing_make_is_reported_by_name() {
    let folder = folder("no_make");
    write_crate_with(&folder, "bare", NO_DEPENDENCIES, "pub fn made() {}\n");
    assert_golden!("no_make", folder, cargo_grade(&folder, ["bare"]));
}

#[test]
fn a_dependency_that_is_not_allowed_is_named() {
    let folder = folder("a_dependency_that_is_not_allowed_is_named");
    let manifest = format!("{NO_DEPENDENCIES}[dependencies]\ntokio = \"1\"\n");
    write_crate_with(&folder, "bare", &manifest, "");
    assert_golden!("forbidden_dependency", folder, cargo_grade(&folder, ["bare"]));
}

#[test]
fn an_invalid_manifest_and_a_missing_library_are_reported() {
    let folder = folder("no_library");
    write_crate_with(&folder, "typo", "[package\nname = \"typo\"\n", "");
    let program = write_crate_with(&folder, "bare", NO_DEPENDENCIES, "fn main() {}\n");
    std::fs::rename(program.join("src/lib.rs"), program.join("src/main.rs")).unwrap();
    assert_golden!("no_library", folder, cargo_grade(&folder, ["typo", "bare"]));
}

#[test]
fn unsafe_code_is_refused_whatever_its_author_allows() {
    let folder = folder("unsafe_code_is_refused_whatever_its_author_allows");
    let sources = [
        ("block", "pub fn f() { unsafe { std::hint::unreachable_unchecked() } }\n"),
        ("allowed", "#![allow(unsafe_code)]\npub fn f() { unsafe {} }\n"),
        ("allowed_here", "#[allow(unsafe_code)]\npub fn f() { unsafe {} }\n"),
        ("expected", "#![expect(unsafe_code)]\npub fn f() { unsafe {} }\n"),
        ("capped", "#![allow(warnings)]\npub fn f() { unsafe {} }\n"),
        ("symbol", "#[unsafe(no_mangle)]\npub extern \"C\" fn clock_gettime() {}\n"),
        ("export", "#[unsafe(export_name = \"write\")]\npub extern \"C\" fn f() {}\n"),
        ("section", "#[unsafe(link_section = \".init_array\")]\npub static F: u8 = 0;\n"),
        ("sync", "pub struct S(*mut u8);\nunsafe impl Sync for S {}\n"),
        ("macros", "macro_rules! m { () => { unsafe {} } }\npub fn f() { m!() }\n"),
    ];
    let mut said = String::new();
    for (name, source) in sources {
        let manifest =
            NO_DEPENDENCIES.replace("bare", name) + "[lints.rust]\nunsafe_code = \"allow\"\n";
        write_crate_with(&folder, name, &manifest, source);
        said += &cargo_grade(&folder, [name]);
    }
    assert_golden!("unsafe_code", folder, said);
}

#[test]
fn versions_that_the_kit_has_not_locked_cannot_be_used() {
    let folder = folder("not_locked");
    let manifest = |more: &str| format!("{NO_DEPENDENCIES}[dependencies]\n{more}\n");
    write_crate_with(&folder, "old", &manifest("rand = \"0.1\""), "");
    let no_feature = manifest("rand = { version = \"0.10\", features = [\"dice\"] }");
    write_crate_with(&folder, "feature", &no_feature, "");
    // Cargo's message depends on what else this machine has fetched.
    let said = cargo_grade(&folder, ["old"]);
    let asks = "does not build: cargo cannot resolve its Cargo.toml\n\n\
                error: ";
    assert!(said.starts_with(&format!("exit 3\n--- stderr\nerror: old {asks}")), "{said}");
    assert_golden!("not_locked", folder, cargo_grade(&folder, ["feature"]));
}

#[test]
fn a_submission_can_use_every_allowed_crate() {
    let folder = folder("every_allowed_crate");
    let crates = [
        ("anyhow", "1"),
        ("arc-swap", "1"),
        ("bincode", "2"),
        ("bytes", "1"),
        ("crossbeam-channel", "0.5"),
        ("labrpc", "0"),
        ("log", "0.4"),
        ("parking_lot", "0.13"),
        ("raftapi", "0"),
        ("rand", "0.10"),
        ("serde", "1"),
        ("serde_bytes", "0.11"),
        ("thiserror", "2"),
        ("tracing", "0.1"),
    ];
    let list: String = crates.map(|(name, version)| format!("{name} = \"{version}\"\n")).concat();
    let manifest = NO_DEPENDENCIES.replace("bare", "all") + "[dependencies]\n" + &list;
    let uses: String =
        crates.map(|(name, _)| format!("use {} as _;\n", name.replace('-', "_"))).concat();
    let idle = include_str!("idle_peer.rs").replacen("use std", &format!("{uses}use std"), 1);
    write_crate_with(&folder, "all", &manifest, &idle);
    let said = cargo_grade(&folder, ["--seeds", "1", "--test", "initial election", "all"]);
    assert!(said.starts_with("exit 1\nall (all), seed 1\n"), "{said}");
}
