//! The eleven tests that 6.824 has for its labrpc, under their names.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{bounded, watch};
use labrpc::network::{CallStep, Network, Server};
use labrpc::{CallError, ClientEnd, Service};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct JunkArgs {
    x: i64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct JunkReply {
    x: String,
}

/// The server of all these tests, and what its first two handlers were called with.
#[derive(Default)]
struct JunkServer {
    parsed: Mutex<Vec<String>>,
    named: Mutex<Vec<i64>>,
}

impl JunkServer {
    fn add_to(self: &Arc<Self>, network: &Network, name: &str) {
        let (parsing, naming) = (Arc::clone(self), Arc::clone(self));
        let (release, released) = never_sends();
        let service = Service::new("JunkServer")
            .method("Handler1", move |args: String| {
                parsing.parsed.lock().push(args.clone());
                args.parse::<i64>().unwrap_or(-1)
            })
            .method("Handler2", move |args: i64| {
                naming.named.lock().push(args);
                format!("handler2-{args}")
            })
            .method("Handler3", move |_: i64| {
                // 6.824 sleeps 20 s here. This one never returns while the server exists.
                let _keep = &release;
                let _ = released.lock().recv_timeout(Duration::from_secs(20));
                0_i64
            })
            .method("Handler4", |_: JunkArgs| JunkReply { x: "by reference".into() })
            .method("Handler5", |args: JunkArgs| JunkReply { x: format!("value {}", args.x) })
            .method("Handler6", |args: String| args.len() as i64)
            .method("Handler7", |args: usize| "y".repeat(args));
        network.add_server(name, Server::from(service));
    }
}

/// A channel on which nothing is ever sent.
fn never_sends() -> (Mutex<mpsc::Sender<()>>, Mutex<mpsc::Receiver<()>>) {
    let (sender, receiver) = mpsc::channel();
    (Mutex::new(sender), Mutex::new(receiver))
}

fn junk_server(network: &Network) -> Arc<JunkServer> {
    let server = Arc::new(JunkServer::default());
    server.add_to(network, "server99");
    server
}

fn connected_end(network: &Network, name: String) -> ClientEnd {
    let end = network.make_end(name.as_str());
    network.connect(name.as_str(), "server99");
    network.enable(name, true);
    end
}

/// A network with a junk server and one end that reaches it.
fn one_pair() -> (Network, Arc<JunkServer>, ClientEnd) {
    let network = Network::new(1);
    let server = junk_server(&network);
    let end = connected_end(&network, "end1-99".into());
    (network, server, end)
}

/// TestBasic: two handlers give the right replies through an enabled end.
#[test]
fn test_basic() {
    bounded(|| {
        let (_network, _server, end) = one_pair();
        assert_eq!(end.call("JunkServer.Handler2", &111_i64), Ok("handler2-111".to_string()));
        assert_eq!(end.call("JunkServer.Handler1", "9099"), Ok(9099_i64));
    });
}

/// TestTypes: Go has handlers that take a pointer and ones that take a value; here a caller may
/// pass either and the handler gets a value of its own.
#[test]
fn test_types() {
    bounded(|| {
        let (_network, _server, end) = one_pair();
        let by_reference: Result<JunkReply, _> =
            end.call("JunkServer.Handler4", &JunkArgs { x: 1 });
        assert_eq!(by_reference, Ok(JunkReply { x: "by reference".into() }));
        let by_value: Result<JunkReply, _> = end.call("JunkServer.Handler5", &JunkArgs { x: 2 });
        assert_eq!(by_value, Ok(JunkReply { x: "value 2".into() }));
    });
}

/// TestDisconnect: a call through an end that is not yet enabled has no answer; afterwards it has.
#[test]
fn test_disconnect() {
    bounded(|| {
        let network = Network::new(1);
        let server = junk_server(&network);
        let end = network.make_end("end1-99");
        network.connect("end1-99", "server99");
        assert_eq!(
            end.call::<_, String>("JunkServer.Handler2", &111_i64),
            Err(CallError::NoAnswer)
        );
        assert!(server.named.lock().is_empty());
        network.enable("end1-99", true);
        assert_eq!(end.call("JunkServer.Handler1", "9099"), Ok(9099_i64));
    });
}

/// TestCounts: the server counts the calls that reach it.
#[test]
fn test_counts() {
    bounded(|| {
        let (network, _server, end) = one_pair();
        for i in 0..17_i64 {
            assert_eq!(end.call("JunkServer.Handler2", &i), Ok(format!("handler2-{i}")));
        }
        assert_eq!(network.get_count("server99"), Some(17));
    });
}

/// TestBytes: the network counts the bytes that travel.
///
/// 6.824 allows 4,828 to 6,000 and 1,800 to 2,500 bytes, for gob. Our codec is exact, so the
/// figures are too: a string of more than 250 bytes costs 3 bytes for its length (a marker and a
/// 16-bit number), one of 107 costs 1; of the signed number 284 the doubled value is beyond 250,
/// which again costs 3, and so does the unsigned 107 one.
#[test]
fn test_bytes() {
    bounded(|| {
        let (network, _server, end) = one_pair();
        let text = "1234".repeat(71);
        assert_eq!(text.len(), 284);
        for _ in 0..17 {
            assert_eq!(end.call("JunkServer.Handler6", &text), Ok(284_i64));
        }
        assert_eq!(network.get_total_bytes(), 17 * ((3 + 284) + 3));

        let before = network.get_total_bytes();
        for _ in 0..17 {
            assert_eq!(end.call("JunkServer.Handler7", &107_usize), Ok("y".repeat(107)));
        }
        assert_eq!(network.get_total_bytes() - before, 17 * (1 + (1 + 107)));
    });
}

/// TestConcurrentMany: twenty clients with ends of their own do not disturb one another.
#[test]
fn test_concurrent_many() {
    bounded(|| {
        let network = Network::new(1);
        let server = junk_server(&network);
        thread::scope(|scope| {
            for client in 0..20_i64 {
                let network = &network;
                scope.spawn(move || {
                    let end = connected_end(network, format!("end-{client}"));
                    for call in 0..10 {
                        let arg = client * 100 + call;
                        let reply = end.call("JunkServer.Handler2", &arg);
                        assert_eq!(reply, Ok(format!("handler2-{arg}")));
                    }
                });
            }
        });
        assert_eq!(network.get_count("server99"), Some(200));
        assert_eq!(server.named.lock().len(), 200);
    });
}

/// TestUnreliable: of 300 calls on an unreliable network some are answered, some are not, and every
/// answer is right.
#[test]
fn test_unreliable() {
    bounded(|| {
        let network = Network::new(1);
        network.reliable(false);
        let _server = junk_server(&network);
        let answered: usize = thread::scope(|scope| {
            let clients: Vec<_> = (0..300_i64)
                .map(|client| {
                    let network = &network;
                    scope.spawn(move || {
                        let end = connected_end(network, format!("end-{client}"));
                        match end.call::<_, String>("JunkServer.Handler2", &(client * 100)) {
                            Ok(reply) => {
                                assert_eq!(reply, format!("handler2-{}", client * 100));
                                1
                            }
                            Err(error) => {
                                assert_eq!(error, CallError::NoAnswer);
                                0
                            }
                        }
                    })
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).sum()
        });
        assert!((1..300).contains(&answered), "{answered} of 300 calls were answered");
    });
}

/// TestConcurrentOne: twenty calls at the same time through one end.
#[test]
fn test_concurrent_one() {
    bounded(|| {
        let (network, server, end) = one_pair();
        thread::scope(|scope| {
            for arg in 0..20_i64 {
                let end = end.clone();
                scope.spawn(move || {
                    let reply = end.call("JunkServer.Handler2", &arg);
                    assert_eq!(reply, Ok(format!("handler2-{arg}")));
                });
            }
        });
        assert_eq!(server.named.lock().len(), 20);
        assert_eq!(network.get_count("server99"), Some(20));
    });
}

/// TestRegression1: calls that were sent while the end was disabled neither delay one that is sent
/// after it was enabled, nor reach the server later.
#[test]
fn test_regression1() {
    bounded(|| {
        let network = Network::new(1);
        let server = junk_server(&network);
        let end = network.make_end("end1-99");
        network.connect("end1-99", "server99");
        thread::scope(|scope| {
            for arg in 0..20_i64 {
                let end = end.clone();
                scope.spawn(move || {
                    let early: Result<String, _> = end.call("JunkServer.Handler2", &(100 + arg));
                    assert_eq!(early, Err(CallError::NoAnswer));
                });
            }
            thread::sleep(Duration::from_millis(10));
            assert!(network.pending().len() > 1, "most of them wait, for up to 100 ms");
            network.enable("end1-99", true);
            let start = Instant::now();
            assert_eq!(end.call("JunkServer.Handler2", &99_i64), Ok("handler2-99".to_string()));
            let took = start.elapsed();
            assert!(took < Duration::from_millis(30), "it took {took:?}");
        });
        assert_eq!(*server.named.lock(), [99]);
        assert_eq!(network.get_count("server99"), Some(1));
    });
}

/// TestKilled: a call in a handler that does not return fails soon after its server is deleted, and
/// not before.
///
/// 6.824 checks every 100 ms and allows 100 ms. Here the limit is one more.
#[test]
fn test_killed() {
    bounded(|| {
        let (network, _server, end) = one_pair();
        let dispatched = watch(&network, |step| matches!(step, CallStep::Dispatched { .. }));
        let (ended, end_of_call) = mpsc::channel();
        thread::spawn(move || {
            let reply: Result<i64, _> = end.call("JunkServer.Handler3", &99_i64);
            ended.send((reply, Instant::now())).unwrap();
        });
        dispatched.recv().unwrap();
        let early = end_of_call.recv_timeout(Duration::from_millis(1100));
        assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout), "it returned too early");

        let deleted = Instant::now();
        network.delete_server("server99");
        let (reply, at) = end_of_call.recv().unwrap();
        assert_eq!(reply, Err(CallError::NoAnswer));
        let took = at - deleted;
        assert!(took <= Duration::from_millis(101), "it took {took:?}");
    });
}

/// TestBenchmark: many calls, one after the other, are all answered. The original makes 100,000 and
/// prints the time; here `cargo run --release -p labrpc --example calls` does that.
#[test]
fn test_benchmark() {
    bounded(|| {
        let (network, _server, end) = one_pair();
        for i in 0..10_000_i64 {
            assert_eq!(end.call("JunkServer.Handler6", "1234"), Ok(4_i64), "call {i}");
        }
        assert_eq!(network.get_total_count(), 10_000);
    });
}
