//! Replays what fuzzing found and started from, and mutations of it.

use std::fs;
use std::path::{Path, PathBuf};

use base::Rng;
use sim::hostile::HOSTILE;
use sim::{Rerun, seed_or};

/// Mutated inputs for each target.
const MUTATIONS: u64 = 1_500;

fn corpus(target: &str) -> Vec<Vec<u8>> {
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

/// One to four small changes.
fn mutate(sample: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        match rng.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.below(256) as u8),
            2 => drop((at < bytes.len()).then(|| bytes.remove(at))),
            3 => {
                let from = rng.below(other.len() as u64 + 1) as usize;
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            4 => bytes
                .get_mut(at)
                .into_iter()
                .for_each(|byte| *byte ^= 1 << rng.below(8)),
            _ => bytes
                .get_mut(at)
                .into_iter()
                .for_each(|byte| *byte = [0, 0x18, 0x7f, 0x80, 0x9f, 0xff][rng.below(6) as usize]),
        }
    }
    bytes
}

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
        let any = |rng: &mut Rng| &samples[rng.below(samples.len() as u64) as usize];
        for _ in 0..MUTATIONS {
            let (sample, other) = (any(&mut rng), any(&mut rng));
            run(&mutate(sample, other, &mut rng));
        }
    }
}
