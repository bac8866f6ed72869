//! docs/questions.md is true: its answers are those of the code, and so are its words.
//! `UPDATE_GOLDENFILES=1` writes them anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use report::ask::{self, Question};
use runfile::RunFile;

const COMMAND: &str = "    $ cargo timeline docs/figure-8.run --ask '";
const BEGIN: &str = "<!-- words: begin -->\n";
const END: &str = "<!-- words: end -->\n";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn page() -> String {
    std::fs::read_to_string(docs().join("questions.md")).unwrap()
}

/// What the command of a line prints.
fn output(run: &RunFile, command: &str) -> String {
    let (question, options) = command.rsplit_once('\'').expect("a question in quotes");
    let answers = Question::parse(question).unwrap_or_else(|it| panic!("{it}")).ask(run);
    match options {
        "" => answers.text(50),
        " --json --limit 1" => answers.json(1),
        other => panic!("{other:?} is not known here"),
    }
}

/// The page with the answers and words of today.
fn renewed(page: &str, run: &RunFile) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("a place for the words");
    let (_, after) = rest.split_once(END).expect("the end of the words");
    let mut text = String::new();
    let mut is_answer = false;
    for line in before.lines() {
        if let Some(command) = line.strip_prefix(COMMAND) {
            _ = writeln!(text, "{line}");
            output(run, command).lines().for_each(|line| _ = writeln!(text, "    {line}"));
            is_answer = true;
        } else if !(is_answer && line.starts_with("    ")) {
            _ = writeln!(text, "{line}");
            is_answer = false;
        }
    }
    [&text, BEGIN, "\n", &ask::words_as_markdown(), END, after].concat()
}

#[test]
fn answers_and_words_of_the_page_are_those_of_the_code() {
    let run = runfile::read(&docs().join("figure-8.run")).unwrap();
    let page = page();
    let renewed = renewed(&page, &run);
    if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
        std::fs::write(docs().join("questions.md"), renewed).unwrap();
    } else {
        assert_eq!(page, renewed, "UPDATE_GOLDENFILES=1 cargo test -p report writes the page anew");
    }
}

#[test]
fn the_page_has_ten_questions_and_each_other_one_can_be_asked() {
    let page = page();
    assert_eq!(page.lines().filter(|line| line.starts_with("### ")).count(), 10 + 8);
    let mut others = 0;
    for question in page.lines().filter_map(|line| line.strip_prefix("    --ask '")) {
        let question = question.strip_suffix('\'').unwrap();
        if let Err(mistake) = Question::parse(question) {
            panic!("{mistake}");
        }
        others += 1;
    }
    assert!(others > 10);
}
