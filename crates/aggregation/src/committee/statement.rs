//! What a seat signs, and enough of one lane's signatures under the same words.

use base::{Digest, NodeId, Wire, encode};
use crypto::{Batch, Signature, SigningKey};
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
        let mut batch = Batch::new();
        self.check_in(&mut batch, terms)?;
        batch.verify().map_err(|_| Misbehaviour::Signature)
    }

    /// As [`check`](Self::check), but leaves the signature to be checked with others, in about half the time.
    ///
    /// # Errors
    ///
    /// What is wrong besides the signature.
    pub fn check_in(&self, batch: &mut Batch, terms: &Terms) -> Result<(), Misbehaviour> {
        self.check_of(batch, terms.round(), &terms.seats)
    }

    /// As [`check_in`](Self::check_in), for a seat of another committee.
    ///
    /// # Errors
    ///
    /// What is wrong besides the signature.
    pub fn check_of(
        &self,
        batch: &mut Batch,
        round: Digest,
        seats: &[NodeId],
    ) -> Result<(), Misbehaviour> {
        push_vote(batch, round, seats, self.seat, &self.body, &self.signature)
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

fn push_vote<T: Statement>(
    batch: &mut Batch,
    round: Digest,
    seats: &[NodeId],
    seat: u16,
    body: &T,
    signature: &Signature,
) -> Result<(), Misbehaviour> {
    if body.round() != round {
        return Err(Misbehaviour::OtherRound);
    }
    let node = seats.get(usize::from(seat)).ok_or(Misbehaviour::Seat)?;
    batch.push(*node, T::DOMAIN, &encode(body), signature);
    Ok(())
}

/// A statement that t of one lane signed in the same words: more than can lie there (`Sizes::signers`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Endorsed<T> {
    /// What they say.
    #[n(0)]
    pub body: T,
    /// Exactly t of the lane's seats, ascending, with their signatures.
    #[n(1)]
    pub votes: Vec<(u16, Signature)>,
}

impl<T: Statement> Endorsed<T> {
    /// The common word of t of these statements of `lane`, if there is one.
    pub fn of(
        terms: &Terms,
        lane: usize,
        said: impl Iterator<Item = Signed<T>> + Clone,
    ) -> Option<Self> {
        let needed = usize::from(terms.sizes.signers);
        let said = said.filter(|statement| terms.lane(lane).contains(&statement.index()));
        said.clone().find_map(|candidate| {
            let mut votes: Vec<_> = said
                .clone()
                .filter(|other| other.body == candidate.body)
                .map(|other| other.vote())
                .collect();
            votes.sort_by_key(|(seat, _)| *seat);
            votes.truncate(needed);
            (votes.len() == needed).then_some(Self {
                body: candidate.body,
                votes,
            })
        })
    }

    /// One of those who said it.
    pub fn first(self) -> Option<Signed<T>> {
        let vote = *self.votes.first()?;
        Some(Signed::from_vote(self.body, vote))
    }

    /// Checks that exactly t distinct seats of `lane` signed it: as many signature checks.
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
            return Err(Misbehaviour::TooFew);
        }
        let mut batch = Batch::new();
        for (seat, signature) in &self.votes {
            let (round, seats) = (terms.round(), &terms.seats);
            push_vote(&mut batch, round, seats, *seat, &self.body, signature)?;
        }
        batch.verify().map_err(|_| Misbehaviour::Signature)
    }
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
        impl crate::committee::statement::Statement for $type {
            const DOMAIN: &'static str = $domain;
            fn round(&self) -> Digest {
                let $body = self;
                $round
            }
        }
    };
}
pub(super) use statement;

statement!(LaneCount, "lane count", count => count.0.round);
statement!(LaneSum, "lane sum", sum => sum.0.round);
statement!(Denial, "denial", denial => denial.round);
