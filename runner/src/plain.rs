//! Makes text of a submission safe to show. Its panics, output and file names can contain anything,
//! but must not control a terminal or look like a line of the kit.
//!
//! All text for people passes through this file. Data formats keep the exact text and have escapes
//! of their own.

use std::fmt::Write;

/// Characters without width that the standard library calls printable: Unicode's
/// `Default_Ignorable_Code_Point`.
const INVISIBLE: [(char, char); 8] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Space for the words that say how much was cut.
const CUT_BYTES: usize = 32;

/// The text in one line. Control characters, escape sequences, marks of text direction and
/// characters without width become escapes such as `\n`, `\x1b` or `\u{202e}`. Everything else
/// stays as it is.
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Like [`line()`], for text in several lines: line breaks and tabs stay.
pub fn lines(text: &str) -> String {
    escaped(text, |c| c == '\n' || c == '\t')
}

/// Like [`lines`], for a sentence below a heading. All lines after the first are marked, so that
/// none looks like a line of the kit.
pub fn sentence(text: &str) -> String {
    lines(text).replace('\n', "\n    | ")
}

/// JSON with escapes for everything that controls a terminal. A parser reads the same values.
pub fn json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if is_shown(c) || c == '\n' {
            plain.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(plain, "\\u{unit:04x}").expect("a string takes what is written");
            }
        }
    }
    plain
}

/// Cuts a text to at most `bytes_max` bytes as shown. A cut text keeps its beginning and says how
/// much was cut.
pub fn cut(text: &str, bytes_max: usize) -> String {
    let (mut kept, mut shown) = (0, 0);
    for (at, c) in text.char_indices() {
        if shown <= bytes_max.saturating_sub(CUT_BYTES) {
            kept = at;
        }
        shown += width(c);
        if shown > bytes_max {
            return format!("{}... ({} more)", &text[..kept], amount(text.len() - kept));
        }
    }
    text.to_owned()
}

/// The first texts of a list: at most `count_max`, each cut to `each_bytes_max`, together at most
/// `all_bytes_max` bytes as shown. If some are left out, the last one says how many.
pub fn cut_list(
    texts: &[String],
    count_max: usize,
    each_bytes_max: usize,
    all_bytes_max: usize,
) -> Vec<String> {
    let fit = |count_max: usize, bytes_max: usize| -> Vec<String> {
        let mut room = bytes_max;
        let cut = texts.iter().take(count_max).map(|text| cut(text, each_bytes_max));
        cut.take_while(|text| {
            let width = text.chars().map(width).sum();
            let fits = width <= room;
            room = room.saturating_sub(width);
            fits
        })
        .collect()
    };
    let whole = fit(count_max, all_bytes_max);
    if whole.len() == texts.len() {
        return whole;
    }
    let mut some = fit(count_max.saturating_sub(1), all_bytes_max.saturating_sub(CUT_BYTES));
    some.push(format!("... ({} more)", texts.len() - some.len()));
    some
}

/// The number of bytes of a character as shown. A line break counts as an escape.
pub fn width(c: char) -> usize {
    if is_shown(c) {
        return c.len_utf8();
    }
    let mut escape = String::new();
    write_escape(&mut escape, c);
    escape.len()
}

/// A number of bytes, for people.
pub fn amount(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// Whether [`line()`] would change nothing.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(is_shown)
}

fn escaped(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c) || also(c) {
            plain.push(c);
        } else {
            write_escape(&mut plain, c);
        }
    }
    plain
}

fn write_escape(plain: &mut String, c: char) {
    let written = match c {
        '\n' => plain.write_str("\\n"),
        '\r' => plain.write_str("\\r"),
        '\t' => plain.write_str("\\t"),
        '\0'..='\x7f' => write!(plain, "\\x{:02x}", u32::from(c)),
        _ => write!(plain, "\\u{{{:x}}}", u32::from(c)),
    };
    written.expect("a string takes what is written");
}

/// Whether a terminal shows the character in its place and does nothing else.
fn is_shown(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return true;
    }
    if INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c)) {
        return false;
    }
    // In the standard library only `escape_debug` knows which characters are printable. It also
    // escapes an accent at the beginning of a text, so a letter is put before the character.
    let mut with_base = String::from('a');
    with_base.push(c);
    with_base.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(line(text), expected);
    }

    #[test]
    fn characters_that_control_a_terminal_are_escaped() {
        check("\x1b[2J\x07\0\x7f", "\\x1b[2J\\x07\\x00\\x7f");
        check("one\r\n\ttwo", "one\\r\\n\\ttwo");
        check("\u{9b}2J\u{85}", "\\u{9b}2J\\u{85}");
        check(
            "\u{202e}passed\u{202c}\u{2066}\u{200f}",
            "\\u{202e}passed\\u{202c}\\u{2066}\\u{200f}",
        );
        check("a\u{200b}b\u{200d}\u{feff}\u{ad}", "a\\u{200b}b\\u{200d}\\u{feff}\\u{ad}");
        check("\u{2028}\u{2029}\u{e0041}\u{3164}", "\\u{2028}\\u{2029}\\u{e0041}\\u{3164}");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["it's \"a\" \\ path", "Zoë, 学生, студент, छात्र, e\u{301}, ✓ 🦀"]
        {
            check(text, text);
            assert!(is_plain(text));
        }
    }

    #[test]
    fn text_in_lines_keeps_line_breaks_and_a_sentence_marks_its_lines() {
        assert_eq!(lines("one\n\ttwo\r\n"), "one\n\ttwo\\r\n");
        assert_eq!(sentence("left:\n  fails in 0"), "left:\n    |   fails in 0");
    }

    #[test]
    fn escaped_json_has_the_same_values() {
        let text = "[\n  \"\u{9b}2J \u{202e}\u{e0041} ü\"\n]\n";
        assert_eq!(json(text), "[\n  \"\\u009b2J \\u202e\\udb40\\udc41 ü\"\n]\n");
    }

    #[test]
    fn a_cut_text_says_how_much_was_cut() {
        assert_eq!(cut("short", 40), "short");
        let long = cut(&"x".repeat(10 << 20), 40);
        assert_eq!(long, "xxxxxxxx... (9 MiB more)");
        assert_eq!(cut(&long, 40), long);
        // Text that becomes longer when shown is cut earlier, and never within a character.
        let controls = cut(&"\x1b".repeat(100), 40);
        assert_eq!(line(&controls), "\\x1b\\x1b... (98 bytes more)");
        assert!(line(&cut(&"ü".repeat(3000), 40)).len() <= 40);
    }

    #[test]
    fn a_list_is_cut_by_its_count_and_by_its_bytes() {
        let texts = |count: usize, text: &str| vec![text.to_owned(); count];
        assert_eq!(cut_list(&texts(3, "one"), 3, 40, 9), texts(3, "one"));
        let long = cut_list(&texts(9, "one"), 3, 40, 900);
        assert_eq!(long, ["one", "one", "... (7 more)"]);
        let large = cut_list(&texts(9, "0123456789"), 20, 40, 60);
        assert_eq!(large, ["0123456789", "0123456789", "... (7 more)"]);
        assert_eq!(cut_list(&large, 20, 40, 60), large);
    }
}
