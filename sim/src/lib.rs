//! Runs ordinary threads one at a time, in seeded virtual time.
//!
//! A test of threaded code is slow, because it waits for real clocks; it is fickle, because the
//! system schedules as it likes; and the failure it finds once is not found again. `sim::run` runs
//! a closure, and every thread started inside it, under a scheduler that takes all its decisions
//! from one seed, with a clock that jumps to the next deadline as soon as everybody waits. The code
//! inside is not changed, and need not know: it uses `std::thread`, `std::sync`, `parking_lot`,
//! `crossbeam-channel`, `Instant`, `HashMap`, `rand` as ever. The same binary with the same seed
//! takes the same steps every time.
//!
//! ```
//! use std::sync::mpsc;
//! use std::time::{Duration, Instant};
//! use sim::{Label, Options, Halt};
//!
//! // A worker that answers after a second, and a client that gives up after ten.
//! let report = sim::run(Options::new().seed(7), || {
//!     let (ask, asked) = mpsc::channel::<mpsc::Sender<u32>>();
//!     let _label = sim::label(Label { group: 1, incarnation: 0 });
//!     std::thread::Builder::new().name("worker".into()).spawn(move || {
//!         for reply in asked {
//!             std::thread::sleep(Duration::from_secs(1));
//!             let _ = reply.send(42);
//!         }
//!     }).unwrap();
//!
//!     let start = Instant::now();
//!     let (reply, answer) = mpsc::channel();
//!     ask.send(reply).unwrap();
//!     assert_eq!(answer.recv_timeout(Duration::from_secs(10)), Ok(42));
//!     assert!(start.elapsed() >= Duration::from_secs(1));
//!     println!("the whole of it took no real time to speak of");
//! });
//! assert_eq!(report.halt, Halt::Finished);
//! assert!(report.elapsed < Duration::from_secs(2));
//! assert!(report.threads.is_empty(), "the worker ended when its channel did");
//! ```
//!
//! # How it works
//!
//! The crate defines, under their own names, the functions of libc through which threads wait,
//! start, read clocks and ask for chance: `syscall` (for the futex), `clock_gettime`,
//! `clock_nanosleep`, `nanosleep`, `usleep`, `gettimeofday`, `sched_yield`, `getrandom`,
//! `pthread_create`, `pthread_join`, `pthread_detach`, `pthread_setname_np`, `pthread_getattr_np`,
//! `sigaltstack`, `gettid`, `__cxa_thread_atexit_impl`, `pthread_key_create`, `pthread_key_delete`,
//! `write`, `writev`. The executable's definition wins over the shared library's, with no flag and
//! no macro. A thread outside a simulation never notices: its calls are passed on.
//!
//! Inside, each such call is a step and a scheduling point (output, the listing of thread names
//! and what allocators call aside). A step costs a microsecond of virtual time, a clock read 50 ns;
//! computation is free. Who is ready is picked by the [`Policy`]; when nobody is, the clock jumps
//! to the next timer. [`Report::trace_hash`] covers every step, so two runs can be compared by one
//! number, and [`repeat()`] does so. All choices come from one seed through xoshiro256**.
//!
//! A simulated thread is a fiber on Linux x86-64: all of a run share one kernel thread. Each has a
//! stack and thread-local storage of its own that a real thread once set up and left behind, so
//! thread-locals, stack guards and `pthread_self` are genuine. Elsewhere on Linux, and wherever
//! [`Engine::Kernel`] is asked for (or `SIM_ENGINE=kernel` set), a simulated thread is a kernel
//! thread that waits for its turn. One seed gives one trace hash on both.
//!
//! Where neither exists, [`run()`] runs the closure in real time, and [`Report::is_virtual`] says
//! so.
//!
//! # What it costs
//!
//! On a two-core virtual machine, by `cargo run --release --example figures`: a switch 90 ns on
//! fibers and 3 us on kernel threads, a spawn and join 0.6 us and 55 us, the first use of a stack
//! 50 us and 150 us, a clock read 14 ns on either. A stack touched once stays in memory for the
//! next run; threads left behind by a run keep theirs for ever.
//!
//! # What comes out
//!
//! A [`Report`]: the [`Halt`] (a deadlock, a thread that spins, one that sits in a real call and
//! each limit are outcomes, not hangs), and every thread still alive with its name, [`Label`],
//! state, since when, and where. [`threads`] tells the same at any moment from inside. What threads
//! print is put together into lines, with the virtual time and the label in front ([`Output`]).
//!
//! Faults to inject are [`pause`], [`resume`], [`discard`] and [`set_clock_rate`], by group of
//! threads. A host that wants to give time and inputs itself uses [`Stepped`].
//!
//! # Switches between blocking points
//!
//! An uncontended lock makes no system call, so nothing above ever switches between two critical
//! sections of one thread: *check, then act* bugs stay hidden. Build the crate under test through
//! the wrapper `sim-rustc` (see its source), and [`Options::edges`] lets any edge of its control
//! flow be a switch. The code runs about 1.5 times as long; pure spin loops come to their end.
//!
//! # Allocators
//!
//! Any global allocator will do that keeps the rules below; jemalloc and mimalloc do. The scheduler
//! itself allocates too, so what an allocator does must not call for the scheduler. It is no step,
//! and a run has one trace hash with every allocator:
//!
//! - A clock that is not read by the standard library shows virtual time, but the read is no step.
//!   65,536 such reads without any step between are one, so that a loop that polls ends.
//! - `syscall(SYS_getrandom, .., GRND_NONBLOCK)` draws from a stream of its own, and is no step.
//! - Destructors of pthread keys run when a thread ends, so a thread's cache is given back.
//! - Transparent huge pages are switched off for the process, also for the programs that it starts:
//!   with a heap for each of hundreds of threads, the kernel would clear far more memory than they
//!   use.
//!
//! In the middle of an allocation, an allocator must not
//!
//! - give the turn away while it holds a lock: sleep, yield, wait for another thread, start or join
//!   one, or read a clock through `std::time`. The next thread that allocates, or the scheduler,
//!   would wait for that lock in the kernel, and the run ends as [`Halt::BlockedOutside`];
//! - be instrumented for switches at edges: leave its crate out of `SIM_EDGES`.
//!
//! # What a pass does not prove
//!
//! - A seed is one schedule of very many. Run more seeds; use [`Policy::Pct`].
//! - Execution is sequentially consistent: one thread runs at a time. Mistakes with relaxed atomics
//!   are invisible.
//! - Without edges, see above.
//! - Computation takes no virtual time, so races against slow code do not happen by themselves.
//!
//! # What it does not see
//!
//! - Real input and output: a read of a socket blocks the whole simulation, and after
//!   [`Options::wall_limit`] is the outcome [`Halt::BlockedOutside`].
//! - Clock reads as chances for others, in a build with link-time optimisation across crates
//!   (`lto = "thin"` or `"fat"`): where the standard library's read is inlined, it counts as one
//!   that is not the standard library's (see "Allocators").
//! - Calls past libc: `rustix` with its raw back end, `asm!`, `rdtsc` clocks.
//! - glibc's own locks: a pthread mutex or condition variable of a C library, held across a call
//!   that blocks. Thread cancellation is not supported.
//! - Statics: a run starts with what an earlier one in the process left in them. A process may fork
//!   once per seed instead, with no thread of its own but the caller; a child may `run`.
//! - Threads outside may share locks with threads inside, both ways; their timing is real, and then
//!   a run need not repeat ([`Report::outside_wakes`]).
//!
//! [`repeat()`] finds what leaks in by any of these ways, and names the first step that differs.
//!
//! # With a debugger
//!
//! `gdb` sees the kernel thread "sim machine", whose stack is that of the fiber that has the turn:
//! break where the trouble is, and `backtrace` and `print` work as ever, thread-locals included.
//! Since a seed repeats, break again earlier: `break sim::scheduler::turn::go if ...`, or stop at a
//! step with a watchpoint on `sim::scheduler::STEPS`. Threads that wait are not gdb's threads; call
//! [`threads_with_backtraces`] for them, or set `SIM_ENGINE=kernel` and they are. Time stands still
//! while a breakpoint holds; raise [`Options::wall_limit`] so that the watchdog does too.

