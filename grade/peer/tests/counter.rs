//! A second service, a counter, with the same host and frames as Raft. It needs only a module of
//! its own.

use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;
use labrpc::network::Value;
use labrpc::{CallError, ClientEnd, Service, codec};
use parking_lot::Mutex;
use peer::delta::Change;
use peer::description;
use peer::frames::{self, Advance, Advanced, Answer, Call, Handlers, Init, Input, Output};
use peer::host;
use peer::service::{self, Context, Hosted, Observation};
use raftapi::Persister;
use serde::Serialize;
use serde_bytes::ByteBuf;

const ADD: &str = "add";
const GET: &str = "get";
const GET_FROM: &str = "get_from";

/// Adds numbers, saves each total, and delivers it.
struct Counter {
    total: Arc<OnceLock<Mutex<u64>>>,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    totals: Sender<u64>,
}

impl Counter {
    fn new(context: Context) -> Counter {
        let Context { ends, persister, deliveries, .. } = context;
        Counter { total: Arc::default(), ends, persister, totals: deliveries.channel() }
    }

    fn add(&self, amount: u64) -> u64 {
        let total = {
            let mut total = self.total.get().unwrap().lock();
            *total += amount;
            *total
        };
        self.persister.save(bytes(&total).into_vec(), vec![]);
        self.totals.send(total).unwrap();
        total
    }
}

impl Hosted for Counter {
    fn make(&self) {
        let saved = self.persister.read_raft_state();
        let total = if saved.is_empty() { 0 } else { codec::decode(&saved).unwrap() };
        self.total.set(Mutex::new(total)).unwrap();
    }

    fn handlers(&self) -> Vec<Service> {
        let total = Arc::clone(&self.total);
        vec![Service::new("Counter").method("Get", move |()| *total.get().unwrap().lock())]
    }

    fn methods(&self) -> &'static [&'static str] {
        &[ADD, GET, GET_FROM]
    }

    fn call(&self, method: &'static str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        match method {
            ADD => service::answer(method, args, |amount| self.add(amount)),
            GET => service::answer(method, args, |()| *self.total.get().unwrap().lock()),
            _ => service::answer(method, args, |from: usize| {
                self.ends[from].call::<_, u64>("Counter.Get", &()).unwrap()
            }),
        }
    }

    fn observe(&self, _with_details: bool) -> Observation {
        match self.total.get() {
            Some(total) => Observation::Change(bytes(&*total.lock()).into_vec()),
            None => Observation::NotYet,
        }
    }
}

/// Acts as the grader.
struct Grader {
    from: BufReader<File>,
    to: File,
    now: Duration,
}

impl Grader {
    /// Starts a server with this saved total.
    fn new(saved: u64) -> Grader {
        let (from, to_here) = pipe();
        let (from_here, mut to) = pipe();
        thread::spawn(|| host::serve(from_here, to_here, |it| Arc::new(Counter::new(it))));
        let state = bytes(&saved).into_vec();
        let init = Init { me: 0, servers: 2, seed: 1, state, snapshot: vec![] };
        frames::write(&mut to, &init).unwrap();
        Grader { from: BufReader::new(from), to, now: Duration::ZERO }
    }

    /// Sends an input, and returns the answer.
    fn send(&mut self, input: Input) -> Advanced {
        self.now += Duration::from_millis(1);
        frames::write(&mut self.to, &Advance { until: self.now, inputs: vec![input] }).unwrap();
        frames::read(&mut self.from).unwrap()
    }

    /// Sends an input. Returns the outputs except observations, and the last observation.
    fn advance(&mut self, input: Input) -> (Vec<Output>, Option<u64>) {
        let Advanced { outputs, .. } = self.send(input);
        let (mut others, mut observed) = (vec![], None);
        for (_, output) in outputs {
            match output {
                Output::Observed { change: Some(change), .. } => {
                    observed = Some(codec::decode(&change).unwrap());
                }
                other => others.push(other),
            }
        }
        (others, observed)
    }

    fn call(&mut self, id: u64, call: Call) -> (Vec<Output>, Option<u64>) {
        self.advance(Input::Call { id, call })
    }
}

fn pipe() -> (File, File) {
    let (from, to) = io::pipe().unwrap();
    (File::from(OwnedFd::from(from)), File::from(OwnedFd::from(to)))
}

