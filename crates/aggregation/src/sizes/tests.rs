//! One committee: against lists of all cases, and against drawing seat by seat.

use base::{decode, encode};
use proptest::prelude::*;

use super::law::bad_seats;
use super::*;

fn sizes(lanes: u16, replicas: u16, signers: u16) -> Sizes {
    Sizes {
        lanes,
        replicas,
        signers,
    }
}

fn is_close(found: f64, expected: f64) -> bool {
    found == expected || (found / expected - 1.0).abs() < 1e-12
}

/// How many of `these` each lane has.
fn by_lane(sizes: Sizes, these: u32) -> impl Iterator<Item = u16> + Clone {
    let replicas = u32::from(sizes.replicas);
    let lane = move |lane: u32| these >> (lane * replicas) & ((1 << replicas) - 1);
    (0..u32::from(sizes.lanes)).map(move |number| lane(number).count_ones() as u16)
}

/// By listing which candidates collude, and which seats go away.
fn listed(sizes: Sizes, candidates: u32, colluders: u32, offline_permille: u32) -> Bounds {
    let seats = sizes.seats() as u32;
    let (mut all, mut privacy, mut wrong) = (0u32, 0u32, 0u32);
    for bad in (0u32..1 << candidates).filter(|bad| bad.count_ones() == colluders) {
        let mut lanes = by_lane(sizes, bad & ((1 << seats) - 1));
        all += 1;
        privacy += u32::from(lanes.clone().all(|bad| bad > 0));
        wrong += u32::from(lanes.any(|bad| bad >= sizes.signers));
    }
    // So few candidates that all colluders may be among the seats.
    let quorum = (seats + colluders.min(seats - 1)) / 2 + 1;
    let share = f64::from(offline_permille) / 1000.0;
    let lost = (0u32..1 << seats).filter(|away| {
        let here = (1 << seats) - 1 - away;
        here.count_ones() < quorum || by_lane(sizes, here).any(|here| here < sizes.signers)
    });
    let chance = |away: u32| {
        let gone = away.count_ones() as i32;
        share.powi(gone) * (1.0 - share).powi(seats as i32 - gone)
    };
    Bounds {
        privacy: f64::from(privacy) / f64::from(all),
        wrong: f64::from(wrong) / f64::from(all),
        loss: lost.map(chance).sum(),
        missed: 0.0,
    }
}

#[test]
fn agrees_with_a_list_of_all_cases() {
    for (sizes, most) in [
        (sizes(2, 1, 1), 8),
        (sizes(5, 1, 1), 9),
        (sizes(2, 2, 1), 9),
        (sizes(2, 2, 2), 9),
        (sizes(2, 3, 1), 13),
        (sizes(3, 3, 2), 13),
        (sizes(4, 3, 2), 14),
        (sizes(4, 3, 3), 12),
        (sizes(3, 4, 3), 13),
        (sizes(2, 5, 4), 13),
        (sizes(2, 6, 3), 13),
        (sizes(2, 7, 2), 14),
    ] {
        for candidates in sizes.seats() as u32..=most {
            for colluders in 0..=candidates {
                let offline = [0, 1, 50, 500, 999, 1000][colluders as usize % 6];
                let found = sizes.bounds(candidates.into(), colluders.into(), offline);
                let expected = listed(sizes, candidates, colluders, offline);
                assert!(
                    is_close(found.privacy, expected.privacy)
                        && is_close(found.wrong, expected.wrong)
                        && is_close(found.loss, expected.loss)
                        && found.missed == expected.missed,
                    "{sizes:?} {candidates} {colluders} {offline}: {found:?} {expected:?}"
                );
            }
        }
    }
}

