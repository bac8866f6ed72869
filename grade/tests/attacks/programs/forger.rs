//! A peer's program that has never heard of the kit: it answers the grader's steps by what the test
//! has written into it.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// Pieces behind their lengths (four bytes, little-endian), one for each step. The last is for all
/// further steps, too; an empty one says to go.
const ANSWERS: &[u8] = include_bytes!(env!("FORGED_ANSWERS"));

fn main() {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
    let mut grader = UnixStream::from(stdin);
    let mut answers = ANSWERS;
    let mut answer = Vec::new();
    // The first frame is no step.
    next(&mut grader);
    while !answers.starts_with(&[0; 4]) && next(&mut grader).is_some() {
        answer = next(&mut answers).unwrap_or(answer);
        if grader.write_all(&answer).is_err() {
            return;
        }
    }
}

fn next(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
