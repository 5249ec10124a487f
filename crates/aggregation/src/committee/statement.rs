//! What a seat signs, and a majority of one lane's signatures under the same words.

use base::{Digest, Wire, encode};
use crypto::{SealingPublicKey, Signature, SigningKey, verify};
use minicbor::{Decode, Encode};

use crate::committee::fault::Misbehaviour;
use crate::committee::terms::Terms;

/// Something that a replica may sign.
pub trait Statement: Wire + Clone + Eq {
    /// Signature domain.
    const DOMAIN: &'static str;
    /// The computation that it belongs to.
    fn round(&self) -> Digest;
}

/// A statement with the signature of one seat.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signed<T> {
    /// What is said.
    #[n(0)]
    pub body: T,
    /// By which seat.
    #[n(1)]
    pub seat: u16,
    #[n(2)]
    signature: Signature,
}

impl<T: Statement> Signed<T> {
    /// Says `body` from `seat`.
    pub fn new(key: &SigningKey, seat: usize, body: T) -> Self {
        let seat = u16::try_from(seat).expect("a committee has at most 300 seats");
        let signature = key.sign(T::DOMAIN, &encode(&body));
        Self {
            body,
            seat,
            signature,
        }
    }

    /// What was taken apart by [`vote`](Self::vote).
    pub fn from_vote(body: T, (seat, signature): (u16, Signature)) -> Self {
        Self {
            body,
            seat,
            signature,
        }
    }

    /// Checks that the seat exists and signed this for this computation: one signature check.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check(&self, terms: &Terms) -> Result<(), Misbehaviour> {
        check_vote(terms, self.seat, &self.body, &self.signature)
    }

    /// The seat as an index.
    pub fn index(&self) -> usize {
        usize::from(self.seat)
    }

    /// The bare vote.
    pub fn vote(&self) -> (u16, Signature) {
        (self.seat, self.signature)
    }
}

fn check_vote<T: Statement>(
    terms: &Terms,
    seat: u16,
    body: &T,
    signature: &Signature,
) -> Result<(), Misbehaviour> {
    if body.round() != terms.round() {
        return Err(Misbehaviour::OtherRound);
    }
    let node = terms
        .seats
        .get(usize::from(seat))
        .ok_or(Misbehaviour::Seat)?;
    verify(*node, T::DOMAIN, &encode(body), signature).map_err(|_| Misbehaviour::Signature)
}

/// A statement that a majority of one lane signed in the same words.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Endorsed<T> {
    /// What they say.
    #[n(0)]
    pub body: T,
    /// Exactly a majority of the lane's seats, ascending, with their signatures.
    #[n(1)]
    pub votes: Vec<(u16, Signature)>,
}

impl<T: Statement> Endorsed<T> {
    /// The majority's common word among these statements of `lane`, if there is one.
    pub fn of(
        terms: &Terms,
        lane: usize,
        said: impl Iterator<Item = Signed<T>> + Clone,
    ) -> Option<Self> {
        let majority = usize::from(terms.sizes.signers);
        let said = said.filter(|statement| terms.lane(lane).contains(&statement.index()));
        said.clone().find_map(|candidate| {
            let mut votes: Vec<_> = said
                .clone()
                .filter(|other| other.body == candidate.body)
                .map(|other| other.vote())
                .collect();
            votes.sort_by_key(|(seat, _)| *seat);
            votes.truncate(majority);
            (votes.len() == majority).then_some(Self {
                body: candidate.body,
                votes,
            })
        })
    }

    /// Checks that exactly a majority of distinct seats of `lane` signed it: as many signature checks.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check(&self, terms: &Terms, lane: usize) -> Result<(), Misbehaviour> {
        let seats = self.votes.iter().map(|(seat, _)| usize::from(*seat));
        if self.votes.len() != usize::from(terms.sizes.signers)
            || !seats.clone().is_sorted_by(|a, b| a < b)
            || !seats.clone().all(|seat| terms.lane(lane).contains(&seat))
        {
            return Err(Misbehaviour::NoMajority);
        }
        self.votes
            .iter()
            .try_for_each(|(seat, signature)| check_vote(terms, *seat, &self.body, signature))
    }
}

/// The key to which a lane's shares are sealed. Who signs it holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LaneKey {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// The lane's public key.
    #[n(1)]
    pub public: SealingPublicKey,
}

/// What a lane's included shares add up to, or the part of it that holds the counts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LaneTotal {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Digest of the agreed set.
    #[n(1)]
    pub set: Digest,
    /// Sums in the field.
    #[n(2)]
    pub sums: Vec<u64>,
    /// Which cells are among the sums, besides the total over all; nothing where there are no groups.
    #[n(3)]
    pub open: Vec<bool>,
}

/// The counts of [`LaneTotal`]: for replicas' eyes only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct LaneCount(#[n(0)] pub LaneTotal);

/// The whole of [`LaneTotal`]: for the querier.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct LaneSum(#[n(0)] pub LaneTotal);

/// Nothing will be opened. Of one size, whatever the reason.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Denial {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Why.
    #[n(1)]
    pub why: Denied,
}

/// Why a replica opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Denied {
    /// Fewer people match than the community allows to be counted.
    #[n(0)]
    SmallCrowd,
    /// Two replicas of a lane signed different counts.
    #[n(1)]
    Conflict,
}

macro_rules! statement {
    ($type:ty, $domain:literal, $body:ident => $round:expr) => {
        impl Statement for $type {
            const DOMAIN: &'static str = $domain;
            fn round(&self) -> Digest {
                let $body = self;
                $round
            }
        }
    };
}
pub(super) use statement;

statement!(LaneKey, "lane key", key => key.round);
statement!(LaneCount, "lane count", count => count.0.round);
statement!(LaneSum, "lane sum", sum => sum.0.round);
statement!(Denial, "denial", denial => denial.round);
