//! Whole computations over thousands of people in the simulator, with signatures and sealing charged by what they cost.

use aggregation::sizes::{OPEN_NS, Plan, SEAL_NS, SIGN_NS, Terms, VERIFY_TOGETHER_NS};
use crypto::{Charged, Operations};
use sim::aggregating::{Ended, Setting, Statistic};

use crate::report::{Goal, Row};
use crate::timing::time;

/// Contributors; the most seconds that it may take from the first contribution to the answer. The last two are too many to be
/// simulated: their trees are narrowed to [`CHILDREN`] at each parent.
const SIZES: [(u64, f64); 4] = [
    (1_000, 1.0),
    (10_000, 1.4),
    (100_000, 1.8),
    (1_000_000, 2.3),
];
const WHOLE_MAX: u64 = 10_000;
const CHILDREN: u64 = 3;
const SEED: u64 = 1;

/// A sum without proofs, sized for 1 % who collude and 5 % who go away; nothing goes wrong.
pub fn run() -> Vec<Row> {
    let _charged = Charged::begin();
    SIZES.into_iter().flat_map(of).collect()
}

fn of((contributors, seconds): (u64, f64)) -> Vec<Row> {
    let plan = Plan::choose(Terms {
        candidates: contributors,
        contributors,
        colluders: contributors / 100,
        offline_permille: 50,
    });
    let plan = plan.expect("there is a plan for so many");
    let setting = if contributors > WHOLE_MAX {
        Setting::narrowed(plan, CHILDREN, Statistic::Sum)
    } else {
        Setting::planned(plan, Statistic::Sum)
    };
    let setting = setting.expect("few enough are left");
    let (real, run) = time(|| setting.run(SEED));
    assert!(
        matches!(run.ended, Ended::Exact(_)) && run.broken.is_empty(),
        "{run:?}"
    );
    let row = |what: &str, value, unit, goal: Option<f64>| Row {
        what: format!(
            "{contributors} contributors, {} of {} committees: {what}",
            setting.committees().len(),
            plan.tree.committees()
        ),
        value,
        unit,
        goal: goal.map(Goal::AtMost),
    };
    let simulated = run.since_contributed.as_micros() as f64 / 1e6;
    let busiest = run.busiest;
    vec![
        row(
            "first contribution to answer, simulated",
            simulated,
            "s",
            Some(seconds),
        ),
        row(
            "busiest node, sent",
            busiest.sent as f64 / 1e6,
            "MB",
            Some(2.0),
        ),
        row(
            "busiest node, received",
            busiest.received as f64 / 1e6,
            "MB",
            None,
        ),
        row(
            "busiest node, counts times unit costs",
            charge(&busiest.work),
            "ms",
            Some(150.0),
        ),
        row("simulated in", real.as_secs_f64(), "s", None),
    ]
}

/// Milliseconds, with signatures checked in batches.
fn charge(work: &Operations) -> f64 {
    let costs = [
        (work.signed, SIGN_NS),
        (work.checked, VERIFY_TOGETHER_NS),
        (work.sealed, SEAL_NS),
        (work.opened, OPEN_NS),
    ];
    let costs = costs.iter().map(|(count, unit)| *count as f64 * unit);
    costs.sum::<f64>() / 1e6
}
