//! `profile`: the owner in one row.

use serde_json::{Map, Value, json};
use vault::{ImportError, Vault};

use crate::cli::{FAILED, USAGE};
use crate::data::{Failed, Looking, Said, SetOptions, failed, vault};

/// `profile show`.
pub fn show(options: &Looking) -> Result<Said, Failed> {
    said(&vault(&options.place)?)
}

/// `profile set`.
pub fn set(options: &SetOptions) -> Result<Said, Failed> {
    let mut changes = Vec::new();
    for change in &options.changes {
        let why = || format!("\"{}\" is no NAME=VALUE", change.escape_debug());
        changes.push(change.split_once('=').ok_or_else(|| (why(), USAGE))?);
    }
    let mut vault = vault(&options.place)?;
    vault.set_profile(&changes).map_err(|why| {
        let code = if matches!(why, ImportError::Profile(_)) {
            USAGE
        } else {
            FAILED
        };
        (why.to_string(), code)
    })?;
    said(&vault)
}

fn said(vault: &Vault) -> Result<Said, Failed> {
    let profile = vault.profile().map_err(failed)?;
    let mut lines: Vec<String> = profile
        .iter()
        .map(|(name, value)| format!("{name:<18} {value}"))
        .collect();
    if lines.is_empty() {
        lines.push("The profile says nothing yet: commonhold profile set job=… town=…".into());
    }
    let object: Map<String, Value> = profile
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    Ok(Said {
        json: json!({ "profile": object }),
        lines,
    })
}
