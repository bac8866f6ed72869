//! Stepped runs: a host controls time and inputs, and gets outputs in order.

use std::thread;
use std::time::Duration;

use crate::common::{ENGINES, limit, options};
use sim::{Advance, Halt, Stepped, serve};

const MS: Duration = Duration::from_millis(1);

/// A step stops at its time, the next deadline is known, and outputs have their times.
#[test]
fn time_passes_in_steps() {
    limit("steps");
    for engine in ENGINES {
        let mut stepped = Stepped::start(options(engine), |inbox, outbox| {
            let ticks = outbox.clone();
            thread::spawn(move || {
                loop {
                    thread::sleep(10 * MS);
                    ticks.send("tick".to_owned());
                }
            });
            while let Some(word) = inbox.receive() {
                let word: String = word;
                thread::sleep(3 * MS);
                outbox.send(word + "!");
            }
        });
        let pause = stepped.step(5 * MS, []);
        assert!(pause.running && pause.outputs.is_empty());
        assert_eq!(pause.now, 5 * MS);
        let deadline = pause.next_deadline.unwrap();
        assert!(deadline > 10 * MS && deadline < 11 * MS, "{deadline:?}");
        let pause = stepped.step(25 * MS, ["one".to_owned(), "two".to_owned()]);
        let words: Vec<&str> = pause.outputs.iter().map(|(_, word)| word.as_str()).collect();
        assert_eq!(words, ["one!", "tick", "two!", "tick"]);
        assert!(pause.outputs.is_sorted_by_key(|(at, _)| *at));
        assert!(pause.outputs[0].0 >= 8 * MS && pause.outputs[0].0 < 9 * MS);
        let report = stepped.finish();
        assert_eq!(report.halt, Halt::Stopped);
        assert_eq!(report.threads.len(), 2);
    }
}

/// A wait for input without a timer is not a deadlock, because the host can give input.
#[test]
fn a_wait_for_input_is_not_a_deadlock() {
    limit("idle");
    for engine in ENGINES {
        let mut stepped = Stepped::start(options(engine), |inbox, outbox| {
            let number: Option<u32> = inbox.receive();
            outbox.send(number);
        });
        let pause = stepped.step(MS, []);
        assert!(pause.running);
        assert_eq!(pause.next_deadline, None);
        let pause = stepped.step(2 * MS, [7]);
        assert!(!pause.running);
        assert_eq!(pause.outputs[0].1, Some(7));
        assert!(stepped.finish().finished());
    }
}

/// A thread that polls never waits, so the step ends at its time.
#[test]
fn polling_does_not_hold_the_host() {
    limit("polling");
    for engine in ENGINES {
        let mut stepped = Stepped::start(options(engine), |inbox, outbox| {
            let mut polls = 0_u32;
            while inbox.try_receive().is_none_or(|(): ()| false) {
                thread::yield_now();
                polls += 1;
            }
            outbox.send(polls);
        });
        let pause = stepped.step(MS, []);
        assert!(pause.running && pause.now >= MS && pause.now < 2 * MS);
        let pause = stepped.step(2 * MS, [()]);
        assert!(!pause.running && pause.outputs[0].1 > 100);
    }
}

/// The same inputs at the same steps give the same run, on both engines.
#[test]
fn steps_repeat() {
    limit("repeat");
    let run = |engine| {
        let mut stepped = Stepped::start(options(engine).seed(9), |inbox, outbox| {
            let inbox: sim::Inbox<u64> = inbox;
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        while let Some(number) = inbox.receive() {
                            thread::sleep(MS * (number % 7) as u32);
                            outbox.send(number);
                        }
                    });
                }
            });
        });
        let mut all = Vec::new();
        for i in 0..50_u64 {
            all.extend(stepped.step(MS * 2 * i as u32, [i, i * 31]).outputs);
        }
        (all, stepped.finish().trace_hash)
    };
    let [fiber, kernel] = ENGINES.map(run);
    assert_eq!(fiber, kernel);
    assert!(fiber.0.len() > 50);
}

