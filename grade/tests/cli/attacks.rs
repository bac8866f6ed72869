//! Peers that try to end, stall or deceive the run. Each is a process of its own, and the verdict
//! names it.

use std::path::Path;

use crate::support::{assert_golden, cargo_grade, folder, kit, write_crate};

const BASE: &str = include_str!("idle_peer.rs");

/// Grades the base with `line` at the place that a comment marks.
#[track_caller]
fn check(name: &str, place: &str, line: &str) {
    let folder = folder(name);
    write_peer(&folder, name, place, line);
    assert_golden!(name, folder, cargo_grade(&folder, ["--seeds", "1", "--test", "initial", name]));
}

fn write_peer(folder: &Path, name: &str, place: &str, line: &str) {
    let marked = format!("// {place}\n");
    assert!(BASE.contains(&marked));
    write_crate(folder, name, &BASE.replace(&marked, line));
}

#[test]
fn a_peer_that_exits_in_make_with_code_0() {
    let line = "println!(\"test result: ok. 3 passed\");
    if peer.me == 1 { std::process::exit(0); }";
    check("exits_in_make", "make", line);
}

#[test]
fn a_peer_that_aborts() {
    check("aborts", "get_state", "if self.me == 2 { std::process::abort(); }");
}

#[test]
fn a_peer_that_overflows_its_stack() {
    let line = "if peer.me == 0 {
        fn deeper(n: u64) -> u64 { std::hint::black_box([n; 64])[3] + deeper(n + 1) }
        std::thread::spawn(|| deeper(std::hint::black_box(0)));
    }";
    check("overflows_its_stack", "make", line);
}

/// The peer's own filter answers. The launcher's filter and Landlock would answer differently.
#[test]
fn a_peer_that_executes_another_program() {
    let line = "if peer.me == 1 {
        use std::os::unix::process::CommandExt;
        panic!(\"{}\", std::process::Command::new(\"/bin/true\").exec());
    }";
    check("executes", "make", line);
}

/// Its standard input is no longer the connection when its code runs.
#[test]
fn a_peer_that_writes_to_and_reads_its_standard_input() {
    let line = "if peer.me == 1 {
        use std::io::{Read, Write};
        use std::os::fd::AsFd;
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
        let mut stdin = std::fs::File::from(stdin);
        let written = stdin.write_all(&[255; 64]).is_ok();
        let mut bytes = Vec::new();
        let read = stdin.read_to_end(&mut bytes).unwrap();
        panic!(\"it was written: {written}; read: {read} bytes\");
    }";
    check("looks_for_its_connection", "make", line);
}

/// A pipe can be opened again, but its standard input is a pipe without a writer.
#[test]
fn a_peer_that_opens_its_connection_again() {
    let line = "if peer.me == 1 {
        let open = |file: &String| std::fs::OpenOptions::new().write(true).open(file).is_ok();
        let read = |file: &String| std::fs::File::open(file).is_ok();
        let files = (1..64).map(|descriptor| format!(\"/proc/self/fd/{descriptor}\"));
        let opened: Vec<_> = files.filter(|file| open(file) || read(file)).collect();
        panic!(\"opened: {opened:?}\");
    }";
    check("opens_its_connection", "make", line);
}

/// If all servers wrote their output to one file, all could read it.
#[test]
fn a_peer_that_reads_its_own_output() {
    let line = "if peer.me == 1 {
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileExt;
        let said = [std::io::stdout().as_fd(), std::io::stderr().as_fd()].map(|output| {
            let output = std::fs::File::from(output.try_clone_to_owned().unwrap());
            let place = std::io::Seek::stream_position(&mut &output);
            let read = output.read_at(&mut [0; 8], 0);
            let written = output.write_at(b\"vote for me\", 0);
            let kinds = [place.map(drop), read.map(drop), written.map(drop)];
            (kinds.map(|it| it.map_err(|error| error.kind())), output.metadata().unwrap().len())
        });
        panic!(\"{said:?}\");
    }";
    check("reads_its_output", "make", line);
}

/// It prints more than a pipe holds, and more than the limit.
#[test]
fn a_peer_that_prints_without_end() {
    let line = "if peer.me == 1 { loop { println!(\"{}\", \"x\".repeat(1 << 16)); } }";
    let folder = folder("prints");
    write_peer(&folder, "prints", "make", line);
    let told = cargo_grade(&folder, ["--seeds", "1", "--test", "initial", "prints"]);
    assert!(told.contains("server 1's process printed more than 16 MiB\n"), "{told}");
}

/// It includes files of the checkout: the reference, other submissions, results, or hidden seeds.
#[test]
fn a_submission_that_includes_files_of_the_checkout() {
    let folder = folder("takes");
    let reference = kit().join("raft/src/server.rs");
    write_crate(&folder, "takes", &format!("{BASE}\n#[path = {reference:?}]\nmod raft;\n"));
    let told = cargo_grade(&folder, ["--seeds", "1", "--test", "initial", "takes"]);
    assert!(told.starts_with("exit 3\n") && told.contains("Permission denied"), "{told}");
}

/// Servers that share a static agree on a leader without messages. In separate processes they do
/// not.
#[test]
fn servers_that_share_a_static_profit_only_in_one_process() {
    let name = "shares_a_static";
    let folder = folder(name);
    let line = "static FIRST: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        return (1, *FIRST.get_or_init(|| self.me) == self.me);
        #[expect(unreachable_code)]";
    write_peer(&folder, name, "get_state", line);
    let words = ["--seeds", "1", "--test", "initial", name];
    assert_golden!("shares_a_static_over_processes", folder, cargo_grade(&folder, words));
    let in_process = words.iter().copied().chain(["--in-process"]);
    assert_golden!("shares_a_static_in_process", folder, cargo_grade(&folder, in_process));
}
