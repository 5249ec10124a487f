// What tests that replay the corpora share: they name this file as a module of theirs.

use std::fs;
use std::path::{Path, PathBuf};

use base::Rng;

/// The corpus of a target, in the order of its files' names.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder)
        .unwrap_or_else(|why| panic!("no corpus in {}: {why}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    let read = |file: &PathBuf| fs::read(file).expect("a file of the corpus");
    files.iter().map(read).collect()
}

/// One of these with one to four small changes, some of them parts of another.
pub fn mutant(samples: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let any = |rng: &mut Rng| &samples[rng.below(samples.len() as u64) as usize];
    let (sample, other) = (any(rng), any(rng));
    let mut bytes = sample.clone();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        let there = bytes.get_mut(at);
        match rng.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.below(256) as u8),
            2 => drop((at < bytes.len()).then(|| bytes.remove(at))),
            3 => {
                let from = rng.below(other.len() as u64 + 1) as usize;
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            4 => bytes.extend_from_within(at..),
            5 => there
                .into_iter()
                .for_each(|byte| *byte ^= 1 << rng.below(8)),
            _ => there
                .into_iter()
                .for_each(|byte| *byte = [0, 0x18, 0x7f, 0x80, 0x9f, 0xff][rng.below(6) as usize]),
        }
    }
    bytes
}
