//! Proof that a quorum of seats voted for one value in one view.

use base::{Digest, NodeId, encode};
use crypto::{FirstBad, Signature, SigningKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

#[cfg(not(test))]
use crypto::{Batch, verify};

#[cfg(test)]
use super::tests::{verify_all_once as verify_all, verify_once as verify};

/// The smallest quorum of `n` replicas of which up to `liars` lie: any two quorums share more than `liars` replicas, so
/// at least one honest one (design: aggregation, "Agree").
///
/// `None` when even all `n` together do not suffice, that is when `liars >= n`. Agreement stays *safe* with this quorum
/// whatever fails; it also *ends* as long as that many honest replicas are up.
pub fn quorum(n: usize, liars: usize) -> Option<usize> {
    let quorum = n.checked_add(liars)? / 2 + 1;
    (quorum <= n).then_some(quorum)
}

/// What a vote is for. The domain is part of what is signed, so that a vote of one kind is never one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// "I find this value valid and vote for no other one in this view."
    Prevote,
    /// "I saw a quorum of prevotes and shall carry this value into every later view."
    Commit,
}

impl Phase {
    const fn domain(self) -> &'static str {
        match self {
            Self::Prevote => "commonhold agreement prevote",
            Self::Commit => "commonhold agreement commit",
        }
    }
}

/// What the signature of a vote covers.
#[derive(Encode)]
#[cbor(map)]
struct Ballot {
    #[n(0)]
    instance: Digest,
    #[n(1)]
    view: u64,
    #[n(2)]
    value: Digest,
}

/// Signs a vote of `phase` for the value called `value`.
pub(super) fn sign(
    key: &SigningKey,
    phase: Phase,
    instance: Digest,
    view: u64,
    value: Digest,
) -> Signature {
    key.sign(
        phase.domain(),
        &encode(&Ballot {
            instance,
            view,
            value,
        }),
    )
}

/// Whether `signature` is the vote of `node`.
pub(super) fn is_vote(
    node: NodeId,
    phase: Phase,
    instance: Digest,
    view: u64,
    value: Digest,
    signature: &Signature,
) -> bool {
    let ballot = encode(&Ballot {
        instance,
        view,
        value,
    });
    verify(node, phase.domain(), &ballot, signature).is_ok()
}

/// Checks these signatures under one message together.
#[cfg(not(test))]
fn verify_all<'a>(
    domain: &str,
    message: &[u8],
    votes: impl Iterator<Item = (NodeId, &'a Signature)>,
) -> Result<(), FirstBad> {
    let mut batch = Batch::new();
    for (node, signature) in votes {
        batch.push(node, domain, message, signature);
    }
    batch.verify()
}

/// A quorum's votes for one value in one view.
///
/// As part of a decision the votes are commit votes: whoever knows the replicas and the quorum can then check with
/// [`verify`](Self::verify) alone that no other value was or will be decided.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct QuorumCertificate {
    /// The view of the votes.
    #[n(0)]
    pub view: u64,
    /// Seats and their signatures, by ascending seat, exactly as many as the quorum.
    #[n(1)]
    pub votes: Vec<(u16, Signature)>,
}

/// Why a certificate was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Fewer or more votes than the quorum: there is one form only.
    #[error("{votes} votes where exactly {quorum} are required")]
    Count {
        /// How many there are.
        votes: usize,
        /// How many there must be.
        quorum: usize,
    },
    /// Seats are not in ascending order, or one votes twice.
    #[error("seats are not distinct and ascending")]
    Order,
    /// A seat that does not exist.
    #[error("there is no seat {0}")]
    Seat(u16),
    /// The signature of this seat is not its vote for this value, view and instance.
    #[error("the signature of seat {0} is not its vote for this value")]
    Signature(u16),
}

impl QuorumCertificate {
    /// Checks that these are exactly `quorum` commit votes of distinct `replicas` for the value called `value` in
    /// `instance`: `quorum` signature checks, all together.
    ///
    /// # Errors
    ///
    /// One variant per check; the cheap ones come first.
    pub fn verify(
        &self,
        instance: Digest,
        value: Digest,
        replicas: &[NodeId],
        quorum: usize,
    ) -> Result<(), CertificateError> {
        self.verify_phase(Phase::Commit, instance, value, replicas, quorum)
    }

