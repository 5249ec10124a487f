//! What one hardened selection costs.

use crate::drawing::{Drawers, Size};
use crate::report::{Goal, Row};
use crate::timing::median;

const K: usize = 8;
const SEATS: u32 = 128;
const DRAWS: usize = 60;

/// CPU of whole selections at k = 8 and A = 128, over all nodes together: reading and writing messages, all roles, and T's
/// own check of the list; not the actors' checks.
pub fn run() -> Vec<Row> {
    // About half of the points of this community have k = 8, the others 7 or 9.
    let size = Size {
        nodes: 2000,
        colluders: 40,
    };
    let mut drawers = Drawers::new(&size);
    let draws: Vec<_> = (0..DRAWS).map(|_| drawers.draw(SEATS)).collect();
    let measured: Vec<_> = draws
        .iter()
        .filter(|(_, list)| list.as_ref().is_some_and(|list| list.builders.len() == K))
        .map(|(took, _)| took.as_secs_f64() * 1e3)
        .collect();
    vec![Row {
        what: format!(
            "one selection, k = {K}, A = {SEATS}, all nodes together ({} draws)",
            measured.len()
        ),
        value: median(measured),
        unit: "ms",
        goal: Some(Goal::AtMost(60.0)),
    }]
}
