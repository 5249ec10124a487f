//! How long a message takes, and whether it arrives.

use base::{Duration, NodeId, Rng};

/// What a chance of one is, in the unit of this model's chances.
pub const PER_MILLION: u64 = 1_000_000;

/// The weather of a simulated network. All times are drawn in whole microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkModel {
    /// One-way latency between two nodes: half of all pairs have less. Every pair keeps its own for the whole run, the same
    /// in both directions.
    pub median_latency: Duration,
    /// How much pairs differ: one standard deviation of the logarithm of the latency, in sixteenths of a factor of two, 0
    /// to 64. With 16, one pair in six has more than twice the median and one in six less than half.
    pub latency_spread: u8,
    /// Up to this much is added to each message, evenly, so that messages overtake each other.
    pub jitter: Duration,
    /// What a node can send. Messages wait for those that the same node sent earlier. `None`: without limit.
    pub bytes_per_second: Option<u64>,
    /// How many of a million messages are lost for good. A transport retransmits packets, so a loss is that of a
    /// connection.
    pub losses: u64,
    /// How many of a million losses, and of messages into a partition, the sender hears of as `Unreachable`.
    pub noticed: u64,
    /// How long after the message would have arrived the sender hears that it did not. Also for messages to nodes that are
    /// down, which are always noticed.
    pub notice_after: Duration,
    /// Each node's clock is off by a constant between minus and plus this much.
    pub clock_skew: Duration,
}

impl NetworkModel {
    /// The network that the design's predictions assume: median 40 ms one way with a long tail, 10 Mbit/s. The others are
    /// guesses: a spread of 12 puts one pair in twenty above 95 ms; a connection is given up after 10 s; clocks that are set
    /// over the network are within 1 s.
    pub const INTERNET: Self = Self {
        median_latency: Duration::from_millis(40),
        latency_spread: 12,
        jitter: Duration::from_millis(10),
        bytes_per_second: Some(1_250_000),
        losses: 0,
        noticed: 900_000,
        notice_after: Duration::from_secs(10),
        clock_skew: Duration::from_secs(1),
    };

    /// Every message takes exactly this long, nothing is lost and all clocks agree.
    pub const fn fixed(latency: Duration) -> Self {
        Self {
            median_latency: latency,
            latency_spread: 0,
            jitter: Duration::ZERO,
            bytes_per_second: None,
            losses: 0,
            noticed: PER_MILLION,
            notice_after: Duration::from_secs(1),
            clock_skew: Duration::ZERO,
        }
    }

    /// The latency of this pair, without jitter.
    pub(crate) fn base_latency(&self, salt: u64, a: NodeId, b: NodeId) -> Duration {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        let pair = mix(mix(salt ^ word(low)) ^ word(high));
        stretch(
            self.median_latency,
            self.latency_spread.min(64),
            mix(pair),
            mix(!pair),
        )
    }

    pub(crate) fn draw_jitter(&self, rng: &mut Rng) -> Duration {
        let jitter = micros(self.jitter);
        if jitter == 0 {
            Duration::ZERO
        } else {
            Duration::from_micros(rng.below(jitter + 1))
        }
    }

    pub(crate) fn loses(&self, rng: &mut Rng) -> bool {
        chance(self.losses, rng)
    }

    pub(crate) fn notices(&self, rng: &mut Rng) -> bool {
        chance(self.noticed, rng)
    }

    /// How long the sender's link is busy with so many bytes.
    pub(crate) fn sending_time(&self, bytes: usize) -> Duration {
        match self.bytes_per_second {
            None => Duration::ZERO,
            Some(rate) => {
                Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / rate.max(1))
            }
        }
    }

    /// How far the clock of `node` is off, in microseconds.
    pub(crate) fn draw_skew(&self, salt: u64, node: NodeId) -> i64 {
        let skew = micros(self.clock_skew).min(i64::MAX as u64 / 2);
        let drawn = mix(mix(!salt) ^ word(node)) % (2 * skew + 1);
        drawn as i64 - skew as i64
    }
}

/// Whole microseconds, which is what event times are made of.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros())
        .unwrap_or(u64::MAX / 4)
        .min(u64::MAX / 4)
}

fn chance(per_million: u64, rng: &mut Rng) -> bool {
    per_million > 0 && rng.below(PER_MILLION) < per_million
}

