//! What a computation costs each role, before anybody is asked: counts of what the engine does and sends, times what one of
//! each was measured to cost.
//!
//! An estimate for choosing and explaining, not a limit: no lost message, nobody away, one view of the agreement, proofs
//! of a histogram. Times were measured on one core of the machine of BENCHMARKS.md: "Contributing" unless they say otherwise.
//! What links add below the messages (QUIC, IP) is not in it, nor is the reading of messages. Lane keys come from whoever
//! gathers them, and parents check the lists of their children.

use super::plan::Plan;
use crate::committee::CERTIFIERS;

/// Sealing a seed: making an ephemeral X25519 key, agreeing with it, and the rest of HPKE. Measured.
pub const SEAL_NS: f64 = 72_000.0;
/// Opening what is sealed: one X25519 agreement, the own public key once more, and the rest of HPKE. Measured.
pub const OPEN_NS: f64 = 58_000.0;
/// One Ed25519 signature. Measured.
pub const SIGN_NS: f64 = 15_000.0;
/// Checking one Ed25519 signature alone. Measured.
const VERIFY_NS: f64 = 35_000.0;
/// The same for one of about 16 that are checked together: an actor list's, lane keys', headers'. Measured: 17.0 µs for a list
/// ("Drawing and checking"), 18.6 µs for 15 lane keys; 13.4 µs for the two of each of 150 headers.
pub const VERIFY_TOGETHER_NS: f64 = 18_000.0;
/// ChaCha20 over one byte: expanding a seed, or sealing. Measured: chacha20 0.10 (2.32 GB/s).
const STREAM_NS_PER_BYTE: f64 = 0.431;
/// Hashing one byte into a commitment. Guess: SHA-256 with the processor's instructions for it.
const HASH_NS_PER_BYTE: f64 = 0.7;
/// Adding one element to a sum. Measured: 0.18 µs for 1000.
const ADD_NS: f64 = 0.18;
/// Proving one element valid to two lanes. Measured: BENCHMARKS.md, "Proving a contribution", histogram of 100 buckets (71.2 µs
/// for ten lanes, 92.8 µs for fifteen).
const PROVE_NS_PER_ELEMENT: f64 = 363.0;
/// And to each lane more. Measured: the same.
const PROVE_NS_PER_ELEMENT_AND_LANE: f64 = 43.0;
/// Checking the proof of one element in one lane, with what the other lanes say of it. Measured: the dearer of the two roles
/// among 15 lanes (38.0 µs for 101 elements, of which 2.0 µs were signatures).
const CHECK_NS_PER_ELEMENT: f64 = 356.0;
/// Of a proof: times the square root of the elements, since a gadget's chunks are as many as they are long. Measured:
/// "Proving a contribution" (712 bytes for 101 elements).
const PROOF_BYTES_PER_ROOT: f64 = 70.9;
/// What lanes say to each other about one proof, likewise. Measured: the same (288 bytes for 101 elements).
const VERIFIER_BYTES_PER_ROOT: f64 = 28.7;
/// For the randomness that all lanes share, in a proof: of each lane a part in the header, and a seed for it with the share.
const PROOF_SEED_BYTES: f64 = 32.0;

/// One element of the field.
const ELEMENT_BYTES: f64 = 8.0;
/// One signature with its seat, as CBOR.
const VOTE_BYTES: f64 = 70.0;
/// A digest or a name, as CBOR.
const DIGEST_BYTES: f64 = 34.0;
/// A certificate, as messages have it.
const CERTIFICATE_BYTES: f64 = 267.0;
/// Names, kinds and lengths of one message.
const MESSAGE_BYTES: f64 = 40.0;
/// What sealing a share adds: encapsulated key and tag, salt, names of fields.
const SEALED_BYTES: f64 = 48.0 + 34.0 + 8.0;
/// A share that is a seed.
const SEED_BYTES: f64 = 34.0;
/// What names an agreed set.
const SET_BYTES: f64 = 110.0;
/// Builders of an actor list, a common k of a large community (design: overlay, "about 7 to 9").
const LIST_BUILDERS: f64 = 8.0;

/// What each person contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Field elements that are added up; the first is the match count.
    pub elements: u64,
    /// Field elements in which it is proved that the contribution is valid, if it is: they are shared in place of
    /// `elements`, and each lane adds up what it derives from them.
    pub proven: Option<u64>,
}

