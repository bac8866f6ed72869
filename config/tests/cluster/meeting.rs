//! Scripted servers that exchange messages.

use crate::support::Fakes;

/// Each server calls each other one, as a Raft does before one of them leads.
pub(crate) fn meet(fakes: &Fakes, servers: usize) {
    for (from, to) in (0..servers).flat_map(|from| (0..servers).map(move |to| (from, to))) {
        if from != to {
            let end = &fakes.of(from).context.ends[to];
            end.call::<_, String>("Raft.Echo", "hello").expect("it is connected");
        }
    }
}