mod label;
mod engine_kind;
mod halt;
mod options;
mod trace;
mod frames;
mod report;
mod repeat;

#[cfg(sim_virtual)]
mod run;
#[cfg(sim_virtual)]
mod step;
#[cfg(sim_virtual)]
mod inside;
#[cfg(sim_virtual)]
mod copy;
#[cfg(sim_virtual)]
mod watchdog;
#[cfg(sim_virtual)]
mod hooks;
#[cfg(sim_virtual)]
mod scheduler;
#[cfg(sim_virtual)]
mod engine;
#[cfg(sim_virtual)]
mod border;
#[cfg(sim_virtual)]
mod sys;
#[cfg(sim_virtual)]
mod arch;
#[cfg(not(sim_virtual))]
mod real;

pub use engine_kind::Engine;
pub use halt::Halt;
pub use label::Label;
pub use options::{Options, Output, Policy};
pub use repeat::{Difference, Divergence, first_difference, repeat};
pub use report::{PanicInfo, Report, ThreadInfo, ThreadState};
pub use trace::{Op, Step};

#[cfg(sim_virtual)]
pub use copy::{copy_process, warm_up};
#[cfg(sim_virtual)]
pub use hooks::edges::instrumented_edges;
#[cfg(sim_virtual)]
pub use hooks::system::read_names_from;
#[cfg(sim_virtual)]
pub use inside::{
    LabelGuard, current_label, discard, is_virtual, label, now, pause, resume, set_clock_rate,
    threads, threads_with_backtraces, wait_outside,
};
#[cfg(sim_virtual)]
pub use run::run;
#[cfg(sim_virtual)]
pub use step::{Advance, Inbox, Outbox, Pause, Stepped, serve};

#[cfg(not(sim_virtual))]
pub use real::{
    LabelGuard, current_label, discard, instrumented_edges, is_virtual, label, now, pause, resume,
    run, set_clock_rate, threads, threads_with_backtraces, wait_outside,
};
