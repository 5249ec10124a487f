//! Of the community, and of what this node is in it.

use std::path::Path;

use api::{Check, Verdict};
use base::{Duration, Instant};
use community::Community;
use crypto::Certificate;

use super::{bad, ok};
use crate::community_command::Standing;
use crate::counted::counted;

/// A certificate that ends within this is worth a warning.
const RENEW_WITHIN: Duration = Duration::from_secs(14 * 86_400);

/// Whether the node's certificate is in force, and for how long.
pub fn certificate(now: Instant, own: &Certificate) -> Check {
    const NAME: &str = "certificate";
    let (from, until) = (own.valid_from(), own.valid_until());
    let ends = crate::verify::utc(until.as_secs());
    let renew = "ask your community's authority for a new certificate: commonhold community renew";
    if now >= until {
        let found = format!("this node's certificate ended on {ends}: nobody speaks to it");
        let what_to_do = format!("{renew}; or set the clock, if that is wrong");
        return bad(Verdict::Fail, NAME, found, what_to_do);
    }
    let left = until.since(now);
    let soon = match left.as_secs() / 86_400 {
        0 => "within a day".into(),
        days => format!("in {}", counted(days, "day", "days")),
    };
    let found = format!("it ends {soon}, on {ends}");
    // One that was made for a short time ends soon from its first day on.
    if left < RENEW_WITHIN.min(until.since(from) / 4) {
        return bad(Verdict::Warn, NAME, found, renew);
    }
    ok(NAME, found)
}

/// Whether members speak to this node at all.
pub fn is_member(community: &Community, own: &Certificate) -> bool {
    let descriptor = community.descriptor();
    descriptor.issuers().contains(&own.issuer()) && !descriptor.is_revoked(own.node())
}

/// Whether this node is a member still, of a community that is one; `epoch` has two descriptors.
pub fn community(community: &Community, own: &Certificate, contradiction: Option<u64>) -> Check {
    const NAME: &str = "community";
    let descriptor = community.descriptor();
    if let Some(epoch) = contradiction {
        let found = format!("its authority has signed two descriptors of epoch {epoch}");
        let what_to_do = format!(
            "talk to the other members, and show them epoch-{epoch}-a.cbor and epoch-{epoch}-b.cbor in the node's folder: who has \
             the authority's key has given some of you other rules than others"
        );
        return bad(Verdict::Fail, NAME, found, what_to_do);
    }
    if !descriptor.issuers().contains(&own.issuer()) {
        return bad(
            Verdict::Fail,
            NAME,
            "who certified this node is not listed any more, so that its certificate holds no longer: nobody speaks to it",
            "have it certified anew by who certifies now: commonhold community renew",
        );
    }
    if descriptor.is_revoked(own.node()) {
        let what_to_do = "ask who keeps the community's authority; to take part again you need a new ticket and join with new keys";
        return bad(
            Verdict::Fail,
            NAME,
            "this node is revoked: nobody speaks to it",
            what_to_do,
        );
    }
    let found = format!("\"{}\" is in epoch {}", descriptor.name, descriptor.epoch);
    ok(NAME, found)
}

/// Whether a node that lets people in from this folder can.
pub fn enrolling(folder: &Path, standing: Standing) -> Check {
    const NAME: &str = "enrol";
    let Standing {
        key,
        counts,
        trouble,
    } = standing;
    let folder = folder.display();
    let Some(why) = trouble else {
        if counts {
            let found = format!("people with tickets are let in by the key {key:?}");
            return ok(NAME, found);
        }
        let found =
            format!("nobody can be let in: the key {key:?} in {folder} is not listed any more");
        let what_to_do = "ask who keeps the community's authority for another; the node itself goes on without: commonhold up";
        return bad(Verdict::Fail, NAME, found, what_to_do);
    };
    let (verdict, done) = match counts {
        true => (Verdict::Warn, "people are let in by the old one"),
        false => (Verdict::Fail, "nobody can be let in"),
    };
    let found = format!(
        "another key has taken the place of {key:?}, and this node could not unlock it: {why}. Meanwhile {done}"
    );
    let what_to_do =
        format!("start the node again: commonhold down, commonhold up --enrol {folder}");
    bad(verdict, NAME, found, what_to_do)
}

