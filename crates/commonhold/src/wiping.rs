//! Erasing what a node keeps in its folder.
//!
//! A file says that it has begun before anything is gone, and goes last. So whenever the power fails, there is a whole node,
//! or a folder that says that it was wiped, in which nothing runs and which can be wiped again.
//!
//! Without the file of keys nothing opens the vault: it is overwritten before it is deleted. What a disk does with that,
//! nobody can promise: flash memory keeps old copies of what is overwritten, and so do some file systems.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use base::NodeId;

use crate::backup::GIVEN;
use crate::files;
use crate::home::{BEGUN, Elsewhere, Home, WIPED};
use crate::witness::CONSENT_END;

/// Kept until the last: it is locked meanwhile.
pub const LOCK: &str = "lock";
/// How the names of files with secrets begin, those included that a crash left half written.
const SECRETS: [&str; 5] = ["keys.cbor", "vault.key", BEGUN, "joining.cbor", "api."];
/// How the names of a node's other files begin.
const OTHERS: [&str; 5] = [
    "vault.db",
    "descriptor.cbor",
    "members.cbor",
    CONSENT_END,
    GIVEN,
];
/// Whole names.
const LOGS: [&str; 2] = ["log", "log.1"];

/// What there is to do, in order. Each can be done again.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Say that the folder is wiped.
    Mark,
    /// Erase the vault's key where it is kept outside the folder, as long as it is known where.
    Elsewhere,
    /// Overwrite a file, and remove it.
    Erase(PathBuf),
    /// Remove a file.
    Remove(PathBuf),
    /// Have the disk forget the names.
    Sync,
    /// Say no longer that it was wiped: it is.
    Unmark,
    /// Remove the folder, if nothing else is in it.
    RemoveFolder,
}

/// A folder that is being wiped.
#[derive(Debug)]
pub struct Wiping {
    folder: PathBuf,
    node: Option<NodeId>,
    steps: VecDeque<Step>,
    elsewhere: Option<Vec<Elsewhere>>,
}

/// What is left when a folder was wiped.
#[derive(Debug)]
pub struct Wiped {
    /// In the folder, put there by no node.
    pub remaining: Vec<PathBuf>,
    /// What became of the vault's key where something outside the folder kept it; `None` where it is not known what did.
    pub elsewhere: Option<Vec<Elsewhere>>,
}

