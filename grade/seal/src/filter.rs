//! Applies the lists of [`calls`] as filters.
//!
//! The kernel runs every filter of a process and takes the strictest answer, so each answer has a
//! filter of its own.

use std::collections::BTreeMap;
use std::process;

use libc::c_long;
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

use crate::Error;
use crate::calls;

/// Filters the calling process, which is about to become a peer: it can still execute a program.
///
/// A peer can compute, wait, read the files that it can open, and use the descriptors that it was
/// given.
///
/// # Errors
/// If the kernel takes no filter.
pub fn seal_peer() -> Result<(), Error> {
    let mut attacks = rules(calls::ATTACKS);
    attacks.extend(signals_to_others());
    seal(&[], peer_conditions(), attacks)
}

/// Filters the calling process, which is about to become the template of peers: it can still
/// execute a program. That program has the rights of a peer, and can also make copies of itself and
/// receive a connection for each. The copies are peers, and give up the additional rights with
/// [`seal_copy`].
///
/// # Errors
/// If the kernel takes no filter.
pub fn seal_template() -> Result<(), Error> {
    let mut conditions = peer_conditions();
    let copy = bits(libc::CLONE_PARENT | libc::SIGCHLD);
    conditions.push((libc::SYS_clone, rule([condition(0, SeccompCmpOp::Eq, copy)])));
    conditions.extend(prctl_of_copies());
    seal(calls::OF_COPIES, conditions, rules(calls::ATTACKS))
}

/// Filters the calling process, a copy that runs. It gives up the rights that [`seal_template`]
/// leaves in addition to those of [`seal_peer`], and all calls that name a file. Whether a file can
/// be opened, or exists, can reveal something about another process.
///
/// # Errors
/// If the kernel takes no filter.
pub fn seal_copy() -> Result<(), Error> {
    let mut refusals = rules(calls::OF_COPIES);
    let names = calls::TO_START.iter().chain(calls::TO_START_ON_THIS_MACHINE);
    // The filter that forbids more filters is applied last.
    let others = names.filter(|call| **call != libc::SYS_seccomp);
    refusals.extend(others.map(|call| (*call, Vec::new())));
    let process = SeccompCmpOp::MaskedEq(bits(libc::CLONE_THREAD));
    refusals.insert(libc::SYS_clone, vec![rule([condition(0, process, 0)])]);
    for (call, condition) in prctl_of_copies() {
        refusals.entry(call).or_default().push(condition);
    }
    if cfg!(target_arch = "x86_64") {
        // When a thread ends, the kernel wakes such a waiter at an address that the thread has
        // chosen. `sim` needs no such wait if threads are fibers.
        let shared = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET];
        let waits = shared.map(|command| rule([futex(command)]));
        refusals.insert(libc::SYS_futex, waits.into());
    }
    apply(refusals, SeccompAction::Allow, refused())?;
    let mut last = signals_to_others();
    last.extend(rules(&[libc::SYS_seccomp]));
    apply(last, SeccompAction::Allow, SeccompAction::KillProcess)
}

/// Filters the calling process, which is about to become a compiler. It can start programs, but has
/// no network, cannot leave its session or its process group, and cannot make calls that only an
/// attack would use.
///
/// # Errors
/// If the kernel takes no filter.
pub fn seal_build() -> Result<(), Error> {
    let mut refusals = rules(calls::BUILD_REFUSED);
    refusals.extend(rules(calls::BUILD_REFUSED_ON_THIS_MACHINE));
    apply(refusals, SeccompAction::Allow, refused())?;
    apply(rules(calls::ATTACKS), SeccompAction::Allow, SeccompAction::KillProcess)
}

/// Filters every thread of the calling process, a peer that runs. It can no longer execute another
/// program.
///
/// # Errors
/// If the kernel takes no filter.
pub fn tighten() -> Result<(), Error> {
    let filter = compile(rules(calls::EXECUTION), SeccompAction::Allow, refused())?;
    seccompiler::apply_filter_all_threads(&filter).map_err(told)
}

