//! Values of RPCs and commands, as a run file shows them.

use history::command;
use labrpc::network;
use runfile::Value;

/// A value of a message. Bytes become words, as commands do.
pub(crate) fn of(value: &network::Value) -> Value {
    match value {
        network::Value::Null => Value::Null,
        network::Value::Bool(value) => Value::Bool(*value),
        network::Value::Unsigned(value) => Value::Unsigned(*value),
        network::Value::Signed(value) => Value::Signed(*value),
        network::Value::Float(value) => Value::Float(*value),
        network::Value::Text(value) => Value::Text(value.clone()),
        network::Value::Bytes(value) => Value::Text(words(value)),
        network::Value::List(values) => Value::List(values.iter().map(of).collect()),
        network::Value::Map(values) => {
            Value::Fields(values.iter().map(|(name, value)| (name.clone(), of(value))).collect())
        }
    }
}

/// How many values a value is: itself and all its parts.
pub(crate) fn count(value: &network::Value) -> usize {
    1 + match value {
        network::Value::List(values) => values.iter().map(count).sum(),
        network::Value::Map(values) => values.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

/// A command in the lab's words: short text as it is, anything else as its beginning and its size.
pub(crate) fn words(command: &[u8]) -> String {
    let shown = command::show(command);
    let inner = shown.strip_prefix('"').and_then(|shown| shown.strip_suffix('"'));
    inner.map(str::to_owned).unwrap_or(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_commands_are() {
        let value = network::Value::Map(vec![
            ("term".into(), network::Value::Unsigned(3)),
            ("command".into(), network::Value::Bytes(b"100".to_vec())),
        ]);
        let fields = vec![
            ("term".into(), Value::Unsigned(3)),
            ("command".into(), Value::Text("100".into())),
        ];
        assert_eq!(of(&value), Value::Fields(fields));
    }

    #[test]
    fn a_command_is_shown_without_quotes_if_it_is_shown_whole() {
        assert_eq!(words(b"100"), "100");
        assert_eq!(words(&[b'y'; 5000]), "\"yyyyyyyyyyyyyyyyyyyyyyyy...\" (5000 bytes)");
    }
}
