//! `cargo timeline --ask`: what a script sees of it.

use std::process::Command;

/// The exit code, stdout and stderr.
fn timeline(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_timeline"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = command.args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn ask(question: &str, options: &[&str]) -> (i32, String, String) {
    timeline(&[&["docs/figure-8.run", "--ask", question], options].concat())
}

#[test]
fn the_exit_code_says_whether_there_is_an_answer() {
    let (code, out, err) = ask("becomes leader", &["--limit", "1"]);
    let answer = "   0.477138 s  server 4  L1 0/0      leads  (event 1027)\n";
    let more = "1 of 3 answers; --limit 3 shows all\n";
    assert_eq!((code, out.as_str(), err.as_str()), (0, &*[answer, more].concat(), ""));

    let (code, out, err) = ask("call \"InstallSnapshot\"", &[]);
    let note = "note: no call of this run is named \"InstallSnapshot\"; \
                there are: AppendEntries, RequestVote\n";
    assert_eq!((code, out.as_str(), err.as_str()), (1, "no answer\n", note));

    let (code, out, err) = ask("leader and vot", &[]);
    let mistake =
        "error: unknown word `vot`; did you mean `vote`?\n  leader and vot\n             ^^^\n";
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with(mistake), "{err}");
}

#[test]
fn json_is_alone_on_stdout() {
    let (code, out, err) = ask("call \"InstallSnapshot\"", &["--json"]);
    let note = "no call of this run is named \\\"InstallSnapshot\\\"; \
                there are: AppendEntries, RequestVote";
    let end = format!("{{\"end\":true,\"answers\":0,\"left_out\":0,\"notes\":[\"{note}\"]}}\n");
    assert_eq!((code, out, err.as_str()), (1, end, ""));
    let (code, out, _) = ask("vote", &["--json", "--limit", "2"]);
    let is_object = |line: &str| line.starts_with("{\"n\":") && line.ends_with("}}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 3));
    assert!(lines[..2].iter().all(|line| is_object(line)), "{out}");
}

#[test]
fn help_needs_no_file_and_a_question_does() {
    let (code, out, _) = timeline(&["--ask", "help"]);
    assert_eq!((code, out), (0, report::ask::help()));
    let (code, _, err) = timeline(&["--ask", "leader"]);
    assert_eq!((code, err.as_str()), (2, "error: a question needs a run file\n"));
    let (code, _, err) = timeline(&["docs/grading.md", "--ask", "leader"]);
    assert_eq!((code, err.as_str()), (2, "error: docs/grading.md: it is not a run file\n"));
    let (code, _, err) = ask("leader", &["--server", "1"]);
    assert_eq!(code, 2);
    assert!(err.contains("cannot be used with"), "{err}");
    let (code, _, err) = timeline(&["docs/figure-8.run", "--json"]);
    assert_eq!(code, 2);
    assert!(err.contains("--ask <QUESTION>"), "{err}");
}
