//! Acts like a kernel that lacks system calls, like those of some containers.

use std::env;

use seccompiler::{SeccompAction, SeccompFilter};

/// From now on the kernel answers these calls as unknown, for the calling thread and everything
/// that it starts.
pub(crate) fn answer_as_unknown(calls: &[libc::c_long]) {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let machine = env::consts::ARCH.try_into().expect("it has filters");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, unknown, machine);
    let filter: seccompiler::BpfProgram =
        filter.expect("it makes sense").try_into().expect("it can be compiled");
    seccompiler::apply_filter(&filter).expect("the kernel filters system calls");
}
