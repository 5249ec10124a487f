//! What the asker fixes before the first message, and what everybody checks about it.

use aggregation::committee::{Place, Terms};
use aggregation::sizes::{Bounds, Sizes};
use aggregation::validity;
use base::{Digest, Duration, Instant, NodeId, encode};
use community::{Community, ContactError, Descriptor, Identity, check_certificate};
use crypto::{Certificate, Signature, verify};
use minicbor::{Decode, Encode};
use question::{Question, QuestionError};
use selection::ActorList;
use thiserror::Error;

/// How far clocks of honest nodes may be apart. Guess: they are set over the network.
pub const CLOCK_SKEW: Duration = Duration::from_secs(2);
/// How far in the future a plan may be signed when it comes, and how long after the time for consent, if there is any, or after
/// it was signed.
pub(crate) const ANNOUNCED_WITHIN: Duration = Duration::from_secs(120);
/// Longest time for consent: 30 days.
pub const CONSENT_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// Longest time for contributions to arrive.
pub const COLLECT_MAX: Duration = Duration::from_secs(3600);
/// Longest purpose, in bytes.
pub const PURPOSE_MAX: usize = 1024;

const DOMAIN: &str = "plan";

/// Everything about one computation that is fixed before anybody is drawn (design: selection). Its digest is what the draw,
/// the seats and every signature bind.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Plan {
    /// Who asks; holds no seat and contributes nothing.
    #[n(0)]
    pub asker: NodeId,
    /// Tells this question from an equal one.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
    /// The question.
    #[n(2)]
    pub sql: String,
    /// What the answer is for, in the asker's words.
    #[n(3)]
    pub purpose: String,
    /// The descriptor under which everything is computed.
    #[n(4)]
    pub descriptor: Digest,
    /// Lanes and replicas.
    #[n(5)]
    pub sizes: Sizes,
    /// Smallest crowd whose total may be given.
    #[n(6)]
    pub min_crowd: u64,
    /// Added to it against colluders who take part to lift it.
    #[n(7)]
    pub padding_allowance: u64,
    /// When it was asked.
    #[n(8)]
    pub asked_at: Instant,
    /// Until when owners may decide; nobody is drawn before. For a question that is asked at once it lies
    /// [`CLOCK_SKEW`] before `asked_at`, so that no honest clock says "too early".
    #[n(9)]
    pub consent_until: Instant,
    /// How long contributions are taken after the draw, in microseconds.
    #[n(10)]
    pub collect_micros: u64,
    /// From how many nodes seats are drawn, as far as the asker knows; the sizes follow from it. With fewer the same colluders
    /// are a larger share, so who says too few draws larger lanes and harms nobody.
    #[n(11)]
    pub candidates: u64,
}

impl Plan {
    /// Names the plan.
    pub fn digest(&self) -> Digest {
        Digest::of(DOMAIN, &[&encode(self)])
    }

    /// Match count below which nothing is opened.
    pub fn threshold(&self) -> u64 {
        self.min_crowd.saturating_add(self.padding_allowance)
    }

    /// What can go wrong with its committee.
    pub fn bounds(&self, descriptor: &Descriptor) -> Bounds {
        self.sizes.bounds(
            self.candidates,
            descriptor.colluders,
            descriptor.offline_permille,
        )
    }

    /// Whether owners still have time to decide.
    pub fn is_open(&self, now: Instant) -> bool {
        now < self.consent_until
    }

    /// What everybody computes from the plan and the list that was drawn for it.
    pub fn terms(&self, question: &Question, list: &ActorList, descriptor: &Descriptor) -> Terms {
        Terms {
            question: self.digest(),
            list: list.digest(),
            seats: list.actors().to_vec(),
            sizes: self.sizes,
            liars: self.sizes.liars(self.candidates, descriptor.colluders),
            outvotes: self.bounds(descriptor).outvotes(),
            vector_len: question.vector_len(),
            cells: question.cells(),
            proof: validity::Shape::of(question.statistic()).ok(),
            threshold: self.threshold(),
            querier: self.asker,
            closes_at: list.body.at + Duration::from_micros(self.collect_micros),
            place: Place::default(),
        }
    }

