//! Prints what the original's 28 tests cost with each allocator.
//!
//! `cargo bench --bench figures -- SEEDS`, 3 by default. Each run is a process of its own, as under
//! `cargo test`, and the allocators take turns, so that other load affects all of them equally.

use std::time::Duration;

use allocators::{original, run};

const SEEDS_DEFAULT: u64 = 3;

const ALLOCATORS: [(&str, &str); 3] = [
    ("system", env!("CARGO_BIN_EXE_run-system")),
    ("jemalloc", env!("CARGO_BIN_EXE_run-jemalloc")),
    ("mimalloc", env!("CARGO_BIN_EXE_run-mimalloc")),
];

fn main() {
    // Cargo passes `--bench` as well.
    let seeds = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let mut cpu = [Duration::ZERO; ALLOCATORS.len()];
    for test in original() {
        for seed in 1..=seeds.unwrap_or(SEEDS_DEFAULT) {
            for ((_, program), cpu) in ALLOCATORS.iter().zip(&mut cpu) {
                *cpu += run(program, test, seed).expect("the reference passes").cpu;
            }
        }
    }
    for ((allocator, _), own) in ALLOCATORS.iter().zip(cpu) {
        let ratio = own.as_secs_f64() / cpu[0].as_secs_f64();
        println!("{allocator:<9} cpu_s {:.2} ratio {ratio:.2}", own.as_secs_f64());
    }
}