fn bytes(value: &impl Serialize) -> ByteBuf {
    ByteBuf::from(codec::encode(value).unwrap())
}

fn method(name: &str, args: &impl Serialize) -> Call {
    Call::Method { method: name.into(), args: bytes(args).into_vec() }
}

fn returned(id: u64, result: u64) -> Output {
    Output::Answer { id, answer: Answer::Returned(Ok(bytes(&result))) }
}

#[test]
fn a_counter_is_served_like_a_raft() {
    let mut grader = Grader::new(40);
    let made = Output::Answer { id: 1, answer: Answer::Made { has_read: true } };
    assert_eq!(grader.call(1, Call::Make), (vec![made], Some(40)));
    let names = Handlers { service: "Counter".into(), methods: vec!["Get".into()] };
    let handlers = Output::Answer { id: 2, answer: Answer::Handlers(vec![names]) };
    assert_eq!(grader.call(2, Call::Handlers).0, [handlers]);

    // The message waits for a credit, and so does the method.
    let state = Change::between(&bytes(&40_u64), &bytes(&42_u64));
    let saved = Output::Saved { state, snapshot: Change::between(&[], &[]) };
    let added = grader.call(3, method(ADD, &2_u64));
    assert_eq!(added, (vec![saved, Output::Blocked], Some(42)));
    let delivered = Output::Delivered(bytes(&42_u64));
    assert_eq!(grader.advance(Input::Credit).0, [delivered, returned(3, 42)]);
    assert_eq!(grader.call(4, method(GET, &())).0, [returned(4, 42)]);

    let (get, args) = ("Counter.Get".to_owned(), vec![]);
    let replied = Output::Reply { id: 1, result: Ok(bytes(&42_u64)) };
    let request = Input::Request { id: 1, method: get.clone(), args: args.clone() };
    assert_eq!(grader.advance(request).0, [replied]);
    let asks = Output::Request { id: 1, to: 1, method: get, args };
    assert_eq!(grader.call(5, method(GET_FROM, &1_usize)).0, [asks]);
    let reply = Input::Reply { id: 1, result: Ok(bytes(&7_u64)) };
    assert_eq!(grader.advance(reply).0, [returned(5, 7)]);
}

#[test]
fn a_method_that_the_service_does_not_have_is_refused() {
    let mut grader = Grader::new(0);
    grader.call(1, Call::Make);
    let (outputs, _) = grader.call(2, method("subtract", &1_u64));
    let known = "add, get, get_from".to_owned();
    let error = CallError::UnknownMethod { method: "subtract".into(), known };
    assert_eq!(outputs, [Output::Answer { id: 2, answer: Answer::Returned(Err(error)) }]);
}

/// In a recorded run, requests and replies are described. Otherwise the outputs are the same, and
/// come at the same times.
#[test]
fn a_recorded_run_has_descriptions_and_is_the_same_otherwise() {
    let answers = |make: Call| {
        let mut grader = Grader::new(40);
        let get = "Counter.Get".to_owned();
        let inputs = [
            Input::Call { id: 1, call: make },
            Input::Call { id: 2, call: Call::Handlers },
            Input::Request { id: 1, method: get.clone(), args: vec![] },
            Input::Call { id: 3, call: method(GET_FROM, &1_usize) },
            Input::Reply { id: 1, result: Ok(bytes(&7_u64)) },
            // There is no description of a reply that does not exist.
            Input::Request { id: 2, method: "Counter.Set".to_owned(), args: vec![] },
        ];
        inputs.map(|input| grader.send(input))
    };
    let plain = answers(Call::Make);
    let mut values = Vec::new();
    let mut without_values = |output| match output {
        Output::DescribedRequest { id, to, method, args, value } => {
            values.push(description::read(&value));
            Output::Request { id, to, method, args }
        }
        Output::DescribedReply { id, result, value } => {
            values.push(description::read(&value));
            Output::Reply { id, result }
        }
        other => other,
    };
    let recorded = answers(Call::MakeDescribed).map(|Advanced { next_deadline, outputs }| {
        let outputs = outputs.into_iter().map(|(at, output)| (at, without_values(output)));
        Advanced { next_deadline, outputs: outputs.collect() }
    });
    assert_eq!(recorded, plain);
    assert_eq!(values, [Some(Value::Unsigned(40)), Some(Value::Null)]);
}
