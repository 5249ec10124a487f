//! `commonhold consent`: the log of what was asked of the owner's data, what was decided and what was sent.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use api::{ConsentEntry, ConsentLogged, ConsentStep};
use clap::{Args, Subcommand};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use vault::{Logged, Vault};

use crate::cli::USAGE;
use crate::counted::counted;
use crate::daemon::{RevokeOptions, plain, revoke, short};
use crate::data::{Failed, Looking, Said, Target, exported, failed, home, lost, say};
use crate::files;
use crate::verify::utc;
use crate::witness::{ConsentLogError, Witness};

/// Entries that are read at once.
const AT_ONCE: usize = 1000;

/// What can be done with the consent log.
#[derive(Debug, Subcommand)]
pub enum ConsentCommand {
    /// What was asked of your data, what was decided and by which rule, what was sent
    ///
    /// The node may run or not. Exit code: 0 the log is as it was written, 1 it is not; why is said last.
    List(ListOptions),
    /// Write the whole log as JSON, each entry with its digest
    Export(Target),
    /// Take consent back: a rule, the yes to a question, or every yes
    ///
    /// Says for each question whether it was in time. What has left cannot be taken back: it is in a total, where nobody can
    /// find it. Exit code: 0 nothing had left, 2 there is no such rule or question, 3 no node is running, 4 it was too late
    /// for all of it, 5 for some.
    Revoke(RevokeOptions),
}

/// Of `consent list`.
#[derive(Debug, Args)]
pub struct ListOptions {
    /// How many entries, the latest
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub last: u64,
    /// Those about one question: its name, or how that begins
    #[arg(long, value_name = "ID")]
    pub question: Option<String>,
    /// What it prints, and of which node.
    #[command(flatten)]
    pub looking: Looking,
}

/// Runs the command.
pub fn main(command: &ConsentCommand) -> ExitCode {
    match command {
        ConsentCommand::List(options) => list(options),
        ConsentCommand::Export(to) => exported(to, export(to)),
        ConsentCommand::Revoke(options) => revoke(options),
    }
}

/// An entry for people and programs. One that cannot be read is shown as what it is.
pub fn shown(logged: &Logged) -> ConsentLogged {
    let entry = serde_json::from_slice(&logged.entry);
    ConsentLogged {
        number: logged.number,
        digest: logged.digest.to_string(),
        entry: entry.unwrap_or_else(|_| ConsentEntry {
            at: 0,
            step: ConsentStep::Unknown,
            question: None,
            asker: None,
            sql: None,
            purpose: None,
            rule: None,
            text: "this entry cannot be read: another version of the program wrote it, or somebody else".into(),
        }),
    }
}

fn list(options: &ListOptions) -> ExitCode {
    let json = options.looking.json;
    match listed(options) {
        Ok((said, None)) => say(json, Ok(said)),
        Ok((said, Some(why))) => {
            let printed = say(json, Ok(said));
            // With --json it is in the object.
            match json {
                true if printed == ExitCode::SUCCESS => ExitCode::from(crate::cli::FAILED),
                true => printed,
                false => say(false, Err(failed(why))),
            }
        }
        Err(why) => say(json, Err(why)),
    }
}

/// What the log says, and what is wrong with it.
fn listed(options: &ListOptions) -> Result<(Said, Option<ConsentLogError>), Failed> {
    let home = home(&options.looking.place)?;
    let (_, vault) = home.open_vault().map_err(failed)?;
    let wrong = Witness::at(home.path()).examine(&vault).err();
    let end = vault.log_end().map_err(failed)?;
    let mut entries = Vec::new();
    let about = options.question.as_deref().map(str::to_ascii_lowercase);
    let from = match about {
        Some(_) => 0,
        None => end.entries.saturating_add(1).saturating_sub(options.last),
    };
    each(&vault, from, |logged| {
        let shown = shown(logged);
        let is_meant = about.as_ref().is_none_or(|about| {
            let question = shown.entry.question.as_ref();
            question.is_some_and(|question| question.starts_with(about))
        });
        if is_meant {
            entries.push(shown);
        }
        Ok(())
    })?;
    if about.is_some() && entries.is_empty() {
        let why = "the log has no question of that name; see: commonhold consent list";
        return Err((why.into(), USAGE));
    }
    let most = usize::try_from(options.last).unwrap_or(usize::MAX);
    let surplus = entries.len().saturating_sub(most);
    entries.drain(..surplus);
    let older = from.saturating_sub(1) + surplus as u64;
    let mut lines = Vec::new();
    if older > 0 {
        lines.push(format!(
            "{}: --last {}",
            counted(older, "older entry", "older entries"),
            older + entries.len() as u64
        ));
    }
    lines.extend(entries.iter().flat_map(told));
    lines.push(match (&wrong, end.entries) {
        (None, 0) => "Nothing was asked yet.".into(),
        (None, all) => format!(
            "The log is as it was written, with {}; the last one's digest is {}.",
            counted(all, "entry", "entries"),
            end.digest
        ),
        (Some(_), _) => "The log is NOT as it was written.".into(),
    });
    let json = json!({
        "entries": entries,
        "count": end.entries,
        "digest": end.digest.to_string(),
        "holds": wrong.is_none(),
        "why": wrong.as_ref().map(ToString::to_string),
    });
    Ok((Said { json, lines }, wrong))
}