/// Allows the calls of a peer, the calls in `more`, and some calls under conditions.
fn seal(
    more: &[c_long],
    conditions: Vec<(c_long, SeccompRule)>,
    attacks: Rules,
) -> Result<(), Error> {
    let mut allowed = rules(calls::PEER);
    allowed.extend(rules(more));
    allowed.extend(rules(calls::PEER_OF_THIS_MACHINE));
    allowed.extend(rules(calls::TO_START));
    allowed.extend(rules(calls::TO_START_ON_THIS_MACHINE));
    // The filter below answers these. The C library takes the answer for an old kernel, and uses
    // other calls.
    allowed.extend(rules(calls::UNKNOWN));
    for (call, condition) in conditions {
        allowed.entry(call).or_default().push(condition);
    }
    // Left to the filter of attacks, which decides by the arguments.
    allowed.extend(calls::SIGNALS.iter().map(|(call, _)| (*call, Vec::new())));
    allowed.extend(rules(calls::ATTACKS));

    apply(allowed, refused(), SeccompAction::Allow)?;
    let mut unheard_of = rules(calls::UNKNOWN);
    // With the number of another thread, this call reveals whether that thread exists. The C
    // library asks about the calling thread, and works without an answer.
    let of_another = condition(0, SeccompCmpOp::Ne, 0);
    unheard_of.insert(libc::SYS_sched_getaffinity, vec![rule([of_another])]);
    apply(unheard_of, SeccompAction::Allow, unknown())?;
    apply(attacks, SeccompAction::Allow, SeccompAction::KillProcess)
}

/// Signals to other processes, and SIGKILL to itself. So a process that ended by SIGKILL was killed
/// by the kernel, because memory ran out.
fn signals_to_others() -> Rules {
    let rules_of = |(call, signal): &(c_long, u8)| {
        let others = condition(0, SeccompCmpOp::Ne, u64::from(process::id()));
        let kill = condition(*signal, SeccompCmpOp::Eq, bits(libc::SIGKILL));
        (*call, vec![rule([others]), rule([kill])])
    };
    calls::SIGNALS.iter().map(rules_of).collect()
}

fn refused() -> SeccompAction {
    SeccompAction::Errno(libc::EPERM.unsigned_abs())
}

fn unknown() -> SeccompAction {
    SeccompAction::Errno(libc::ENOSYS.unsigned_abs())
}

fn bits(bits: i32) -> u64 {
    u64::from(bits.unsigned_abs())
}

/// The calls that a peer can make with some arguments only.
fn peer_conditions() -> Vec<(c_long, SeccompRule)> {
    const NAMESPACES: i32 = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    let is = |argument, value: i32| condition(argument, SeccompCmpOp::Eq, bits(value));
    let thread_only = SeccompCmpOp::MaskedEq(bits(NAMESPACES | libc::CLONE_THREAD));

    let mut conditions = vec![
        (libc::SYS_clone, rule([condition(0, thread_only, bits(libc::CLONE_THREAD))])),
        // Shared memory would be shared with the copies of a process. This bit is also set in
        // MAP_SHARED_VALIDATE.
        (libc::SYS_mmap, rule([condition(3, SeccompCmpOp::MaskedEq(bits(libc::MAP_SHARED)), 0)])),
        // A peer can read limits. It does not need to set them, not even to lower ones.
        (libc::SYS_prlimit64, rule([is(0, 0), wide(2, SeccompCmpOp::Eq, 0)])),
        // On a connected pair. An address is not allowed, because there is no other process to send
        // to.
        (libc::SYS_sendto, rule([wide(4, SeccompCmpOp::Eq, 0)])),
        (libc::SYS_recvfrom, rule([wide(4, SeccompCmpOp::Eq, 0)])),
        // With another number, these calls reveal whether that process or thread exists.
        (libc::SYS_getpgid, rule([is(0, 0)])),
        (libc::SYS_getsid, rule([is(0, 0)])),
        (libc::SYS_sched_setaffinity, rule([is(0, 0)])),
        // Asks whether a descriptor is a terminal.
        (libc::SYS_ioctl, rule([condition(1, SeccompCmpOp::Eq, libc::TCGETS)])),
    ];
    conditions.extend(futex_conditions());
    conditions.extend(clock_conditions());
    for option in calls::PEER_PRCTL {
        conditions.push((libc::SYS_prctl, rule([is(0, *option)])));
    }
    for command in calls::PEER_FCNTL {
        conditions.push((libc::SYS_fcntl, rule([is(1, *command)])));
    }
    conditions
}

