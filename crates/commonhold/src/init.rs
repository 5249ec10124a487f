//! `commonhold init`: the first command of somebody new.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::NodeId;
use clap::Args;
use serde_json::json;

use crate::cli::{ANSWERED, FAILED, USAGE, fail};
use crate::config::{self, Config};
use crate::daemon::Where;
use crate::files;
use crate::home::{Home, Protection};
use crate::key_command::meaning;
use crate::output::{tell, warn};

/// Of `commonhold init`.
#[derive(Debug, Args)]
pub struct InitOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What is there already.
struct Found {
    path: PathBuf,
    written: bool,
    config: Config,
    node: Option<Lives>,
}

/// The node that lives there.
struct Lives {
    node: NodeId,
    /// What keeps the key of its vault.
    protection: Protection,
    /// The same in words.
    kept_by: String,
    /// What is wrong with its vault or its key's file.
    troubles: Vec<String>,
}

/// Writes what is missing, changes nothing that is there, and says what comes next.
pub fn main(options: &InitOptions) -> ExitCode {
    let found = match prepare(&options.place) {
        Ok(found) => found,
        Err((why, code)) => return fail(options.json, &why, code),
    };
    let next = next(found.node.is_some());
    if options.json {
        let node = found.node.as_ref();
        tell(format_args!(
            "{:#}",
            json!({
                "config": found.path,
                "config_written": found.written,
                "folder": found.config.folder,
                "node": node.map(|it| it.node.to_string()),
                "key_kept_by": node.map(|it| it.protection.kind()),
                "problems": node.map(|it| &it.troubles[..]).unwrap_or_default(),
                "next": next.map(|(command, _)| command),
            })
        ));
    } else {
        for trouble in found.node.iter().flat_map(|it| &it.troubles) {
            warn(trouble);
        }
        for line in lines(&found) {
            tell(line);
        }
        for (command, what) in next {
            tell(format_args!("  {command:<44} {what}"));
        }
    }
    ExitCode::from(ANSWERED)
}

fn prepare(place: &Where) -> Result<Found, (String, u8)> {
    let values = place.values().map_err(|why| (why.to_string(), USAGE))?;
    // What is there is to hold before anything is written.
    let config = values.config().map_err(|why| (why.to_string(), USAGE))?;
    let path = values.path;
    let written = match path.exists() {
        true => false,
        false => {
            write(&path).map_err(|why| {
                let path = path.display();
                (
                    format!("cannot write {path}: {why}; check the folder and the free space"),
                    FAILED,
                )
            })?;
            true
        }
    };
    let home = Home::at(&config.folder);
    if home.is_orphaned() || home.is_cut_short() {
        return Err((home.nobody().to_string(), FAILED));
    }
    let node = lives(&home);
    Ok(Found {
        path,
        written,
        config,
        node,
    })
}

/// Who lives there, if that can be read.
fn lives(home: &Home) -> Option<Lives> {
    let node = home.node()?;
    let (protection, kept_by) = home.protection().ok()?;
    Some(Lives {
        node,
        protection,
        kept_by,
        troubles: home.troubles(),
    })
}

fn write(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    files::make_folder(folder)?;
    files::replace(path, config::template().as_bytes())
}

fn lines(found: &Found) -> Vec<String> {
    let path = found.path.display();
    let config = match found.written {
        true => format!("Wrote {path}: every key with its default, for you to change."),
        false => format!("{path} is there and well; nothing in it was changed."),
    };
    let node = match &found.node {
        Some(Lives {
            node,
            protection,
            kept_by,
            ..
        }) => format!(
            "Node {node} lives in {}. The key of its vault is kept by {kept_by}. {}",
            found.config.folder.display(),
            meaning(protection)
        ),
        None => "No node lives here yet: its keys are made when you join a community. That of its vault is kept by a file in its \
                 folder, until you choose a passphrase or the keyring: commonhold key rotate"
            .into(),
    };
    vec![config, node, "Next:".into()]
}

/// Commands, and what they do.
fn next(is_member: bool) -> [(&'static str, &'static str); 4] {
    match is_member {
        true => [
            (
                "commonhold data import FILE.csv",
                "your data, which stay on this machine",
            ),
            ("commonhold up --detach", "run your node"),
            ("commonhold open", "see it in your browser"),
            ("commonhold status", "how it is, problems first"),
        ],
        false => [
            (
                "commonhold open",
                "all that follows in your browser, step by step",
            ),
            (
                "commonhold community join TICKET",
                "with the line that a member gave you",
            ),
            (
                "commonhold community create \"NAME\"",
                "or found a community of your own",
            ),
            (
                "commonhold demo",
                "or first see what it does, on this machine alone",
            ),
        ],
    }
}
