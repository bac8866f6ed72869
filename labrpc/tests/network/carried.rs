//! Ends whose network is elsewhere: what the carrier gets, and what the caller gets back.

use std::sync::Arc;

use labrpc::network::{CallStep, Carrier, Network, Server, Value};
use labrpc::{CallError, ClientEnd, Service, codec};
use parking_lot::Mutex;

/// Makes calls to a server without a network, and records every misuse.
struct Courier {
    server: Server,
    misuse: Mutex<Vec<(Option<u64>, String, String)>>,
}

impl Carrier for Courier {
    fn carry(
        &self,
        method: &str,
        args: Vec<u8>,
        _: Option<Value>,
    ) -> (u64, Result<Vec<u8>, CallError>) {
        let result = self.server.dispatch_raw(method, &args);
        (self.server.count(), result)
    }

    fn misused(&self, call: Option<u64>, method: &str, error: &CallError) {
        self.misuse.lock().push((call, method.to_owned(), error.to_string()));
    }
}

fn end() -> (ClientEnd, Arc<Courier>) {
    let service = Service::new("Arith").method("Double", |n: u64| 2 * n);
    let courier = Arc::new(Courier { server: service.into(), misuse: Mutex::default() });
    (ClientEnd::carried("end", Arc::clone(&courier) as Arc<dyn Carrier>), courier)
}

#[test]
fn a_carried_call_has_the_types_of_any_call() {
    let (end, courier) = end();
    assert_eq!(end.call("Arith.Double", &21_u64), Ok(42_u64));
    let raw = end.call_raw("Arith.Double", codec::encode(&4_u64).unwrap()).unwrap();
    assert_eq!(codec::decode::<u64>(&raw).unwrap(), 8);
    assert!(courier.misuse.lock().is_empty());
}

/// A network would not see an error on the caller's side.
#[test]
fn a_carrier_learns_of_arguments_and_replies_of_the_wrong_type() {
    let (end, courier) = end();
    let wrong_reply = end.call::<u64, (u64, u64)>("Arith.Double", &21).unwrap_err();
    assert!(matches!(wrong_reply, CallError::UndecodableReply { .. }));
    let wrong_args = end.call::<_, u64>("Arith.Double", &lengthless::Lengthless).unwrap_err();
    assert!(matches!(wrong_args, CallError::UnencodableArgs { .. }));
    let method = "Arith.Double".to_owned();
    assert_eq!(
        *courier.misuse.lock(),
        [
            (Some(1), method.clone(), wrong_reply.to_string()),
            (None, method, wrong_args.to_string())
        ]
    );
}

/// The server's side reports its own errors.
#[test]
fn errors_of_the_server_pass_through_and_are_not_recorded() {
    let (end, courier) = end();
    let unknown = end.call::<u64, u64>("Arith.Halve", &21).unwrap_err();
    assert!(matches!(unknown, CallError::UnknownMethod { .. }));
    assert!(courier.misuse.lock().is_empty());
}

/// A service whose process is gone gives no answer. That is not a misuse.
#[test]
fn a_service_elsewhere_that_is_gone_gives_no_answer() {
    let network = Network::new(1);
    let gone = Service::new("Arith").raw_method("Double", |_| Err(CallError::NoAnswer));
    network.add_server("server", gone.into());
    let end = network.make_end("end");
    network.connect("end", "server");
    network.enable("end", true);
    assert_eq!(end.call::<u64, u64>("Arith.Double", &21), Err(CallError::NoAnswer));
    let misused = |event: &labrpc::network::Event| matches!(event.step, CallStep::Misused(_));
    assert!(!network.events().iter().any(misused));
}

/// Both sides are elsewhere, and describe what they send. Only a network that records values keeps
/// the descriptions.
#[test]
fn descriptions_from_elsewhere_are_recorded_like_those_of_typed_calls() {
    let described = |records| {
        let network = Network::new(1);
        if records {
            network.describe_values();
        }
        let typed = Server::from(Service::new("Arith").method("Double", |n: u64| 2 * n));
        let elsewhere = Service::new("Arith")
            .described_method("Double", move |args| typed.dispatch_described("Arith.Double", args));
        network.add_server("server", elsewhere.into());
        let end = network.make_end("end");
        network.connect("end", "server");
        network.enable("end", true);
        let (args, value) = (codec::encode(&21_u64).unwrap(), Value::Unsigned(21));
        let reply = end.call_described("Arith.Double", args, records.then_some(value));
        assert_eq!(codec::decode::<u64>(&reply.unwrap()).unwrap(), 42);
        let steps = network.events().into_iter().map(|event| event.step);
        let values = steps.filter_map(|step| match step {
            CallStep::Described { is_reply, value, .. } => Some((is_reply, value)),
            _ => None,
        });
        values.collect::<Vec<_>>()
    };
    assert_eq!(described(true), [(false, Value::Unsigned(21)), (true, Value::Unsigned(42))]);
    assert_eq!(described(false), []);
}

mod lengthless {
    use serde::ser::{Serialize, SerializeSeq, Serializer};

    /// A sequence of unknown length, which the encoding does not allow.
    pub(super) struct Lengthless;

    impl Serialize for Lengthless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_seq(None)?.end()
        }
    }
}
