//! `backup verify`, and what the entries are.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use base::{Wire, decode};
use community::SignedDescriptor;
use serde_json::json;
use vault::VaultKey;
use vault::backup::{BackupError, Reader};
use zeroize::Zeroizing;

use super::{About, OpenerOptions, Said, Secret, VerifyOptions, home, name, unread};
use crate::cli::{FAILED, REFUSED};
use crate::data::Failed;
use crate::home::{DESCRIPTOR_BYTES_MAX, Home, Keys, Whole};

/// Longest entry but the vault.
const SMALL_BYTES_MAX: usize = 1 << 20;

/// All of a backup but the vault.
pub(super) struct Content {
    pub about: About,
    /// The node, unless the vault waits for it.
    pub whole: Option<Whole>,
    /// The vault's.
    pub key: VaultKey,
    pub members: Option<Zeroizing<Vec<u8>>>,
    pub config: Option<Zeroizing<Vec<u8>>>,
}

/// Reads everything.
pub fn verify(options: &VerifyOptions) -> Result<Said, Failed> {
    let home = home(&options.place)?;
    let (file, bytes) = (&options.file, length(&options.file)?);
    let read = match secret(&options.opener, &home)? {
        // Another node's, or of a key that was rotated since.
        Some((Whose::Here, secret)) => match read_all(file, &secret) {
            Err((_, REFUSED)) => read_all(file, &Secret::of_words(None)?),
            read => read,
        },
        Some((Whose::Named, secret)) => read_all(file, &secret),
        None => read_all(file, &Secret::of_words(None)?),
    };
    let (about, vault_bytes) = read?;
    let mut json = about.json(bytes);
    json["vault_bytes"] = json!(vault_bytes);
    let shown = file.display();
    Ok(Said {
        json,
        lines: vec![format!(
            "{shown} is whole: {bytes} bytes, {}.",
            about.words()
        )],
    })
}

enum Whose {
    /// The owner has said what opens it.
    Named,
    /// The node that lives here.
    Here,
}

/// What was named, or the key of the node that lives here.
fn secret(options: &OpenerOptions, home: &Home) -> Result<Option<(Whose, Secret)>, Failed> {
    if let Some(words) = options.words_file.as_deref() {
        return Ok(Some((Whose::Named, Secret::of_words(Some(words))?)));
    }
    if options.passphrase || options.passphrase_file.is_some() {
        let secret = Secret::of_passphrase(options.passphrase_file.as_deref())?;
        return Ok(Some((Whose::Named, secret)));
    }
    let key = match () {
        () if home.is_inhabited() => home.open_whole().ok().map(|(whole, _)| whole.key),
        () if home.is_begun() => home.open_begun().ok().map(|(key, _)| key),
        () => None,
    };
    Ok(key.map(|key| (Whose::Here, Secret::Key(key))))
}

/// Reads a backup to its end, and says what it is of and how long its vault is.
pub(super) fn read_all(file: &Path, secret: &Secret) -> Result<(About, u64), Failed> {
    let mut reader = open(file, secret)?;
    let (content, vault_bytes) = head(&mut reader).map_err(unread)?;
    reader.content(Nowhere).map_err(unread)?;
    end(&mut reader).map_err(unread)?;
    Ok((content.about, vault_bytes))
}

struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The file, with what opens it.
pub(super) fn open(file: &Path, secret: &Secret) -> Result<Reader<BufReader<File>>, Failed> {
    let opened = File::open(file).map_err(|why| unreadable(file, &why))?;
    let input = BufReader::with_capacity(1 << 20, opened);
    Reader::open(input, &secret.opener()).map_err(|why| {
        let (text, code) = unread(why);
        (format!("{}: {text}", file.display()), code)
    })
}

fn length(file: &Path) -> Result<u64, Failed> {
    let found = std::fs::metadata(file).map_err(|why| unreadable(file, &why))?;
    Ok(found.len())
}

fn unreadable(file: &Path, why: &std::io::Error) -> Failed {
    let file = file.display();
    (format!("cannot read {file}: {why}; check the path"), FAILED)
}

/// Reads all but the vault, which comes next, and is so long.
pub(super) fn head<R: Read>(reader: &mut Reader<R>) -> Result<(Content, u64), BackupError> {
    let about: About = expected(reader, name::ABOUT, SMALL_BYTES_MAX)?;
    let (whole, key) = match about.node {
        Some(_) => {
            let keys: Keys = expected(reader, name::KEYS, SMALL_BYTES_MAX)?;
            let descriptor: SignedDescriptor =
                expected(reader, name::DESCRIPTOR, DESCRIPTOR_BYTES_MAX)?;
            let whole = Whole {
                identity: keys.identity(),
                descriptor,
                key: keys.vault(),
            };
            (Some(whole), keys.vault())
        }
        None => (None, vault_key(reader)?),
    };
    let mut content = Content {
        about,
        whole,
        key,
        members: None,
        config: None,
    };
    loop {
        let entry = reader.next_entry()?.ok_or(BackupError::OtherFormat)?;
        match entry.name.as_str() {
            name::MEMBERS => content.members = Some(reader.small(SMALL_BYTES_MAX as u64)?),
            name::CONFIG => content.config = Some(reader.small(SMALL_BYTES_MAX as u64)?),
            name::VAULT => return Ok((content, entry.bytes)),
            _ => return Err(BackupError::OtherFormat),
        }
    }
}

/// The next entry, which must be the key of a vault that waits for its node.
fn vault_key<R: Read>(reader: &mut Reader<R>) -> Result<VaultKey, BackupError> {
    match reader.next_entry()? {
        Some(entry) if entry.name == name::KEY => {
            let bytes = reader.small(SMALL_BYTES_MAX as u64)?;
            let bytes = <&[u8; 32]>::try_from(&bytes[..]);
            bytes
                .map(VaultKey::from_bytes)
                .map_err(|_| BackupError::OtherFormat)
        }
        _ => Err(BackupError::OtherFormat),
    }
}

/// Whether this was all.
pub(super) fn end<R: Read>(reader: &mut Reader<R>) -> Result<(), BackupError> {
    match reader.next_entry()? {
        None => Ok(()),
        Some(_) => Err(BackupError::OtherFormat),
    }
}

/// The next entry, which must be this one.
fn expected<R: Read, T: Wire>(
    reader: &mut Reader<R>,
    name: &str,
    limit: usize,
) -> Result<T, BackupError> {
    match reader.next_entry()? {
        Some(entry) if entry.name == name => {
            let bytes = reader.small(limit as u64)?;
            // Whoever wrote it had the key, so that it is no damage.
            decode(&bytes, limit).map_err(|_| BackupError::OtherFormat)
        }
        _ => Err(BackupError::OtherFormat),
    }
}
