//! The labs, on raft-io.

fn main() {
    tests::main(lab_raft_io::make)
}