/// In overtime, threads that are ready continue, later timers wait, and a thread that polls is
/// stopped anyway.
#[test]
fn a_step_settles_in_overtime() {
    limit("settling");
    for engine in ENGINES {
        let mut stepped = Stepped::start(options(engine), |inbox, outbox| {
            while let Some(yields) = inbox.receive() {
                (0..yields).for_each(|_| thread::yield_now());
                outbox.send("yielded");
                thread::sleep(MS / 2);
                outbox.send("slept");
            }
        });
        assert!(stepped.step(MS, [1_500]).outputs.is_empty());
        let order = |until, inputs| Advance { until, overtime: 2 * MS, inputs };
        let pause = stepped.settle(order(MS, vec![]));
        assert_eq!(pause.outputs.iter().map(|(_, word)| *word).collect::<Vec<_>>(), ["yielded"]);
        assert!(pause.now > MS && pause.now < 2 * MS, "{:?}", pause.now);
        assert!(pause.next_deadline.is_some_and(|deadline| deadline > pause.now));
        let pause = stepped.settle(order(3 * MS, vec![1_000_000]));
        assert_eq!(pause.outputs.len(), 1);
        assert!(pause.now > 5 * MS && pause.now < 6 * MS, "{:?}", pause.now);
        assert_eq!(pause.next_deadline, Some(pause.now));
    }
}

/// A host that is called on the simulation's own thread sees the same run as one that steps. It can
/// block, it ends the run, and the last outputs are not lost.
#[test]
fn a_host_serves_the_same_run() {
    limit("serving");
    let echo = |inbox: sim::Inbox<u64>, outbox: sim::Outbox<u64>| {
        while let Some(number) = inbox.receive() {
            thread::sleep(MS * (number % 5) as u32);
            outbox.send(number);
            if number == 20 {
                return;
            }
        }
    };
    let order = |i: u64| Advance { until: MS * i as u32, overtime: MS, inputs: vec![i] };
    for engine in ENGINES {
        let options = options(engine).wall_limit(50 * MS).seed(3);
        let mut stepped = Stepped::start(options.clone(), echo);
        let mut expected = Vec::new();
        for i in 1..=60 {
            expected.extend(stepped.settle(order(i)).outputs);
        }
        let trace_hash = stepped.finish().trace_hash;
        let (out, came) = std::sync::mpsc::channel();
        let (_never, never) = std::sync::mpsc::channel::<()>();
        let mut next = 1;
        let (report, last) = serve(options, order(1), echo, move |pause| {
            if next == 2 {
                // Longer than a thread inside may block.
                never.recv_timeout(200 * MS).unwrap_err();
            }
            pause.outputs.into_iter().for_each(|output| out.send(output).unwrap());
            next += 1;
            Some(order(next))
        });
        assert!(report.finished(), "{report}");
        assert_eq!(report.trace_hash, trace_hash);
        let came: Vec<_> = came.into_iter().chain(last).collect();
        assert_eq!(came, expected);
        assert_eq!(came.last().map(|(_, number)| *number), Some(20));
    }
}

/// Inputs arrive at the time that the host gives, and not at the time of the last step.
#[test]
fn inputs_arrive_in_time() {
    limit("arrivals");
    for engine in ENGINES {
        let mut stepped = Stepped::start(options(engine), |inbox, outbox| {
            while let Some(()) = inbox.receive() {
                outbox.send(());
            }
        });
        for ms in [3, 50] {
            let order = Advance { until: ms * MS, overtime: MS, inputs: vec![()] };
            let outputs = stepped.settle(order).outputs;
            assert!(outputs.len() == 1 && outputs[0].0 >= ms * MS, "{outputs:?}");
        }
    }
}

/// A host that returns `None` ends the run.
#[test]
fn a_host_ends_the_run() {
    limit("ending");
    for engine in ENGINES {
        let first = Advance { until: MS, overtime: MS, inputs: vec![()] };
        let (report, last) = serve(
            options(engine),
            first,
            |inbox, outbox| {
                while inbox.receive().is_some() {
                    outbox.send("in");
                }
            },
            |pause| {
                (pause.now > 3 * MS).then_some(Advance { until: MS, overtime: MS, inputs: vec![] })
            },
        );
        assert_eq!((report.halt, last.len()), (Halt::Stopped, 0));
    }
}
