//! Regions that are real: caches equal the truth whatever happens, and everything is found.

use base::{Location, Rng};

use super::network::{LATENCY, Network, SECOND};
use super::world::World;
use crate::{Command, Event, Standing};

/// 300 nodes of whom each cache is to hold 40.
fn world(size: usize) -> World {
    let mut world = World::with(size, 300, 3);
    world.cache_size = 40;
    world
}

/// All join, a few at a time.
fn grow<'a>(world: &'a World, seed: u64, burst: usize, loss_percent: u64) -> Network<'a> {
    let mut network = Network::new(world, seed);
    network.loss_percent = loss_percent;
    for person in 0..world.people.len() {
        network.join(person, &[person / 2]);
        if person % burst == burst - 1 || person < 10 {
            network.run_for(SECOND);
        }
    }
    network
}

impl Network<'_> {
    /// Looks for points from many nodes; answers the mean time in latencies of question and answer.
    fn find_everywhere(&mut self, people: &[usize], rng: &mut Rng) -> f64 {
        self.events.clear();
        let truth = self.truth();
        let mut trips = 0.0;
        for &person in people {
            let target = Location(rng.number());
            let before = self.now;
            self.command(person, Command::Find(target));
            while self.found(target).is_none() {
                self.run_for(LATENCY);
            }
            let took = self.now.since(before);
            trips += took.as_secs_f64() / (2 * LATENCY).as_secs_f64();
            let nearest = truth.iter().min_by_key(|(place, node)| target.rank(*node, *place));
            assert_eq!(self.found(target), nearest.map(|(_, node)| Some(*node)));
        }
        trips / people.len() as f64
    }

    fn found(&self, target: Location) -> Option<Option<base::NodeId>> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Found(point, contact) if *point == target => Some(Some(contact.node())),
            Event::NotFound(point) if *point == target => Some(None),
            _ => None,
        })
    }
}

#[test]
fn three_hundred_join_and_find_each_other() {
    let world = world(300);
    let mut network = grow(&world, 1, 1, 0);
    let healed = network.heal(20);
    network.run_for(300 * SECOND);
    eprintln!("healed {healed} settled {}", network.standing(Some(Standing::Settled)));
    assert_eq!(network.standing(None), 0);
    let trips = network.find_everywhere(&(0..300).collect::<Vec<_>>(), &mut Rng::from_number(2));
    eprintln!("trips {trips}");
    network.assert_nobody_is_blamed();
}
