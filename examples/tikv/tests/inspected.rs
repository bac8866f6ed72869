//! The labs with every rule watched, on TiKV's Raft with its own numbers of entries.
//!
//! Its leaders' empty entries have numbers there, so three tests that count commands fail, and are
//! to be left out: `--skip "basic agree" --skip "rpc bytes" --skip "fail no agree"`.

fn main() {
    tests::main(tikv::make_inspected)
}
