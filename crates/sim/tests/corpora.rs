//! Replays what fuzzing found and started from, and mutations of it.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use base::Rng;
use replay::{corpus, mutant};
use sim::hostile::HOSTILE;
use sim::{Rerun, seed_or};

/// Mutated inputs for each target.
const MUTATIONS: u64 = 1_500;

#[test]
fn nothing_that_was_found_harms_any_more() {
    for (target, run) in HOSTILE {
        for sample in corpus(target) {
            run(&sample);
        }
    }
}

#[test]
fn mutations_do_no_harm() {
    let seed = seed_or(1);
    let _rerun = Rerun::new("sim", "mutations_do_no_harm", seed);
    for (target, run) in HOSTILE {
        let mut rng = Rng::from_number(seed).fork(target);
        let samples = corpus(target);
        for _ in 0..MUTATIONS {
            run(&mutant(&samples, &mut rng));
        }
    }
}
