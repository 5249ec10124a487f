//! Where the helpers of an answer were drawn, for a picture of it.

use std::collections::BTreeSet;

use api::{Helper, Ring, Seat};
use base::decode;
use crypto::Certificate;
use node::proof::{PROOF_BYTES_MAX, Proof};

/// What a proof that holds shows of its draw; nothing of one that cannot be read.
pub fn of(bytes: &[u8]) -> Option<Ring> {
    let Proof {
        plan,
        list,
        evidence,
    } = decode(bytes, PROOF_BYTES_MAX).ok()?;
    let votes = evidence.certificate.votes.iter();
    let signed: BTreeSet<_> = votes.map(|(place, _)| usize::from(*place)).collect();
    let helpers = list.actors().iter().enumerate();
    let helpers = helpers.map(|(place, node)| Helper {
        node: node.to_string(),
        lane: plan.plan.sizes.lane_of(place) as u64,
        signed: signed.contains(&place),
    });
    Some(Ring {
        asker: seat(&plan.certificate),
        point: list.point().as_f64(),
        setter: list.body.setter.to_string(),
        builders: list
            .builders
            .iter()
            .map(|builder| seat(&builder.certificate))
            .collect(),
        helpers: helpers.collect(),
        witnesses: list.builders.len() as u64,
    })
}

fn seat(certificate: &Certificate) -> Seat {
    Seat {
        node: certificate.node().to_string(),
        at: certificate.location().as_f64(),
    }
}