/// Seat by seat, by how many colluders were drawn before and how many of them into this lane: exact too, and slow.
/// Chances of privacy and wrong.
fn drawn_one_by_one(sizes: Sizes, candidates: u64, colluders: u64) -> (f64, f64) {
    let (seats, replicas) = (sizes.seats(), usize::from(sizes.replicas));
    // By colluders so far and in this lane; each: every lane so far has one, some lane had as many as signers, none had.
    let width = replicas + 1;
    let mut chances = vec![[1.0, 0.0, 1.0]];
    chances.resize((seats + 1) * width, [0.0; 3]);
    for seat in 0..seats {
        let mut next = vec![[0.0; 3]; chances.len()];
        for (place, now) in chances
            .iter()
            .enumerate()
            .filter(|(_, now)| now != &&[0.0; 3])
        {
            let (before, here) = (place / width, place % width);
            let left = candidates - seat as u64;
            let bad = colluders.saturating_sub(before as u64);
            for (is_bad, chance) in [(1, bad as f64), (0, (left - bad) as f64)] {
                let chance = chance / left as f64;
                let here = here + is_bad;
                let ends = (seat + 1) % replicas == 0;
                let to = (before + is_bad) * width + if ends { 0 } else { here };
                let [hit, wrong, right] = now.map(|now| now * chance);
                if to < next.len() {
                    next[to][0] += if ends && here == 0 { 0.0 } else { hit };
                    let turns = ends && here >= usize::from(sizes.signers);
                    next[to][1] += wrong + if turns { right } else { 0.0 };
                    next[to][2] += if turns { 0.0 } else { right };
                }
            }
        }
        chances = next;
    }
    let sum = |which: usize| chances.iter().map(|chance| chance[which]).sum();
    (sum(0), sum(1))
}

#[test]
fn agrees_with_drawing_one_by_one_where_chances_are_tiny() {
    for (sizes, candidates, colluders) in [
        (sizes(4, 9, 5), 40, 3),
        (sizes(4, 9, 4), 40, 4),
        (sizes(15, 17, 9), 10_000_000, 100_000),
        (sizes(15, 17, 3), 10_000_000, 9_990_000),
        (sizes(84, 3, 2), 1_000_000, 200),
        (sizes(84, 3, 3), 252, 84),
        (sizes(84, 1, 1), 1_000, 30),
        (sizes(8, 31, 12), 5_000, 40),
        (sizes(2, 150, 24), 1_000, 40),
        (sizes(9, 5, 4), 1 << 60, 1 << 40),
    ] {
        let found = sizes.bounds(candidates, colluders, 50);
        let (privacy, wrong) = drawn_one_by_one(sizes, candidates, colluders);
        assert!(
            is_close(found.privacy, privacy) && is_close(found.wrong, wrong),
            "{sizes:?} {candidates} {colluders}: {found:?} {privacy:e} {wrong:e}"
        );
    }
}

#[test]
fn four_candidates_cannot_be_wronged_by_one() {
    let chosen = Sizes::choose(4, 1, 50).unwrap();
    assert_eq!(chosen, sizes(2, 2, 2));
    let bounds = chosen.bounds(4, 1, 50);
    assert_eq!((bounds.privacy, bounds.wrong), (0.0, 0.0));
    // All four are needed.
    let all: f64 = 0.95 * 0.95 * 0.95 * 0.95;
    assert!(is_close(bounds.loss, 1.0 - all), "{bounds:?}");
}

