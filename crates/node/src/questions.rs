//! The questions that this node has heard of.

use std::collections::BTreeMap;
use std::sync::Arc;

use aggregation::committee::Terms;
use base::{Digest, Duration, Instant, NodeId};
use crypto::SealingPublicKey;
use question::Question;

use crate::message::Cancellation;
use crate::plan::{COLLECT_MAX, Plan, SignedPlan};

/// Most questions kept.
const QUESTIONS_MAX: usize = 1024;
/// Most of them by one asker.
pub(crate) const OF_ONE_ASKER_MAX: usize = 64;
/// How long after the last moment at which it could matter a question is kept.
const KEPT: Duration = Duration::from_secs(300);

/// The owner's word on a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Not yet given.
    Pending,
    /// Take part.
    Yes,
    /// Stay out.
    No,
}

impl Consent {
    /// What the owner has said.
    pub fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A question that this node has checked.
#[derive(Debug)]
pub struct Known {
    /// What the asker signed.
    pub plan: Arc<SignedPlan>,
    /// What it asks.
    pub question: Question,
    /// The asker's word that it is called off.
    pub cancelled: Option<Cancellation>,
    /// The owner's word.
    pub consent: Consent,
    /// Whether the owner gave it about this very question, so that no rule changes it.
    pub by_owner: bool,
    /// The rule that has decided, if one has.
    pub rule: Option<u32>,
    /// Once helpers are drawn and their list is checked.
    pub terms: Option<Arc<Terms>>,
    /// Once contributions are called for: the lanes' keys.
    pub lanes: Option<Vec<SealingPublicKey>>,
    /// Whether this node was given a seat.
    pub seated: bool,
    /// Whether it is known where the helpers are to whom a contribution is handed.
    pub reaches_helpers: bool,
    /// Whether the vault was asked.
    pub measuring: bool,
    /// Whether it has answered, and the journal knows of the contribution.
    pub noted: bool,
    /// What to contribute; never printed, gone once handed on.
    pub vector: Option<crypto::Vector>,
}

/// Bounded in number.
#[derive(Debug, Default)]
pub struct Questions(BTreeMap<Digest, Known>);

impl Questions {
    /// The question with this digest.
    pub fn get(&self, question: Digest) -> Option<&Known> {
        self.0.get(&question)
    }

    /// The question with this digest.
    pub fn get_mut(&mut self, question: Digest) -> Option<&mut Known> {
        self.0.get_mut(&question)
    }

    /// The question that is computed in this round, once its list is checked.
    pub fn in_round(&self, round: Digest) -> Option<(Digest, &Arc<Terms>)> {
        let mut drawn = self
            .0
            .iter()
            .filter_map(|(question, known)| Some((*question, known.terms.as_ref()?)));
        drawn.find(|(_, terms)| terms.round() == round)
    }

    /// Forgets those that are long over; says which.
    pub fn forget_old(&mut self, now: Instant) -> Vec<Digest> {
        let old = self.0.extract_if(.., |_, known| now >= forgotten_at(known));
        old.map(|(question, _)| question).collect()
    }

    /// Whether `asker` may add another.
    pub fn has_room(&self, asker: NodeId) -> bool {
        let of_asker = self.0.values().filter(|k| k.plan.plan.asker == asker);
        self.0.len() < QUESTIONS_MAX && of_asker.count() < OF_ONE_ASKER_MAX
    }

    /// Those that are not called off.
    pub fn standing(&self) -> impl Iterator<Item = (Digest, &Known)> {
        let all = self.0.iter().map(|(question, known)| (*question, known));
        all.filter(|(_, known)| known.cancelled.is_none())
    }

    /// For how many the vault is being asked: contributions of which the journal does not know yet.
    pub fn measuring(&self) -> usize {
        let all = self.0.values();
        all.filter(|known| known.measuring && !known.noted).count()
    }

    /// Those about which owners may still decide.
    pub fn open(&self, now: Instant) -> impl Iterator<Item = (Digest, &Known)> {
        let is_open = move |known: &Known| known.plan.plan.is_open(now);
        self.standing().filter(move |(_, known)| is_open(known))
    }

    /// Adds a checked question.
    pub fn insert(&mut self, digest: Digest, plan: SignedPlan, question: Question) {
        self.0.insert(
            digest,
            Known {
                plan: Arc::new(plan),
                question,
                cancelled: None,
                consent: Consent::Pending,
                by_owner: false,
                rule: None,
                terms: None,
                lanes: None,
                seated: false,
                reaches_helpers: false,
                measuring: false,
                noted: false,
                vector: None,
            },
        );
    }
}

fn forgotten_at(known: &Known) -> Instant {
    match &known.terms {
        Some(terms) => terms.ends_at() + KEPT,
        None => forgotten_by_all_at(&known.plan.plan),
    }
}

/// When everybody has forgotten a question, those too who did not hear how it went on.
pub(crate) fn forgotten_by_all_at(plan: &Plan) -> Instant {
    plan.consent_until.max(plan.asked_at) + COLLECT_MAX + KEPT
}
