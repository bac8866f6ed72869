//! Groups of threads that are paused, or whose clock has its own rate.
//!
//! Most runs have no such group. Then every function here costs one comparison.

/// A rate of one, in parts per million.
const RATE_ONE: u64 = 1_000_000;

#[derive(Debug)]
struct Group {
    id: u32,
    paused: bool,
    rate_ppm: u64,
    /// The times of the run's clock and of the group's clock when the rate was set, in ns.
    base_global: u64,
    base_local: u64,
}

/// The groups that are or were paused, and those with a rate.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    list: Vec<Group>,
}

impl Groups {
    #[inline]
    fn find(&self, id: u32) -> Option<&Group> {
        if self.list.is_empty() { None } else { self.list.iter().find(|group| group.id == id) }
    }

    fn find_or_add(&mut self, id: u32) -> &mut Group {
        let index = self.list.iter().position(|group| group.id == id).unwrap_or_else(|| {
            let group =
                Group { id, paused: false, rate_ppm: RATE_ONE, base_global: 0, base_local: 0 };
            self.list.push(group);
            self.list.len() - 1
        });
        &mut self.list[index]
    }

    #[inline]
    pub(crate) fn is_paused(&self, id: u32) -> bool {
        self.find(id).is_some_and(|group| group.paused)
    }

    pub(crate) fn set_paused(&mut self, id: u32, paused: bool) {
        self.find_or_add(id).paused = paused;
    }

    /// Changes the rate from `now` on; the group's clock itself does not jump.
    pub(crate) fn set_rate(&mut self, id: u32, rate_ppm: u64, now: u64) {
        let local = self.local(id, now);
        let group = self.find_or_add(id);
        group.base_global = now;
        group.base_local = local;
        group.rate_ppm = rate_ppm.max(1);
    }

    /// Sets a group's clock to `local` at `now`. From then on it runs at the speed of the run's
    /// clock.
    pub(crate) fn set_clock(&mut self, id: u32, local: u64, now: u64) {
        let group = self.find_or_add(id);
        group.base_global = now;
        group.base_local = local;
        group.rate_ppm = RATE_ONE;
    }

    /// The time of the group's clock at a time of the run.
    #[inline]
    pub(crate) fn local(&self, id: u32, global: u64) -> u64 {
        self.find(id).map_or(global, |group| {
            let passed = global.saturating_sub(group.base_global);
            group.base_local.saturating_add(scale(passed, group.rate_ppm, RATE_ONE))
        })
    }

    /// The time of the run at which the group's clock will show `local`.
    #[inline]
    pub(crate) fn global(&self, id: u32, local: u64) -> u64 {
        self.find(id).map_or(local, |group| {
            let ahead = local.saturating_sub(group.base_local);
            let wait = scale(ahead, RATE_ONE, group.rate_ppm);
            // Rounded up, because otherwise a thread could wake just before its own deadline.
            let exact = group.rate_ppm == RATE_ONE || ahead == 0;
            group.base_global.saturating_add(wait).saturating_add(u64::from(!exact))
        })
    }
}

fn scale(value: u64, by: u64, over: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(by) / u128::from(over)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group that was not changed has the run's clock.
    #[test]
    fn ordinary_group_has_the_runs_clock() {
        let groups = Groups::default();
        assert_eq!(groups.local(3, 77), 77);
        assert_eq!(groups.global(3, 77), 77);
        assert!(!groups.is_paused(3));
    }

    #[test]
    fn a_clock_that_is_set_goes_on_at_the_runs_speed() {
        let mut groups = Groups::default();
        groups.set_rate(1, 2 * RATE_ONE, 1_000);
        groups.set_clock(2, groups.local(1, 3_000), 3_000);
        groups.set_clock(1, groups.local(1, 3_000), 3_000);
        for id in [1, 2] {
            assert_eq!((groups.local(id, 4_000), groups.global(id, 6_000)), (6_000, 4_000));
        }
    }

    /// At half speed a deadline takes twice as long, and no deadline comes early.
    #[test]
    fn rates_scale_both_ways() {
        let mut groups = Groups::default();
        groups.set_rate(1, RATE_ONE / 2, 1_000);
        assert_eq!(groups.local(1, 1_000), 1_000);
        assert_eq!(groups.local(1, 3_000), 2_000);
        groups.set_rate(1, 333_333, 3_000);
        for local in [2_001, 2_500, 9_999] {
            let global = groups.global(1, local);
            assert!(groups.local(1, global) >= local, "{local} {global}");
        }
    }
}
