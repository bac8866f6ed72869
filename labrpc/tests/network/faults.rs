//! Each verb that the network has beyond 6.824's switches: faults on the link between two servers,
//! duplicates, and the log that shows them.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::pair::Pair;
use crate::support::{bounded, watch};
use labrpc::network::fate::GONE_DELAY;
use labrpc::network::{CallStep, Delay, Disturbance, Ending, Network, Server, UNDER_WAY_BYTES_MAX};
use labrpc::{CallError, Service};

#[test]
fn a_cut_loses_requests_that_way_and_replies_that_way_until_healed() {
    bounded(|| {
        let pair = Pair::new();
        pair.network.cut(0, 1);
        assert_eq!(pair.call(0), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (0, Ending::Cut), "no request arrives");
        assert_eq!(pair.call(1), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(0), pair.last_ending()), (1, Ending::Cut), "the handler ran");
        pair.network.heal(0, 1);
        assert_eq!((pair.call(0), pair.call(1)), (Ok(2), Ok(2)));
    });
}

#[test]
fn held_requests_and_replies_arrive_when_released() {
    bounded(|| {
        for (from, to) in [(0, 1), (1, 0)] {
            let pair = Arc::new(Pair::new());
            pair.network.hold(from, to);
            let handled = watch(&pair.network, |step| matches!(step, CallStep::Handled { .. }));
            let sent = watch(&pair.network, |step| matches!(step, CallStep::Sent { .. }));
            let caller = {
                let pair = Arc::clone(&pair);
                thread::spawn(move || pair.call(0))
            };
            sent.recv().unwrap();
            if from == 0 {
                assert_eq!(pair.handled(1), 0, "the request is held");
            } else {
                handled.recv().unwrap();
            }
            assert_eq!(pair.network.pending().len(), 1, "the call has not ended");
            pair.network.release(from, to);
            assert_eq!(caller.join().unwrap(), Ok(2));
        }
    });
}

/// A message that is held arrives after those that were sent later, and other kinds are not held.
#[test]
fn newer_messages_overtake_those_that_are_held() {
    let report = sim::run(sim::Options::new(), || {
        let pair = Arc::new(Pair::new());
        pair.network.hold_only(0, 1, &["Decrement".into()]);
        assert_eq!(pair.call(0), Ok(2), "it is of another kind");
        pair.network.hold_only(0, 1, &[]);
        assert_eq!(pair.call(0), Ok(2), "it is of no kind");
        pair.network.hold_only(0, 1, &["Increment".into()]);
        let sent = watch(&pair.network, |step| matches!(step, CallStep::Sent { .. }));
        let caller = {
            let pair = Arc::clone(&pair);
            thread::spawn(move || pair.call(0))
        };
        sent.recv().unwrap();
        // In virtual time it is where it is held before the clock moves.
        thread::sleep(Duration::from_millis(1));
        pair.network.pass(0, 1);
        assert_eq!(pair.call(0), Ok(2));
        assert_eq!((pair.handled(1), pair.network.pending().len()), (3, 1));
        pair.network.release(0, 1);
        assert_eq!((caller.join().unwrap(), pair.handled(1)), (Ok(2), 4));
        assert_eq!(pair.network.methods(), ["Test.Increment".into()]);
    });
    assert_eq!(report.halt, sim::Halt::Finished);
}

#[test]
fn cleanup_ends_calls_that_are_held() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        pair.network.hold(0, 1);
        let sent = watch(&pair.network, |step| matches!(step, CallStep::Sent { .. }));
        let caller = {
            let pair = Arc::clone(&pair);
            thread::spawn(move || pair.call(0))
        };
        sent.recv().unwrap();
        pair.network.cleanup();
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!(pair.last_ending(), Ending::Closed);
    });
}

#[test]
fn a_disturbance_loses_requests_or_replies_until_calmed() {
    bounded(|| {
        let lose_all = Disturbance { lose_permille: 1000, ..Disturbance::default() };
        let pair = Pair::new();
        pair.network.disturb(0, 1, lose_all.clone());
        assert_eq!(pair.call(0), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (0, Ending::RequestLost));
        assert_eq!(pair.call(1), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(0), pair.last_ending()), (1, Ending::ReplyLost));
        pair.network.calm(0, 1);
        assert_eq!((pair.call(0), pair.call(1)), (Ok(2), Ok(2)));
    });
}

