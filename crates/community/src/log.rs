//! One issuer's log: every certificate that it has ever issued, in order, under signed heads.
//!
//! A certificate's serial number is its place in the log, counted from 1. So everybody who has the log sees at one glance
//! whether a certificate is in it, and an issuer that gives a newcomer a certificate which it does not log has signed its
//! own conviction: see [`Evidence`](crate::Evidence).

use base::{Digest, Instant, NodeId, encode};
use crypto::{Batch, Certificate, CertificateError, FirstBad, SigningKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::head::Head;
use crate::merkle;

/// Most entries of a log. A larger community has several issuers.
pub const LOG_ENTRIES_MAX: usize = 100_000;
/// Longest encoded log, in bytes: entries have about 320.
pub const LOG_BYTES_MAX: usize = 400 * LOG_ENTRIES_MAX;

/// One certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LogEntry {
    /// The certificate.
    #[n(0)]
    pub certificate: Certificate,
    /// When, by the issuer's clock.
    #[n(1)]
    pub at: Instant,
    /// The same person's node before, if this one has new keys.
    #[n(2)]
    pub replaces: Option<NodeId>,
}

impl LogEntry {
    pub(crate) fn leaf(&self) -> Digest {
        Digest::of("log leaf", &[&encode(self)])
    }
}

/// Why a log does not hold, or takes no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LogError {
    /// Longer than any.
    #[error("the log is full, with {LOG_ENTRIES_MAX} certificates")]
    Full,
    /// An entry of another issuer or community, or not with the serial number of its place.
    #[error("certificate {0} of the log does not belong there")]
    OutOfPlace(u64),
    /// Earlier than the one before, or later than the head.
    #[error("certificate {0} of the log is out of time")]
    OutOfTime(u64),
    /// Not signed by the issuer.
    #[error("certificate {0} of the log is not signed by its issuer")]
    NotIssued(u64),
    /// Entries without head, or a head that is not of these entries.
    #[error("the log's head is not of its certificates")]
    Head,
    /// The head is not signed by the issuer.
    #[error("the log's head is not signed by its issuer")]
    HeadSignature,
    /// Somebody else's key.
    #[error("this key is not that of the log's issuer")]
    NotTheIssuer,
}

/// All certificates of one issuer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Log {
    #[n(0)]
    community: Digest,
    #[n(1)]
    issuer: NodeId,
    #[n(2)]
    entries: Vec<LogEntry>,
    #[n(3)]
    head: Option<Head>,
}

impl Log {
    /// The log of who has issued nothing yet.
    pub fn new(community: Digest, issuer: NodeId) -> Self {
        Self {
            community,
            issuer,
            entries: Vec::new(),
            head: None,
        }
    }

    /// Whose log it is.
    pub fn issuer(&self) -> NodeId {
        self.issuer
    }

    /// Of which community.
    pub fn community(&self) -> Digest {
        self.community
    }

    /// The certificates, in order.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// What the issuer signed last, unless it has issued nothing.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The serial number of the next certificate.
    ///
    /// # Errors
    ///
    /// When the log is [full](LogError::Full).
    pub fn next_serial(&self) -> Result<u64, LogError> {
        match self.entries.len() {
            full if full >= LOG_ENTRIES_MAX => Err(LogError::Full),
            len => Ok(len as u64 + 1),
        }
    }

    /// Adds a certificate and signs the new head. Digests of all entries are computed again.
    ///
    /// # Errors
    ///
    /// When it does not fit, as [`verify`](Self::verify) would find.
    pub fn append(&mut self, key: &SigningKey, entry: LogEntry) -> Result<(), LogError> {
        if key.node() != self.issuer {
            return Err(LogError::NotTheIssuer);
        }
        let serial = self.next_serial()?;
        let mut batch = Batch::new();
        let since = self.entries.last().map_or(Instant(0), |last| last.at);
        self.check(&entry, serial, since, &mut batch)?;
        batch
            .verify()
            .map_err(|FirstBad(_)| LogError::NotIssued(serial))?;
        let at = entry.at;
        self.entries.push(entry);
        let head = (serial, merkle::root(&self.leaves()));
        self.head = Some(Head::sign(key, self.community, head, at));
        Ok(())
    }

    /// Checks everything: one signature for each entry, in batches, and one for the head.
    ///
    /// # Errors
    ///
    /// One per check, see [`LogError`].
    pub fn verify(&self) -> Result<(), LogError> {
        if self.entries.len() > LOG_ENTRIES_MAX {
            return Err(LogError::Full);
        }
        let mut since = Instant(0);
        let mut batch = Batch::new();
        for (serial, entry) in (1..).zip(&self.entries) {
            self.check(entry, serial, since, &mut batch)?;
            since = entry.at;
        }
        match &self.head {
            None if self.entries.is_empty() => return Ok(()),
            Some(head) if self.is_under(head) && head.at >= since => {
                head.verify().map_err(|_| LogError::HeadSignature)?
            }
            _ => return Err(LogError::Head),
        }
        batch
            .verify()
            .map_err(|FirstBad(place)| LogError::NotIssued(place as u64 + 1))
    }

    fn check(
        &self,
        entry: &LogEntry,
        serial: u64,
        since: Instant,
        batch: &mut Batch,
    ) -> Result<(), LogError> {
        if entry.at < since {
            return Err(LogError::OutOfTime(serial));
        }
        let certificate = &entry.certificate;
        let fits = certificate.verify_in(
            batch,
            &self.community,
            &[self.issuer],
            certificate.valid_from(),
        );
        match fits {
            Ok(()) if certificate.serial() == serial => Ok(()),
            Ok(())
            | Err(CertificateError::NotOfThisCommunity | CertificateError::UnknownIssuer) => {
                Err(LogError::OutOfPlace(serial))
            }
            Err(_) => Err(LogError::NotIssued(serial)),
        }
    }

    /// Whether the head is of exactly these entries.
    fn is_under(&self, head: &Head) -> bool {
        (head.community, head.issuer) == (self.community, self.issuer)
            && !self.entries.is_empty()
            && head.size == self.entries.len() as u64
            && head.root == merkle::root(&self.leaves())
    }

    /// The root of the first entries, as many as there may be.
    pub(crate) fn root_of_first(&self, size: u64) -> Option<Digest> {
        let leaves = self.leaves();
        let first = usize::try_from(size)
            .ok()
            .and_then(|size| leaves.get(..size));
        first.map(merkle::root)
    }

    /// Shows that the first `size` certificates were the beginning of the log; nothing to show for more than there are,
    /// and for none.
    pub fn consistency(&self, size: u64) -> Vec<Digest> {
        match usize::try_from(size) {
            Ok(size) if (1..=self.entries.len()).contains(&size) => {
                merkle::consistency(&self.leaves(), size)
            }
            _ => Vec::new(),
        }
    }

    /// The entry with this serial number, and what shows that it is under the head.
    pub fn inclusion(&self, serial: u64) -> Option<(&LogEntry, Vec<Digest>)> {
        let place = usize::try_from(serial.checked_sub(1)?).ok()?;
        let entry = self.entries.get(place)?;
        Some((entry, merkle::inclusion(&self.leaves(), place)))
    }

    fn leaves(&self) -> Vec<Digest> {
        self.entries.iter().map(LogEntry::leaf).collect()
    }
}
