//! What the owner does with the node itself, whether it belongs to a community or not: its name, the recovery words, the
//! vault's key, backups.
//!
//! Whoever may speak to the API could read the vault's key from its file as well. Where a passphrase keeps it, that is not
//! so: then the words and another key are for those alone who know the passphrase.

use std::fs::{self, File};
use std::path::Path;

use api::{
    Backup, Beginning, Fault, Kind, NewBackup, NewBeginning, NewKey, NewRestore, RecoveryWords,
    Reply, Request, Restored, Secret, ShowWords,
};
use tokio::task::spawn_blocking;
use vault::Vault;
use vault::backup::BackupError;
use zeroize::Zeroizing;

use crate::backup;
use crate::cli::FAILED;
use crate::config::Config;
use crate::daemon::core::holding::{broken, with_vault};
use crate::files;
use crate::home::{Choice, Home, HomeError, KeyError, Protection, system_rng};
use crate::keeper::{Broken, Errand, Keeper};
use crate::passphrase::long_enough;

/// The vault's setting for what the owner calls this node.
const NAME: &str = "name";
/// The setting that says that the recovery words are written down.
const WORDS_KEPT: &str = "words_kept";
const YES: &str = "yes";
/// Longest name, in characters.
const NAME_MAX: usize = 60;

/// Has done what is about the node itself; what is about anything else is refused.
pub fn serve(
    keeper: &Keeper,
    home: &Home,
    config: &Config,
    request: Request,
) -> Result<(), Broken> {
    let home = home.clone();
    match request {
        Request::Beginning(reply) => with_vault(keeper, reply, move |vault| told(&home, vault)),
        Request::Begin(new, reply) => with_vault(keeper, reply, move |vault| {
            begun(vault, new)?;
            told(&home, vault)
        }),
        Request::Words(show, reply) => {
            spawn_blocking(move || drop(reply.send(words(&home, show))));
            Ok(())
        }
        Request::Rotate(new, reply) => rotate(keeper, home, new, reply),
        Request::Backup(new, reply) => {
            let config = config.file.clone();
            spawn_blocking(move || drop(reply.send(backed_up(&home, &config, new))));
            Ok(())
        }
        other => {
            let what_to_do = "see /openapi.json for what there is";
            other.refuse(Fault::new(
                Kind::Unknown,
                "there is no such thing",
                what_to_do,
            ));
            Ok(())
        }
    }
}

fn told(home: &Home, vault: &Vault) -> Result<Beginning, Fault> {
    let member = home.is_inhabited();
    let (protection, kept_where) = home.protection().map_err(|why| failed(&why))?;
    let setting = |name| vault.setting(name).map_err(broken);
    Ok(Beginning {
        name: setting(NAME)?.unwrap_or_default(),
        words_kept: setting(WORDS_KEPT)?.as_deref() == Some(YES),
        member,
        key_kept_by: protection.kind().into(),
        key_kept_where: kept_where,
        folder: home.path().display().to_string(),
    })
}

fn begun(vault: &mut Vault, new: NewBeginning) -> Result<(), Fault> {
    if let Some(name) = new.name {
        let name = name.trim();
        if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            let what_to_do = format!("take at most {NAME_MAX} letters, on one line");
            return Err(Fault::new(
                Kind::Request,
                "this name is too long, or not one line",
                what_to_do,
            ));
        }
        vault.set_setting(NAME, name).map_err(broken)?;
    }
    if let Some(kept) = new.words_kept {
        let said = if kept { YES } else { "no" };
        vault.set_setting(WORDS_KEPT, said).map_err(broken)?;
    }
    Ok(())
}

fn words(home: &Home, show: ShowWords) -> Result<RecoveryWords, Fault> {
    knows(home, show.passphrase.as_ref())?;
    let words = home.words().map_err(|why| failed(&why))?;
    Ok(RecoveryWords {
        words: words.split(' ').map(Secret::from).collect(),
    })
}

/// Whether this is somebody who may see the key: where a passphrase keeps it, somebody who knows it.
fn knows(home: &Home, shown: Option<&Secret>) -> Result<(), Fault> {
    let (protection, _) = home.protection().map_err(|why| failed(&why))?;
    if !matches!(protection, Protection::Passphrase(_)) {
        return Ok(());
    }
    let Some(shown) = shown.filter(|shown| !shown.as_str().is_empty()) else {
        let error = "a passphrase keeps the key of this vault";
        return Err(Fault::new(Kind::Passphrase, error, "give it as well"));
    };
    let passphrase = Zeroizing::new(shown.as_str().to_owned());
    // One that knows no key yet.
    let fresh = Home::at(home.path()).with_passphrase(passphrase);
    fresh.unlocks().map_err(|why| failed(&why))
}