/// Of one node in one computation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Bytes that it sends.
    pub sent: f64,
    /// Bytes that it receives.
    pub received: f64,
    /// Processor time in nanoseconds, of one core.
    pub cpu_ns: f64,
}

/// Of the roles. A node may have several of them; what a root does is added to what a parent or a leaf does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Who takes part.
    pub contributor: Cost,
    /// A replica of a leaf; the one that leads its agreement, and to whom chance gives much.
    pub replica: Cost,
    /// A replica of a committee that adds up others' sums, if there are such.
    pub parent: Option<Cost>,
    /// What a replica of the root does besides: opens counts, gives its lane's sum to the querier.
    pub root: Cost,
    /// Who asks: checks the root's word, and with a single committee gathers its lane keys.
    pub querier: Cost,
}

/// What `plan` costs when each person contributes `load`.
pub fn costs(plan: &Plan, load: Load) -> Costs {
    let model = Model::new(plan, load);
    Costs {
        contributor: model.contributor(),
        replica: model.agreement() + model.collection(),
        parent: (plan.tree.depth() > 1).then(|| model.agreement() + model.children()),
        root: model.opening(),
        querier: model.querier(),
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            cpu_ns: self.cpu_ns + other.cpu_ns,
        }
    }
}

/// What the unluckiest of a few hundred gets of things of these numbers and weights, which each gets by chance: three standard
/// deviations more than the mean.
fn busiest(parts: &[(f64, f64)]) -> f64 {
    let mean: f64 = parts.iter().map(|(number, weight)| number * weight).sum();
    let variance = parts
        .iter()
        .map(|(number, weight)| number * weight * weight);
    mean + 3.0 * variance.sum::<f64>().sqrt()
}

/// The numbers of a plan, to multiply.
struct Model {
    /// People of one leaf.
    people: f64,
    children: f64,
    lanes: f64,
    replicas: f64,
    seats: f64,
    quorum: f64,
    /// Elements that are added up.
    elements: f64,
    /// Elements that are shared.
    shared: f64,
    /// Elements that are proved.
    proven: f64,
    /// Bytes of a proof that go to each lane as a seed, and to one as they are.
    proof: f64,
    verifier: f64,
}

impl Model {
    fn new(plan: &Plan, load: Load) -> Self {
        let leaves = plan.tree.leaves();
        let proven = load.proven.unwrap_or(0) as f64;
        Self {
            people: plan.terms.contributors.div_ceil(leaves) as f64,
            children: plan.tree.fan_in() as f64,
            lanes: f64::from(plan.sizes.lanes),
            replicas: f64::from(plan.sizes.replicas),
            seats: plan.sizes.seats() as f64,
            quorum: plan.quorum as f64,
            elements: load.elements as f64,
            shared: load.proven.unwrap_or(load.elements) as f64,
            proven,
            proof: PROOF_BYTES_PER_ROOT * proven.sqrt(),
            verifier: VERIFIER_BYTES_PER_ROOT * proven.sqrt(),
        }
    }

    /// Who, the name of all lanes' commitments, a signature; with a proof, a seed for each lane.
    fn header(&self) -> f64 {
        CERTIFICATE_BYTES + DIGEST_BYTES + self.lanes * self.proof_seed() + VOTE_BYTES
    }

    fn proof_seed(&self) -> f64 {
        if self.proven > 0.0 {
            PROOF_SEED_BYTES
        } else {
            0.0
        }
    }

    /// What one replica is handed: the header, and commitments and ciphertexts of all lanes.
    fn bundle(&self) -> f64 {
        MESSAGE_BYTES + self.header() + self.lanes * DIGEST_BYTES + self.ciphertexts()
    }

    /// What a lane gets of it: the header, its ciphertext, and the way from its commitment to the header.
    fn item(&self) -> f64 {
        let path = self.lanes.log2().ceil() * DIGEST_BYTES;
        self.header() + path + self.ciphertexts() / self.lanes
    }

    /// The ciphertexts of all lanes: one share is the vector, the others are seeds.
    fn ciphertexts(&self) -> f64 {
        let vector = self.shared * ELEMENT_BYTES + self.proof;
        let sealed = self.lanes * (SEALED_BYTES + self.proof_seed());
        sealed + (self.lanes - 1.0) * SEED_BYTES + vector
    }

    fn list(&self) -> Cost {
        let builders = LIST_BUILDERS * (CERTIFICATE_BYTES + VOTE_BYTES);
        Cost {
            sent: 0.0,
            received: self.seats * DIGEST_BYTES + builders,
            cpu_ns: 2.0 * LIST_BUILDERS * VERIFY_TOGETHER_NS,
        }
    }

