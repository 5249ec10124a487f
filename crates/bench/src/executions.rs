//! CPU time of one simulated draw with real signatures: lookups, waking of nodes, messages and the verifier included.

use std::sync::Arc;

use overlay::Form;
use selection::Selection;
use selection::strategy::{Setup, Strategy, StrategyNode};
use sim::drawing::{Adversary, Campaign, Colluding, Crowd, Size};

use crate::report::{Goal, Row};
use crate::timing::{median, time};

const NODES: u64 = 20_000;
const DRAWS: u64 = 200;
const RUNS: u64 = 5;
/// Five minutes on two cores.
const BUDGET_MS: f64 = 2.0 * 300.0 * 1000.0;

/// The paper's form and the hardened one.
pub fn run() -> Vec<Row> {
    let size = Size::new(NODES, NODES / 100, 1e-6);
    let crowd = |form| Arc::new(Crowd::of(1, &size, form).expect("there is such a community"));
    let paper = crowd(Form::Paper);
    let setup = Setup {
        strategy: Strategy::Paper,
        region_size: paper.share(),
    };
    let in_paper = milliseconds::<StrategyNode>(&paper, &setup);
    let hardened = milliseconds::<Selection>(&crowd(Form::Sound), &());
    vec![
        row(
            "one simulated draw in the paper's form, A = 32",
            in_paper,
            100_000.0,
        ),
        row("one simulated hardened draw, A = 32", hardened, 10_000.0),
    ]
}

fn row(what: &str, measured: f64, draws: f64) -> Row {
    Row {
        what: what.into(),
        value: measured,
        unit: "ms",
        goal: Some(Goal::AtMost(BUDGET_MS / draws)),
    }
}

fn milliseconds<P: Colluding>(crowd: &Arc<Crowd>, setup: &P::Setup) -> f64 {
    let campaign = Campaign {
        seats: 32,
        adversary: Adversary::None,
        patience: 1,
        away_per_million: 0,
        seed: 1,
    };
    let draw = |run: u64| {
        let numbers = run * DRAWS..(run + 1) * DRAWS;
        let (took, summary) = time(|| campaign.run::<P>(crowd, setup, numbers, || ()));
        assert_eq!(summary.refused, 0);
        took.as_secs_f64() * 1000.0 / DRAWS as f64
    };
    median((0..RUNS).map(draw).collect())
}
