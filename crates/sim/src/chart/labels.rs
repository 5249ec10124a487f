//! Where there is room for the label of a point.

use super::pen::{MARK, Spot, px};

/// Between a mark's edge and its label.
const APART: i32 = px(3);

/// An upright rectangle: least and greatest corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left and top.
    pub from: Spot,
    /// Right and bottom.
    pub to: Spot,
}

impl Rect {
    /// Of this size, around its middle.
    pub fn around((x, y): Spot, (width, height): (i32, i32)) -> Self {
        let from = (x - width / 2, y - height / 2);
        Self {
            from,
            to: (from.0 + width, from.1 + height),
        }
    }

    /// The middle.
    pub fn middle(&self) -> Spot {
        ((self.from.0 + self.to.0) / 2, (self.from.1 + self.to.1) / 2)
    }

    fn inside(&self, other: &Self) -> bool {
        self.from.0 >= other.from.0
            && self.from.1 >= other.from.1
            && self.to.0 <= other.to.0
            && self.to.1 <= other.to.1
    }

    /// Whether they share more than an edge.
    pub fn meets(&self, other: &Self) -> bool {
        self.from.0 < other.to.0
            && other.from.0 < self.to.0
            && self.from.1 < other.to.1
            && other.from.1 < self.to.1
    }

    /// Whether the straight line between two points passes through.
    fn is_crossed(&self, (from, to): (Spot, Spot)) -> bool {
        let ends = Self {
            from: (from.0.min(to.0), from.1.min(to.1)),
            to: (from.0.max(to.0) + 1, from.1.max(to.1) + 1),
        };
        if !self.meets(&ends) {
            return false;
        }
        // Then it passes through unless all four corners are on one side of it.
        let along = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
        let side =
            |x: i32, y: i32| along.0 * i64::from(y - from.1) - along.1 * i64::from(x - from.0);
        let corners =
            [self.from.0, self.to.0].map(|x| [self.from.1, self.to.1].map(|y| side(x, y)));
        let corners = corners.as_flattened();
        !(corners.iter().all(|side| *side > 0) || corners.iter().all(|side| *side < 0))
    }
}

/// Finds places for labels, one after the other, none over another.
pub struct Room {
    /// Labels stay inside.
    plot: Rect,
    marks: Vec<Rect>,
    lines: Vec<(Spot, Spot)>,
    taken: Vec<Rect>,
}

impl Room {
    /// A plot with these marks and lines in it.
    pub fn new(plot: Rect, marks: &[Spot], lines: Vec<(Spot, Spot)>) -> Self {
        let mark = |at: &Spot| Rect::around(*at, (2 * MARK, 2 * MARK));
        Self {
            plot,
            marks: marks.iter().map(mark).collect(),
            lines,
            taken: Vec::new(),
        }
    }

    /// The best place for a label of this size beside a mark: inside the plot, over no other label, and over as few marks
    /// and lines as can be. `None` where there is none.
    pub fn place(&mut self, mark: Spot, size: (i32, i32)) -> Option<Rect> {
        let free = |place: &Rect| {
            place.inside(&self.plot) && !self.taken.iter().any(|taken| taken.meets(place))
        };
        let places = places(mark, size).into_iter().filter(free);
        let best = places.min_by_key(|place| self.cost(place))?;
        self.taken.push(best);
        Some(best)
    }

    /// A mark hides a label; a line only crosses it.
    fn cost(&self, place: &Rect) -> usize {
        let marks = self.marks.iter().filter(|mark| mark.meets(place)).count();
        let lines = self
            .lines
            .iter()
            .filter(|line| place.is_crossed(**line))
            .count();
        3 * marks + lines
    }
}

/// Beside a mark, the usual places first.
fn places((x, y): Spot, size: (i32, i32)) -> [Rect; 8] {
    let (right, down) = (MARK + APART + size.0 / 2, MARK + size.1 / 2);
    let (aslant, level) = (MARK / 2 + size.0 / 2, MARK / 2 + size.1 / 2);
    [
        (aslant, -level - MARK / 2),
        (right, 0),
        (0, -down),
        (aslant, level + MARK / 2),
        (0, down),
        (-aslant, -level - MARK / 2),
        (-right, 0),
        (-aslant, level + MARK / 2),
    ]
    .map(|(dx, dy)| Rect::around((x + dx, y + dy), size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLOT: Rect = Rect {
        from: (0, 0),
        to: (3000, 2000),
    };

    #[test]
    fn a_line_crosses_a_rectangle_or_passes_by() {
        let rect = Rect::around((100, 100), (100, 100));
        assert!(rect.is_crossed(((0, 0), (200, 200))));
        assert!(rect.is_crossed(((100, 100), (110, 110))), "inside");
        assert!(rect.is_crossed(((100, 0), (100, 300))), "upright");
        assert!(!rect.is_crossed(((0, 110), (110, 0))) || rect.from == (50, 50));
        assert!(!rect.is_crossed(((0, 90), (90, 0))), "past the corner");
        assert!(!rect.is_crossed(((0, 0), (200, 0))), "above");
    }

    #[test]
    fn a_label_keeps_out_of_the_way() {
        let mark = (1500, 1000);
        let size = (500, 120);
        let alone = Room::new(PLOT, &[mark], Vec::new()).place(mark, size);
        assert_eq!(alone, Some(places(mark, size)[0]));
        let rising = vec![(mark, (3000, 0))];
        let beside_line = Room::new(PLOT, &[mark], rising).place(mark, size);
        assert!(beside_line.is_some_and(|place| place != places(mark, size)[0]));
        let in_corner = Room::new(PLOT, &[], Vec::new()).place((2990, 1990), size);
        assert_eq!(in_corner, Some(places((2990, 1990), size)[5]));
        let too_wide = Room::new(PLOT, &[], Vec::new()).place(mark, (4000, 120));
        assert_eq!(too_wide, None);
    }

    proptest! {
        #[test]
        fn labels_stay_inside_and_apart(
            marks in prop::collection::vec((0i32..=3000, 0i32..=2000), 0..40),
            size in (10i32..900, 50i32..200),
        ) {
            let lines = marks.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let mut room = Room::new(PLOT, &marks, lines);
            let placed: Vec<_> = marks.iter().filter_map(|mark| room.place(*mark, size)).collect();
            for (place, one) in placed.iter().enumerate() {
                prop_assert!(one.inside(&PLOT));
                prop_assert!(placed[..place].iter().all(|other| !one.meets(other)));
            }
            prop_assert!(marks.is_empty() || !placed.is_empty());
        }
    }
}
