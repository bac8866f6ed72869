//! A bug between two critical sections, and a loop that only reads a flag: with edges and without.
//!
//! Without instrumentation no lock here is ever contended. So no thread is switched between its two
//! sections, and no schedule shows the bug. In a build through `sim-rustc`, which instruments this
//! crate, a few seeds show it. `tests/edges.rs` builds it in that way and runs it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sim::{Halt, Options, Output};

fn main() {
    println!("instrumented {}", sim::instrumented_edges() > 0);
    println!("cooperative {}", first_seed(false, 1_000));
    println!("edges {}", first_seed(true, 50));
    println!("engines {}", if engines_agree() { "agree" } else { "disagree" });
    println!("observer {}", observer());
    println!("spin_cooperative {}", spin(false));
    println!("spin_edges {}", spin(true));
}

/// Withdraws from a balance that another thread can have changed after it was read.
fn withdraw(account: &Mutex<i32>) {
    let balance = *account.lock().unwrap();
    if balance >= 100 {
        *account.lock().unwrap() -= 100;
    }
}

/// The first seed that shows an overdrawn account, or `never`.
fn first_seed(edges: bool, seeds: u64) -> String {
    let overdrawn = |seed| {
        let options = Options::new().seed(seed).edges(edges).edge_mean(20);
        let report = sim::run(options.output(Output::Captured), || {
            let account = Mutex::new(100);
            thread::scope(|scope| {
                scope.spawn(|| withdraw(&account));
                scope.spawn(|| withdraw(&account));
            });
            assert_eq!(account.into_inner().unwrap(), 0, "overdrawn");
        });
        report.halt != Halt::Finished
    };
    (0..seeds).find(|seed| overdrawn(*seed)).map_or("never".to_owned(), |seed| seed.to_string())
}

/// Whether both engines switch at the same edges.
fn engines_agree() -> bool {
    let hash = |engine, seed| {
        let options = Options::new().engine(engine).seed(seed).edges(true).edge_mean(20);
        let report = sim::run(options, || {
            let total = Mutex::new(0);
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| (0..10).for_each(|i| *total.lock().unwrap() += i));
                }
            });
        });
        report.trace_hash
    };
    (0..20).all(|seed| hash(sim::Engine::Fiber, seed) == hash(sim::Engine::Kernel, seed))
}

fn look() {
    std::hint::black_box((0..10).map(|i| i * i).collect::<Vec<i32>>());
}

/// Whether instrumented code of an observer changes a run, if its edges count and if they do not.
fn observer() -> &'static str {
    let hash = |seed, observe: fn()| {
        let options = Options::new().seed(seed).edges(true).edge_mean(20);
        let report = sim::run(options, move || {
            let total = Mutex::new(0);
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for i in 0..10 {
                            *total.lock().unwrap() += i;
                            observe();
                        }
                    });
                }
            });
        });
        report.trace_hash
    };
    let is_changed = |observe| (0..20).any(|seed| hash(seed, || {}) != hash(seed, observe));
    match (is_changed(look), is_changed(|| sim::without_edges(&mut look))) {
        (true, false) => "unseen",
        (true, true) => "seen",
        (false, _) => "without edges",
    }
}

/// The end of a run in which a thread waits for a flag in a loop without any call.
fn spin(edges: bool) -> &'static str {
    let options = Options::new().edges(edges).cpu_limit(Duration::from_millis(300));
    let report = sim::run(options, || {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(1));
            other.store(true, Ordering::Relaxed);
        });
        while !flag.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    match report.halt {
        Halt::Finished => "ends",
        Halt::Spin { .. } => "named",
        _ => "other",
    }
}
