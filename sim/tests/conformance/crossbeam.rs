//! `crossbeam-channel`, unmodified, on both engines.

use std::thread;
use std::time::{Duration, Instant};

use crate::common::check;
use crossbeam_channel::{after, bounded, select, tick, unbounded};

const MS: Duration = Duration::from_millis(1);

/// On a channel without capacity, the sender waits for the receiver.
#[test]
fn rendezvous() {
    check("bounded(0)", || {
        let (sender, receiver) = bounded(0);
        let handle = thread::spawn(move || {
            let start = Instant::now();
            sender.send(1).unwrap();
            start.elapsed()
        });
        thread::sleep(40 * MS);
        assert_eq!(receiver.recv(), Ok(1));
        assert!(handle.join().unwrap() >= 39 * MS);
    });
}

/// A bounded channel blocks a fast sender, and messages stay in order.
#[test]
fn bounded_and_unbounded() {
    check("bounded(n)", || {
        let (sender, receiver) = bounded(2);
        let handle = thread::spawn(move || {
            for i in 0..10 {
                sender.send(i).unwrap();
            }
            sim::now()
        });
        for i in 0..10 {
            thread::sleep(10 * MS);
            assert_eq!(receiver.recv(), Ok(i));
        }
        assert!(handle.join().unwrap() >= 70 * MS);
        let (sender, receiver) = unbounded();
        (0..100).for_each(|i| sender.send(i).unwrap());
        drop(sender);
        assert_eq!(receiver.iter().sum::<i32>(), 4950);
    });
}

/// `select!` takes the message that comes first, or the default after its time limit.
#[test]
fn select() {
    check("select", || {
        let (sender, receiver) = unbounded::<u32>();
        let (_keep, silent) = unbounded::<u32>();
        let handle = thread::spawn(move || {
            thread::sleep(5 * MS);
            sender.send(9).unwrap();
            thread::sleep(50 * MS);
        });
        select! {
            recv(receiver) -> message => assert_eq!(message, Ok(9)),
            recv(silent) -> _ => panic!("nobody sends here"),
        }
        select! {
            recv(silent) -> _ => panic!("nobody sends here"),
            default(10 * MS) => {}
        }
        select! {
            recv(receiver) -> message => assert!(message.is_err()),
            recv(after(500 * MS)) -> _ => panic!("the hang-up comes first"),
        }
        handle.join().unwrap();
    });
}

/// `after` and `tick` follow the virtual clock.
#[test]
fn after_and_tick() {
    check("after", || {
        let start = Instant::now();
        after(70 * MS).recv().unwrap();
        assert!(start.elapsed() >= 70 * MS && start.elapsed() < 71 * MS);
        let ticker = tick(10 * MS);
        for _ in 0..5 {
            ticker.recv().unwrap();
        }
        assert!(start.elapsed() >= 120 * MS && start.elapsed() < 122 * MS);
    });
}
