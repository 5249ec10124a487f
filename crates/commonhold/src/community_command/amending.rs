//! `community revoke`, `rotate` and `delegate`: what the authority alone does.

use base::NodeId;
use community::{AmendmentError, Community, Retired};
use crypto::SigningKey;
use serde_json::json;

use super::folder::{AUTHORITY, ENROLMENT, Folder, Held, NEXT_AUTHORITY};
use super::options::{DelegateOptions, RevokeOptions, RotateOptions};
use super::places::{self, Role};
use super::{Failure, Told, passphrase, telling};
use crate::home::system_rng;

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
    let path = places::find(options.dir.as_deref(), &[Role::Authority])?;
    let folder = Folder::at(&path);
    let node = telling::node(&folder, &options.node)?;
    let secret = options.secret.passphrase_file.as_deref();
    let passphrase = passphrase::known(secret, "the authority's key")?;
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

/// Takes a node out if it is in.
pub fn revoke_unless_revoked(
    folder: &Folder,
    passphrase: &str,
    node: NodeId,
) -> Result<(), Failure> {
    if folder.community()?.descriptor().is_revoked(node) {
        return Ok(());
    }
    let seat = Seat::take(folder, passphrase)?;
    let next = seat.community.revoke(&seat.key, node).map_err(refused)?;
    folder.store_community(&next)
}

/// Hands the community to a new key.
pub fn rotate(options: &RotateOptions) -> Result<Told, Failure> {
    let path = places::find(options.dir.as_deref(), &[Role::Authority])?;
    let folder = Folder::at(&path);
    let secret = options.secret.passphrase_file.as_deref();
    let passphrase = passphrase::known(secret, "the authority's key")?;
    let new_passphrase = match options.new_passphrase_file.as_deref() {
        Some(file) => passphrase::new_in(file)?,
        None => passphrase.clone(),
    };
    let seat = Seat::take(&folder, &passphrase)?;
    let rng = &mut system_rng();
    let new = SigningKey::generate(rng);
    let (retired, certificates) = match options.distrust_old {
        true => (
            Retired::Distrusted,
            "Certificates that the old key issued hold no longer: invite or renew their owners.",
        ),
        false => (
            Retired::StillCounts,
            "Certificates that the old key issued hold until they expire.",
        ),
    };
    let next = seat.community.rotate(&seat.key, &new, retired);
    let next = next.map_err(refused)?;
    // At no moment is there a community without its key: the new key first, then the word that it counts.
    folder.store_key(NEXT_AUTHORITY, &new, &new_passphrase, rng)?;
    folder.store_community(&next)?;
    folder.promote_next()?;
    let line = format!("The authority is {} now. {certificates}", new.node());
    let mut told = amended(&folder, &next, line, &[("authority", new.node())]);
    told.lines
        .push("Back up authority.locked again, and erase the old one wherever it is.".into());
    Ok(told)
}

/// Makes an enrolment key.
pub fn delegate(options: &DelegateOptions) -> Result<Told, Failure> {
    let path = places::find(options.dir.as_deref(), &[Role::Authority])?;
    let folder = Folder::at(&path);
    if folder.file(ENROLMENT).exists() {
        let file = folder.file(ENROLMENT);
        return Err(Failure::Refused(format!(
            "{} is there already; move it away first",
            file.display()
        )));
    }
    let secret = options.secret.passphrase_file.as_deref();
    let passphrase = passphrase::known(secret, "the authority's key")?;
    let new_passphrase = match options.new_passphrase_file.as_deref() {
        Some(file) => passphrase::new_in(file)?,
        None => passphrase.clone(),
    };
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

fn amended(folder: &Folder, community: &Community, line: String, names: &[(&str, NodeId)]) -> Told {
    let epoch = community.descriptor().epoch;
    let file = folder.epoch(epoch);
    let mut json = json!({ "epoch": epoch, "descriptor": file });
    for (name, node) in names {
        json[name] = node.to_string().into();
    }
    let next = format!(
        "Epoch {epoch}: send {} to the members, for: commonhold community install FILE",
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