/// The vault is away while it is written anew, and back under the new key, or the old one.
fn rotate(keeper: &Keeper, home: Home, new: NewKey, reply: Reply<Beginning>) -> Result<(), Broken> {
    keeper.send(Errand::Lend(Box::new(move |vault| {
        drop(vault);
        let rotated = exchanged(&home, new);
        let (back, told) = match home.open_vault() {
            Ok((_, mut vault)) => {
                let told = rotated.and_then(|()| {
                    let kept = vault.set_setting(WORDS_KEPT, "no");
                    kept.map_err(broken)?;
                    told(&home, &vault)
                });
                (Some(vault), told)
            }
            Err(why) => (None, Err(failed(&why))),
        };
        drop(reply.send(told));
        back
    })))
}

fn exchanged(home: &Home, new: NewKey) -> Result<(), Fault> {
    knows(home, new.passphrase.as_ref())?;
    let choice = match &new.new_passphrase {
        None => Choice::File(None),
        Some(passphrase) => Choice::Passphrase(chosen(passphrase)?),
    };
    let rotated = home.rotate(Some(choice), &mut system_rng());
    rotated.map_err(|why| failed(&why))
}

fn chosen(passphrase: &Secret) -> Result<Zeroizing<String>, Fault> {
    let passphrase = Zeroizing::new(passphrase.as_str().to_owned());
    long_enough(passphrase).map_err(|why| Fault::said(Kind::Refused, &why.to_string()))
}

/// A file that has no name any more when it is given out.
fn backed_up(home: &Home, config: &Path, new: NewBackup) -> Result<Backup, Fault> {
    let secret = new.passphrase.as_ref().map(chosen).transpose()?;
    let to = home.path().join(backup::GIVEN);
    let io = |why: std::io::Error| {
        let error = format!("the backup cannot be written: {why}");
        Fault::new(Kind::Failed, error, "check the free space, and try again")
    };
    let made = backup::make(home, config, Some(&to), secret);
    let made = made.map_err(|(why, _)| Fault::said(Kind::Failed, &why))?;
    let file = File::open(&to).map_err(io)?;
    fs::remove_file(&to).map_err(io)?;
    Ok(Backup {
        name: made.usual_name(),
        file,
        bytes: made.bytes,
    })
}

/// A file of the node's folder for a backup that is brought; what was brought before is gone.
pub fn receive(home: &Home) -> Result<File, Fault> {
    drop_brought(home);
    files::create(&home.path().join(backup::BROUGHT)).map_err(|why| {
        let error = format!("the backup cannot be kept: {why}");
        Fault::new(Kind::Failed, error, "check the folder and the free space")
    })
}

/// Nothing that was brought is needed any more.
pub fn drop_brought(home: &Home) {
    drop(fs::remove_file(home.path().join(backup::BROUGHT)));
}

/// Makes what was brought live here, in place of a vault that is empty and closed.
pub fn restored(home: &Home, config: &Path, new: &NewRestore) -> Result<Restored, Fault> {
    let brought = home.path().join(backup::BROUGHT);
    if !brought.exists() {
        let what_to_do = "bring it first: PUT /v1/beginning/backup";
        return Err(Fault::new(Kind::Late, "there is no backup", what_to_do));
    }
    let refused = |(why, code): (String, u8)| {
        // Where it was put for a moment is of no use to anybody.
        let place = format!("{}: ", brought.display());
        let why = why.strip_prefix(&place).unwrap_or(&why);
        if why == BackupError::NotOne.to_string() {
            let error = why.split("; ").next().unwrap_or(why);
            let what_to_do = "choose the file that was kept as a backup";
            return Fault::new(Kind::Refused, error, what_to_do);
        }
        // What is wrong with the file is no fault of the node.
        let is_file = ["the backup ", "this backup "]
            .iter()
            .any(|begins| why.starts_with(begins));
        let kind = match code == FAILED && !is_file {
            true => Kind::Failed,
            false => Kind::Refused,
        };
        Fault::said(kind, why)
    };
    let secret = match (&new.words, &new.passphrase) {
        (Some(words), None) => backup::Secret::known(words.as_str()).map_err(refused)?,
        (None, Some(passphrase)) => {
            backup::Secret::Passphrase(Zeroizing::new(passphrase.as_str().to_owned()))
        }
        _ => {
            let error = "a backup opens with its words or with its passphrase";
            return Err(Fault::new(Kind::Request, error, "give one of the two"));
        }
    };
    let restored = backup::over(home, config, &brought, &secret).map_err(refused)?;
    drop_brought(home);
    Ok(Restored {
        community: restored.community,
        config: restored.config,
    })
}

fn failed(why: &HomeError) -> Fault {
    let kind = match why {
        HomeError::Key(KeyError::WrongPassphrase) => Kind::Passphrase,
        _ => Kind::Failed,
    };
    Fault::said(kind, &why.to_string())
}
