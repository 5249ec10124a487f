//! Who certifies: a key, the tickets that it gave, and the log of all that it issued.
//!
//! A place on the ring is drawn by the issuer and must not be drawn again for the asking. So the same keys always keep
//! their nonce, whoever asks how often; one key may not come with two VRF keys; and a person who takes new keys takes the
//! old ones out of force, in the log for all to see, and only [`MOVES_PER_YEAR_MAX`] times a year (design: identity).

use std::collections::BTreeSet;

use base::{Duration, Instant, NodeId, Rng};
use crypto::{Certificate, CertificateError, CertificateRequest, Rights, SigningKey};
use thiserror::Error;

use crate::ticket::TicketSecret;
use crate::{
    Descriptor, Given, JoinRequest, Log, LogEntry, Logs, Member, MergeError, Refusal,
    TICKET_USES_MAX, Ticket, TicketBook, YEAR,
};

/// How often a person may take new keys, and with them another place, in a year. Guess: a lost and a stolen device.
pub const MOVES_PER_YEAR_MAX: usize = 2;
/// How often a node may be certified in a year. Guess: a certificate for a month each, and some mishaps.
pub const CERTIFIED_PER_YEAR_MAX: usize = 24;
/// Longest time for which a certificate is in force.
pub const VALID_MAX: Duration = Duration::from_secs(5 * 365 * 86_400);
/// A certificate is in force from a little before it was issued, for those whose clocks are slow. Guess.
const CLOCKS_APART: Duration = Duration::from_secs(3600);

/// An issuer at work.
#[derive(Debug)]
pub struct Issuer {
    key: SigningKey,
    logs: Logs,
    book: TicketBook,
}

/// What a ticket is to offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What its holders may do.
    pub rights: Rights,
    /// How many nodes it lets in, 1 to [`TICKET_USES_MAX`].
    pub uses: u32,
    /// Its last moment.
    pub expires: Instant,
    /// How long certificates are in force, at most [`VALID_MAX`].
    pub valid_for: Duration,
    /// Whom newcomers can ask for the way.
    pub members: Vec<Member>,
    /// The revoked node of the same person, if this is about new keys.
    pub replaces: Option<NodeId>,
}

/// Why no ticket was given, or a certificate not renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IssueError {
    /// No longer on the community's list, or never.
    #[error("this key may not issue certificates for the community")]
    NotAnIssuer,
    /// None, or too many.
    #[error("a ticket is for 1 to {TICKET_USES_MAX} nodes, and for one if it replaces another")]
    Uses,
    /// A time that is over, or too long.
    #[error("a ticket expires later than now, and certificates within five years")]
    Dates,
    /// Too many that have not expired.
    #[error("too many tickets are open; wait until some expire")]
    BookFull,
    /// Nobody issued anything to this node.
    #[error("this node was never certified by an issuer of the community")]
    UnknownNode,
    /// Taken out of force for good.
    #[error("this node is revoked and cannot be renewed; invite its owner again")]
    Revoked,
    /// The old node must be revoked before its owner gets another.
    #[error("the node to be replaced is not revoked yet")]
    NotRevoked,
    /// One lost node makes room for one.
    #[error("{old} has been replaced by {new}; if that one is lost too, replace that one")]
    Replaced {
        /// Which node is to be replaced again.
        old: NodeId,
        /// Which stands in its place.
        new: NodeId,
    },
    /// See [`MOVES_PER_YEAR_MAX`] and [`CERTIFIED_PER_YEAR_MAX`].
    #[error(
        "this was done as often as may be in a year; wait, or accept that it takes a new member"
    )]
    TooOften,
    /// No room in the log.
    #[error("the issuer's log is full; list another enrolment key")]
    LogFull,
}

/// Why an issuer must not go on with what it has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MemoryError {
    /// A log does not hold.
    #[error(transparent)]
    Logs(#[from] MergeError),
    /// It has certified this node and does not find it in the logs: going on, it would keep a second log.
    #[error(
        "node {0} was certified by a ticket, but is not in the log: the log is older than the tickets"
    )]
    Forgotten(NodeId),
}

