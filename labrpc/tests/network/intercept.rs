//! Interceptors: a test catches a message and decides its fate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use labrpc::CallError;
use labrpc::network::{CallStep, Delay, Disturbance, Ending, Event, Held, Interceptor, Messages};

use crate::pair::Pair;
use crate::support::bounded;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

type Caller = JoinHandle<Result<u64, CallError>>;

fn spawn_call(pair: &Arc<Pair>, from: usize) -> Caller {
    let pair = Arc::clone(pair);
    thread::spawn(move || pair.call(from))
}

/// A call of server 0 whose request or reply is caught.
fn caught(messages: Messages) -> (Arc<Pair>, Interceptor, Caller, Held) {
    let pair = Arc::new(Pair::new());
    let interceptor = pair.network.intercept(messages);
    let caller = spawn_call(&pair, 0);
    let held = interceptor.next(SECOND).expect("nothing was caught");
    (pair, interceptor, caller, held)
}

#[test]
fn a_request_waits_until_it_is_delivered() {
    bounded(|| {
        let (pair, _interceptor, caller, held) = caught(Messages::requests());
        assert_eq!((held.from, held.to, &*held.method), (Some(0), Some(1), "Test.Increment"));
        assert_eq!((held.decode::<u64>(), &*held.bytes), (Ok(1), &[1][..]));
        thread::sleep(30 * SECOND);
        assert_eq!((pair.handled(1), pair.network.pending().len()), (0, 1), "it is held");
        let start = Instant::now();
        held.deliver();
        assert_eq!((caller.join().unwrap(), pair.handled(1)), (Ok(2), 1));
        assert!(start.elapsed() < MS, "nothing else delays it");
    });
}

/// The sender of a reply is the server that was called.
#[test]
fn a_reply_waits_until_it_is_delivered() {
    bounded(|| {
        let (pair, _interceptor, caller, held) = caught(Messages::replies());
        assert_eq!((held.from, held.to, held.decode::<u64>()), (Some(1), Some(0), Ok(2)));
        thread::sleep(SECOND);
        assert_eq!((pair.handled(1), caller.is_finished()), (1, false));
        held.deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
    });
}

#[test]
fn losing_a_message_ends_its_call_immediately() {
    for (messages, handled, ending) in [
        (Messages::requests(), 0, Ending::RequestLost),
        (Messages::replies(), 1, Ending::ReplyLost),
    ] {
        bounded(move || {
            let (pair, _interceptor, caller, held) = caught(messages.clone());
            let start = Instant::now();
            held.lose();
            assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
            assert!(start.elapsed() < MS);
            assert_eq!((pair.handled(1), pair.last_ending()), (handled, ending));
        });
    }
}

#[test]
fn a_copy_runs_the_handler_again_and_its_reply_is_lost() {
    bounded(|| {
        let (pair, _interceptor, caller, held) = caught(Messages::requests());
        assert!(held.deliver_again(), "before the message itself");
        thread::sleep(MS);
        assert_eq!((pair.handled(1), caller.is_finished()), (1, false));
        held.deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
        thread::sleep(SECOND);
        assert!(held.deliver_again() && held.deliver_again(), "long after it");
        thread::sleep(MS);
        assert_eq!((pair.handled(1), pair.network.get_total_count()), (4, 1), "of one call");
        let events = pair.network.events().into_iter();
        let endings = events.filter(|event| matches!(event.step, CallStep::Ended(_)));
        assert_eq!(endings.count(), 1);
        let mut copies = copies_handled(&pair);
        copies.sort_unstable();
        assert_eq!(copies, [0, 1, 2, 3], "each has a number of its own");
    });
}

fn copies_handled(pair: &Pair) -> Vec<u32> {
    let copy = |event: Event| match event.step {
        CallStep::Handled { copy, .. } => Some(copy),
        _ => None,
    };
    pair.network.events().into_iter().filter_map(copy).collect()
}

/// Both messages of a call are caught, one after the other.
#[test]
fn an_interception_is_a_step_of_its_call() {
    bounded(|| {
        let (pair, _requests, caller, request) = caught(Messages::requests());
        let replies = pair.network.intercept(Messages::replies());
        request.deliver();
        replies.next(SECOND).unwrap().deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
        let events = pair.network.events().into_iter();
        assert_eq!(
            events.map(|event| event.step).collect::<Vec<_>>(),
            [
                CallStep::Sent { bytes: 1 },
                CallStep::Intercepted { is_reply: false },
                CallStep::Dispatched { copy: 0 },
                CallStep::Handled { bytes: Some(1), copy: 0 },
                CallStep::Intercepted { is_reply: true },
                CallStep::Ended(Ending::Answered { bytes: 1 }),
            ]
        );
    });
}

