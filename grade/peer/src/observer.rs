//! The thread that observes the server's state after each input or output.
//!
//! An observation may take the server's lock, so it is late if the server is busy. Its number tells
//! the grader which outputs it covers.

use std::sync::Arc;
use std::thread;

use crate::outlet::Outlet;
use crate::service::{Hosted, Observation};

/// Starts the thread. It ends if the server never shows its state.
pub(crate) fn start(hosted: Arc<dyn Hosted>, outlet: Arc<Outlet>) {
    let work = move || {
        loop {
            let covers = outlet.wait();
            match hosted.observe(outlet.describes()) {
                Observation::NotYet => {}
                Observation::Never => return outlet.show(covers, None),
                Observation::Same => outlet.show(covers, Some(vec![])),
                Observation::Change(change) => outlet.show(covers, Some(change)),
            }
        }
    };
    let builder = thread::Builder::new().name("observer".into());
    builder.spawn(work).expect("failed to start the observer");
}