impl Issuer {
    /// With what it remembers of its work so far: all logs that it knows, its own among them, and its tickets. Checks all
    /// of it, which takes a signature check for each certificate.
    ///
    /// # Errors
    ///
    /// See [`MemoryError`]. An issuer that signs a head over what is damaged or forgotten can never take that back.
    pub fn new(key: SigningKey, logs: Logs, book: TicketBook) -> Result<Self, MemoryError> {
        logs.verify()?;
        let entries = logs.iter().flat_map(Log::entries);
        let known: BTreeSet<_> = entries.map(|entry| entry.certificate.node()).collect();
        let redeemed = book.iter().flat_map(|(_, given)| given.redeemed.iter());
        let forgotten = redeemed.copied().find(|node| !known.contains(node));
        match forgotten {
            Some(node) => Err(MemoryError::Forgotten(node)),
            None => Ok(Self { key, logs, book }),
        }
    }

    /// Its name.
    pub fn node(&self) -> NodeId {
        self.key.node()
    }

    /// All logs that it knows; to be stored after each certificate, and before it is handed out.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// All logs that it knows, to merge those of others into.
    pub fn logs_mut(&mut self) -> &mut Logs {
        &mut self.logs
    }

    /// Its tickets; to be stored after each ticket and certificate.
    pub fn book(&self) -> &TicketBook {
        &self.book
    }

