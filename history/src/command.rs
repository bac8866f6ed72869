//! The commands of the tests. Raft sees bytes; reports show text.

/// The command for a number: its decimal digits, so that a report can show it.
pub fn number(n: u64) -> Vec<u8> {
    n.to_string().into_bytes()
}

/// A command as a report shows it: the whole text if it is short, otherwise the beginning and the
/// size in bytes.
pub fn show(command: &[u8]) -> String {
    const SHOWN_CHARS_MAX: usize = 24;
    let shown: String = command
        .iter()
        .take(SHOWN_CHARS_MAX)
        .flat_map(|byte| std::ascii::escape_default(*byte))
        .map(char::from)
        .collect();
    if command.len() <= SHOWN_CHARS_MAX {
        format!("\"{shown}\"")
    } else {
        format!("\"{shown}...\" ({} bytes)", command.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_in_one_short_line() {
        assert_eq!(show(&number(101)), "\"101\"");
        assert_eq!(show(&[0, b'"', 255]), "\"\\x00\\\"\\xff\"");
        assert_eq!(show(&[b'y'; 5000]), "\"yyyyyyyyyyyyyyyyyyyyyyyy...\" (5000 bytes)");
    }
}
