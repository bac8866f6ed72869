//! Submissions that cannot be compiled, in the compiler's own words.

use crate::support::{assert_golden, cargo_grade, folder, write_crate, write_crate_with};

const NO_DEPENDENCIES: &str = "[package]\nname = \"bare\"\nedition = \"2024\"\n";

#[test]
fn a_crate_that_does_not_compile_is_shown_what_the_compiler_says() {
    let folder = folder("a_crate_that_does_not_compile_is_shown_what_the_compiler_says");
    write_crate(&folder, "broken", "pub fn make() -> u64 {\n    \"five\"\n}\n");
    assert_golden!("does_not_compile", folder, cargo_grade(&folder, ["broken"]));
}

#[test]
fn a_crate_without_make_is_told_so_by_name() {
    let folder = folder("a_crate_without_make_is_told_so_by_name");
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
fn a_manifest_that_is_no_toml_and_a_crate_without_a_library_are_told_so() {
    let folder = folder("a_manifest_that_is_no_toml_and_a_crate_without_a_library_are_told_so");
    write_crate_with(&folder, "typo", "[package\nname = \"typo\"\n", "");
    let program = write_crate_with(&folder, "bare", NO_DEPENDENCIES, "fn main() {}\n");
    std::fs::rename(program.join("src/lib.rs"), program.join("src/main.rs")).unwrap();
    assert_golden!("no_library", folder, cargo_grade(&folder, ["typo", "bare"]));
}
