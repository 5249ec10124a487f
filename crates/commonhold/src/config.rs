//! `config.toml`: every key with its default, and where a value comes from: flag, environment, file, default.

mod error;
mod keys;

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base::NodeId;
use etcetera::base_strategy::{BaseStrategy, Xdg};
use node::Budget;
use question::ConsentRule;

pub use error::{ConfigError, Source};
pub use keys::KEYS;

use crate::budget::{EXPECTED, Written};
use crate::community_command::only_node;
use crate::log::Level;
use crate::passphrase::VARIABLES;

/// Longest configuration that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How alike a known key must be to be suggested (Jaro-Winkler, 1 is the same).
const ALIKE: f64 = 0.75;

/// Before the names of keys in capitals, for the environment.
const ENVIRONMENT: &str = "COMMONHOLD_";
/// Names the configuration file itself.
const ENVIRONMENT_FILE: &str = "COMMONHOLD_CONFIG";

/// A member to join through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub node: NodeId,
    /// Where.
    pub address: SocketAddr,
}

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTo {
    /// Standard error.
    Stderr,
    /// The file in the node's folder.
    File,
}

/// What a node is run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The configuration file, whether it is there or not.
    pub file: PathBuf,
    /// See [`KEYS`], here and below.
    pub folder: PathBuf,
    /// For other nodes.
    pub listen: SocketAddr,
    /// Told to others.
    pub announce: Vec<SocketAddr>,
    /// To join through.
    pub peers: Vec<Peer>,
    /// Of members.
    pub relays: Vec<SocketAddr>,
    /// Of the router.
    pub map_port: bool,
    /// For the owner's programs.
    pub api: SocketAddr,
    /// Until the vault holds one.
    pub rule: ConsentRule,
    /// Until the vault holds one.
    pub budget: Option<Budget>,
    /// Connections.
    pub connections_max: usize,
    /// Messages that wait.
    pub inbox_messages_max: usize,
    /// Length of each list.
    pub questions_kept_max: usize,
    /// For contributions.
    pub collect_secs: u64,
    /// Warned below.
    pub disk_free_min_mib: u64,
    /// Where the log goes.
    pub log: LogTo,
    /// How much of it.
    pub log_level: Level,
    /// Its size.
    pub log_mib_max: u64,
}

/// A configuration file in which nothing is set: every key with what it is about and its default, as comments.
pub fn template() -> String {
    let mut text =
        String::from("# How your node runs. To set a key, take the # before its name away.\n");
    for key in &KEYS {
        let (about, name, default) = (key.about, key.name, key.default);
        writeln!(text, "\n# {about}\n#{name} = {default}").expect("a string takes all");
    }
    text
}

/// What was typed that goes before everything else.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// The node's folder.
    pub folder: Option<PathBuf>,
}

/// The variables whose names begin with `COMMONHOLD_`, by name, without those that hold passphrases.
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process.
    pub fn own() -> Self {
        let all = std::env::vars_os();
        let ours = all.filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_meant = name.starts_with(ENVIRONMENT) && !VARIABLES.contains(&name.as_str());
            // A value that is no text is none that a key can have.
            is_meant.then(|| (name, value.to_string_lossy().into_owned()))
        });
        Self(ours.collect())
    }
}

/// The value of each key, and where it comes from.
#[derive(Debug, Clone)]
pub struct Values {
    values: BTreeMap<&'static str, (toml::Value, Source)>,
    /// The configuration file, whether it is there or not.
    pub path: PathBuf,
}

impl Values {
    /// Gathers them.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or a key that there is not, in it or in the environment.
    pub fn gather(typed: &Typed, environment: &Environment) -> Result<Self, ConfigError> {
        let named = typed.config.clone();
        let named = named.or_else(|| environment.0.get(ENVIRONMENT_FILE).map(PathBuf::from));
        let path = match &named {
            Some(path) => path.clone(),
            None => xdg()?.config_dir().join("commonhold").join("config.toml"),
        };
        let mut values = BTreeMap::new();
        for key in &KEYS {
            let table: toml::Table = format!("v = {}", key.default)
                .parse()
                .expect("defaults are TOML");
            values.insert(key.name, (table["v"].clone(), Source::Default));
        }
        for (name, value) in read(&path, named.is_some())? {
            let from = Source::File(path.clone());
            let key = known(&name, &from)?;
            values.insert(key, (value, from));
        }
        for (name, text) in &environment.0 {
            if name == ENVIRONMENT_FILE {
                continue;
            }
            let key = key_in(name)?;
            let value = toml::Value::String(text.clone());
            values.insert(key, (value, Source::Environment(name.clone())));
        }
        if let Some(folder) = &typed.folder {
            let value = toml::Value::String(folder.display().to_string());
            values.insert("folder", (value, Source::Flag("--dir")));
        }
        Ok(Self { values, path })
    }

