//! `community invite`, `certify` and `renew`: what an issuer does.

use base::{Instant, NodeId, encode};
use community::{
    Community, Invitation, IssueError, Issuer, JOIN_REQUEST_BYTES_MAX, JoinAnswer, JoinRequest,
    Member, Refusal, Ticket, Welcome,
};
use crypto::{Certificate, Rights, SigningKey};
use net::Clock;
use serde_json::{Value, json};

use super::folder::{self, Folder, Held};
use super::options::{CertifyOptions, InviteOptions, RenewOptions, RightOption};
use super::{Failure, Told, amending, doors, telling};
use crate::counted::counted;
use crate::home::system_rng;
use crate::output::warn;
use crate::verify::utc;

/// An issuer with its folder, which nobody else changes meanwhile.
pub struct Desk {
    folder: Folder,
    community: Community,
    issuer: Issuer,
    now: Instant,
    _held: Held,
}

impl Desk {
    /// Unlocks the key that certifies.
    pub fn open(folder: Folder, passphrase: &str) -> Result<Self, Failure> {
        let key = folder.issuing_key(&folder.community()?, passphrase)?;
        Self::at(folder, key)
    }

    /// With a key that is unlocked.
    pub fn at(folder: Folder, key: SigningKey) -> Result<Self, Failure> {
        let held = folder.hold()?;
        // Read again: it may have changed while the passphrase was typed.
        let community = folder.community()?;
        let issuer = folder.issuer(key, &community)?;
        Ok(Self {
            folder,
            community,
            issuer,
            now: Clock::start().now(),
            _held: held,
        })
    }

    /// Certifies who asks with a ticket of ours, and stores that.
    pub fn redeem(
        &mut self,
        request: &JoinRequest,
    ) -> Result<Result<Certificate, Refusal>, Failure> {
        let descriptor = self.community.descriptor();
        let rng = &mut system_rng();
        let redeemed = self.issuer.redeem(descriptor, request, self.now, rng);
        if redeemed.is_ok() {
            self.folder.store_issuer(&self.issuer)?;
        }
        Ok(redeemed)
    }

    /// What a newcomer gets.
    pub fn welcome(&self, certificate: Certificate) -> JoinAnswer {
        JoinAnswer::Welcome(Box::new(Welcome {
            certificate,
            descriptor: self.community.signed().clone(),
            contacts: Vec::new(),
        }))
    }
}

/// Prints a ticket.
pub fn invite(options: &InviteOptions) -> Result<Told, Failure> {
    let folder = options.authority.folder()?;
    let passphrase = options.authority.passphrase("the key that certifies")?;
    let replaces = options
        .replaces
        .as_deref()
        .map(|node| telling::node(&folder, node))
        .transpose()?;
    let mut epoch = None;
    if let Some(old) = replaces {
        // Nobody is revoked for a ticket that there will not be.
        may_replace(options.authority.folder()?, &passphrase, old)?;
        epoch = amending::revoke_unless_revoked(&folder, &passphrase, old)?;
    }
    let mut desk = Desk::open(folder, &passphrase)?;
    let members = match options.member.as_slice() {
        [] => doors::open(desk.folder.path()),
        named => named.to_vec(),
    };
    let invitation = Invitation {
        rights: Rights {
            ask: options.rights.contains(&RightOption::Ask),
        },
        uses: options.uses,
        expires: desk.now + options.expires,
        valid_for: options.valid,
        members,
        replaces,
    };
    let descriptor = desk.community.descriptor();
    let ticket = desk
        .issuer
        .invite(descriptor, invitation, desk.now, &mut system_rng())
        .map_err(|why| refused(&why))?;
    desk.folder.store_issuer(&desk.issuer)?;
    let mut told = told_ticket(&ticket);
    if let (Some(old), Some(epoch)) = (replaces, epoch) {
        if !options.authority.json {
            warn(format_args!("note: {old} is revoked, in epoch {epoch}"));
        }
        told.json["revoked"] = old.to_string().into();
        told.json["epoch"] = epoch.into();
    }
    let in_force = desk.issuer.logs().in_force(descriptor, desk.now).len() as u64;
    if in_force + u64::from(options.uses) > descriptor.nodes {
        let warning = format!(
            "{} in force, and this ticket lets {} in: more than the {} for which the community is made; first: commonhold \
             community amend --nodes N",
            counted(in_force, "node is", "nodes are"),
            options.uses,
            descriptor.nodes
        );
        if !options.authority.json {
            warn(format_args!("warning: {warning}"));
        }
        told.json["warning"] = warning.into();
    }
    if !options.authority.json {
        warn(format_args!(
            "note: {}",
            doors::way_in(&ticket, desk.folder.path())
        ));
    }
    Ok(told)
}

