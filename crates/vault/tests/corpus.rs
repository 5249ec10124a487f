//! Replays what fuzzing found in importers and in what reads backups, what it started from, and mutations of it.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use base::Rng;
use replay::{corpus, mutant};
use vault::backup::read_hostile_backup;
use vault::read_hostile;

/// Each target, with the number of mutants.
const TARGETS: [(&str, fn(&[u8]), u64); 2] = [
    ("import", read_hostile, 20_000),
    ("backup", read_hostile_backup, 20_000),
];

#[test]
fn nothing_that_was_found_harms_any_more() {
    for (target, run, _) in TARGETS {
        corpus(target).iter().for_each(|file| run(file));
    }
    assert!(corpus("import").len() > 10);
}

#[test]
fn nor_does_anything_near_it() {
    for (target, run, mutants) in TARGETS {
        let files = corpus(target);
        let rng = &mut Rng::from_number(11).fork(target);
        for _ in 0..mutants {
            run(&mutant(&files, rng));
        }
    }
}
