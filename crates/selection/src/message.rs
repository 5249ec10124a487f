//! What nodes say to each other in a draw. Step numbers are those of SEP2P §3.4 and §3.5.

use base::{Digest, Instant, NodeId};
use community::Contact;
use crypto::{Signature, VrfProof};
use minicbor::{Decode, Encode};

use crate::fault::{Misbehaviour, Refusal};
use crate::limit::{CANDIDATES_MAX, SKIPPED_MAX, WITNESSES_MAX, at_most};
use crate::list::ActorList;
use crate::opened::Opened;
use crate::random::{Draw, TriggerPart, VerifiableRandom};
use crate::relocation::{Sparse, check_moves};
use crate::rules::Rules;
use crate::site::{MOVES_MAX, Site};

/// A draw's messages.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// T to TL (§3.4 step 1): give your part of the random.
    #[n(0)]
    Trigger(#[n(0)] TriggerRequest),
    /// TL to T (steps 2 and 4 in one: the value cannot be chosen).
    #[n(1)]
    Part(#[n(0)] Digest, #[n(1)] u32, #[n(2)] Box<TriggerPart>),
    /// T to S (§3.5 step 2).
    #[n(2)]
    Setter(#[n(0)] Box<SetterRequest>),
    /// S to SL (step 3).
    #[n(3)]
    Build(#[n(0)] Box<BuildRequest>),
    /// SL to S (step 4): a commitment to the candidates.
    #[n(4)]
    Commit(#[n(0)] Step, #[n(1)] Digest),
    /// S to SL (step 5): all commitments.
    #[n(5)]
    Commits(
        #[n(0)] Step,
        #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")] Vec<Digest>,
    ),
    /// SL to S (step 6).
    #[n(6)]
    Open(#[n(0)] Step, #[n(1)] Opening),
    /// S to SL (step 7), with the contacts of drawn actors that not every builder named.
    #[n(7)]
    Opens(#[n(0)] Step, #[n(1)] Opened),
    /// SL to S (step 8g).
    #[n(8)]
    Signed(#[n(0)] Step, #[n(1)] Signature),
    /// S to T (step 9).
    #[n(9)]
    List(#[n(0)] Box<ActorList>),
    /// S to T: the draw cannot be completed here.
    #[n(10)]
    SetterGaveUp(#[n(0)] Draw, #[n(1)] Site),
    /// To the sender of a request: no. Requests of T count as round 0.
    #[n(11)]
    Refused(#[n(0)] Step, #[n(1)] Refusal),
    /// Are you there? Asked of a node that a request names as away.
    #[n(12)]
    Probe,
    /// I am.
    #[n(13)]
    Alive,
    /// To a witness that did not know this node.
    #[n(14)]
    Introduce(#[n(0)] Box<Contact>),
    /// S to T: too few nodes are here, the draw moves on (§3.6).
    #[n(15)]
    Sparse(#[n(0)] Box<Sparse>),
}

/// Asks a legitimate node of T for its part.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct TriggerRequest {
    /// For what.
    #[n(0)]
    pub draw: Draw,
    /// All k nodes asked, nearest first.
    #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub chosen: Vec<NodeId>,
    /// Nearer nodes that did not answer.
    #[cbor(n(2), decode_with = "at_most::<SKIPPED_MAX, _, _>")]
    pub skipped: Vec<NodeId>,
}

/// Asks the node at the drawn point to set the execution up.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct SetterRequest {
    /// RND_T with its evidence.
    #[n(0)]
    pub random: VerifiableRandom,
    /// Number of actors.
    #[n(1)]
    pub seats: u32,
    /// Nodes nearer to the point that did not answer the trigger.
    #[cbor(n(2), decode_with = "at_most::<SKIPPED_MAX, _, _>")]
    pub skipped: Vec<NodeId>,
    /// Which of the random's points.
    #[n(3)]
    pub site: Site,
    /// Why the draw has moved on, one for each move.
    #[cbor(n(4), decode_with = "at_most::<{ MOVES_MAX as usize }, _, _>")]
    pub moves: Vec<Sparse>,
}

/// Asks a legitimate node of the drawn point to build the list.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct BuildRequest {
    /// What S was asked.
    #[n(0)]
    pub request: SetterRequest,
    /// S's count of its own tries.
    #[n(1)]
    pub round: u32,
    /// When S began this round.
    #[n(2)]
    pub at: Instant,
    /// All k builders, nearest to the point first.
    #[cbor(n(3), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub chosen: Vec<NodeId>,
    /// Nearer nodes that did not answer S.
    #[cbor(n(4), decode_with = "at_most::<SKIPPED_MAX, _, _>")]
    pub skipped: Vec<NodeId>,
}

/// Names one round of one setter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Step {
    /// Which draw.
    #[n(0)]
    pub draw: Draw,
    /// Which of the setter's tries.
    #[n(1)]
    pub round: u32,
    /// Where.
    #[n(2)]
    pub site: Site,
}

/// What a builder opens: its value and the candidates it committed to.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// The builder's value for this round.
    #[n(0)]
    pub proof: VrfProof,
    /// Nodes of its cache, ascending, without the trigger.
    #[cbor(n(1), decode_with = "at_most::<CANDIDATES_MAX, _, _>")]
    pub candidates: Vec<NodeId>,
}

impl Step {
    /// What a request of the trigger to its own witnesses counts as.
    pub fn of_trigger(draw: Draw) -> Self {
        Self {
            draw,
            round: 0,
            site: Site::FIRST,
        }
    }
}

impl Step {
    /// What list builder `witness` evaluates its VRF on, given the trigger's random. It differs from round to round: else a
    /// setter that has seen one round's values knows what each choice of silent builders will draw in the next.
    pub fn setter_input(&self, witness: NodeId, random: &Digest, setter: NodeId) -> [u8; 32] {
        let round = base::encode(&(self, witness, setter));
        Digest::of("setter random", &[&round, &random.0]).0
    }
}

impl BuildRequest {
    /// The round that it begins.
    pub fn step(&self) -> Step {
        Step {
            draw: self.request.random.draw,
            round: self.round,
            site: self.request.site,
        }
    }
}

impl SetterRequest {
    /// Checks the random and how the draw came to its site, and gives RND_T.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, rules: &Rules, now: Instant) -> Result<Digest, Misbehaviour> {
        let random = self.random.verify(rules, now)?;
        let draw = (self.random.draw, random);
        check_moves(rules, now, draw, self.seats, self.site, &self.moves)?;
        Ok(random)
    }

    /// What it counts as.
    pub fn step(&self) -> Step {
        Step {
            draw: self.random.draw,
            round: 0,
            site: self.site,
        }
    }
}

impl Opening {
    /// The commitment to `candidates` (step 4). The random needs none: a VRF has one value.
    pub fn commitment(candidates: &[NodeId]) -> Digest {
        Digest::of("candidates", &[&base::encode(candidates)])
    }
}
