//! `community revoke`, `rotate`, `delegate`, `unlist` and `amend`: what the authority alone does.

use base::{Instant, NodeId};
use community::{AmendmentError, Community, Descriptor, Logs, Retired, Table};
use crypto::SigningKey;
use net::Clock;
use serde_json::json;

use super::changes::Changes;
use super::folder::{AUTHORITY, ENROLMENT, Folder, Held, NEXT_AUTHORITY};
use super::founding::{check_numbers, set_draws};
use super::options::{
    AmendOptions, Authority, DelegateOptions, RevokeOptions, RotateOptions, UnlistOptions,
};
use super::{Failure, Told, telling, vocabulary_file};
use crate::home::system_rng;
use crate::passphrase;

/// Fewest letters by which a key may be called.
const SHORTEST: usize = 4;

/// The authority with its folder, which nobody else changes meanwhile.
struct Seat {
    key: SigningKey,
    community: Community,
    _held: Held,
}

impl Seat {
    fn take(folder: &Folder, passphrase: &str) -> Result<Self, Failure> {
        let held = folder.hold()?;
        let community = folder.community()?;
        Ok(Self {
            key: folder.authority_key(&community, passphrase)?,
            community,
            _held: held,
        })
    }
}

/// Takes a node out.
pub fn revoke(options: &RevokeOptions) -> Result<Told, Failure> {
    let folder = options.authority.folder()?;
    let node = telling::node(&folder, &options.node)?;
    let passphrase = options.authority.passphrase("the authority's key")?;
    let seat = Seat::take(&folder, &passphrase)?;
    let next = seat
        .community
        .revoke(&seat.key, node)
        .map_err(|why| match why {
            AmendmentError::AlreadyListed => Failure::Refused(format!("{node} is revoked already")),
            why => refused(why),
        })?;
    folder.store_community(&next)?;
    let line = format!(
        "Revoked {node}; {} in all.",
        next.descriptor().revoked.len()
    );
    Ok(amended(&folder, &next, line, &[("node", node)]))
}

/// Takes a node out if it is in: with which epoch, if it is.
pub fn revoke_unless_revoked(
    folder: &Folder,
    passphrase: &str,
    node: NodeId,
) -> Result<Option<u64>, Failure> {
    if folder.community()?.descriptor().is_revoked(node) {
        return Ok(None);
    }
    let seat = Seat::take(folder, passphrase)?;
    let next = seat.community.revoke(&seat.key, node).map_err(refused)?;
    folder.store_community(&next)?;
    Ok(Some(next.descriptor().epoch))
}

/// Hands the community to a new key.
pub fn rotate(options: &RotateOptions) -> Result<Told, Failure> {
    let folder = options.authority.folder()?;
    let passphrase = options.authority.passphrase("the authority's key")?;
    let new_passphrase = passphrase::next(options.new_passphrase_file.as_deref(), &passphrase)?;
    let seat = Seat::take(&folder, &passphrase)?;
    let rng = &mut system_rng();
    let new = SigningKey::generate(rng);
    let retired = match options.distrust_old {
        true => Retired::Distrusted,
        false => Retired::StillCounts,
    };
    let next = seat.community.rotate(&seat.key, &new, retired);
    let next = next.map_err(refused)?;
    let logs = folder.logs(&next)?;
    // At no moment is there a community without its key: the new key first, then the word that it counts.
    folder.store_key(NEXT_AUTHORITY, &new, &new_passphrase, rng)?;
    folder.store_community(&next)?;
    folder.promote_next()?;
    let line = format!("The authority is {} now.", new.node());
    let mut told = amended(&folder, &next, line, &[("authority", new.node())]);
    let (before, after) = (seat.community.descriptor(), next.descriptor());
    let now = Clock::start().now();
    add_changes(&mut told, &Changes::between(before, after, &logs, now));
    let old = what_becomes_of(&logs, (before, after), now);
    told.lines.splice(1..1, old);
    told.lines
        .push("Back up authority.locked again, and erase the old one wherever it is.".into());
    told.lines.push(
        "A node that lets people in takes the new key by itself, unless its passphrase was typed: then start it again."
            .into(),
    );
    Ok(told)
}

