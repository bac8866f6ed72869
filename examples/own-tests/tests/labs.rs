//! The labs and our own tests, on the reference Raft.

fn main() {
    tests::main_with(raft::make, &[own_tests::SUITE])
}