/// The message is lost for its caller, and a copy of it still arrives.
#[test]
fn a_lost_request_can_arrive_later() {
    bounded(|| {
        let (pair, _interceptor, caller, held) = caught(Messages::requests());
        held.lose();
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert!(held.deliver_again());
        thread::sleep(MS);
        assert_eq!(pair.handled(1), 1);
    });
}

/// A message can outlive the crash of its receiver.
#[test]
fn a_held_request_goes_to_the_next_incarnation_after_a_crash() {
    bounded(|| {
        let (pair, _interceptor, caller, held) = caught(Messages::requests());
        pair.restart(1);
        held.deliver();
        assert_eq!((caller.join().unwrap(), pair.network.get_count(1)), (Ok(2), Some(1)));
        pair.restart(1);
        assert!(held.deliver_again());
        thread::sleep(MS);
        assert_eq!(pair.network.get_count(1), Some(1), "a new server counts from zero");
    });
}

#[test]
fn a_message_delivered_while_its_receiver_is_down_is_lost() {
    bounded(|| {
        let (pair, _interceptor, caller, held) = caught(Messages::requests());
        pair.network.delete_server(1);
        assert!(!held.deliver_again());
        held.deliver();
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (0, Ending::ServerGone));
    });
}

/// The caller crashes, and its second message arrives afterwards.
#[test]
fn a_request_of_a_crashed_sender_is_executed_and_its_reply_is_lost() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        let requests = pair.network.intercept(Messages::requests().of("Increment").from(0).to(1));
        let first = spawn_call(&pair, 0);
        requests.next(SECOND).unwrap().deliver();
        assert_eq!(first.join().unwrap(), Ok(2));
        let second = spawn_call(&pair, 0);
        let held = requests.next(SECOND).unwrap();
        pair.network.delete_end("end of 0");
        thread::sleep(SECOND);
        held.deliver();
        assert_eq!(second.join().unwrap(), Err(CallError::NoAnswer));
        assert_eq!((pair.handled(1), pair.last_ending()), (2, Ending::ServerGone));
    });
}

#[test]
fn messages_that_do_not_match_pass() {
    bounded(|| {
        let pair = Pair::new();
        let _others = [
            Messages::requests().from(1),
            Messages::requests().to(0),
            Messages::requests().of("Decrement"),
            Messages::requests().whose_kind(|kind| kind.starts_with("Dec")),
            Messages::requests().from("nobody"),
            Messages::replies().from(0),
            Messages::replies().of("Incr"),
        ]
        .map(|messages| pair.network.intercept(messages));
        assert_eq!(pair.call(0), Ok(2));
    });
}

#[test]
fn a_kind_is_caught_whether_or_not_it_was_called_before() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        let incrs = pair.network.intercept(Messages::requests().whose_kind(|kind| kind != "Dec"));
        let caller = spawn_call(&pair, 0);
        let incr = incrs.next(Duration::from_secs(1)).expect("the call was made");
        incr.deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
    });
}

#[test]
fn each_message_is_caught_once_by_the_first_interceptor() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        let first = pair.network.intercept(Messages::requests().to(1));
        let second = pair.network.intercept(Messages::requests());
        let caller = spawn_call(&pair, 0);
        let held = first.next(SECOND).unwrap();
        assert!(second.try_next().is_none());
        held.deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
        assert!(second.try_next().is_none());
        drop(first);
        let caller = spawn_call(&pair, 0);
        second.next(SECOND).unwrap().deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
    });
}

#[test]
fn messages_are_handed_out_in_the_order_of_their_arrival() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        let requests = pair.network.intercept(Messages::requests());
        let callers = [0, 1].map(|from| {
            let caller = spawn_call(&pair, from);
            thread::sleep(MS);
            caller
        });
        let held = [0, 1].map(|_| requests.try_next().expect("it was caught already"));
        assert_eq!(held.each_ref().map(|held| held.from), [Some(0), Some(1)]);
        held[1].deliver();
        thread::sleep(MS);
        assert_eq!(callers.each_ref().map(JoinHandle::is_finished), [false, true]);
        held[0].deliver();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() == Ok(2)));
    });
}

