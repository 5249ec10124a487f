//! What nodes say to each other. Step numbers are those of SEP2P §3.4 and §3.5.

use base::{Digest, Instant};
use crypto::{Certificate, Signature};
use minicbor::{Decode, Encode};

use super::checker::Checker;
use super::fault::{Breach, Refusal};
use super::list::{Relocation, SignedList};
use super::lot::{Candidates, rehash};
use super::random::{CommittedRandom, Part};
use super::selected::Choice;
use crate::limit::{SEATS_MAX, WITNESSES_MAX, at_most};
use crate::random::Draw;

/// How often one draw can be relocated. Guess: with a cache larger than the number of actors it never is (§4.3).
pub const RELOCATIONS_MAX: usize = 4;
/// Most candidates that one builder shows certificates of: those beyond what S must know, a few at most.
pub const STRANGERS_MAX: usize = 256;

/// Messages of all strategies. Each names the draw that it is for.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// T to TL (§3.4 step 1): take part in a random of k nodes.
    #[n(0)]
    Ask(#[n(0)] Draw, #[n(1)] u32),
    /// TL to T (step 2): hash(RND_i).
    #[n(1)]
    Hash(#[n(0)] Draw, #[n(1)] Digest),
    /// T to TL (step 3): L.
    #[n(2)]
    Hashes(
        #[n(0)] Draw,
        #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")] Vec<Digest>,
    ),
    /// TL to T (step 4): sign_i(L), RND_i.
    #[n(3)]
    Part(#[n(0)] Draw, #[n(1)] Box<Part>),
    /// T to S (§3.5 step 2): set this draw up, or choose the actors (ES.NAV, ES.AV).
    #[n(4)]
    Set(#[n(0)] Draw, #[n(1)] Box<Request>),
    /// S to SL (step 3): build a list, among k builders.
    #[n(5)]
    Build(#[n(0)] Draw, #[n(1)] Box<Request>, #[n(2)] u32),
    /// SL to S (step 4): hash(RND_j ‖ CL_j).
    #[n(6)]
    Commit(#[n(0)] Draw, #[n(1)] Digest),
    /// S to SL (step 5): L1.
    #[n(7)]
    Commits(
        #[n(0)] Draw,
        #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")] Vec<Digest>,
    ),
    /// SL to S (step 6): RND_j and CL_j, with the certificates of candidates that S may lack.
    #[n(8)]
    Open(
        #[n(0)] Draw,
        #[n(1)] Opening,
        #[cbor(n(2), decode_with = "at_most::<STRANGERS_MAX, _, _>")] Vec<Certificate>,
    ),
    /// S to SL (step 7): L2, with the certificates of drawn actors that not every builder named.
    #[n(9)]
    Opens(
        #[n(0)] Draw,
        #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")] Vec<Opening>,
        #[cbor(n(2), decode_with = "at_most::<SEATS_MAX, _, _>")] Vec<Certificate>,
    ),
    /// SL to S (step 8g): sign_j(RND_T, AL), and when.
    #[n(10)]
    Signed(#[n(0)] Draw, #[n(1)] Instant, #[n(2)] Signature),
    /// SL to S (§3.6): signed that R3 is too sparse here, and when.
    #[n(11)]
    Sparse(#[n(0)] Draw, #[n(1)] Instant, #[n(2)] Signature),
    /// S to T (step 9): VAL.
    #[n(12)]
    List(#[n(0)] Draw, #[n(1)] Box<SignedList>),
    /// S to T (§3.6): go on at the next point.
    #[n(13)]
    Relocate(#[n(0)] Draw, #[n(1)] Relocation),
    /// S to T (ES.NAV, ES.AV): its choice, in ES.AV with the actors' certificates.
    #[n(14)]
    Chosen(
        #[n(0)] Draw,
        #[n(1)] Box<Choice>,
        #[cbor(n(2), decode_with = "at_most::<SEATS_MAX, _, _>")] Vec<Certificate>,
    ),
    /// To the sender of a request: no.
    #[n(15)]
    Refused(#[n(0)] Draw, #[n(1)] Refusal),
}

impl Message {
    /// What it is for.
    pub fn draw(&self) -> Draw {
        match self {
            Self::Ask(draw, ..)
            | Self::Hash(draw, ..)
            | Self::Hashes(draw, ..)
            | Self::Part(draw, ..)
            | Self::Set(draw, ..)
            | Self::Build(draw, ..)
            | Self::Commit(draw, ..)
            | Self::Commits(draw, ..)
            | Self::Open(draw, ..)
            | Self::Opens(draw, ..)
            | Self::Signed(draw, ..)
            | Self::Sparse(draw, ..)
            | Self::List(draw, ..)
            | Self::Relocate(draw, ..)
            | Self::Chosen(draw, ..)
            | Self::Refused(draw, ..) => *draw,
        }
    }
}

/// What S needs, and shows its builders: VRND_T, how often it was relocated with the evidence, and A.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// VRND_T.
    #[n(0)]
    pub random: CommittedRandom,
    /// From which points the draw was moved, in order.
    #[cbor(n(1), decode_with = "at_most::<RELOCATIONS_MAX, _, _>")]
    pub relocations: Vec<Relocation>,
    /// A.
    #[n(2)]
    pub seats: u32,
}

impl Request {
    /// The random at whose point the draw now is, unchecked: RND_T, rehashed once for each relocation.
    pub fn value(&self) -> Digest {
        let random = self.random.value();
        self.relocations
            .iter()
            .fold(random, |random, _| rehash(&random))
    }

    /// Checks VRND_T and all relocations (step 8a), and gives [`value`](Self::value): 2k + 1 signature checks, and 2k more
    /// for each relocation.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check(&self, checker: &mut Checker<'_>) -> Result<Digest, Breach> {
        let mut random = self.random.check(checker)?;
        for relocation in &self.relocations {
            relocation.check(&random, self.seats, checker)?;
            random = rehash(&random);
        }
        Ok(random)
    }
}

/// What a builder opens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// RND_j.
    #[n(0)]
    pub random: Digest,
    /// CL_j.
    #[n(1)]
    pub candidates: Candidates,
}
