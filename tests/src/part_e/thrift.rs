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

/// The size of commands that tells them from heartbeats.
const COMMAND_BYTES: usize = 2000;
const COMMANDS: usize = 20;
/// The delay of a message: many commands come before the first answer.
const WAY_MS: u64 = 50;
/// Commands come this fast: many during the way of one message.
const COMMAND_INTERVAL: Duration = Duration::from_millis(5);
/// Commands that are not in step with the heartbeats come this far apart.
const UNEVEN_INTERVAL: Duration = Duration::from_millis(137);
/// The number of late refusals.
const LATE_REFUSALS: usize = 2;
/// The bytes of an election are counted up to this long after it.
const AFTER_ELECTION: Duration = Duration::from_millis(500);
/// How long a cluster has nothing to do.
const IDLE: Duration = Duration::from_secs(2);
/// The threads are looked at so often meanwhile, and not in step with the heartbeats.
const LOOKS: u32 = 21;
/// How long one server is away.
const ABSENCE: Duration = Duration::from_secs(8);

/// Messages take 50 ms, and commands come faster. Entries that travel again and again meanwhile are
/// a finding and no failure: a correct Raft may send what is not acknowledged with every heartbeat
/// or with every command, and section 5.3 wants it to send again what may be lost.
///
/// Agreement is checked only when the links are fast again: a Raft that gives a call up after 50 ms
/// is correct, and hears no answer before that.
pub(crate) fn slow_links(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let all = arena.all();
    arena.agree(&all);
    let leader = arena.leader_of(&all);
    let slow = Delay::Uniform(WAY_MS..=WAY_MS);
    arena.cfg.faults().disturb_all(&Disturbance { delay: Some(slow), ..Disturbance::default() });
    // What was under way before has arrived.
    arena.sleep_ms(2 * WAY_MS);
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
    // A new leader may have to begin anew.
    let has_led = arena.term(leader) == term && arena.leads(leader);
    arena.note_tries("slow links", usize::from(has_led));
    if has_led {
        tell(lab, judgements::entries_bytes(used, 2, COMMANDS * COMMAND_BYTES));
    }
    arena.judge_all();
    arena.end();
}

/// A healthy cluster does little, and then nothing. What it does all the same is a finding, and so
/// is, at last, how it elects its leaders.
pub(crate) fn peace(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let all = arena.all();
    arena.agree(&all);
    note_slow_agreement(lab, &mut arena);
    late_refusals(&mut arena);
    note_idleness(lab, &mut arena);
    note_whole_logs(lab, &mut arena);
    note_threads(lab, &mut arena);
    tell(lab, timers::hasty_voters(&mut arena));
    tell(lab, timers::hasty_restarts(&mut arena));
    tell(lab, timers::late_election(&mut arena));
    arena.judge_all();
    arena.end();
}

pub(crate) fn tell(lab: &Lab, finding: Finding) {
    if let Some((habit, sentence)) = finding {
        lab.note(habit, sentence);
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
    tell(lab, judgements::agreement(&took));
}

/// A new leader is refused several times by a server that lacks a lot, and hears some of the
/// refusals only when that server has everything. Then all is well.
fn late_refusals(arena: &mut Arena<'_>) {
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
    // A leader that waits for each answer before it sends more has to get them before anything is
    // asked of it: then the moment does not come.
    let servers = arena.n();
    arena.until(|arena| arena.cfg.n_committed(index).0 == servers);
    late.iter().for_each(Held::deliver);
    arena.agree(&[away, heir]);
    arena.judge_all();
}

fn note_idleness(lab: &Lab, arena: &mut Arena<'_>) {
    let all = arena.all();
    let leader = arena.leader_of(&all);
    // So that a heartbeat with the last entry is a large one.
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
    tell(lab, judgements::idle_calls(rpcs, followers, IDLE));
    tell(lab, judgements::idle_bytes(bytes, rpcs));
    tell(lab, judgements::idle_terms(term, arena.cfg.check_terms()));
    for (name, times) in busy.into_values() {
        tell(lab, judgements::idle_thread(&name, times, LOOKS as usize));
    }
}

/// All servers have all entries when the leader goes: its successor need not send them.
fn note_whole_logs(lab: &Lab, arena: &mut Arena<'_>) {
    let [leader, a, b] = arena.roles();
    let before = arena.cfg.bytes_total();
    arena.cfg.faults().isolate(leader);
    arena.leader_of(&[a, b]);
    arena.sleep(AFTER_ELECTION);
    let bytes = arena.cfg.bytes_total() - before;
    tell(lab, judgements::election_bytes(bytes, COMMANDS * COMMAND_BYTES));
    arena.judge_all();
}

/// A server is away, and calls to it take long to fail.
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
        tell(lab, judgements::threads(server, count, ABSENCE));
    }
    arena.cfg.network().long_delays(false);
    arena.cfg.connect(away);
    // A call that fails takes up to 7 s.
    arena.sleep(ABSENCE);
}