/// What the old key's certificates are worth, and what those of the other keys, as far as the log knows of them.
fn what_becomes_of(
    logs: &Logs,
    (before, after): (&Descriptor, &Descriptor),
    at: Instant,
) -> Vec<String> {
    let old = before.authority;
    let is_listed = after.enrolment.contains(&old);
    let mut without = after.clone();
    without.enrolment.retain(|key| *key != old);
    let others = logs.in_force(&without, at).len();
    let issued = logs.in_force(before, at).len() - others;
    if is_listed {
        return vec![format!(
            "What the old key {old:?} certified holds until it runs out; nodes in force by it: {issued}."
        )];
    }
    let mut lines = vec![format!(
        "What the old key {old:?} certified holds no longer, and its tickets are void; nodes in force by it until now: {issued}."
    )];
    if others > 0 {
        let keys = without.enrolment.iter().map(|key| format!("{key:?}"));
        lines.push(format!(
            "Nodes in force by other keys, which stay on the list ({}): {others}. To end those of one: commonhold community unlist KEY",
            keys.collect::<Vec<_>>().join(", ")
        ));
    }
    lines
}

/// Makes an enrolment key.
pub fn delegate(options: &DelegateOptions) -> Result<Told, Failure> {
    let folder = options.authority.folder()?;
    if folder.file(ENROLMENT).exists() {
        let file = folder.file(ENROLMENT);
        return Err(Failure::Refused(format!(
            "{} is there already; move it away first",
            file.display()
        )));
    }
    let passphrase = options.authority.passphrase("the authority's key")?;
    let new_passphrase = passphrase::next(options.new_passphrase_file.as_deref(), &passphrase)?;
    let seat = Seat::take(&folder, &passphrase)?;
    let rng = &mut system_rng();
    let new = SigningKey::generate(rng);
    let next = seat.community.list_issuer(&seat.key, new.node());
    let next = next.map_err(refused)?;
    folder.store_key(ENROLMENT, &new, &new_passphrase, rng)?;
    folder.store_community(&next)?;
    let line = format!(
        "{} can certify people from now on; its key is in {ENROLMENT}.",
        new.node()
    );
    let mut told = amended(&folder, &next, line, &[("issuer", new.node())]);
    told.lines.push(format!(
        "{AUTHORITY} is needed to revoke and to rotate alone: keep it elsewhere."
    ));
    Ok(told)
}

/// Takes an enrolment key off the list.
pub fn unlist(options: &UnlistOptions) -> Result<Told, Failure> {
    let folder = options.authority.folder()?;
    let key = listed(&folder.community()?, &options.key)?;
    let change = |next: &mut Descriptor| {
        next.enrolment.retain(|listed| *listed != key);
        Ok(())
    };
    let done = format!("{key} certifies nobody from now on.");
    changed(&folder, &options.authority, options.preview, change, done)
}

/// The enrolment key that somebody means.
fn listed(community: &Community, typed: &str) -> Result<NodeId, Failure> {
    let listed = &community.descriptor().enrolment;
    let typed = typed.to_ascii_lowercase();
    let begins = |key: &&NodeId| typed.len() >= SHORTEST && key.to_string().starts_with(&typed);
    let found: Vec<_> = listed.iter().filter(begins).collect();
    match found[..] {
        [key] => Ok(*key),
        [] if typed.parse::<NodeId>().is_ok() => Err(Failure::Refused(format!(
            "{typed} is not on the list of keys that certify; see commonhold community show"
        ))),
        [] => Err(Failure::Usage(format!(
            "no key that certifies is called {typed}; type at least {SHORTEST} letters of a name that commonhold community show shows as issuer"
        ))),
        _ => Err(Failure::Usage(format!(
            "{} keys' names start with {typed}; type more of it",
            found.len()
        ))),
    }
}