#[test]
fn twelve_candidates_can_hardly_bear_three() {
    let chosen = Sizes::choose(12, 3, 50).unwrap();
    assert_eq!(chosen, sizes(4, 3, 2));
    assert_eq!(chosen.liars(12, 3), 3);
    assert_eq!(chosen.quorum(3), Some(8));
    let bounds = chosen.bounds(12, 3, 50);
    assert_eq!(bounds.privacy, 0.0);
    // Any two in the same lane: not 12 · 9 · 6 of 12 · 11 · 10.
    assert!(is_close(bounds.wrong, 1.0 - 648.0 / 1320.0), "{bounds:?}");
    let p: f64 = 0.05;
    let lane = p * p * (3.0 - 2.0 * p);
    // While no lane has lost two, no more than four are away and eight sign.
    assert!(
        is_close(bounds.loss, 1.0 - (1.0 - lane).powi(4)),
        "{bounds:?}"
    );
    // Three signers would hardly ever lie, but none of the twelve might go away, nor keep silent.
    let bounds = sizes(4, 3, 3).bounds(12, 3, 50);
    assert!(is_close(bounds.wrong, 4.0 / 220.0), "{bounds:?}");
    let all: f64 = (0..12).map(|_| 0.95).product();
    assert!(is_close(bounds.loss, 1.0 - all), "{bounds:?}");
}

#[test]
fn forty_candidates_get_all_that_is_wanted_with_three() {
    let chosen = Sizes::choose(40, 3, 50).unwrap();
    let bounds = chosen.bounds(40, 3, 50);
    assert_eq!((bounds.privacy, bounds.wrong), (0.0, 0.0));
    assert!(bounds.loss <= FAILURE_WANTED, "{bounds:?}");
    assert_eq!(chosen, sizes(4, 10, 4));
}

#[test]
fn large_communities_get_all_that_is_wanted() {
    for (candidates, colluders, offline, expected) in [
        (100, 3, 50, sizes(4, 10, 4)),
        (1_000, 10, 50, sizes(10, 12, 5)),
        (1_000, 10, 300, sizes(11, 27, 6)),
        (10_000_000, 100_000, 10, sizes(12, 9, 5)),
        (10_000_000, 100_000, 50, sizes(13, 12, 5)),
    ] {
        let chosen = Sizes::choose(candidates, colluders, offline).unwrap();
        let bounds = chosen.bounds(candidates, colluders, offline);
        assert!(bounds.privacy <= PRIVACY_MAX, "{chosen:?} {bounds:?}");
        assert!(are_as_wanted(&bounds), "{chosen:?} {bounds:?}");
        assert_eq!(chosen, expected, "{bounds:?}");
    }
}

fn are_as_wanted(bounds: &Bounds) -> bool {
    bounds.wrong <= FAILURE_WANTED && bounds.loss <= FAILURE_WANTED
}

/// What a majority as the word of a lane would take where fewer signers do.
#[test]
fn a_majority_would_take_more_seats() {
    for (candidates, colluders, offline, most) in [(1_000, 10, 50, 187), (1_000, 10, 300, 300)] {
        let chosen = Sizes::choose(candidates, colluders, offline).unwrap();
        assert!(are_as_wanted(
            &chosen.bounds(candidates, colluders, offline)
        ));
        let all =
            (2..=LANES_MAX as u16).flat_map(|m| (1..=150).map(move |r| sizes(m, r, r / 2 + 1)));
        let mut fewer = all.filter(|s| s.is_possible() && s.seats() < most);
        let found = fewer.find(|s| {
            let bounds = s.bounds(candidates, colluders, offline);
            bounds.privacy <= PRIVACY_MAX && are_as_wanted(&bounds)
        });
        assert_eq!(found, None);
    }
}

#[test]
fn no_committee_keeps_a_secret_among_too_few_or_too_many_colluders() {
    for (candidates, colluders) in [
        (0, 0),
        (1, 0),
        (2, 2),
        (3, 3),
        (40, 40),
        (40, u64::MAX),
        (10_000_000, 8_000_000),
        (u64::MAX, u64::MAX),
    ] {
        let chosen = Sizes::choose(candidates, colluders, 50);
        assert_eq!(chosen, None, "{candidates} {colluders}");
    }
    // Nobody colludes, or one who cannot be in two places: two lanes will do.
    assert_eq!(Sizes::choose(2, 0, 0), Some(sizes(2, 1, 1)));
    assert_eq!(Sizes::choose(4, 1, 0), Some(sizes(2, 2, 2)));
    assert!(Sizes::choose(u64::MAX, 1 << 50, 50).is_some());
}

