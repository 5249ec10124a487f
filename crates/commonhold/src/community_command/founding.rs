//! `community create`.

use base::encode;
use community::{Community, Descriptor, NAME_BYTES_MAX, SignedDescriptor};
use crypto::SigningKey;
use serde_json::json;

use super::changes::unsafe_numbers;
use super::folder::{AUTHORITY, DESCRIPTOR, Folder};
use super::options::CreateOptions;
use super::places::{self, Role};
use super::{Failure, Told, vocabulary_file};
use crate::budget::Written;
use crate::counted::counted;
use crate::home::system_rng;

/// Founds a community.
pub fn create(options: &CreateOptions) -> Result<Told, Failure> {
    let rng = &mut system_rng();
    let authority = SigningKey::generate(rng);
    let descriptor = descriptor(options, &authority)?;
    let signed = SignedDescriptor::sign(&descriptor, &authority)
        .and_then(Community::open)
        .map_err(|why| Failure::Usage(format!("no community can be like this: {why}")))?;
    let id = descriptor.community;
    let path = places::make(
        options.dir.as_deref(),
        &descriptor.name,
        &id,
        Role::Authority,
    )?;
    let folder = Folder::at(&path);
    for name in [AUTHORITY, DESCRIPTOR] {
        if folder.file(name).exists() {
            let file = folder.file(name);
            return Err(Failure::Failed(format!(
                "{} is there already; name another folder with --dir",
                file.display()
            )));
        }
    }
    let passphrase = options.secret.given().chosen("the authority's key")?;
    folder.make()?;
    let _held = folder.hold()?;
    folder.store_key(AUTHORITY, &authority, &passphrase, rng)?;
    folder.store_community(&signed)?;
    let (is_named, bytes) = (options.dir.is_some(), encode(signed.signed()).len());
    Ok(told(&descriptor, &folder, is_named, bytes))
}

fn descriptor(options: &CreateOptions, authority: &SigningKey) -> Result<Descriptor, Failure> {
    let usage = |why: String| Err(Failure::Usage(why));
    let (name, nodes) = (options.name.trim(), options.nodes);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
        return usage(format!(
            "a community's name has 1 to {NAME_BYTES_MAX} bytes on one line"
        ));
    }
    let colluders = options
        .colluders
        .unwrap_or_else(|| Descriptor::default_colluders(nodes));
    let crowd = options.min_crowd;
    // Whoever takes part to lift a small crowd over the limit is one of them.
    let padding_allowance = colluders;
    check_numbers(nodes, colluders, crowd, padding_allowance)?;
    let vocabulary = options
        .vocabulary
        .as_deref()
        .map(vocabulary_file::read)
        .transpose()?;
    let mut descriptor = Descriptor {
        colluders,
        min_crowd: crowd,
        padding_allowance,
        vocabulary: vocabulary.unwrap_or_default(),
        ..Descriptor::founding(name, authority.node(), nodes)
    };
    if let Some(draws) = options.draws {
        set_draws(&mut descriptor, draws)?;
    }
    Ok(descriptor)
}

/// Says how often one member may have helpers drawn.
pub fn set_draws(descriptor: &mut Descriptor, draws: Written) -> Result<(), Failure> {
    let none = || Failure::Usage("nobody could ask without a draw; give such as 16/hour".into());
    let draws = draws.0.ok_or_else(none)?;
    descriptor.draws_per_period = u32::try_from(draws.questions).unwrap_or(u32::MAX);
    descriptor.period_secs = draws.period.as_secs();
    Ok(())
}

/// Whether there can be a community of these numbers.
pub fn check_numbers(
    nodes: u64,
    colluders: u64,
    crowd: u64,
    padding_allowance: u64,
) -> Result<(), Failure> {
    if colluders == 0 || colluders >= nodes {
        return Err(Failure::Usage(format!(
            "{colluders} of {} cannot conspire; give more --nodes, or --colluders from 1 to below that",
            counted(nodes, "node", "nodes")
        )));
    }
    let least = crowd.saturating_add(padding_allowance);
    if crowd == 0 || least > nodes {
        let smaller = match nodes.saturating_sub(padding_allowance) {
            0 => String::new(),
            most => format!("--min-crowd from 1 to {most}, or "),
        };
        return Err(Failure::Usage(format!(
            "a crowd of {crowd} and {padding_allowance} who may conspire cannot be had of {}; give {smaller}--nodes {} or more",
            counted(nodes, "node", "nodes"),
            least.max(padding_allowance.saturating_add(1))
        )));
    }
    Ok(())
}

fn told(descriptor: &Descriptor, folder: &Folder, is_named: bool, bytes: usize) -> Told {
    let Descriptor {
        name,
        nodes,
        colluders,
        min_crowd,
        vocabulary,
        ..
    } = descriptor;
    let path = folder.path();
    let tables = match vocabulary.len() {
        0 => "no vocabulary yet".to_owned(),
        tables => counted(tables, "table", "tables"),
    };
    let warning = unsafe_numbers(descriptor);
    let next = match is_named {
        true => format!("Next: commonhold community invite --dir {}", path.display()),
        false => "Next, your own node: commonhold community join \"$(commonhold community invite --rights ask)\"".into(),
    };
    let mut lines = vec![
        format!("Founded \"{name}\": N = {nodes}, C = {colluders}, crowds of at least {min_crowd} + {colluders}, {tables}."),
        format!("  community  {}", descriptor.community),
        format!("  folder     {}", path.display()),
        "Back up this folder, and the passphrase apart from it. Without authority.locked and the passphrase nobody can".to_owned(),
        "change the community any more; with them anybody can. After each certificate, logs.cbor has changed: back up again.".to_owned(),
        next,
    ];
    lines.extend(
        warning
            .iter()
            .map(|warning| format!("warning: {warning}; to change it: commonhold community amend")),
    );
    Told {
        json: json!({
            "warning": warning,
            "name": name,
            "community": descriptor.community.to_string(),
            "authority": descriptor.authority.to_string(),
            "epoch": descriptor.epoch,
            "nodes": nodes,
            "colluders": colluders,
            "min_crowd": min_crowd,
            "tables": vocabulary.len(),
            "folder": path,
            "key": folder.file(AUTHORITY),
            "descriptor": folder.file(DESCRIPTOR),
            "descriptor_bytes": bytes,
        }),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advised_will_do() {
        for (nodes, crowd, padding) in [(7, 5, 3), (7, 0, 3), (3, 5, 9), (1, 0, 0)] {
            let why = check_numbers(nodes, 1, crowd, padding);
            let Err(Failure::Usage(why)) = why else {
                panic!("{nodes} {crowd} {padding}");
            };
            assert!(!why.contains('\n'), "{why}");
        }
        let why = check_numbers(7, 3, 5, 3).expect_err("too few").to_string();
        assert!(
            why.ends_with("give --min-crowd from 1 to 4, or --nodes 8 or more"),
            "{why}"
        );
        assert!(check_numbers(7, 3, 4, 3).is_ok() && check_numbers(8, 3, 5, 3).is_ok());
    }
}
