//! Runs every workload many times, and shows that one seed and one binary always give the same run.
//!
//! `cargo run --release -p sim --example determinism [RUNS]`, 200 by default. The workloads run
//! alone and under load, on both engines, and in fresh processes, where addresses differ.
//! Different seeds must differ. A workload that reads real time on purpose must be detected;
//! otherwise the check would prove nothing. Exits with 1 if anything is wrong.

mod workloads;

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sim::{Engine, Options, Output};
use workloads::{WORKLOADS, leak};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--hashes") {
        WORKLOADS.iter().for_each(|(_, work)| println!("{:016x}", hash(1, *work)));
        return ExitCode::SUCCESS;
    }
    let runs = argument.and_then(|runs| runs.parse().ok()).unwrap_or(200);
    let mut failures = 0;
    for loaded in [false, true] {
        let load = loaded.then(Load::start);
        let setting = if loaded { "under load" } else { "alone" };
        for (name, work) in WORKLOADS {
            failures += u32::from(!check(name, setting, runs, *work));
        }
        drop(load);
    }
    failures += u32::from(!fresh_processes(5)) + u32::from(!leak_is_found());
    println!("{}", if failures == 0 { "deterministic" } else { "NOT deterministic" });
    ExitCode::from(u8::from(failures > 0))
}

fn options(engine: Engine, seed: u64) -> Options {
    Options::new().engine(engine).seed(seed).output(Output::Captured)
}

fn hash(seed: u64, work: fn()) -> u64 {
    let report = sim::run(options(Engine::Fiber, seed), work);
    assert!(report.finished(), "{report}");
    report.trace_hash
}

/// All runs on fibers, and a tenth of that number on kernel threads, must have one hash. Another
/// seed must have another hash.
fn check(name: &str, setting: &str, runs: u32, work: fn()) -> bool {
    let mut hashes = Vec::new();
    for (engine, runs) in [(Engine::Fiber, runs), (Engine::Kernel, runs.div_ceil(10))] {
        match sim::repeat(&options(engine, 1), runs, work) {
            Ok(report) if report.finished() => hashes.push(report.trace_hash),
            Ok(report) => println!("{name}: {report}"),
            Err(divergence) => println!("{name} {engine:?} {setting}: {divergence}"),
        }
    }
    let agree = hashes.len() == 2 && hashes[0] == hashes[1];
    let differ = hash(2, work) != hash(1, work);
    println!(
        "{name:<12} {setting:<11} {runs} runs  hash {:016x}  engines {}  seeds {}",
        hashes.first().copied().unwrap_or_default(),
        if agree { "agree" } else { "DISAGREE" },
        if differ { "differ" } else { "DO NOT DIFFER" },
    );
    agree && differ
}

/// The hashes of fresh processes, where every address differs.
fn fresh_processes(count: usize) -> bool {
    let run = || {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program).arg("--hashes").output().expect("this program runs");
        String::from_utf8(output.stdout).expect("hashes are text")
    };
    let first = run();
    let here: String =
        WORKLOADS.iter().map(|(_, work)| format!("{:016x}\n", hash(1, *work))).collect();
    let alike = first == here && (1..count).all(|_| run() == first);
    println!("{count} fresh processes {}", if alike { "agree" } else { "DISAGREE" });
    alike
}

/// Checks that a read of real time is detected, and prints the step.
fn leak_is_found() -> bool {
    match sim::repeat(&options(Engine::Fiber, 1), 50, leak) {
        Ok(_) => {
            println!("the deliberate leak was NOT found");
            false
        }
        Err(divergence) => {
            println!("the deliberate leak was found: {divergence}");
            divergence.first.is_some()
        }
    }
}

/// Two threads outside that keep the processors busy.
struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start() -> Load {
        let over = Arc::new(AtomicBool::new(false));
        let spin = |over: Arc<AtomicBool>| {
            while !over.load(Ordering::Relaxed) {
                // Allocates too, so that the allocator is shared.
                std::hint::black_box(vec![0_u8; 4096]);
            }
        };
        let start = |_| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || spin(over))
        };
        let threads = (0..2).map(start).collect();
        Load { over, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("the load ends"));
    }
}
