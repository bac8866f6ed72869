//! The text of a Markdown page, as paragraphs of prose.

use crate::prose::Prose;

/// Each line of text is a paragraph, since a page has a sentence a line; blocks of code are left
/// out, whether they are fenced or indented.
pub(crate) fn of(text: &str) -> Vec<Prose> {
    let mut in_code = false;
    let mut all = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && !text.starts_with("    ") {
            all.push(Prose::of(line, text));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_left_out() {
        let text = "One.\n```\ntwo\n```\n    three\nFour.";
        let words = of(text).iter().flat_map(|prose| prose.words().to_vec()).collect::<Vec<_>>();
        let words: Vec<_> = words.iter().map(|word| (&word.text[..], word.line)).collect();
        assert_eq!(words, [("One", 1), ("Four", 6)]);
    }
}
