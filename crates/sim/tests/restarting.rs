//! Many nodes start again at one moment, as after a power cut or when a community has changed: all find each other again.

use base::{Duration, Rng};
use sim::community::{Settings, World};

fn half_restarts(seed: u64, people: usize) {
    let mut world = World::new(seed, &Settings::of(people));
    world.meet();
    for round in 0..3 {
        let half = world.people.clone().into_iter().skip(round).step_by(2);
        half.for_each(|node| world.restart(node));
        world.meet();
        assert!(world.have_met(), "seed {seed}, round {round}");
        world.run(world.simulation.now() + Duration::from_secs(20));
    }
}

/// Who hears of a later epoch starts again, and tells others just before.
fn waves(seed: u64) {
    let mut world = World::new(seed, &Settings::of(12));
    world.meet();
    world.run(world.simulation.now() + Duration::from_secs(60));
    let mut rng = Rng::from_number(seed);
    let mut waiting = world.people.clone();
    for size in [1, 2, 3] {
        for _ in 0..size {
            let chosen = rng.below(waiting.len() as u64) as usize;
            let node = waiting.swap_remove(chosen);
            world.restart(node);
        }
        world.run(world.simulation.now() + Duration::from_secs(1));
    }
    world.meet();
    assert!(world.have_met(), "seed {seed}");
}

#[test]
fn a_community_restarts_in_waves() {
    for seed in 1..=20 {
        waves(seed);
    }
}

#[test]
fn half_of_a_community_restarts_at_once() {
    for seed in 1..=8 {
        half_restarts(seed, 12);
    }
}
