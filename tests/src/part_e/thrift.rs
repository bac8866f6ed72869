//! What a cluster uses beyond what it needs: findings, never failures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use config::{Kind, Setup};
use labrpc::network::{Delay, Disturbance, Held};
use runner::Lab;
use sim::ThreadState;
use verdict::label::Label;
use verdict::threads;

use crate::part_e::arena::Arena;
use crate::part_e::judgements::{self, Finding};
use crate::part_e::timers;

/// The size of commands, much larger than a heartbeat.
const COMMAND_BYTES: usize = 2000;
const COMMANDS: usize = 20;
/// The delay of a message: many commands come before the first answer.
const DELAY_MS: u64 = 50;
/// The interval of commands: many come while one message is on its way.
const COMMAND_INTERVAL: Duration = Duration::from_millis(5);
/// The interval of commands that are not in step with heartbeats.
const UNEVEN_INTERVAL: Duration = Duration::from_millis(137);
/// The number of late refusals.
const LATE_REFUSALS: usize = 2;
/// A leader has this long to send again what a late refusal asks for.
const AFTER_REFUSALS: Duration = Duration::from_millis(500);
/// The bytes of an election are counted up to this long after it.
const AFTER_ELECTION: Duration = Duration::from_millis(500);
/// How long a cluster has nothing to do.
const IDLE: Duration = Duration::from_secs(2);
/// How often the threads are checked in that time: not in step with heartbeats.
const LOOKS: u32 = 21;
/// How long one server is disconnected.
const ABSENCE: Duration = Duration::from_secs(8);

/// Messages take 50 ms, and commands come faster. Entries that are sent again and again are a
/// finding, not a failure: a correct Raft may resend unacknowledged entries with every heartbeat or
/// with every command, and section 5.3 asks it to resend entries that may be lost.
///
/// Agreement is checked only when the links are fast again: a Raft that gives up a call after 50 ms
/// is correct, and gets no reply before that.
pub(crate) fn slow_links(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let all = arena.all();
    arena.agree(&all);
    let leader = arena.leader_of(&all);
    let slow = Delay::Uniform(DELAY_MS..=DELAY_MS);
    arena.cfg.faults().disturb_all(&Disturbance { delay: Some(slow), ..Disturbance::default() });
    // Earlier messages have arrived by then.
    arena.sleep_ms(2 * DELAY_MS);
    let (term, before) = (arena.term(leader), arena.cfg.bytes_total());
    let mut last = None;
    for _ in 0..COMMANDS {
        let command = arena.cfg.draw_letters(&mut arena.rng, COMMAND_BYTES);
        last = arena.cfg.start(leader, command);
        arena.sleep(COMMAND_INTERVAL);
    }
    if let Some(last) = last {
        arena.until(|arena| arena.cfg.n_committed(last.index).0 == arena.n());
    }
    let used = arena.cfg.bytes_total() - before;
    // A new leader perhaps has to send everything again.
    let has_led = arena.term(leader) == term && arena.leads(leader);
    arena.note_tries("slow links", usize::from(has_led));
    if has_led {
        report(lab, judgements::entries_bytes(used, 2, COMMANDS * COMMAND_BYTES));
    }
    arena.judge_all();
    arena.end();
}

/// A healthy cluster has little to do, and then nothing. Needless work is a finding. At the end
/// come findings about how servers elect a leader.
pub(crate) fn peace(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let all = arena.all();
    arena.agree(&all);
    note_slow_agreement(lab, &mut arena);
    late_refusals(lab, &mut arena);
    note_idleness(lab, &mut arena);
    note_whole_logs(lab, &mut arena);
    note_threads(lab, &mut arena);
    report(lab, timers::hasty_voters(&mut arena));
    report(lab, timers::hasty_restarts(&mut arena));
    report(lab, timers::late_election(&mut arena));
    arena.judge_all();
    arena.end();
}

pub(crate) fn report(lab: &Lab, finding: Finding) {
    if let Some((kind, sentence)) = finding {
        lab.note(kind, sentence);
    }
}

/// How long it takes the first server, which is the leader, to apply a command.
fn note_slow_agreement(lab: &Lab, arena: &mut Arena<'_>) {
    let (all, mut took) = (arena.all(), Vec::new());
    let leader = arena.leader_of(&all);
    for _ in 0..COMMANDS {
        let Some(index) = arena.start(leader) else { return };
        let began = Instant::now();
        arena.until_committed(index);
        took.push(began.elapsed().as_millis());
        arena.sleep(UNEVEN_INTERVAL);
    }
    report(lab, judgements::agreement(&took));
}

