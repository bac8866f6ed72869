//! Questions about a recorded run, such as `leader and not majority_reachable`.
//!
//! A [`Question`] is a condition. It is asked of each server after each event of the run file; the
//! [`Answers`] are the events at which it holds, or the times during which it does. They come from
//! the file alone. docs/questions.md explains the language, and [`help()`] lists its words.
//!
//! ```no_run
//! let run = runfile::read("3A-re-election-7.run".as_ref()).expect("a run file");
//! let question = report::ask::Question::parse("becomes leader and term > 2").expect("a question");
//! print!("{}", question.ask(&run).text(20));
//! ```

mod mistake;
mod lexer;
mod meaning;
mod dictionary;
mod suggest;
mod query;
mod parser;
mod value_parser;
mod logs;
mod moments;
mod values;
mod place;
mod search;
mod order;
mod evaluate;
mod time;
mod notes;
mod answers;
mod text;
mod help;

use runfile::RunFile;

pub use self::answers::Answers;
pub use self::mistake::Mistake;

use self::query::Condition;

/// A question about a run.
#[derive(Debug)]
pub struct Question {
    condition: Condition,
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// If it is not one: what is wrong, where, and which words are right there.
    pub fn parse(question: &str) -> Result<Question, Mistake> {
        Ok(Question { condition: parser::parse(question)? })
    }

    /// Asks it about a run.
    pub fn ask<'a>(&self, run: &'a RunFile) -> Answers<'a> {
        Answers::new(&self.condition, run)
    }
}

/// All words of the language, each with an example.
pub fn help() -> String {
    help::text()
}

/// The same as tables in Markdown.
pub fn words_as_markdown() -> String {
    help::markdown()
}

#[cfg(test)]
mod tests;
