//! Describes many threads in a few lines: grouped by server and name, where numbers in a name do
//! not count.

use std::collections::BTreeMap;

use sim::ThreadInfo;

use crate::lives::{Death, Life};
use crate::referee::Referee;
use crate::threads;

/// At most this many groups, the largest ones, have a line each. One more line counts the rest.
const LINES_MAX: usize = 8;

/// A line for each group of threads, the largest groups first.
pub fn crowd(threads: &[ThreadInfo]) -> Vec<String> {
    lines(threads, |_| false)
}

/// Like [`crowd`], with the number of threads whose incarnation was killed, according to the
/// referee.
pub fn crowd_with_the_dead(threads: &[ThreadInfo], referee: &Referee) -> Vec<String> {
    lines(threads, |life| referee.death(life).is_some_and(Death::is_over))
}

fn lines(threads: &[ThreadInfo], is_dead: impl Fn(Life) -> bool) -> Vec<String> {
    let mut groups: BTreeMap<(u32, String), Group<'_>> = BTreeMap::new();
    for thread in threads {
        let key = (thread.label.group, without_numbers(threads::own_name(thread)));
        let group = groups.entry(key).or_insert_with(|| Group::new(thread));
        group.count += 1;
        group.dead += usize::from(Life::of(thread.label).is_some_and(&is_dead));
        group.is_one_name &= thread.name == group.first.name;
    }
    let mut groups: Vec<((u32, String), Group<'_>)> = groups.into_iter().collect();
    // The sort is stable: groups of the same size stay in the order of servers and names.
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
    let rest = groups.split_off(groups.len().min(LINES_MAX));
    let mut lines: Vec<String> = groups.iter().map(|((_, name), group)| group.line(name)).collect();
    if !rest.is_empty() {
        let count: usize = rest.iter().map(|(_, group)| group.count).sum();
        lines.push(format!("{count} more threads, in {} smaller groups,", rest.len()));
    }
    lines
}

struct Group<'a> {
    first: &'a ThreadInfo,
    count: usize,
    dead: usize,
    /// All threads have the same name, numbers included.
    is_one_name: bool,
}

impl<'a> Group<'a> {
    fn new(first: &'a ThreadInfo) -> Group<'a> {
        Group { first, count: 0, dead: 0, is_one_name: true }
    }

    /// `name` is the common part of the names.
    fn line(&self, name: &str) -> String {
        if self.count == 1 {
            let killed = if self.dead == 0 { "" } else { " of a killed incarnation" };
            return threads::name(self.first) + killed;
        }
        let owner = threads::owner(self.first);
        let name = if self.is_one_name { threads::own_name(self.first) } else { name };
        let mut line = match name {
            "" => format!("{} unnamed threads of {owner}", self.count),
            name => format!("{} threads of {owner} named `{name}`", self.count),
        };
        if self.dead == self.count {
            line += ", all of killed incarnations";
        } else if self.dead > 0 {
            line += &format!(", {} of them of killed incarnations", self.dead);
        }
        line
    }
}

/// `pool N` for `pool 12`.
fn without_numbers(name: &str) -> String {
    let mut text = String::new();
    let mut in_number = false;
    for c in name.chars() {
        if !c.is_ascii_digit() {
            text.push(c);
        } else if !in_number {
            text.push('N');
        }
        in_number = c.is_ascii_digit();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sim::ThreadState;

    use super::*;
    use crate::label::Label;

    fn thread(id: u32, name: &str, label: sim::Label) -> ThreadInfo {
        ThreadInfo {
            id,
            name: name.into(),
            label,
            state: ThreadState::Ready,
            since: Duration::ZERO,
            waited: Duration::ZERO,
            paused: false,
            backtrace: None,
        }
    }

    #[test]
    fn threads_are_grouped_by_server_and_name_the_largest_groups_first() {
        let (kit, server) = (Label::Kit.group(), |number| Label::Server(number).group());
        let threads = [
            thread(1, "watch", kit),
            thread(2, "server 1 rpc", server(1)),
            thread(3, "ticker", server(1)),
            thread(4, "pool 0", server(1)),
            thread(5, "ticker", server(0)),
            thread(6, "pool 12", server(1)),
            thread(7, "", server(1)),
            thread(8, "server 1", server(1)),
            thread(9, "ticker", server(1)),
            thread(10, "pool 13", server(1)),
        ];
        assert_eq!(
            crowd(&threads),
            [
                "3 threads of server 1 named `pool N`",
                "2 unnamed threads of server 1",
                "2 threads of server 1 named `ticker`",
                "the lab's thread `watch`",
                "server 0's thread `ticker`",
                "server 1's thread `rpc`",
            ]
        );
    }

    #[test]
    fn threads_of_killed_servers_are_counted() {
        let referee = Referee::new();
        let (dead, alive) = (referee.begin_life(1), referee.begin_life(1));
        referee.end_life(dead, Death::Killed);
        let threads: Vec<ThreadInfo> = (0..5)
            .map(|id| thread(id, &format!("call {id}"), dead.label()))
            .chain((5..7).map(|id| thread(id, "call 1", alive.label())))
            .chain((7..9).map(|id| thread(id, "ticker", dead.label())))
            .chain([thread(9, "applier", dead.label())])
            .collect();
        assert_eq!(
            crowd_with_the_dead(&threads, &referee),
            [
                "7 threads of server 1 named `call N`, 5 of them of killed incarnations",
                "2 threads of server 1 named `ticker`, all of killed incarnations",
                "server 1's thread `applier` of a killed incarnation",
            ]
        );
    }

    #[test]
    fn many_groups_take_few_lines() {
        let name = |id: u32| char::from(b'a' + u8::try_from(id).unwrap() % 20).to_string();
        let threads: Vec<ThreadInfo> =
            (0..25).map(|id| thread(id, &name(id), Label::Server(0).group())).collect();
        let lines = crowd(&threads);
        assert_eq!(lines.len(), LINES_MAX + 1);
        assert_eq!(lines[0], "2 threads of server 0 named `a`");
        assert_eq!(lines[LINES_MAX], "12 more threads, in 12 smaller groups,");
    }
}
