//! How spans are split, for any span and whomever one knows.

use std::sync::Arc;

use base::{Location, NodeId};
use community::Contact;
use proptest::prelude::*;

use crate::View;
use crate::broadcast::Span;
use crate::spreading::tests::world::world;

/// The first of the people with a region and some others.
fn view(size: f64, known: &[bool]) -> View {
    let contacts = &world().contacts;
    let mut view = View::new(Arc::clone(&contacts[0]), size, 8192);
    for (contact, known) in contacts[1..].iter().zip(known) {
        if view.region().contains(contact.location()) {
            view.cache.insert(Arc::clone(contact));
        } else if *known {
            view.fingers.insert(Arc::clone(contact));
        }
    }
    view
}

/// Everyone that `view` knows in a span, by looking at all.
fn inside(view: &View, after: Location, before: Location) -> Vec<Arc<Contact>> {
    let all = view.cache.iter().chain(view.fingers.iter());
    let inside = |at: Location| {
        if after < before {
            after < at && at < before
        } else {
            after < at || at < before
        }
    };
    let own = view.own().node();
    all.filter(|contact| contact.node() != own && inside(contact.location()))
        .cloned()
        .collect()
}

fn place_of(node: NodeId) -> Location {
    let mut all = world().contacts.iter();
    all.find(|contact| contact.node() == node)
        .unwrap()
        .location()
}

fn length(span: Span) -> u64 {
    span.before.0.wrapping_sub(span.after.0)
}

proptest! {
    #[test]
    fn the_parts_are_the_whole(
        size in 0.0..1.0f64,
        known in prop::collection::vec(prop::bool::weighted(0.1), 319),
        after: u64,
        before: u64,
    ) {
        let view = view(size, &known);
        let (after, before) = (Location(after), Location(before));
        let span = Span { after, before };
        let split = span.split(&view, |_| true);
        let all = inside(&view, after, before);
        prop_assert_eq!(split.relays.is_empty(), all.is_empty());
        // From relay to relay without gap or overlap, up to the end.
        let mut from = after;
        for (index, (node, part)) in split.relays.iter().enumerate() {
            prop_assert_eq!(part.after, place_of(*node));
            prop_assert!(all.iter().any(|contact| contact.node() == *node));
            let skipped = inside(&view, from, part.after);
            prop_assert!(index > 0 || skipped.is_empty());
            prop_assert!(length(*part) < length(span));
            let next = split.relays.get(index + 1);
            let end = next.map_or(before, |(next, _)| place_of(*next));
            prop_assert_eq!(part.before, end);
            from = part.after;
        }
        if all.len() <= 8 {
            prop_assert_eq!(split.relays.len(), all.len());
        } else if let Some((_, last)) = split.relays.last() {
            let half = length(span) / 2;
            let behind = |contact: &Arc<Contact>| {
                contact.location().0.wrapping_sub(after.0) > half + 1
            };
            prop_assert!(!all.iter().any(behind) || length(*last) <= half);
        }
    }

    #[test]
    fn a_helper_is_nearer_and_gets_what_nobody_else_does(
        size in 0.0..0.5f64,
        known in prop::collection::vec(prop::bool::weighted(0.1), 319),
        after: u64,
        before: u64,
    ) {
        let view = view(size, &known);
        let (after, before) = (Location(after), Location(before));
        let span = Span { after, before };
        let split = span.split(&view, |_| true);
        if let Some((helper, gap)) = split.helper {
            prop_assert_eq!(gap.after, after);
            let first = split.relays.first();
            prop_assert_eq!(gap.before, first.map_or(before, |(node, _)| place_of(*node)));
            let here = view.own().location();
            let way = |place: Location| after.0.wrapping_sub(place.0);
            prop_assert!(way(place_of(helper)) < way(here));
        }
    }

    #[test]
    fn who_is_left_out_gets_nothing(
        known in prop::collection::vec(prop::bool::weighted(0.1), 319),
        odd: bool,
    ) {
        let view = view(0.1, &known);
        let keep = |node: NodeId| (node.0[0] % 2 == 1) == odd;
        let split = Span::all_but(view.own().location()).split(&view, keep);
        let relays = split.relays.iter().chain(&split.helper);
        prop_assert!(relays.clone().all(|(node, _)| keep(*node)));
        prop_assert!(relays.count() > 0);
    }
}

#[test]
fn who_knows_everybody_needs_no_helper() {
    let view = view(1.0, &[false; 319]);
    let all = &world().contacts;
    for contact in all {
        let span = Span {
            after: contact.location(),
            before: view.own().location(),
        };
        assert!(span.split(&view, |_| true).helper.is_none());
    }
    let split = Span::all_but(view.own().location()).split(&view, |_| true);
    assert!(split.helper.is_none());
    assert!(
        (7..=16).contains(&split.relays.len()),
        "{}",
        split.relays.len()
    );
}
