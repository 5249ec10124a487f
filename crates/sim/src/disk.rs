//! The disk of a simulated node: it takes a while, and what a node was not told to be on it is gone when the node dies.

use std::collections::{BTreeMap, VecDeque};

use base::{Duration, Instant};

/// How long a disk takes. Guess: an SSD that flushes.
pub const DELAY: Duration = Duration::from_millis(3);

/// Entries by key, and how to take back what is not sure to be kept yet.
#[derive(Debug, Default)]
pub struct Disk {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// By the time at which it is sure: the key, and what was there before.
    unsure: VecDeque<(Instant, Vec<u8>, Option<Vec<u8>>)>,
}

impl Disk {
    /// Writes an entry, or removes it; that is sure after [`DELAY`]. Times do not go back.
    pub fn write(&mut self, now: Instant, key: Vec<u8>, value: Option<Vec<u8>>) {
        let before = match value {
            Some(value) => self.entries.insert(key.clone(), value),
            None => self.entries.remove(&key),
        };
        self.settle(now);
        self.unsure.push_back((now + DELAY, key, before));
    }

    fn settle(&mut self, now: Instant) {
        while self.unsure.front().is_some_and(|(sure, ..)| *sure <= now) {
            self.unsure.pop_front();
        }
    }

    /// The node ends in good order: all is kept.
    pub fn flush(&mut self) {
        self.unsure.clear();
    }

    /// The node dies: what is not sure is lost.
    pub fn crash(&mut self, now: Instant) {
        self.settle(now);
        while let Some((_, key, before)) = self.unsure.pop_back() {
            match before {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
    }

    /// What a node reads that starts.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (Vec<u8>, Vec<u8>)> {
        self.entries.clone().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_sure_is_lost() {
        let (start, mut disk) = (Instant::from_secs(9), Disk::default());
        let entry = |key: u8, value: u8| (vec![key], vec![value]);
        disk.write(start, vec![1], Some(vec![1]));
        disk.write(start, vec![2], Some(vec![2]));
        disk.write(start + DELAY, vec![1], Some(vec![7]));
        disk.write(start + DELAY, vec![1], Some(vec![8]));
        disk.write(start + DELAY, vec![2], None);
        disk.write(start + DELAY, vec![3], Some(vec![3]));
        let all: Vec<_> = disk.entries().collect();
        assert_eq!(all, [entry(1, 8), entry(3, 3)]);
        disk.crash(start + DELAY);
        let kept: Vec<_> = disk.entries().collect();
        assert_eq!(kept, [entry(1, 1), entry(2, 2)]);
        disk.write(start + DELAY, vec![2], None);
        disk.flush();
        disk.crash(start + DELAY);
        assert_eq!(disk.entries().len(), 1);
    }
}
