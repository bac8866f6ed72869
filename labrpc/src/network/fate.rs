//! What the network does to one call: a pure function of a seeded generator and the conditions at
//! the call's arrival.
//!
//! The constants and the order of the decisions are those of 6.824's labrpc. Everything is drawn on
//! arrival. Whether the server is still alive when the handler has returned is checked only then,
//! so it is no part of a fate.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::{Rng, RngExt};

/// On an unreliable network a request waits this long before it is lost or delivered, in ms.
pub const UNRELIABLE_DELAY_MS: RangeInclusive<u64> = 0..=26;
/// On an unreliable network this many of 1,000 requests are lost, and the same number of 1,000
/// replies.
pub const UNRELIABLE_LOSS_PERMILLE: u32 = 100;
/// With long reordering this many of [`REORDERED_OUT_OF`] replies are delayed.
pub const REORDERED_REPLIES: u32 = 600;
/// See [`REORDERED_REPLIES`].
pub const REORDERED_OUT_OF: u32 = 900;
/// A reordered reply waits at least this long, in ms.
pub const REORDERING_DELAY_MS_MIN: u64 = 200;
/// A reordered reply waits up to `M` ms more, where `M` is itself drawn from this range.
pub const REORDERING_SPREAD_MS: RangeInclusive<u64> = 0..=1999;
/// How long a caller waits for a server that cannot be reached, in ms.
pub const UNREACHABLE_DELAY_MS: RangeInclusive<u64> = 0..=99;
/// The same with long delays, in ms.
pub const UNREACHABLE_LONG_DELAY_MS: RangeInclusive<u64> = 0..=6999;
/// How long a caller waits if its end was deleted or the network was closed, because its server was
/// killed. This time is not drawn.
///
/// In 6.824 such a caller waits as for an unreachable server, or returns immediately after a
/// cleanup. But threads can live on after `kill`. A thread that calls again and again would spin if
/// no time passed. If each call took up to 7 s, a server that starts a thread for each would have
/// hundreds.
pub const GONE_DELAY: Duration = Duration::from_millis(20);
/// A duplicate of a request arrives this much later than the request, in ms.
pub const DUPLICATE_DELAY_MS: RangeInclusive<u64> = 0..=26;

/// What holds when a call arrives at the network.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// The end is enabled and connected, the server exists, and the link to it is not cut.
    pub reachable: bool,
    /// The network loses and delays requests and replies at random.
    pub unreliable: bool,
    /// A caller waits up to seven seconds for a server that cannot be reached.
    pub long_delays: bool,
    /// Two of three replies are delayed.
    pub long_reordering: bool,
    /// What is wrong on the link from the caller to the server.
    pub request: Disturbance,
    /// What is wrong on the link back.
    pub reply: Disturbance,
}

/// What is wrong on the link from one server to another, besides the network's own unreliability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disturbance {
    /// The kinds of calls that it is for, by the last part of the method's name; all kinds if none.
    pub only: Option<Vec<String>>,
    /// This many of 1,000 messages are lost.
    pub lose_permille: u32,
    /// Each message is delayed by this.
    pub delay: Option<Delay>,
    /// This many of 1,000 requests are delivered twice. The reply to the duplicate is lost.
    pub duplicate_permille: u32,
    /// A duplicate arrives this much later than the request, in ms; [`DUPLICATE_DELAY_MS`] if none.
    pub duplicate_delay_ms: Option<RangeInclusive<u64>>,
}

impl Disturbance {
    /// The same, but only for these kinds of calls, by the last part of the method's name. For an
    /// empty list nothing is wrong.
    #[must_use]
    pub fn only(self, kinds: &[String]) -> Disturbance {
        Disturbance { only: Some(kinds.to_vec()), ..self }
    }

    /// What it does to calls of a kind.
    pub(crate) fn on(self, kind: &str) -> Disturbance {
        let applies = concerns(self.only.as_deref(), kind);
        if applies { self } else { Disturbance::default() }
    }
}

/// Whether a fault for the kinds in `only`, or for all kinds if none, applies to `kind`.
pub(crate) fn concerns(only: Option<&[String]>, kind: &str) -> bool {
    only.is_none_or(|only| only.iter().any(|name| name == kind))
}

