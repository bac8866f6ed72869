//! Stepped runs: a host outside lets virtual time pass one step at a time, with inputs and outputs.
//!
//! A host can keep many simulations, for example one in each process, at a common virtual time. It
//! steps each to the next instant at which anything can happen, delivers the outputs, and repeats.
//! The host chooses the types of inputs and outputs.

use std::any::Any;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::inside::now;
use crate::options::Options;
use crate::report::Report;
use crate::run::driver::Driver;
use crate::run::machine::{Mode, Segment};
use crate::scheduler::schedule::policy;
use crate::scheduler::turn::with;

/// How a step ended.
#[derive(Debug)]
pub struct Pause<O> {
    /// Whether the closure still runs. If not, [`Stepped::finish`] returns the report.
    pub running: bool,
    /// The virtual time reached.
    pub now: Duration,
    /// The virtual time at which something happens next if no input comes. It is `now` if a thread
    /// is ready, and `None` if every thread waits and no timer runs.
    pub next_deadline: Option<Duration>,
    /// The outputs of the step in order, each with its virtual time.
    pub outputs: Vec<(Duration, O)>,
}

/// A simulation that runs only while [`step`](Stepped::step) does.
///
/// ```
/// use std::time::Duration;
/// let mut stepped = sim::Stepped::start(sim::Options::new(), |inbox, outbox| {
///     while let Some(number) = inbox.receive() {
///         std::thread::sleep(Duration::from_millis(5));
///         let number: u32 = number;
///         outbox.send(number * 2);
///     }
/// });
/// let pause = stepped.step(Duration::from_millis(10), [21]);
/// assert_eq!(pause.outputs.len(), 1);
/// assert_eq!(pause.outputs[0].1, 42);
/// assert_eq!(pause.next_deadline, None);
/// ```
pub struct Stepped<I, O> {
    driver: Driver,
    inbox: Inbox<I>,
    outbox: Outbox<O>,
}

impl<I: Send + 'static, O: Send + 'static> Stepped<I, O> {
    /// Prepares a run of `closure`, which starts with the first step.
    pub fn start(
        options: Options,
        closure: impl FnOnce(Inbox<I>, Outbox<O>) + Send + 'static,
    ) -> Stepped<I, O> {
        let (inbox, outbox) = ends();
        let closure = within(&inbox, &outbox, closure);
        let schedule = policy::schedule(&options);
        let driver = Driver::start(options, schedule, Mode::Stepped, closure);
        Stepped { driver, inbox, outbox }
    }

    /// Delivers `inputs` now, then runs until the virtual time `until` or the closure's end. If all
    /// work ends before `until`, the clock is set to `until`.
    pub fn step(&mut self, until: Duration, inputs: impl IntoIterator<Item = I>) -> Pause<O> {
        deliver(&self.inbox, inputs);
        let running = self.driver.advance(ns(until), 0);
        pause(running, &self.outbox)
    }

    /// Runs until the virtual time `until`, then delivers the inputs. Then threads that are ready
    /// continue until every thread waits, or until the overtime is used up, because a thread that
    /// polls never waits. A timer after `until` ends only if the overtime passes it.
    pub fn settle(&mut self, advance: Advance<I>) -> Pause<O> {
        let Advance { inputs, until, overtime } = advance;
        let mut running = self.driver.advance(ns(until), 0);
        if running {
            deliver(&self.inbox, inputs);
            running = self.driver.advance(ns(until), ns(overtime));
        }
        pause(running, &self.outbox)
    }

    /// Ends the run now.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.driver.finish()
    }
}

/// How a host lets a run advance: to a time, with inputs, and with time to handle them.
#[derive(Debug)]
pub struct Advance<I> {
    /// Delivered when the clock shows `until`.
    pub inputs: Vec<I>,
    /// The virtual time to go to.
    pub until: Duration,
    /// How long threads that are ready at `until` can continue; see [`Stepped::settle`].
    pub overtime: Duration,
}

