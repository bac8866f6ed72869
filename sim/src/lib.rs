//! Runs ordinary threads one at a time, in seeded virtual time.
//!
//! A test of threaded code is slow, because it waits for real clocks. It is flaky, because the
//! operating system chooses the schedule. And a failure that it finds once is hard to find again.
//!
//! `sim::run` runs a closure, and every thread started inside it, under its own scheduler. The
//! scheduler takes all its decisions from one seed. Its clock jumps to the next deadline as soon as
//! every thread waits. The code inside stays unchanged and does not know about the simulation. It
//! uses `std::thread`, `std::sync`, `parking_lot`, `crossbeam-channel`, `Instant`, `HashMap` and
//! `rand` as usual. The same binary with the same seed takes the same steps every time.
//!
//! ```
//! use std::sync::mpsc;
//! use std::time::{Duration, Instant};
//! use sim::{Halt, Label, Options};
//!
//! // A worker that answers after a second, and a client that waits for at most ten.
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
//!     println!("this took almost no real time");
//! });
//! assert_eq!(report.halt, Halt::Finished);
//! assert!(report.elapsed < Duration::from_secs(2));
//! assert!(report.threads.is_empty(), "the worker ended when its channel did");
//! ```
//!
//! # How it works
//!
//! The crate defines, under their own names, the functions of libc through which threads wait,
//! start, read clocks and get random numbers: `syscall` (for the futex), `clock_gettime`,
//! `clock_nanosleep`, `nanosleep`, `usleep`, `gettimeofday`, `sched_yield`, `getrandom`,
//! `pthread_create`, `pthread_join`, `pthread_detach`, `pthread_setname_np`, `pthread_getattr_np`,
//! `sigaltstack`, `gettid`, `__cxa_thread_atexit_impl`, `pthread_key_create`, `pthread_key_delete`,
//! `write`, `writev`. The linker prefers a definition in the executable to one in a shared library,
//! so no flag and no macro is needed. A thread outside a simulation notices nothing: its calls are
//! passed on.
//!
//! Inside a simulation each such call is a step and a scheduling point, except for output, thread
//! names and the calls of allocators. A step takes a microsecond of virtual time and a clock read
//! takes 50 ns. Computation takes no virtual time. The [`Policy`] says how the next thread is
//! chosen among the ready threads. If no thread is ready, the clock jumps to the next timer. All
//! choices come from one seed through xoshiro256**. [`Report::trace_hash`] covers every step, so
//! one number is enough to compare two runs; [`repeat()`] does that.
//!
//! On Linux x86-64 a simulated thread is a fiber: all threads of a run share one kernel thread.
//! Each fiber has its own stack and its own thread-local storage. A real thread set them up, and
//! then exited without freeing them. So thread-locals, stack guards and `pthread_self` are genuine.
//! On other Linux platforms a simulated thread is a kernel thread that waits for its turn.
//! [`Engine::Kernel`] or `SIM_ENGINE=kernel` selects that on x86-64 too. One seed gives the same
//! trace hash on both.
//!
//! On a platform that has neither, [`run()`] runs the closure in real time, and
//! [`Report::is_virtual`] is false.
//!
//! # What it costs
//!
//! On a two-core virtual machine, by `cargo run --release --example figures`:
//!
//! | | fibers | kernel threads |
//! |---|---|---|
//! | a switch | 90 ns | 3 us |
//! | a spawn and join | 0.6 us | 55 us |
//! | the first use of a stack | 50 us | 150 us |
//! | a clock read | 14 ns | 14 ns |
//!
//! A stack that was used once stays in memory for the next run. Threads that a run leaves behind
//! keep their stacks until the process ends.
//!
//! # The report
//!
//! A [`Report`] has two main parts. [`Halt`] says why the run ended. A deadlock, a thread that
//! spins, and a thread that blocks in a real call end the run, and do not hang the process. The
//! other part lists every thread that is still alive: its name, [`Label`], state, the time at which
//! the state began, and the place in the code. [`threads`] gives the same list at any moment from
//! inside. The output of threads is collected into lines, each with the virtual time and the label
//! in front ([`Output`]).
//!
//! [`pause`], [`resume`], [`discard`] and [`set_clock_rate`] inject faults into a group of threads.
//! A host that wants to control time and inputs itself uses [`Stepped`].
//!
//! # Switches between blocking points
//!
//! An uncontended lock makes no system call. So by default the simulation never switches between
//! two critical sections of one thread, and *check, then act* bugs stay hidden. To find them, build
//! the crate under test through the wrapper `sim-rustc` (see its source). With [`Options::edges`]
//! any edge of its control flow can then be a switch. The code takes about 1.5 times as long, and
//! even a loop that spins without any call ends.
//!
//! # Allocators
//!
//! Any global allocator works that keeps the rules below; jemalloc and mimalloc do. The scheduler
//! itself allocates too, so an allocator must not need the scheduler. An allocator's calls are not
//! steps, and a run has the same trace hash with every allocator:
//!
//! - A clock read that does not come from the standard library shows virtual time but is not a
//!   step. 65,536 such reads without a step in between count as one step, so that a loop that polls
//!   ends.
//! - `syscall(SYS_getrandom, .., GRND_NONBLOCK)` draws from a separate stream and is not a step.
//! - Destructors of pthread keys run when a thread ends, so an allocator gets the thread's cache
//!   back.
//! - Transparent huge pages are switched off for the process, and for the programs that it starts.
//!   With a heap for each of hundreds of threads, the kernel would clear far more memory than they
//!   use.
//!
//! In the middle of an allocation, an allocator must not
//!
//! - give the turn away while it holds a lock: sleep, yield, wait for another thread, start or join
//!   one, or read a clock through `std::time`. The next thread that allocates, or the scheduler,
//!   would wait for that lock in the kernel, and the run would end as [`Halt::BlockedOutside`];
//! - be instrumented for switches at edges: leave its crate out of `SIM_EDGES`.
//!
//! # What a pass does not prove
//!
//! - A seed is one schedule of very many. Run more seeds; use [`Policy::Pct`].
//! - Execution is sequentially consistent: one thread runs at a time. Mistakes with relaxed atomics
//!   are invisible.
//! - Without edges, a thread is switched only in the calls above.
//! - Computation takes no virtual time, so races against slow code do not happen by themselves.
//!
//! # Limits
//!
//! The simulation does not see or does not support these:
//!
//! - Real input and output: a read of a socket blocks the whole simulation. The run ends after
//!   [`Options::wall_limit`] as [`Halt::BlockedOutside`].
//! - Clock reads as chances for other threads, in a build with link-time optimisation across crates
//!   (`lto = "thin"` or `"fat"`). There the standard library's read is inlined, and it looks like a
//!   read from outside the standard library (see "Allocators").
//! - Calls that bypass libc: `rustix` with its raw back end, `asm!`, `rdtsc` clocks.
//! - glibc's own locks: a pthread mutex or condition variable of a C library, held across a call
//!   that blocks. Thread cancellation is not supported.
//! - Statics: a run starts with what an earlier run in the process left in them. To avoid that, a
//!   process without other threads can fork once for each seed, and the child calls `run`.
//! - Locks that threads inside share with threads outside. They work both ways, but the timing of
//!   threads outside is real, so a run may not repeat ([`Report::outside_wakes`]).
//!
//! [`repeat()`] finds nondeterminism that enters in any of these ways, and names the first step
//! that differs.
//!
//! # With a debugger
//!
//! `gdb` sees the kernel thread "sim machine" with the stack of the fiber that has the turn. Break
//! where the problem is; `backtrace` and `print` work as usual, even for thread-locals. Because a
//! seed repeats, you can break earlier in the next run: `break sim::scheduler::turn::go if ...`, or
//! stop at a step with a watchpoint on `sim::scheduler::progress::STEPS`. gdb does not see fibers
//! that wait. Call [`threads_with_backtraces`] for them, or set `SIM_ENGINE=kernel`, and gdb sees
//! them as threads. Virtual time stands still at a breakpoint. Raise [`Options::wall_limit`] so
//! that the watchdog does not end the run.

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
pub use options::{Options, Output, Policy, Turn};
pub use repeat::{Difference, Divergence, first_difference, repeat};
pub use report::{Decisions, PanicInfo, Report, ThreadInfo, ThreadState};
pub use trace::{Op, Step};

#[cfg(sim_virtual)]
pub use copy::{copy_process, warm_up};
#[cfg(sim_virtual)]
pub use hooks::edges::{instrumented_edges, without_edges};
#[cfg(sim_virtual)]
pub use hooks::system::read_names_from;
#[cfg(sim_virtual)]
pub use inside::{
    LabelGuard, align_clocks, current_label, discard, is_virtual, label, now, pause, relabel,
    resume, set_clock_rate, threads, threads_with_backtraces, time_of, wait_outside,
};
#[cfg(sim_virtual)]
pub use run::run;
#[cfg(sim_virtual)]
pub use step::{Advance, Inbox, Outbox, Pause, Stepped, serve};

#[cfg(not(sim_virtual))]
pub use real::{
    LabelGuard, align_clocks, current_label, discard, instrumented_edges, is_virtual, label, now,
    pause, relabel, resume, run, set_clock_rate, threads, threads_with_backtraces, time_of,
    wait_outside, without_edges,
};
