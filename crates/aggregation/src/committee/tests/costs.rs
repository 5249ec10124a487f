//! What sizes say that a contribution costs, beside a real one.

use base::encode;

use super::*;
use crate::sizes::{Load, Plan, costs};

#[test]
fn a_bundle_is_as_long_as_foreseen() {
    let net = Net::waiting();
    let bundle = net.bundle_of(net.people[0], 5, &some_keys());
    let sent = encode(&Message::Bundle(net.terms.round(), Box::new(bundle))).len() as f64;
    let plan = Plan::choose(crate::sizes::Terms {
        candidates: 12,
        contributors: 12,
        colluders: 3,
        offline_permille: 100,
    })
    .expect("a community of twelve has a plan");
    assert_eq!(plan.sizes, net.terms.sizes);
    let load = Load {
        elements: net.terms.vector_len as u64,
        proven: None,
    };
    let foreseen = costs(&plan, load).contributor.sent;
    assert!((foreseen / sent - 1.0).abs() < 0.05, "{foreseen} {sent}");
}
