//! Programs with many possible schedules: each uses locks, time, random numbers or threads in its
//! own way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;

const MS: Duration = Duration::from_millis(1);

/// All workloads, by name.
pub(crate) const WORKLOADS: &[(&str, fn())] = &[
    ("mutex", mutex),
    ("condvar", condvar),
    ("pipeline", pipeline),
    ("select", select),
    ("parking_lot", parking_lot_locks),
    ("chance", chance),
    ("hash_order", hash_order),
    ("spawning", spawning),
    ("barrier", barrier),
    ("polling", polling),
    ("timeouts", timeouts),
    ("locals", locals),
    ("cluster", cluster),
];

fn in_threads(count: u32, work: impl Fn(u32) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for i in 0..count {
            scope.spawn(move || work(i));
        }
    });
}

fn mutex() {
    let total = Mutex::new(0);
    in_threads(4, |i| {
        for _ in 0..20 {
            let mut guard = total.lock().unwrap();
            *guard += i;
            thread::sleep(MS / 10);
        }
    });
}

fn condvar() {
    let turn = (Mutex::new(0), Condvar::new());
    in_threads(3, |i| {
        for _ in 0..10 {
            let mut guard = turn.1.wait_while(turn.0.lock().unwrap(), |t| *t % 3 != i).unwrap();
            *guard += 1;
            turn.1.notify_all();
        }
    });
}

fn pipeline() {
    let (first, stage) = mpsc::channel();
    let (second, end) = mpsc::sync_channel(1);
    thread::spawn(move || stage.iter().try_for_each(|i: u32| second.send(i * 2)));
    in_threads(3, |i| (0..20).for_each(|j| first.send(i * 100 + j).unwrap()));
    drop(first);
    assert_eq!(end.iter().count(), 60);
}

fn select() {
    let (left_in, left) = crossbeam_channel::bounded(0);
    let (right_in, right) = crossbeam_channel::unbounded();
    thread::spawn(move || (0..20).for_each(|i| left_in.send(i).unwrap()));
    thread::spawn(move || (0..20).for_each(|i| right_in.send(i).unwrap()));
    let ticks = crossbeam_channel::tick(MS);
    let mut received = 0;
    while received < 40 {
        crossbeam_channel::select! {
            recv(left) -> message => received += u32::from(message.is_ok()),
            recv(right) -> message => received += u32::from(message.is_ok()),
            recv(ticks) -> _ => {}
        }
    }
}

fn parking_lot_locks() {
    let state = (parking_lot::RwLock::new(0), parking_lot::Mutex::new(0));
    let changed = parking_lot::Condvar::new();
    in_threads(4, |i| {
        for _ in 0..10 {
            if i % 2 == 0 {
                *state.0.write() += 1;
                *state.1.lock() += 1;
                changed.notify_all();
            } else {
                let seen = *state.0.read();
                let mut guard = state.1.lock();
                if *guard <= seen {
                    changed.wait_for(&mut guard, MS);
                }
            }
        }
    });
}

fn chance() {
    in_threads(4, |_| {
        let mut rng = rand::rng();
        for _ in 0..10 {
            thread::sleep(MS * rng.random_range(0..20));
        }
    });
}

fn hash_order() {
    in_threads(3, |i| {
        let map: HashMap<u32, u32> = (0..20).map(|j| (j, i)).collect();
        for (key, value) in &map {
            thread::sleep(MS * (key + value));
        }
    });
}

fn spawning() {
    for round in 0..10 {
        let handles: Vec<_> =
            (0..10).map(|i| thread::spawn(move || thread::sleep(MS * ((i * round) % 7)))).collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    }
}

fn barrier() {
    let barrier = Barrier::new(5);
    in_threads(5, |i| {
        for _ in 0..5 {
            thread::sleep(MS * i);
            barrier.wait();
        }
    });
}

fn polling() {
    let done = Mutex::new(false);
    in_threads(3, |i| {
        if i == 0 {
            thread::sleep(MS);
            *done.lock().unwrap() = true;
            return;
        }
        let start = Instant::now();
        while !*done.lock().unwrap() && start.elapsed() < 10 * MS {
            if i == 1 {
                thread::yield_now();
            }
        }
    });
}

fn timeouts() {
    let (sender, receiver) = mpsc::channel::<u32>();
    in_threads(3, |i| {
        if i == 0 {
            for j in 0..10 {
                thread::sleep(MS * (j % 4));
                sender.send(j).unwrap();
            }
        } else {
            (0..10).for_each(|_| thread::park_timeout(MS * i));
        }
    });
    while receiver.recv_timeout(MS).is_ok() {}
}

struct Sleepy;

impl Drop for Sleepy {
    fn drop(&mut self) {
        thread::sleep(MS);
    }
}

thread_local! {
    static LOCAL: RefCell<Vec<Sleepy>> = const { RefCell::new(Vec::new()) };
}

fn locals() {
    in_threads(4, |i| {
        LOCAL.with_borrow_mut(|local| local.extend((0..i).map(|_| Sleepy)));
        let caught = std::panic::catch_unwind(|| {
            thread::sleep(MS);
            std::panic::resume_unwind(Box::new(i));
        });
        assert!(caught.is_err());
    });
}

/// Five servers, each with a ticker, that call each other over a network that delays and loses
/// calls. Each call has its own thread.
fn cluster() {
    let inboxes: Vec<_> = (0..5).map(|_| crossbeam_channel::unbounded::<u32>()).collect();
    let senders: Arc<Vec<_>> = Arc::new(inboxes.iter().map(|(sender, _)| sender.clone()).collect());
    for (i, (_, receiver)) in inboxes.into_iter().enumerate() {
        let senders = Arc::clone(&senders);
        thread::spawn(move || {
            let mut rng = rand::rng();
            loop {
                let timeout = MS * rng.random_range(150..300);
                if receiver.recv_timeout(timeout).is_ok() {
                    continue;
                }
                for (j, sender) in senders.iter().enumerate() {
                    let (delay, lost) = (rng.random_range(1..27), rng.random_bool(0.1));
                    let sender = sender.clone();
                    thread::spawn(move || {
                        thread::sleep(MS * delay);
                        if !lost && i != j {
                            let _ = sender.send(i as u32);
                        }
                    });
                }
            }
        });
    }
    thread::sleep(Duration::from_secs(10));
}

/// Reads real time without the simulation, after forty ordinary steps.
pub(crate) fn leak() {
    for _ in 0..40 {
        thread::sleep(MS);
    }
    let mut time = [0_i64; 2];
    leak_real_time(&mut time);
    thread::sleep(Duration::from_nanos(time[1] as u64 % 1_000_000));
    for _ in 0..40 {
        thread::sleep(MS);
    }
}

#[cfg(target_arch = "x86_64")]
fn leak_real_time(time: &mut [i64; 2]) {
    // SAFETY: clock_gettime(CLOCK_REALTIME) writes one timespec, which is two words.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") libc::SYS_clock_gettime => _,
            in("rdi") libc::CLOCK_REALTIME, in("rsi") time.as_mut_ptr(),
            lateout("rcx") _, lateout("r11") _,
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn leak_real_time(time: &mut [i64; 2]) {
    // An address that differs from run to run replaces the clock.
    let memory = Box::leak(Box::new(0_u8));
    time[1] = std::ptr::from_mut(memory) as i64;
}
