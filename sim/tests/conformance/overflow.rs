//! The standard library reports a stack overflow in a simulated thread as a stack overflow.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::thread;

use crate::common::{ENGINES, limit, options};

const VARIABLE: &str = "SIM_TEST_OVERFLOW";

#[expect(unconditional_recursion, reason = "it has to overflow the stack")]
fn overflow(depth: u64) -> u64 {
    let page = std::hint::black_box([depth; 100]);
    overflow(depth + 1) + page[50]
}

/// The process aborts with a message that names the stack overflow and the thread.
#[test]
fn stack_overflow_is_reported() {
    limit("overflow");
    if let Ok(engine) = std::env::var(VARIABLE) {
        let engine = ENGINES[usize::from(engine == "Kernel")];
        sim::run(options(engine), || {
            let builder = thread::Builder::new().name("deep".to_owned());
            let _ = builder.spawn(|| overflow(0)).unwrap().join();
        });
        return;
    }
    for engine in ENGINES {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--nocapture", "--exact", "overflow::stack_overflow_is_reported"])
            .env(VARIABLE, format!("{engine:?}"))
            .output()
            .expect("this program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("has overflowed its stack"), "{engine:?}: {errors}");
        assert!(errors.contains("deep"), "{engine:?}: {errors}");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{engine:?}: {errors}");
    }
}