/// One entry in lines: what, and where a question is first told of, which.
fn told(logged: &ConsentLogged) -> Vec<String> {
    let entry = &logged.entry;
    let about = entry.question.as_deref().map_or("", short);
    let (number, at, text) = (logged.number, utc(entry.at), plain(&entry.text));
    let mut lines = vec![format!("{number:>5}  {at}  {about:<8}  {text}")];
    if let Some(sql) = &entry.sql {
        let asker = entry.asker.as_deref().map_or("", short);
        let purpose = match entry.purpose.as_deref() {
            None | Some("") => String::new(),
            Some(purpose) => format!(", for: {purpose}"),
        };
        let asked = plain(&format!("{sql} from {asker}{purpose}"));
        lines.push(format!("{:41}{asked}", ""));
    }
    lines
}

fn export(to: &Target) -> Result<Option<Said>, Failed> {
    let home = home(&to.place)?;
    let (_, vault) = home.open_vault().map_err(failed)?;
    // It is written as it is, so that somebody can look at it.
    let broken = || {
        let examined = Witness::at(home.path()).examine(&vault);
        examined.map_err(|why| failed(format!("the log was written as it is, but {why}")))
    };
    let Some(path) = &to.out else {
        return match write(&vault, io::stdout().lock()) {
            Err(why) if why.0 == ENDED => Ok(None),
            written => written.and_then(|_| broken()).map(|_| None),
        };
    };
    let lost = |why: &dyn std::fmt::Display| lost(path, why);
    let entries = files::write_new(
        path,
        |why| lost(&why),
        |file| write(&vault, file).map_err(|(why, _)| lost(&why)),
    )?;
    broken()?;
    let shown = path.display().to_string();
    Ok(Some(Said {
        lines: vec![format!(
            "{} in {shown}, readable by your account alone and not encrypted.",
            counted(entries, "entry is", "entries are")
        )],
        json: json!({ "file": shown, "entries": entries }),
    }))
}

/// Who reads has seen enough.
const ENDED: &str = "nobody reads any more";

/// The log, each entry as it is stored, so that its digest can be computed again.
fn write(vault: &Vault, out: impl Write) -> Result<u64, Failed> {
    let lost = |why: io::Error| match why.kind() {
        io::ErrorKind::BrokenPipe => failed(ENDED),
        _ => failed(why),
    };
    let mut out = BufWriter::new(out);
    write!(
        out,
        "{{\"format\":\"commonhold consent log 1\",\"entries\":["
    )
    .map_err(lost)?;
    let mut count = 0;
    let mut last = Value::Null;
    each(vault, 0, |logged| {
        let text = String::from_utf8_lossy(&logged.entry);
        let entry = match serde_json::from_str::<IgnoredAny>(&text) {
            Ok(_) => text,
            // It was not written by this program: a text.
            Err(_) => Value::from(text).to_string().into(),
        };
        let separator = if count > 0 { "," } else { "" };
        let (number, digest) = (logged.number, logged.digest);
        write!(
            out,
            "{separator}\n{{\"number\":{number},\"digest\":\"{digest}\",\"entry\":{entry}}}"
        )
        .map_err(lost)?;
        count += 1;
        last = json!({ "entries": number, "digest": digest.to_string() });
        Ok(())
    })?;
    writeln!(out, "\n],\"end\":{last}}}").map_err(lost)?;
    out.flush().map_err(lost)?;
    Ok(count)
}

/// Each entry from this number on.
fn each(
    vault: &Vault,
    mut from: u64,
    mut see: impl FnMut(&Logged) -> Result<(), Failed>,
) -> Result<(), Failed> {
    loop {
        let some = vault.logged(from, AT_ONCE).map_err(failed)?;
        some.iter().try_for_each(&mut see)?;
        match some.last() {
            Some(last) if some.len() == AT_ONCE => from = last.number + 1,
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use base::{Digest, Rng};
    use vault::VaultKey;

    use super::*;

    #[test]
    fn an_export_has_what_digests_are_computed_from() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
        let entries = [
            r#"{"at":7,"step":"came","question":"ab","text":"\"é\" waits"}"#,
            r#"{"at":8,"step":"of a later version","text":"x"}"#,
            "no JSON",
        ];
        let mut end = None;
        for entry in entries {
            end = Some(vault.log(entry.as_bytes()).expect("logged"));
        }
        let end = end.expect("logged");
        let mut out = Vec::new();
        assert_eq!(write(&vault, &mut out), Ok(3));
        let read: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(read["end"]["digest"], end.digest.to_string());
        // As docs/daemon.md says how.
        let domain = "commonhold consent log 1";
        let mut digest = Digest::of(domain, &[]);
        let text = String::from_utf8(out).expect("text");
        for (place, entry) in entries.iter().enumerate() {
            let number = place as u64 + 1;
            digest = Digest::of(
                domain,
                &[&digest.0, &number.to_be_bytes(), entry.as_bytes()],
            );
            assert_eq!(read["entries"][place]["digest"], digest.to_string());
            let is_json = entry.starts_with('{');
            assert!(
                !is_json || text.contains(&format!("\"entry\":{entry}}}")),
                "{text}"
            );
        }
        let steps = vault.logged(1, 9).expect("read");
        let steps: Vec<_> = steps.iter().map(|one| shown(one).entry.step).collect();
        assert_eq!(
            steps,
            [
                ConsentStep::Came,
                ConsentStep::Unknown,
                ConsentStep::Unknown
            ]
        );
    }
}
