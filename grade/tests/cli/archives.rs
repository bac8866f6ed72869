//! Submissions in archives: honest ones are graded, others are refused with the reason.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{assert_golden, cargo_grade, folder};

const MANIFEST: &str = "[package]\nname = \"packed\"\nedition = \"2024\"\n\n\
    [dependencies]\nraftapi = \"*\"\nlabrpc = \"*\"\nparking_lot = \"0.13\"\n";
const IDLE: &str = include_str!("idle_peer.rs");

fn zip(path: &Path, files: &[(&str, &str)]) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    for (name, text) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

/// Adds a file under any name, even one that no honest program would write.
fn add(archive: &mut Builder<impl Write>, name: &str, size: u64, bytes: impl io::Read) {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(size);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    archive.append(&header, bytes).unwrap();
}

fn tar(path: &Path, files: &[(&str, &str)]) {
    let mut archive = Builder::new(File::create(path).unwrap());
    for (name, text) in files {
        add(&mut archive, name, text.len() as u64, text.as_bytes());
    }
    archive.finish().unwrap();
}

#[test]
fn an_archive_with_the_crate_at_its_top_or_in_one_folder_is_graded() {
    let folder = folder("archives");
    let (manifest, lib) = ("ada/Cargo.toml", "ada/src/lib.rs");
    let others = [
        ("ada/build.rs", "fn main() {}"),
        ("ada/.cargo/config.toml", "[build]"),
        ("ada/rust-toolchain.toml", "[toolchain]"),
        ("ada/tests/labs.rs", "fn main() {}"),
    ];
    let files = [&[(manifest, MANIFEST), (lib, IDLE), ("__MACOSX/._x", "x")], &others[..]].concat();
    zip(&folder.join("ada.zip"), &files);
    tar(&folder.join("bob.tar"), &[("./Cargo.toml", MANIFEST), ("./src/lib.rs", IDLE)]);
    let gz = GzEncoder::new(File::create(folder.join("eve.tar.gz")).unwrap(), Compression::fast());
    let mut eve = Builder::new(gz);
    add(&mut eve, "Cargo.toml", MANIFEST.len() as u64, MANIFEST.as_bytes());
    add(&mut eve, "src/lib.rs", IDLE.len() as u64, IDLE.as_bytes());
    eve.into_inner().unwrap().finish().unwrap();
    let words = ["--seeds", "1", "--test", "initial", "ada.zip", "bob.tar", "eve.tar.gz"];
    assert_golden!("archives", folder, cargo_grade(&folder, words));
}

#[test]
fn a_harmful_or_invalid_archive_is_refused() {
    let folder = folder("bad_archives");
    let crate_at_top = [("Cargo.toml", MANIFEST), ("src/lib.rs", IDLE)];
    let evil = |name: &'static str| [&crate_at_top[..], &[(name, "evil")]].concat();
    zip(&folder.join("climbs.zip"), &evil("src/../../evil.rs"));
    tar(&folder.join("climbs.tar"), &evil("../evil.rs"));
    tar(&folder.join("absolute.tar"), &evil("/tmp/evil.rs"));
    tar(&folder.join("clash.tar"), &evil("src/lib.rs/more.rs"));
    fs::write(folder.join("noise.zip"), "noise").unwrap();
    fs::write(folder.join("noise.tar.gz"), "noise").unwrap();
    zip(&folder.join("two.zip"), &[("a/Cargo.toml", MANIFEST), ("b/src/lib.rs", IDLE)]);
    fs::write(folder.join("essay.txt"), "words").unwrap();

    // A link to a file that is not the student's.
    let mut archive = Builder::new(File::create(folder.join("link.tar")).unwrap());
    add(&mut archive, "Cargo.toml", MANIFEST.len() as u64, MANIFEST.as_bytes());
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "src/lib.rs", "/etc/passwd").unwrap();
    archive.finish().unwrap();

    // A hundred megabytes of zeros, packed into a hundred kilobytes.
    let size = 100 << 20;
    let gz = GzEncoder::new(File::create(folder.join("bomb.tgz")).unwrap(), Compression::fast());
    let mut bomb = Builder::new(gz);
    add(&mut bomb, "nothing", size, io::Read::take(io::repeat(0), size));
    bomb.into_inner().unwrap().finish().unwrap();
    let mut bomb = ZipWriter::new(File::create(folder.join("bomb.zip")).unwrap());
    bomb.start_file("src/nothing.rs", SimpleFileOptions::default()).unwrap();
    io::copy(&mut io::Read::take(io::repeat(0), size), &mut bomb).unwrap();
    bomb.finish().unwrap();

    let names = [
        "climbs.zip",
        "climbs.tar",
        "absolute.tar",
        "clash.tar",
        "link.tar",
        "noise.zip",
        "noise.tar.gz",
        "bomb.tgz",
        "bomb.zip",
        "two.zip",
        "essay.txt",
    ];
    let said = names.map(|name| cargo_grade(&folder, [name])).concat();
    assert_golden!("bad_archives", folder, said);
    assert!(!folder.join("../evil.rs").exists());
}

