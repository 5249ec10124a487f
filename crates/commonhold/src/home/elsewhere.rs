//! A vault's key that is kept outside the node's folder: in a file that its owner has named, or in the keyring.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::protection::{self, KeyError, Protection, Slot};
use super::{Home, HomeError, files};

/// What became of a key that was to be erased there.
#[derive(Debug)]
pub struct Elsewhere {
    /// What kept it, in words for its owner.
    pub what: String,
    /// Why it is still there, if it is.
    pub left: Option<String>,
}

impl Home {
    /// Erases the vault's key where something outside the folder keeps it. What cannot be reached is told, and no failure.
    pub fn erase_elsewhere(&self) -> Result<Vec<Elsewhere>, HomeError> {
        let (_, slots) = self.slots()?;
        let files = named(&slots).into_iter().map(|path| Elsewhere {
            what: protection::told_file(path),
            left: erase(path, &slots).err().map(|why| why.to_string()),
        });
        let in_keyring = slots
            .iter()
            .filter(|slot| slot.protection == Protection::Keyring);
        let keyring = in_keyring.map(|slot| Elsewhere {
            what: slot.told(self.path()),
            left: slot.forget_in_keyring().err(),
        });
        Ok(files.chain(keyring).collect())
    }
}

/// Erases what killed processes have left beside the files that keep these keys; one on a stick that is not there has to wait.
pub fn tidy(slots: &[Slot]) {
    for path in named(slots) {
        drop(tidy_beside(path, false));
    }
}

/// The same beside one file; what was left this minute too, if `all`.
pub fn tidy_beside(path: &Path, all: bool) -> io::Result<()> {
    files::tidy_beside(path, all, protection::may_be_keys)
}

/// The files that their owner has named.
fn named(slots: &[Slot]) -> BTreeSet<&Path> {
    let files = slots.iter().filter_map(|slot| match &slot.protection {
        Protection::File(Some(path)) => Some(Path::new(path)),
        _ => None,
    });
    files.collect()
}

/// Takes the keys that these slots are for out of the file; the file goes when there is no other.
fn erase(path: &Path, slots: &[Slot]) -> io::Result<()> {
    let keys = protection::read_file(path).map_err(|why| match why {
        KeyError::File { why, .. } => why,
        why => io::Error::other(why),
    })?;
    let (ours, others): (Vec<_>, Vec<_>) = keys
        .into_iter()
        .partition(|key| slots.iter().any(|slot| slot.open(key).is_some()));
    match (ours.is_empty(), others.is_empty()) {
        (true, _) => return Err(io::Error::other("it holds no key of this vault")),
        (false, true) => files::erase(path)?,
        (false, false) => files::replace_and_erase(path, protection::lines(&others).as_bytes())?,
    }
    tidy_beside(path, true)?;
    std::fs::File::open(files::folder_of(path))?.sync_all()
}