/// Against all possible sizes, one by one.
#[test]
fn chooses_the_best_of_all_possible_sizes() {
    for (candidates, colluders, offline) in [
        (2, 0, 50),
        (3, 1, 10),
        (5, 1, 50),
        (12, 3, 50),
        (12, 3, 300),
        (30, 3, 50),
        (40, 2, 20),
        (36, 8, 0),
    ] {
        let shapes = (2..=40).flat_map(|lanes| (1..=20).map(move |r| (lanes, r)));
        let all = shapes.flat_map(|(lanes, r)| (1..=r).map(move |t| sizes(lanes, r, t)));
        let all = all.filter(|s| s.is_possible() && s.seats() as u64 <= candidates);
        let all = all.map(|s| (s, s.bounds(candidates, colluders, offline)));
        let spares = |s: &Sizes| s.signers < s.replicas || s.replicas == 1;
        let all = all.filter(|(s, b)| spares(s) || b.wrong <= FAILURE_WANTED);
        let mut keep: Vec<_> = all.filter(|(_, b)| b.privacy <= PRIVACY_MAX).collect();
        let failure = |b: &Bounds| if are_as_wanted(b) { -1.0 } else { b.failure() };
        let cost = |s: &Sizes| (s.seats(), s.lanes, std::cmp::Reverse(s.signers));
        keep.sort_by(|(s, b), (t, c)| {
            let order = failure(b).total_cmp(&failure(c));
            order.then(cost(s).cmp(&cost(t)))
        });
        let best = keep
            .first()
            .filter(|(_, bounds)| bounds.failure() <= HOPELESS);
        let best = best.map(|(sizes, _)| *sizes);
        assert_eq!(Sizes::choose(candidates, colluders, offline), best);
    }
}

/// With 1 % of a large community colluding there are more colluders than seats; few of them are drawn.
#[test]
fn liars_among_the_seats_are_far_fewer_than_colluders() {
    let large = sizes(15, 17, 9);
    let liars = large.liars(10_000_000, 100_000);
    assert_eq!((liars, large.quorum(liars)), (20, Some(138)));
    let more = |liars: u64| -> f64 {
        let law = bad_seats(255, 10_000_000, 100_000);
        law[liars as usize + 1..].iter().sum()
    };
    assert!(more(liars) <= PRIVACY_MAX && more(liars - 1) > PRIVACY_MAX);
    for colluders in 0..12 {
        assert_eq!(sizes(4, 3, 2).liars(12, colluders), colluders);
    }
    // Not to be drawn from so few: nothing better is known.
    assert_eq!(large.liars(12, 3), 3);
}

#[test]
fn quorums_share_more_than_the_liars() {
    for (sizes, liars) in [
        (sizes(4, 3, 2), 3),
        (sizes(4, 9, 4), 3),
        (sizes(15, 17, 9), 20),
    ] {
        let quorum = sizes.quorum(liars).unwrap();
        assert!(2 * quorum > sizes.seats() + liars as usize);
        assert!(2 * (quorum - 1) <= sizes.seats() + liars as usize);
    }
    for liars in [11, 12, u64::MAX] {
        assert_eq!(sizes(4, 3, 2).quorum(liars), Some(12));
    }
}