#[test]
fn a_disturbance_delays_each_message_on_its_way() {
    bounded(|| {
        let pair = Pair::new();
        let slow = Disturbance { delay: Some(Delay::Uniform(30..=30)), ..Disturbance::default() };
        pair.network.disturb(0, 1, slow.clone());
        pair.network.disturb(1, 0, slow);
        assert_eq!(pair.call(0), Ok(2));
        let events = pair.network.events();
        let at = |wanted: fn(&CallStep) -> bool| {
            events.iter().find(|event| wanted(&event.step)).expect("no such step").at
        };
        let sent = at(|step| matches!(step, CallStep::Sent { .. }));
        let dispatched = at(|step| matches!(step, CallStep::Dispatched { .. }));
        let handled = at(|step| matches!(step, CallStep::Handled { .. }));
        let ended = at(|step| matches!(step, CallStep::Ended(_)));
        assert!(dispatched - sent >= Duration::from_millis(30), "the request was not delayed");
        assert!(ended - handled >= Duration::from_millis(30), "the reply was not delayed");
    });
}

#[test]
fn a_duplicated_request_runs_its_handler_twice_and_is_answered_once() {
    bounded(|| {
        let pair = Pair::new();
        let twice = Disturbance { duplicate_permille: 1000, ..Disturbance::default() };
        pair.network.disturb(0, 1, twice);
        let handled = watch(&pair.network, |step| matches!(step, CallStep::Handled { .. }));
        assert_eq!(pair.call(0), Ok(2));
        handled.recv().unwrap();
        handled.recv().unwrap();
        assert_eq!(pair.handled(1), 2);
        assert_eq!(pair.network.get_count(1), Some(2), "both reached the server");
        assert_eq!(pair.network.get_total_count(), 1, "one call was made");
        let endings = pair.network.events();
        let endings =
            endings.iter().filter(|event| matches!(event.step, CallStep::Ended(_))).count();
        assert_eq!(endings, 1);
    });
}

/// The "dead" check: a handler that completes after its server was replaced is not answered, so
/// that no caller sees a reply from a server whose state has been superseded.
#[test]
fn a_reply_of_a_replaced_server_is_thrown_away() {
    bounded(|| {
        let network = Network::new(1);
        let (go, may_go) = mpsc::channel::<()>();
        let may_go = parking_lot::Mutex::new(may_go);
        let service = Service::new("Test").method("Wait", move |n: u64| {
            let _ = may_go.lock().recv();
            n
        });
        network.add_server(0, Server::from(service));
        let end = network.make_end_of(0, "end");
        network.connect("end", 0);
        network.enable("end", true);
        let dispatched = watch(&network, |step| matches!(step, CallStep::Dispatched { .. }));
        let caller = thread::spawn(move || end.call::<u64, u64>("Test.Wait", &7));
        dispatched.recv().unwrap();
        assert!(network.pending().iter().all(|call| call.from == call.to), "it calls itself");
        network.add_server(0, Server::from(Service::new("Test")));
        go.send(()).unwrap();
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!(network.get_count(0), Some(0), "a new server object counts from zero");
    });
}

/// Three messages that a server gets only after its crash: a request that is delayed, one that is
/// held, and a duplicate.
#[test]
fn a_request_outlives_its_receiver_only_under_that_fault() {
    bounded(|| {
        for outlives in [false, true] {
            let pair = Arc::new(Pair::new());
            if outlives {
                pair.network.outlive(1);
            }
            let slow =
                Disturbance { delay: Some(Delay::Uniform(30..=30)), ..Disturbance::default() };
            let call_across_a_restart = |between: &dyn Fn(&Network)| {
                let caller = {
                    let pair = Arc::clone(&pair);
                    thread::spawn(move || pair.call(0))
                };
                thread::sleep(Duration::from_millis(10));
                pair.restart(1);
                between(&pair.network);
                let answer = caller.join().unwrap();
                (answer, pair.network.get_count(1))
            };
            let expected =
                if outlives { (Ok(2), Some(1)) } else { (Err(CallError::NoAnswer), Some(0)) };
            pair.network.disturb(0, 1, slow);
            assert_eq!(call_across_a_restart(&|_| ()), expected, "it is delayed");
            pair.network.calm(0, 1);
            pair.network.hold(0, 1);
            let release = |network: &Network| network.release(0, 1);
            assert_eq!(call_across_a_restart(&release), expected, "it is held");

            let twice = Disturbance {
                duplicate_permille: 1000,
                duplicate_delay_ms: Some(30..=30),
                ..Disturbance::default()
            };
            pair.network.disturb(0, 1, twice);
            assert_eq!(call_across_a_restart(&|_| ()).0, Ok(2), "the request itself is handled");
            thread::sleep(Duration::from_millis(50));
            assert_eq!(pair.handled(1), 4, "each request, and the duplicate");
            assert_eq!(pair.network.get_count(1), expected.1, "the duplicate comes later");
        }
    });
}