    /// Checks everything that follows from the descriptor, and reads the question.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check(&self, community: &Community) -> Result<Question, PlanError> {
        let descriptor = community.descriptor();
        if self.descriptor != community.digest() {
            return Err(PlanError::OtherDescriptor);
        }
        if (self.min_crowd, self.padding_allowance)
            != (descriptor.min_crowd, descriptor.padding_allowance)
        {
            return Err(PlanError::Crowd);
        }
        if self.candidates > most_candidates(descriptor)
            || choose_sizes(descriptor, self.candidates) != Some(self.sizes)
        {
            return Err(PlanError::Sizes);
        }
        let consent = self.consent_until + CLOCK_SKEW;
        if self.purpose.len() > PURPOSE_MAX
            || consent < self.asked_at
            || consent.since(self.asked_at) > CONSENT_MAX + CLOCK_SKEW
            || Duration::from_micros(self.collect_micros) > COLLECT_MAX
        {
            return Err(PlanError::Limits);
        }
        Ok(Question::parse(
            &self.sql,
            &descriptor.vocabulary,
            descriptor.nodes,
        )?)
    }
}

/// From how many nodes seats are drawn when everybody is up: the asker holds none.
pub fn most_candidates(descriptor: &Descriptor) -> u64 {
    descriptor.nodes.saturating_sub(1)
}

/// The committee that is drawn from so many nodes of a community.
pub fn choose_sizes(descriptor: &Descriptor, candidates: u64) -> Option<Sizes> {
    Sizes::choose(
        candidates,
        descriptor.colluders,
        descriptor.offline_permille,
    )
}

/// A plan with its asker's certificate and signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedPlan {
    /// What is asked.
    #[n(0)]
    pub plan: Plan,
    /// The asker's.
    #[n(1)]
    pub certificate: Certificate,
    #[n(2)]
    signature: Signature,
}

impl SignedPlan {
    /// Signs a plan of this node.
    pub fn new(identity: &Identity, plan: Plan) -> Self {
        Self {
            signature: identity.key.sign(DOMAIN, &encode(&plan)),
            certificate: identity.certificate.clone(),
            plan,
        }
    }

    /// Checks the asker's certificate and right to ask at the time of asking, the signature, and the plan: two
    /// signature checks. Independent of the time now, so that an archived plan stays checkable.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check(&self, community: &Community) -> Result<Question, PlanError> {
        let plan = &self.plan;
        if self.certificate.node() != plan.asker {
            return Err(PlanError::Signature);
        }
        check_certificate(&self.certificate, community.descriptor(), plan.asked_at)?;
        if !self.certificate.rights().ask {
            return Err(PlanError::MayNotAsk);
        }
        verify(plan.asker, DOMAIN, &encode(plan), &self.signature)
            .map_err(|_| PlanError::Signature)?;
        plan.check(community)
    }

    /// As [`check`](Self::check), for a plan that comes now: from its asker, or, as long as owners may decide, from anybody.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check_announced(
        &self,
        community: &Community,
        now: Instant,
    ) -> Result<Question, PlanError> {
        let plan = &self.plan;
        let is_early = plan.asked_at > now + ANNOUNCED_WITHIN;
        let is_late = now > plan.consent_until.max(plan.asked_at) + ANNOUNCED_WITHIN;
        if is_early || is_late {
            return Err(PlanError::Time);
        }
        self.check(community)
    }
}

