//! The labs, on the reference Raft.

fn main() {
    tests::main(raft::make)
}
