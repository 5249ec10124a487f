//! A vault, and files to import into it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base::Rng;
use tempfile::{TempDir, tempdir};
use vault::{Export, ImportError, Options, Report, Vault, VaultKey, import};

/// When everything happens: in November 2025.
pub const NOW: i64 = 1_763_000_000;

pub fn key() -> VaultKey {
    VaultKey::generate(&mut Rng::from_number(7))
}

pub fn new_vault() -> (TempDir, PathBuf, Vault) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("vault.db");
    let vault = Vault::create(&path, &key()).expect("created");
    (folder, path, vault)
}

pub fn options() -> Options<'static> {
    Options {
        name: "a file",
        now_utc_s: NOW,
        ..Options::default()
    }
}

pub fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file.seek(SeekFrom::Start(0)).expect("sought");
    file
}

pub fn bring(vault: &mut Vault, bytes: &[u8]) -> Result<Report, ImportError> {
    bring_with(vault, bytes, &options())
}

pub fn bring_with(
    vault: &mut Vault,
    bytes: &[u8],
    options: &Options<'_>,
) -> Result<Report, ImportError> {
    import(vault, &file_of(bytes), options, &mut |_| {})
}

/// A file that comes with the source code.
pub fn own(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/files")
        .join(name);
    fs::read(path).expect("it comes with the source code")
}

/// A file that may not be copied into the project; none where the folder is absent.
pub fn lent(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/formats")
        .join(name);
    let read = fs::read(&path).ok();
    if read.is_none() {
        eprintln!("skipped: there is no {}", path.display());
    }
    read
}

/// Everything that the vault holds, table by table, as CSV.
pub fn everything(vault: &Vault) -> String {
    let mut text = String::new();
    for held in vault.held().expect("read") {
        text.push_str(&format!(
            "[{}]\n{}",
            held.table.name,
            csv(vault, &held.table.name)
        ));
    }
    text
}

pub fn csv(vault: &Vault, table: &str) -> String {
    let mut out = Vec::new();
    vault
        .export(&[table], Export::Csv, &mut out)
        .expect("exported");
    String::from_utf8(out).expect("text")
}

/// The rows of a table, without its head.
pub fn rows(vault: &Vault, table: &str) -> Vec<String> {
    csv(vault, table)
        .lines()
        .skip(1)
        .map(String::from)
        .collect()
}
