use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use base::Rng;
use tempfile::{TempDir, tempdir};

use super::*;

fn key(number: u64) -> VaultKey {
    VaultKey::generate(&mut Rng::from_number(number))
}

fn made() -> (TempDir, PathBuf) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("vault.db");
    let mut vault = Vault::create(&path, &key(1)).expect("created");
    vault.journal_put(b"vote", b"first").expect("stored");
    vault.set_setting("consent", "yes").expect("stored");
    // Some hundred pages.
    for number in 0..100u8 {
        vault.remember(&[number], &[number; 8000]).expect("stored");
    }
    (folder, path)
}

fn holds_all(vault: &Vault) {
    let journal = vault.journal_all().expect("read");
    assert_eq!(journal, [(b"vote".to_vec(), b"first".to_vec())]);
    assert_eq!(vault.setting("consent"), Ok(Some("yes".into())));
    for number in 0..100u8 {
        let found = vault.recall(&[number]).expect("read");
        assert_eq!(found, Some(vec![number; 8000]));
    }
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("listed");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into()).collect();
    names.sort();
    names
}

#[test]
fn under_another_key_it_is_the_same_vault_and_the_old_key_opens_nothing() {
    let (folder, path) = made();
    // As a killed process leaves it: a log, and a copy that was begun.
    let log = fs::read(beside(&path, "-wal")).unwrap_or_default();
    fs::write(beside(&path, ".rekeyed"), b"the beginning of a copy").expect("written");
    let alone = Alone::take(&path).expect("nobody has it");
    alone.rekey(&key(1), &key(2)).expect("done");
    drop((alone, log));
    assert_eq!(names(&folder), ["vault.db", "vault.db.lock"]);
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        Vault::open(&path, &key(1)).err(),
        Some(VaultError::WrongKey)
    );
    let mut vault = Vault::open(&path, &key(2)).expect("opened");
    holds_all(&vault);
    vault.journal_put(b"vote", b"second").expect("stored");
    drop(vault);
    let vault = Vault::open(&path, &key(2)).expect("opened");
    assert_eq!(vault.journal_all().expect("read")[0].1, b"second");
}

#[test]
fn what_was_written_last_is_not_lost_with_the_log() {
    let (_folder, path) = made();
    // The files as a power cut would leave them, with a log that nobody has brought into the vault.
    let mut vault = Vault::open(&path, &key(1)).expect("opened");
    vault.journal_put(b"vote", b"first").expect("stored");
    vault.remember(b"late", b"kept").expect("stored");
    let elsewhere = tempdir().expect("a folder");
    let copy = crate::vault::tests::snapshot(&path, elsewhere.path());
    assert!(fs::metadata(beside(&copy, "-wal")).is_ok_and(|log| log.len() > 0));
    let alone = Alone::take(&copy).expect("nobody has it");
    alone.rekey(&key(1), &key(2)).expect("done");
    drop(alone);
    let vault = Vault::open(&copy, &key(2)).expect("opened");
    holds_all(&vault);
    assert_eq!(vault.recall(b"late"), Ok(Some(b"kept".to_vec())));
}

#[test]
fn a_wrong_key_changes_nothing() {
    let (_folder, path) = made();
    let alone = Alone::take(&path).expect("nobody has it");
    assert_eq!(alone.fits(&key(1)), Ok(()));
    assert_eq!(alone.fits(&key(2)), Err(VaultError::WrongKey));
    assert_eq!(alone.rekey(&key(2), &key(3)), Err(VaultError::WrongKey));
    drop(alone);
    holds_all(&Vault::open(&path, &key(1)).expect("opened"));
}

#[test]
fn one_who_exchanges_the_file_is_alone() {
    let (_folder, path) = made();
    let vault = Vault::open(&path, &key(1)).expect("opened");
    let second = Vault::open(&path, &key(1)).expect("two may");
    assert_eq!(Alone::take(&path).err(), Some(VaultError::InUse));
    drop((vault, second));
    let alone = Alone::take(&path).expect("nobody has it");
    // Who comes meanwhile waits, and finds the new file.
    let began = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            began.store(true, Ordering::SeqCst);
            Vault::open(&path, &key(2)).map(|vault| holds_all(&vault))
        });
        while !began.load(Ordering::SeqCst) {
            thread::sleep(BETWEEN);
        }
        thread::sleep(10 * BETWEEN);
        assert!(!waiting.is_finished());
        alone.rekey(&key(1), &key(2)).expect("done");
        drop(alone);
        assert_eq!(waiting.join().expect("no panic"), Ok(()));
    });
}

#[test]
fn a_copy_is_of_one_moment_although_somebody_writes() {
    let (folder, path) = made();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // Also when something below fails.
        let _ends = Ends(&done);
        scope.spawn(|| {
            // Two entries that are always the same, in one transaction each time.
            let mut writer = Vault::open(&path, &key(1)).expect("opened");
            let mut number = 0u64;
            while !done.load(Ordering::SeqCst) {
                number += 1;
                let value = number.to_be_bytes().repeat(500);
                let transaction = writer.begin().expect("begun");
                for name in [&b"first"[..], b"second"] {
                    let sql =
                        "INSERT OR REPLACE INTO commonhold_history (key, value) VALUES (?1, ?2)";
                    transaction.execute(sql, (name, &value)).expect("written");
                }
                transaction.commit().expect("committed");
            }
        });
        let vault = Vault::open(&path, &key(1)).expect("opened");
        let mut seen = Vec::new();
        for number in 0..20 {
            let to = folder.path().join(format!("copy-{number}"));
            vault.copy_to(&to, &key(2)).expect("copied");
            let copy = Vault::open(&to, &key(2)).expect("opened");
            let (a, b) = (
                copy.recall(b"first").expect("read"),
                copy.recall(b"second").expect("read"),
            );
            assert!(a == b, "half a transaction was copied");
            holds_all(&copy);
            seen.push(a);
        }
        seen.dedup();
        assert!(seen.len() > 1, "nobody wrote meanwhile");
    });
}

struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_of_a_copy_that_failed() {
    let (folder, path) = made();
    let vault = Vault::open(&path, &key(1)).expect("opened");
    let there = folder.path().join("there");
    fs::write(&there, "mine").expect("written");
    assert_eq!(
        vault.copy_to(&there, &key(2)),
        Err(VaultError::Exists(there.clone()))
    );
    assert_eq!(fs::read(&there).expect("there"), b"mine");
    let nowhere = folder.path().join("nowhere/copy");
    assert_eq!(
        vault.copy_to(&nowhere, &key(2)),
        Err(VaultError::Io(io::ErrorKind::NotFound))
    );
}
