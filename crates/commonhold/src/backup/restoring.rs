//! `backup restore`.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::Path;

use serde_json::json;
use thiserror::Error;
use vault::backup::{BackupError, Reader};
use vault::{Vault, VaultError};

use super::reading::{Content, end, head, open, read_all};
use super::{RestoreOptions, Said, Secret, home, now, unread};
use crate::cli::{FAILED, REFUSED, USAGE};
use crate::daemon::Claimed;
use crate::data::Failed;
use crate::files;
use crate::home::{Choice, Home, HomeError, KeyError, MEMBERS, system_rng};
use crate::key_command::failed;
use crate::passphrase::OF_BACKUP;
use crate::wiping::LOCK;

/// Where the configuration of the backup is put if there is one already.
const CONFIG_BESIDE: &str = "config.restored.toml";

#[derive(Debug, Error)]
enum RestoreError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Backup(#[from] BackupError),
}

impl From<VaultError> for RestoreError {
    fn from(why: VaultError) -> Self {
        Self::Home(why.into())
    }
}

impl RestoreError {
    fn told(self) -> Failed {
        match self {
            Self::Home(why) => failed(why),
            Self::Backup(why) => unread(why),
        }
    }
}

/// Makes the node of the backup live here.
pub fn restore(options: &RestoreOptions) -> Result<Said, Failed> {
    let home = home(&options.place)?;
    let folder = home.path().display();
    if home.is_inhabited() {
        let why = format!(
            "a node lives in {folder} already; restore to another folder with --dir DIR, move that one away, or wipe that node first: commonhold leave --wipe"
        );
        return Err((why, REFUSED));
    }
    if home.is_begun() {
        let why = format!(
            "a vault that waits for its node is in {folder}; restore to another folder with --dir DIR, or move it away"
        );
        return Err((why, REFUSED));
    }
    let choice = options.keeper.choice();
    let choice = choice.map_err(|why| failed(KeyError::from(why).into()))?;
    let choice = choice.unwrap_or(Choice::File(None));
    let secret = match &options.passphrase_file {
        Some(file) => Secret::of_passphrase(Some(file))?,
        None if options.words_file.is_none() && std::env::var_os(OF_BACKUP).is_some() => {
            Secret::of_passphrase(None)?
        }
        None => Secret::of_words(options.words_file.as_deref())?,
    };
    let mut reader = open(&options.file, &secret)?;
    let (content, _) = head(&mut reader).map_err(unread)?;
    let above = home.path().ancestors();
    let missing = above.take_while(|it| !it.as_os_str().is_empty() && !it.exists());
    let made: Vec<&Path> = missing.collect();
    files::make_folder(home.path()).map_err(|why| {
        let why = format!("cannot make {folder}: {why}; check the folder above it");
        (why, FAILED)
    })?;
    // Nobody restores to the same folder meanwhile.
    let _held = Claimed::hold(home.path()).map_err(|why| (why.to_string(), FAILED))?;
    settle(&home, &content, reader, &choice).inspect_err(|_| leave_nothing(&home, &made))?;
    let values = options.place.values();
    let usual = values.map_err(|why| (why.to_string(), USAGE))?.path;
    let config = configured(&usual, &home, &content);
    told(&home, &content, config)
}

/// Of a backup that could not be restored. What cannot be removed either is told of by whoever meets it.
fn leave_nothing(home: &Home, made: &[&Path]) {
    drop(home.give_up());
    drop(fs::remove_file(home.path().join(LOCK)));
    // One with anything in it stays, and so do those that it is in.
    let _ = made.iter().try_for_each(fs::remove_dir);
}

/// What came of a backup that was restored over a vault that nobody needs.
pub struct Restored {
    /// The community of the node, if there is a node.
    pub community: Option<String>,
    /// What became of the configuration in the backup, in words, if it has one.
    pub config: Option<String>,
}

