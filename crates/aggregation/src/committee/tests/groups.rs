//! Totals by group, of which small ones stay closed.

use super::*;
use crate::committee::Totals;
use crate::committee::statement::Signed;

fn totals(net: &Net) -> Totals {
    let evidence = net.ended.clone().unwrap().unwrap();
    evidence.verify(&net.terms).unwrap()
}

#[test]
fn groups_are_counted_by_themselves() {
    let mut net = Net::grouped(&[5, 10], 5);
    assert_eq!(net.run(), Ok(vec![15, 120]));
    let cells = totals(&net).cells;
    assert_eq!(cells, [Some(vec![5, 15]), Some(vec![10, 105])]);
    net.assert_only_accused(&[]);
}

#[test]
fn small_groups_stay_closed_with_those_that_would_tell_them() {
    // Two that are small and together enough; and one that is too small alone, so that the next one hides it.
    for (sizes, expected) in [
        (&[3, 9, 3][..], &[None, Some(vec![9, 72]), None][..]),
        (&[2, 5, 8], &[None, None, Some(vec![8, 92])]),
        (&[0, 7, 8], &[None, None, Some(vec![8, 92])]),
        (&[1, 14], &[None, None]),
    ] {
        let mut net = Net::grouped(sizes, 5);
        assert_eq!(net.run(), Ok(vec![15, 120]), "{sizes:?}");
        assert_eq!(totals(&net).cells, expected, "{sizes:?}");
    }
}

#[test]
fn a_small_crowd_is_refused_whatever_its_groups() {
    let mut net = Net::grouped(&[8, 7], 16);
    assert_eq!(net.run(), Err(Failure::SmallCrowd));
}

/// Nothing that leaves the helpers tells the number of a closed group, or depends on it.
#[test]
fn what_the_querier_gets_is_the_same_whatever_is_in_closed_groups() {
    let told = |sizes: &[usize]| {
        let mut net = Net::grouped(sizes, 5);
        let bodies = Rc::new(RefCell::new(BTreeSet::new()));
        let heard = Rc::clone(&bodies);
        let querier = net.querier;
        net.tamper = Box::new(move |_, to, message| {
            if let Message::Sum(sum) = message
                && to == querier
            {
                heard.borrow_mut().insert(sum.sum.body.0.sums.len());
                heard.borrow_mut().insert(sum.sum.body.0.open.len());
            }
            assert!(to != querier || !matches!(message, Message::Count(_)));
            true
        });
        net.run().unwrap();
        let Totals { whole, cells } = totals(&net);
        (whole, cells, bodies.take())
    };
    assert_eq!(told(&[2, 5, 8]), told(&[4, 3, 8]));
    assert_eq!(told(&[2, 5, 8]), told(&[0, 7, 8]));
}

/// A lane that opens more than it may, or something else than the others, convinces nobody.
#[test]
fn evidence_with_small_groups_convinces_nobody() {
    let mut net = Net::grouped(&[2, 5, 8], 5);
    net.run().unwrap();
    let evidence = net.ended.clone().unwrap().unwrap();
    let keys: Vec<_> = net.terms.seats.iter().map(|seat| net.key(*seat)).collect();
    let resigned = |lanes: std::ops::Range<usize>, open: Vec<bool>, sums: &[u64]| {
        let mut changed = evidence.clone();
        for sum in &mut changed.sums[lanes] {
            sum.body.0.open = open.clone();
            sum.body.0.sums = sums.to_vec();
            let body = sum.body.clone();
            for vote in &mut sum.votes {
                let seat = usize::from(vote.0);
                vote.1 = Signed::new(&keys[seat], seat, body.clone()).vote().1;
            }
        }
        changed.verify(&net.terms).unwrap_err()
    };
    use Misbehaviour as M;
    // Four lanes that each say a quarter: 2 of 15 people, and 20 numbers.
    let quarter = |numbers: &[u64]| numbers.to_vec();
    let first_alone = resigned(0..4, vec![true, false, false], &quarter(&[5, 30, 1, 1]));
    assert_eq!(first_alone, M::SmallCell);
    // All but a small one: what is left follows.
    let all_but_one = resigned(
        0..4,
        vec![false, true, true],
        &quarter(&[5, 30, 3, 9, 2, 9]),
    );
    assert_eq!(all_but_one, M::SmallCell);
    // More in the cells than in all.
    let more = resigned(
        0..4,
        vec![false, true, true],
        &quarter(&[5, 30, 9, 9, 9, 9]),
    );
    assert_eq!(more, M::SmallCell);
    assert_eq!(
        resigned(0..4, vec![true; 2], &[5, 30, 1, 1, 1, 1]),
        M::Shape
    );
    assert_eq!(resigned(0..4, Vec::new(), &[5, 30]), M::Shape);
    assert_eq!(resigned(0..4, vec![false, false, true], &[5, 30]), M::Shape);
    assert_eq!(
        resigned(1..2, vec![false, true, true], &[5, 30, 2, 2, 3, 3]),
        M::Shape
    );
}
