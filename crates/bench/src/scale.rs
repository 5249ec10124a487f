//! Whole computations over thousands of people in the simulator, with signatures and sealing charged by what they cost.

use aggregation::sizes::{OPEN_NS, SEAL_NS, SIGN_NS, VERIFY_TOGETHER_NS};
use crypto::{Charged, Operations};
use sim::aggregating::{Ended, Setting, Statistic};

use crate::report::{Goal, Row};
use crate::timing::time;

/// Contributors; the most seconds that it may take from the first contribution to the answer.
const SIZES: [(u64, f64); 2] = [(1_000, 1.0), (10_000, 1.4)];
const SEED: u64 = 1;

/// A sum without proofs, sized for 1 % who collude and 5 % who go away; nothing goes wrong.
pub fn run() -> Vec<Row> {
    let _charged = Charged::begin();
    SIZES.into_iter().flat_map(of).collect()
}

fn of((contributors, seconds): (u64, f64)) -> Vec<Row> {
    let setting = Setting::new(contributors, contributors / 100, 50, Statistic::Sum);
    let setting = setting.expect("there is a plan for so many");
    let (real, run) = time(|| setting.run(SEED));
    assert!(
        matches!(run.ended, Ended::Exact(_)) && run.broken.is_empty(),
        "{run:?}"
    );
    let row = |what: &str, value, unit, goal: Option<f64>| Row {
        what: format!(
            "{contributors} contributors, {} committees: {what}",
            setting.committees().len()
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