/// A .zip with two files of the same name, which no honest program writes. They are written under
/// different names, and then renamed.
fn zip_twice(path: &Path, files: &[(&str, &str)], name: &str, other: &str) {
    assert_eq!(name.len(), other.len());
    zip(path, &[files, &[(name, IDLE), (other, "evil")]].concat());
    let mut bytes = fs::read(path).unwrap();
    for at in 0..bytes.len() - other.len() {
        if &bytes[at..at + other.len()] == other.as_bytes() {
            bytes[at..at + other.len()].copy_from_slice(name.as_bytes());
        }
    }
    fs::write(path, bytes).unwrap();
}

/// A file under a name of any length, as GNU tar writes it.
fn tar_long(path: &Path, files: &[(&str, &str)]) {
    let mut archive = Builder::new(File::create(path).unwrap());
    for (name, text) in files {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_entry_type(EntryType::Regular);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn an_archive_with_ambiguous_or_invalid_names_is_refused() {
    let folder = folder("doubled");
    let manifest = ("Cargo.toml", MANIFEST);
    let lib = ("src/lib.rs", IDLE);
    let more = |name: &'static str| [manifest, lib, (name, "evil")];
    tar(&folder.join("twice.tar"), &more("src/lib.rs"));
    tar(&folder.join("manifest.tar"), &more("./Cargo.toml"));
    zip_twice(&folder.join("twice.zip"), &[manifest], "src/lib.rs", "src/lix.rs");
    tar(&folder.join("case.tar"), &more("src/LIB.rs"));
    zip(&folder.join("case.zip"), &more("cargo.toml"));
    tar(&folder.join("folder.tar"), &more("SRC/raft.rs"));
    let accents = [manifest, lib, ("src/\u{e9}.rs", ""), ("src/e\u{301}.rs", "")];
    zip(&folder.join("accents.zip"), &accents);
    zip(&folder.join("control.zip"), &more("src/a\rb.rs"));
    let long = format!("src/{}.rs", "n".repeat(300));
    tar_long(&folder.join("long.tar"), &[manifest, lib, (&long, "")]);
    let deep = format!("src/{}x.rs", "d/".repeat(3000));
    tar_long(&folder.join("deep.tar"), &[manifest, lib, (&deep, "")]);
    tar(&folder.join("honest.tar"), &[manifest, lib]);
    let names = [
        "twice.tar",
        "manifest.tar",
        "twice.zip",
        "case.tar",
        "case.zip",
        "folder.tar",
        "accents.zip",
        "control.zip",
        "long.tar",
        "deep.tar",
        "honest.tar",
    ];
    let words = ["--seeds", "1", "--test", "initial election"];
    assert_golden!("doubled", folder, cargo_grade(&folder, words.into_iter().chain(names)));
}

/// The same name twice is ordinary for folders, and for files that are ignored.
#[test]
fn entries_that_programs_add_to_archives_are_ignored() {
    let folder = folder("added");
    let mut archive = Builder::new(File::create(folder.join("added.tar")).unwrap());
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XGlobalHeader);
    header.set_path("pax_global_header").unwrap();
    header.set_size(0);
    header.set_cksum();
    archive.append(&header, io::empty()).unwrap();
    for name in ["ada/", "ada/src/", "ada/src/"] {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Directory);
        header.set_path(name).unwrap();
        header.set_size(0);
        header.set_cksum();
        archive.append(&header, io::empty()).unwrap();
    }
    let files = [
        ("._ada", "fork"),
        (".DS_Store", "view"),
        ("ada/Cargo.toml", MANIFEST),
        ("ada/._Cargo.toml", "fork"),
        ("ada/src/lib.rs", IDLE),
        ("ada/src/._lib.rs", "fork"),
        ("ada/src/.DS_Store", "view"),
        ("ada/notes.txt", "one"),
        ("ada/Notes.txt", "two"),
        ("ada/notes.txt", "three"),
    ];
    for (name, text) in files {
        add(&mut archive, name, text.len() as u64, text.as_bytes());
    }
    archive.finish().unwrap();
    let said = cargo_grade(&folder, ["--seeds", "1", "--test", "initial", "added.tar"]);
    assert!(said.starts_with("exit 1\nadded (added.tar), seed 1\n"), "{said}");
    assert!(said.ends_with("--- stderr\n"), "{said}");
}