#[test]
fn seats_lie_lane_by_lane() {
    let sizes = sizes(4, 3, 2);
    let lanes: Vec<_> = (0..sizes.seats()).map(|seat| sizes.lane_of(seat)).collect();
    assert_eq!(lanes, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
}

#[test]
fn impossible_sizes_promise_nothing() {
    for (lanes, replicas, signers) in [
        (0, 0, 0),
        (0, 3, 2),
        (3, 0, 0),
        (3, 0, 1),
        (1, 3, 2),
        (4, 3, 0),
        (4, 3, 4),
        (85, 1, 1),
        (76, 4, 2),
        (2, 151, 76),
        (u16::MAX, 3, 2),
        (3, u16::MAX, 2),
        (3, 3, u16::MAX),
        (u16::MAX, u16::MAX, u16::MAX),
    ] {
        let sizes = sizes(lanes, replicas, signers);
        assert!(!sizes.is_possible(), "{sizes:?}");
        assert_eq!(sizes.bounds(1_000_000, 3, 50), Bounds::NONE);
        assert_eq!(sizes.liars(1_000_000, 3), 3);
        assert_eq!(sizes.quorum(3).is_none(), sizes.seats() == 0);
        assert!(sizes.lane_of(7) <= 7);
    }
    // More seats than candidates.
    assert_eq!(sizes(4, 3, 2).bounds(11, 3, 50), Bounds::NONE);
    assert_eq!(sizes(2, 1, 1).bounds(0, 0, 0), Bounds::NONE);
    for (lanes, replicas, signers) in [(2, 1, 1), (84, 3, 2), (75, 4, 4), (2, 150, 1)] {
        assert!(sizes(lanes, replicas, signers).is_possible());
    }
}

#[test]
fn travels_in_numbered_fields() {
    let bytes = encode(&sizes(4, 3, 2));
    assert_eq!(bytes[1..], [0xa3, 0, 4, 1, 3, 2, 2]);
    assert_eq!(decode(&bytes, 16), Ok(sizes(4, 3, 2)));
}

fn any_sizes() -> impl Strategy<Value = Sizes> {
    let shape = (1..=30u16, 2..=LANES_MAX as u16);
    let sizes_of = |(replicas, lanes): (u16, u16)| {
        let lanes = lanes.min((SEATS_MAX as u16 / replicas).max(2));
        (1..=replicas).prop_map(move |signers| sizes(lanes, replicas, signers))
    };
    shape.prop_flat_map(sizes_of)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_number_changes_bounds_one_way(
        sizes in any_sizes(),
        spare in 0..400u64,
        share in 0.0..1.0f64,
    ) {
        let candidates = sizes.seats() as u64 + spare;
        let colluders = (candidates as f64 * share) as u64;
        let this = sizes.bounds(candidates, colluders, 50);
        let crowded = sizes.bounds(candidates, colluders + 1, 50);
        let about = 1.0 + 1e-12;
        prop_assert!(this.privacy <= crowded.privacy * about);
        prop_assert!(this.wrong <= crowded.wrong * about);
        prop_assert!(this.loss <= crowded.loss * about);
        let absent = sizes.bounds(candidates, colluders, 51);
        prop_assert!(this.loss <= absent.loss * about);
        let stricter = Sizes { signers: sizes.signers + 1, ..sizes };
        if stricter.is_possible() {
            let stricter = stricter.bounds(candidates, colluders, 50);
            prop_assert_eq!(stricter.privacy, this.privacy);
            prop_assert!(stricter.wrong <= this.wrong * about);
            prop_assert!(this.loss <= stricter.loss * about);
        }
        let wider = Sizes { lanes: sizes.lanes + 1, ..sizes };
        if wider.is_possible() && wider.seats() as u64 <= candidates {
            let wider = wider.bounds(candidates, colluders, 50);
            prop_assert!(wider.privacy <= this.privacy * about);
            prop_assert!(this.wrong <= wider.wrong * about);
        }
    }

    #[test]
    fn bounds_are_chances(
        sizes in any_sizes(),
        candidates: u64,
        colluders: u64,
        shift in 0..64u32,
        offline: u32,
    ) {
        for offline in [offline % 1001, offline] {
            let bounds = sizes.bounds(candidates >> shift, colluders >> shift, offline);
            for chance in [bounds.privacy, bounds.wrong, bounds.loss, bounds.missed] {
                prop_assert!((0.0..=1.0).contains(&chance), "{bounds:?}");
            }
        }
    }
}
