//! Where a passphrase comes from: a file, the environment, or the terminal; never an argument, which everybody on the
//! machine can see.

use std::env;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Failure;
use super::options::Secret;

/// The variable that may hold the passphrase.
pub const VARIABLE: &str = "COMMONHOLD_PASSPHRASE";
/// Fewest characters of a new passphrase. Guess: it is guessed at by a machine that has the file.
const SHORTEST: usize = 8;
/// Longest passphrase, in bytes.
const LONGEST: u64 = 4096;

/// The passphrase of a key that exists.
pub fn known(secret: &Secret, what: &str) -> Result<Zeroizing<String>, Failure> {
    match given(secret.passphrase_file.as_deref())? {
        Some(passphrase) => Ok(passphrase),
        None => prompt(&format!("Passphrase of {what}: ")),
    }
}

/// The passphrase of a key that is made; on the terminal it is asked for twice.
pub fn new(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>, Failure> {
    let passphrase = match given(file)? {
        Some(passphrase) => passphrase,
        None => {
            let first = prompt(&format!("New passphrase for {what}: "))?;
            let second = prompt("The same again: ")?;
            if *first != *second {
                return Err(Failure::Failed(
                    "the two passphrases differ; nothing was done, start again".into(),
                ));
            }
            first
        }
    };
    long_enough(passphrase)
}

/// The passphrase of a key that follows another: the one in the file, or the other's.
pub fn next(file: Option<&Path>, old: &Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => long_enough(read(file)?),
        None => Ok(old.clone()),
    }
}

fn long_enough(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    if passphrase.chars().count() < SHORTEST {
        return Err(Failure::Usage(format!(
            "the passphrase is too short; take at least {SHORTEST} characters, or better six random words"
        )));
    }
    Ok(passphrase)
}

fn given(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        return read(file).map(Some);
    }
    match env::var(VARIABLE) {
        Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::Usage(format!("{VARIABLE} is not text in UTF-8")))
        }
    }
}

/// The file's content but for the end of its last line.
fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        let file = file.display();
        Failure::Failed(format!("cannot read the passphrase in {file}: {why}"))
    };
    let mut text = Zeroizing::new(String::new());
    File::open(file)
        .map_err(|why| failed(&why))?
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|why| failed(&why))?;
    if text.len() as u64 > LONGEST {
        return Err(failed(&format!("it is longer than {LONGEST} bytes")));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Zeroizing::new(line.to_owned()))
}

fn prompt(words: &str) -> Result<Zeroizing<String>, Failure> {
    let nowhere = || {
        Failure::Usage(format!(
            "there is no terminal to ask for the passphrase; give --passphrase-file FILE or set {VARIABLE}"
        ))
    };
    if !std::io::stderr().is_terminal() {
        return Err(nowhere());
    }
    rpassword::prompt_password(words)
        .map(Zeroizing::new)
        .map_err(|_| nowhere())
}