impl Wiping {
    /// Looks what there is to do for a node of this name, if it is known. Nothing is done yet.
    pub fn plan(folder: &Path, node: Option<NodeId>) -> io::Result<Self> {
        let (mut secrets, mut others) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let begins = |stems: &[&str]| stems.iter().any(|stem| name.starts_with(stem));
            if entry.file_type()?.is_dir() {
                continue;
            }
            if begins(&SECRETS) {
                secrets.push(entry.path());
            } else if begins(&OTHERS) || LOGS.contains(&&*name) {
                others.push(entry.path());
            }
        }
        secrets.sort();
        others.sort();
        let mut steps = VecDeque::from([Step::Mark, Step::Elsewhere]);
        steps.extend(secrets.into_iter().map(Step::Erase));
        steps.push_back(Step::Sync);
        steps.extend(others.into_iter().map(Step::Remove));
        steps.extend([Step::Sync, Step::Unmark, Step::RemoveFolder]);
        let folder = folder.to_path_buf();
        Ok(Self {
            folder,
            node,
            steps,
            elsewhere: None,
        })
    }

    /// Does all of it.
    pub fn finish(mut self) -> io::Result<Wiped> {
        while self.next()? {}
        let remaining = match fs::read_dir(&self.folder) {
            Ok(left) => left
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(why),
        };
        Ok(Wiped {
            remaining,
            elsewhere: self.elsewhere,
        })
    }

    /// Does the next step. Whether there was one.
    fn next(&mut self) -> io::Result<bool> {
        let Some(step) = self.steps.pop_front() else {
            return Ok(false);
        };
        let marker = self.folder.join(WIPED);
        match step {
            Step::Mark => {
                let node = self.node.map_or(String::new(), |node| node.to_string());
                files::replace(&marker, node.as_bytes())?;
            }
            Step::Elsewhere => {
                self.elsewhere = Home::at(&self.folder).erase_elsewhere().ok();
            }
            Step::Erase(path) => files::erase(&path)?,
            Step::Remove(path) => remove(&path)?,
            Step::Sync => File::open(&self.folder)?.sync_all()?,
            Step::Unmark => {
                remove(&marker)?;
                remove(&self.folder.join(LOCK))?;
            }
            Step::RemoveFolder => match fs::remove_dir(&self.folder) {
                Err(why) if why.kind() != io::ErrorKind::DirectoryNotEmpty => return Err(why),
                _ => {}
            },
        }
        Ok(true)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 15] = [
        "keys.cbor",
        "vault.key",
        "vault.db.lock",
        "keys.cbor.123.new",
        "joining.cbor",
        "api.token",
        "api.address",
        "vault.db",
        "vault.db-wal",
        "descriptor.cbor",
        "members.cbor",
        "consent.end",
        "log",
        "log.1",
        "lock",
    ];

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("node");
        fs::create_dir(&folder).expect("made");
        for name in FILES {
            fs::write(folder.join(name), "the secrets of a node").expect("written");
        }
        (above, folder)
    }

    fn plan(folder: &Path) -> Wiping {
        Wiping::plan(folder, Some(NodeId([7; 32]))).expect("planned")
    }

    fn remaining(wiping: Wiping) -> Vec<PathBuf> {
        wiping.finish().expect("wiped").remaining
    }

    #[test]
    fn nothing_of_a_node_is_left_and_nothing_else_is_touched() {
        let (_above, empty) = folder();
        assert_eq!(remaining(plan(&empty)), Vec::<PathBuf>::new());
        assert!(!empty.exists());
        let (_above, shared) = folder();
        for name in ["letters", "log.txt", "log.1/of mine"] {
            let path = shared.join(name.replace("log.1", "folder"));
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "mine").expect("written");
        }
        let mut left = remaining(plan(&shared));
        left.sort();
        let mine = ["folder", "letters", "log.txt"].map(|name| shared.join(name));
        assert_eq!(left, mine);
    }

    #[test]
    fn wherever_it_stops_there_is_a_node_or_a_folder_that_says_so_and_can_be_wiped_again() {
        let (_above, whole) = folder();
        let steps = plan(&whole).steps.len();
        assert!(steps > FILES.len());
        for stop in 0..=steps {
            let (_above, folder) = folder();
            let mut wiping = plan(&folder);
            for _ in 0..stop {
                assert!(wiping.next().expect("done"));
            }
            drop(wiping);
            let whole = FILES.iter().all(|name| {
                let kept = fs::read_to_string(folder.join(name));
                kept.is_ok_and(|kept| kept == "the secrets of a node")
            });
            let gone = FILES.iter().all(|name| !folder.join(name).exists());
            let home = Home::at(&folder);
            assert!(home.is_wiped() || gone || whole && stop == 0, "{stop}");
            if home.is_wiped() {
                assert_eq!(home.wiped(), Some(NodeId([7; 32])), "{stop}");
                assert!(home.open().is_err(), "{stop}");
            }
            if folder.exists() {
                assert_eq!(remaining(plan(&folder)), Vec::<PathBuf>::new());
            }
            assert!(!folder.exists(), "{stop}");
        }
    }

    #[test]
    fn secrets_are_overwritten_before_they_are_deleted() {
        let (_above, folder) = folder();
        let keys = folder.join("keys.cbor");
        // A second name for the same bytes on the disk.
        let other = folder.join("second");
        fs::hard_link(&keys, &other).expect("linked");
        plan(&folder).finish().expect("wiped");
        let left = fs::read(other).expect("there");
        assert_eq!(left, [0; "the secrets of a node".len()]);
    }
}
