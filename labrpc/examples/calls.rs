//! Prints how long 100,000 calls take on a reliable network, one after the other: what 6.824's
//! TestBenchmark prints.

use std::time::Instant;

use labrpc::Service;
use labrpc::network::{Network, Server};

const CALLS: u32 = 100_000;

fn main() {
    let network = Network::new(1);
    let service = Service::new("Echo").method("Length", |text: String| text.len() as u64);
    network.add_server("server", Server::from(service));
    let end = network.make_end("end");
    network.connect("end", "server");
    network.enable("end", true);

    let start = Instant::now();
    for _ in 0..CALLS {
        end.call::<_, u64>("Echo.Length", "1234").expect("a reliable network answers");
    }
    let took = start.elapsed();
    println!(
        "{CALLS} calls in {took:.2?}, {:.1} us a call",
        took.as_micros() as f64 / f64::from(CALLS)
    );
}