/// A request that arrives while its receiver is down is lost. After the end of the fault, the
/// server that it was sent to handles it, and the reply is lost.
#[test]
fn a_request_is_lost_while_its_receiver_is_down_and_outlives_it_only_during_the_fault() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        pair.network.outlive(1);
        let send = || {
            pair.network.hold(0, 1);
            let caller = {
                let pair = Arc::clone(&pair);
                thread::spawn(move || pair.call(0))
            };
            thread::sleep(Duration::from_millis(10));
            caller
        };
        let caller = send();
        pair.network.delete_server(1);
        pair.network.release(0, 1);
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (0, Ending::ServerGone));

        pair.restart(1);
        let caller = send();
        assert!(pair.network.expire(1) && !pair.network.expire(1));
        pair.restart(1);
        pair.network.release(0, 1);
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.network.get_count(1)), (1, Some(0)));
    });
}

/// The caller has crashed. Its next incarnation has another end, and does not get the reply.
#[test]
fn a_delayed_reply_reaches_only_the_incarnation_that_called() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        pair.network.outlive(0);
        let slow = Disturbance { delay: Some(Delay::Uniform(30..=30)), ..Disturbance::default() };
        pair.network.disturb(1, 0, slow);
        let caller = {
            let pair = Arc::clone(&pair);
            thread::spawn(move || pair.call(0))
        };
        thread::sleep(Duration::from_millis(10));
        pair.restart(0);
        pair.network.delete_end("end of 0");
        // The thread of the old incarnation goes on, but none of its calls gets an answer.
        assert_eq!(caller.join().unwrap(), Ok(2));
        assert_eq!(pair.call(0), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(0), pair.network.get_count(0)), (0, Some(0)));
    });
}

/// No second look before the dispatch: a call that was accepted before its end was switched off is
/// still executed, though no caller gets its reply.
#[test]
fn a_call_on_its_way_is_executed_after_a_disconnect() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        pair.network.hold(0, 1);
        let sent = watch(&pair.network, |step| matches!(step, CallStep::Sent { .. }));
        let caller = {
            let pair = Arc::clone(&pair);
            thread::spawn(move || pair.call(0))
        };
        sent.recv().unwrap();
        pair.network.enable("end of 0", false);
        pair.network.release(0, 1);
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (1, Ending::ServerGone));
    });
}

#[test]
fn the_log_has_every_step_of_a_call_with_caller_server_and_method() {
    bounded(|| {
        let pair = Pair::new();
        assert_eq!(pair.call(0), Ok(2));
        let events = pair.network.events();
        let steps: Vec<CallStep> = events.iter().map(|event| event.step.clone()).collect();
        assert_eq!(
            steps,
            [
                CallStep::Sent { bytes: 1 },
                CallStep::Dispatched { copy: 0 },
                CallStep::Handled { bytes: Some(1), copy: 0 },
                CallStep::Ended(Ending::Answered { bytes: 1 }),
            ]
        );
        for event in &events {
            assert_eq!((event.from, event.to), (Some(0), Some(1)));
            assert_eq!(
                (&*event.method, event.kind(), event.call),
                ("Test.Increment", "Increment", 1)
            );
        }
        assert!(events.is_sorted_by_key(|event| event.at));
    });
}

#[test]
fn misuse_is_the_callers_error_and_the_log_shows_it() {
    bounded(|| {
        let pair = Pair::new();
        let unknown = pair.ends[0].call::<u64, u64>("Test.Decrement", &1).unwrap_err();
        let wrong_reply = pair.ends[0].call::<u64, String>("Test.Increment", &99).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "unknown method \"Test.Decrement\"; the service offers Increment"
        );
        assert!(matches!(wrong_reply, CallError::UndecodableReply { .. }));
        let misused: Vec<String> = pair
            .network
            .events()
            .into_iter()
            .filter_map(|event| match event.step {
                CallStep::Misused(what) => Some(what),
                _ => None,
            })
            .collect();
        assert_eq!(misused, [unknown.to_string(), wrong_reply.to_string()]);
    });
}