    /// Gives a ticket.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn invite(
        &mut self,
        descriptor: &Descriptor,
        invitation: Invitation,
        now: Instant,
        rng: &mut Rng,
    ) -> Result<Ticket, IssueError> {
        self.check(descriptor)?;
        let Invitation {
            rights,
            uses,
            expires,
            valid_for,
            members,
            replaces,
        } = invitation;
        let uses_max = if replaces.is_some() {
            1
        } else {
            TICKET_USES_MAX
        };
        if !(1..=uses_max).contains(&uses) {
            return Err(IssueError::Uses);
        }
        if expires <= now || valid_for.is_zero() || valid_for > VALID_MAX {
            return Err(IssueError::Dates);
        }
        if let Some(old) = replaces {
            self.may_move(old, now)?;
            self.check_move(descriptor, old, now)?;
        }
        let random = rng.bytes32();
        let secret = TicketSecret(std::array::from_fn(|place| random[place]));
        let given = Given {
            rights,
            uses,
            expires,
            valid_secs: valid_for.as_secs(),
            replaces,
            redeemed: Vec::new(),
        };
        let id = secret.id(&descriptor.community);
        if !self.book.give(id, given, now) {
            return Err(IssueError::BookFull);
        }
        let says = (rights, uses, expires);
        Ok(Ticket::new(&self.key, descriptor, members, secret, says))
    }

    fn check_move(
        &self,
        descriptor: &Descriptor,
        old: NodeId,
        now: Instant,
    ) -> Result<(), IssueError> {
        self.check_moves(old, now)?;
        match descriptor.is_revoked(old) {
            true => Ok(()),
            false => Err(IssueError::NotRevoked),
        }
    }

    /// Whether the owner of this node, once it is revoked, may have another one in its place.
    ///
    /// # Errors
    ///
    /// [`IssueError::UnknownNode`], [`IssueError::Replaced`] or [`IssueError::TooOften`].
    pub fn may_move(&self, old: NodeId, now: Instant) -> Result<(), IssueError> {
        if self.logs.last_of(old).is_none() {
            return Err(IssueError::UnknownNode);
        }
        if let Some(new) = self.logs.last_follower(old) {
            return Err(IssueError::Replaced { old, new });
        }
        self.check_moves(old, now)
    }

    fn check_moves(&self, old: NodeId, now: Instant) -> Result<(), IssueError> {
        match self.logs.moves_since(old, now - YEAR) {
            moves if moves >= MOVES_PER_YEAR_MAX => Err(IssueError::TooOften),
            _ => Ok(()),
        }
    }

    /// Certifies who shows a ticket, and logs it. Who has been certified with this ticket before gets the same
    /// certificate again: an answer may be lost on the way.
    ///
    /// # Errors
    ///
    /// See [`Refusal`]. No signature is checked unless the ticket was given and can be used.
    pub fn redeem(
        &mut self,
        descriptor: &Descriptor,
        request: &JoinRequest,
        now: Instant,
        rng: &mut Rng,
    ) -> Result<Certificate, Refusal> {
        let given = self.book.admit(request, now)?.clone();
        request
            .check(&descriptor.community)
            .map_err(|_| Refusal::BadProof)?;
        let node = request.request.node;
        if descriptor.is_revoked(node) {
            return Err(Refusal::Revoked);
        }
        let last = self.logs.last_of(node);
        if last.is_some_and(|last| last.certificate.vrf() != request.request.vrf) {
            return Err(Refusal::OtherVrfKey);
        }
        if given.is_redeemed_by(node)
            && let Some(last) = last
        {
            return Ok(last.certificate.clone());
        }
        self.check(descriptor).map_err(|_| Refusal::CannotIssue)?;
        if let Some(old) = given.replaces {
            // Several tickets may be open for one lost node: the first that is used counts. That this very node is logged
            // and its use of the ticket not written down is what a crash leaves.
            if self.logs.other_follower(old, node).is_some() {
                return Err(Refusal::Replaced);
            }
            if self.check_move(descriptor, old, now).is_err() {
                return Err(Refusal::TooOften);
            }
        }
        let certificate = self.certify(descriptor, &request.request, &given, now, rng)?;
        self.book.redeem(request.ticket, node);
        Ok(certificate)
    }

    fn certify(
        &mut self,
        descriptor: &Descriptor,
        request: &CertificateRequest,
        given: &Given,
        now: Instant,
        rng: &mut Rng,
    ) -> Result<Certificate, Refusal> {
        let node = request.node;
        if self.logs.certified_since(node, now - YEAR) >= CERTIFIED_PER_YEAR_MAX {
            return Err(Refusal::TooOften);
        }
        let fresh = rng.bytes32();
        let nonce = self
            .logs
            .last_of(node)
            .map_or(fresh, |last| last.certificate.nonce());
        let serial = self.logs.own(self.key.node()).next_serial();
        let certificate = Certificate::issue(
            &self.key,
            &descriptor.community,
            request,
            nonce,
            given.rights,
            now - CLOCKS_APART,
            now + given.valid_for(),
            serial.map_err(|_| Refusal::CannotIssue)?,
        );
        let certificate = certificate.map_err(|why| match why {
            CertificateError::BadRequest => Refusal::BadRequest,
            _ => Refusal::CannotIssue,
        })?;
        self.write_down(&certificate, given.replaces, now)
            .map_err(|_| Refusal::CannotIssue)?;
        Ok(certificate)
    }

    /// Certifies a node's keys again, for the same place, and logs it.
    ///
    /// # Errors
    ///
    /// See [`IssueError`].
    pub fn renew(
        &mut self,
        descriptor: &Descriptor,
        node: NodeId,
        valid_for: Duration,
        now: Instant,
    ) -> Result<Certificate, IssueError> {
        self.check(descriptor)?;
        if descriptor.is_revoked(node) {
            return Err(IssueError::Revoked);
        }
        if valid_for.is_zero() || valid_for > VALID_MAX {
            return Err(IssueError::Dates);
        }
        let last = self.logs.last_of(node).ok_or(IssueError::UnknownNode)?;
        let last = last.certificate.clone();
        if self.logs.certified_since(node, now - YEAR) >= CERTIFIED_PER_YEAR_MAX {
            return Err(IssueError::TooOften);
        }
        let serial = self.logs.own(self.key.node()).next_serial();
        let (from, until) = (now - CLOCKS_APART, now + valid_for);
        let serial = serial.map_err(|_| IssueError::LogFull)?;
        let renewed = last
            .renewed(&self.key, last.rights(), from, until, serial)
            .map_err(|_| IssueError::Dates)?;
        self.write_down(&renewed, None, now)?;
        Ok(renewed)
    }

    fn write_down(
        &mut self,
        certificate: &Certificate,
        replaces: Option<NodeId>,
        now: Instant,
    ) -> Result<(), IssueError> {
        let log = self.logs.own(self.key.node());
        // A clock that was set back must not stop the issuer for good.
        let since = log.entries().last().map_or(now, |last| last.at);
        let entry = LogEntry {
            certificate: certificate.clone(),
            at: now.max(since),
            replaces,
        };
        log.append(&self.key, entry)
            .map_err(|_| IssueError::LogFull)
    }

    fn check(&self, descriptor: &Descriptor) -> Result<(), IssueError> {
        match descriptor.issuers().contains(&self.key.node()) {
            true => Ok(()),
            false => Err(IssueError::NotAnIssuer),
        }
    }
}
