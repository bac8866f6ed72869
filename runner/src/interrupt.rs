//! Ctrl-C ends a search, which then shows the best so far.

use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Becomes true when the person presses Ctrl-C. The second time ends the program.
pub(crate) fn interrupted() -> &'static AtomicBool {
    static PRESSED: AtomicBool = AtomicBool::new(false);
    static HANDLER: OnceLock<()> = OnceLock::new();
    HANDLER.get_or_init(|| {
        // Without a handler Ctrl-C ends the program at once, as it does otherwise.
        _ = ctrlc::set_handler(|| {
            if PRESSED.swap(true, Ordering::Relaxed) {
                process::exit(INTERRUPTED);
            }
        });
    });
    &PRESSED
}
