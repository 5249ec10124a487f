//! Draws in large communities, and what colluders gain.

use std::sync::Arc;

use overlay::Form;
use selection::Selection;
use selection::strategy::{Setup, Strategy, StrategyNode};
use sim::drawing::{Adversary, Campaign, Crowd, Size, Summary};

const SEATS: u32 = 16;

fn campaign(adversary: Adversary) -> Campaign {
    Campaign {
        seats: SEATS,
        adversary,
        patience: 16,
        away_per_million: 0,
        seed: 5,
    }
}

/// A tenth colludes, so that everything that can happen does.
fn crowd(form: Form) -> Arc<Crowd> {
    let size = Size {
        draws_per_period: 16,
        ..Size::new(1000, 100, 1e-2)
    };
    Arc::new(Crowd::of(7, &size, form).unwrap())
}

fn hardened(adversary: Adversary, runs: u64) -> Summary {
    let crowd = crowd(Form::Sound);
    campaign(adversary).run::<Selection>(&crowd, &(), 0..runs, || ())
}

fn compared(strategy: Strategy, adversary: Adversary, runs: u64) -> (Arc<Crowd>, Summary) {
    let crowd = crowd(Form::Paper);
    let setup = Setup {
        strategy,
        region_size: crowd.share(),
    };
    let summary = campaign(adversary).run::<StrategyNode>(&crowd, &setup, 0..runs, || ());
    (crowd, summary)
}

#[test]
fn show() {
    for adversary in Adversary::ALL {
        let start = std::time::Instant::now();
        let summary = hardened(adversary, 20);
        println!("hardened {adversary}: {summary:?} {:?}", start.elapsed());
    }
    for strategy in [
        Strategy::Paper,
        Strategy::EsNav,
        Strategy::EsAv,
        Strategy::MHash,
        Strategy::CostOptimal,
    ] {
        for adversary in Adversary::ALL {
            let start = std::time::Instant::now();
            let (crowd, summary) = compared(strategy, adversary, 20);
            println!(
                "{strategy} {adversary}: {:?} {summary:?} {:?}",
                summary.effectiveness(&crowd),
                start.elapsed()
            );
        }
    }
}