#[test]
fn next_waits_at_most_its_timeout() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        let requests = pair.network.intercept(Messages::requests());
        let start = Instant::now();
        assert!(requests.try_next().is_none() && requests.next(3 * SECOND).is_none());
        let took = start.elapsed();
        assert!((3 * SECOND..3 * SECOND + MS).contains(&took), "{took:?}");
        let caller = {
            let pair = Arc::clone(&pair);
            thread::spawn(move || {
                thread::sleep(SECOND);
                pair.call(0)
            })
        };
        let start = Instant::now();
        requests.next(3 * SECOND).unwrap().deliver();
        assert!((SECOND..SECOND + MS).contains(&start.elapsed()));
        assert_eq!(caller.join().unwrap(), Ok(2));
    });
}

/// The fate that was drawn comes first: a lost request is never caught, a slow one late.
#[test]
fn the_fate_that_was_drawn_applies_before_an_interception() {
    bounded(|| {
        let pair = Arc::new(Pair::new());
        let requests = pair.network.intercept(Messages::requests());
        let lose = Disturbance { lose_permille: 1000, ..Disturbance::default() };
        pair.network.disturb(0, 1, lose);
        assert_eq!(pair.call(0), Err(CallError::NoAnswer));
        pair.network.cut(1, 0);
        assert_eq!(pair.call(1), Err(CallError::NoAnswer));
        assert!(requests.try_next().is_none());
        pair.network.heal(1, 0);

        let slow = Delay::Uniform(500..=500);
        pair.network.disturb(0, 1, Disturbance { delay: Some(slow), ..Disturbance::default() });
        pair.network.hold(0, 1);
        let start = Instant::now();
        let caller = spawn_call(&pair, 0);
        assert!(requests.next(SECOND).is_none(), "it is held by the link");
        pair.network.release(0, 1);
        let held = requests.next(SECOND).unwrap();
        assert!(start.elapsed() < SECOND + MS);
        held.deliver();
        assert_eq!(caller.join().unwrap(), Ok(2));
    });
}

#[test]
fn a_message_that_is_dropped_is_delivered() {
    bounded(|| {
        let (pair, interceptor, caller, held) = caught(Messages::requests());
        drop(held);
        assert_eq!(caller.join().unwrap(), Ok(2));
        let callers = [0, 1].map(|from| {
            let caller = spawn_call(&pair, from);
            thread::sleep(MS);
            caller
        });
        let taken = interceptor.try_next().unwrap();
        drop(interceptor);
        thread::sleep(MS);
        assert_eq!(callers.each_ref().map(JoinHandle::is_finished), [false, true]);
        assert_eq!(pair.call(1), Ok(2), "nothing is caught any more");
        taken.deliver();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() == Ok(2)));
    });
}

#[test]
fn calls_of_held_messages_end_when_the_network_is_closed() {
    bounded(|| {
        let (pair, interceptor, caller, held) = caught(Messages::requests());
        let other = spawn_call(&pair, 1);
        thread::sleep(MS);
        let network = pair.network.clone();
        network.cleanup();
        for caller in [caller, other] {
            assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
        }
        assert_eq!(pair.last_ending(), Ending::Closed);
        assert_eq!(interceptor.try_next().map(|held| held.from), Some(Some(1)));
        let start = Instant::now();
        assert!(interceptor.next(SECOND).is_none());
        assert!(network.intercept(Messages::requests()).next(SECOND).is_none());
        assert!(start.elapsed() < MS, "there is nothing to wait for");
        held.deliver();
        assert!(!held.deliver_again());
        assert_eq!(pair.handled(0) + pair.handled(1), 0);
        drop(pair);
        thread::sleep(MS);
        assert_eq!(sim::threads().len(), 1, "the test is alone");
    });
}

#[test]
fn a_fate_is_decided_once() {
    bounded(|| {
        let (_pair, _interceptor, caller, held) = caught(Messages::replies());
        held.lose();
        for decide in [Held::deliver, Held::lose, |held: &Held| _ = held.deliver_again()] {
            assert!(catch_unwind(AssertUnwindSafe(|| decide(&held))).is_err());
        }
        assert_eq!(caller.join().unwrap(), Err(CallError::NoAnswer));
    });
}
