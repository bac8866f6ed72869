//! The labs, on TiKV's Raft.

fn main() {
    tests::main(tikv::make)
}
