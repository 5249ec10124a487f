//! Replays what fuzzing found in importers and in what reads backups, what it started from, and mutations of it.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use base::Rng;
use replay::{corpus, mutant};
use vault::backup::read_hostile_backup;
use vault::read_hostile;

/// A corpus, and what reads its files.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 2] = [("import", read_hostile), ("backup", read_hostile_backup)];

/// A number that whoever runs this may set.
fn number(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn nothing_that_was_found_harms_any_more() {
    for (target, run) in TARGETS {
        corpus(target).iter().for_each(|file| run(file));
    }
    assert!(corpus("import").len() > 10);
}

#[test]
fn nor_does_anything_near_it() {
    let (mutants, seed) = (number("MUTANTS", 20_000), number("SEED", 11));
    for (target, run) in TARGETS {
        let files = corpus(target);
        let rng = &mut Rng::from_number(seed).fork(target);
        for _ in 0..mutants {
            let mutant = mutant(&files, rng);
            // A panic shows the file, which goes into the corpus once it is mended.
            let told = std::panic::catch_unwind(|| run(&mutant));
            assert!(
                told.is_ok(),
                "{target}, seed {seed}: {}",
                mutant.escape_ascii()
            );
        }
    }
}
