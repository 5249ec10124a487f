use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::tests::world::{START, World};

/// What this person knows, if it knows everybody.
fn view(world: &World, person: usize, size: f64) -> View {
    let own = Arc::new(world.contact(person, START));
    let mut view = View::new(own, size, 512);
    for other in 0..world.people.len() {
        view.admit(Arc::new(world.contact(other, START)));
    }
    view
}

/// Everybody to whom a word comes that this person tells along a stretch, how often, over how many hops, and which
/// connections it takes.
fn passed(
    views: &[View],
    from: NodeId,
    stretch: Stretch,
    hops: usize,
    told: &mut Vec<(NodeId, usize)>,
    connections: &mut BTreeSet<(NodeId, NodeId)>,
) {
    let view = views.iter().find(|view| view.own().node() == from);
    for (node, part) in stretch.split(view.unwrap()) {
        told.push((node, hops + 1));
        connections.insert((from.min(node), from.max(node)));
        passed(views, node, part, hops + 1, told, connections);
    }
}

#[test]
fn everybody_is_told_once_over_few_connections() {
    for (size, connections_max) in [(1.0, 26), (0.4, 22)] {
        let world = World::new(150);
        let views: Vec<_> = (0..150).map(|person| view(&world, person, size)).collect();
        let mut connections = BTreeSet::new();
        for view in &views {
            let own = view.own().node();
            let mut told = Vec::new();
            for side in Stretch::both_sides(view) {
                passed(&views, own, side, 0, &mut told, &mut connections);
            }
            assert!(told.iter().all(|(_, hops)| *hops <= 8));
            let nodes: BTreeSet<_> = told.iter().map(|(node, _)| *node).collect();
            assert_eq!(nodes.len(), told.len(), "somebody was told twice");
            let others = view.cache.iter().map(|contact| contact.node());
            let others: BTreeSet<_> = others.filter(|node| *node != own).collect();
            assert_eq!(nodes, others);
        }
        // The words of all took the same ones.
        let each = 2 * connections.len() / views.len();
        assert!(each <= connections_max, "{each} of 149");
    }
}

#[test]
fn a_stretch_of_a_peer_that_goes_round_the_ring_ends() {
    let world = World::new(40);
    let view = view(&world, 0, 1.0);
    let own = view.own().location();
    for before in [
        own,
        Location(own.0.wrapping_add(1)),
        Location(own.0.wrapping_sub(1)),
    ] {
        for clockwise in [true, false] {
            let parts = Stretch { before, clockwise }.split(&view);
            assert!(parts.len() <= 40);
            assert!(parts.iter().all(|(node, _)| *node != view.own().node()));
        }
    }
}
