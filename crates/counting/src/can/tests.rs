//! Against a CAN whose zones and lists of neighbours are really there.

mod explicit;

use base::Rng;

use super::*;
use explicit::Explicit;

const SIZES: [u64; 6] = [1, 2, 3, 10, 100, 1000];
const DIMENSIONS: [u32; 5] = [1, 2, 3, 8, 16];

fn members(mut locations: Vec<u64>) -> Population {
    locations.sort_unstable();
    let members = locations
        .into_iter()
        .map(|location| (Location(location), 0, false));
    Population::of_members(members)
}

/// Up to 40 nodes, some of them close together, at one location, or where the torus closes.
fn crowded(rng: &mut Rng) -> Population {
    let mut locations = vec![rng.number()];
    for _ in 0..rng.below(40) {
        let other = locations[rng.below(locations.len() as u64) as usize];
        let one_bit = 1 << rng.below(64);
        locations.push(match rng.below(6) {
            0 => other,
            1 => other ^ one_bit,
            2 => other.wrapping_add(rng.below(4)),
            3 => 0,
            4 => u64::MAX,
            _ => rng.number(),
        });
    }
    members(locations)
}

/// Zones fill the torus, and the owner of a point is the one whose zone holds it.
fn tiles(population: &Population, dimensions: u32, rng: &mut Rng) {
    let can = Can::new(population, dimensions);
    let explicit = Explicit::new(population, dimensions as usize);
    assert_eq!(explicit.volume(), 1 << 64);
    let near = |place: u64| population.location(place as usize).0 ^ 1;
    for _ in 0..20 {
        let node = near(rng.below(population.nodes() as u64));
        for point in [rng.number(), node, node ^ 1 << rng.below(64), 0, u64::MAX] {
            assert_eq!([can.owner(Location(point))], explicit.owners(point)[..]);
        }
    }
}

/// Lookups go from neighbour to neighbour, just as in the explicit CAN, and end at the owner.
fn walks(population: &Population, dimensions: u32, rng: &mut Rng) {
    let can = Can::new(population, dimensions);
    let explicit = Explicit::new(population, dimensions as usize);
    let neighbours = explicit.neighbours();
    let zones = neighbours.len();
    for _ in 0..20 {
        let from = rng.below(population.nodes() as u64) as usize;
        let point = rng.number();
        let route: Vec<_> = can.route(from, Location(point)).collect();
        let first = explicit.owners(population.location(from).0)[0];
        // Nobody is asked twice, and the first node at a location once more by the others that are there.
        assert!(route.len() < zones + usize::from(first != from));
        assert_eq!(can.hops(from, Location(point)) as usize, route.len());
        assert_eq!(*route.last().unwrap_or(&from), can.owner(Location(point)));
        let mut at = from;
        for next in &route {
            assert!(
                (at == from && from != first && *next == first) || neighbours[&at].contains(next)
            );
            at = *next;
        }
        let walk = explicit.walk(first, point, |at, wanted| explicit.straight(at, wanted));
        assert_eq!(route[usize::from(from != first)..], walk);
    }
}

#[test]
fn zones_tile_the_torus() {
    let mut rng = Rng::from_number(1);
    for nodes in SIZES {
        let population = Population::new(nodes, nodes, 0);
        for dimensions in DIMENSIONS {
            tiles(&population, dimensions, &mut rng);
        }
    }
}

#[test]
fn lookups_go_from_neighbour_to_neighbour() {
    let mut rng = Rng::from_number(2);
    for nodes in SIZES {
        let population = Population::new(nodes, nodes, 0);
        for dimensions in DIMENSIONS {
            walks(&population, dimensions, &mut rng);
        }
    }
}

#[test]
fn crowded_nodes_are_found_too() {
    for seed in 0..150 {
        let mut rng = Rng::from_number(seed);
        let population = crowded(&mut rng);
        let dimensions = 1 + rng.below(16) as u32;
        tiles(&population, dimensions, &mut rng);
        walks(&population, dimensions, &mut rng);
    }
}

#[test]
fn of_several_nodes_at_one_location_the_first_owns_the_zone() {
    let population = members(vec![5, 9, 9, 9, 1 << 63]);
    let can = Can::new(&population, 2);
    assert_eq!(
        [5, 8, 9, 10].map(|point| can.owner(Location(point))),
        [0, 1, 1, 1]
    );
    assert_eq!([1, 2, 3].map(|from| can.hops(from, Location(9))), [0, 1, 1]);
    assert_eq!(can.hops(3, Location(5)), 1 + can.hops(1, Location(5)));
}

#[test]
fn a_lookup_goes_the_shorter_way_round() {
    // Eight equal zones in a row.
    let population = members((0..8).map(|eighth| eighth << 61).collect());
    let can = Can::new(&population, 1);
    let hops = [0, 1, 2, 3, 4, 5, 6, 7].map(|eighth| can.hops(0, Location(eighth << 61)));
    assert_eq!(hops, [0, 1, 2, 3, 4, 3, 2, 1]);
}

/// The mean of many lookups.
fn mean(population: &Population, mut hops: impl FnMut(usize, u64) -> usize) -> f64 {
    let mut rng = Rng::from_number(3);
    let mut lookup = |_| hops(rng.below(population.nodes() as u64) as usize, rng.number());
    (0..1000).map(&mut lookup).sum::<usize>() as f64 / 1000.0
}

#[test]
fn a_lookup_takes_somewhat_less_than_with_equal_zones() {
    let population = Population::new(4, 50_000, 0);
    for dimensions in [2, 4] {
        let can = Can::new(&population, dimensions);
        let hops = mean(&population, |from, point| {
            can.hops(from, Location(point)) as usize
        });
        let d = f64::from(dimensions);
        let equal = d / 4.0 * 50_000f64.powf(1.0 / d);
        // Large zones lie on more ways than small ones.
        assert!((0.65..0.85).contains(&(hops / equal)), "{hops} of {equal}");
    }
}

#[test]
fn asking_the_nearest_of_all_neighbours_would_save_little() {
    let population = Population::new(5, 1000, 0);
    for dimensions in [2, 4, 8] {
        let can = Can::new(&population, dimensions);
        let explicit = Explicit::new(&population, dimensions as usize);
        let neighbours = explicit.neighbours();
        let straight = mean(&population, |from, point| {
            can.hops(from, Location(point)) as usize
        });
        let greedy = mean(&population, |from, point| {
            let walk = explicit.walk(from, point, |at, _| {
                neighbours[&at].iter().copied().collect()
            });
            walk.len()
        });
        assert!(
            (1.0..1.04).contains(&(straight / greedy)),
            "{straight} for {greedy}"
        );
    }
}
