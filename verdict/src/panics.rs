//! A panic in any thread is a verdict, even if no other thread would notice it.

use std::panic::{self, PanicHookInfo};
use std::thread;

use crate::failure::{self, Class, Failure};
use crate::label::{self, Label};
use crate::lives::{Death, KILL};
use crate::referee::Referee;

/// A longer name of a thread is cut to leave room for the text of the panic.
const THREAD_NAME_BYTES_MAX: usize = 128;

/// Reports every later panic in this process to `referee`, with its server and its place in the
/// source, and then prints it as before. It is a failure, or a finding if its server was dead
/// already.
pub fn report_to(referee: Referee) {
    hook(move |info| {
        // What `kill` itself does is never late.
        let life = label::life().filter(|_| label::doing() != Some(KILL));
        let death = life.and_then(|life| referee.death(life));
        let failure = told(info, death);
        match life.filter(|_| death.is_some_and(Death::is_over)) {
            Some(life) => referee.panicked_late(life, failure.sentence),
            None => referee.fail(failure),
        }
    });
}

/// The same without a referee: passes the failure of each panic to `tell`.
pub fn report(tell: impl Fn(Failure) + Send + Sync + 'static) {
    hook(move |info| tell(told(info, None)));
}

fn hook(tell: impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static) {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(info);
        print(info);
    }));
}

/// `death` is that of the server, if it has begun.
fn told(info: &PanicHookInfo<'_>, death: Option<Death>) -> Failure {
    let late = death.map_or_else(String::new, |death| format!(" {death}"));
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    let what = message(info.payload());
    match label::current() {
        Some(Label::Kit) => {
            Failure::new(Class::Infra, format!("the kit itself panicked{place}: {what}"))
        }
        Some(Label::Server(server)) => {
            let sentence = format!("server {server} panicked in {}{place}{late}: {what}", doing());
            Failure::of(server, Class::Panic, sentence)
        }
        None => {
            let sentence = format!("a server panicked in {}{place}: {what}", doing());
            Failure::new(Class::Panic, sentence)
        }
    }
}

fn doing() -> String {
    if let Some(doing) = label::doing() {
        return format!("`{doing}`");
    }
    let thread = thread::current();
    match thread.name() {
        Some(name) if name.starts_with("server ") && name.ends_with(" rpc") => {
            "an RPC handler".into()
        }
        Some(name) => {
            let name = failure::cut(name.to_owned(), THREAD_NAME_BYTES_MAX);
            format!("its thread `{name}`")
        }
        None => "an unnamed thread of its own".into(),
    }
}

/// The text of a panic, if it has one.
pub fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a panic without a text"
    }
}
