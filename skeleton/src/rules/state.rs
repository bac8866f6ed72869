//! What a server knows: Figure 2, "State".

#[derive(Debug, Default)]
pub struct State {
    /// The latest term that this server has seen (section 5.1).
    pub current_term: u64,
    // Your fields here (3A: the vote, the role, when the election timer runs out; 3B: the log, and
    // the indices of Figure 2).
}

impl State {
    // Your code here (3A): what every server does when it sees a higher term (section 5.1), and how
    // a server becomes a follower, a candidate or a leader (Figure 4).
}
