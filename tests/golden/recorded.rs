//! A recorded run of the reference: it is the same run, and has what the reference shows.

use runfile::{Event, Kind, Role, State};
use runner::{Clock, Test, record_here, run_here};
use tests::LABS;

fn test(name: &str) -> &'static Test {
    LABS.tests.iter().find(|test| test.name() == name).expect("there is such a test")
}

/// Records seed 1, which must be the run that it is without a recorder.
fn record(name: &str) -> Vec<Event> {
    let (test, clock) = (test(name), Clock::default());
    let plain = run_here(raft::make, test, 1, clock, true);
    let (recorded, events) = record_here(raft::make, test, 1, clock, true);
    let hash = |simulation: Option<runner::Simulation>| simulation.expect("virtual").trace_hash;
    assert_eq!(hash(recorded.simulation), hash(plain.simulation), "{name}");
    assert_eq!((recorded.verdict, recorded.findings), (plain.verdict, plain.findings), "{name}");
    events
}

fn states(events: &[Event]) -> impl Iterator<Item = (u64, &State)> {
    events.iter().filter_map(|event| match &event.kind {
        Kind::State(state) => Some((event.t, state)),
        _ => None,
    })
}

#[test]
fn every_message_has_its_values() {
    let events = record("3C persist 1");
    let sent = |event: &&Event| matches!(event.kind, Kind::Sent { args: Some(_), .. });
    let handled = |event: &&Event| matches!(event.kind, Kind::Handled { reply: Some(_), .. });
    let none = |event: &Event| match &event.kind {
        Kind::Sent { args, .. } => args.is_none(),
        Kind::Handled { reply, bytes, .. } => reply.is_none() && bytes.is_some(),
        _ => false,
    };
    assert!(events.iter().filter(sent).count() > 50);
    assert!(events.iter().filter(handled).count() > 50);
    assert!(!events.iter().any(none));
}

#[test]
fn a_server_shows_the_details_of_its_role() {
    let events = record("3A re-election");
    let leaders = states(&events).filter(|(_, state)| state.next_index.iter().any(Option::is_some));
    let mut leaders = leaders.peekable();
    assert!(leaders.peek().is_some());
    for (_, state) in leaders {
        assert!(state.next_index.iter().flatten().all(|next| next.len() == 3), "{state:?}");
    }
    // The last vote makes a leader before anyone can look.
    let mut votes = states(&events).filter_map(|(_, state)| state.votes_received.clone()?);
    assert!(votes.all(|votes| votes.len() == 1));
    assert!(states(&events).any(|(_, state)| state.votes_received.iter().any(Option::is_some)));
}

/// A server stands for election when the time has come that it showed last, even if its clock is
/// fast or slow. A pause makes it late.
#[test]
fn an_election_deadline_is_a_time_of_the_run() {
    for name in ["3A re-election", "3E clocks and pauses"] {
        let events = record(name);
        let (mut deadlines, mut late) = ([None; 9], Vec::new());
        for (t, state) in states(&events) {
            let shown = &mut deadlines[state.server];
            if let (Some(Role::Candidate), Some(deadline)) = (state.role, *shown) {
                late.push(i128::from(t) - i128::from(deadline));
            }
            *shown = state.election_deadline.unwrap_or(*shown);
        }
        assert!(late.len() > 1 && late.iter().all(|late| *late >= 0), "{name}: {late:?}");
        let in_time = late.iter().filter(|late| **late < 1000).count();
        assert!(2 * in_time > late.len(), "{name}: {late:?}");
    }
}
