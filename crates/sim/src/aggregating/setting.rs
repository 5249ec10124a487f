//! Who takes part in a computation, and what each contributes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aggregation::committee::{Place, Terms};
use aggregation::sizes::{self, Plan, Refusal, Tree};
use aggregation::validity;
use base::{Digest, Duration, NodeId, Rng};
use crypto::Vector;
use overlay::Form;
use thiserror::Error;

use super::choice::Choice;
use super::grove::{Committee, Common};
use super::liar::Liar;
use super::trouble::Faults;
use crate::START;
use crate::drawing::{Crowd, CrowdError, Size};

/// How long contributions are taken if not all come. Guess: as a short collection.
const COLLECTION: Duration = Duration::from_secs(10);
/// Most contributors: with all that their helpers hold they fit into a few gigabytes.
pub const CONTRIBUTORS_MAX: u64 = 15_000;
/// Fewest honest people who match of whom a total may tell. To it comes an allowance for the colluders, who are nobody to hide
/// among.
pub const CROWD_MIN: u64 = 5;
/// Most buckets, so that a run fits into memory.
pub const BUCKETS_MAX: usize = 10_000;

/// Each person's number is at least 1 and at most this.
pub(super) const NUMBER_MAX: u64 = 1000;

/// What is computed of the contributors' numbers, each of which is 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// How many people match.
    Count,
    /// Of their numbers.
    Sum,
    /// How many numbers are in each of so many equal parts.
    Histogram(usize),
    /// The sums of so many groups, small ones closed.
    Groups(usize),
}

/// One computation, to be run under any number of seeds.
pub struct Setting {
    pub(super) crowd: Crowd,
    /// Who asks, then who contributes.
    pub(super) people: Vec<usize>,
    /// Leaves first, the one that opens the totals last.
    pub(super) committees: Vec<Committee>,
    pub(super) statistic: Statistic,
    /// What goes wrong.
    pub faults: Choice<Faults>,
    /// Who lies, and how many of them there are.
    pub liars: Option<(Choice<Liar>, usize)>,
    /// The numbers of some people, whatever the seed.
    fixed: BTreeMap<NodeId, Option<u64>>,
}

