//! Where a passphrase comes from: a file, the environment, or the terminal; never an argument, which everybody on the
//! machine can see.

use std::env;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;

use thiserror::Error;
use zeroize::Zeroizing;

/// Fewest characters of a new passphrase. Guess: it is guessed at by a machine that has the file.
const SHORTEST: usize = 8;
/// Longest passphrase, in bytes.
pub const LONGEST: u64 = 4096;

/// The variable that may hold the passphrase of an authority's key, or of one that certifies for it.
pub const OF_AUTHORITY: &str = "COMMONHOLD_PASSPHRASE";
/// That of what keeps a vault's key.
pub const OF_KEY: &str = "COMMONHOLD_KEY_PASSPHRASE";
/// The one that is to keep it from now on.
pub const OF_NEW_KEY: &str = "COMMONHOLD_NEW_PASSPHRASE";
/// That of a backup.
pub const OF_BACKUP: &str = "COMMONHOLD_BACKUP_PASSPHRASE";
/// All of these.
pub const VARIABLES: [&str; 4] = [OF_AUTHORITY, OF_KEY, OF_NEW_KEY, OF_BACKUP];

/// Where a passphrase may be found, before it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The option that names a file.
    pub option: &'static str,
    /// That file.
    pub file: Option<&'a Path>,
    /// The variable that may hold the passphrase.
    pub variable: &'static str,
}

/// Why there is no passphrase.
#[derive(Debug, Error)]
pub enum PassphraseError {
    /// Nobody can be asked, or what was given is none.
    #[error("{0}")]
    Usage(String),
    /// It cannot be read.
    #[error("{0}")]
    Failed(String),
}

impl Given<'_> {
    /// The passphrase of a key that exists.
    pub fn known(self, what: &str) -> Result<Zeroizing<String>, PassphraseError> {
        match self.found()? {
            Some(passphrase) => Ok(passphrase),
            None => self.prompt(&format!("Passphrase of {what}: ")),
        }
    }

    /// The passphrase of a key that is made; on the terminal it is asked for twice.
    pub fn chosen(self, what: &str) -> Result<Zeroizing<String>, PassphraseError> {
        let passphrase = match self.found()? {
            Some(passphrase) => passphrase,
            None => {
                let first = self.prompt(&format!("New passphrase for {what}: "))?;
                let second = self.prompt("The same again: ")?;
                if *first != *second {
                    return Err(PassphraseError::Failed(
                        "the two passphrases differ; nothing was done, start again".into(),
                    ));
                }
                first
            }
        };
        long_enough(passphrase)
    }

    /// Where nobody can be asked: the passphrase that a file or the environment holds, if either does.
    pub fn found(self) -> Result<Option<Zeroizing<String>>, PassphraseError> {
        if let Some(file) = self.file {
            return read(file).map(Some);
        }
        match env::var(self.variable) {
            Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                let why = format!("{} is not text in UTF-8", self.variable);
                Err(PassphraseError::Usage(why))
            }
        }
    }

    fn prompt(self, words: &str) -> Result<Zeroizing<String>, PassphraseError> {
        let nowhere = || {
            let (option, variable) = (self.option, self.variable);
            PassphraseError::Usage(format!(
                "there is no terminal to ask for the passphrase; give {option} FILE or set {variable}"
            ))
        };
        if !std::io::stderr().is_terminal() {
            return Err(nowhere());
        }
        rpassword::prompt_password(words)
            .map(Zeroizing::new)
            .map_err(|_| nowhere())
    }
}

/// The passphrase of a key that follows another: the one in the file, or the other's.
pub fn next(
    file: Option<&Path>,
    old: &Zeroizing<String>,
) -> Result<Zeroizing<String>, PassphraseError> {
    match file {
        Some(file) => long_enough(read(file)?),
        None => Ok(old.clone()),
    }
}

/// A passphrase that is long enough to be one.
pub fn long_enough(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, PassphraseError> {
    if passphrase.chars().count() < SHORTEST {
        return Err(PassphraseError::Usage(format!(
            "the passphrase is too short; take at least {SHORTEST} characters, or better six random words"
        )));
    }
    Ok(passphrase)
}

/// The standard input, a line of which is a passphrase.
pub const STDIN: &str = "-";

/// The file's content but for the end of its last line; of the standard input the next line.
fn read(file: &Path) -> Result<Zeroizing<String>, PassphraseError> {
    let failed = |why: &dyn std::fmt::Display| {
        let file = file.display();
        PassphraseError::Failed(format!(
            "cannot read the passphrase in {file}: {why}; check the path and its permissions"
        ))
    };
    // Allocated at once: a growing text would leave copies behind. So would the buffer that the standard input has by itself.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 64));
    let mut read = || match file.as_os_str() == STDIN {
        true => {
            let stdin = std::io::stdin().as_fd().try_clone_to_owned()?;
            let line = OneLine(Some(File::from(stdin)));
            line.take(LONGEST + 1).read_to_string(&mut text)
        }
        false => File::open(file)?
            .take(LONGEST + 1)
            .read_to_string(&mut text),
    };
    read().map_err(|why| failed(&why))?;
    if text.len() as u64 > LONGEST {
        return Err(failed(&format!("it is longer than {LONGEST} bytes")));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Zeroizing::new(line.to_owned()))
}

/// Up to the end of a line, and not a byte of what follows.
struct OneLine<R>(Option<R>);

impl<R: Read> Read for OneLine<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (Some(source), Some(next)) = (&mut self.0, buffer.first_mut()) else {
            return Ok(0);
        };
        let read = source.read(std::slice::from_mut(next))?;
        if read == 0 || *next == b'\n' {
            self.0 = None;
        }
        Ok(read)
    }
}
