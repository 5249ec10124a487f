//! What is going to happen, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::Instant;

/// A queue by time, then by order of insertion.
///
/// The heap moves its entries about, so they are small: what is to happen lies still beside it.
pub struct Agenda<T> {
    /// Moment and number of insertion, the first in the upper half, then where the item lies.
    heap: BinaryHeap<Reverse<(u128, u32)>>,
    items: Vec<Option<T>>,
    free: Vec<u32>,
    inserted: u64,
}

impl<T> Agenda<T> {
    pub fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            items: Vec::new(),
            free: Vec::new(),
            inserted: 0,
        }
    }

    /// Puts `item` after all that is there for the same moment.
    pub fn insert(&mut self, at: Instant, item: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            u32::try_from(self.items.len() - 1).expect("memory ends before 2^32 items")
        });
        self.items[place as usize] = Some(item);
        self.inserted += 1;
        let key = u128::from(at.0) << 64 | u128::from(self.inserted);
        self.heap.push(Reverse((key, place)));
    }

    /// Takes the first item, if it is due by `limit`.
    pub fn take_due(&mut self, limit: Instant) -> Option<(Instant, T)> {
        self.next_at().filter(|next| *next <= limit)?;
        let Reverse((key, place)) = self.heap.pop()?;
        let item = self.items[place as usize].take();
        self.free.push(place);
        let at = Instant((key >> 64) as u64);
        Some((at, item.expect("an item lies where its entry says")))
    }

    /// When the first item is due.
    pub fn next_at(&self) -> Option<Instant> {
        let Reverse((key, _)) = self.heap.peek()?;
        Some(Instant((key >> 64) as u64))
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base::Rng;

    use super::*;

    /// Against a sorted map, with insertions between removals.
    #[test]
    fn gives_items_by_time_then_in_order_of_insertion() {
        let (mut rng, mut agenda, mut model) =
            (Rng::from_number(1), Agenda::new(), BTreeMap::new());
        for number in 0..5000 {
            let at = Instant(rng.below(50));
            agenda.insert(at, number);
            model.insert((at, number), number);
            if rng.below(3) == 0 {
                let limit = Instant(rng.below(50));
                let first = model.first_key_value().map(|((at, _), item)| (*at, *item));
                let due = first.filter(|(at, _)| *at <= limit);
                assert_eq!(agenda.take_due(limit), due);
                due.map(|(at, item)| model.remove(&(at, item)));
            }
            assert_eq!(agenda.next_at(), model.keys().next().map(|(at, _)| *at));
        }
        for ((at, _), item) in model {
            assert!(!agenda.is_empty());
            assert_eq!(agenda.take_due(Instant(50)), Some((at, item)));
        }
        assert!(agenda.is_empty());
        assert_eq!(agenda.take_due(Instant(50)), None);
    }
}
