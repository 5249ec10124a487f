use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use base::{Rng, encode};
use community::Table;
use question::{LocalRow, Question};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::vault::tests::snapshot;
use crate::{LogEnd, Vault, VaultKey, propose};

/// The first format, before there was a history.
const FIRST: &str = "
    CREATE TABLE commonhold_tables (
        name TEXT PRIMARY KEY COLLATE NOCASE, declaration BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_journal (
        key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_settings (
        name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;";

fn key() -> VaultKey {
    VaultKey::generate(&mut Rng::from_number(1))
}

/// A file with the pages of old formats.
fn raw(path: &Path) -> Connection {
    connect_as(SMALL_PAGES, path, &key(), OpenFlags::SQLITE_OPEN_READ_WRITE).expect("opened")
}

/// A file with the pages of today.
fn now(path: &Path) -> Connection {
    connect(path, &key(), OpenFlags::SQLITE_OPEN_READ_WRITE).expect("opened")
}

fn people() -> Table {
    let csv = "age\n41\n29\n";
    propose(csv.as_bytes(), "people").expect("proposed").table
}

/// A vault as the first format had it, with an owner's data in it.
fn old_vault() -> (TempDir, PathBuf) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("vault.db");
    let mut options = fs::OpenOptions::new();
    options.create_new(true).write(true).mode(0o600);
    options.open(&path).expect("created");
    let old = raw(&path);
    old.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .expect("set");
    old.execute_batch(FIRST).expect("created");
    old.execute(
        "INSERT INTO commonhold_tables VALUES ('people', ?1)",
        [encode(&people())],
    )
    .expect("declared");
    old.execute_batch(
        "CREATE TABLE people (age INTEGER) STRICT; INSERT INTO people VALUES (41);
         INSERT INTO commonhold_settings VALUES ('consent', 'no');
         INSERT INTO commonhold_journal VALUES (x'63', x'01');",
    )
    .expect("filled");
    (folder, path)
}

fn check(vault: &Vault) {
    assert_eq!(
        vault.setting("consent").expect("read").as_deref(),
        Some("no")
    );
    assert_eq!(
        vault.journal_all().expect("read"),
        [(b"c".to_vec(), vec![1])]
    );
    let question = Question::parse("SELECT AVG(age) FROM people", &[people()], 100);
    let answer = vault.answer(&question.expect("valid")).expect("answered");
    assert!(answer == LocalRow::number(41));
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("listed");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let passing = ["-wal", "-shm", ".lock"];
    names.retain(|name| !passing.iter().any(|end| name.ends_with(end)));
    names.sort();
    names
}

#[test]
fn an_old_vault_becomes_a_new_one_and_leaves_a_copy() {
    let (folder, path) = old_vault();
    let mut vault = Vault::open(&path, &key()).expect("opened");
    check(&vault);
    vault
        .remember(b"q", b"new")
        .expect("there is a history now");
    let copy = folder.path().join("vault.db.format-1");
    assert_eq!(names(&folder), ["vault.db", "vault.db.format-1"]);
    let mode = fs::metadata(&copy).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(&copy).expect("read");
    assert!(
        !bytes
            .windows(6)
            .any(|window| window == b"SQLite" || window == b"people")
    );
    // It is the old one, whole.
    assert_eq!(version(&raw(&copy)).expect("read"), 1);
    let again = folder.path().join("again.db");
    fs::copy(&copy, &again).expect("copied");
    let restored = Vault::open(&again, &key()).expect("opened");
    check(&restored);
    assert_eq!(restored.recall(b"q"), Ok(None));
    drop(restored);
    // This start has made it, so it stays; the next one that succeeds removes it.
    vault.started().expect("nothing to remove");
    assert!(copy.exists());
    drop(vault);
    let vault = Vault::open(&path, &key()).expect("opened");
    assert!(copy.exists(), "opening is not yet a start");
    vault.started().expect("removed");
    assert!(!copy.exists());
    check(&vault);
}

#[test]
fn an_old_vault_begins_an_empty_consent_log() {
    let (_folder, path) = old_vault();
    let mut vault = Vault::open(&path, &key()).expect("opened");
    assert_eq!(vault.check_log(None), Ok(Ok(LogEnd::empty())));
    let end = vault.log(b"first").expect("logged");
    drop(vault);
    let vault = Vault::open(&path, &key()).expect("opened");
    assert_eq!(vault.check_log(Some(end)), Ok(Ok(end)));
    check(&vault);
}

#[test]
fn the_ladder_ends_where_new_vaults_begin() {
    let (_folder, path) = old_vault();
    drop(Vault::open(&path, &key()).expect("opened"));
    let new = path.with_file_name("new.db");
    drop(Vault::create(&new, &key()).expect("created"));
    let schema = |path: &Path| -> Vec<(String, String)> {
        let connection = now(path);
        let sql = "SELECT name, sql FROM sqlite_schema WHERE name LIKE 'commonhold%' ORDER BY name";
        let mut query = connection.prepare(sql).expect("valid");
        let words = |sql: String| sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let all = query.query_map([], |row| Ok((row.get(0)?, words(row.get(1)?))));
        all.expect("read").collect::<Result<_, _>>().expect("read")
    };
    assert_eq!(schema(&path), schema(&new));
    assert_eq!(version(&now(&new)).expect("read"), SCHEMA);
}

#[test]
fn what_was_only_in_the_log_is_in_the_copy() {
    let (folder, path) = old_vault();
    let old = raw(&path);
    old.execute_batch("UPDATE commonhold_settings SET value = 'yes'")
        .expect("written");
    // The files as a power cut leaves them, nothing of the last write in the main one.
    let path = snapshot(&path, &folder.path().join("cut"));
    assert!(!is_empty(&beside(&path, "-wal")).expect("known"));
    let vault = Vault::open(&path, &key()).expect("opened");
    assert_eq!(
        vault.setting("consent").expect("read").as_deref(),
        Some("yes")
    );
    let copy = raw(&backup(&path, 1));
    let kept: String = copy
        .query_row("SELECT value FROM commonhold_settings", [], |row| {
            row.get(0)
        })
        .expect("read");
    assert_eq!(kept, "yes");
}

#[test]
fn one_that_was_cut_short_is_done_again() {
    let (folder, path) = old_vault();
    fs::write(unfinished(&path, 1), "half a copy").expect("written");
    fs::write(backup(&path, 1), "an older copy").expect("written");
    let vault = Vault::open(&path, &key()).expect("opened");
    check(&vault);
    assert_eq!(names(&folder), ["vault.db", "vault.db.format-1"]);
    assert_eq!(version(&raw(&backup(&path, 1))).expect("read"), 1);
}

#[test]
fn without_a_copy_nothing_is_changed() {
    let (_folder, path) = old_vault();
    // Something that is in the way.
    fs::create_dir(backup(&path, 1)).expect("made");
    assert!(matches!(Vault::open(&path, &key()), Err(VaultError::Io(_))));
    assert_eq!(version(&raw(&path)).expect("read"), 1);
    fs::remove_dir(backup(&path, 1)).expect("removed");
    check(&Vault::open(&path, &key()).expect("opened"));
}

#[test]
fn a_newer_vault_and_an_unfinished_one_are_left_as_they_are() {
    let (folder, path) = old_vault();
    for (format, refusal) in [
        (SCHEMA + 1, VaultError::Version { found: SCHEMA + 1 }),
        (
            i64::from(i32::MAX),
            VaultError::Version {
                found: i64::from(i32::MAX),
            },
        ),
        (-1, VaultError::Version { found: -1 }),
        (0, VaultError::Unfinished),
    ] {
        raw(&path)
            .pragma_update(None, "user_version", format)
            .expect("set");
        assert_eq!(Vault::open(&path, &key()).err(), Some(refusal));
        assert_eq!(version(&raw(&path)).expect("read"), format);
        assert_eq!(names(&folder), ["vault.db"]);
    }
    let said = VaultError::Version { found: 9 }.to_string();
    assert!(
        said.contains("format 9") && said.contains("use a newer program"),
        "{said}"
    );
}

/// Puts the vault at `path` into the pages of the format before.
fn as_before(path: &Path) {
    let to = path.with_file_name("small.db");
    drop(new_file(&to).expect("created"));
    let big = now(path);
    let name = to.to_str().expect("a name");
    big.execute("ATTACH ?1 AS small KEY ?2", (name, key().raw().as_str()))
        .expect("attached");
    big.query_row("SELECT sqlcipher_export('small')", [], |_| Ok(()))
        .expect("copied");
    big.execute_batch(
        "ALTER TABLE small.commonhold_imports DROP COLUMN person;
         ALTER TABLE small.commonhold_imports DROP COLUMN community_table;
         ALTER TABLE small.commonhold_imports DROP COLUMN replaced;
         PRAGMA small.user_version = 4",
    )
    .expect("written");
    drop(big);
    fs::rename(to, path).expect("exchanged");
}

#[test]
fn whoever_comes_meanwhile_finds_all_of_it() {
    let (folder, path) = old_vault();
    drop(Vault::open(&path, &key()).expect("opened"));
    let mut vault = Vault::open(&path, &key()).expect("opened");
    vault.started().expect("removed");
    for number in 0..100u8 {
        vault.remember(&[number], &[number; 8000]).expect("stored");
    }
    let end = vault.log(b"first").expect("logged");
    drop(vault);
    as_before(&path);
    assert_eq!(version(&raw(&path)).expect("read"), 4);
    let openers: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let vault = Vault::open(&path, &key()).expect("opened");
                check(&vault);
                assert_eq!(vault.recall(&[99]), Ok(Some(vec![99; 8000])));
                assert_eq!(vault.check_log(Some(end)), Ok(Ok(end)));
            })
        })
        .collect();
    for opener in openers {
        opener.join().expect("no fault");
    }
    assert_eq!(names(&folder), ["vault.db", "vault.db.format-4"]);
    assert_eq!(version(&raw(&backup(&path, 4))).expect("read"), 4);
    assert_eq!(version(&now(&path)).expect("read"), SCHEMA);
}
