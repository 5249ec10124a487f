//! The proof file: an answer that anyone can check with the community's descriptor alone.

use aggregation::committee::{self, Evidence};
use aggregation::sizes::{Bounds, Sizes};
use aggregation::validity::{NoProof, Shape};
use base::{DecodeError, Digest, Duration, Instant, NodeId, decode, encode};
use minicbor::{Decode, Encode};
use question::FiguresError;
use selection::{ActorList, Rules};
use thiserror::Error;

use crate::plan::{PlanError, SignedPlan};

/// Longest proof that is read.
pub const PROOF_BYTES_MAX: usize = 4 << 20;
/// How far the times in a proof may be out of order: what honest nodes tolerate of each other.
const TOLERANCE: Duration = Duration::from_secs(120);

/// An answer with everything that shows it right.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Proof {
    /// What was asked, fixed before anybody was drawn.
    #[n(0)]
    pub plan: SignedPlan,
    /// Who helped, and that they were drawn.
    #[n(1)]
    pub list: ActorList,
    /// What they signed.
    #[n(2)]
    pub evidence: Evidence,
}

/// What a proof shows. Only the signers vouch for the times.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Names the plan.
    pub question: Digest,
    /// The question, as written out in its canonical form.
    pub sql: String,
    /// The question in a line of plain words.
    pub title: String,
    /// What the answer is for, in the asker's words.
    pub purpose: String,
    /// Who asked.
    pub asker: NodeId,
    /// When it was asked.
    pub asked_at: Instant,
    /// When the helpers closed.
    pub closed_at: Instant,
    /// The answer.
    pub answer: question::Answer,
    /// People whose contributions are in it, matching or not.
    pub included: u64,
    /// People who declined.
    pub declined: u64,
    /// People of whom nothing arrived in time.
    pub away: u64,
    /// People who were left out because they could not prove that their numbers are possible.
    pub refused: u64,
    /// Why nobody in it had to prove that: then one who lies can have made the answer anything. `None` where everybody did.
    pub unproved: Option<NoProof>,
    /// Smallest crowd whose total may be given.
    pub min_crowd: u64,
    /// Added to it against colluders who take part to lift it.
    pub padding_allowance: u64,
    /// Lanes and replicas.
    pub sizes: Sizes,
    /// Witnesses of the draw.
    pub k: usize,
    /// Who set the draw up.
    pub setter: NodeId,
    /// What can go wrong in a committee of honestly drawn helpers, with which chance.
    pub bounds: Bounds,
    /// Chance that the witnesses of any draw that the assumed colluders can start in a period all collude.
    pub draw_bound: f64,
    /// Signature checks that were made.
    pub checks: usize,
}

/// Which check a proof fails.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ProofError {
    /// Not a proof in the one encoding.
    #[error("check failed: the file's format ({0})")]
    Bytes(#[from] DecodeError),
    /// The descriptor's numbers allow no draw.
    #[error("check failed: the community's numbers ({0})")]
    Rules(#[from] overlay::KTableError),
    /// The plan does not hold.
    #[error("check failed: the plan ({0})")]
    Plan(#[from] PlanError),
    /// The helpers were not drawn for this plan.
    #[error("check failed: the draw of helpers ({0})")]
    List(#[from] selection::Misbehaviour),
    /// The list has another number of seats than the plan.
    #[error("check failed: the helpers' seats are not the plan's")]
    Seats,
    /// What the helpers signed does not hold.
    #[error("check failed: the helpers' result ({0})")]
    Evidence(#[from] committee::Misbehaviour),
    /// The steps are not in order of time.
    #[error("check failed: the times of asking, drawing and closing are out of order")]
    Times,
    /// Fewer people match than may be counted.
    #[error("check failed: the crowd is below the community's minimum")]
    Crowd,
    /// The totals are impossible.
    #[error("check failed: the figures ({0})")]
    Figures(#[from] FiguresError),
}

/// Reads and checks a proof file with nothing but the community's descriptor.
///
/// # Errors
///
/// The first check that fails.
pub fn verify(
    bytes: &[u8],
    community: &std::sync::Arc<community::Community>,
) -> Result<Verified, ProofError> {
    let proof: Proof = decode(bytes, PROOF_BYTES_MAX)?;
    proof.verify(&Rules::new(std::sync::Arc::clone(community))?)
}

impl Proof {
    /// The proof file.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Checks every signature and everything that they are about.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, rules: &Rules) -> Result<Verified, ProofError> {
        let community = rules.community();
        let descriptor = community.descriptor();
        let Self {
            plan: signed,
            list,
            evidence,
        } = self;
        let question = signed.check(community)?;
        let plan = &signed.plan;
        let digest = plan.digest();
        list.verify(rules, list.body.at, digest)?;
        let terms = plan.terms(&question, list, descriptor);
        if list.body.draw.trigger != plan.asker || !terms.are_possible() {
            return Err(ProofError::Seats);
        }
        let totals = evidence.verify(&terms)?;
        let (drawn, closed) = (list.body.at, evidence.set.at);
        if drawn + TOLERANCE < plan.asked_at.max(plan.consent_until)
            || closed + TOLERANCE < drawn
            || closed > terms.ends_at() + TOLERANCE
        {
            return Err(ProofError::Times);
        }
        let answer = question.decode(&totals)?;
        if answer.people < plan.threshold() {
            return Err(ProofError::Crowd);
        }
        if answer.people > evidence.set.included {
            return Err(ProofError::Figures(FiguresError::TooMany {
                people: answer.people,
                included: evidence.set.included,
            }));
        }
        let draws = descriptor.colluders as f64 * f64::from(descriptor.draws_per_period);
        Ok(Verified {
            question: digest,
            sql: question.sql().to_owned(),
            title: question.title().to_owned(),
            purpose: plan.purpose.clone(),
            asker: plan.asker,
            asked_at: plan.asked_at,
            closed_at: closed,
            answer,
            included: evidence.set.included,
            declined: evidence.set.declined,
            away: evidence.set.away(),
            refused: evidence.set.refused,
            unproved: Shape::of(question.statistic()).err(),
            min_crowd: plan.min_crowd,
            padding_allowance: plan.padding_allowance,
            sizes: plan.sizes,
            k: list.builders.len(),
            setter: list.body.setter,
            bounds: plan.bounds(descriptor),
            draw_bound: (descriptor.alpha * draws).min(1.0),
            checks: 2 + list.checks() + evidence.checks(),
        })
    }
}
