//! Limits on the content of a peer's frame, and on the part of it that the grader keeps.
//!
//! A peer's process can send anything. Data that exceeds these limits is no frame, and so a failure
//! of its server. Only the texts of a verdict are cut instead, by the crate `verdict`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use verdict::{Class, Failure};

/// The limit on a frame's length. A longer frame is refused before it is read. It is the same as
/// labrpc's limit on a message, because a frame contains messages.
pub const FRAME_BYTES_MAX: usize = labrpc::codec::MESSAGE_BYTES_MAX;
/// The limit on outputs in one frame. Threads that poll for a whole millisecond cause a few
/// thousand.
pub const OUTPUTS_MAX: usize = 1 << 18;
/// The limit on sentences about waiting threads, on services, and on methods of one service, each.
pub const LIST_MAX: usize = 1 << 13;
/// The limit on the length of a method's name. A longer name is refused.
pub const NAME_BYTES_MAX: usize = 1 << 10;

/// The part of a verdict that the grader accepts if a peer's process gives it on its own server.
/// Texts are cut, and the kit is never at fault, because any code can have sent the verdict.
pub fn verdict(server: usize, failure: Failure) -> Failure {
    let Failure { class, sentence, notes, .. } = failure;
    let (class, sentence) = match class {
        Class::Panic
        | Class::Deadlock
        | Class::Spin
        | Class::Outside
        | Class::Limit
        | Class::Contract => (class, sentence),
        // The process cannot know these: only the lab can see them, or only the kit can cause them.
        _ => (Class::Contract, format!("server {server}'s process failed by itself: {sentence}")),
    };
    Failure::of(server, class, sentence).with_notes(notes)
}

/// Reads a list of at most `N` items.
pub(crate) fn at_most<'de, const N: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(List::<T, N>(PhantomData))
}

struct List<T, const N: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for List<T, N> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {N}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == N {
                return Err(A::Error::custom(format!("a list is longer than {N}")));
            }
            list.push(item);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_cannot_blame_the_kit() {
        let told = |class| verdict(2, Failure::of(1, class, "it broke"));
        for class in [Class::Infra, Class::Safety, Class::Liveness, Class::Timeout] {
            let expected = "contract: server 2's process failed by itself: it broke";
            assert_eq!(told(class).to_string(), expected);
        }
        assert_eq!(told(Class::Panic), Failure::of(2, Class::Panic, "it broke"));
    }

    #[test]
    fn long_texts_of_a_process_are_cut_and_marked_as_cut() {
        let told = |failure| verdict(0, failure);
        let failure = Failure::of(0, Class::Panic, "it broke");
        let long = Failure { sentence: "x".repeat(10 << 20), ..failure.clone() };
        assert!(told(long).sentence.ends_with("x... (cut, 10485760 bytes)"));
        let many = Failure { notes: vec!["ä".repeat(1 << 20); 1000], ..failure };
        assert_eq!(told(many.clone()), many.bounded());
    }
}
