//! Which sizes are best.
//!
//! There are thousands of possible ones, and the chances of each take tens of microseconds. So the chances of one lane
//! come first, which bound those of all lanes from below, nearly from above too where they are small; and only what these
//! bounds leave open is looked at exactly.

use std::ops::RangeInclusive;

use super::draw::{Draw, some_of};
use super::law::{at_least, away_seats, bad_seats};
use super::placements::Placements;
use super::{Bounds, FAILURE_WANTED, MISSED_WANTED, PRIVACY_MAX, Sizes};

/// A bound from below is rounded differently from what it bounds.
const ROUNDED: f64 = 1.0 - 1e-9;

/// The best of all possible sizes, by the rule of [`Sizes::choose`], and what can go wrong with them. Those that fail more
/// than `most` are none.
pub fn best(draw: &Draw, most: f64) -> Option<(Sizes, Bounds)> {
    let mut lanes: Vec<Lane> = Vec::new();
    // More replicas keep no secret with fewer lanes: where one number of them cannot, no larger one can.
    while let Some(lane) = Lane::next(draw, lanes.last()) {
        lanes.push(lane);
    }
    let mut shapes: Vec<_> = lanes.iter().flat_map(|lane| lane.shapes(draw)).collect();
    shapes.sort_by_key(|shape| cost(shape.with(1)));
    let wanted = shapes.iter().find_map(|shape| shape.wanted(draw));
    let sizes = wanted.or_else(|| least_failure(draw, &shapes, most))?;
    Some((sizes, draw.bounds(sizes)))
}

/// The fewer seats, then lanes, the better; then signers, of which more keep out more liars.
fn cost(sizes: Sizes) -> (usize, u16, std::cmp::Reverse<u16>) {
    (sizes.seats(), sizes.lanes, std::cmp::Reverse(sizes.signers))
}

fn least_failure(draw: &Draw, shapes: &[Shape<'_>], most: f64) -> Option<Sizes> {
    let all = shapes.iter().flat_map(|shape| {
        let signers = 1..=shape.lane.replicas;
        let replicas = shape.lane.replicas;
        signers.filter_map(move |signers| {
            // Where all of several must sign, any liar can prevent any answer by keeping silent.
            let spares_one = signers < replicas || replicas == 1;
            let never_wrong = || shape.wrong_at_least(draw, signers) <= FAILURE_WANTED;
            let at_least = || shape.failure_at_least(draw, signers);
            (spares_one || never_wrong()).then(|| (at_least(), shape, signers))
        })
    });
    let mut all: Vec<_> = all
        .filter(|(at_least, ..)| at_least * ROUNDED <= most)
        .collect();
    all.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut best: Option<(f64, Sizes)> = None;
    for (at_least, shape, signers) in all {
        if best.is_some_and(|(failure, _)| at_least * ROUNDED > failure) {
            break;
        }
        let sizes = shape.with(signers);
        let failure = shape.failure(draw, sizes);
        let is_better = best.is_none_or(|(least, best)| {
            let order = failure.total_cmp(&least);
            order.then_with(|| cost(sizes).cmp(&cost(best))).is_lt()
        });
        if failure <= most && is_better {
            best = Some((failure, sizes));
        }
    }
    best.map(|(_, sizes)| sizes)
}

/// Lanes of so many replicas.
struct Lane {
    replicas: u16,
    /// The chance that at least j of them collude, for each j.
    bad: Vec<f64>,
    /// The chance that at least j of them go away, for each j.
    away: Vec<f64>,
    /// How many of them keep a secret and are possible.
    numbers: RangeInclusive<u16>,
}

impl Lane {
    /// One replica more than `last`, or one. `None` when no number of such lanes keeps a secret.
    fn next(draw: &Draw, last: Option<&Self>) -> Option<Self> {
        let replicas = last.map_or(1, |last| last.replicas + 1);
        let least = last.map_or(2, |last| *last.numbers.start());
        let is_possible = |lanes: &u16| {
            let sizes = Sizes {
                lanes: *lanes,
                replicas,
                signers: 1,
            };
            sizes.is_possible() && draw.has_candidates_for(sizes)
        };
        let most = (least..).take_while(is_possible).last()?;
        let fewest = fewest(draw, replicas, least..=most)?;
        let seats = usize::from(replicas);
        Some(Self {
            replicas,
            bad: at_least(&bad_seats(seats, draw.candidates(), draw.colluders())),
            away: at_least(&away_seats(seats, draw.offline_permille())),
            numbers: fewest..=most,
        })
    }

    fn shapes<'a>(&'a self, draw: &Draw) -> impl Iterator<Item = Shape<'a>> {
        self.numbers
            .clone()
            .map(|lanes| Shape::new(draw, self, lanes))
    }
}