/// A request of the caller is too much, and so is a reply of the server.
#[test]
fn a_sender_with_too_much_under_way_gets_no_answer_and_the_log_shows_it() {
    bounded(|| {
        let network = Network::new(1);
        let service = Service::new("Test")
            .raw_method("Take", |_| Ok(Vec::new()))
            .raw_method("Give", |_| Ok(vec![0; UNDER_WAY_BYTES_MAX + 1]));
        network.add_server("server", Server::from(service));
        let end = network.make_end_of("client", "end");
        network.connect("end", "server");
        network.enable("end", true);
        let most = || vec![0; UNDER_WAY_BYTES_MAX];
        assert_eq!(end.call_raw("Test.Take", most()), Ok(Vec::new()));
        let more = [most(), vec![0]].concat();
        assert_eq!(end.call_raw("Test.Take", more), Err(CallError::NoAnswer));
        assert_eq!(end.call_raw("Test.Give", Vec::new()), Err(CallError::NoAnswer));
        let overloads = network.events().into_iter().filter_map(|event| match event.step {
            CallStep::Overloaded { by_reply } => Some(by_reply),
            _ => None,
        });
        assert_eq!(overloads.collect::<Vec<_>>(), [false, true]);
    });
}

#[test]
fn a_panic_in_a_handler_is_no_answer_and_the_server_goes_on() {
    bounded(|| {
        let network = Network::new(1);
        let service = Service::new("Test").method("Invert", |n: u64| 100 / n);
        network.add_server("server", Server::from(service));
        let end = network.make_end("end");
        network.connect("end", "server");
        network.enable("end", true);
        assert_eq!(end.call::<u64, u64>("Test.Invert", &0), Err(CallError::NoAnswer));
        assert_eq!(end.call::<u64, u64>("Test.Invert", &4), Ok(25));
    });
}

#[test]
fn a_closed_network_answers_no_call_and_counts_none() {
    bounded(|| {
        let pair = Pair::new();
        pair.network.cleanup();
        assert_eq!(pair.call(0), Err(CallError::NoAnswer));
        assert_eq!(pair.network.get_total_count(), 0);
    });
}

#[test]
fn a_deleted_end_or_server_gets_no_answer() {
    bounded(|| {
        let pair = Pair::new();
        pair.network.delete_server(1);
        assert_eq!(pair.call(0), Err(CallError::NoAnswer));
        assert_eq!(pair.last_ending(), Ending::NoServer);
        let calls = pair.network.get_total_count();
        pair.network.delete_end("end of 1");
        assert_eq!(pair.call(1), Err(CallError::NoAnswer));
        assert_eq!(pair.last_ending(), Ending::Deleted);
        assert_eq!(pair.network.get_total_count(), calls, "it was not taken");
    });
}

/// A thread that outlives its server may call again and again, without a pause and without an end.
#[test]
fn time_passes_while_calls_through_a_deleted_end_or_on_a_closed_network_fail() {
    for end_of in
        [|pair: &Pair| pair.network.delete_end("end of 0"), |pair: &Pair| pair.network.cleanup()]
    {
        bounded(move || {
            let pair = Arc::new(Pair::new());
            // Such a caller waits the same time, with and without long delays.
            pair.network.long_delays(true);
            end_of(&pair);
            let start = Instant::now();
            for calls in 1..=3 {
                assert_eq!(pair.call(0), Err(CallError::NoAnswer));
                // A step takes some nanoseconds.
                let over = start.elapsed() - calls * GONE_DELAY;
                assert!(over < Duration::from_millis(1), "{over:?} too long");
            }
            assert!(pair.network.pending().is_empty());
        });
    }
}

/// The server of the end is gone, so its call gets no answer.
#[test]
fn a_call_in_a_handler_ends_when_its_end_is_deleted() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        pair.network.hold(0, 1);
        let sent = watch(&pair.network, |step| matches!(step, CallStep::Sent { .. }));
        let caller = {
            let pair = Arc::clone(&pair);
            thread::spawn(move || pair.call(0))
        };
        sent.recv().unwrap();
        pair.network.delete_end("end of 0");
        pair.network.release(0, 1);
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (1, Ending::ServerGone));
    });
}
