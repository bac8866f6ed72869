//! Staged tails: entries of its own that a server has after those that it shares with its leader.

use config::{Kind, Setup};
use labrpc::network::{Held, Interceptor};
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::race::candidacy;
use crate::part_e::staging::{MOMENT, all_of, carries};

/// Four of these are more than an ordinary Raft puts into one message.
const LARGE_COMMAND_BYTES: usize = 400_000;
const LARGE_COMMANDS: usize = 4;
const LARGE_ROUNDS: usize = 2;
/// The number of entries that only one server has, the number of those that replace them, and
/// whether the server crashes afterwards.
const OVERWRITTEN: [(usize, usize, bool); 4] =
    [(6, 6, false), (6, 6, true), (6, 3, true), (150, 150, true)];
const SILENT_ROUNDS: usize = 3;
const VOTER_ROUNDS: usize = 4;
/// More than 1 MiB, which is the limit for one message in many Rafts.
const HUGE_COMMAND_BYTES: usize = 1_200_000;

/// Entries that are larger than an ordinary Raft's messages, alone and in a log of several.
pub(crate) fn large_commands(lab: &Lab) {
    huge_command(lab);
    several_messages(lab);
}

/// A command that is larger than what most Rafts put into one message is still sent, also if it is
/// the first of the log.
fn huge_command(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let all = arena.all();
    let leader = arena.leader_of(&all);
    let command = arena.cfg.draw_letters(&mut arena.rng, HUGE_COMMAND_BYTES);
    arena.note_tries("a huge command", usize::from(arena.cfg.start(leader, command).is_some()));
    arena.agree(&all);
    arena.end();
}

/// A log takes several messages. A follower has entries of its own after those that it shares with
/// the leader. It must not take them for committed when the first message comes (5.3).
fn several_messages(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(LARGE_ROUNDS) {
        let [old, a, b] = arena.roles();
        for _ in 0..LARGE_COMMANDS {
            let command = arena.cfg.draw_letters(&mut arena.rng, LARGE_COMMAND_BYTES);
            arena.cfg.start(old, command);
        }
        let all = arena.all();
        arena.agree(&all);
        arena.cfg.faults().isolate(old);
        let tail = (0..2 * LARGE_COMMANDS).filter_map(|_| arena.start(old)).count();
        tried += usize::from(tail > 0);
        for _ in 0..LARGE_COMMANDS {
            arena.agree(&[a, b]);
        }
        arena.judge_all();
    }
    arena.note_tries("a log that takes several messages", tried);
    arena.end();
}

/// Entries that only one server has are overwritten by the same number of others, or by fewer. Only
/// this server and its leader have these committed entries. Then the leader is isolated, and in
/// most rounds the server crashes. It has acknowledged the new entries, so it comes back with them
/// (Figure 2), and the third server, which lacks them, is not elected (5.4.1).
pub(crate) fn overwritten_tail(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for (own, new, has_crashed) in OVERWRITTEN {
        let [old, a, b] = arena.roles();
        arena.cfg.faults().isolate(old);
        (0..own).for_each(|_| {
            arena.start(old);
        });
        arena.agree(&[a, b]);
        let leader = arena.leader_of(&[a, b]);
        let other = a + b - leader;
        // The leader has all of them before it sends any, so several go into one message.
        arena.cfg.faults().partition(&[]);
        let last = (1..new).filter_map(|_| arena.start(leader)).last();
        arena.cfg.faults().partition(&[&[leader, old]]);
        tried += usize::from(last.is_some_and(|index| arena.until_committed(index)));
        arena.cfg.faults().isolate(leader);
        if has_crashed {
            arena.cfg.restart(old);
        }
        arena.cfg.faults().partition(&[&[old, other]]);
        arena.agree(&[old, other]);
        arena.judge_all();
    }
    arena.note_tries("an overwritten tail", tried);
    arena.end();
}

