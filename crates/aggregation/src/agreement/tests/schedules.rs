//! Thousands of small committees under random weather and liars.

use super::*;

/// How a schedule went.
struct Outcome {
    decisions: BTreeMap<Vec<u8>, Vec<usize>>,
    honest: usize,
    views: u64,
}

/// A committee of `n` of which `lying` lie where `assumed` were expected: a storm, then calm.
fn schedule(n: usize, assumed: usize, lying: usize, seed: u64) -> Outcome {
    let mut dice = Rng::from_number(seed).fork("schedule");
    let mut seats: Vec<_> = (0..n).collect();
    for i in (1..n).rev() {
        seats.swap(i, dice.below(i as u64 + 1) as usize);
    }
    let liars = &seats[..lying];
    let mut world = World::new(n, quorum(n, assumed).unwrap(), liars, seed);
    world.weather = Weather {
        delay_ms: [10, 300, 3000][dice.below(3) as usize],
        loss: [0, 20, 150, 300][dice.below(4) as usize],
        disk_ms: [1, 50, 1000][dice.below(3) as usize],
        crashes: [0, 10, 50][dice.below(3) as usize],
        mischief: [0, 300, 1000][dice.below(3) as usize],
        cut: Vec::new(),
        treacherous: dice.below(2) == 0,
    };
    for _ in 0..dice.below(8) {
        let cuts = world.weather.treacherous;
        let cut = seats.iter().copied();
        world.weather.cut = cut.filter(|_| cuts && dice.below(4) == 0).collect();
        world.run_for(Duration::from_millis(dice.below(5000)));
    }
    world.weather = Weather {
        mischief: world.weather.mischief,
        ..CALM
    };
    // Messages and restarts of the storm may be four seconds late. Then each seat leads at most once, plus one view that
    // was under way and one lost to catching up.
    world.run_for(4 * SECOND + (n as u32 + 2) * world.config.longest_timeout);
    Outcome {
        decisions: world.decisions(),
        honest: n - lying,
        views: world.highest_view(),
    }
}

/// Runs `count` schedules and checks that each ends with one good value at every honest replica.
fn all_agree(n: usize, assumed: usize, lying: usize, count: u64) {
    let mut views = 0;
    for seed in 0..count {
        let seed = seed + 1_000_000 * n as u64 + 10_000_000 * lying as u64;
        let Outcome {
            decisions,
            honest,
            views: highest,
        } = schedule(n, assumed, lying, seed);
        let context = format!("n={n} assumed={assumed} lying={lying} seed={seed}");
        assert!(
            decisions.len() <= 1,
            "two decisions, {context}: {decisions:?}"
        );
        let (value, seats) = decisions.first_key_value().expect(&context);
        assert!(
            is_good(value),
            "no honest replica found it valid, {context}"
        );
        assert_eq!(seats.len(), honest, "somebody did not decide, {context}");
        views += highest;
    }
    assert!(
        views > count / 4,
        "the storms were too mild to change views"
    );
}

#[test]
fn four_with_one_liar() {
    all_agree(4, 1, 1, 1000);
}

#[test]
fn four_honest() {
    all_agree(4, 1, 0, 300);
}

#[test]
fn six_with_one_liar_and_six_with_none() {
    all_agree(6, 1, 1, 200);
    all_agree(6, 1, 0, 100);
}

#[test]
fn seven_with_two_liars() {
    all_agree(7, 2, 2, 400);
}

#[test]
fn one_and_two_and_three_honest() {
    for n in 1..4 {
        all_agree_in_any_view(n, 100);
    }
}

fn all_agree_in_any_view(n: usize, count: u64) {
    for seed in 0..count {
        let Outcome { decisions, .. } = schedule(n, 0, 0, seed);
        assert_eq!(
            decisions.values().map(Vec::len).collect::<Vec<_>>(),
            [n],
            "n={n} seed={seed}"
        );
    }
}

/// More liars than assumed do break agreement, so these liars are worth surviving.
#[test]
fn too_many_liars_are_noticed() {
    let split = (0..200)
        .filter(|&seed| schedule(4, 1, 2, seed).decisions.len() > 1)
        .count();
    assert!(split > 0);
}
