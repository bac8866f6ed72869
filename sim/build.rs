//! Says whether this target can run in virtual time: Linux with glibc, on x86-64 or aarch64.
//!
//! With the variable `SIM_REAL_TIME` set, says no, so that the fallback can be built and tested
//! anywhere.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SIM_REAL_TIME");
    println!("cargo::rustc-check-cfg=cfg(sim_virtual)");
    let target = |key: &str| std::env::var(key).unwrap_or_default();
    let known_arch = ["x86_64", "aarch64"].contains(&target("CARGO_CFG_TARGET_ARCH").as_str());
    if target("CARGO_CFG_TARGET_OS") == "linux"
        && target("CARGO_CFG_TARGET_ENV") == "gnu"
        && known_arch
        && std::env::var_os("SIM_REAL_TIME").is_none()
    {
        println!("cargo::rustc-cfg=sim_virtual");
    }
}
