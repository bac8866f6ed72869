//! How much one frame of a peer may hold, and what the grader keeps of it.
//!
//! A peer's process can send anything. What goes beyond these bounds is no frame, and so the fault
//! of its server, but for the texts of a verdict, which `config` cuts.

use std::fmt;
use std::marker::PhantomData;

use config::{Class, Failure};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// A frame that says to be longer is refused before anything is read of it. It is labrpc's bound on
/// a message, since a frame carries one.
pub const FRAME_BYTES_MAX: usize = labrpc::codec::MESSAGE_BYTES_MAX;
/// What comes out of one step: threads that poll for the whole of a step's millisecond come to some
/// thousands.
pub const OUTPUTS_MAX: usize = 1 << 18;
/// Sentences about threads that wait, and methods of a service: one a thread, or a name of a type.
pub const LIST_MAX: usize = 1 << 13;
/// The name of a method; a longer one is refused.
pub const NAME_BYTES_MAX: usize = 1 << 10;
/// The verdict of a peer's process on its own server, as far as the grader takes it: texts are cut,
/// and it is never the kit's fault, since anything can have run where it comes from.
pub fn verdict(server: usize, failure: Failure) -> Failure {
    let Failure { class, sentence, notes, .. } = failure;
    let (class, sentence) = match class {
        Class::Panic
        | Class::Deadlock
        | Class::Spin
        | Class::Outside
        | Class::Limit
        | Class::Contract => (class, sentence),
        // What only the lab can see, or the kit be guilty of.
        _ => (Class::Contract, format!("server {server}'s process failed by itself: {sentence}")),
    };
    Failure::of(server, class, sentence).with_notes(notes)
}

/// Reads a list that is not longer than `N`.
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
