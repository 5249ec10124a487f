//! `commonhold config`: what holds, where it is written, and whether it is well.

use std::process::ExitCode;

use clap::Subcommand;

use crate::cli::{ANSWERED, USAGE, fail};
use crate::config::{ConfigError, Values};
use crate::daemon::Where;
use crate::output::tell;

/// What about the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every key with what it is about, its value, and where that comes from; it can be saved as config.toml
    Show(Where),
    /// Where config.toml is looked for
    Path(Where),
    /// Whether everything in it holds
    Check(Where),
}

/// Runs the command.
pub fn main(command: &ConfigCommand) -> ExitCode {
    let done = match command {
        ConfigCommand::Show(place) => show(place),
        ConfigCommand::Path(place) => place
            .values()
            .map(|values| values.path.display().to_string()),
        ConfigCommand::Check(place) => check(place),
    };
    match done {
        Ok(text) => {
            tell(text);
            ExitCode::from(ANSWERED)
        }
        Err(why) => fail(false, &why.to_string(), USAGE),
    }
}

fn show(place: &Where) -> Result<String, ConfigError> {
    Ok(place.values()?.shown())
}

fn check(place: &Where) -> Result<String, ConfigError> {
    let values: Values = place.values()?;
    values.config()?;
    let path = values.path.display();
    Ok(if values.path.exists() {
        format!("{path} is well")
    } else {
        format!("{path} is not there; defaults are used")
    })
}
