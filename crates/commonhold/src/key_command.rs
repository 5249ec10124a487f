//! `commonhold key`: what keeps the vault's key, another key, and the way back in.

use std::io::{BufRead, IsTerminal, stdin};
use std::path::{PathBuf, absolute};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use crypto::{WORDS, secret_of, words_in};
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::{ANSWERED, FAILED, REFUSED, USAGE, fail};
use crate::daemon::{Claimed, Where};
use crate::data::{self, Failed};
use crate::files;
use crate::home::{Choice, Home, HomeError, KeyError, Protection, system_rng};
use crate::output::{tell, warn};
use crate::passphrase::{Given, OF_NEW_KEY, PassphraseError, STDIN};

/// Longest text with recovery words.
const WORDS_BYTES_MAX: usize = 4096;

/// What can be done with the key of the vault.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Say what keeps the key of your vault; with --words, show the 24 words that are the key
    ///
    /// The node may run meanwhile. Exit code: 0 done, 1 failed.
    Show(ShowOptions),
    /// Give the vault a new key, and new recovery words with it
    ///
    /// Stop the node first. Whenever it is cut short, the vault opens as before or with the new key. Needs as much free space
    /// as the vault takes. Backups that were made before open with the old words. Exit code: 0 done, 1 failed.
    Rotate(RotateOptions),
    /// Get back in with the 24 recovery words, when passphrase, key file or keyring are lost
    ///
    /// Stop the node first. Exit code: 0 done, 1 failed, 2 these are no recovery words, 4 they are another vault's.
    Recover(RecoverOptions),
}

/// What is to keep the key.
#[derive(Debug, Clone, Args)]
pub struct KeeperOptions {
    /// A passphrase, which is asked for whenever the vault is opened
    #[arg(long, conflicts_with_all = ["key_file", "keyring"])]
    pub passphrase: bool,
    /// A passphrase, and the file that holds it now [default: the variable COMMONHOLD_NEW_PASSPHRASE, or asked for]
    #[arg(long, value_name = "FILE", group = "keeper")]
    pub new_passphrase_file: Option<PathBuf>,
    /// A file for your account alone; in the node's folder, if none is named
    #[arg(long, value_name = "FILE", num_args = 0..=1, group = "keeper")]
    pub key_file: Option<Option<PathBuf>>,
    /// The keyring of your desktop, by its program secret-tool
    #[arg(long, group = "keeper")]
    pub keyring: bool,
}

/// Of `key show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Show the recovery words: whoever sees them opens the vault and every backup made with this key
    #[arg(long)]
    pub words: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `key rotate`.
#[derive(Debug, Args)]
pub struct RotateOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// What is to keep the new key [default: what keeps the old one].
    #[command(flatten)]
    pub keeper: KeeperOptions,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `key recover`.
#[derive(Debug, Args)]
pub struct RecoverOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// What is to keep the key from now on [default: a file in the node's folder].
    #[command(flatten)]
    pub keeper: KeeperOptions,
    /// A file with the words [default: standard input]
    #[arg(long, value_name = "FILE")]
    pub words_file: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl KeeperOptions {
    /// What was chosen, if anything was.
    pub fn choice(&self) -> Result<Option<Choice>, PassphraseError> {
        let new = Given {
            option: "--new-passphrase-file",
            file: self.new_passphrase_file.as_deref(),
            variable: OF_NEW_KEY,
        };
        Ok(match self {
            Self { keyring: true, .. } => Some(Choice::Keyring),
            Self {
                key_file: Some(path),
                ..
            // The node is started from other folders too.
            } => Some(Choice::File(
                path.as_ref()
                    .map(|path| absolute(path).unwrap_or_else(|_| path.clone())),
            )),
            _ if self.passphrase || new.file.is_some() => {
                Some(Choice::Passphrase(new.chosen("this node's key")?))
            }
            _ => None,
        })
    }
}

/// Runs the command.
pub fn main(command: &KeyCommand) -> ExitCode {
    let (json, done) = match command {
        KeyCommand::Show(options) => (options.json, show(options)),
        KeyCommand::Rotate(options) => (options.json, rotate(options)),
        KeyCommand::Recover(options) => (options.json, recover(options)),
    };
    match done {
        Ok(()) => ExitCode::from(ANSWERED),
        Err((why, code)) => fail(json, &why, code),
    }
}

fn show(options: &ShowOptions) -> Result<(), Failed> {
    let home = place(&options.place)?;
    let (protection, kept_by) = home.protection().map_err(failed)?;
    let words = match options.words {
        true => Some(home.words().map_err(failed)?),
        false => None,
    };
    let troubles = home.troubles();
    if options.json {
        let words = words
            .as_deref()
            .map(|words| words.split(' ').collect::<Vec<_>>());
        let node = home.node().map(|node| node.to_string());
        tell(format_args!(
            "{:#}",
            json!({ "node": node, "folder": home.path(), "kept_by": protection.kind(), "where": kept_by, "words": words, "problems": troubles })
        ));
        return Ok(());
    }
    tell(format_args!(
        "The key of the vault is kept by {kept_by}. {}",
        meaning(&protection)
    ));
    troubles.iter().for_each(warn);
    match words {
        Some(words) => numbered(&words).iter().for_each(|line| tell(line.as_str())),
        None => tell(format_args!(
            "The {WORDS} words with which you get back in: commonhold key show --words"
        )),
    }
    Ok(())
}