/// Why there is no such computation.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SettingError {
    /// Too few or too many people.
    #[error("5 to {CONTRIBUTORS_MAX} contributors can be simulated; give so many --contributors")]
    Contributors,
    /// No or too many parts.
    #[error("give 1 to {BUCKETS_MAX} buckets or groups")]
    Buckets,
    /// No committees of these people are safe.
    #[error("{0}; change --contributors, --colluders or --offline")]
    Sizes(#[from] Refusal),
    /// No such community.
    #[error(transparent)]
    Crowd(#[from] CrowdError),
    /// There is one committee.
    #[error("{0} is a lie about a tree of committees; give a thousand --contributors or more")]
    NeedsTree(Liar),
    /// Nothing is proved.
    #[error("{0} is a lie about proofs; leave --without-proofs out")]
    NeedsProofs(Liar),
}

impl Setting {
    /// `contributors` people of whom `colluders` are expected to collude and `offline_permille` thousandths to go away: for
    /// this many the committee is sized. Nothing goes wrong yet.
    ///
    /// # Errors
    ///
    /// See [`SettingError`].
    pub fn new(
        contributors: u64,
        colluders: u64,
        offline_permille: u32,
        statistic: Statistic,
    ) -> Result<Self, SettingError> {
        // The querier holds no seat, and everybody else may.
        let plan = Plan::choose(sizes::Terms {
            candidates: contributors,
            contributors,
            colluders,
            offline_permille,
        })?;
        Self::planned(plan, statistic)
    }

    /// A narrow tree with committees, leaves and levels as `plan` has them: each parent has `fan_in` children, and the last level
    /// is as far from the first as there. So what takes time on the way up is as long, with few enough people to be simulated.
    ///
    /// # Errors
    ///
    /// See [`SettingError`].
    pub fn narrowed(
        mut plan: Plan,
        fan_in: u64,
        statistic: Statistic,
    ) -> Result<Self, SettingError> {
        let people = plan.terms.contributors.div_ceil(plan.tree.leaves());
        let colluders = plan.terms.colluders as f64 / plan.terms.candidates as f64;
        plan.tree = Tree::full(fan_in, plan.tree.depth());
        let contributors = people * plan.tree.leaves();
        plan.terms.contributors = contributors;
        plan.terms.candidates = contributors;
        plan.terms.colluders = (colluders * contributors as f64) as u64;
        Self::planned(plan, statistic)
    }

    /// The committees of this plan, in a community that has no other members than those who contribute and the asker.
    ///
    /// # Errors
    ///
    /// See [`SettingError`].
    pub fn planned(plan: Plan, statistic: Statistic) -> Result<Self, SettingError> {
        let contributors = plan.terms.contributors;
        if !(5..=CONTRIBUTORS_MAX).contains(&contributors) {
            return Err(SettingError::Contributors);
        }
        let (cells, vector_len) = statistic.shape()?;
        let colluders = plan.terms.colluders;
        let size = Size::new(contributors + 1, colluders.max(1), 1e-6);
        let crowd = Crowd::of(1, &size, Form::Sound)?;
        let mut people: Vec<_> = (0..crowd.len()).collect();
        let mut rng = Rng::from_number(contributors);
        shuffle(&mut people, &mut rng);
        let terms = Terms {
            question: Digest::of("simulated question", &[]),
            list: Digest([0; 32]),
            seats: Vec::new(),
            sizes: plan.sizes,
            liars: plan.liars,
            outvotes: plan.bounds.outvotes(),
            vector_len,
            cells,
            proof: None,
            threshold: CROWD_MIN + colluders,
            querier: crowd.contact(people[0]).node(),
            closes_at: START + COLLECTION,
            place: Place::default(),
        };
        let common = Common { terms, plan };
        let committees = common.committees(&crowd, &people[1..], &mut rng);
        Ok(Self {
            crowd,
            people,
            committees,
            statistic,
            faults: Faults::default().into(),
            liars: None,
            fixed: BTreeMap::new(),
        })
    }

    /// Lets contributions come with a proof that they are in range.
    #[must_use]
    pub fn with_proofs(mut self) -> Self {
        let proof: Option<validity::Shape> = self.statistic.proof().map(Into::into);
        let mut instances = BTreeMap::new();
        for committee in &mut self.committees {
            let terms = &mut committee.terms;
            if terms.place.is_leaf() {
                terms.proof = proof.clone();
                instances.insert(terms.round(), terms.final_instance());
            }
            for child in &mut terms.place.below {
                child.instance = *instances.get(&child.round).unwrap_or(&child.instance);
            }
        }
        self
    }

    /// What all parties know of the committee that opens the totals.
    pub fn terms(&self) -> &Terms {
        let root = self.committees.last();
        &root.expect("a computation has a committee").terms
    }

    /// All committees, leaves first.
    pub fn committees(&self) -> &[Committee] {
        &self.committees
    }

    /// Everybody who has a seat, once, the leaders of the first views first.
    pub(super) fn seats(&self) -> Vec<NodeId> {
        let all = self.committees.iter().flat_map(|one| &one.terms.seats);
        let mut seen = BTreeSet::new();
        all.copied().filter(|seat| seen.insert(*seat)).collect()
    }

    /// Fixes the number of one contributor; without a number it does not match.
    pub fn set_number(&mut self, contributor: NodeId, number: Option<u64>) {
        self.fixed.insert(contributor, number);
    }

    /// Everybody who may contribute.
    pub(super) fn contributors(&self) -> impl Iterator<Item = NodeId> + '_ {
        let places = self.people[1..].iter();
        places.map(|place| self.crowd.contact(*place).node())
    }

    /// Everybody who contributes and has no seat.
    pub(super) fn seatless(&self) -> Vec<NodeId> {
        let seats: BTreeSet<_> = self.seats().into_iter().collect();
        let all = self.contributors();
        all.filter(|node| !seats.contains(node)).collect()
    }

    /// Whether this lie can be told here.
    ///
    /// # Errors
    ///
    /// What is missing for it.
    pub fn allows(&self, liar: Liar) -> Result<(), SettingError> {
        let needs_tree = matches!(liar, Liar::WrongPart | Liar::TwoLeaves);
        let needs_proofs = matches!(liar, Liar::TellsSeed | Liar::FalseCry | Liar::OutOfRange);
        if needs_tree && self.committees.len() == 1 {
            return Err(SettingError::NeedsTree(liar));
        }
        if needs_proofs && self.terms().proof.is_none() {
            return Err(SettingError::NeedsProofs(liar));
        }
        Ok(())
    }

    /// One of those that can be told.
    pub(super) fn any_liar(&self, rng: &mut Rng) -> Liar {
        let mut told = Liar::ALL.to_vec();
        told.retain(|liar| self.allows(*liar).is_ok());
        told[rng.below(told.len() as u64) as usize]
    }

    /// What each contributes under this seed; one in ten does not match. Where liars pad the crowd, few others match.
    pub(super) fn vectors(&self, seed: u64, cast: &Cast) -> BTreeMap<NodeId, Arc<[u64]>> {
        let mut rng = Rng::from_number(seed).fork("numbers");
        let few = (cast.liar == Some(Liar::Pads)).then(|| self.few(&cast.liars, &mut rng));
        let one = |node| {
            let mut number = 1 + rng.below(NUMBER_MAX);
            let group = rng.below(1 << 32);
            let mut matches = rng.below(10) > 0;
            if let Some(few) = &few {
                matches = cast.liars.contains(&node) || few.contains(&node);
            }
            if let Some(fixed) = self.fixed.get(&node) {
                matches = fixed.is_some();
                number = fixed.unwrap_or(1);
            }
            let two = cast.has_two_vectors(node);
            let vector = if two {
                self.two_vectors()[0].clone()
            } else {
                self.statistic.encode(number, group, matches)
            };
            (node, vector.into())
        };
        self.contributors().map(one).collect()
    }

    /// About as many honest people as may be told of.
    fn few(&self, liars: &BTreeSet<NodeId>, rng: &mut Rng) -> BTreeSet<NodeId> {
        let mut honest: Vec<_> = self.contributors().collect();
        honest.retain(|node| !liars.contains(node));
        shuffle(&mut honest, rng);
        let count = rng.below(2 * CROWD_MIN + 1) as usize;
        honest.into_iter().take(count).collect()
    }

    /// What all those contribute who contribute twice: all the same, so that it is seen in a sum how many of which there are.
    pub(super) fn two_vectors(&self) -> [Vec<u64>; 2] {
        [(1, 0), (NUMBER_MAX, 1)].map(|(number, group)| self.statistic.encode(number, group, true))
    }
}