/// How long messages are delayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delay {
    /// By a time drawn from this range, in ms.
    Uniform(RangeInclusive<u64>),
    /// By a time drawn from the exponential distribution: mostly short, sometimes long, up to ten
    /// times the mean.
    Exponential {
        /// The mean, in ms.
        mean_ms: u64,
    },
    /// Mostly not at all, but sometimes for long.
    Spike {
        /// This many of 1,000 messages are delayed.
        permille: u32,
        /// By how much, in ms.
        delay_ms: u64,
    },
}

impl Delay {
    fn draw(&self, rng: &mut impl Rng) -> Duration {
        match self {
            Delay::Uniform(range_ms) => draw_ms(rng, range_ms.clone()),
            Delay::Exponential { mean_ms } => {
                let means = -(1.0 - rng.random::<f64>()).ln();
                Duration::from_millis((means.min(10.0) * *mean_ms as f64) as u64)
            }
            Delay::Spike { permille, delay_ms } => {
                let is_hit = one_of_thousand(rng, *permille);
                Duration::from_millis(if is_hit { *delay_ms } else { 0 })
            }
        }
    }
}

/// What the network does to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The server is never reached; the caller waits and gets no answer.
    Unreachable {
        /// How long the caller waits.
        after: Duration,
    },
    /// The network takes the call.
    Accepted {
        /// How long the request travels.
        request_delay: Duration,
        /// The request is lost after that.
        request_lost: bool,
        /// The request arrives once more, this much later.
        duplicate_after: Option<Duration>,
        /// The reply is lost, if there is one.
        reply_lost: bool,
        /// How long the reply travels, if it is not lost.
        reply_delay: Duration,
    },
}

impl Fate {
    /// Draws the fate of one call.
    pub fn draw(rng: &mut impl Rng, conditions: &Conditions) -> Fate {
        if !conditions.reachable {
            return Fate::Unreachable { after: unreachable_wait(rng, conditions.long_delays) };
        }
        let mut request_delay = Duration::ZERO;
        let mut request_lost = false;
        if conditions.unreliable {
            request_delay = draw_ms(rng, UNRELIABLE_DELAY_MS);
            request_lost = one_of_thousand(rng, UNRELIABLE_LOSS_PERMILLE);
        }
        let mut reply_lost =
            conditions.unreliable && one_of_thousand(rng, UNRELIABLE_LOSS_PERMILLE);
        let mut reply_delay = Duration::ZERO;
        if conditions.long_reordering && rng.random_range(0..REORDERED_OUT_OF) < REORDERED_REPLIES {
            let spread_ms = rng.random_range(REORDERING_SPREAD_MS);
            reply_delay =
                Duration::from_millis(REORDERING_DELAY_MS_MIN) + draw_ms(rng, 0..=spread_ms);
        }

        request_lost |= one_of_thousand(rng, conditions.request.lose_permille);
        request_delay += extra_delay(rng, &conditions.request);
        reply_lost |= one_of_thousand(rng, conditions.reply.lose_permille);
        reply_delay += extra_delay(rng, &conditions.reply);
        let duplicated = one_of_thousand(rng, conditions.request.duplicate_permille);
        let duplicate_after = duplicated.then(|| {
            let range_ms = conditions.request.duplicate_delay_ms.clone();
            draw_ms(rng, range_ms.unwrap_or(DUPLICATE_DELAY_MS))
        });
        Fate::Accepted { request_delay, request_lost, duplicate_after, reply_lost, reply_delay }
    }
}

/// As a choice of the run, which is what people read.
impl From<&Fate> for choice::Fate {
    fn from(fate: &Fate) -> choice::Fate {
        let ms = |time: &Duration| time.as_millis() as u64;
        match fate {
            Fate::Unreachable { after } => {
                choice::Fate { unreachable_ms: Some(ms(after)), ..Default::default() }
            }
            Fate::Accepted {
                request_delay,
                request_lost,
                duplicate_after,
                reply_lost,
                reply_delay,
            } => choice::Fate {
                unreachable_ms: None,
                request_delay_ms: ms(request_delay),
                request_lost: *request_lost,
                duplicate_after_ms: duplicate_after.as_ref().map(ms),
                reply_delay_ms: ms(reply_delay),
                reply_lost: *reply_lost,
            },
        }
    }
}