    /// As [`verify`](Self::verify), for votes of either phase.
    pub(super) fn verify_phase(
        &self,
        phase: Phase,
        instance: Digest,
        value: Digest,
        replicas: &[NodeId],
        quorum: usize,
    ) -> Result<(), CertificateError> {
        check_seats(
            self.votes.iter().map(|(seat, _)| *seat),
            replicas.len(),
            quorum,
        )?;
        let ballot = Ballot {
            instance,
            view: self.view,
            value,
        };
        let votes = self
            .votes
            .iter()
            .map(|(seat, vote)| (replicas[usize::from(*seat)], vote));
        verify_all(phase.domain(), &encode(&ballot), votes)
            .map_err(|FirstBad(place)| CertificateError::Signature(self.votes[place].0))
    }
}

/// Checks that `seats` are exactly `quorum` distinct seats below `n` in ascending order.
pub(super) fn check_seats(
    seats: impl ExactSizeIterator<Item = u16> + Clone,
    n: usize,
    quorum: usize,
) -> Result<(), CertificateError> {
    if seats.len() != quorum {
        return Err(CertificateError::Count {
            votes: seats.len(),
            quorum,
        });
    }
    if !seats.clone().is_sorted_by(|a, b| a < b) {
        return Err(CertificateError::Order);
    }
    match seats.last() {
        Some(last) if usize::from(last) >= n => Err(CertificateError::Seat(last)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::keys;
    use super::*;

    const INSTANCE: Digest = Digest([1; 32]);
    const VALUE: Digest = Digest([2; 32]);

    fn certificate(seats: &[u16], keys: &[SigningKey]) -> QuorumCertificate {
        let vote = |&seat: &u16| {
            (
                seat,
                sign(
                    &keys[usize::from(seat) % keys.len()],
                    Phase::Commit,
                    INSTANCE,
                    3,
                    VALUE,
                ),
            )
        };
        QuorumCertificate {
            view: 3,
            votes: seats.iter().map(vote).collect(),
        }
    }

    #[test]
    fn quorums_of_small_committees() {
        assert_eq!(quorum(1, 0), Some(1));
        assert_eq!(quorum(2, 0), Some(2));
        assert_eq!(quorum(4, 1), Some(3));
        assert_eq!(quorum(6, 1), Some(4));
        assert_eq!(quorum(7, 2), Some(5));
        assert_eq!(quorum(9, 3), Some(7));
        assert_eq!(quorum(3, 2), Some(3));
        assert_eq!(quorum(3, 3), None);
        assert_eq!(quorum(0, 0), None);
        assert_eq!(quorum(usize::MAX, 1), None);
    }

    proptest! {
        #[test]
        fn quorum_is_the_smallest_that_intersects(n in 0usize..200, liars in 0usize..200) {
            let smallest = (0..=n).find(|q| 2 * q > n + liars);
            prop_assert_eq!(quorum(n, liars), smallest);
        }
    }

    #[test]
    fn has_exactly_one_form() {
        let (keys, nodes) = keys(4);
        let check = |c: &QuorumCertificate| c.verify(INSTANCE, VALUE, &nodes, 3);
        assert_eq!(check(&certificate(&[0, 2, 3], &keys)), Ok(()));
        let few = Err(CertificateError::Count {
            votes: 2,
            quorum: 3,
        });
        assert_eq!(check(&certificate(&[0, 2], &keys)), few);
        let many = Err(CertificateError::Count {
            votes: 4,
            quorum: 3,
        });
        assert_eq!(check(&certificate(&[0, 1, 2, 3], &keys)), many);
        assert_eq!(
            check(&certificate(&[0, 2, 2], &keys)),
            Err(CertificateError::Order)
        );
        assert_eq!(
            check(&certificate(&[0, 3, 2], &keys)),
            Err(CertificateError::Order)
        );
        assert_eq!(
            check(&certificate(&[0, 2, 4], &keys)),
            Err(CertificateError::Seat(4))
        );
    }

    #[test]
    fn is_for_one_value_view_instance_phase_and_committee() {
        let (keys, mut nodes) = keys(4);
        let good = certificate(&[0, 1, 3], &keys);
        let refused = Err(CertificateError::Signature(0));
        assert_eq!(good.verify(INSTANCE, Digest([9; 32]), &nodes, 3), refused);
        assert_eq!(good.verify(Digest([9; 32]), VALUE, &nodes, 3), refused);
        assert_eq!(
            good.verify_phase(Phase::Prevote, INSTANCE, VALUE, &nodes, 3),
            refused
        );
        let later = QuorumCertificate {
            view: 4,
            ..good.clone()
        };
        assert_eq!(later.verify(INSTANCE, VALUE, &nodes, 3), refused);
        nodes.swap(1, 2);
        let wrong_seat = Err(CertificateError::Signature(1));
        assert_eq!(good.verify(INSTANCE, VALUE, &nodes, 3), wrong_seat);
    }
}
