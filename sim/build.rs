//! Decides what this target supports and tells the crate with two `cfg` flags.
//!
//! - `sim_virtual`: virtual time. It needs Linux with glibc, on a processor with a file in
//!   `src/arch/`. The environment variable `SIM_REAL_TIME` switches it off, to build and test the
//!   fallback anywhere.
//! - `sim_fibers`: the processor's file in `src/arch/` has the code for fibers. Without it,
//!   simulated threads are kernel threads.

/// Processors with a file in `src/arch/`, and whether it supports fibers.
const ARCHITECTURES: [(&str, bool); 2] = [("x86_64", true), ("aarch64", false)];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SIM_REAL_TIME");
    println!("cargo::rustc-check-cfg=cfg(sim_virtual, sim_fibers)");
    let target = |key: &str| std::env::var(key).unwrap_or_default();
    let arch = target("CARGO_CFG_TARGET_ARCH");
    let Some((_, has_fibers)) = ARCHITECTURES.iter().find(|(name, _)| *name == arch) else {
        return;
    };
    if *has_fibers {
        println!("cargo::rustc-cfg=sim_fibers");
    }
    if target("CARGO_CFG_TARGET_OS") == "linux"
        && target("CARGO_CFG_TARGET_ENV") == "gnu"
        && std::env::var_os("SIM_REAL_TIME").is_none()
    {
        println!("cargo::rustc-cfg=sim_virtual");
    }
}