/// Whether a ticket may be given to who lost this node. The folder is let go of, as whoever revokes holds it.
fn may_replace(folder: Folder, passphrase: &str, old: NodeId) -> Result<(), Failure> {
    let desk = Desk::open(folder, passphrase)?;
    let may = desk.issuer.may_move(old, desk.now);
    may.map_err(|why| refused(&why))
}

fn told_ticket(ticket: &Ticket) -> Told {
    let text = ticket.text();
    let member = |it: &Member| json!({"node": it.node.to_string(), "addresses": it.addresses});
    let members: Vec<_> = ticket.members.iter().map(member).collect();
    Told {
        json: json!({
            "ticket": *text,
            "name": ticket.name,
            "community": ticket.community.to_string(),
            "issuer": ticket.issuer.to_string(),
            "ask": ticket.rights.ask,
            "uses": ticket.uses,
            "members": members,
            "expires": ticket.expires.as_secs(),
            "expires_utc": utc(ticket.expires.as_secs()),
        }),
        // Nothing else: it is to be passed on.
        lines: vec![text.to_string()],
    }
}

/// Certifies who asks with a ticket.
pub fn certify(options: &CertifyOptions) -> Result<Told, Failure> {
    folder::must_be_new(&options.out)?;
    let folder = options.authority.folder()?;
    let request: JoinRequest = folder::read(&options.file, JOIN_REQUEST_BYTES_MAX)
        .map_err(|why| Failure::Failed(format!("this is not a request to join: {why}")))?;
    let passphrase = options.authority.passphrase("the key that certifies")?;
    let mut desk = Desk::open(folder, &passphrase)?;
    let certificate = match desk.redeem(&request)? {
        Ok(certificate) => certificate,
        Err(why) => {
            let answer = JoinAnswer::Refused(why);
            folder::write_new(&options.out, &encode(&answer))?;
            return Err(not_certified(why));
        }
    };
    hand_out(&desk, certificate, &options.out, "Certified")
}

fn not_certified(why: Refusal) -> Failure {
    Failure::Refused(format!("not certified: {why}"))
}

/// Certifies a node's keys for longer.
pub fn renew(options: &RenewOptions) -> Result<Told, Failure> {
    folder::must_be_new(&options.out)?;
    let folder = options.authority.folder()?;
    let node = telling::node(&folder, &options.node)?;
    let passphrase = options.authority.passphrase("the key that certifies")?;
    let mut desk = Desk::open(folder, &passphrase)?;
    let descriptor = desk.community.descriptor();
    let renewed = desk
        .issuer
        .renew(descriptor, node, options.valid, desk.now)
        .map_err(|why| refused(&why))?;
    desk.folder.store_issuer(&desk.issuer)?;
    hand_out(&desk, renewed, &options.out, "Renewed")
}

/// Only what is in the stored log is handed out.
fn hand_out(
    desk: &Desk,
    certificate: Certificate,
    out: &std::path::Path,
    what: &str,
) -> Result<Told, Failure> {
    let (json, line) = words(&certificate, out, what);
    folder::write_new(out, &encode(&desk.welcome(certificate)))?;
    let next = format!(
        "Send {} to its owner, for: commonhold community install FILE",
        out.display()
    );
    Ok(Told {
        json,
        lines: vec![line, next],
    })
}

fn words(certificate: &Certificate, out: &std::path::Path, what: &str) -> (Value, String) {
    let until = certificate.valid_until().as_secs();
    let node = certificate.node();
    let rights = match certificate.rights().ask {
        true => ", may ask questions",
        false => "",
    };
    let json = json!({
        "node": node.to_string(),
        "serial": certificate.serial(),
        "ask": certificate.rights().ask,
        "valid_until": until,
        "valid_until_utc": utc(until),
        "answer": out,
    });
    let line = format!(
        "{what} {node} until {}, number {} of the log{rights}.",
        utc(until),
        certificate.serial()
    );
    (json, line)
}

fn refused(why: &IssueError) -> Failure {
    match why {
        IssueError::Uses | IssueError::Dates => Failure::Usage(why.to_string()),
        _ => Failure::Refused(why.to_string()),
    }
}
