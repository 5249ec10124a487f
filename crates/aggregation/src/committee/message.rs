//! What travels between querier, replicas and contributors.

use base::{Digest, NodeId};
use crypto::SealingKey;
use minicbor::{Decode, Encode};

use crate::agreement;
use crate::agreement::QuorumCertificate;
use crate::committee::contribution::{Bundle, Item};
use crate::committee::holdings::{Holdings, List, ListWanted};
use crate::committee::inclusion::SetBody;
use crate::committee::lanes::{LaneKey, Seed};
use crate::committee::proofs::{Checked, Verifiers};
use crate::committee::statement::{Denial, LaneCount, LaneSum, Signed, Statement};
use crate::committee::support::{Lacking, Supplement, Support};

/// A message of the committee engine. All but [`Message::Bundle`] and its answer are among seats and the querier.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Between lane mates: the secret of a key that the sender made for the lane.
    #[n(0)]
    LaneSecret(#[n(0)] Digest, #[n(1)] SealingKey),
    /// To the querier: the sender holds the secret of this key.
    #[n(1)]
    LaneKey(#[n(0)] Signed<LaneKey>),
    /// A contributor to one replica.
    #[n(2)]
    Bundle(#[n(0)] Digest, #[n(1)] Box<Bundle>),
    /// To the contributor: the bundle is passed on.
    #[n(3)]
    Accepted(#[n(0)] Digest),
    /// Between replicas: contributions for the receiver's lane.
    #[n(4)]
    Forward(#[n(0)] Digest, #[n(1)] Vec<Item>, #[n(2)] Way),
    /// To the replica that was handed these people's contributions: the sender holds them.
    #[n(26)]
    Held(#[n(0)] Digest, #[n(1)] Vec<NodeId>),
    /// Between replicas: what the sender holds.
    #[n(5)]
    Holdings(#[n(0)] Box<Signed<Holdings>>),
    /// From the leader: why the set is the right one.
    #[n(6)]
    Support(#[n(0)] Box<Support>),
    /// To a replica: the sender lacks the support of the set of this digest.
    #[n(7)]
    SupportWanted(#[n(0)] Digest, #[n(1)] Digest),
    /// To a replica: the sender lacks a part of the reasons of the support of this name.
    #[n(25)]
    ReasonsWanted(#[n(0)] Digest, #[n(1)] Digest, #[n(2)] Lacking),
    /// To one who lacked it.
    #[n(22)]
    Supplement(#[n(0)] Digest, #[n(1)] Digest, #[n(2)] Box<Supplement>),
    /// From the leader: the sender lacks the list that the receiver signed.
    #[n(23)]
    ListWanted(#[n(0)] Box<ListWanted>),
    /// To the leader: that list.
    #[n(24)]
    List(#[n(0)] Box<List>),
    /// Between replicas.
    #[n(8)]
    Agreement(#[n(0)] Digest, #[n(1)] Box<agreement::Message>),
    /// To a lane mate: the sender lacks these contributors' shares.
    #[n(9)]
    SharesWanted(#[n(0)] Digest, #[n(1)] Vec<NodeId>),
    /// Between replicas: a lane's part of the counts.
    #[n(10)]
    Count(#[n(0)] Box<Signed<LaneCount>>),
    /// To the querier, from the root: a lane's part of the totals.
    #[n(11)]
    Sum(#[n(0)] Box<Sum>),
    /// To the querier: nothing will be opened.
    #[n(12)]
    Denied(#[n(0)] Signed<Denial>),
    /// To a lane mate: the sender lacks the secret of the key that contributors seal to.
    #[n(14)]
    SecretWanted(#[n(0)] Digest),
    /// Between replicas: the seed of the sender's lane, once the candidates are agreed on.
    #[n(15)]
    Seed(#[n(0)] Digest, #[n(1)] Seed),
    /// Between replicas: what the sender found when it checked its lane's shares.
    #[n(16)]
    Checked(#[n(0)] Box<Signed<Checked>>),
    /// Between replicas: a part of the verifier shares of the sender's lane.
    #[n(17)]
    Verifiers(#[n(0)] Digest, #[n(1)] u32, #[n(2)] Verifiers),
    /// To a replica of another lane: the sender lacks these parts.
    #[n(18)]
    VerifiersWanted(#[n(0)] Digest, #[n(1)] Vec<u32>),
    /// Between replicas: the agreement on the candidates whose proofs hold.
    #[n(19)]
    Settlement(#[n(0)] Digest, #[n(1)] Box<agreement::Message>),
    /// To the same lane of the committee above, which this round is of: a lane's sum.
    #[n(20)]
    Part(#[n(0)] Digest, #[n(1)] Box<Sum>),
    /// To a replica below, whose round this is: its lane's sum has arrived.
    #[n(21)]
    Taken(#[n(0)] Digest),
    /// From the querier: forget all of it.
    #[n(13)]
    Done(#[n(0)] Digest),
}

/// What the receiver of contributions is to do besides keeping them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Way {
    /// Nothing: it asked for them, or nobody else could tell it.
    #[n(0)]
    Here,
    /// From their first replica: pass them on to the lane, and say that they are held.
    #[n(1)]
    Lane,
    /// From a lane mate: tell this seat, which was handed them, that they are held.
    #[n(2)]
    From(#[n(0)] u16),
}

/// A lane sum with what shows that it is over the agreed set.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sum {
    /// The agreed set.
    #[n(0)]
    pub set: SetBody,
    /// The quorum's signatures under it. Longer than the rest together, and the same from all of a committee: at first only a few
    /// send it.
    #[n(1)]
    pub certificate: Option<QuorumCertificate>,
    /// The sender's lane sum.
    #[n(2)]
    pub sum: Signed<LaneSum>,
}

impl Sum {
    /// The same for one who has the quorum's signatures from somebody else.
    pub fn bare(&self) -> Self {
        Self {
            set: self.set.clone(),
            certificate: None,
            sum: self.sum.clone(),
        }
    }
}

impl Message {
    /// The computation that it is about.
    pub fn round(&self) -> Digest {
        match self {
            Self::LaneSecret(round, _)
            | Self::Bundle(round, _)
            | Self::Accepted(round)
            | Self::Forward(round, ..)
            | Self::Held(round, _)
            | Self::SupportWanted(round, ..)
            | Self::ReasonsWanted(round, ..)
            | Self::Supplement(round, ..)
            | Self::Agreement(round, _)
            | Self::SharesWanted(round, _)
            | Self::SecretWanted(round)
            | Self::Seed(round, _)
            | Self::Verifiers(round, ..)
            | Self::VerifiersWanted(round, _)
            | Self::Settlement(round, _)
            | Self::Part(round, _)
            | Self::Taken(round)
            | Self::Done(round) => *round,
            Self::LaneKey(signed) => signed.body.round(),
            Self::Holdings(signed) => signed.body.round(),
            Self::Support(support) => support.round,
            Self::ListWanted(wanted) => wanted.round,
            Self::List(list) => list.round,
            Self::Count(signed) => signed.body.round(),
            Self::Checked(signed) => signed.body.round(),
            Self::Sum(sum) => sum.set.round,
            Self::Denied(signed) => signed.body.round(),
        }
    }
}
