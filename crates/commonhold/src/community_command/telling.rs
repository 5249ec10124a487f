//! `community show` and `log`.

use std::collections::BTreeSet;

use base::NodeId;
use community::{
    Community, Descriptor, Kind, LOGS_BYTES_MAX, LogEntry, Logs, MergeError, Range, Table,
};
use net::Clock;
use serde_json::{Value, json};

use super::folder::{self, Folder, LOGS};
use super::options::{LogOptions, ShowOptions};
use super::places::{self, Role};
use super::{Failure, Told};
use crate::budget::words;
use crate::counted::counted;
use crate::verify::utc;

/// Fewest letters by which a node may be called.
const SHORTEST: usize = 4;

/// The node that somebody means: its whole name, or the beginning of that of one in the log.
pub fn node(folder: &Folder, typed: &str) -> Result<NodeId, Failure> {
    if let Ok(node) = typed.parse() {
        return Ok(node);
    }
    let logs = folder.logs(&folder.community()?)?;
    let typed = typed.to_lowercase();
    let mut found: Vec<_> = logs
        .iter()
        .flat_map(|log| log.entries())
        .map(|entry| entry.certificate.node())
        .filter(|node| typed.len() >= SHORTEST && node.to_string().starts_with(&typed))
        .collect();
    found.sort();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::Usage(format!(
            "no node in the log is called {typed}; type at least {SHORTEST} letters of a name that commonhold community log shows"
        ))),
        many => Err(Failure::Usage(format!(
            "{} nodes' names start with {typed}; type more of it",
            many.len()
        ))),
    }
}

/// Says what the community has agreed on.
pub fn show(options: &ShowOptions) -> Result<Told, Failure> {
    let roles = [Role::Authority, Role::Node];
    let path = places::find(options.dir.as_deref(), &roles)?;
    let community = Folder::at(&path).community()?;
    Ok(Told {
        json: as_json(&community),
        lines: as_lines(&community),
    })
}

fn as_json(community: &Community) -> Value {
    let descriptor = community.descriptor();
    let names = |nodes: &[NodeId]| -> Vec<String> { nodes.iter().map(NodeId::to_string).collect() };
    json!({
        "name": descriptor.name,
        "community": descriptor.community.to_string(),
        "epoch": descriptor.epoch,
        "digest": community.digest().to_string(),
        "authority": descriptor.authority.to_string(),
        "keys_before": community.signed().successions().len(),
        "enrolment": names(&descriptor.enrolment),
        "nodes": descriptor.nodes,
        "colluders": descriptor.colluders,
        "alpha": descriptor.alpha,
        "offline_permille": descriptor.offline_permille,
        "min_crowd": descriptor.min_crowd,
        "padding_allowance": descriptor.padding_allowance,
        "draws_per_period": descriptor.draws_per_period,
        "period_secs": descriptor.period_secs,
        "revoked": names(&descriptor.revoked),
        "vocabulary": descriptor.vocabulary.iter().map(table_json).collect::<Vec<_>>(),
    })
}

fn table_json(table: &Table) -> Value {
    let columns = table.columns.iter().map(|column| match &column.kind {
        Kind::Number(range) => json!({
            "name": column.name,
            "kind": "number",
            "min": decimal(range.min, range.decimals),
            "max": decimal(range.max, range.decimals),
            "decimals": range.decimals,
        }),
        Kind::Category(words) => json!({
            "name": column.name, "kind": "category", "words": words,
        }),
        Kind::Text => json!({ "name": column.name, "kind": "text" }),
    });
    json!({ "name": table.name, "columns": columns.collect::<Vec<_>>() })
}

fn as_lines(community: &Community) -> Vec<String> {
    let descriptor = community.descriptor();
    let Descriptor {
        name,
        nodes,
        colluders,
        alpha,
        min_crowd,
        padding_allowance,
        ..
    } = descriptor;
    let changed = match community.signed().successions().len() {
        0 => "the founder's key".to_owned(),
        1 => "the founder's key vouched for it".to_owned(),
        keys => format!("after {keys} others, each of which vouched for the next"),
    };
    let line = |name: &str, text: String| format!("{name:<10} {text}");
    let mut lines = vec![
        line("name", name.clone()),
        line("community", descriptor.community.to_string()),
        line("epoch", descriptor.epoch.to_string()),
        line("authority", format!("{} ({changed})", descriptor.authority)),
        line(
            "nodes",
            format!("N = {nodes}: no more than so many certificates in force"),
        ),
        line(
            "colluders",
            format!(
                "C = {colluders}: so many may conspire, and nobody's data is known to them but for a chance of {alpha:e} a draw"
            ),
        ),
        line(
            "crowd",
            format!("nothing is told of fewer than {min_crowd} + {padding_allowance} people"),
        ),
        line(
            "draws",
            format!(
                "one member may have helpers drawn {}",
                words(descriptor.draws_per_period.into(), descriptor.period_secs)
            ),
        ),
        line(
            "revoked",
            counted(descriptor.revoked.len(), "node", "nodes"),
        ),
    ];
    for key in &descriptor.enrolment {
        lines.push(line(
            "issuer",
            format!("{key}: what it certified counts as well"),
        ));
    }
    match descriptor.vocabulary.as_slice() {
        [] => lines.push(line("data", "no vocabulary yet".into())),
        tables => lines.extend(tables.iter().flat_map(table_lines)),
    }
    lines
}

