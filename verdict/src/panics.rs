//! Makes a panic in any thread a verdict, even if no other thread would notice it.

use std::panic::{self, PanicHookInfo};
use std::thread;

use crate::failure::{self, Class, Failure};
use crate::finding::FindingKind;
use crate::label::{self, Label};
use crate::lives::{Death, KILL};
use crate::referee::Referee;

/// The limit of a thread's name. A longer name is cut, to leave room for the text of the panic.
const THREAD_NAME_BYTES_MAX: usize = 128;

/// Reports every later panic in this process to `referee`, with its server and its place in the
/// source, and then prints it as before. The panic is a failure. It is a finding if its server was
/// or may have been dead already.
pub fn report_to(referee: Referee) {
    hook(move |info| {
        if is_of_any_server(&referee) {
            return shared_panic(info, &referee);
        }
        // A panic in `kill` itself is never late.
        let life = label::life().filter(|_| label::doing() != Some(KILL));
        let death = life.and_then(|life| referee.death(life));
        let failure = failure_of(info, death);
        match life.filter(|_| death.is_some_and(Death::is_over)) {
            Some(life) => referee.panicked_late(life, failure.sentence),
            None => referee.fail(failure),
        }
    });
}

/// Whether servers share threads, and the calling thread is not one of the lab. Its label then says
/// only which server started it, even if it was not seen to work for several servers.
fn is_of_any_server(referee: &Referee) -> bool {
    let is_labelled = label::is_entered() || label::current() == Some(Label::Kit);
    !is_labelled && referee.has_shared_threads()
}

fn shared_panic(info: &PanicHookInfo<'_>, referee: &Referee) {
    let sentence = sentence_without_server(info);
    if referee.has_death() {
        let sentence = format!("{sentence}; servers share threads, and some were killed");
        referee.note(FindingKind::LatePanic, sentence);
    } else {
        referee.fail(Failure::new(Class::Panic, sentence));
    }
}

/// Like [`report_to`], without a referee: passes the failure of each panic to `tell`.
pub fn report(tell: impl Fn(Failure) + Send + Sync + 'static) {
    hook(move |info| tell(failure_of(info, None)));
}

fn hook(tell: impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static) {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(info);
        print(info);
    }));
}

/// `death` is that of the server, if it has begun.
fn failure_of(info: &PanicHookInfo<'_>, death: Option<Death>) -> Failure {
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
        Some(Label::Shared) | None => Failure::new(Class::Panic, sentence_without_server(info)),
    }
}

/// The sentence for a panic whose server is unknown.
fn sentence_without_server(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    format!("a server panicked in {}{place}: {}", doing(), message(info.payload()))
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