/// A server that lacks many entries refuses a new leader several times. Some of the refusals arrive
/// only when that server has all entries. The leader may then send entries again, but only once:
/// no command comes, so each later message is a heartbeat.
fn late_refusals(lab: &Lab, arena: &mut Arena<'_>) {
    let [leader, away, heir] = arena.roles();
    arena.cfg.faults().isolate(away);
    for _ in 0..COMMANDS {
        let command = arena.cfg.draw_letters(&mut arena.rng, COMMAND_BYTES);
        arena.cfg.start(leader, command);
    }
    let index = arena.agree(&[leader, heir]);
    let refusals = arena.intercept_replies(away, heir, Kind::Entries);
    arena.cfg.faults().partition(&[&[away, heir]]);
    let mut late = Vec::new();
    for _ in 0..LATE_REFUSALS {
        late.extend(arena.poll(|_| refusals.try_next()));
    }
    drop(refusals);
    // A leader that waits for each reply before it sends more has to get the refusals before it is
    // required to commit. Then the scenario does not occur.
    let servers = arena.n();
    let is_late = arena.until(|arena| arena.cfg.n_committed(index).0 == servers);
    late.iter().for_each(Held::deliver);
    arena.cfg.faults().heal_all();
    if is_late {
        arena.sleep(AFTER_REFUSALS);
        let (rpcs, bytes) = (arena.cfg.rpc_total(), arena.cfg.bytes_total());
        arena.sleep(IDLE);
        let (rpcs, bytes) = (arena.cfg.rpc_total() - rpcs, arena.cfg.bytes_total() - bytes);
        report(lab, judgements::idle_bytes(bytes, rpcs));
    }
    arena.judge_all();
}

fn note_idleness(lab: &Lab, arena: &mut Arena<'_>) {
    let all = arena.all();
    let leader = arena.leader_of(&all);
    // A heartbeat that repeats the last entry is large then.
    let large = arena.cfg.draw_letters(&mut arena.rng, COMMAND_BYTES);
    if let Some(started) = arena.cfg.start(leader, large) {
        let servers = arena.n();
        arena.until(|arena| arena.cfg.n_committed(started.index).0 == servers);
    }
    let (term, followers) = (arena.term(leader), arena.n() as u64 - 1);
    let (rpcs, bytes) = (arena.cfg.rpc_total(), arena.cfg.bytes_total());
    let mut busy: BTreeMap<u32, (String, usize)> = BTreeMap::new();
    for _ in 0..LOOKS {
        arena.cfg.sleep(IDLE / LOOKS);
        for thread in sim::threads() {
            let can_run = matches!(thread.state, ThreadState::Ready | ThreadState::Running);
            if can_run && Label::of(thread.label) != Label::Kit {
                busy.entry(thread.id).or_insert((threads::name(&thread), 0)).1 += 1;
            }
        }
    }
    let (rpcs, bytes) = (arena.cfg.rpc_total() - rpcs, arena.cfg.bytes_total() - bytes);
    report(lab, judgements::idle_calls(rpcs, followers, IDLE));
    report(lab, judgements::idle_bytes(bytes, rpcs));
    report(lab, judgements::idle_terms(term, arena.cfg.check_terms()));
    for (name, times) in busy.into_values() {
        report(lab, judgements::idle_thread(&name, times, LOOKS as usize));
    }
}

/// All servers have all entries when the leader is isolated: its successor need not send them.
fn note_whole_logs(lab: &Lab, arena: &mut Arena<'_>) {
    let [leader, a, b] = arena.roles();
    let before = arena.cfg.bytes_total();
    arena.cfg.faults().isolate(leader);
    arena.leader_of(&[a, b]);
    arena.sleep(AFTER_ELECTION);
    let bytes = arena.cfg.bytes_total() - before;
    report(lab, judgements::election_bytes(bytes, COMMANDS * COMMAND_BYTES));
    arena.judge_all();
}

/// A server is disconnected, and calls to it take long to fail.
fn note_threads(lab: &Lab, arena: &mut Arena<'_>) {
    let [_, away, _] = arena.roles();
    arena.cfg.network().long_delays(true);
    arena.cfg.disconnect(away);
    arena.sleep(ABSENCE);
    let mut crowd: BTreeMap<usize, usize> = BTreeMap::new();
    for thread in sim::threads() {
        if let Label::Server(server) = Label::of(thread.label) {
            *crowd.entry(server).or_default() += 1;
        }
    }
    if let Some((server, count)) = crowd.into_iter().max_by_key(|(_, count)| *count) {
        report(lab, judgements::threads(server, count, ABSENCE));
    }
    arena.cfg.network().long_delays(false);
    arena.cfg.connect(away);
    // A call that fails takes up to 7 s.
    arena.sleep(ABSENCE);
}