    /// One vector made from a seed, and hashed or taken apart.
    fn pass_ns(&self) -> f64 {
        let bytes = self.shared * ELEMENT_BYTES + self.proof;
        bytes * (STREAM_NS_PER_BYTE + HASH_NS_PER_BYTE) + self.shared * ADD_NS
    }

    /// Checks the list and the lane keys, splits, seals, signs.
    fn contributor(&self) -> Cost {
        let prove = PROVE_NS_PER_ELEMENT + (self.lanes - 2.0) * PROVE_NS_PER_ELEMENT_AND_LANE;
        let keys = Cost {
            sent: 0.0,
            received: self.lanes * (3.0 * DIGEST_BYTES + VOTE_BYTES),
            cpu_ns: self.lanes * VERIFY_TOGETHER_NS,
        };
        let own = Cost {
            sent: self.bundle(),
            received: MESSAGE_BYTES,
            cpu_ns: self.lanes * (SEAL_NS + self.pass_ns()) + SIGN_NS + self.proven * prove,
        };
        self.list() + keys + own
    }

    /// Takes its part of the people's bundles, gives each lane's item to one seat of the lane, and in its own lane passes on
    /// what it gets first; opens its own lane's. Chance gives the busiest seat more than its part of both.
    fn collection(&self) -> Cost {
        let held = MESSAGE_BYTES + DIGEST_BYTES;
        let (handed, first) = (self.people / self.seats, self.people / self.replicas);
        let item = self.item() + MESSAGE_BYTES;
        let verifiers = (self.lanes - 1.0) * self.verifier;
        let taken = 2.0 * VERIFY_TOGETHER_NS + OPEN_NS + self.pass_ns();
        let each = taken + self.proven * CHECK_NS_PER_ELEMENT;
        // Each seat signs what it found.
        let words = if self.proven > 0.0 {
            (self.seats - 1.0) * VERIFY_NS + SIGN_NS
        } else {
            0.0
        };
        let passed = busiest(&[(handed, self.lanes - 1.0), (first, self.replicas - 1.0)]);
        Cost {
            sent: passed * item + self.people * (held + verifiers) + self.sums_up(),
            received: self.people * (item + verifiers)
                + busiest(&[(handed, self.bundle() + (self.seats - 1.0) * held)]),
            cpu_ns: self.people * (each + self.elements * ADD_NS) + SIGN_NS + words,
        }
    }

    /// Tells all others what it holds and hears it of them; so also two rounds of votes. Who leads proposes besides, and says
    /// why: in a few words, as long as all hold the same.
    fn agreement(&self) -> Cost {
        let others = self.seats - 1.0;
        let holdings = MESSAGE_BYTES + DIGEST_BYTES + VOTE_BYTES;
        let vote = MESSAGE_BYTES + 2.0 * DIGEST_BYTES + VOTE_BYTES;
        let proposal = 2.0 * (MESSAGE_BYTES + SET_BYTES + DIGEST_BYTES) + self.seats / 8.0;
        Cost {
            sent: others * (holdings + 2.0 * vote + proposal),
            received: others * (holdings + 2.0 * vote),
            cpu_ns: (self.seats + 2.0 * self.quorum) * VERIFY_NS + 3.0 * SIGN_NS,
        }
    }

    /// A lane sum, and over which set.
    fn sum(&self) -> f64 {
        let total = VOTE_BYTES + 2.0 * DIGEST_BYTES + self.elements * ELEMENT_BYTES;
        MESSAGE_BYTES + total + SET_BYTES
    }

    /// The sums of one lane, or of all, at one who needs them: at first only a few show besides that a quorum signed the set.
    fn sums(&self, seats: f64) -> f64 {
        seats * self.sum() + seats.min(CERTIFIERS as f64) * self.quorum * VOTE_BYTES
    }

    /// To the lane's replicas in the parent.
    fn sums_up(&self) -> f64 {
        self.sums(self.replicas)
    }

    /// Of each child: checks its list, its lane's word, and that a quorum signed its set.
    fn children(&self) -> Cost {
        let list = self.list();
        Cost {
            sent: self.sums_up(),
            received: self.children * (list.received + self.sums(self.replicas)),
            cpu_ns: self.children
                * (list.cpu_ns
                    + self.replicas * VERIFY_NS
                    + self.quorum * VERIFY_TOGETHER_NS
                    + self.elements * ADD_NS)
                + SIGN_NS,
        }
    }

