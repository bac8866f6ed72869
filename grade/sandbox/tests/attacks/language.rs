//! Attacks that the compiler refuses: with `-F unsafe_code`, code that would run before `main` or
//! replace the simulator's hooks.

use std::fs;

use sandbox::{Limits, Toolchain};

use crate::support::{LIMIT, finish, folder, sandbox};

#[track_caller]
fn check(name: &str, edition: &str, source: &str) {
    let folder = folder(&format!("language-{name}-{edition}"));
    let file = folder.join("lib.rs");
    fs::write(&file, source).expect("the folder is ours");
    let mut rustc = Toolchain::find()
        .and_then(|toolchain| toolchain.rustc(sandbox(), &[], &folder, &Limits::of_a_build()))
        .expect("there is a compiler");
    rustc.args(["--edition", edition, "--crate-type", "lib", "--emit", "metadata", "--out-dir"]);
    rustc.arg(&folder).arg(&file);
    let allowed = finish(&mut rustc, LIMIT);
    assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
    let refused = finish(rustc.args(["-F", "unsafe_code"]), LIMIT);
    assert_eq!(refused.status.code(), Some(1), "{name} compiles in edition {edition}");
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.contains("-F unsafe-code"), "{errors}");
}

#[test]
fn an_overridden_symbol_does_not_compile() {
    let hook = "pub extern \"C\" fn clock_gettime(_: i32, _: *mut u8) -> i32 { 0 }";
    check("no_mangle", "2021", &format!("#[no_mangle] {hook}"));
    check("no_mangle", "2024", &format!("#[unsafe(no_mangle)] {hook}"));
    check("export_name", "2021", &format!("#[export_name = \"syscall\"] {hook}"));
    check("export_name", "2024", &format!("#[unsafe(export_name = \"syscall\")] {hook}"));
}

#[test]
fn code_before_main_does_not_compile() {
    let constructor = "#[used] pub static CONSTRUCTOR: extern \"C\" fn() = \
                       { extern \"C\" fn f() {} f };";
    check("link_section", "2021", &format!("#[link_section = \".init_array\"] {constructor}"));
    check(
        "link_section",
        "2024",
        &format!("#[unsafe(link_section = \".init_array\")] {constructor}"),
    );
}

#[test]
fn unsafe_code_does_not_compile() {
    let code = "pub fn f(p: *const u8) -> u8 { unsafe { *p } }";
    check("unsafe", "2021", code);
    check("unsafe", "2024", code);
    // The inner attribute does not overrule the command line.
    check("allowed", "2024", &format!("#![allow(unsafe_code)] {code}"));
}
