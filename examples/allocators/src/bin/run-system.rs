//! One run with the system's allocator.

use std::process::ExitCode;

fn main() -> ExitCode {
    allocators::print_run()
}