impl From<choice::Fate> for Fate {
    fn from(fate: choice::Fate) -> Fate {
        match fate.unreachable_ms {
            Some(ms) => Fate::Unreachable { after: Duration::from_millis(ms) },
            None => Fate::Accepted {
                request_delay: Duration::from_millis(fate.request_delay_ms),
                request_lost: fate.request_lost,
                duplicate_after: fate.duplicate_after_ms.map(Duration::from_millis),
                reply_lost: fate.reply_lost,
                reply_delay: Duration::from_millis(fate.reply_delay_ms),
            },
        }
    }
}

/// How long a caller waits for a server that cannot be reached, or for a reply whose link is cut.
pub fn unreachable_wait(rng: &mut impl Rng, long_delays: bool) -> Duration {
    draw_ms(rng, if long_delays { UNREACHABLE_LONG_DELAY_MS } else { UNREACHABLE_DELAY_MS })
}

fn draw_ms(rng: &mut impl Rng, range_ms: RangeInclusive<u64>) -> Duration {
    Duration::from_millis(rng.random_range(range_ms))
}

/// Draws nothing for a rate of zero, so that a fault that is off does not change the other draws.
fn one_of_thousand(rng: &mut impl Rng, permille: u32) -> bool {
    permille > 0 && rng.random_range(0..1000) < permille
}

