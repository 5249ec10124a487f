//! `backup create`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base::encode;
use community::Community;
use crypto::WORDS;
use serde_json::json;
use vault::VaultKey;
use vault::backup::Writer;
use zeroize::Zeroizing;

use super::{About, CreateOptions, GIVEN, Said, home, name, now, passphrase};
use crate::cli::{FAILED, USAGE};
use crate::data::Failed;
use crate::files;
use crate::home::{Home, HomeError, KeyError, Keys, MEMBERS, Whole, system_rng};
use crate::key_command::failed;
use crate::verify::date;

/// The copy of the vault that is read while others go on writing to it.
const SNAPSHOT: &str = "vault.db.snapshot";
/// Longest file that is kept besides the vault.
const FILE_BYTES_MAX: usize = 1 << 20;

/// A backup that was written.
pub struct Made {
    about: About,
    to: PathBuf,
    /// Its length.
    pub bytes: u64,
}

impl Made {
    /// A name that says what it is.
    pub fn usual_name(&self) -> String {
        usual(&self.about)
    }
}

/// Writes a backup.
pub fn create(options: &CreateOptions) -> Result<Said, Failed> {
    let home = home(&options.place)?;
    let config = options
        .place
        .values()
        .map_err(|why| (why.to_string(), USAGE))?;
    let secret = match options.passphrase || options.passphrase_file.is_some() {
        true => {
            let new = passphrase(options.passphrase_file.as_deref()).chosen("the backup");
            Some(new.map_err(|why| failed(KeyError::from(why).into()))?)
        }
        false => None,
    };
    let with = match secret {
        Some(_) => ", or with its passphrase",
        None => "",
    };
    let made = make(&home, &config.path, options.file.as_deref(), secret)?;
    let mut json = made.about.json(made.bytes);
    json["file"] = json!(made.to);
    Ok(Said {
        json,
        lines: vec![
            format!("{} holds {}.", made.to.display(), made.about.words()),
            format!(
                "It opens with the {WORDS} recovery words of now (commonhold key show --words){with}; keep them apart from it."
            ),
        ],
    })
}

/// Writes a backup of the node that lives in `home` to a file that is not there, or that is named after node and day.
pub fn make(
    home: &Home,
    config: &Path,
    to: Option<&Path>,
    passphrase: Option<Zeroizing<String>>,
) -> Result<Made, Failed> {
    if !home.is_inhabited() && !home.is_begun() && !home.is_orphaned() {
        return Err(failed(home.nobody()));
    }
    let (whole, key, vault) = match home.is_begun() {
        true => {
            let (key, vault) = home.open_begun().map_err(failed)?;
            (None, key, vault)
        }
        false => {
            let (whole, vault) = home.open_whole().map_err(failed)?;
            let key = whole.key.clone();
            (Some(whole), key, vault)
        }
    };
    let community = match &whole {
        Some(whole) => Community::open(whole.descriptor.clone())
            .map(|community| community.descriptor().name.clone())
            .map_err(|why| failed(HomeError::from(why)))?,
        None => String::new(),
    };
    let about = About {
        node: whole.as_ref().map(|whole| whole.identity.node()),
        community,
        made_utc_s: now().as_secs(),
        program: env!("CARGO_PKG_VERSION").into(),
    };
    let snapshot = Snapshot::begin(home)?;
    let to = match to {
        Some(to) => to.to_path_buf(),
        None => usual(&about).into(),
    };
    if to.file_name().is_some_and(|name| name == GIVEN) {
        // Of one that was killed before it was given out; nobody else is making one.
        let _ = fs::remove_file(&to);
    }
    if to.exists() {
        let to = to.display();
        return Err((format!("{to} is there already; name another file"), FAILED));
    }
    let copied = vault.copy_to(&snapshot.path, &key);
    copied.map_err(|why| failed(why.into()))?;
    drop(vault);
    let written = write(
        home,
        &to,
        &about,
        (whole.as_ref(), &key),
        &snapshot,
        config,
        passphrase,
    );
    let bytes = written.map_err(|why| {
        let to = to.display();
        (
            format!("cannot write {to}: {why}; check folder and free space"),
            FAILED,
        )
    })?;
    Ok(Made { about, to, bytes })
}