/// The conditions on `futex`. The kernel identifies a futex word in a file's page by the file and
/// the offset. So processes that run the same program could wake each other through a word of its
/// code. Private operations stay within one process, and only they are allowed to wake. A template
/// is also allowed to wait without that flag, because the C library waits for the end of a thread
/// that way. Locks with priority inheritance are not allowed: they reveal whether the thread exists
/// whose number is in the word.
fn futex_conditions() -> Vec<(c_long, SeccompRule)> {
    const PRIVATE: [i32; 6] = [
        libc::FUTEX_WAIT,
        libc::FUTEX_WAKE,
        libc::FUTEX_REQUEUE,
        libc::FUTEX_CMP_REQUEUE,
        libc::FUTEX_WAIT_BITSET,
        libc::FUTEX_WAKE_BITSET,
    ];
    let private = PRIVATE.map(|command| command | libc::FUTEX_PRIVATE_FLAG);
    let shared = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET];
    private
        .into_iter()
        .chain(shared)
        .map(|command| (libc::SYS_futex, rule([futex(command)])))
        .collect()
}

/// One operation, with any clock.
fn futex(command: i32) -> SeccompCondition {
    let but_the_clock = u64::from(u32::MAX) & !bits(libc::FUTEX_CLOCK_REALTIME);
    condition(1, SeccompCmpOp::MaskedEq(but_the_clock), bits(command))
}

/// Allows the clocks of the machine, and those of the calling process's own threads
/// (clock_getcpuclockid). The clock of another process would reveal its processor time.
fn clock_conditions() -> Vec<(c_long, SeccompRule)> {
    const OF_THE_MACHINE_MAX: u64 = 15;
    const OF_A_THREAD: u64 = 4;
    let calls = [libc::SYS_clock_getres, libc::SYS_clock_gettime, libc::SYS_clock_nanosleep];
    let both = |call| {
        let of_machine = condition(0, SeccompCmpOp::Le, OF_THE_MACHINE_MAX);
        let of_thread = condition(0, SeccompCmpOp::MaskedEq(OF_A_THREAD), OF_A_THREAD);
        [(call, rule([of_machine])), (call, rule([of_thread]))]
    };
    calls.into_iter().flat_map(both).collect()
}

fn prctl_of_copies() -> impl Iterator<Item = (c_long, SeccompRule)> {
    let of = |option: &i32| condition(0, SeccompCmpOp::Eq, bits(*option));
    calls::OF_COPIES_PRCTL.iter().map(move |option| (libc::SYS_prctl, rule([of(option)])))
}

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// These calls, whatever their arguments.
fn rules(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// A rule with these conditions, all of which must be true.
fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> SeccompRule {
    SeccompRule::new(conditions.into()).expect("there is a condition")
}

/// A condition on the low half of an argument. The kernel reads no more of an `int`.
fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> SeccompCondition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)
        .expect("a call has six arguments")
}

/// A condition on a whole argument, such as an address.
fn wide(argument: u8, op: SeccompCmpOp, value: u64) -> SeccompCondition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, op, value)
        .expect("a call has six arguments")
}

fn apply(rules: Rules, others: SeccompAction, matching: SeccompAction) -> Result<(), Error> {
    let filter = compile(rules, others, matching)?;
    seccompiler::apply_filter(&filter).map_err(told)
}

fn compile(
    rules: Rules,
    others: SeccompAction,
    matching: SeccompAction,
) -> Result<seccompiler::BpfProgram, Error> {
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(told)?;
    let filter = SeccompFilter::new(rules, others, matching, machine).map_err(told)?;
    filter.try_into().map_err(told)
}

fn told(error: impl std::fmt::Display) -> Error {
    Error(error.to_string())
}
