//! One lane's part in checking a contribution.

use std::borrow::Borrow;

use base::Digest;
use crypto::Vector;
use prio::codec::{Encode as _, ParameterizedDecode as _};
use prio::field::Field64;
use prio::vdaf::prio3::{
    Prio3InputShare, Prio3PublicShare, Prio3VerifierMessage, Prio3VerifierShare, Prio3VerifyState,
};
use prio::vdaf::{Aggregator as _, VerifyTransition};
use thiserror::Error;

use crate::validity::circuit::to_vector;
use crate::validity::wire::{Decision, InputShare, PublicShare, VerifierShare};
use crate::validity::{Binding, PART_LEN, Validity};

/// What a contributor could not know when it signed its header: the lanes' key, drawn for this header.
///
/// The key is the same for a whole round, and each header gets an own challenge from it. To be kept secret until the
/// candidate set is closed.
pub struct Challenge(pub(super) [u8; 32]);

impl Challenge {
    /// From the lanes' key and the digest of a header.
    pub fn new(key: &[u8; 32], header: &Digest) -> Self {
        Self(Digest::of("validity challenge", &[key, header.as_bytes()]).0)
    }
}

/// What a lane keeps while it waits for the other lanes' verifier shares. Never printed.
#[derive(Debug, Clone)]
pub struct Prepared {
    state: Prio3VerifyState<Field64, 32>,
    binding: Binding,
    pub(super) public: PublicShare,
}

/// Why a contribution is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// There is no such lane.
    #[error("there is no such lane")]
    Lane,
    /// The public share has not the length of this statistic and committee.
    #[error("the public share is malformed")]
    PublicShare,
    /// The share has not the length of this statistic and lane, or holds a number outside the field.
    #[error("the input share is malformed")]
    InputShare,
    /// The challenge is one of the few that would reveal something: about one in 2^56.
    #[error("the challenge cannot be used")]
    Challenge,
    /// The verifier share of a lane has not the length of this statistic, or holds a number outside the field. Or there
    /// is not one for each lane, and this is the first missing or superfluous.
    #[error("the verifier share of lane {lane} is missing or malformed")]
    VerifierShare {
        /// Whose it should be.
        lane: usize,
    },
    /// The proof does not hold: the contributor lied, or a lane did.
    #[error("the proof does not hold")]
    Proof,
    /// A lane holds another share than the one that the proof was made for, or says so.
    #[error("the joint randomness is not that of the shares")]
    JointRandomness,
}

impl Validity {
    /// A lane's first step, once the key is known: what it keeps, and what it tells the others.
    ///
    /// # Errors
    ///
    /// Says which of its arguments is malformed: then the contribution is not valid.
    pub fn prepare(
        &self,
        lane: usize,
        challenge: &Challenge,
        binding: &Binding,
        public: &PublicShare,
        share: &InputShare,
    ) -> Result<(Prepared, VerifierShare), Refused> {
        if lane >= self.lanes() {
            return Err(Refused::Lane);
        }
        let parts = Prio3PublicShare::get_decoded_with_param(&self.prio3, &public.0)
            .map_err(|_| Refused::PublicShare)?;
        let share = Prio3InputShare::get_decoded_with_param(&(&self.prio3, lane), &share.0)
            .map_err(|_| Refused::InputShare)?;
        let (state, verifier) = self
            .prio3
            .verify_init(
                &challenge.0,
                binding.context.as_bytes(),
                lane,
                &(),
                &binding.nonce,
                &parts,
                &share,
            )
            .map_err(|_| Refused::Challenge)?;
        let prepared = Prepared {
            state,
            binding: binding.clone(),
            public: public.clone(),
        };
        let verifier = verifier
            .get_encoded()
            .expect("writing to a vector cannot fail");
        Ok((prepared, VerifierShare(verifier)))
    }

    /// Decides by all lanes' verifier shares, in the order of lanes. Any lane can do it, for all or only for itself:
    /// from the same verifier shares and the same public share, every lane decides the same.
    ///
    /// A public share that is wrong in one lane's part would mislead all lanes but that one, which knows its part
    /// itself. So each lane's word must say the part that the public share says.
    ///
    /// # Errors
    ///
    /// When a share is missing or malformed, was not proved, or the proof does not hold.
    pub fn combine<V: Borrow<VerifierShare>>(
        &self,
        prepared: &Prepared,
        verifiers: &[V],
    ) -> Result<Decision, Refused> {
        if verifiers.len() != self.lanes() {
            let lane = verifiers.len().min(self.lanes());
            return Err(Refused::VerifierShare { lane });
        }
        let verifiers = || verifiers.iter().map(Borrow::borrow);
        let decoded = verifiers()
            .enumerate()
            .map(|(lane, verifier)| {
                Prio3VerifierShare::get_decoded_with_param(&prepared.state, &verifier.0)
                    .map_err(|_| Refused::VerifierShare { lane })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut parts = verifiers().zip(prepared.public.0.chunks(PART_LEN));
        if !parts.all(|(verifier, part)| verifier.0.ends_with(part)) {
            return Err(Refused::JointRandomness);
        }
        let context = prepared.binding.context.as_bytes();
        let message = self
            .prio3
            .verifier_shares_to_message(context, &(), decoded)
            .map_err(|_| Refused::Proof)?
            .get_encoded()
            .expect("writing to a vector cannot fail");
        let seed = message.try_into();
        Ok(Decision(seed.expect("every circuit has joint randomness")))
    }

    /// A lane's last step: its share of the contributor's vector, to be added to its lane sum.
    ///
    /// # Errors
    ///
    /// When the decision is about another contribution. Never with the decision that [`Validity::combine`] has made of
    /// verifier shares among which was this lane's own.
    pub fn finish(&self, prepared: Prepared, decision: &Decision) -> Result<Vector, Refused> {
        let message = Prio3VerifierMessage::get_decoded_with_param(&prepared.state, &decision.0)
            .expect("every circuit has joint randomness");
        let context = prepared.binding.context.as_bytes();
        let transition = self.prio3.verify_next(context, prepared.state, message);
        match transition.map_err(|_| Refused::JointRandomness)? {
            VerifyTransition::Finish(share) => Ok(to_vector(share.as_ref())
                .expect("no statistic's vector is longer than a vector can be")),
            VerifyTransition::Continue(..) => unreachable!("Prio3 has one round"),
        }
    }
}
