//! The list of words is complete, and each word is one.

use std::collections::BTreeSet;

use crate::ask::Question;
use crate::ask::dictionary::{meaning, words};

#[test]
fn each_example_is_a_question_with_its_word() {
    for word in words() {
        if let Err(mistake) = Question::parse(word.example) {
            panic!("the example of `{}`: {mistake}", word.name);
        }
        let is_there = word.example.contains(word.name);
        assert!(is_there, "the example of `{}` is {}", word.name, word.example);
    }
}

#[test]
fn each_word_has_its_own_meaning() {
    let mut names = BTreeSet::new();
    for word in words() {
        assert!(names.insert(word.name), "`{}` is there twice", word.name);
        let first = word.name.split(' ').next().expect("a name");
        assert_eq!(meaning(first), Some(word.meaning), "`{}` is another word", word.name);
    }
}

/// A `|` would end a cell of the table in docs/questions.md.
#[test]
fn words_fit_into_a_table_and_a_line() {
    for word in words() {
        let text = [word.name, word.means, word.example].concat();
        assert!(!text.contains(['|', '\n']), "{}", word.name);
        assert!(!text.contains("  "), "{}", word.name);
    }
}

#[test]
fn help_is_as_a_person_sees_it() {
    insta::assert_snapshot!(crate::ask::help());
}
