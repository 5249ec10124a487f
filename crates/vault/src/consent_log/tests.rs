use std::path::PathBuf;

use base::Rng;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::VaultKey;

struct Bench {
    _folder: TempDir,
    path: PathBuf,
    end: LogEnd,
}

fn key() -> VaultKey {
    VaultKey::generate(&mut Rng::from_number(1))
}

impl Bench {
    /// A log of five entries, whose end somebody has kept.
    fn new() -> Self {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key()).expect("created");
        let mut end = vault.log_end().expect("read");
        assert_eq!(end, LogEnd::empty());
        for entry in ["came", "yes", "sent", "taken", "rule"] {
            end = vault.log(entry.as_bytes()).expect("logged");
        }
        let _folder = folder;
        Self { _folder, path, end }
    }

    fn vault(&self) -> Vault {
        Vault::open(&self.path, &key()).expect("opened")
    }

    /// After this the same is found with the end that was kept and without.
    fn finds(sql: &str, fault: LogFault) {
        let found = Self::new().after(sql);
        assert_eq!(found, [Err(fault.clone()), Err(fault)], "{sql}");
    }

    /// Somebody who has the vault's key does this to it; what is found then, with the end that was kept and without.
    fn after(&self, sql: &str) -> [Result<u64, LogFault>; 2] {
        let vault = self.vault();
        vault.writer.execute_batch(sql).expect("done");
        [Some(self.end), None].map(|witnessed| {
            let checked = vault.check_log(witnessed).expect("read");
            checked.map(|end| end.entries)
        })
    }
}

#[test]
fn an_untouched_log_holds_and_may_have_grown() {
    let bench = Bench::new();
    assert_eq!(bench.after(""), [Ok(5), Ok(5)]);
    let mut vault = bench.vault();
    let end = vault.log(b"later").expect("logged");
    assert_eq!(end.entries, 6);
    assert_eq!(vault.log_end(), Ok(end));
    assert_eq!(vault.check_log(Some(bench.end)), Ok(Ok(end)));
    assert_eq!(vault.check_log(Some(LogEnd::empty())), Ok(Ok(end)));
    let logged = vault.logged(5, 10).expect("read");
    let entries: Vec<_> = logged.iter().map(|one| (one.number, &*one.entry)).collect();
    assert_eq!(entries, [(5, &b"rule"[..]), (6, b"later")]);
    assert_eq!(logged[0].digest, bench.end.digest);
    assert_eq!(vault.logged(0, 2).expect("read").len(), 2);
    assert_eq!(vault.logged(u64::MAX, 2), Ok(vec![]));
}

#[test]
fn a_changed_entry_is_found_with_its_number() {
    for change in ["entry = x'6e6f'", "digest = zeroblob(32)"] {
        let sql = format!("UPDATE commonhold_consent SET {change} WHERE number = 2");
        Bench::finds(&sql, LogFault::Changed { number: 2 });
    }
}

#[test]
fn a_removed_entry_is_found_also_when_the_later_ones_move_up() {
    let sql = "DELETE FROM commonhold_consent WHERE number = 3";
    Bench::finds(sql, LogFault::Missing { number: 3 });
    let sql = "DELETE FROM commonhold_consent WHERE number = 3;
        UPDATE commonhold_consent SET number = 3 WHERE number = 4;
        UPDATE commonhold_consent SET number = 4 WHERE number = 5;";
    Bench::finds(sql, LogFault::Changed { number: 3 });
}

#[test]
fn an_inserted_entry_is_found() {
    for number in [0, -9] {
        let again =
            format!("SELECT {number}, entry, digest FROM commonhold_consent WHERE number = 1");
        let sql = format!("INSERT INTO commonhold_consent {again}");
        Bench::finds(&sql, LogFault::Missing { number: 1 });
    }
    let sql = "UPDATE commonhold_consent SET number = 6 WHERE number = 5;
        UPDATE commonhold_consent SET number = 5 WHERE number = 4;
        INSERT INTO commonhold_consent VALUES (4, x'00', zeroblob(32));";
    Bench::finds(sql, LogFault::Changed { number: 4 });
}

#[test]
fn entries_that_have_changed_places_are_found() {
    let sql = "UPDATE commonhold_consent SET number = 9 WHERE number = 2;
        UPDATE commonhold_consent SET number = 2 WHERE number = 3;
        UPDATE commonhold_consent SET number = 3 WHERE number = 9;";
    let changed = Err(LogFault::Changed { number: 2 });
    assert_eq!(Bench::new().after(sql), [changed.clone(), changed]);
}

#[test]
fn an_end_that_was_cut_off_is_found_by_its_witness_alone() {
    let cut_off = |found| LogFault::CutOff {
        found,
        witnessed: 5,
    };
    let sql = "DELETE FROM commonhold_consent WHERE number > 3";
    assert_eq!(Bench::new().after(sql), [Err(cut_off(3)), Ok(3)]);
    let sql = "DELETE FROM commonhold_consent";
    assert_eq!(Bench::new().after(sql), [Err(cut_off(0)), Ok(0)]);
}

#[test]
fn a_log_that_is_written_anew_is_found_by_its_witness_alone() {
    let bench = Bench::new();
    let mut vault = bench.vault();
    let clear = "DELETE FROM commonhold_consent";
    vault.writer.execute_batch(clear).expect("cleared");
    for entry in ["came", "no", "-", "-", "rule", "and longer"] {
        vault.log(entry.as_bytes()).expect("logged");
    }
    let rewritten = LogFault::Rewritten { witnessed: 5 };
    assert_eq!(bench.after(""), [Err(rewritten), Ok(6)]);
}

#[test]
fn the_digests_are_as_documented() {
    // docs/daemon.md says what a digest is over: whoever has an export can compute it.
    let mut vault = Bench::new().vault();
    let before = vault.log_end().expect("read");
    let end = vault.log(b"{}").expect("logged");
    let parts = [&before.digest.0[..], &6u64.to_be_bytes(), b"{}"];
    assert_eq!(end.digest, Digest::of("commonhold consent log 1", &parts));
    let too_long = vec![0; MAX_LOG_ENTRY + 1];
    assert_eq!(vault.log(&too_long), Err(VaultError::TooLong));
}
