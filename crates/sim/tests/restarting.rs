//! Nodes start again: many at one moment, as after a power cut or when a community has changed, and all find each other again;
//! or one that is needed just then, and the question goes on.

use base::{Duration, NodeId, Rng};
use node::Stage;
use sim::community::{Outcome, Settings, World};

const SQL: &str = "SELECT SUM(hours) FROM sleep";
const COLLECT: Duration = Duration::from_secs(4);

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

/// The node nearest to the asker, without which nobody is drawn as long as it is there.
fn first_witness(world: &World) -> NodeId {
    let asker = world.simulation.node(&world.asker).inner();
    let own = world.identity(world.asker).certificate.location();
    let cache = asker.overlay().cache();
    let nearest = cache.nearest(own, |node| node != world.asker);
    nearest.expect("there are others").node()
}

/// One that has just started knows neither the question nor the others. When it refused all the same, 15 of 40 such draws failed.
#[test]
fn a_witness_is_killed_and_comes_straight_back() {
    let mut failed = Vec::new();
    for seed in 1..=16 {
        let mut world = World::new(seed, &Settings::of(14));
        world.meet();
        world.run(world.simulation.now() + Duration::from_secs(20));
        let mut rng = Rng::from_number(seed);
        let mut within = |micros| Duration::from_micros(rng.below(micros));
        let (dies, back) = (within(600_000), within(4_000_000));
        let witness = first_witness(&world);
        world.put(SQL, COLLECT);
        let mut outcome = world.run(world.simulation.now() + dies);
        world.crash(witness);
        outcome.merge(world.run(world.simulation.now() + back));
        world.restart(witness);
        let limit = world.simulation.now() + Duration::from_secs(90);
        while outcome.ended_at.is_empty() && world.simulation.now() < limit {
            outcome.merge(world.run(world.simulation.now() + Duration::from_secs(1)));
        }
        if outcome.answers.len() != 1 || !outcome.accusations.is_empty() {
            failed.push((seed, dies, back, outcome.failures, outcome.accusations));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_witness_that_has_not_heard_of_the_question_is_told() {
    let mut world = World::new(2, &Settings::of(14));
    world.meet();
    let witness = first_witness(&world);
    world.swallow(world.asker, witness, Duration::from_millis(100));
    let outcome = world.ask(SQL, COLLECT);
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.answers.len(), 1);
}

/// That people are called is on its disk before they are: otherwise its next process would call them with other keys. When it was
/// not, 9 of these 12 questions had no answer.
#[test]
fn an_asker_is_killed_while_its_disk_is_busy() {
    let millisecond = Duration::from_millis(1);
    for seed in 1..=12 {
        let mut world = World::new(seed, &Settings::of(14));
        world.meet();
        world.run(world.simulation.now() + Duration::from_secs(20));
        world.put(SQL, Duration::from_secs(12));
        let mut outcome = Outcome::default();
        let calls = |outcome: &Outcome| {
            let mut stages = outcome.stages.iter();
            stages.any(|(_, stage)| *stage == Stage::Collecting)
        };
        while !calls(&outcome) {
            outcome.merge(world.run(world.simulation.now() + millisecond));
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        }
        outcome.merge(world.run(world.simulation.now() + millisecond * (seed as u32 % 4)));
        world.crash(world.asker);
        outcome.merge(world.run(world.simulation.now() + millisecond * 300));
        world.restart(world.asker);
        let limit = world.simulation.now() + Duration::from_secs(90);
        while outcome.ended_at.is_empty() && world.simulation.now() < limit {
            outcome.merge(world.run(world.simulation.now() + Duration::from_secs(1)));
        }
        assert_eq!(outcome.accusations, [], "seed {seed}");
        assert_eq!(outcome.failures, [], "seed {seed}");
        assert_eq!(outcome.answers.len(), 1, "seed {seed}");
    }
}
