//! Nodes on demand.

use super::*;

/// Pingers that are made on demand, at most so many when idle, named below 100. Counts how many were made.
fn demanded(limit: usize, network: NetworkModel) -> (Simulation<Pinger>, Rc<RefCell<Vec<NodeId>>>) {
    let mut simulation = Simulation::new(1, network);
    let made = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&made);
    simulation.populate(limit, move |name, _| {
        log.borrow_mut().push(name);
        (name < node(100)).then(Pinger::default)
    });
    (simulation, made)
}

#[test]
fn nodes_are_made_when_something_arrives_for_them() {
    let (mut simulation, made) = demanded(10, fixed());
    simulation.command(node(0), Do::Ping(node(1), 7));
    assert_eq!(simulation.running().count(), 0);
    simulation.run_until(START + 99 * MS);
    assert_eq!(*made.borrow(), [node(0)]);
    simulation.run_until_idle(START + SECOND);
    assert_eq!(*made.borrow(), [node(0), node(1)]);
    let expected = [(100, node(1), Saw::Ping(7)), (200, node(0), Saw::Pong(7))];
    assert_eq!(seen(&mut simulation), expected);
    assert_eq!(simulation.node(&node(1)).answered, 1);
}

#[test]
fn there_is_no_node_where_none_can_be_made() {
    let (mut simulation, made) = demanded(10, fixed());
    simulation.command(node(100), Do::Ping(node(1), 1));
    simulation.command(node(0), Do::Ping(node(200), 2));
    simulation.run_until_idle(START + 10 * SECOND);
    assert_eq!(*made.borrow(), [node(100), node(0), node(200)]);
    let expected = [(1100, node(0), Saw::Unreachable(node(200)))];
    assert_eq!(seen(&mut simulation), expected);
}

#[test]
fn beyond_the_limit_those_go_that_were_idle_for_longest() {
    let (mut simulation, made) = demanded(2, fixed());
    let running = |simulation: &Simulation<Pinger>| -> Vec<_> {
        simulation.running().map(|(name, _)| name).collect()
    };
    for number in [1, 2, 1, 3] {
        simulation.command(node(number), Do::Ping(node(number), 0));
        simulation.run_until_idle(START + SECOND);
    }
    assert_eq!(running(&simulation), [node(1), node(3)]);
    assert_eq!(simulation.counters(node(2)).sent, 2, "counters stay");
    // Node 1 has something before it and stays; the others go as soon as there is another.
    simulation.command(node(1), Do::WakeAfter(SECOND));
    for number in [4, 5, 6] {
        simulation.command(node(number), Do::Ping(node(1), number));
    }
    simulation.run_until(simulation.now() + 50 * MS);
    assert_eq!(running(&simulation), [1, 6].map(node));
    simulation.run_until_idle(simulation.now() + 10 * SECOND);
    assert_eq!(simulation.node(&node(1)).woken_at.len(), 1);
    assert_eq!(simulation.total().lost, 0);
    assert_eq!(running(&simulation).len(), 2);
    assert_eq!(*made.borrow(), [1, 2, 3, 4, 5, 6, 4, 5].map(node));
}

#[test]
fn a_removed_node_takes_what_is_under_way_with_it_and_can_come_again() {
    let (mut simulation, made) = demanded(10, fixed());
    simulation.command(node(0), Do::Ping(node(1), 1));
    simulation.run_until(START + 50 * MS);
    simulation.command(node(1), Do::WakeAfter(10 * MS));
    simulation.run_until(START + 51 * MS);
    simulation.remove(node(1));
    assert!(!simulation.is_up(&node(1)));
    simulation.command(node(0), Do::Ping(node(1), 2));
    simulation.run_until_idle(START + 10 * SECOND);
    let expected = [
        (151, node(1), Saw::Ping(2)),
        (251, node(0), Saw::Pong(2)),
        (1100, node(0), Saw::Unreachable(node(1))),
    ];
    assert_eq!(seen(&mut simulation), expected);
    assert_eq!(*made.borrow(), [node(0), node(1), node(1)]);
    // Without anyone who makes nodes, it can be added.
    let mut simulation = pingers(2, 1, fixed());
    simulation.remove(node(1));
    simulation.add(node(1), Pinger::default());
    simulation.command(node(0), Do::Ping(node(1), 3));
    simulation.run_until_idle(START + SECOND);
    assert_eq!(simulation.node(&node(1)).answered, 1);
}

#[test]
fn a_crashed_node_is_not_made_again() {
    let (mut simulation, made) = demanded(1, fixed());
    simulation.command(node(1), Do::Ping(node(1), 0));
    simulation.run_until_idle(START + SECOND);
    simulation.crash(node(1));
    simulation.command(node(0), Do::Ping(node(1), 1));
    simulation.run_until_idle(START + 10 * SECOND);
    assert_eq!(*made.borrow(), [node(1), node(0)]);
    assert!(!simulation.is_up(&node(1)));
    assert_eq!(simulation.total().lost, 1);
}

#[test]
fn a_population_changes_nothing_but_memory() {
    let run = |limit| {
        let (mut simulation, made) = demanded(limit, NetworkModel::INTERNET);
        let mut most = 0;
        for number in 0..400 {
            let (from, to) = (node(number % 90), node(number * 7 % 90));
            simulation.command(from, Do::Ping(to, number));
            simulation.run_until(START + Duration::from_millis(10 * number));
            most = most.max(simulation.running().count());
        }
        simulation.run_until_idle(START + 60 * SECOND);
        (
            simulation.fingerprint(),
            simulation.total(),
            made.borrow().len(),
            most,
        )
    };
    let (all, few) = (run(1000), run(3));
    assert_eq!((all.0, all.1), (few.0, few.1));
    assert!(
        all.2 == all.3 && few.2 > all.2 && few.3 < 30,
        "{all:?} {few:?}"
    );
}