/// `median` times a factor that is nearly log-normal over random `first` and `second`.
///
/// The number of ones among 64 random bits is nearly normal around 32 with standard deviation 4. `second` spreads the
/// values between one such number and the next evenly.
fn stretch(median: Duration, spread: u8, first: u64, second: u64) -> Duration {
    // In 1/256 of a standard deviation, whose quarter is one bit.
    let deviations = (i64::from(first.count_ones()) - 32) * 64 + (second >> 58) as i64 - 32;
    // In 1/256 of a factor of two.
    let octaves = deviations * i64::from(spread) / 16;
    let (whole, fraction) = (octaves.div_euclid(256), octaves.rem_euclid(256) as u128);
    // Between two powers of two the chord of 2^x is at most 6.2 % above the curve.
    let factor = ((256 + fraction) << 32) >> 8;
    let micros = u128::from(micros(median)) * factor;
    let shift = 32 - whole.clamp(-64, 32);
    Duration::from_micros(u64::try_from(micros >> shift).unwrap_or(u64::MAX / 4))
}

/// The bits that tell nodes apart: identifiers are keys, hence random, but tests may use small numbers at either end.
fn word(node: NodeId) -> u64 {
    let mut mixed = 0;
    for chunk in node.0.chunks_exact(8) {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        mixed = mix(mixed ^ u64::from_be_bytes(eight));
    }
    mixed
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014): cheap, and good enough for geography.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u16) -> NodeId {
        let mut bytes = [0; 32];
        bytes[30..].copy_from_slice(&number.to_be_bytes());
        NodeId(bytes)
    }

    fn latencies(model: &NetworkModel, salt: u64) -> Vec<u64> {
        let pairs = (0..100).flat_map(|a| (a + 1..100).map(move |b| (a, b)));
        let mut all: Vec<_> = pairs
            .map(|(a, b)| micros(model.base_latency(salt, node(a), node(b))))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn latency_has_the_stated_median_and_spread() {
        let model = NetworkModel {
            latency_spread: 16,
            ..NetworkModel::INTERNET
        };
        let sorted = latencies(&model, 1);
        let at = |share: usize| sorted[sorted.len() * share / 1000];
        assert!((38_000..42_000).contains(&at(500)), "{}", at(500));
        // One standard deviation: 15.9 % on each side.
        assert!((76_000..90_000).contains(&at(841)), "{}", at(841));
        assert!((18_000..22_000).contains(&at(159)), "{}", at(159));
        let internet = latencies(&NetworkModel::INTERNET, 1);
        let above = internet.iter().filter(|&&latency| latency > 95_000).count();
        assert!(
            (35..65).contains(&(above * 1000 / internet.len())),
            "{above}"
        );
    }

    #[test]
    fn latency_is_a_pairs_own_and_the_same_both_ways() {
        let model = NetworkModel::INTERNET;
        let there = model.base_latency(1, node(1), node(2));
        assert_eq!(there, model.base_latency(1, node(2), node(1)));
        assert_ne!(there, model.base_latency(1, node(1), node(3)));
        assert_ne!(there, model.base_latency(2, node(1), node(2)));
    }

    #[test]
    fn without_spread_all_pairs_are_alike() {
        let model = NetworkModel::fixed(Duration::from_micros(12_345));
        assert!(
            latencies(&model, 3)
                .iter()
                .all(|&latency| latency == 12_345)
        );
    }

    #[test]
    fn extremes_neither_overflow_nor_vanish() {
        let hour = Duration::from_secs(3600);
        assert!(stretch(hour, 64, u64::MAX, u64::MAX) > hour);
        assert_eq!(stretch(hour, 64, 0, 0), Duration::ZERO);
        assert!(stretch(Duration::MAX, 64, u64::MAX, u64::MAX) > hour);
    }

    #[test]
    fn clocks_are_off_by_at_most_the_skew_in_both_directions() {
        let model = NetworkModel::INTERNET;
        let skews: Vec<_> = (0..1000)
            .map(|number| model.draw_skew(5, node(number)))
            .collect();
        assert!(skews.iter().all(|skew| skew.abs() <= 1_000_000));
        assert!(skews.iter().filter(|skew| **skew > 500_000).count() > 200);
        assert!(skews.iter().filter(|skew| **skew < -500_000).count() > 200);
    }
}
