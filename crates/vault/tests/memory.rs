//! What is left of a key in the memory of the process. Alone in its program, since it reads all of it.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use base::Rng;
use tempfile::tempdir;
use vault::{Alone, Vault, VaultKey};
use zeroize::{Zeroize, Zeroizing};

/// What is looked for is kept in another form, so that it is not found here.
const MASK: u8 = 0x5a;

/// Something to look for.
struct Needle(Vec<u8>);

impl Needle {
    fn of(bytes: impl Iterator<Item = u8>) -> Self {
        Self(bytes.map(|byte| byte ^ MASK).collect())
    }

    /// How often it is in what this process may write to.
    fn found(&self) -> usize {
        let maps = fs::read_to_string("/proc/self/maps").expect("Linux tells");
        let memory = File::open("/proc/self/mem").expect("a process may read its own");
        let mut piece = vec![0; 1 << 20];
        let own = piece.as_ptr().addr() as u64;
        let own = own..own + piece.len() as u64;
        let mut found = 0;
        for line in maps.lines() {
            let mut words = line.split(' ');
            let (Some(range), Some("rw-p")) = (words.next(), words.next()) else {
                continue;
            };
            let (start, end) = range.split_once('-').expect("a range");
            let place = |text| u64::from_str_radix(text, 16).expect("a place");
            let (start, end) = (place(start), place(end));
            // What is read is not looked for where it is read to.
            let parts = [(start, end.min(own.start)), (start.max(own.end), end)];
            for (mut at, end) in parts {
                while at < end {
                    let length = piece.len().min((end - at) as usize);
                    if memory.read_exact_at(&mut piece[..length], at).is_err() {
                        break;
                    }
                    let windows = piece[..length].windows(self.0.len());
                    found += windows.filter(|window| self.is(window)).count();
                    // One that lies across the end of a piece is whole in the next.
                    at += match at + length as u64 == end {
                        true => length,
                        false => length + 1 - self.0.len(),
                    } as u64;
                }
            }
        }
        found
    }

    fn is(&self, window: &[u8]) -> bool {
        let pairs = window.iter().zip(&self.0);
        pairs
            .into_iter()
            .all(|(byte, masked)| byte ^ MASK == *masked)
    }
}

fn digits(bytes: &[u8; 32]) -> impl Iterator<Item = u8> {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.map(|half| b"0123456789abcdef"[usize::from(half)])
}

#[test]
fn of_the_statement_with_the_key_nothing_is_left() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("vault.db");
    let mut key = VaultKey::generate(&mut Rng::from_number(77));
    let (hex, raw) = (
        Needle::of(digits(key.as_bytes())),
        Needle::of(key.as_bytes().iter().copied()),
    );
    // What is there is found, and what is wiped is not.
    let shown: Zeroizing<Vec<u8>> = Zeroizing::new(digits(key.as_bytes()).collect());
    assert!(hex.found() > 0);
    drop(shown);
    assert!(raw.found() > 0);

    drop(Vault::create(&path, &key).expect("created"));
    assert_eq!(hex.found(), 0);
    Alone::take(&path)
        .expect("alone")
        .fits(&key)
        .expect("it does");
    assert_eq!(hex.found(), 0);
    let mut vault = Vault::open(&path, &key).expect("opened");
    assert_eq!(hex.found(), 0);
    // Moved, it would leave a copy.
    key.zeroize();
    vault.set_setting("any", "thing").expect("written");
    assert_eq!((hex.found(), raw.found()), (0, 0));
    drop(vault);
    assert_eq!((hex.found(), raw.found()), (0, 0));

    // A vault of the format before, as the program of then left it; to bring it to the present one the key goes another way.
    let before = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vaults/format-4.db");
    let path = folder.path().join("before.db");
    fs::copy(before, &path).expect("copied");
    let mut key = VaultKey::generate(&mut Rng::from_number(77));
    let vault = Vault::open(&path, &key).expect("opened");
    key.zeroize();
    assert_eq!((hex.found(), raw.found()), (0, 0));
    assert_eq!(vault.setting("any"), Ok(Some("thing".into())));
    assert_eq!(vault.log_end().map(|end| end.entries), Ok(1));
}
