//! The file: creating and opening it, and what it keeps besides the data.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use community::{Kind, Table};
use question::quoted;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use crate::alone::{Alone, Shared};
use crate::copying::new_file;
use crate::error::{ImportError, VaultError};
use crate::key::VaultKey;
use crate::migration::{SCHEMA, forget_backups, migrate, present};
use crate::rows::check_name;

/// Most bytes of the name of a table, column, setting or journal entry.
pub const MAX_NAME: usize = 256;

/// Most bytes of a setting.
pub const MAX_SETTING: usize = 4096;

/// Most bytes of a journal entry.
pub const MAX_JOURNAL_VALUE: usize = 2 << 20;

/// How long one process waits for another that is writing. An import is one transaction, however long it takes, and a node
/// that runs meanwhile must not take that for a broken disk.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kilobytes of the file that stay decrypted for the next question. A million rows have some 40 MB, of which decrypting takes
/// two thirds of the time of a question (measured: BENCHMARKS.md).
const READ_KB: u32 = 64 << 10;

/// How pages are encrypted, besides what SQLCipher does anyway: AES-256, and a code over each page that nobody can make without
/// the key. SHA-256 has instructions in processors of today, and what each page costs apart from its length is spent half as
/// often (measured: BENCHMARKS.md).
const CIPHER: &str = "PRAGMA cipher_page_size = 8192; PRAGMA cipher_hmac_algorithm = HMAC_SHA256";

/// Pages that are worth giving back to the disk: 16 MB.
const FREE_MIN: i64 = 2048;
/// Pages that are written anew for it at most, in memory: 64 MB.
const USED_MAX: i64 = 8192;

/// Names that belong to the vault itself and to SQLite.
const RESERVED: [&str; 2] = ["commonhold_", "sqlite_"];

/// Largest encoded declaration of a table that is read back: 2000 columns of 32 words of 64 bytes.
const MAX_DECLARATION: usize = 8 << 20;

