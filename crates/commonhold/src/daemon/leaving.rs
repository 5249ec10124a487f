//! `commonhold leave`: tell the others, stop, and erase if asked to.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::path::Path;
use std::process::ExitCode;

use base::NodeId;
use clap::Args;
use serde_json::json;

use crate::cli::{ANSWERED, FAILED, NOT_RUNNING, REFUSED, TIMED_OUT};
use crate::community_command::AUTHORITY;
use crate::daemon::folder::{Claimed, FolderError, client};
use crate::daemon::running::stopped_in;
use crate::daemon::{Failure, Where, converse};
use crate::home::{Elsewhere, Home};
use crate::output::{tell, warn};
use crate::wiping::{Wiped, Wiping};

/// How many digits of a name are typed at least.
const DIGITS_MIN: usize = 8;

/// Of `commonhold leave`.
#[derive(Debug, Args)]
pub struct LeaveOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Then erase its keys and your data, for good
    #[arg(long)]
    pub wipe: bool,
    /// Do not ask
    #[arg(long, requires = "wipe")]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn leave(options: &LeaveOptions) -> ExitCode {
    converse(options.json, async {
        let folder = options.place.config()?.folder;
        let home = Home::at(&folder);
        let node = home.wiped().or_else(|| home.node());
        if options.wipe {
            may_wipe(&home, node, options.yes)?;
        }
        let is_unknown = home.is_begun() || home.is_cut_short();
        let left = match client(&folder) {
            Ok(client) => {
                client.leave().await?;
                stopped_in(&folder).await?;
                true
            }
            Err(
                FolderError::Idle(_)
                | FolderError::Wiped(_)
                | FolderError::Orphaned(_)
                | FolderError::CutShort(_),
            ) if options.wipe => false,
            Err(why @ FolderError::Nobody(_)) => return Err(Failure::new(why, NOT_RUNNING)),
            Err(why) => return Err(why.into()),
        };
        let wiped = match options.wipe {
            true => Some(wipe(&folder, node)?),
            false => None,
        };
        if options.json {
            let node = node.map(|node| node.to_string());
            let elsewhere = wiped.as_ref().and_then(|wiped| wiped.elsewhere.as_ref());
            let elsewhere: Option<Vec<_>> = elsewhere.map(|all| {
                let told = all.iter();
                told.map(
                    |it| json!({ "what": it.what, "erased": it.left.is_none(), "why": it.left }),
                )
                .collect()
            });
            let told = json!({
                "node": node, "folder": folder, "told_others": left, "wiped": wiped.is_some(),
                "remaining": wiped.as_ref().map_or(&[][..], |wiped| &wiped.remaining),
                "keys_elsewhere": elsewhere,
            });
            tell(format_args!("{told:#}"));
        } else {
            tell(lines(node, left, is_unknown, wiped.as_ref()).join("\n"));
        }
        let is_left = |wiped: &Wiped| {
            let mut elsewhere = wiped.elsewhere.iter().flatten();
            elsewhere.any(|it| it.left.is_some())
        };
        match wiped.as_ref().is_some_and(is_left) {
            true => Ok(TIMED_OUT),
            false => Ok(ANSWERED),
        }
    })
}