/// A follower has acknowledged an entry, but the acknowledgement is held. The follower is elected
/// itself, sends nothing, and is deposed. It must still have the entry (5.3): now the
/// acknowledgement arrives, and the old leader commits.
pub(crate) fn silent_leader(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(SILENT_ROUNDS) {
        let [old, follower, other] = arena.roles();
        let term = arena.term(old);
        arena.cfg.faults().isolate(other);
        let exchange = arena.exchange(old, follower, Kind::Entries);
        let command = arena.start_known(old).map(|(_, command)| command);
        let answered = command.and_then(|command| {
            arena.next_answered(&exchange, |_, request| carries(request, &command))
        });
        arena.cfg.faults().isolate(old);
        all_of(&exchange.requests).iter().for_each(Held::lose);
        drop(exchange);
        let silence = arena.intercept(follower, other, Kind::Entries);
        arena.cfg.faults().heal(follower, other);
        arena.cfg.faults().heal(other, follower);
        if let Some(answered) = answered {
            let has_led = lead_in_silence(&mut arena, follower, &silence);
            tried += usize::from(has_led && arena.leads(old) && arena.term(old) == term);
            answered.reply.deliver();
        }
        drop(silence);
        arena.agree(&[follower, other]);
        arena.agree(&[follower, other]);
        arena.judge_all();
    }
    arena.note_tries("a leader that sends nothing", tried);
    arena.end();
}

/// Waits until a server has led, and leads no longer. All its messages as a leader are lost.
/// Returns whether that happened.
fn lead_in_silence(arena: &mut Arena<'_>, server: usize, silence: &Interceptor) -> bool {
    let mut has_led = false;
    let until = |arena: &mut Arena<'_>, leads: bool| {
        let moment = arena.poll(|arena| {
            all_of(silence).iter().for_each(Held::lose);
            (arena.leads(server) == leads).then_some(())
        });
        moment.is_some()
    };
    if until(arena, true) {
        has_led = until(arena, false);
    }
    all_of(silence).iter().for_each(Held::lose);
    has_led
}

/// Entries of the old leader reach a server that has voted in a newer term, before any message of
/// the new leader does. The server must refuse them: otherwise the old leader commits entries that
/// the new leader's log lacks (5.1, 5.4).
pub(crate) fn entries_after_the_vote(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(VOTER_ROUNDS) {
        let [old, a, b] = arena.roles();
        tried += usize::from(old_entries(&mut arena, [old, a, b]).is_some());
        arena.cfg.faults().partition(&[&[a, b]]);
        arena.agree(&[a, b]);
        arena.agree(&[a, b]);
        arena.judge_all();
    }
    arena.note_tries("entries that come after the vote", tried);
    arena.end();
}

/// None if no server is elected in the next term, or if the old leader stops leading.
fn old_entries(arena: &mut Arena<'_>, [old, a, b]: [usize; 3]) -> Option<()> {
    let (term, pair) = (arena.term(old) + 1, [a, b]);
    let entries = pair.map(|to| arena.intercept(old, to, Kind::Entries));
    pair.iter().for_each(|from| arena.cfg.faults().cut(*from, old));
    let silence = [(a, b), (b, a)].map(|(from, to)| arena.intercept(from, to, Kind::Entries));
    let asking = [(a, b), (b, a)].map(|(from, to)| arena.intercept(from, to, Kind::Votes));
    let (_, command) = arena.start_known(old)?;
    let (at, request) = arena.poll(|arena| {
        (0..2).find_map(|at| Some((at, candidacy(arena, &asking[at], pair[at], term)?)))
    })?;
    let (heir, voter) = (pair[at], pair[1 - at]);
    request.deliver();
    arena.poll(|arena| {
        all_of(&asking[at]).iter().for_each(Held::deliver);
        arena.leads(heir).then_some(())
    })?;
    // The last request: its call has not timed out yet.
    let caught = all_of(&entries[1 - at]);
    let request = caught.iter().rfind(|request| carries(request, &command))?;
    let is_meant = arena.term(voter) == arena.term(heir) && arena.leads(old);
    arena.cfg.faults().heal(voter, old);
    request.deliver();
    arena.sleep(MOMENT);
    arena.cfg.faults().isolate(old);
    let others = caught.iter().filter(|other| other.call != request.call);
    others.for_each(Held::lose);
    entries.iter().chain(&silence).flat_map(all_of).for_each(|request| request.lose());
    is_meant.then_some(())
}