const CREATE: &str = "
    CREATE TABLE commonhold_tables (
        name TEXT PRIMARY KEY COLLATE NOCASE, declaration BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_journal (
        key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_history (
        key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_settings (
        name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_imports (
        import INTEGER PRIMARY KEY, name TEXT NOT NULL, format TEXT NOT NULL, bytes INTEGER NOT NULL,
        at_utc_s INTEGER NOT NULL, kept INTEGER NOT NULL, duplicate INTEGER NOT NULL, undone_utc_s INTEGER, person TEXT,
        community_table TEXT, replaced BLOB) STRICT;
    CREATE TABLE commonhold_skipped (
        import INTEGER NOT NULL, reason TEXT NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (import, reason)) STRICT, WITHOUT ROWID;
    CREATE TABLE commonhold_consent (
        number INTEGER PRIMARY KEY, entry BLOB NOT NULL, digest BLOB NOT NULL) STRICT;";

/// Key and value of an entry of the journal.
pub type JournalEntry = (Vec<u8>, Vec<u8>);

/// One owner's encrypted data. Only one process should have it open.
pub struct Vault {
    path: PathBuf,
    /// Whether it had another format when it was opened.
    migrated: bool,
    /// Reads only; questions run here. Closed before the writer, since who closes last tidies the log away and must be able
    /// to write.
    pub(crate) reader: RefCell<Connection>,
    pub(crate) writer: Connection,
    /// Given back after the connections, which come before it.
    _held: Shared,
}

impl Vault {
    /// Creates a vault in a new file that only its owner's account may read (mode 0600).
    ///
    /// # Errors
    ///
    /// [`VaultError::Exists`] if there is a file already: a vault is never overwritten.
    pub fn create(path: &Path, key: &VaultKey) -> Result<Self, VaultError> {
        let held = Shared::take(path)?;
        new_file(path)?;
        let mut writer = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let transaction = writer.transaction()?;
        transaction.execute_batch(CREATE)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()?;
        Self::ready(path, key, writer, false, held)
    }

    /// Opens the vault at `path`. One of an older format is brought to the present one; a copy of it as it was is left
    /// beside it, `vault.db.format-1` for example.
    ///
    /// # Errors
    ///
    /// [`VaultError::WrongKey`] if the key does not decrypt and authenticate its first page, and others if there is no
    /// file, or one that this program cannot use.
    pub fn open(path: &Path, key: &VaultKey) -> Result<Self, VaultError> {
        if !path.try_exists()? {
            return Err(VaultError::NotFound(path.to_path_buf()));
        }
        let held = Shared::take(path)?;
        Self::open_held(path, key, held)?.map_err(|_| VaultError::WrongKey)
    }

    /// The same for one who holds the vault at `path` already; if the key does not fit, it is held further.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but for a key that does not fit.
    pub fn open_held(
        path: &Path,
        key: &VaultKey,
        held: Shared,
    ) -> Result<Result<Self, Shared>, VaultError> {
        if !path.try_exists()? {
            return Err(VaultError::NotFound(path.to_path_buf()));
        }
        // SQLite does not say why a file cannot be opened.
        OpenOptions::new().read(true).write(true).open(path)?;
        match present(path, key) {
            Err(VaultError::WrongKey) => return Ok(Err(held)),
            Ok(Some(writer)) => return Self::ready(path, key, writer, false, held).map(Ok),
            Ok(None) => {}
            Err(why) => return Err(why),
        }
        // Whoever writes the file anew must be alone.
        drop(held);
        let migrated = migrate(&Alone::wait_for(path)?, key)?;
        let held = Shared::take(path)?;
        let writer = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Self::ready(path, key, writer, migrated, held).map(Ok)
    }

    /// The program works with this vault: copies of older formats go, unless this run has made one.
    ///
    /// # Errors
    ///
    /// A copy that cannot be deleted.
    pub fn started(&self) -> Result<(), VaultError> {
        match self.migrated {
            true => Ok(()),
            false => forget_backups(&self.path),
        }
    }

    /// Stores `value` under `key`, in place of what was there. It is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`VaultError::TooLong`] beyond [`MAX_NAME`] and [`MAX_JOURNAL_VALUE`]; otherwise a failure to write.
    pub fn journal_put(&mut self, key: &[u8], value: &[u8]) -> Result<(), VaultError> {
        if key.len() > MAX_NAME || value.len() > MAX_JOURNAL_VALUE {
            return Err(VaultError::TooLong);
        }
        self.writer.execute(
            "INSERT OR REPLACE INTO commonhold_journal (key, value) VALUES (?1, ?2)",
            (key, value),
        )?;
        Ok(())
    }

    /// Forgets what was stored under `key`, if anything was.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn journal_remove(&mut self, key: &[u8]) -> Result<(), VaultError> {
        let forget = "DELETE FROM commonhold_journal WHERE key = ?1";
        self.writer.execute(forget, [key])?;
        Ok(())
    }

    /// Everything in the journal, by key.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn journal_all(&self) -> Result<Vec<JournalEntry>, VaultError> {
        let mut query = self
            .writer
            .prepare("SELECT key, value FROM commonhold_journal ORDER BY key")?;
        let entries = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// The setting called `name`, if it was ever set.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn setting(&self, name: &str) -> Result<Option<String>, VaultError> {
        let sql = "SELECT value FROM commonhold_settings WHERE name = ?1";
        Ok(self
            .writer
            .query_row(sql, [name], |row| row.get(0))
            .optional()?)
    }

    /// Sets the setting called `name`. It is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`VaultError::TooLong`] beyond [`MAX_NAME`] and [`MAX_SETTING`]; otherwise a failure to write.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<(), VaultError> {
        if name.len() > MAX_NAME || value.len() > MAX_SETTING {
            return Err(VaultError::TooLong);
        }
        self.writer.execute(
            "INSERT OR REPLACE INTO commonhold_settings (name, value) VALUES (?1, ?2)",
            (name, value),
        )?;
        Ok(())
    }

    /// The declaration under which the table called `name` was imported, if there is data for it.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn table(&self, name: &str) -> Result<Option<Table>, VaultError> {
        declaration(&self.writer, name)
    }

    /// Where the data of the table called `name` begins in the file, as the connection knows that reads. It is asked itself,
    /// under no rules for this once: only a statement that runs has it notice that a table has moved.
    pub(crate) fn root_page(&self, name: &str) -> Result<i64, VaultError> {
        let mut reader = self.reader.borrow_mut();
        reader.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        reader.progress_handler(0, None::<fn() -> bool>)?;
        let sql = "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'";
        let mut tables = reader.prepare(sql)?;
        let mut rows = tables.query([])?;
        while let Some(row) = rows.next()? {
            let found: String = row.get(0)?;
            if found.eq_ignore_ascii_case(name) {
                return Ok(row.get(1)?);
            }
        }
        Err(VaultError::NoTable(name.to_owned()))
    }

    /// Gives the disk back what rows have left that are gone, where that is quick: most of the file is free, and little is in
    /// use. Otherwise it is used again by what comes. Does nothing where somebody else is writing.
    pub(crate) fn give_back(&self) {
        let pages = |pragma: &str| -> rusqlite::Result<i64> {
            self.writer.query_row(pragma, [], |row| row.get(0))
        };
        let (Ok(all), Ok(free)) = (pages("PRAGMA page_count"), pages("PRAGMA freelist_count"))
        else {
            return;
        };
        if free >= FREE_MIN && all - free <= USED_MAX {
            let written = self.writer.execute_batch("VACUUM");
            let cut = written.and_then(|()| {
                self.writer
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            });
            // The rows are gone either way.
            drop(cut);
        }
    }

    /// Begins to write: all of it takes effect at the commit, or none.
    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>, VaultError> {
        Ok(self
            .writer
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    fn ready(
        path: &Path,
        key: &VaultKey,
        writer: Connection,
        migrated: bool,
        held: Shared,
    ) -> Result<Self, VaultError> {
        // FULL: a commit has reached the disk when it returns, which the journal promises.
        writer.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        writer.execute_batch("PRAGMA synchronous = FULL")?;
        let reader = connect(path, key, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.execute_batch(&format!("PRAGMA cache_size = -{READ_KB}"))?;
        Ok(Self {
            path: path.to_path_buf(),
            migrated,
            writer,
            reader: RefCell::new(reader),
            _held: held,
        })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(secret)")
    }
}

/// The declaration of the table called `name`, if there is data for it.
pub(crate) fn declaration(
    connection: &Connection,
    name: &str,
) -> Result<Option<Table>, VaultError> {
    let sql = "SELECT declaration FROM commonhold_tables WHERE name = ?1";
    let bytes: Option<Vec<u8>> = connection
        .query_row(sql, [name], |row| row.get(0))
        .optional()?;
    bytes
        .map(|bytes| base::decode(&bytes, MAX_DECLARATION))
        .transpose()
        .map_err(|error| VaultError::Database(format!("a table's declaration: {error}")))
}

/// Creates the table, with `more` after its columns and these `options`, and remembers its declaration.
pub(crate) fn declare(
    connection: &Connection,
    table: &Table,
    more: &str,
    options: &str,
) -> Result<(), VaultError> {
    let column = |column: &community::Column| {
        let kind = match column.kind {
            Kind::Number(_) => "INTEGER",
            Kind::Category(_) | Kind::Text => "TEXT",
        };
        format!("{} {kind}", quoted(&column.name))
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    let (name, columns) = (quoted(&table.name), columns.join(", "));
    let options = [options, "STRICT"].into_iter().filter(|it| !it.is_empty());
    let options = options.collect::<Vec<_>>().join(", ");
    connection.execute(
        &format!("CREATE TABLE {name} ({columns}{more}) {options}"),
        [],
    )?;
    connection.execute(
        "INSERT OR REPLACE INTO commonhold_tables (name, declaration) VALUES (?1, ?2)",
        (&table.name, base::encode(table)),
    )?;
    Ok(())
}

/// Checks that `name` can name a data table.
pub(crate) fn check_table_name(name: &str) -> Result<(), ImportError> {
    check_name(name)?;
    let lower = name.to_ascii_lowercase();
    if RESERVED.iter().any(|prefix| lower.starts_with(prefix)) {
        return Err(ImportError::BadName {
            name: name.to_string(),
        });
    }
    Ok(())
}

/// Connects and proves that the key fits. One at a time in a process: where eight vaults were opened at the same moment, in 6
/// of 200 processes one was refused as if its key were wrong, in none with the lock (measured).
pub(crate) fn connect(
    path: &Path,
    key: &VaultKey,
    mode: OpenFlags,
) -> Result<Connection, VaultError> {
    connect_as(CIPHER, path, key, mode)
}

/// The same for a file whose pages are encrypted as `cipher` says.
pub(crate) fn connect_as(
    cipher: &str,
    path: &Path,
    key: &VaultKey,
    mode: OpenFlags,
) -> Result<Connection, VaultError> {
    static OPENING: Mutex<()> = Mutex::new(());
    // It guards nothing that a panic could have left half done.
    let _one = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    // SQLCipher otherwise writes to the standard error what it returns as an error as well.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    // The statement holds the key, and an error would hold the statement: nothing of it may go on. The copy that SQLite
    // leaves of it is overwritten by the statements that follow (`tests/memory`).
    connection
        .execute_batch(&key.pragma())
        .map_err(|_| VaultError::WrongKey)?;
    connection.execute_batch(cipher)?;
    for (option, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        // A misspelt column is an error, not a string.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
    ] {
        connection.set_db_config(option, on)?;
    }
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// The file of this vault whose name ends so.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use base::Rng;
    use tempfile::tempdir;

    use super::*;
    use crate::import::import_csv;
    use crate::propose::propose;

    const CSV: &str = "person,town,salary\nada,Quixotetown,4242424242\nbob,Elsewhere,17\n";

    fn key(number: u64) -> VaultKey {
        VaultKey::generate(&mut Rng::from_number(number))
    }

    fn error<T>(result: Result<T, VaultError>) -> VaultError {
        result.err().expect("refused")
    }

    #[test]
    fn keeps_everything_across_restarts() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        vault.journal_put(b"vote", b"first").expect("stored");
        vault.journal_put(b"vote", b"second").expect("stored");
        vault.journal_put(b"done \x00\xff", b"").expect("stored");
        vault.journal_put(b"old", b"over").expect("stored");
        vault.journal_remove(b"old").expect("removed");
        vault
            .journal_remove(b"never there")
            .expect("nothing to remove");
        vault.set_setting("consent", "ask").expect("stored");
        vault.set_setting("consent", "yes").expect("stored");
        drop(vault);
        let vault = Vault::open(&path, &key(1)).expect("opened");
        assert_eq!(
            vault.journal_all().expect("read"),
            [
                (b"done \x00\xff".to_vec(), vec![]),
                (b"vote".to_vec(), b"second".to_vec())
            ]
        );
        assert_eq!(
            vault.setting("consent").expect("read").as_deref(),
            Some("yes")
        );
        assert_eq!(vault.setting("other").expect("read"), None);
    }

    #[test]
    fn what_the_journal_took_is_on_the_disk() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        vault.journal_put(b"vote", b"yes").expect("stored");
        // The files as a power cut would leave them: nobody closes the vault.
        let copy = snapshot(&path, &folder.path().join("copy"));
        let copy = Vault::open(&copy, &key(1)).expect("opened");
        assert_eq!(
            copy.journal_all().expect("read"),
            [(b"vote".to_vec(), b"yes".to_vec())]
        );
    }

    /// Otherwise what one import wrote would take its place on the disk twice.
    #[test]
    fn a_vault_that_is_closed_is_one_file() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        vault.journal_put(b"vote", b"yes").expect("stored");
        assert_eq!(vault.journal_all().expect("read").len(), 1);
        let log = beside(&path, "-wal");
        assert!(fs::exists(&log).expect("known"));
        drop(vault);
        assert!(!fs::exists(&log).expect("known"));
        let again = Vault::open(&path, &key(1)).expect("opened");
        assert_eq!(again.journal_all().expect("read").len(), 1);
    }

    /// Copies the vault's files into `folder`, where they can be opened.
    pub(crate) fn snapshot(path: &Path, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).expect("a folder");
        for suffix in ["", "-wal"] {
            let from = format!("{}{suffix}", path.display());
            let to = folder.join(format!("vault.db{suffix}"));
            if fs::exists(&from).expect("known") {
                fs::copy(from, to).expect("copied");
            }
        }
        folder.join("vault.db")
    }

    #[test]
    fn nothing_is_written_in_the_clear() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        let table = propose(CSV.as_bytes(), "wanderlust")
            .expect("proposed")
            .table;
        import_csv(&mut vault, CSV.as_bytes(), &table, None).expect("imported");
        vault
            .set_setting("consent_rule_xyz", "yes")
            .expect("stored");
        vault
            .journal_put(b"journal_key_xyz", b"journal_value_xyz")
            .expect("stored");
        let mut looked_at = 0;
        for closed in [false, true] {
            for entry in fs::read_dir(folder.path()).expect("listed") {
                let bytes = fs::read(entry.expect("an entry").path()).expect("read");
                looked_at += bytes.len();
                for plain in [
                    &b"SQLite format 3"[..],
                    b"CREATE TABLE",
                    b"wanderlust",
                    b"commonhold_",
                    b"Quixotetown",
                    b"salary",
                    b"consent_rule_xyz",
                    b"journal_value_xyz",
                    &4_242_424_242i64.to_be_bytes()[2..],
                ] {
                    let found = bytes.windows(plain.len()).any(|window| window == plain);
                    assert!(!found, "{} is readable", String::from_utf8_lossy(plain));
                }
            }
            if !closed {
                drop(std::mem::replace(&mut vault, {
                    let other = folder.path().join("other.db");
                    Vault::create(&other, &key(2)).expect("created")
                }));
            }
        }
        assert!(looked_at > 50_000, "only {looked_at} bytes were looked at");
    }

    #[test]
    fn only_its_owner_may_read_the_files() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        vault.journal_put(b"a", b"b").expect("stored");
        let mut files = 0;
        for entry in fs::read_dir(folder.path()).expect("listed") {
            let mode = entry
                .expect("an entry")
                .metadata()
                .expect("known")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
            files += 1;
        }
        assert!(files >= 2, "the write-ahead log has the mode of the file");
    }

    #[test]
    fn refuses_wrong_keys_and_files_that_are_no_vaults() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        assert_eq!(
            error(Vault::open(&path, &key(1))),
            VaultError::NotFound(path.clone())
        );
        drop(Vault::create(&path, &key(1)).expect("created"));
        assert_eq!(error(Vault::open(&path, &key(2))), VaultError::WrongKey);
        assert_eq!(
            error(Vault::create(&path, &key(1))),
            VaultError::Exists(path.clone())
        );

        let plain = folder.path().join("plain.db");
        let database = Connection::open(&plain).expect("opened");
        database
            .execute_batch("CREATE TABLE t (a)")
            .expect("created");
        drop(database);
        assert_eq!(error(Vault::open(&plain, &key(1))), VaultError::WrongKey);

        let text = folder.path().join("text.db");
        fs::write(
            &text,
            "not a database at all, but long enough to look at".repeat(200),
        )
        .expect("written");
        assert_eq!(error(Vault::open(&text, &key(1))), VaultError::WrongKey);

        let empty = folder.path().join("empty.db");
        fs::write(&empty, "").expect("written");
        assert_eq!(error(Vault::open(&empty, &key(1))), VaultError::Unfinished);

        let nowhere = folder.path().join("nowhere/vault.db");
        assert_eq!(
            error(Vault::create(&nowhere, &key(1))),
            VaultError::Io(std::io::ErrorKind::NotFound)
        );
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        drop(Vault::create(&path, &key(1)).expect("created"));
        let mut bytes = fs::read(&path).expect("read");
        bytes[100] ^= 1;
        fs::write(&path, bytes).expect("written");
        assert_eq!(error(Vault::open(&path, &key(1))), VaultError::WrongKey);
    }

    #[test]
    fn a_changed_page_is_found_by_who_looks() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        vault.remember(b"a", &[7; 30_000]).expect("stored");
        vault.check_pages().expect("as it was written");
        drop(vault);
        let mut bytes = fs::read(&path).expect("read");
        // Not the first page, which opening reads.
        for at in (0..bytes.len()).step_by(8192).skip(1) {
            bytes[at + 100] ^= 1;
        }
        fs::write(&path, bytes).expect("written");
        let vault = Vault::open(&path, &key(1)).expect("opened: its first page is well");
        assert!(matches!(vault.check_pages(), Err(VaultError::Damaged(_))));
        // Nor is it copied, which would give wrong bytes a code that holds.
        let copied = vault.copy_to(&folder.path().join("copy"), &key(2));
        assert!(matches!(copied, Err(VaultError::Damaged(_))), "{copied:?}");
        let read = vault.recall(b"a").expect_err("damaged");
        assert!(matches!(read, VaultError::Damaged(_)), "{read}");
    }

    #[test]
    fn what_is_gone_takes_no_room() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let mut vault = Vault::create(&path, &key(1)).expect("created");
        vault.remember(b"a", b"b").expect("stored");
        let length = || fs::metadata(&path).expect("there").len();
        for (bytes, least) in [(30_000_000, 30_000_000), (1_000_000, 900_000)] {
            let sql = format!(
                "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob({bytes})); DROP TABLE t"
            );
            vault.writer.execute_batch(&sql).expect("written");
            vault
                .writer
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .expect("written");
            assert!(length() > least);
            vault.give_back();
            // What is little is used again.
            assert_eq!(length() < 200_000, bytes > 20_000_000, "{}", length());
            assert_eq!(vault.recall(b"a"), Ok(Some(b"b".to_vec())));
            vault.check_pages().expect("well");
        }
    }

    #[test]
    fn bounds_what_it_stores() {
        let folder = tempdir().expect("a folder");
        let mut vault = Vault::create(&folder.path().join("v"), &key(1)).expect("created");
        let long = "x".repeat(MAX_SETTING + 1);
        assert_eq!(vault.set_setting("a", &long), Err(VaultError::TooLong));
        assert_eq!(vault.set_setting(&long, "a"), Err(VaultError::TooLong));
        assert_eq!(
            vault.journal_put(&[0; MAX_NAME + 1], b""),
            Err(VaultError::TooLong)
        );
        let large = vec![0; MAX_JOURNAL_VALUE + 1];
        assert_eq!(vault.journal_put(b"a", &large), Err(VaultError::TooLong));
        assert_eq!(vault.journal_put(b"a", &large[1..]), Ok(()));
    }

    #[test]
    fn errors_say_what_to_do_and_hold_no_key() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let vault = Vault::create(&path, &key(1)).expect("created");
        let hex = &key(2).pragma()[16..40].to_string();
        let text = format!(
            "{vault:?} {:?} {}",
            Vault::open(&path, &key(2)),
            VaultError::WrongKey
        );
        assert!(!text.contains(hex));
        assert!(text.contains("use the key that it was created with"));
    }

    #[test]
    fn can_be_moved_to_a_thread() {
        fn is_send<T: Send>() {}
        is_send::<Vault>();
    }
}
