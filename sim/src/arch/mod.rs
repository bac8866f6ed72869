//! Code that differs between processors: one file for each processor, with the same names.
//!
//! A file provides, for every engine:
//!
//! - `syscall`: the instruction that enters the kernel;
//! - `jump_with_return_address!`: the body of a hook that must know its caller.
//!
//! And for the fiber engine (the build script sets `sim_fibers` for a processor that has it):
//!
//! - `Context`: the saved state of a fiber that is not running, with `Context::first`, the context
//!   of a fiber that has not run yet;
//! - `switch`: leaves one context for another;
//! - `thread_pointer`: the register from which thread-local storage is reached;
//! - `thread_locals_offset`: where the executable's block of thread-local storage lies.
//!
//! No code outside this folder depends on the processor.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use self::aarch64::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use self::x86_64::*;
