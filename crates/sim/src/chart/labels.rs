//! Where there is room for the label of a point.

use super::pen::{MARK, Spot, px};

/// Between a mark's edge and its label.
const APART: i32 = px(3);
/// Labels stand beside their mark or so many steps further away.
const RINGS: i32 = 6;
const RING: i32 = px(7);
/// How often each label is placed.
const ROUNDS: usize = 4;
/// Every so much of a leader counts as one; a crossed line counts as five.
const LEADER_COST: i64 = px(6) as i64;

/// From here to there.
pub type Line = (Spot, Spot);

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

    /// The point of it that is nearest to `spot`.
    fn nearest(&self, (x, y): Spot) -> Spot {
        (
            x.clamp(self.from.0, self.to.0),
            y.clamp(self.from.1, self.to.1),
        )
    }

    /// Square of the distance to a point.
    fn distance(&self, spot: Spot) -> i64 {
        let (x, y) = self.nearest(spot);
        i64::from(x - spot.0).pow(2) + i64::from(y - spot.1).pow(2)
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
    fn is_crossed(&self, (from, to): Line) -> bool {
        let ends = Self {
            from: (from.0.min(to.0), from.1.min(to.1)),
            to: (from.0.max(to.0) + 1, from.1.max(to.1) + 1),
        };
        if !self.meets(&ends) {
            return false;
        }
        // Then it passes through unless all four corners are on one side of it.
        let corners = [self.from.0, self.to.0].map(|x| [self.from.1, self.to.1].map(|y| (x, y)));
        let corners = corners.as_flattened().iter();
        let sides: Vec<_> = corners.map(|corner| side((from, to), *corner)).collect();
        !(sides.iter().all(|side| *side > 0) || sides.iter().all(|side| *side < 0))
    }
}

/// Where a label goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it covers.
    pub rect: Rect,
    /// From its mark to it, where it is too far away to be seen as its mark's.
    pub leader: Option<Line>,
}

/// A plot with marks and lines in it, and the room that they leave.
pub struct Room {
    /// Labels stay inside.
    pub plot: Rect,
    /// All of them, whether they have labels or not.
    pub marks: Vec<Spot>,
    /// What had better be seen.
    pub lines: Vec<Line>,
}

impl Room {
    /// A place for each label, given by its mark and its size: inside the plot, over no other label, and in nobody's
    /// way if that can be. `None` for those that find no place.
    pub fn places(&self, labels: &[(Spot, (i32, i32))]) -> Vec<Option<Place>> {
        let mut placed = vec![None; labels.len()];
        // One after the other; then each moves again, now that it knows of those who came later.
        for _ in 0..ROUNDS {
            for (number, (mark, size)) in labels.iter().enumerate() {
                placed[number] = None;
                let others: Vec<Place> = placed.iter().flatten().copied().collect();
                let free = places(*mark, *size).filter(|place| {
                    place.rect.inside(&self.plot) && others.iter().all(|other| place.lets_be(other))
                });
                placed[number] = free.min_by_key(|place| self.cost(place, *mark, &others));
            }
        }
        placed
    }

    /// Worst is what hides or misleads: a mark underneath, or another mark that is nearer than the label's own. The
    /// weights were found by looking at figures.
    fn cost(&self, place: &Place, own: Spot, placed: &[Place]) -> i64 {
        let Place { rect, leader } = place;
        let mark = |at: &Spot| Rect::around(*at, (2 * MARK, 2 * MARK));
        let others = || self.marks.iter().filter(|mark| **mark != own);
        let lines = || {
            let leaders = placed.iter().filter_map(|place| place.leader);
            self.lines.iter().copied().chain(leaders)
        };
        let hidden = self.marks.iter().filter(|at| mark(at).meets(rect)).count();
        let crossed = lines().filter(|line| rect.is_crossed(*line)).count();
        let (misleading, cut) = match leader {
            Some(leader) => (
                others().filter(|at| mark(at).is_crossed(*leader)).count(),
                lines().filter(|line| cross(*line, *leader)).count(),
            ),
            None => {
                let reach = rect.distance(own);
                (
                    others().filter(|at| rect.distance(**at) <= reach).count(),
                    0,
                )
            }
        };
        let length = leader.map_or(0, |(from, to)| {
            i64::from((from.0 - to.0).abs() + (from.1 - to.1).abs())
        });
        let faults = 8 * hidden + 5 * crossed + 6 * misleading + 3 * cut;
        faults as i64 + length / LEADER_COST
    }
}

impl Place {
    /// Whether both can be there.
    fn lets_be(&self, other: &Self) -> bool {
        let under = |label: &Self, leader: Option<Line>| {
            leader.is_some_and(|leader| label.rect.is_crossed(leader))
        };
        !(self.rect.meets(&other.rect) || under(self, other.leader) || under(other, self.leader))
    }
}

