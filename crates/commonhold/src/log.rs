//! The daemon's log: one line per event, to standard error or to a file that is replaced when it is full.
//!
//! Questions, purposes and values of the owner's data never reach it: questions are named by the first digits of their
//! digests.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base::Instant;

use crate::verify::utc;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The node cannot go on, or cannot keep its word.
    Error,
    /// Somebody should look.
    Warn,
    /// What happens.
    Info,
    /// All of it.
    Debug,
}

/// A text that is no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoLevel;

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl FromStr for Level {
    type Err = NoLevel;

    fn from_str(text: &str) -> Result<Self, NoLevel> {
        let all = [Self::Error, Self::Warn, Self::Info, Self::Debug];
        all.into_iter()
            .find(|level| level.name() == text)
            .ok_or(NoLevel)
    }
}

/// Where lines go.
#[derive(Debug)]
pub struct Log {
    level: Level,
    file: Option<Rotating>,
}

/// A file and its size.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl Log {
    /// To standard error.
    pub fn stderr(level: Level) -> Self {
        Self { level, file: None }
    }

    /// To a file, after what is in it already.
    pub fn file(level: Level, path: &Path, bytes_max: u64) -> std::io::Result<Self> {
        let file = open(path)?;
        let bytes = file.metadata()?.len();
        let path = path.to_path_buf();
        Ok(Self {
            level,
            file: Some(Rotating {
                path,
                file,
                bytes,
                bytes_max,
            }),
        })
    }

    /// Writes a line, if it matters enough. A log that cannot be written stops nobody.
    pub fn say(&mut self, now: Instant, level: Level, text: &str) {
        if level > self.level {
            return;
        }
        let line = line(now, level, text);
        match &mut self.file {
            None => drop(std::io::stderr().write_all(line.as_bytes())),
            Some(file) => drop(file.write(&line)),
        }
    }
}

impl Rotating {
    fn write(&mut self, line: &str) -> std::io::Result<()> {
        let bytes = line.len() as u64;
        if self.bytes > 0 && self.bytes + bytes > self.bytes_max {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            fs::rename(&self.path, old)?;
            self.file = open(&self.path)?;
            self.bytes = 0;
        }
        self.file.write_all(line.as_bytes())?;
        self.bytes += bytes;
        Ok(())
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// One line, whatever a peer has put into the text.
fn line(now: Instant, level: Level, text: &str) -> String {
    let text: String = text
        .chars()
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    format!("{} {:<5} {text}\n", utc(now.as_secs()), level.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_matters_enough_in_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let mut log = Log::file(Level::Warn, &path, 1000).expect("opened");
        log.say(Instant(0), Level::Info, "too little");
        log.say(Instant(0), Level::Warn, "a\nforged \x1b[31mline");
        let text = fs::read_to_string(&path).expect("read");
        assert_eq!(text, "1970-01-01 00:00:00 UTC warn  a forged  [31mline\n");
    }

    #[test]
    fn makes_room_and_keeps_one_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let mut log = Log::file(Level::Info, &path, 100).expect("opened");
        for number in 0..20 {
            log.say(Instant(0), Level::Info, &format!("line {number}"));
            assert!(fs::metadata(&path).expect("there").len() <= 100);
        }
        drop(log);
        // A later run goes on.
        let mut log = Log::file(Level::Info, &path, 100).expect("opened");
        log.say(Instant(0), Level::Info, "line 20");
        let old = fs::read_to_string(folder.path().join("log.1")).expect("read");
        let new = fs::read_to_string(&path).expect("read");
        assert!(
            new.ends_with("line 20\n") && !old.contains("line 20"),
            "{old}{new}"
        );
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
    }
}
