//! Replays what fuzzing found in importers and started from, and mutations of it.

use std::fs;
use std::path::Path;

use base::Rng;
use vault::read_hostile;

/// Mutated files.
const MUTATIONS: u64 = 20_000;

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/import");
    let entries = fs::read_dir(folder).expect("there is a corpus");
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = |file| fs::read(file).expect("a file of the corpus");
    files.iter().map(read).collect()
}

#[test]
fn nothing_that_was_found_harms_any_more() {
    let files = corpus();
    assert!(files.len() > 10);
    files.iter().for_each(|file| read_hostile(file));
}

#[test]
fn nor_does_anything_near_it() {
    let files = corpus();
    let rng = &mut Rng::from_number(11);
    for _ in 0..MUTATIONS {
        let one = &files[rng.below(files.len() as u64) as usize];
        let other = &files[rng.below(files.len() as u64) as usize];
        let mut bytes = one.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len() as u64 + 1) as usize;
            match rng.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, rng.below(256) as u8),
                2 => drop((at < bytes.len()).then(|| bytes.remove(at))),
                3 => {
                    let from = rng.below(other.len() as u64 + 1) as usize;
                    bytes.splice(at.., other[from..].iter().copied());
                }
                _ => bytes.extend_from_within(at..),
            }
        }
        read_hostile(&bytes);
    }
}
