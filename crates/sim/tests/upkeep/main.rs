//! What it costs when a node leaves and comes back: real nodes do what `sim::counting` counts.

mod tally;
mod world;

use base::NodeId;
use overlay::{Command, KTable, MISSED_MAX};
use sim::counting::{Cost, Population, Upkeep};

use tally::Tally;
use world::{Numbers, World};

/// Everybody knows everybody, and four attest.
const SMALL: Numbers = Numbers {
    people: 60,
    colluders: 3,
    alpha: 1e-6,
    cache: 512,
};
/// Everybody knows a third, and four attest.
const MIDDLE: Numbers = Numbers {
    people: 200,
    colluders: 3,
    alpha: 1e-6,
    cache: 40,
};
/// Everybody knows a seventh. With so large an α the k-table has rows of which one suits here and another there.
const LARGE: Numbers = Numbers {
    people: 400,
    colluders: 5,
    alpha: 0.05,
    cache: 40,
};

/// What is said when a node leaves or joins, but for searches.
const SAID: [&str; 8] = [
    "Farewell", "Ask", "Sign", "Signed", "Attested", "Want", "Members", "Hello",
];

/// Whether this is handed to a search. Where it goes depends on who happens to be whose finger, and on what was met before.
fn is_search(handed: &str) -> bool {
    let steps = ["Nodes", "Newcomer", "Unreachable"];
    let timers = ["Timer Lookup", "Timer Refresh", "Timer Join"];
    steps.contains(&handed) || timers.contains(&handed)
}

/// All operations but those of searches, and the messages of leaves and joins.
fn exact(tally: &Tally) -> Cost {
    Cost {
        operations: tally.done(|_, handed| !is_search(handed)),
        messages: tally.sent(|_, _, kind| SAID.contains(&kind)),
    }
}

/// A world, and what is counted of it.
struct Compared {
    world: World,
    population: Population,
    table: KTable,
    share: f64,
}

impl Compared {
    fn new(seed: u64, numbers: Numbers) -> Self {
        let mut world = World::new(seed, numbers);
        world.take_tally();
        Self {
            population: world.population(),
            table: world.table(),
            share: world.share(),
            world,
        }
    }

    fn counted(&self) -> Upkeep<'_> {
        Upkeep::new(&self.population, &self.table, self.share)
    }

    fn node(&self, place: usize) -> NodeId {
        self.world.node(place)
    }

    /// The node comes back, told of one far away.
    fn rejoin(&mut self, place: usize) -> (Cost, Tally) {
        let told = (place + 31) % self.population.nodes();
        let made = self.world.join(place, Some(told));
        self.world.run_for(8);
        let tally = self.world.take_tally();
        let mut cost = exact(&tally);
        cost.operations = cost.operations + made;
        (cost, tally)
    }

    /// Every node in turn leaves and comes back. Answers the costs of attesting, which differ.
    fn leave_and_return(&mut self, places: &[usize]) -> Vec<u64> {
        let signed = places.iter().map(|place| {
            let node = self.node(*place);
            self.world.simulation.command(node, Command::Leave);
            self.world.run_for(5);
            let left = exact(&self.world.take_tally());
            assert_eq!(left, self.counted().leaving(*place), "{place}");
            let (joined, tally) = self.rejoin(*place);
            assert_eq!(joined, self.counted().joining(*place), "{place}");
            self.check_searches(node, &tally);
            joined.operations.signed
        });
        signed.collect()
    }

    /// Who comes back searches as often as is counted. Each time it asks some of those nearest to the point, checks the
    /// contacts of those that it has not met before, and signs nothing.
    fn check_searches(&self, node: NodeId, tally: &Tally) {
        let searches = self.counted().searches();
        let done = tally.done(|whose, handed| whose == node && is_search(handed));
        let asked = tally.sent(|from, _, kind| from == node && kind == "Near");
        println!(
            "{searches} searches asked {asked} and checked {}",
            done.checked
        );
        assert_eq!(done.total(), done.checked);
        assert!((2 * asked / 3..=2 * asked).contains(&done.checked));
        assert!((5 * searches..=9 * searches).contains(&asked));
    }

    /// A crash is found out by pings alone: of each node that has it in its region five, and one word to each of them
    /// from a neighbour. More words come of comparisons that chance upon it meanwhile.
    fn crash_and_return(&mut self, place: usize) {
        let (node, counted) = (self.node(place), self.counted().crashing(place));
        let told = counted.messages / (1 + u64::from(MISSED_MAX));
        self.world.simulation.crash(node);
        self.world.run_for(60);
        let tally = self.world.take_tally();
        let done = tally.done(|_, handed| !is_search(handed));
        assert_eq!((done, counted.operations), Default::default());
        let is_near = |from| self.has_in_region(place, from);
        let pings = tally.sent(|from, to, kind| to == node && kind == "Ping" && is_near(from));
        assert_eq!(pings, u64::from(MISSED_MAX) * told);
        let words = tally.sent(|_, _, kind| kind == "Gone");
        println!("{told} told of a crash by {words}");
        assert!((told..=told + told / 2).contains(&words), "{told} {words}");
        let (joined, _) = self.rejoin(place);
        assert_eq!(joined, self.counted().joining(place), "{place}");
    }

    fn has_in_region(&self, place: usize, node: NodeId) -> bool {
        let mut running = self.world.simulation.running();
        let own = running.find(|(name, _)| *name == node);
        let region = own.map(|(_, node)| *node.overlay.view().region());
        region.is_some_and(|region| region.contains(self.population.location(place)))
    }
}

#[test]
fn sixty_who_all_know_each_other() {
    let mut all = Compared::new(1, SMALL);
    assert_eq!(all.leave_and_return(&[0, 5, 59, 31]), [9; 4]);
    for place in [17, 59, 0] {
        all.crash_and_return(place);
    }
}

#[test]
fn two_hundred_who_know_a_third() {
    for seed in [2, 3] {
        let mut all = Compared::new(seed, MIDDLE);
        assert_eq!(all.leave_and_return(&[0, 78, 199]), [9; 3]);
        for place in [64, 0] {
            all.crash_and_return(place);
        }
    }
}

#[test]
fn four_hundred_who_know_a_seventh() {
    let mut all = Compared::new(4, LARGE);
    let signed = all.leave_and_return(&[0, 105, 151, 224, 297, 399]);
    // One or the other or both of the neighbours have another k.
    assert!(signed.iter().min() < signed.iter().max(), "{signed:?}");
}