#[cfg(test)]
pub(super) mod tests {
    use base::{NodeId, Rng};
    use community::{Descriptor, Retired, SignedDescriptor, Terms, draw_keys, enrol};
    use crypto::{Rights, SigningKey};

    use super::super::clock;
    use super::*;

    pub(in super::super) fn certified(from: u64, until: u64) -> Certificate {
        let rng = &mut Rng::from_number(1);
        let authority = SigningKey::generate(rng);
        let descriptor = Descriptor::founding("example", authority.node(), 13);
        let (_, _, request) = draw_keys(&descriptor.community, rng);
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: Instant::from_secs(from),
            valid_until: Instant::from_secs(until),
        };
        enrol(&authority, &descriptor, &request, terms, rng).expect("certified")
    }

    #[test]
    fn a_certificate_that_ends_is_not_the_clocks_fault() {
        let (day, start) = (86_400, 1_800_000_000);
        let own = certified(start, start + 365 * day);
        let verdicts = |secs| {
            let now = Instant::from_secs(secs);
            (
                certificate(now, &own).verdict,
                clock(now, now, &own, None).verdict,
            )
        };
        assert_eq!(verdicts(0).1, Verdict::Fail);
        for (days, of_certificate) in [
            (0, Verdict::Ok),
            (350, Verdict::Ok),
            (352, Verdict::Warn),
            (365, Verdict::Fail),
        ] {
            let expected = (of_certificate, Verdict::Ok);
            assert_eq!(verdicts(start + days * day), expected, "{days}");
        }
        let certificate = own;
        let (now, slept) = (Instant::from_secs(start), Instant::from_secs(start + 3));
        for (now, wall) in [(now, slept), (slept, now)] {
            let found = clock(now, wall, &certificate, None);
            assert_eq!(found.verdict, Verdict::Warn);
            assert!(found.found.contains("3 s apart"), "{found:?}");
        }
    }

    #[test]
    fn who_is_revoked_or_certified_by_nobody_any_more_is_no_member() {
        let rng = &mut Rng::from_number(1);
        let authority = SigningKey::generate(rng);
        let descriptor = Descriptor::founding("example", authority.node(), 13);
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("signed");
        let community = Community::open(signed).expect("a community");
        let own = certified(1_800_000_000, 1_800_086_400);
        let verdict = |community: &Community| {
            let check = super::community(community, &own, None);
            (is_member(community, &own), check.verdict)
        };
        assert_eq!(verdict(&community), (true, Verdict::Ok));
        let revoked = community.revoke(&authority, own.node()).expect("revoked");
        assert_eq!(verdict(&revoked), (false, Verdict::Fail));
        let next = SigningKey::generate(rng);
        let rotated = community.rotate(&authority, &next, Retired::Distrusted);
        let rotated = rotated.expect("rotated");
        assert_eq!(verdict(&rotated), (false, Verdict::Fail));
    }

    #[test]
    fn a_key_that_lets_nobody_in_is_found() {
        let told = |counts, trouble: Option<&str>| {
            let standing = Standing {
                key: NodeId([0xab; 32]),
                counts,
                trouble: trouble.map(Into::into),
            };
            enrolling(Path::new("desk"), standing)
        };
        assert_eq!(told(true, None).verdict, Verdict::Ok);
        let unlisted = told(false, None);
        assert_eq!(unlisted.verdict, Verdict::Fail);
        assert!(unlisted.found.contains("abababab"), "{unlisted:?}");
        for (counts, verdict) in [(true, Verdict::Warn), (false, Verdict::Fail)] {
            let locked = told(counts, Some("wrong passphrase"));
            assert_eq!(locked.verdict, verdict);
            assert!(locked.found.contains("wrong passphrase"), "{locked:?}");
            assert!(locked.what_to_do.ends_with("up --enrol desk"));
        }
    }
}