/// Who lies in one run, and about what.
#[derive(Debug, Clone)]
pub struct Cast {
    pub(super) liar: Option<Liar>,
    pub(super) liars: BTreeSet<NodeId>,
    /// Somebody honest whom they want left out.
    pub(super) victim: Option<NodeId>,
}

impl Cast {
    /// Whether this node contributes one vector here and another one there.
    pub(super) fn has_two_vectors(&self, node: NodeId) -> bool {
        self.liar.is_some_and(Liar::has_two_vectors) && self.liars.contains(&node)
    }
}

/// In any order with the same chance.
pub(super) fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.below(last as u64 + 1) as usize);
    }
}

impl Statistic {
    /// Cells, and numbers in all.
    fn shape(self) -> Result<(usize, usize), SettingError> {
        match self {
            Self::Count => Ok((1, 1)),
            Self::Sum => Ok((1, 2)),
            Self::Histogram(parts) | Self::Groups(parts) if !(1..=BUCKETS_MAX).contains(&parts) => {
                Err(SettingError::Buckets)
            }
            Self::Histogram(buckets) => Ok((1, 1 + buckets)),
            Self::Groups(groups) => Ok((groups, 2 * groups)),
        }
    }

    /// What can be proved of it: one bucket or group tells nothing apart, and is a count or sum.
    fn proof(self) -> Option<validity::Statistic> {
        let count = |groups: usize| u32::try_from(groups).ok().filter(|groups| *groups > 1);
        Some(match self {
            Self::Count => validity::Statistic::Count,
            Self::Sum => validity::Statistic::Sum { max: NUMBER_MAX },
            Self::Histogram(buckets) => validity::Statistic::Histogram {
                buckets: count(buckets)?,
            },
            Self::Groups(groups) => validity::Statistic::GroupedSum {
                groups: count(groups)?,
                max: NUMBER_MAX,
            },
        })
    }

    fn encode(self, number: u64, group: u64, matches: bool) -> Vec<u64> {
        let (_, len) = self.shape().expect("it was checked");
        let mut vector = vec![0; len];
        if matches {
            match self {
                Self::Count => vector[0] = 1,
                Self::Sum => vector.copy_from_slice(&[1, number]),
                Self::Histogram(buckets) => {
                    vector[0] = 1;
                    vector[1 + (number - 1) as usize * buckets / NUMBER_MAX as usize] = 1;
                }
                Self::Groups(groups) => {
                    let group = (group % groups as u64) as usize;
                    vector[group] = 1;
                    vector[groups + group] = number;
                }
            }
        }
        vector
    }
}

/// As the engine wants it.
pub(super) fn field(numbers: &[u64]) -> Vector {
    Vector::from_u64s(numbers).expect("numbers are small")
}
