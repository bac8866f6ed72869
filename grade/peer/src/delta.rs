//! A byte string as the difference from an older one. Most saves differ little from the previous
//! one.

use serde::{Deserialize, Serialize};

/// The difference between two byte strings that share a beginning and an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The number of bytes at the beginning that are the same.
    front: usize,
    /// The number of bytes at the end that are the same.
    back: usize,
    /// The new bytes between them.
    #[serde(with = "serde_bytes")]
    between: Vec<u8>,
}

impl Change {
    /// The difference from `old` to `new`.
    pub fn between(old: &[u8], new: &[u8]) -> Change {
        let common = old.iter().zip(new).take_while(|(a, b)| a == b);
        let front = common.count();
        let rest = old[front..].iter().rev().zip(new[front..].iter().rev());
        let back = rest.take_while(|(a, b)| a == b).count();
        Change { front, back, between: new[front..new.len() - back].to_vec() }
    }

    /// Returns `new`. None if the change does not fit `old`.
    pub fn apply(&self, old: &[u8]) -> Option<Vec<u8>> {
        let back = old.len().checked_sub(self.back)?;
        let front = old.get(..self.front).filter(|_| self.front <= back)?;
        Some([front, &self.between, &old[back..]].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_gives_the_new_bytes_for_any_old_bytes() {
        let all = ["", "a", "aa", "aba", "abab", "babab", "xyz", "abxyzab"];
        for old in all {
            for new in all {
                let change = Change::between(old.as_bytes(), new.as_bytes());
                assert_eq!(change.apply(old.as_bytes()).unwrap(), new.as_bytes(), "{old} {new}");
            }
        }
        let change = Change::between(b"term 1, log", b"term 2, log");
        assert_eq!(change, Change { front: 5, back: 5, between: b"2".to_vec() });
    }

    #[test]
    fn a_change_of_other_bytes_is_refused() {
        let change = Change { front: 2, back: 2, between: vec![] };
        assert_eq!((change.apply(b"abc"), change.apply(b"")), (None, None));
    }
}
