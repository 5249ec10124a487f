//! Replays what fuzzing found in importers and started from, and mutations of it.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use base::Rng;
use replay::{corpus, mutant};
use vault::read_hostile;

/// Mutated files.
const MUTATIONS: u64 = 20_000;

#[test]
fn nothing_that_was_found_harms_any_more() {
    let files = corpus("import");
    assert!(files.len() > 10);
    files.iter().for_each(|file| read_hostile(file));
}

#[test]
fn nor_does_anything_near_it() {
    let files = corpus("import");
    let rng = &mut Rng::from_number(11);
    for _ in 0..MUTATIONS {
        read_hostile(&mutant(&files, rng));
    }
}