fn extra_delay(rng: &mut impl Rng, disturbance: &Disturbance) -> Duration {
    disturbance.delay.as_ref().map_or(Duration::ZERO, |delay| delay.draw(rng))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    const DRAWS: u32 = 100_000;

    fn draws(conditions: &Conditions) -> Vec<Fate> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        (0..DRAWS).map(|_| Fate::draw(&mut rng, conditions)).collect()
    }

    fn reachable() -> Conditions {
        Conditions { reachable: true, ..Conditions::default() }
    }

    /// Fails unless `count` of [`DRAWS`] lies within six standard deviations of `rate`. The seed is
    /// fixed, so this either always passes or never.
    #[track_caller]
    fn check_rate(what: &str, count: usize, rate: f64) {
        let n = f64::from(DRAWS);
        let sigma = (n * rate * (1.0 - rate)).sqrt();
        let off = (count as f64 - n * rate).abs();
        assert!(off <= 6.0 * sigma, "{what}: {count} of {DRAWS}, expected a rate of {rate}");
    }

    fn reply_delays(fates: &[Fate]) -> Vec<u64> {
        let delay = |fate: &Fate| match fate {
            Fate::Accepted { reply_delay, .. } => Some(reply_delay.as_millis() as u64),
            Fate::Unreachable { .. } => None,
        };
        fates.iter().filter_map(delay).collect()
    }

    #[test]
    fn a_reliable_network_does_nothing_to_a_call() {
        let nothing = Fate::Accepted {
            request_delay: Duration::ZERO,
            request_lost: false,
            duplicate_after: None,
            reply_lost: false,
            reply_delay: Duration::ZERO,
        };
        assert!(draws(&reachable()).iter().all(|fate| *fate == nothing));
    }

    #[test]
    fn an_unreliable_network_loses_a_tenth_each_way_and_answers_four_fifths() {
        let fates = draws(&Conditions { unreliable: true, ..reachable() });
        let (mut requests_lost, mut replies_lost, mut answered) = (0, 0, 0);
        let mut delays_ms = [0; 27];
        for fate in &fates {
            let Fate::Accepted { request_delay, request_lost, reply_lost, .. } = fate else {
                panic!("a reachable server was not reached");
            };
            requests_lost += usize::from(*request_lost);
            replies_lost += usize::from(*reply_lost);
            answered += usize::from(!request_lost && !reply_lost);
            delays_ms[request_delay.as_millis() as usize] += 1;
        }
        check_rate("requests lost", requests_lost, 0.1);
        check_rate("replies lost", replies_lost, 0.1);
        check_rate("answered", answered, 0.81);
        for count in delays_ms {
            check_rate("each delay of 0..=26 ms", count, 1.0 / 27.0);
        }
    }

    #[test]
    fn long_reordering_delays_two_of_three_replies_mostly_shortly() {
        let fates = draws(&Conditions { long_reordering: true, ..reachable() });
        let delayed: Vec<u64> = reply_delays(&fates).into_iter().filter(|ms| *ms > 0).collect();
        check_rate("delayed replies", delayed.len(), 2.0 / 3.0);
        assert!(delayed.iter().all(|ms| (200..=2199).contains(ms)));
        // The mean of U(0, U(0, 1999)) is 1999/4, and half of it lies below about 373 ms.
        let mean_ms = delayed.iter().sum::<u64>() as f64 / delayed.len() as f64;
        assert!((mean_ms - 699.75).abs() < 10.0, "mean of {mean_ms} ms");
        let short = delayed.iter().filter(|ms| **ms < 200 + 373).count();
        let share = short as f64 / delayed.len() as f64;
        assert!((share - 0.5).abs() < 0.02, "{share} of the delays are short");
    }

    #[test]
    fn the_wait_for_an_unreachable_server_depends_only_on_long_delays() {
        for (long_delays, last_ms) in [(false, 99), (true, 6999)] {
            let waits: Vec<u64> = draws(&Conditions { long_delays, ..Conditions::default() })
                .iter()
                .map(|fate| match fate {
                    Fate::Unreachable { after } => after.as_millis() as u64,
                    Fate::Accepted { .. } => panic!("an unreachable server was reached"),
                })
                .collect();
            assert!(waits.iter().all(|ms| *ms <= last_ms));
            let lower_half = waits.iter().filter(|ms| **ms <= last_ms / 2).count();
            check_rate("waits in the lower half", lower_half, 0.5);
        }
    }

    #[test]
    fn a_disturbance_acts_at_its_own_rates_in_its_own_direction() {
        let request = Disturbance {
            lose_permille: 250,
            delay: Some(Delay::Uniform(40..=60)),
            duplicate_permille: 300,
            ..Disturbance::default()
        };
        let fates = draws(&Conditions { request, ..reachable() });
        let (mut lost, mut twice) = (0, 0);
        for fate in &fates {
            let Fate::Accepted {
                request_delay,
                request_lost,
                duplicate_after,
                reply_lost,
                reply_delay,
            } = fate
            else {
                panic!("a reachable server was not reached");
            };
            assert!((40..=60).contains(&request_delay.as_millis()));
            assert!(!reply_lost && reply_delay.is_zero(), "the way back is undisturbed");
            lost += usize::from(*request_lost);
            twice += usize::from(duplicate_after.is_some());
        }
        check_rate("requests lost", lost, 0.25);
        check_rate("requests duplicated", twice, 0.3);
    }

    fn request_delays(delay: Delay) -> Vec<u64> {
        let request = Disturbance { delay: Some(delay), ..Disturbance::default() };
        let fates = draws(&Conditions { request, ..reachable() });
        let delay = |fate: &Fate| match fate {
            Fate::Accepted { request_delay, .. } => request_delay.as_millis() as u64,
            Fate::Unreachable { .. } => panic!("a reachable server was not reached"),
        };
        fates.iter().map(delay).collect()
    }

    #[test]
    fn exponential_delays_have_their_mean_and_a_maximum() {
        let delays = request_delays(Delay::Exponential { mean_ms: 100 });
        let mean_ms = delays.iter().sum::<u64>() as f64 / delays.len() as f64;
        assert!((mean_ms - 99.5).abs() < 2.0, "mean of {mean_ms} ms");
        assert!(delays.iter().all(|ms| *ms <= 1000));
        let long = delays.iter().filter(|ms| **ms >= 300).count();
        check_rate("delays of three means", long, (-3.0_f64).exp());
    }

    #[test]
    fn a_spike_delays_few_messages_but_for_long() {
        let delays = request_delays(Delay::Spike { permille: 20, delay_ms: 3000 });
        assert!(delays.iter().all(|ms| [0, 3000].contains(ms)));
        check_rate("spikes", delays.iter().filter(|ms| **ms > 0).count(), 0.02);
    }

    #[test]
    fn a_disturbance_of_one_kind_leaves_the_others_alone() {
        let lose = Disturbance { lose_permille: 7, ..Disturbance::default() };
        assert_eq!(lose.clone().on("AppendEntries"), lose);
        assert_eq!(lose.clone().only(&[]).on("AppendEntries"), Disturbance::default());
        let lose = lose.only(&["RequestVote".into()]);
        assert_eq!(lose.clone().on("RequestVote"), lose);
        assert_eq!(lose.on("AppendEntries"), Disturbance::default());
    }

    #[test]
    fn the_same_seed_draws_the_same_fates() {
        let conditions = Conditions { unreliable: true, long_reordering: true, ..reachable() };
        assert_eq!(draws(&conditions), draws(&conditions));
    }
}
