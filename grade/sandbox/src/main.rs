//! `sandbox`: says which layers hold on this machine. It is the launcher of this crate's tests.

use std::env;
use std::process::ExitCode;

use sandbox::Sandbox;

fn main() -> ExitCode {
    if let Some(exit) = sandbox::launch(env::args_os()) {
        return exit;
    }
    match Sandbox::probe() {
        Ok(sandbox) => {
            println!("{}", sandbox.layers());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: failed to test the sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}