/// Why a plan was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Made under another descriptor.
    #[error("the plan was made under another community descriptor")]
    OtherDescriptor,
    /// The minimum crowd or allowance is not the community's.
    #[error("the plan's minimum crowd is not the community's")]
    Crowd,
    /// No committee of this community keeps a secret.
    #[error(
        "this community is too small, or assumes too many colluders, for helpers who can keep a secret"
    )]
    TooSmall,
    /// No committee of those who are up does.
    #[error(
        "too few others can be reached now ({0}) for helpers who can keep a secret; ask again when more of them are up"
    )]
    TooFew(u64),
    /// The answer would be of more people than the community's numbers are made for: it would not hold.
    #[error(
        "{others} other people could take part, and the community's numbers are made for {nodes}: an answer of more does not hold; have who keeps the community raise the number of its nodes: commonhold community amend --nodes N"
    )]
    TooManyPeople {
        /// Others who are known.
        others: u64,
        /// N of the descriptor.
        nodes: u64,
    },
    /// Others would not hear of another.
    #[error(
        "everybody remembers {most} questions of one asker at most, each for an hour after its deadline; ask again in {} min", .wait.as_secs().div_ceil(60)
    )]
    TooMany {
        /// So many.
        most: usize,
        /// Until there is room for one more.
        wait: Duration,
    },
    /// The committee's sizes do not follow from the descriptor.
    #[error("the plan's committee sizes do not follow from the community's numbers")]
    Sizes,
    /// A time or text is longer than allowed.
    #[error("a time or text in the plan is outside its limits")]
    Limits,
    /// The question cannot be answered here.
    #[error("{0}")]
    Question(#[from] QuestionError),
    /// The asker's certificate does not hold.
    #[error("the asker's certificate does not hold: {0}")]
    Certificate(#[from] ContactError),
    /// The asker's certificate does not include the right to ask.
    #[error("the asker's certificate does not include the right to ask")]
    MayNotAsk,
    /// Not signed by the asker.
    #[error("the plan is not signed by its asker")]
    Signature,
    /// Too late, or signed in the future.
    #[error("the time for this question is over, or has not come: check the clock")]
    Time,
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use base::Rng;
    use community::{Column, Kind, Range, SignedDescriptor, Table, Terms, draw_keys, enrol};
    use crypto::{Rights, SigningKey};

    use super::*;

    pub(crate) const NOW: Instant = Instant::from_secs(1_800_000_000);

    /// A community of thirteen whose authority has this number.
    pub(crate) fn community(number: u64) -> (SigningKey, Arc<Community>) {
        let authority = SigningKey::generate(&mut Rng::from_number(number));
        let hours = Column {
            name: "hours".into(),
            kind: Kind::Number(Range {
                decimals: 1,
                min: 0,
                max: 240,
            }),
        };
        let descriptor = Descriptor {
            min_crowd: 4,
            vocabulary: vec![Table {
                name: "sleep".into(),
                columns: vec![hours],
            }],
            ..Descriptor::founding("test", authority.node(), 13)
        };
        let signed = SignedDescriptor::sign(&descriptor, &authority).unwrap();
        (authority, Arc::new(Community::open(signed).unwrap()))
    }

    pub(crate) fn member(
        authority: &SigningKey,
        community: &Community,
        ask: bool,
        rng: &mut Rng,
    ) -> Identity {
        let descriptor = community.descriptor();
        let (key, vrf, request) = draw_keys(&descriptor.community, rng);
        let terms = Terms {
            rights: Rights { ask },
            valid_from: Instant::from_secs(1_799_000_000),
            valid_until: Instant::from_secs(1_801_000_000),
        };
        let certificate = enrol(authority, descriptor, &request, terms, rng).unwrap();
        Identity {
            key,
            vrf,
            certificate,
        }
    }

    pub(crate) fn plan_of(asker: NodeId, community: &Community) -> Plan {
        Plan {
            asker,
            nonce: [1; 32],
            sql: "SELECT AVG(hours) FROM sleep".into(),
            purpose: "to test".into(),
            descriptor: community.digest(),
            sizes: choose_sizes(community.descriptor(), 12).unwrap(),
            candidates: 12,
            min_crowd: 4,
            padding_allowance: 1,
            asked_at: NOW,
            consent_until: NOW,
            collect_micros: 10_000_000,
        }
    }

    fn refusal(change: impl FnOnce(&mut Plan)) -> PlanError {
        let (authority, community) = community(1);
        let asker = member(&authority, &community, true, &mut Rng::from_number(2));
        let mut plan = plan_of(asker.node(), &community);
        change(&mut plan);
        let signed = SignedPlan::new(&asker, plan);
        signed.check_announced(&community, NOW).unwrap_err()
    }

    #[test]
    fn a_plan_by_the_rules_is_accepted() {
        let (authority, community) = community(1);
        let asker = member(&authority, &community, true, &mut Rng::from_number(2));
        let signed = SignedPlan::new(&asker, plan_of(asker.node(), &community));
        let question = signed.check_announced(&community, NOW).unwrap();
        assert_eq!(question.table(), "sleep");
    }

    #[test]
    fn each_departure_from_the_rules_is_named() {
        let later = NOW + Duration::from_secs(121);
        let long_ago = Instant::from_secs(NOW.as_secs() - 121);
        let month = CONSENT_MAX + CLOCK_SKEW + Duration::from_secs(1);
        assert_eq!(
            refusal(|p| p.descriptor = Digest([0; 32])),
            PlanError::OtherDescriptor
        );
        assert_eq!(refusal(|p| p.min_crowd = 1), PlanError::Crowd);
        assert_eq!(refusal(|p| p.padding_allowance = 0), PlanError::Crowd);
        assert_eq!(refusal(|p| p.sizes.lanes = 2), PlanError::Sizes);
        assert_eq!(refusal(|p| p.sizes.replicas = 0), PlanError::Sizes);
        assert_eq!(refusal(|p| p.candidates = 8), PlanError::Sizes);
        assert_eq!(refusal(|p| p.candidates = u64::MAX), PlanError::Sizes);
        assert_eq!(refusal(|p| p.purpose = "x".repeat(1025)), PlanError::Limits);
        assert_eq!(refusal(|p| p.consent_until = long_ago), PlanError::Limits);
        assert_eq!(
            refusal(|p| p.consent_until = NOW + month),
            PlanError::Limits
        );
        assert_eq!(refusal(|p| p.collect_micros = u64::MAX), PlanError::Limits);
        assert_eq!(refusal(|p| p.asker = NodeId([7; 32])), PlanError::Signature);
        for sql in ["", "SELECT hours FROM sleep", "SELECT AVG(x) FROM sleep"] {
            let refused = refusal(|p| p.sql = sql.into());
            assert!(matches!(refused, PlanError::Question(_)), "{refused:?}");
        }
        let asked = |at| {
            refusal(|p| {
                p.asked_at = at;
                p.consent_until = at;
            })
        };
        assert_eq!(asked(later), PlanError::Time);
        assert_eq!(asked(long_ago), PlanError::Time);
    }

    #[test]
    fn only_a_member_with_the_right_may_ask() {
        let (authority, here) = community(1);
        let (stranger, _) = community(2);
        let mut rng = Rng::from_number(3);
        let without = member(&authority, &here, false, &mut rng);
        let signed = SignedPlan::new(&without, plan_of(without.node(), &here));
        assert_eq!(signed.check(&here).unwrap_err(), PlanError::MayNotAsk);
        let foreign = member(&stranger, &here, true, &mut rng);
        let signed = SignedPlan::new(&foreign, plan_of(foreign.node(), &here));
        let refused = signed.check(&here).unwrap_err();
        assert!(matches!(refused, PlanError::Certificate(_)));
        // Another's signature under one's plan.
        let asker = member(&authority, &here, true, &mut rng);
        let mut signed = SignedPlan::new(&asker, plan_of(asker.node(), &here));
        signed.plan.nonce = [2; 32];
        assert_eq!(signed.check(&here).unwrap_err(), PlanError::Signature);
    }
}