    /// Reads all values.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let folder = match self.folder() {
            Some(folder) => folder,
            None => {
                let data = xdg()?.data_dir().join("commonhold");
                only_node(&data).map_err(ConfigError::SeveralNodes)?
            }
        };
        let loopback = |text: &str| {
            let address: Option<SocketAddr> = text.parse().ok();
            address.filter(|address| address.ip().is_loopback())
        };
        let log = |text: &str| match text {
            "stderr" => Some(LogTo::Stderr),
            "file" => Some(LogTo::File),
            _ => None,
        };
        const ADDRESS: &str = "an address with a port, such as 0.0.0.0:14766 or [::]:14766";
        Ok(Config {
            file: self.path.clone(),
            folder,
            listen: self.one("listen", ADDRESS, parsed)?,
            announce: self.list("announce", ADDRESS, parsed)?,
            peers: self.list(
                "peers",
                "NODE@ADDRESS, NODE with 64 hexadecimal digits",
                peer,
            )?,
            relays: self.list("relays", ADDRESS, parsed)?,
            map_port: self.one("map_port", "true or false", parsed)?,
            api: self.one(
                "api",
                "a loopback address with a port, such as 127.0.0.1:0",
                loopback,
            )?,
            rule: self.one("rule", "yes, no or ask", parsed)?,
            budget: self.one("budget", EXPECTED, parsed::<Written>)?.0,
            connections_max: self.number("connections_max", 8, 65_536)? as usize,
            inbox_messages_max: self.number("inbox_messages_max", 16, 65_536)? as usize,
            questions_kept_max: self.number("questions_kept_max", 1, 10_000)? as usize,
            collect_secs: self.number("collect_secs", 1, 3600)?,
            disk_free_min_mib: self.number("disk_free_min_mib", 0, 1 << 40)?,
            log: self.one("log", "stderr or file", log)?,
            log_level: self.one("log_level", "error, warn, info or debug", parsed)?,
            log_mib_max: self.number("log_mib_max", 1, 1024)?,
        })
    }

    /// The node's folder, if one is named.
    pub fn folder(&self) -> Option<PathBuf> {
        let folder = self.text("folder");
        (!folder.is_empty()).then(|| folder.into())
    }

    /// All of it as TOML, with where each value comes from.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for key in &KEYS {
            let (value, from) = &self.values[key.name];
            writeln!(text, "# {}\n# From {from}.", key.about).expect("a string takes all");
            writeln!(text, "{} = {value}\n", key.name).expect("a string takes all");
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// What a scalar says: from the environment everything is a string.
    fn text(&self, name: &str) -> String {
        match &self.values[name].0 {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn wrong(&self, name: &'static str, value: String, expected: &str) -> ConfigError {
        ConfigError::Value {
            from: self.values[name].1.to_string(),
            name,
            value,
            expected: expected.to_owned(),
        }
    }

    fn one<T>(
        &self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let text = self.text(name);
        read(&text).ok_or_else(|| self.wrong(name, text, expected))
    }

    /// An array of strings; from the environment, with commas between them.
    fn list<T>(
        &self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ConfigError> {
        let texts: Vec<String> = match &self.values[name].0 {
            toml::Value::Array(items) => {
                let text = |item: &toml::Value| item.as_str().map_or(item.to_string(), Into::into);
                items.iter().map(text).collect()
            }
            _ => {
                let text = self.text(name);
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                items.map(Into::into).collect()
            }
        };
        let read = |text: String| match read(&text) {
            Some(item) => Ok(item),
            None => Err(self.wrong(name, text, &format!("a list, each item {expected}"))),
        };
        texts.into_iter().map(read).collect()
    }

    fn number(&self, name: &'static str, least: u64, most: u64) -> Result<u64, ConfigError> {
        let expected = format!("a whole number from {least} to {most}");
        let read = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| (least..=most).contains(number))
        };
        self.one(name, &expected, read)
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn peer(text: &str) -> Option<Peer> {
    let (node, address) = text.split_once('@')?;
    Some(Peer {
        node: node.parse().ok()?,
        address: address.parse().ok()?,
    })
}

fn xdg() -> Result<Xdg, ConfigError> {
    Xdg::new().map_err(|_| ConfigError::NoHome)
}

/// The name of a key in the environment.
fn variable(name: &str) -> String {
    ENVIRONMENT.to_owned() + &name.to_ascii_uppercase()
}

fn read(path: &Path, must_exist: bool) -> Result<toml::Table, ConfigError> {
    let unreadable = |why: &dyn fmt::Display| ConfigError::Unreadable {
        path: path.display().to_string(),
        why: why.to_string(),
    };
    match fs::metadata(path) {
        Ok(file) if file.len() > FILE_BYTES_MAX => return Err(unreadable(&"it is too long")),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok(toml::Table::new());
        }
        _ => {}
    }
    let text = fs::read_to_string(path).map_err(|why| unreadable(&why))?;
    text.parse()
        .map_err(|why: toml::de::Error| ConfigError::Toml {
            path: path.display().to_string(),
            why: toml_fault(&text, &why),
        })
}

/// What is wrong in a text that is not TOML, and in which line.
pub fn toml_fault(text: &str, why: &toml::de::Error) -> String {
    let said = why.message().replace('\n', " ");
    match why.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            format!("line {}: {said}", before.matches('\n').count() + 1)
        }
        None => said,
    }
}

fn known(name: &str, from: &Source) -> Result<&'static str, ConfigError> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Ok(key.name);
    }
    Err(ConfigError::Unknown {
        from: from.to_string(),
        name: name.into(),
        instead: instead(KEYS.iter().map(|key| key.name.to_owned()), name),
    })
}

/// The key of a variable.
fn key_in(name: &str) -> Result<&'static str, ConfigError> {
    if let Some(key) = KEYS.iter().find(|key| variable(key.name) == name) {
        return Ok(key.name);
    }
    let keys = KEYS.iter().map(|key| variable(key.name));
    let others = VARIABLES.iter().copied();
    let others = others.chain([ENVIRONMENT_FILE]).map(str::to_owned);
    Err(ConfigError::Unknown {
        from: "the environment".into(),
        name: name.into(),
        instead: instead(keys.chain(others), name),
    })
}

/// What may have been meant by a name that is none.
fn instead(names: impl Iterator<Item = String>, wrong: &str) -> String {
    let alike = names.map(|name| (strsim::jaro_winkler(&name, wrong), name));
    let nearest = alike.max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest.filter(|(alike, _)| *alike >= ALIKE) {
        Some((_, name)) => format!("did you mean {name}?"),
        None => "`commonhold config show` lists all keys".into(),
    }
}

#[cfg(test)]
mod tests;
