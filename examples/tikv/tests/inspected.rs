//! The labs with every rule checked, on TiKV's Raft with its own indices.
//!
//! The empty entries of its leaders have indices there, so three tests that count commands fail.
//! Leave them out: `--skip "basic agree" --skip "rpc bytes" --skip "fail no agree"`.

fn main() {
    tests::main(tikv::make_inspected)
}
