//! What all replicas of an agreement know beforehand, and what can be checked with it alone.

use base::{Digest, Duration, NodeId};
use thiserror::Error;

use super::certificate::{Phase, QuorumCertificate, check_seats};
use super::message::{Decision, Justification, Lock, Misbehaviour};

/// What all replicas of one agreement know beforehand.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names the question, the committee's list and what is agreed on. Part of everything that is signed: no vote counts
    /// in another instance.
    pub instance: Digest,
    /// Who has a seat, in seat order, each once. The leader of view `v` has seat `v mod n`.
    pub replicas: Vec<NodeId>,
    /// How many votes decide; from [`quorum`](super::quorum).
    pub quorum: usize,
    /// The longest value, in bytes.
    pub max_value: usize,
    /// The name of a value, which is what the votes and the final certificate sign: a collision-resistant function of
    /// bytes that a liar may have chosen. [`value_digest`] unless outsiders know the value by another name.
    pub name: fn(&[u8]) -> Digest,
    /// How long the first view may take, and how often a replica that waits for others repeats itself.
    pub first_timeout: Duration,
    /// Timeouts grow by a quarter of the first one from view to view, up to this one. A leader that is away costs a view,
    /// and several in a row may be: doubling would spend the time on few of them.
    pub longest_timeout: Duration,
}

impl Config {
    pub(super) fn leader(&self, view: u64) -> NodeId {
        self.replicas[(view % self.replicas.len() as u64) as usize]
    }

    pub(super) fn seat(&self, node: NodeId) -> Option<u16> {
        let seat = self.replicas.iter().position(|&replica| replica == node)?;
        u16::try_from(seat).ok()
    }

    pub(super) fn timeout(&self, view: u64) -> Duration {
        let quarters = u32::try_from(view).unwrap_or(u32::MAX).saturating_add(4);
        let quarter = self.first_timeout / 4;
        quarter.saturating_mul(quarters).min(self.longest_timeout)
    }

    /// So many statements hold an honest one: one more than the liars that the quorum bears.
    pub(super) fn more_than_liars(&self) -> usize {
        2 * self.quorum - self.replicas.len()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let n = self.replicas.len();
        if n > usize::from(u16::MAX) || self.quorum > n || 2 * self.quorum <= n {
            return Err(ConfigError::Quorum {
                n,
                quorum: self.quorum,
            });
        }
        let mut sorted = self.replicas.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::Repeated);
        }
        Ok(())
    }

    pub(super) fn check_lock(&self, lock: &Lock) -> Result<(), Misbehaviour> {
        let value = self.check_value(&lock.value)?;
        self.check_prevotes(value, &lock.certificate)
    }

    pub(super) fn check_prevotes(
        &self,
        value: Digest,
        certificate: &QuorumCertificate,
    ) -> Result<(), Misbehaviour> {
        let (replicas, quorum) = (&self.replicas, self.quorum);
        Ok(certificate.verify_phase(Phase::Prevote, self.instance, value, replicas, quorum)?)
    }

    pub(super) fn check_decision(&self, decision: &Decision) -> Result<(), Misbehaviour> {
        let value = self.check_value(&decision.value)?;
        let (replicas, quorum) = (&self.replicas, self.quorum);
        Ok(decision
            .certificate
            .verify(self.instance, value, replicas, quorum)?)
    }

    /// The name of a value of permitted length.
    pub(super) fn check_value(&self, value: &[u8]) -> Result<Digest, Misbehaviour> {
        let (len, limit) = (value.len(), self.max_value);
        if len > limit {
            Err(Misbehaviour::TooLong { len, limit })
        } else {
            Ok((self.name)(value))
        }
    }

    /// Checks that `value` may be proposed in `view`. `Ok(true)` when a quorum has prevoted it before.
    pub(super) fn check_justification(
        &self,
        view: u64,
        value: Digest,
        justification: Option<&Justification>,
    ) -> Result<bool, Misbehaviour> {
        let Some(Justification {
            statements,
            certificate,
        }) = justification
        else {
            return if view == 0 {
                Ok(false)
            } else {
                Err(Misbehaviour::Unjustified)
            };
        };
        let seats = statements.iter().map(|(seat, _)| *seat);
        check_seats(seats, self.replicas.len(), self.quorum)?;
        for (seat, statement) in statements {
            if statement.view != view {
                return Err(Misbehaviour::Unjustified);
            }
            statement.check(self.replicas[usize::from(*seat)], self.instance)?;
        }
        let highest = statements
            .iter()
            .filter_map(|(_, s)| s.claim)
            .map(|claim| claim.view)
            .max();
        let known = certificate.as_ref().map(|certificate| certificate.view);
        if highest > known {
            return Err(Misbehaviour::PassesOverLock);
        }
        self.check_certificate(view, value, certificate.as_ref())?;
        Ok(certificate.is_some())
    }

    /// Checks that a quorum prevoted `value` before `view`, if that is said.
    pub(super) fn check_certificate(
        &self,
        view: u64,
        value: Digest,
        certificate: Option<&QuorumCertificate>,
    ) -> Result<(), Misbehaviour> {
        match certificate {
            Some(certificate) if certificate.view >= view => Err(Misbehaviour::PassesOverLock),
            Some(certificate) => self.check_prevotes(value, certificate),
            None => Ok(()),
        }
    }
}

/// The usual name of a value.
pub fn value_digest(value: &[u8]) -> Digest {
    Digest::of("commonhold agreement value", &[value])
}

/// Why an agreement cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Two quorums would not overlap, or the quorum exceeds the committee.
    #[error("a quorum of {quorum} does not fit {n} replicas")]
    Quorum {
        /// Replicas.
        n: usize,
        /// Quorum.
        quorum: usize,
    },
    /// A replica is listed twice.
    #[error("a replica has two seats")]
    Repeated,
    /// This node has no seat.
    #[error("this node has no seat in the committee")]
    NoSeat,
    /// The stored state is damaged or of another agreement. Going on without it could break this replica's word.
    #[error("the stored state is damaged or belongs to another agreement")]
    State,
}
