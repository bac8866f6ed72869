//! The labs, on this Raft.

fn main() {
    tests::main(my_raft::make)
}
