//! The labs with every rule watched, on raft-io with its own numbers of entries.

fn main() {
    tests::main(lab_raft_io::make_inspected)
}
