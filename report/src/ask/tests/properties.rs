//! What holds for every question, whatever the run.

use runfile::RunFile;

use super::short_run;
use crate::ask::Question;
use crate::ask::dictionary::words;
use crate::sample;

/// Draws conditions from the examples of the dictionary.
struct Draw {
    state: u64,
}

impl Draw {
    /// SplitMix64: the tests draw the same conditions each time.
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).expect("it is below a usize")
    }

    fn condition(&mut self, depth: usize) -> String {
        let examples: Vec<&str> = words().map(|word| word.example).collect();
        let example = |draw: &mut Draw| format!("({})", examples[draw.below(examples.len())]);
        if depth == 0 {
            return example(self);
        }
        let (left, right) = (self.condition(depth - 1), self.condition(depth - 1));
        match self.below(7) {
            0 => format!("({left} and {right})"),
            1 => format!("(not {left} or not {right})"),
            2 => format!("(not {left})"),
            3 => format!("(preceded by {left} within 300 ms)"),
            4 => format!("(followed by ({left} and same server) before {right})"),
            5 => format!("(any other server ({left}))"),
            _ => example(self),
        }
    }
}

fn events(run: &RunFile, question: &str) -> Vec<(usize, Option<usize>)> {
    let question_read = Question::parse(question);
    let question = question_read.unwrap_or_else(|mistake| panic!("{mistake}"));
    let answers = question.ask(run).answers;
    answers.iter().map(|answer| (answer.event, answer.server)).collect()
}

#[test]
fn a_condition_and_its_opposite_never_hold_together() {
    let (small, real) = (sample::run(), short_run());
    for word in words() {
        let a = word.example;
        for run in [&small, &real] {
            assert_eq!(events(run, &format!("({a}) and not ({a})")), [], "{a}");
        }
    }
    let mut draw = Draw { state: 16 };
    for _ in 0..500 {
        let a = draw.condition(2);
        assert_eq!(events(&small, &format!("{a} and not {a}")), [], "{a}");
        assert_eq!(events(&small, &format!("not {a} and {a}")), [], "{a}");
    }
    for _ in 0..20 {
        let a = draw.condition(2);
        assert_eq!(events(&real, &format!("{a} and not {a}")), [], "{a}");
    }
}

#[test]
fn joining_words_follow_the_laws_of_logic() {
    let run = sample::run();
    let mut draw = Draw { state: 17 };
    let mut found = 0;
    for _ in 0..300 {
        let (a, b) = (draw.condition(1), draw.condition(1));
        // `server >= 0` makes each a question about each server.
        let ask = |question: &str| events(&run, &format!("server >= 0 and {question}"));
        let both = ask(&format!("({a} and {b})"));
        assert_eq!(ask(&format!("({b} and {a})")), both, "{a} {b}");
        let neither = ask(&format!("(not {a} and not {b})"));
        assert_eq!(ask(&format!("not (not not {a} or not not {b})")), neither, "{a} {b}");
        assert_eq!(ask(&format!("not not {a} and {a}")), ask(&format!("{a} and {a}")), "{a}");
        found += both.len();
    }
    assert!(found > 20, "the conditions hold only {found} times");
}
