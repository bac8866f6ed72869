//! Prints the costs of the simulation on both engines.
//!
//! Real time is measured outside, around whole runs. Each figure is the difference between a long
//! and a short run, so that the start and the end of a run are not counted.

use std::time::{Duration, Instant};

use sim::{Engine, Options};

fn main() {
    let engines = [Engine::Fiber, Engine::Kernel];
    print("switch_ns", engines.map(|engine| per_item(engine, 1_000, scale(engine, 100), switches)));
    print("spawn_join_ns", engines.map(|engine| per_item(engine, 100, scale(engine, 100), spawns)));
    print("spawn_first_ns", engines.map(spawn_first_ns));
    print("clock_read_ns", engines.map(|engine| per_item(engine, 1_000, 1_000, clock_reads)));
}

/// The kernel engine gets a tenth of the work.
fn scale(engine: Engine, times: usize) -> usize {
    if engine == Engine::Fiber { times } else { times / 10 }
}

fn print(name: &str, [fibers, kernel]: [f64; 2]) {
    println!("{name} fibers {fibers:.0} kernel {kernel:.0} ratio {:.1}", kernel / fibers);
}

/// Two threads that sleep in turns. Every sleep is a timer, a jump of the clock and a switch.
fn switches(count: usize) {
    let sleep = move || (0..count / 2).for_each(|_| std::thread::sleep(Duration::from_micros(10)));
    let other = std::thread::spawn(sleep);
    sleep();
    other.join().expect("the other thread ends");
}

fn spawns(count: usize) {
    for _ in 0..count {
        std::thread::spawn(|| ()).join().expect("the thread ends");
    }
}

fn clock_reads(count: usize) {
    for _ in 0..count {
        std::hint::black_box(Instant::now());
    }
}

fn run_ns(engine: Engine, count: usize, work: fn(usize)) -> f64 {
    let start = Instant::now();
    let report = sim::run(Options::new().engine(engine), move || work(count));
    assert!(report.finished(), "{report}");
    start.elapsed().as_nanos() as f64
}

/// The least of five measurements, because other load only adds.
fn per_item(engine: Engine, count: usize, times: usize, work: fn(usize)) -> f64 {
    let least = |count| (0..5).map(|_| run_ns(engine, count, work)).fold(f64::INFINITY, f64::min);
    let (short, long) = (least(count), least(count * times));
    (long - short) / (count * times - count) as f64
}

/// Threads that are all alive at the same time, on stacks that no thread has used before, because
/// each size of stack has its own donors.
fn spawn_first_ns(engine: Engine) -> f64 {
    const COUNT: usize = 1_000;
    let start = Instant::now();
    let report = sim::run(Options::new().engine(engine), || {
        let spawn = |_| {
            let builder = std::thread::Builder::new().stack_size(3 << 20);
            builder.spawn(|| std::thread::sleep(Duration::from_secs(1))).expect("a thread")
        };
        let handles: Vec<_> = (0..COUNT).map(spawn).collect();
        handles.into_iter().for_each(|handle| handle.join().expect("the thread ends"));
    });
    assert!(report.finished(), "{report}");
    start.elapsed().as_nanos() as f64 / COUNT as f64
}