    /// Counts to and from all of the committee.
    fn opening(&self) -> Cost {
        let count = MESSAGE_BYTES + VOTE_BYTES + 2.0 * DIGEST_BYTES + ELEMENT_BYTES;
        let others = self.seats - 1.0;
        Cost {
            sent: others * count + self.sum() + self.quorum * VOTE_BYTES,
            received: others * count,
            cpu_ns: others * VERIFY_NS + 2.0 * SIGN_NS,
        }
    }

    fn querier(&self) -> Cost {
        let keys = self.seats * (MESSAGE_BYTES + 2.0 * DIGEST_BYTES + VOTE_BYTES);
        let sums = Cost {
            sent: self.seats * MESSAGE_BYTES,
            received: self.sums(self.seats) + keys,
            cpu_ns: 2.0 * self.seats * VERIFY_NS
                + self.quorum * VERIFY_TOGETHER_NS
                + self.lanes * self.elements * ADD_NS,
        };
        self.list() + sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::Terms;
    use super::*;

    fn plan(people: u64, colluders: u64) -> Plan {
        Plan::choose(Terms {
            candidates: people,
            contributors: people,
            colluders,
            offline_permille: 10,
        })
        .unwrap()
    }

    const HISTOGRAM: Load = Load {
        elements: 101,
        proven: Some(101),
    };

    fn all(costs: &Costs) -> Vec<Cost> {
        let parent = costs.parent.iter().copied();
        let others = [costs.contributor, costs.replica, costs.root, costs.querier];
        parent.chain(others).collect()
    }

    #[test]
    fn one_committee_has_no_parents() {
        assert!(costs(&plan(1_000, 10), HISTOGRAM).parent.is_none());
        assert!(costs(&plan(10_000, 10), HISTOGRAM).parent.is_some());
    }

    #[test]
    fn a_contribution_with_proof_fits_into_six_kilobytes() {
        let costs = costs(&plan(1_000, 10), HISTOGRAM);
        assert!(
            (3_000.0..6_000.0).contains(&costs.contributor.sent),
            "{costs:?}"
        );
    }

    /// Two megabytes both ways together, and a sixth of a second.
    #[test]
    fn a_helper_of_a_leaf_has_little_to_do() {
        let load = Load {
            elements: 2,
            proven: None,
        };
        let costs = costs(&plan(1_000_000, 10_000), load);
        let leaf = costs.replica;
        assert!(leaf.sent + leaf.received < 2_000_000.0, "{leaf:?}");
        assert!(leaf.cpu_ns < 150e6, "{leaf:?}");
    }

    /// Few children against many people.
    #[test]
    fn parents_have_less_to_do_than_leaves() {
        let costs = costs(&plan(1_000_000, 1_000), HISTOGRAM);
        let parent = costs.parent.unwrap();
        assert!(parent.cpu_ns < costs.replica.cpu_ns);
        assert!(parent.sent < 0.5 * costs.replica.sent);
        assert!(parent.received < costs.replica.received);
    }

    /// A person, and a helper of any kind, does the same work in a large community as in one ten times as large.
    #[test]
    fn nobody_has_more_to_do_in_a_larger_community() {
        let small = costs(&plan(100_000, 100), HISTOGRAM);
        let large = costs(&plan(1_000_000, 1_000), HISTOGRAM);
        for (small, large) in all(&small).into_iter().zip(all(&large)) {
            assert!(large.cpu_ns < 2.0 * small.cpu_ns, "{small:?} {large:?}");
            assert!(large.sent + large.received < 2.0 * (small.sent + small.received));
        }
    }

    #[test]
    fn more_elements_and_proofs_cost_more() {
        for plan in [plan(1_000, 10), plan(100_000, 100)] {
            let of = |elements, proven| costs(&plan, Load { elements, proven });
            let (one, many, proven) = (of(1, None), of(100, None), of(100, Some(100)));
            for ((one, many), proven) in all(&one).into_iter().zip(all(&many)).zip(all(&proven)) {
                assert!(one.cpu_ns <= many.cpu_ns && many.cpu_ns <= proven.cpu_ns);
                assert!(one.sent <= many.sent && many.sent <= proven.sent);
                assert!(one.received <= many.received && many.received <= proven.received);
            }
            assert!(one.contributor.sent < many.contributor.sent);
            assert!(many.contributor.cpu_ns < proven.contributor.cpu_ns);
        }
    }
}
