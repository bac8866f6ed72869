//! Text of a run file, made safe to show: it comes from the code under test.

/// The text in one line, with control characters escaped, and cut after `chars_max` characters.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == chars_max {
            shown.push_str("...");
            break;
        }
        match c {
            c if c.is_control() || is_invisible(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that change how the text around them is shown.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_in_its_line() {
        assert_eq!(line("a\n\u{1b}[2J\u{202e}b", 99), "a\\u{a}\\u{1b}[2J\\u{202e}b");
        assert_eq!(line("abcdef", 3), "abc...");
    }
}