/// Runs `closure` as [`Stepped`] does, beginning with the advance `first`.
///
/// `host` is called for each further advance, on the thread that carries the simulation. That saves
/// two hand-overs a step. The host may block. It returns `None` to end the run.
///
/// Returns the report, and the outputs since the last call of the host.
///
/// # Panics
/// As [`run`](crate::run()).
pub fn serve<I: Send + 'static, O: Send + 'static>(
    options: Options,
    first: Advance<I>,
    closure: impl FnOnce(Inbox<I>, Outbox<O>) + Send + 'static,
    mut host: impl FnMut(Pause<O>) -> Option<Advance<I>> + Send + 'static,
) -> (Report, Vec<(Duration, O)>) {
    let (inbox, outbox) = ends();
    let closure = within(&inbox, &outbox, closure);
    let (last, mut first) = (outbox.clone(), Some(first));
    let next = move || {
        let advance = first.take().or_else(|| host(pause(true, &outbox)))?;
        let Advance { inputs, until, overtime } = advance;
        let inbox = inbox.clone();
        let deliver = Box::new(move || deliver(&inbox, inputs));
        Some(Segment { until: ns(until), overtime: ns(overtime), deliver })
    };
    let schedule = policy::schedule(&options);
    let mut driver = Driver::start(options, schedule, Mode::Served(Box::new(next)), closure);
    driver.advance(u64::MAX, 0);
    (driver.finish(), last.drain())
}

fn ends<I, O>() -> (Inbox<I>, Outbox<O>) {
    let inbox = Inbox { queue: Arc::new(Queue::default()), items: PhantomData };
    (inbox, Outbox { queue: Arc::new(Queue::default()), items: PhantomData })
}

fn within<I: 'static, O: 'static>(
    inbox: &Inbox<I>,
    outbox: &Outbox<O>,
    closure: impl FnOnce(Inbox<I>, Outbox<O>) + Send + 'static,
) -> Box<dyn FnOnce() + Send> {
    let ends = (inbox.clone(), outbox.clone());
    Box::new(move || closure(ends.0, ends.1))
}

fn deliver<I: Send + 'static>(inbox: &Inbox<I>, inputs: impl IntoIterator<Item = I>) {
    for input in inputs {
        inbox.queue.push(Duration::ZERO, Box::new(input));
    }
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn pause<O: Send + 'static>(running: bool, outbox: &Outbox<O>) -> Pause<O> {
    let (now, next_deadline) = with(|scheduler| (scheduler.now, scheduler.next_deadline()));
    Pause {
        running,
        now: Duration::from_nanos(now),
        next_deadline: next_deadline.map(Duration::from_nanos),
        outputs: outbox.drain(),
    }
}

/// The queue in which the host's inputs arrive. Clones share it.
pub struct Inbox<I> {
    queue: Arc<Queue>,
    items: PhantomData<fn() -> I>,
}

impl<I: 'static> Inbox<I> {
    /// Waits for the next input. Always `Some`, because a run without a host ends.
    #[must_use]
    pub fn receive(&self) -> Option<I> {
        self.queue.pop_wait().downcast().ok().map(|input| *input)
    }

    /// The next input, if there is one.
    #[must_use]
    pub fn try_receive(&self) -> Option<I> {
        self.queue.pop()?.downcast().ok().map(|input| *input)
    }
}

/// The queue of outputs for the host. Clones share it.
pub struct Outbox<O> {
    queue: Arc<Queue>,
    items: PhantomData<fn(O)>,
}

impl<O: Send + 'static> Outbox<O> {
    /// Adds an output, with the current virtual time.
    pub fn send(&self, output: O) {
        self.queue.push(now(), Box::new(output));
    }

    fn drain(&self) -> Vec<(Duration, O)> {
        let items = self.queue.drain();
        items.into_iter().filter_map(|(at, item)| Some((at, *item.downcast().ok()?))).collect()
    }
}

impl<I> Clone for Inbox<I> {
    fn clone(&self) -> Inbox<I> {
        Inbox { queue: Arc::clone(&self.queue), items: PhantomData }
    }
}

impl<O> Clone for Outbox<O> {
    fn clone(&self) -> Outbox<O> {
        Outbox { queue: Arc::clone(&self.queue), items: PhantomData }
    }
}

type Item = Box<dyn Any + Send>;

/// A queue between the host and the simulation. It holds boxes of any type so that its code is not
/// generic, and is never compiled into an instrumented crate. So a thread that holds the lock is
/// never switched away. The host runs when all threads are switched away, so it never waits for the
/// lock.
#[derive(Default)]
struct Queue {
    items: Mutex<VecDeque<(Duration, Item)>>,
    arrived: Condvar,
}

impl Queue {
    fn push(&self, at: Duration, item: Item) {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push_back((at, item));
        self.arrived.notify_one();
    }

    fn pop(&self) -> Option<Item> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.pop_front().map(|(_, item)| item)
    }

    fn pop_wait(&self) -> Item {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((_, item)) = items.pop_front() {
                return item;
            }
            items = self.arrived.wait(items).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn drain(&self) -> Vec<(Duration, Item)> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}
