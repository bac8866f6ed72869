//! Helpers of all tests: they run work on both engines, within a limit of real time.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use sim::{Engine, Options, Report};

/// Both engines. The second is the reference.
pub(crate) const ENGINES: [Engine; 2] = [Engine::Fiber, Engine::Kernel];

/// Aborts the process if it is not dropped in time, so that no test can hang. It also lets only one
/// test run at a time. Two tests that print panics would contend for the standard library's lock,
/// and that would change the trace.
struct Limit {
    _alive: mpsc::Sender<()>,
    _turn: MutexGuard<'static, ()>,
}

thread_local! {
    static LIMIT: RefCell<Option<Limit>> = const { RefCell::new(None) };
}

/// Limits the calling test to two minutes of real time, from now to the end of its thread.
pub(crate) fn limit(name: &'static str) {
    static TURN: Mutex<()> = Mutex::new(());
    LIMIT.set(None);
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (_alive, ended) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let waited = ended.recv_timeout(Duration::from_secs(120));
        if waited == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{name}: real time limit reached");
            std::process::abort();
        }
    });
    LIMIT.set(Some(Limit { _alive, _turn }));
}

/// Options with tight limits.
pub(crate) fn options(engine: Engine) -> Options {
    Options::new()
        .engine(engine)
        .step_limit(5_000_000)
        .cpu_limit(Duration::from_secs(10))
        .wall_limit(Duration::from_secs(20))
}

/// Runs the work on both engines with a few seeds. It must finish, leave no thread behind, and take
/// the same steps on both engines.
#[track_caller]
pub(crate) fn check(name: &'static str, work: fn()) {
    limit(name);
    for seed in 0..3 {
        let hashes = ENGINES.map(|engine| {
            let report = sim::run(options(engine).seed(seed), work);
            assert!(report.finished(), "{name}: {report}");
            assert!(report.threads.is_empty(), "{name} left threads behind: {report}");
            report.trace_hash
        });
        assert_eq!(hashes[0], hashes[1], "{name}: the engines differ with seed {seed}");
    }
}

/// Runs the work once on each engine. Returns the reports.
#[track_caller]
pub(crate) fn reports(
    name: &'static str,
    settings: impl Fn(Options) -> Options,
    work: fn(),
) -> [Report; 2] {
    limit(name);
    ENGINES.map(|engine| sim::run(settings(options(engine)), work))
}