/// Changes numbers and words.
pub fn amend(options: &AmendOptions) -> Result<Told, Failure> {
    let folder = options.authority.folder()?;
    let vocabulary = options.vocabulary.as_deref().map(vocabulary_file::read);
    let vocabulary = vocabulary.transpose()?;
    let change = |next: &mut Descriptor| change_numbers(next, options, vocabulary.clone());
    let done = "The community is changed.".to_owned();
    changed(&folder, &options.authority, options.preview, change, done)
}

fn change_numbers(
    next: &mut Descriptor,
    options: &AmendOptions,
    vocabulary: Option<Vec<Table>>,
) -> Result<(), Failure> {
    let follows = next.padding_allowance == next.colluders;
    next.nodes = options.nodes.unwrap_or(next.nodes);
    next.colluders = options.colluders.unwrap_or(next.colluders);
    next.min_crowd = options.min_crowd.unwrap_or(next.min_crowd);
    next.padding_allowance = match options.padding {
        Some(padding) => padding,
        None if follows => next.colluders,
        None => next.padding_allowance,
    };
    if let Some(draws) = options.draws {
        set_draws(next, draws)?;
    }
    next.vocabulary = vocabulary.unwrap_or_else(|| std::mem::take(&mut next.vocabulary));
    check_numbers(
        next.nodes,
        next.colluders,
        next.min_crowd,
        next.padding_allowance,
    )
}

/// Makes a change, or says only what it would change.
fn changed(
    folder: &Folder,
    authority: &Authority,
    preview: bool,
    change: impl Fn(&mut Descriptor) -> Result<(), Failure>,
    done: String,
) -> Result<Told, Failure> {
    let changes = |community: &Community| -> Result<Changes, Failure> {
        let before = community.descriptor();
        let mut after = before.clone();
        change(&mut after)?;
        let logs = folder.logs(community)?;
        let changes = Changes::between(before, &after, &logs, Clock::start().now());
        match changes.is_empty() {
            true => Err(Failure::Refused("nothing would change".into())),
            false => Ok(changes),
        }
    };
    let community = folder.community()?;
    let first = changes(&community)?;
    if preview {
        let mut json = first.json();
        json["preview"] = true.into();
        let mut lines = first.lines();
        lines.push("Nothing is changed yet: the same without --preview does it.".into());
        return Ok(Told { json, lines });
    }
    let passphrase = authority.passphrase("the authority's key")?;
    let seat = Seat::take(folder, &passphrase)?;
    // Somebody may have changed something while the passphrase was typed.
    let changes = changes(&seat.community)?;
    let next = seat.community.amend(&seat.key, |next| {
        change(next).expect("it was just tried on the same descriptor");
    });
    let next = next.map_err(refused)?;
    folder.store_community(&next)?;
    let mut told = amended(folder, &next, done, &[]);
    add_changes(&mut told, &changes);
    Ok(told)
}

/// After the first line.
fn add_changes(told: &mut Told, changes: &Changes) {
    let json = changes.json();
    for part in ["changes", "certificates_lost", "warnings"] {
        told.json[part] = json[part].clone();
    }
    told.lines.splice(1..1, changes.lines());
}

fn amended(folder: &Folder, community: &Community, line: String, names: &[(&str, NodeId)]) -> Told {
    let epoch = community.descriptor().epoch;
    let file = folder.epoch(epoch);
    let mut json = json!({ "epoch": epoch, "descriptor": file });
    for (name, node) in names {
        json[name] = node.to_string().into();
    }
    let next = format!(
        "Epoch {epoch}: nodes that let people in from this folder tell the others. If none runs, on any member's machine: \
         commonhold community install {}",
        file.display()
    );
    Told {
        json,
        lines: vec![line, next],
    }
}

fn refused(why: AmendmentError) -> Failure {
    Failure::Refused(why.to_string())
}