/// A name that says what it is.
fn usual(about: &About) -> String {
    let day = date(about.made_utc_s.cast_signed());
    match about.node {
        Some(node) => format!("commonhold-{}-{day}.backup", &node.to_string()[..8]),
        None => format!("commonhold-{day}.backup"),
    }
}

/// The file beside, then in its place: it is whole or not there.
fn write(
    home: &Home,
    to: &Path,
    about: &About,
    (whole, key): (Option<&Whole>, &VaultKey),
    snapshot: &Snapshot,
    config: &Path,
    passphrase: Option<Zeroizing<String>>,
) -> std::io::Result<u64> {
    let mut beside = to.as_os_str().to_owned();
    beside.push(".partial");
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let out = BufWriter::with_capacity(1 << 20, options.open(&beside)?);
    let fill = || {
        let passphrase = passphrase.as_ref().map(|text| text.as_str());
        let mut out = Writer::begin(out, key, passphrase, &mut system_rng())?;
        let mut small = |name, bytes: &[u8]| out.entry(name, bytes.len() as u64, bytes);
        small(name::ABOUT, &encode(about))?;
        match whole {
            Some(whole) => {
                let keys = Keys::of(&whole.identity, key);
                small(name::KEYS, &Zeroizing::new(encode(&keys)))?;
                small(name::DESCRIPTOR, &encode(&whole.descriptor))?;
            }
            None => small(name::KEY, key.as_bytes())?,
        }
        for (name, path) in [
            (name::MEMBERS, home.path().join(MEMBERS)),
            (name::CONFIG, config.to_path_buf()),
        ] {
            match files::read(&path, FILE_BYTES_MAX) {
                Ok(bytes) => small(name, &bytes)?,
                Err(why) if why.kind() == ErrorKind::NotFound => {}
                Err(why) => return Err(why),
            }
        }
        let vault = File::open(&snapshot.path)?;
        out.entry(name::VAULT, vault.metadata()?.len(), vault)?;
        let file = out.end()?.into_inner().map_err(|why| why.into_error())?;
        file.sync_all()?;
        file.metadata().map(|found| found.len())
    };
    let filled = fill().and_then(|bytes| {
        // A file that came to be there meanwhile is not overwritten.
        fs::hard_link(&beside, to).or_else(|why| match why.kind() {
            ErrorKind::AlreadyExists => Err(why),
            // Some file systems have no second names.
            _ => fs::rename(&beside, to),
        })?;
        Ok(bytes)
    });
    // What is left of it is of no use.
    let _ = fs::remove_file(&beside);
    let bytes = filled?;
    File::open(files::folder_of(to))?.sync_all()?;
    Ok(bytes)
}

/// Gone when this is; one that a killed process has left goes with the next.
struct Snapshot {
    path: PathBuf,
    _lock: File,
}

impl Snapshot {
    /// A place for a copy that nobody else uses.
    fn begin(home: &Home) -> Result<Self, Failed> {
        let path = home.path().join(SNAPSHOT);
        let cannot = |why: std::io::Error| {
            let folder = home.path().display();
            (
                format!("cannot write to {folder}: {why}; check its permissions"),
                FAILED,
            )
        };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(home.path().join(format!("{SNAPSHOT}.lock")));
        let lock = lock.map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = "another backup of this node is being made; wait until it is there";
                return Err((why.into(), FAILED));
            }
            Err(TryLockError::Error(why)) => return Err(cannot(why)),
        }
        let snapshot = Self { path, _lock: lock };
        snapshot.remove();
        Ok(snapshot)
    }

    fn remove(&self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.path.as_os_str().to_owned();
            path.push(suffix);
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.remove();
    }
}
