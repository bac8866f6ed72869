//! Values as a table: each text, list and object is there once, and refers to others by number.
//!
//! The messages of a run repeat themselves: a leader sends the same entries to each server, and
//! again after a loss. Shared parts keep the page small, and its script need not compare them.

use std::collections::HashMap;

use runfile::Value;
use serde_json::json;

/// The largest number that a script reads exactly.
const EXACT: u64 = (1 << 53) - 1;

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Values {
    ids: HashMap<String, usize>,
    nodes: Vec<serde_json::Value>,
    shape_ids: HashMap<Vec<String>, usize>,
}

impl Values {
    /// The number of a value, from 1.
    pub(crate) fn id(&mut self, value: &Value) -> usize {
        let node = match value {
            Value::List(items) => {
                let ids: Vec<_> = items.iter().map(|item| self.id(item)).collect();
                json!(std::iter::once(0).chain(ids).collect::<Vec<_>>())
            }
            Value::Fields(fields) => {
                let ids: Vec<_> = fields.iter().map(|(_, field)| self.id(field)).collect();
                let shape = self.shape(fields.iter().map(|(name, _)| name.clone()).collect());
                json!(std::iter::once(shape).chain(ids).collect::<Vec<_>>())
            }
            // A script would round it: its digits are a text.
            Value::Unsigned(number) if *number > EXACT => json!({ "digits": number.to_string() }),
            Value::Signed(number) if number.unsigned_abs() > EXACT => {
                json!({ "digits": number.to_string() })
            }
            scalar => json!(scalar),
        };
        let next = self.nodes.len() + 1;
        let id = *self.ids.entry(node.to_string()).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        id
    }

    /// The number of a list of field names, from 1: 0 tells a list from an object.
    fn shape(&mut self, names: Vec<String>) -> usize {
        let next = self.shape_ids.len() + 1;
        *self.shape_ids.entry(names).or_insert(next)
    }

    /// The nodes in the order of their numbers: a scalar, or a list of numbers of other nodes, of
    /// which the first is 0 for a list and the number of a shape for an object.
    pub(crate) fn nodes(&self) -> &[serde_json::Value] {
        &self.nodes
    }

    /// The names of each shape's fields, in the order of the shapes' numbers.
    pub(crate) fn shapes(&self) -> Vec<&[String]> {
        let mut shapes: Vec<_> = self.shape_ids.iter().collect();
        shapes.sort_by_key(|(_, id)| **id);
        shapes.into_iter().map(|(names, _)| names.as_slice()).collect()
    }
}

#[cfg(test)]
mod tests {
    use runfile::Value;
    use serde_json::json;

    use super::Values;

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn equal_parts_are_there_once() {
        let mut values = Values::default();
        let message = value(r#"{"entries":[{"term":3,"command":"x"}]}"#);
        let id = values.id(&message);
        let before = values.nodes().len();
        assert_eq!(values.id(&message), id);
        assert_eq!(values.id(&value(r#"[{"term":3,"command":"x"}]"#)), id - 1, "it is a part");
        assert_eq!(values.nodes().len(), before);
    }

    #[test]
    fn a_list_and_an_object_and_a_text_differ() {
        let mut values = Values::default();
        let all = ["[]", "{}", "\"[]\"", "null", "0", "\"0\"", "[0]", r#"{"digits":"0"}"#];
        let mut ids: Vec<_> = all.iter().map(|text| values.id(&value(text))).collect();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn a_number_that_a_script_would_round_is_a_text() {
        let mut values = Values::default();
        for number in [u64::MAX, 1 << 53, (1 << 53) - 1] {
            values.id(&Value::Unsigned(number));
        }
        values.id(&Value::Signed(i64::MIN));
        let digits = |digits: &str| json!({ "digits": digits });
        let expected = [
            digits("18446744073709551615"),
            digits("9007199254740992"),
            json!(9_007_199_254_740_991_u64),
            digits("-9223372036854775808"),
        ];
        assert_eq!(values.nodes(), expected);
    }
}
