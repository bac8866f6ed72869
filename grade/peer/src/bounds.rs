//! Limits on what one frame of a peer holds, and on what the grader keeps of it.
//!
//! A peer's process can send anything. What exceeds these limits is no frame, and so a failure of
//! its server. Only the texts of a verdict are cut instead, by `verdict`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use verdict::{Class, Failure};

/// The limit on a frame's length; a longer one is refused before any of it is read. The same as
/// labrpc's limit on a message, since a frame carries messages.
pub const FRAME_BYTES_MAX: usize = labrpc::codec::MESSAGE_BYTES_MAX;
/// The limit on outputs in one frame. Threads that poll for a whole millisecond cause some
/// thousands.
pub const OUTPUTS_MAX: usize = 1 << 18;
/// The limit on sentences about waiting threads, on services, and on methods of a service.
pub const LIST_MAX: usize = 1 << 13;
/// The limit on the length of a method's name; a longer one is refused.
pub const NAME_BYTES_MAX: usize = 1 << 10;

/// What the grader accepts of a verdict that a peer's process gives on its own server: texts are
/// cut, and the kit is never at fault, since any code can have sent it.
pub fn verdict(server: usize, failure: Failure) -> Failure {
    let Failure { class, sentence, notes, .. } = failure;
    let (class, sentence) = match class {
        Class::Panic
        | Class::Deadlock
        | Class::Spin
        | Class::Outside
        | Class::Limit
        | Class::Contract => (class, sentence),
        // Only the lab can see these, or only the kit can cause them.
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
    fn a_process_never_says_that_the_kit_is_at_fault() {
        let told = |class| verdict(2, Failure::of(1, class, "it broke"));
        for class in [Class::Infra, Class::Safety, Class::Liveness, Class::Timeout] {
            let expected = "contract: server 2's process failed by itself: it broke";
            assert_eq!(told(class).to_string(), expected);
        }
        assert_eq!(told(Class::Panic), Failure::of(2, Class::Panic, "it broke"));
    }

    #[test]
    fn what_a_process_says_is_cut_and_what_is_left_out_is_said() {
        let told = |failure| verdict(0, failure);
        let failure = Failure::of(0, Class::Panic, "it broke");
        let long = Failure { sentence: "x".repeat(10 << 20), ..failure.clone() };
        assert!(told(long).sentence.ends_with("x... (cut, 10485760 bytes)"));
        let many = Failure { notes: vec!["ä".repeat(1 << 20); 1000], ..failure };
        assert_eq!(told(many.clone()), many.bounded());
    }
}
