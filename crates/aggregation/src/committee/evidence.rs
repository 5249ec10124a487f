//! What convinces anyone of the totals who knows the terms: the agreed set and the word of enough of each lane.

use crypto::Vector;
use minicbor::{Decode, Encode};

use crate::agreement::QuorumCertificate;
use crate::committee::cells::Totals;
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::SetBody;
use crate::committee::statement::{Endorsed, LaneSum};
use crate::committee::terms::Terms;

/// The outcome of one computation with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Evidence {
    /// Over whom the totals go, in numbers.
    #[n(0)]
    pub set: SetBody,
    /// A quorum of all seats signed that set.
    #[n(1)]
    pub certificate: QuorumCertificate,
    /// By lane: the lane's sum, signed by t of it.
    #[n(2)]
    pub sums: Vec<Endorsed<LaneSum>>,
}

impl Evidence {
    /// Checks every signature and adds the lanes up: quorum plus lanes times t signature checks.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, terms: &Terms) -> Result<Totals, Misbehaviour> {
        let round = terms.round();
        if self.set.round != round {
            return Err(Misbehaviour::OtherRound);
        }
        let set = self.set.digest();
        self.certificate
            .verify(terms.final_instance(), set, &terms.seats, terms.quorum())
            .map_err(|_| Misbehaviour::Quorum)?;
        if self.sums.len() != terms.lanes() {
            return Err(Misbehaviour::Shape);
        }
        let open = &self.sums[0].body.0.open;
        if !terms.names_cells(open) {
            return Err(Misbehaviour::Shape);
        }
        let mut totals = Vector::zeros(terms.opened_len(open));
        for (lane, sum) in self.sums.iter().enumerate() {
            if sum.body.0.set != set {
                return Err(Misbehaviour::OtherSet);
            }
            sum.check(terms, lane)?;
            if sum.body.0.open != *open {
                return Err(Misbehaviour::Shape);
            }
            let part = Vector::from_u64s(&sum.body.0.sums).map_err(|_| Misbehaviour::Shape)?;
            totals.add(&part).map_err(|_| Misbehaviour::Shape)?;
        }
        terms.read(&totals.to_u64s(), open)
    }

    /// Signature checks that [`verify`](Self::verify) makes.
    pub fn checks(&self) -> usize {
        let votes: usize = self.sums.iter().map(|sum| sum.votes.len()).sum();
        self.certificate.votes.len() + votes
    }
}
