//! The counts, against a look at everyone.

use std::collections::BTreeSet;

use base::Rng;
use overlay::{Form, Parameters};

use super::*;

fn table(nodes: u64, colluders: u64, alpha: f64) -> KTable {
    KTable::new(Parameters::new(nodes, colluders, alpha)).unwrap()
}

/// The nodes of a part of the ring around `owner` while `away` is not there, itself included.
fn cache(population: &Population, owner: usize, away: usize, share: f64) -> BTreeSet<usize> {
    let region = Region::new(population.location(owner), share);
    let all = 0..population.nodes();
    all.filter(|place| *place != away && region.contains(population.location(*place)))
        .collect()
}

fn check(population: &Population, table: &KTable, share: f64, place: usize) {
    let upkeep = Upkeep::new(population, table, share);
    let nodes = population.nodes();
    let mut told = cache(population, place, place, share);
    for step in 1..=NEIGHBOURS {
        told.insert((place + step) % nodes);
        told.insert((place + nodes * step - step) % nodes);
    }
    told.remove(&place);
    let told = told.len() as u64;
    assert_eq!(upkeep.leaving(place), cost(1, told, told));

    let mut fetched = BTreeSet::new();
    let mut expected = cost(1, 2 * told, told);
    let mut both = BTreeSet::from([(place + 1) % nodes, (place + nodes - 1) % nodes]);
    both.remove(&place);
    for owner in both {
        let list = cache(population, owner, place, share);
        let attest = |row: &overlay::Row| {
            let near = cache(population, owner, place, row.region_size);
            near.intersection(&list).count()
        };
        let mut rows = table.rows().iter();
        let k = rows.find(|row| attest(row) >= row.k as usize);
        let k = k.map_or_else(
            || attest(table.rows().last().unwrap()),
            |row| row.k as usize,
        ) as u64;
        let parts = list.len().div_ceil(256) as u64;
        // Ask; Sign and Signed; Attested; Want; Members.
        expected += cost(k, 2 * k - 1, 1 + 2 * (k - 1) + 1 + 1 + parts);
        fetched.extend(list);
    }
    expected += cost(0, 2 * fetched.len() as u64, 0);
    assert_eq!(
        upkeep.joining(place),
        expected,
        "{share} {place} of {nodes}"
    );
}

#[test]
fn counts_what_a_look_at_everyone_finds() {
    let mut rng = Rng::from_number(1);
    for nodes in [1, 2, 3, 9, 10, 40, 300] {
        let table = table(nodes.max(3), 1, 0.05);
        let population = Population::new(nodes, nodes, 0);
        for share in [0.0, 1e-4, 0.02, 0.3, 0.6, 0.9, 0.99, 1.0] {
            check(&population, &table, share, 0);
            check(&population, &table, share, nodes as usize - 1);
            check(&population, &table, share, rng.below(nodes) as usize);
        }
    }
    // Rows that suit one node and not another, and lists of several messages.
    let (population, table) = (Population::new(7, 2000, 0), table(2000, 20, 1e-2));
    assert!(table.rows().len() >= 3);
    for share in [0.02, 0.126, 0.3] {
        (0..20).for_each(|_| check(&population, &table, share, rng.below(2000) as usize));
    }
}

#[test]
fn a_larger_cache_costs_more_in_proportion() {
    let (population, table) = (Population::new(3, 100_000, 0), table(100_000, 1000, 1e-6));
    let mean = |cache: f64| {
        let upkeep = Upkeep::new(&population, &table, cache / 1e5);
        let all = (0..100_000).step_by(10);
        let total = all.map(|place| upkeep.of(place).operations.total());
        total.sum::<u64>() as f64 / 1e4
    };
    let (small, large) = (mean(512.0), mean(8192.0));
    // Farewell and contact are checked by all in the region, and theirs by the node: five operations for each of them.
    assert!(
        (5.0 * 512.0..5.0 * 512.0 + 70.0).contains(&small),
        "{small}"
    );
    assert!((large - small - 5.0 * 7680.0).abs() < 40.0, "{large}");
}

#[test]
fn fingers_are_sought_for_every_bit_that_the_region_leaves_open() {
    let (population, table) = (Population::new(3, 100, 0), table(100, 3, 1e-6));
    let searches = |share| Upkeep::new(&population, &table, share).searches();
    assert_eq!(
        [1.0, 0.99, 0.5, 0.25, 1.0 / 64.0].map(searches),
        [1, 5, 5, 7, 15]
    );
}

#[test]
fn a_minute_is_a_part_of_the_time_between_two_failures() {
    assert_eq!(per_minute(1440.0, Duration::from_secs(86_400)), 1.0);
    assert_eq!(per_minute(3.0, Duration::from_secs(3600)), 0.05);
}

/// What SEP2P §4.3 says of figure 8.
#[test]
fn the_paper_has_less_than_one_operation_a_minute() {
    let mut parameters = Parameters::new(100_000, 1000, 1e-6);
    parameters.form = Form::Paper;
    let (population, table) = (
        Population::new(3, 100_000, 0),
        KTable::new(parameters).unwrap(),
    );
    let upkeep = Upkeep::new(&population, &table, 512.0 / 1e5);
    let total = (0..1000).map(|place| upkeep.in_the_paper(100 * place).operations.total());
    let each = total.sum::<u64>() as f64 / 1000.0;
    let minute = per_minute(each, Duration::from_secs(86_400));
    assert!((0.71..0.74).contains(&minute), "{minute}");
}