/// Whether two lines cut each other; to touch is not to cut.
fn cross(one: Line, other: Line) -> bool {
    let parted = |line, (from, to): Line| side(line, from).signum() * side(line, to).signum() < 0;
    parted(one, other) && parted(other, one)
}

/// On which side of a line a point is: positive, negative, or zero on it.
fn side((from, to): Line, (x, y): Spot) -> i64 {
    let along = (i64::from(to.0 - from.0), i64::from(to.1 - from.1));
    along.0 * i64::from(y - from.1) - along.1 * i64::from(x - from.0)
}

/// Beside a mark, the usual places first, then the same further away.
fn places(mark: Spot, size: (i32, i32)) -> impl Iterator<Item = Place> {
    let (right, down) = (MARK + APART + size.0 / 2, MARK + size.1 / 2);
    let aslant = MARK / 2 + size.0 / 2;
    let beside = [
        (aslant, -down),
        (right, 0),
        (0, -down),
        (aslant, down),
        (0, down),
        (-aslant, -down),
        (-right, 0),
        (-aslant, down),
    ];
    (0..RINGS).flat_map(move |ring| {
        beside.map(|(dx, dy)| {
            let further = |by: i32| by + by.signum() * ring * RING;
            let middle = (mark.0 + further(dx), mark.1 + further(dy));
            let rect = Rect::around(middle, size);
            Place {
                rect,
                leader: (ring > 0).then(|| (mark, rect.nearest(mark))),
            }
        })
    })
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
        assert!(!rect.is_crossed(((0, 90), (90, 0))), "past the corner");
        assert!(!rect.is_crossed(((0, 0), (200, 0))), "above");
    }

    const SIZE: (i32, i32) = (450, 120);

    fn room(marks: &[Spot], lines: &[Line]) -> Room {
        let (marks, lines) = (marks.to_vec(), lines.to_vec());
        Room {
            plot: PLOT,
            marks,
            lines,
        }
    }

    #[test]
    fn a_label_keeps_out_of_the_way() {
        let mark = (1500, 1000);
        let first = |room: Room, size| room.places(&[(room.marks[0], size)])[0];
        let usual: Vec<_> = places(mark, SIZE).take(8).collect();
        assert_eq!(first(room(&[mark], &[]), SIZE), Some(usual[0]));
        let rising = first(room(&[mark], &[(mark, (3000, 0))]), SIZE);
        assert!(rising.is_some_and(|place| !place.rect.is_crossed((mark, (3000, 0)))));
        let beside_mark = first(room(&[mark, (1700, 900)], &[]), SIZE);
        assert!(beside_mark.is_some_and(|place| usual[1..].contains(&place)));
        assert_eq!(
            first(room(&[mark], &[]), (4000, 120)),
            None,
            "too wide for the plot"
        );
        let corner = (2990, 1990);
        let left = places(corner, SIZE).nth(5);
        assert_eq!(
            first(room(&[corner], &[]), SIZE),
            left,
            "inside, at the left"
        );
    }

    #[test]
    fn in_a_crowd_labels_move_out_and_are_led_to_their_marks() {
        let marks: Vec<_> = (0..5).map(|n| (1000 + 60 * n, 400)).collect();
        let labels: Vec<_> = marks.iter().map(|mark| (*mark, SIZE)).collect();
        let places = room(&marks, &[(marks[0], marks[4])]).places(&labels);
        assert!(places.iter().all(Option::is_some));
        let leaders: Vec<_> = places
            .iter()
            .flatten()
            .filter_map(|place| place.leader)
            .collect();
        assert!(!leaders.is_empty());
        assert!(leaders.iter().all(|(mark, _)| marks.contains(mark)));
        let cut = |one: &Line| leaders.iter().any(|other| cross(*one, *other));
        assert!(!leaders.iter().any(cut), "leaders do not cut each other");
    }

    #[test]
    fn lines_cut_or_touch() {
        assert!(cross(((0, 0), (10, 10)), ((0, 10), (10, 0))));
        assert!(
            !cross(((0, 0), (10, 10)), ((0, 0), (10, 0))),
            "from one point"
        );
        assert!(
            !cross(((0, 0), (10, 10)), ((20, 0), (30, 10))),
            "side by side"
        );
    }

    proptest! {
        #[test]
        fn labels_stay_inside_and_apart(
            marks in prop::collection::vec((0i32..=3000, 0i32..=2000), 0..30),
            size in (10i32..900, 50i32..200),
        ) {
            let lines: Vec<_> = marks.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let labels: Vec<_> = marks.iter().map(|mark| (*mark, size)).collect();
            let places = room(&marks, &lines).places(&labels);
            let placed: Vec<_> = places.iter().flatten().collect();
            for (count, Place { rect, .. }) in placed.iter().enumerate() {
                prop_assert!(rect.inside(&PLOT));
                prop_assert!(placed[..count].iter().all(|other| !other.rect.meets(rect)));
            }
            prop_assert!(marks.is_empty() || !placed.is_empty());
        }
    }
}
