//! What a person reads who asks a question that is none.

use std::fmt::Write;

use crate::ask::Question;

/// Questions that are none, by what is wrong.
const WRONG: &[&str] = &[
    // Words.
    "",
    "leeder",
    "leader and nott paused",
    "leader and majority",
    "role = leeder",
    "unanswered and how = lost",
    "previous server = 1",
    "previous args.term = 3",
    "and leader",
    "leader leader",
    "leader and",
    "vote \"RequestVote\"",
    "leader.term = 3",
    // Signs.
    "leader && paused",
    "!leader",
    "term > 3 $",
    "term => 3",
    "(leader or paused",
    "leader)",
    "call \"RequestVote",
    "args. = 3",
    // Values.
    "term",
    "term =",
    "term = leader",
    "args = 3",
    "next_index = 3",
    "next_index.term = 3",
    "term = 99999999999999999999",
    "command < \"x\"",
    "role < leader",
    "term = true",
    "term = \"x\" + 1",
    "time + 1 > 2 s",
    "term_at(time) = 1",
    "count(crash) > 1",
    "count leader > 1",
    // Times.
    "time > 3",
    "time > 1.5",
    "candidate for 3",
    "candidate for long",
    "time > 0.0000001 s",
    "time > 99999999999999999999 s",
    // What happens and what holds.
    "leader or crash",
    "becomes crash",
    "stops (leader and vote)",
    "crash for 1 s",
    "vote and preceded by (leader and same term for 1 s)",
    "vote and preceded by ((leader and same term) for 1 s)",
    // Order.
    "vote and preceded crash",
    "vote preceded by crash",
    "vote and preceded by crash before restart",
    "vote and followed by crash since restart",
    "vote and preceded by crash within 1 s within 2 s",
    "vote and same term",
    "vote and term = that term",
    "vote and other server",
    "any leader",
    "any server leader",
];

#[test]
fn a_mistake_has_a_sentence_a_place_and_the_right_words() {
    let mut text = String::new();
    for question in WRONG {
        let mistake = Question::parse(question).expect_err(question);
        _ = writeln!(text, "{mistake}\n");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn carets_are_under_the_place_in_any_script() {
    let mistake = Question::parse("command = \"čaj\" and\nförare").unwrap_err();
    let text = mistake.to_string();
    let lines: Vec<&str> = text.lines().take(3).collect();
    let question = "  command = \"čaj\" and förare";
    assert_eq!(lines, ["unknown word `förare`", question, "                      ^^^^^^"]);
}

#[test]
fn a_question_cannot_use_up_the_stack() {
    let mistake = |question: String| Question::parse(&question).unwrap_err().to_string();
    let sentence = "this question has too many conditions in one another\n";
    for (open, inner) in [("(", "up"), ("not ", "up"), ("becomes (", "up"), ("count(", "up")] {
        let question = open.repeat(100_000) + inner;
        assert!(mistake(question).starts_with(sentence), "{open}");
    }
}