/// Whether its owner means it.
fn may_wipe(home: &Home, node: Option<NodeId>, yes: bool) -> Result<(), Failure> {
    let folder = home.path();
    let is_there = home.is_inhabited() || home.is_begun() || home.is_wiped();
    if !is_there && !home.is_orphaned() && !home.is_cut_short() {
        let why = format!("no node lives in {}; nothing was changed", folder.display());
        return Err(Failure::new(why, NOT_RUNNING));
    }
    if folder.join(AUTHORITY).exists() {
        let why = format!(
            "{} also holds the community's authority; move {AUTHORITY} away first, nothing was changed",
            folder.display()
        );
        return Err(Failure::new(why, REFUSED));
    }
    // What has begun was meant.
    if yes || home.is_wiped() {
        return Ok(());
    }
    let Some(node) = node else {
        let why = match home.is_begun() {
            true => {
                "this vault has no node yet, whose name you could type; if you mean it, say --yes"
            }
            false if home.is_cut_short() => {
                "no node was ever completed here, whose name you could type; if you mean it, say --yes"
            }
            false => {
                "the file of keys cannot be read, so that it is not known whose it is; if you mean it, say --yes"
            }
        };
        return Err(Failure::new(why, REFUSED));
    };
    let ask = format!(
        "This erases the keys of node {node} and your data in {}, for good.\nType the node's name, or its first {DIGITS_MIN} digits:",
        folder.display()
    );
    warn(ask);
    if stdin().is_terminal() {
        drop(stderr().flush());
    }
    let mut typed = String::new();
    let read = stdin().lock().read_line(&mut typed);
    read.map_err(|why| Failure::new(format!("cannot read: {why}"), FAILED))?;
    if !is_meant(&typed, node) {
        let why = "that is not its name; nothing was changed";
        return Err(Failure::new(why, REFUSED));
    }
    Ok(())
}

fn is_meant(typed: &str, node: NodeId) -> bool {
    let typed = typed.trim().to_ascii_lowercase();
    typed.len() >= DIGITS_MIN && node.to_string().starts_with(&typed)
}

fn wipe(folder: &Path, node: Option<NodeId>) -> Result<Wiped, Failure> {
    // Nobody starts it meanwhile.
    let _held = Claimed::hold(folder)?;
    let wiped = Wiping::plan(folder, node).and_then(Wiping::finish);
    wiped.map_err(|why| {
        let folder = folder.display();
        let why = format!(
            "cannot erase all of {folder}: {why}; check its permissions, and repeat: commonhold leave --wipe --dir {folder}"
        );
        Failure::new(why, FAILED)
    })
}

fn lines(node: Option<NodeId>, left: bool, is_unknown: bool, wiped: Option<&Wiped>) -> Vec<String> {
    let name = node.map_or("the node".into(), |node| format!("node {node}"));
    let mut lines = vec![match left {
        _ if is_unknown => "There was no node yet: nobody is to be told.".into(),
        true => format!("The others are told that {name} goes; it has stopped."),
        false => format!("{name} was not running: the others notice by themselves."),
    }];
    let Some(wiped) = wiped else {
        lines.push("Its keys and data are still here: commonhold up brings it back.".into());
        return lines;
    };
    lines.push(
        "The keys in its folder are overwritten and deleted, its vault and all else that it kept is deleted."
            .into(),
    );
    match &wiped.elsewhere {
        Some(elsewhere) => lines.extend(elsewhere.iter().map(told_elsewhere)),
        None => lines.push(
            "What kept the vault's key is not known any more: if you had named a file for it (--key-file), or the keyring, \
             delete it there."
                .into(),
        ),
    }
    lines.push(
        "Nothing opens the vault without the keys. Whether a flash disk still holds old copies of them nobody can say; \
         backups that you made are yours to delete."
            .into(),
    );
    if let Some(node) = node {
        lines.push(format!(
            "Its certificate is in force until it expires, unless the authority takes it back: commonhold community revoke {node}"
        ));
    }
    if !wiped.remaining.is_empty() {
        let left: Vec<_> = wiped
            .remaining
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        lines.push(format!(
            "Left alone, as no node made it: {}",
            left.join(", ")
        ));
    }
    lines
}

/// What became of a key that was kept outside the folder.
fn told_elsewhere(key: &Elsewhere) -> String {
    let what = &key.what;
    match &key.left {
        None => format!("So is the vault's key in {what}."),
        Some(why) => format!(
            "The vault's key in {what} could NOT be deleted: {why}. Whoever has it opens every copy of the vault: delete it \
             there yourself."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_typed_and_not_just_confirmed() {
        let node = NodeId([0xab; 32]);
        let name = node.to_string();
        for meant in [
            &name,
            &name[..8],
            &format!(" {}\n", name.to_ascii_uppercase()),
        ] {
            assert!(is_meant(meant, node), "{meant}");
        }
        for other in ["", "\n", "yes", &name[..7], "abababac", &format!("{name}a")] {
            assert!(!is_meant(other, node), "{other}");
        }
    }
}