fn table_lines(table: &Table) -> Vec<String> {
    let mut lines = vec![format!("{:<10} {}", "table", table.name)];
    for column in &table.columns {
        let kind = kind(&column.kind);
        lines.push(format!("{:<12} {}: {kind}", "", column.name));
    }
    lines
}

/// What a column holds.
pub fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Number(Range { decimals, min, max }) => format!(
            "number from {} to {}",
            decimal(*min, *decimals),
            decimal(*max, *decimals)
        ),
        Kind::Category(words) => format!("one of {}", words.join(", ")),
        Kind::Text => "text".to_owned(),
    }
}

/// Units of the last decimal as people write them.
fn decimal(units: i64, decimals: u8) -> String {
    let digits = format!("{:0>1$}", units.unsigned_abs(), usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let sign = if units < 0 { "-" } else { "" };
    match fraction {
        "" => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

/// Lists and checks what was issued.
pub fn log(options: &LogOptions) -> Result<Told, Failure> {
    let folder = Folder::find(options.dir.as_deref())?;
    let held = folder.hold()?;
    let community = folder.community()?;
    let mut logs = folder.logs(&community)?;
    logs.verify()
        .map_err(|why| folder::damaged(&folder.file(LOGS), &why))?;
    for file in &options.compare {
        let theirs: Logs = folder::read(file, LOGS_BYTES_MAX)?;
        for log in theirs.iter() {
            logs.merge(log.clone(), community.descriptor())
                .map_err(|why| no_merge(file, &why))?;
        }
        folder.store_logs(&logs)?;
    }
    drop(held);
    Ok(told(&community, &logs))
}

fn no_merge(file: &std::path::Path, why: &MergeError) -> Failure {
    let text = format!("{} does not agree with this log: {why}", file.display());
    match why {
        MergeError::Fork(_) => Failure::Refused(text),
        _ => Failure::Failed(text),
    }
}

fn told(community: &Community, logs: &Logs) -> Told {
    let descriptor = community.descriptor();
    let now = Clock::start().now();
    let in_force = logs.in_force(descriptor, now).len() as u64;
    let two_places = logs.in_two_places();
    let replaced_twice = logs.replaced_twice();
    let names =
        |nodes: &BTreeSet<NodeId>| -> Vec<_> { nodes.iter().map(NodeId::to_string).collect() };
    let entries: Vec<_> = logs
        .iter()
        .flat_map(|log| log.entries().iter().map(|entry| (log.issuer(), entry)))
        .collect();
    let issuers = descriptor.issuers();
    let standing = |entry: &LogEntry| {
        let certificate = &entry.certificate;
        if descriptor.is_revoked(certificate.node()) {
            "revoked"
        } else if !issuers.contains(&certificate.issuer()) {
            "its issuer is not listed any more"
        } else if now > certificate.valid_until() {
            "expired"
        } else {
            "in force"
        }
    };
    let json = entries.iter().map(|(issuer, entry)| {
        let certificate = &entry.certificate;
        json!({
            "issuer": issuer.to_string(),
            "serial": certificate.serial(),
            "node": certificate.node().to_string(),
            "issued": entry.at.as_secs(),
            "valid_until": certificate.valid_until().as_secs(),
            "ask": certificate.rights().ask,
            "replaces": entry.replaces.map(|node| node.to_string()),
            "standing": standing(entry),
        })
    });
    let lines = entries.iter().map(|(issuer, entry)| {
        let certificate = &entry.certificate;
        format!(
            "{:.8} {:>6}  {}  {}  until {}  {}{}{}",
            issuer.to_string(),
            certificate.serial(),
            certificate.node(),
            utc(entry.at.as_secs()),
            utc(certificate.valid_until().as_secs()),
            standing(entry),
            if certificate.rights().ask {
                ", may ask"
            } else {
                ""
            },
            entry.replaces.map_or(String::new(), |old| format!(
                ", follows {:.8}",
                old.to_string()
            )),
        )
    });
    let json = json!({
        "holds": true,
        "in_force": in_force,
        "nodes": descriptor.nodes,
        "too_many": in_force > descriptor.nodes,
        "in_two_places": names(&two_places),
        "replaced_twice": replaced_twice.iter().map(|(old, new)| json!({
            "node": old.to_string(),
            "followers": names(new),
        })).collect::<Vec<_>>(),
        "entries": json.collect::<Vec<_>>(),
    });
    let mut lines: Vec<_> = lines.collect();
    lines.push(format!(
        "The log holds. Certificates: {}; nodes in force: {in_force} of N = {}.",
        entries.len(),
        descriptor.nodes
    ));
    if in_force > descriptor.nodes {
        lines.push(
            "warning: more are in force than N says, so that the community's chances do not hold; raise N: commonhold community amend --nodes N"
                .into(),
        );
    }
    lines.extend(two_places.iter().map(|node| {
        format!(
            "warning: {node} was certified for two places; its issuers did not know of each other"
        )
    }));
    lines.extend(replaced_twice.iter().map(|(old, new)| {
        format!(
            "warning: {old} was replaced by {}: a person has one node, so that all of them but one are to be revoked, \
             commonhold community revoke NODE",
            names(new).join(" and by ")
        )
    }));
    Told { json, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_as_people_do() {
        for (units, decimals, text) in [
            (0, 0, "0"),
            (245, 1, "24.5"),
            (-5, 1, "-0.5"),
            (-1234, 2, "-12.34"),
            (7, 3, "0.007"),
            (i64::MIN, 9, "-9223372036.854775808"),
        ] {
            assert_eq!(decimal(units, decimals), text);
        }
    }
}