/// The least of these numbers of lanes that keeps a secret; more keep it all the better.
fn fewest(draw: &Draw, replicas: u16, mut lanes: RangeInclusive<u16>) -> Option<u16> {
    let mut placements = Placements::of_one_lane(replicas);
    for _ in 2..*lanes.start() {
        placements.add_lane();
    }
    lanes.find(|lanes| {
        placements.add_lane();
        let sizes = Sizes {
            lanes: *lanes,
            replicas,
            signers: 1,
        };
        draw.privacy(sizes, &placements) <= PRIVACY_MAX
    })
}

/// Sizes that keep a secret, but for the number of signers.
struct Shape<'a> {
    lane: &'a Lane,
    lanes: u16,
    quorum: usize,
    /// The chance that a committee's quorum is lost.
    no_quorum: f64,
}

impl<'a> Shape<'a> {
    fn new(draw: &Draw, lane: &'a Lane, lanes: u16) -> Self {
        let sizes = Sizes {
            lanes,
            replicas: lane.replicas,
            signers: 1,
        };
        let quorum = draw.quorum(sizes);
        let away = away_seats(sizes.seats(), draw.offline_permille());
        Self {
            lane,
            lanes,
            quorum,
            no_quorum: at_least(&away)[sizes.seats() + 1 - quorum],
        }
    }

    fn with(&self, signers: u16) -> Sizes {
        Sizes {
            lanes: self.lanes,
            replicas: self.lane.replicas,
            signers,
        }
    }

    /// With the most signers that lose and miss as little as is wanted, if these keep wrong answers out.
    fn wanted(&self, draw: &Draw) -> Option<Sizes> {
        let is_kept = |lost| lost <= FAILURE_WANTED && draw.missed(lost) <= MISSED_WANTED;
        let may_be_kept = |signers: &u16| is_kept(self.lost_at_least(*signers) * ROUNDED);
        let signers = (1..=self.lane.replicas).rev().filter(may_be_kept);
        let mut sizes = signers.map(|signers| self.with(signers));
        let sizes = sizes.find(|sizes| is_kept(draw.lost(*sizes, self.quorum)))?;
        let may_be_right = self.wrong_at_least(draw, sizes.signers) * ROUNDED <= FAILURE_WANTED;
        (may_be_right && draw.wrong(sizes) <= FAILURE_WANTED).then_some(sizes)
    }

    fn failure(&self, draw: &Draw, sizes: Sizes) -> f64 {
        failure(draw, draw.wrong(sizes), draw.lost(sizes, self.quorum))
    }

    fn failure_at_least(&self, draw: &Draw, signers: u16) -> f64 {
        let wrong = self.wrong_at_least(draw, signers);
        failure(draw, wrong, self.lost_at_least(signers))
    }

    /// Lanes are lost independently, and a committee without a quorum is lost as well.
    fn lost_at_least(&self, signers: u16) -> f64 {
        let spare = usize::from(self.lane.replicas - signers);
        some_of(self.lanes.into(), self.lane.away[spare + 1]).max(self.no_quorum)
    }

    /// Where few colluders sit in one lane, more sit in others (`links`): all lanes are right no more often than if they
    /// were drawn independently.
    fn wrong_at_least(&self, draw: &Draw, signers: u16) -> f64 {
        let one = self.lane.bad[usize::from(signers)];
        draw.in_all(some_of(self.lanes.into(), one))
    }
}

fn failure(draw: &Draw, wrong: f64, lost: f64) -> f64 {
    let bounds = Bounds {
        // Good enough, whatever it is.
        privacy: 0.0,
        wrong,
        loss: lost,
        missed: draw.missed(lost),
    };
    bounds.failure()
}