fn rotate(options: &RotateOptions) -> Result<(), Failed> {
    let mut home = place(&options.place)?;
    let _claimed = claim(&home)?;
    let choice = options.keeper.choice().map_err(unread)?;
    // It is needed several times, and asked for once.
    if let Some(passphrase) = home.passphrase().map_err(failed)? {
        home = home.with_passphrase(passphrase);
    }
    home.rotate(choice, &mut system_rng()).map_err(failed)?;
    done(&home, options.json, "The vault has a new key")
}

fn recover(options: &RecoverOptions) -> Result<(), Failed> {
    let home = place(&options.place)?;
    let _claimed = Claimed::hold(home.path()).map_err(|why| (why.to_string(), FAILED))?;
    let words = words_typed(options.words_file.as_deref())?;
    let choice = options.keeper.choice().map_err(unread)?;
    let choice = choice.unwrap_or(Choice::File(None));
    home.recover(&words, &choice, &mut system_rng())
        .map_err(failed)?;
    done(&home, options.json, "You are in again")
}

fn done(home: &Home, json: bool, what: &str) -> Result<(), Failed> {
    let (protection, kept_by) = home.protection().map_err(failed)?;
    if json {
        let node = home.node().map(|node| node.to_string());
        tell(format_args!(
            "{:#}",
            json!({ "node": node, "folder": home.path(), "kept_by": protection.kind(), "where": kept_by })
        ));
    } else {
        tell(format_args!(
            "{what}, kept by {kept_by}. {}",
            meaning(&protection)
        ));
        tell(format_args!(
            "Write down its {WORDS} words: commonhold key show --words"
        ));
    }
    Ok(())
}

/// What that means for its owner.
pub fn meaning(protection: &Protection) -> &'static str {
    match protection {
        Protection::File(_) => {
            "Whoever can read that file can open the vault: it is as safe as your account."
        }
        Protection::Passphrase(_) => {
            "Nobody opens the vault without it, and the node starts with it alone."
        }
        Protection::Keyring => {
            "The vault opens while you are logged in, and the keyring is unlocked."
        }
    }
}

/// Four to a line, as they are best copied.
fn numbered(words: &str) -> Vec<Zeroizing<String>> {
    let words: Vec<&str> = words.split(' ').collect();
    let line = |(row, words): (usize, &[&str])| {
        let mut line = Zeroizing::new(String::with_capacity(64));
        for (column, word) in words.iter().enumerate() {
            line.push_str(&format!("{:>2} ", 4 * row + column + 1));
            line.push_str(word);
            line.push_str(&" ".repeat(10_usize.saturating_sub(word.len())));
        }
        let length = line.trim_end().len();
        line.truncate(length);
        line
    };
    words.chunks(4).enumerate().map(line).collect()
}

/// The recovery words, from a file or the standard input.
pub fn words_typed(file: Option<&std::path::Path>) -> Result<Zeroizing<String>, Failed> {
    if let Some(file) = file.filter(|file| file.as_os_str() != STDIN) {
        let bytes = files::read(file, WORDS_BYTES_MAX).map_err(|why| {
            let file = file.display();
            (
                format!("cannot read the words in {file}: {why}; check the path"),
                FAILED,
            )
        })?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        return Ok(Zeroizing::new(text.to_owned()));
    }
    if stdin().is_terminal() {
        warn(format_args!(
            "The {WORDS} recovery words, in their order, on one line or several:"
        ));
    }
    let mut text = Zeroizing::new(String::with_capacity(WORDS_BYTES_MAX));
    let mut input = stdin().lock();
    // Who types them has done with the last; a file may say more before it.
    let is_typed = stdin().is_terminal();
    let are_all = |text: &str| secret_of(text).is_ok() || is_typed && words_in(text).len() >= WORDS;
    while !are_all(&text) && text.len() < WORDS_BYTES_MAX / 2 {
        let read = input.read_line(&mut text);
        if read.map_err(|why| (format!("cannot read the words: {why}"), FAILED))? == 0 {
            break;
        }
    }
    if words_in(&text).is_empty() {
        let why = "no recovery words were given: there is no terminal to ask for them; give --words-file FILE";
        return Err((why.into(), USAGE));
    }
    Ok(text)
}

/// The node's folder, in which one lives or lived.
fn place(place: &Where) -> Result<Home, Failed> {
    let home = data::home(place)?;
    match home.is_inhabited() || home.is_begun() || home.is_orphaned() {
        true => Ok(home),
        false => Err(failed(home.nobody())),
    }
}

/// Nobody runs it meanwhile.
fn claim(home: &Home) -> Result<Claimed, Failed> {
    Claimed::claim(home.path()).map_err(|why| (why.to_string(), FAILED))
}

/// What the owner is told, and the exit code.
pub fn failed(why: HomeError) -> Failed {
    let code = match &why {
        HomeError::Key(KeyError::Words(_)) => USAGE,
        HomeError::Key(KeyError::OtherWords) => REFUSED,
        HomeError::Key(KeyError::Passphrase(PassphraseError::Usage(_))) => USAGE,
        _ => FAILED,
    };
    (why.to_string(), code)
}

fn unread(why: PassphraseError) -> Failed {
    failed(KeyError::from(why).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_with_their_numbers_and_read_back() {
        let words = crypto::words_of(&[9; 32]);
        let lines = numbered(&words);
        assert_eq!(lines.len(), 6);
        let shown = lines.iter().flat_map(|line| line.split_whitespace());
        let shown: Vec<_> = shown.collect();
        assert_eq!(shown.len(), 2 * WORDS);
        for (place, (pair, word)) in shown.chunks(2).zip(words.split(' ')).enumerate() {
            assert_eq!(pair, [(place + 1).to_string().as_str(), word]);
        }
    }
}
