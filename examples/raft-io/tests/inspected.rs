//! The labs with every rule checked, on raft-io with its own indices.

fn main() {
    tests::main(lab_raft_io::make_inspected)
}