/// Makes what `file` holds live where an empty vault waits for its node. All of the file is read before anything is changed.
/// The vault must be closed, and nobody else may use the folder.
pub fn over(home: &Home, usual: &Path, file: &Path, secret: &Secret) -> Result<Restored, Failed> {
    let (_, vault) = home.open_begun().map_err(failed)?;
    let held = vault.held().map_err(|why| failed(why.into()))?;
    drop(vault);
    // Tables whose imports were undone are still there, without rows.
    if held.iter().any(|held| held.rows > 0) {
        let why = "this vault holds data already, which would be lost; delete them first, or restore to another folder: commonhold backup restore FILE --dir DIR";
        return Err((why.into(), REFUSED));
    }
    read_all(file, secret)?;
    let mut reader = open(file, secret)?;
    let (content, _) = head(&mut reader).map_err(unread)?;
    home.abandon().map_err(failed)?;
    settle(home, &content, reader, &Choice::File(None))?;
    let node = content.about.node;
    Ok(Restored {
        community: node.map(|_| content.about.community.clone()),
        config: configured(usual, home, &content),
    })
}

/// Makes the vault, and the node if there is one, of what comes next in the backup.
fn settle(
    home: &Home,
    content: &Content,
    mut reader: Reader<BufReader<File>>,
    choice: &Choice,
) -> Result<(), Failed> {
    let restored_at = now();
    let make = |path: &Path| {
        let io = |why: std::io::Error| HomeError::Io {
            path: path.to_path_buf(),
            why,
        };
        let file = files::create(path).map_err(io)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        reader.content(&mut out)?;
        let file = out.into_inner().map_err(|why| io(why.into_error()))?;
        file.sync_all().map_err(io)?;
        // Not before the last byte was seen to be the writer's.
        end(&mut reader)?;
        if let Some(members) = &content.members {
            files::replace(&home.path().join(MEMBERS), members).map_err(io)?;
        }
        let mut vault = Vault::open(path, &content.key)?;
        if content.whole.is_some() {
            // What it promised after the backup was made it does not know.
            let (key, value) = node::entry_of_restore(restored_at);
            vault.journal_put(&key, &value)?;
        }
        Ok::<_, RestoreError>(vault)
    };
    let rng = &mut system_rng();
    let made = match &content.whole {
        Some(whole) => home.settle(whole, choice, rng, make),
        None => home.begin_with(&content.key, choice, rng, make),
    };
    drop(made.map_err(RestoreError::told)?);
    Ok(())
}

/// Puts the configuration where it counts, if none is there and it does not name another folder; or beside the node.
fn configured(usual: &Path, home: &Home, content: &Content) -> Option<String> {
    let config = content.config.as_ref()?;
    let fits = !usual.exists() && {
        let text = std::str::from_utf8(config).unwrap_or_default();
        let table: Result<toml::Table, _> = text.parse();
        table.is_ok_and(|table| !table.contains_key("folder"))
    };
    let path = match fits {
        true => usual.to_path_buf(),
        false => home.path().join(CONFIG_BESIDE),
    };
    let written = path
        .parent()
        .map_or(Ok(()), files::make_folder)
        .and_then(|()| files::replace(&path, config));
    let path = path.display();
    Some(match written {
        Ok(()) if fits => format!("Its configuration is in {path}."),
        Ok(()) => format!(
            "Its configuration is in {path}; take over into {} what you want of it.",
            usual.display()
        ),
        // The node is there: this is no reason to begin again.
        Err(why) => format!("Its configuration cannot be written to {path}: {why}."),
    })
}

fn told(home: &Home, content: &Content, config: Option<String>) -> Result<Said, Failed> {
    let (protection, kept_by) = home.protection().map_err(failed)?;
    let mut json = content.about.json(0);
    json["folder"] = json!(home.path());
    json["kept_by"] = json!(protection.kind());
    json.as_object_mut().map(|json| json.remove("bytes"));
    let mut lines = vec![
        format!(
            "In {} lives {}.",
            home.path().display(),
            content.about.words()
        ),
        format!(
            "The key of its vault is kept by {kept_by}; its recovery words are those of the backup."
        ),
    ];
    if content.whole.is_some() {
        lines.extend([
            "It leaves questions alone that were asked before now: it cannot know which of them it has contributed to.".into(),
            "Where it lived before it must not run again: of two that run under one name, one is stopped.".into(),
        ]);
    }
    lines.extend(config);
    Ok(Said { json, lines })
}
