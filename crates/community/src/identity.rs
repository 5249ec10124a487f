//! What one node is: its keys and the certificate that binds them.

use base::{Digest, Instant, NodeId, Rng};
use crypto::{Certificate, CertificateError, CertificateRequest, Rights, SigningKey, VrfSecretKey};

use crate::Descriptor;

/// A node's own keys with its certificate.
#[derive(Debug)]
pub struct Identity {
    /// Signs everything that the node says.
    pub key: SigningKey,
    /// Gives the node's verifiable random values.
    pub vrf: VrfSecretKey,
    /// Binds both, the nonce and the rights.
    pub certificate: Certificate,
}

impl Identity {
    /// The node's name.
    pub fn node(&self) -> NodeId {
        self.key.node()
    }
}

/// What an issuer decides about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What its holder may do.
    pub rights: Rights,
    /// First moment of validity.
    pub valid_from: Instant,
    /// Last moment of validity.
    pub valid_until: Instant,
}

/// Certifies `request` with a nonce drawn now: *after* the issuer has the key, so that nobody can try keys until one
/// lands where he wants to sit (design: identity).
///
/// # Errors
///
/// When the request does not prove possession of its key, or the terms end before they start.
pub fn enrol(
    issuer: &SigningKey,
    descriptor: &Descriptor,
    request: &CertificateRequest,
    terms: Terms,
    rng: &mut Rng,
) -> Result<Certificate, CertificateError> {
    let nonce = rng.bytes32();
    // Zero is no serial number.
    let serial = rng.number().max(1);
    Certificate::issue(
        issuer,
        &descriptor.community,
        request,
        nonce,
        terms.rights,
        terms.valid_from,
        terms.valid_until,
        serial,
    )
}

/// Draws keys and asks for their certificate: `(key, VRF key, request)`.
pub fn draw_keys(
    community: &Digest,
    rng: &mut Rng,
) -> (SigningKey, VrfSecretKey, CertificateRequest) {
    let key = SigningKey::generate(rng);
    let vrf = VrfSecretKey::generate(rng);
    let request = CertificateRequest::new(&key, &vrf.public(), community);
    (key, vrf, request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_certificate;
    use crate::descriptor::tests::sample;

    const TERMS: Terms = Terms {
        rights: Rights { ask: true },
        valid_from: Instant::from_secs(1_800_000_000),
        valid_until: Instant::from_secs(1_900_000_000),
    };

    fn authority() -> (SigningKey, Descriptor) {
        let authority = SigningKey::from_seed([1; 32]);
        let descriptor = sample(&authority);
        (authority, descriptor)
    }

    #[test]
    fn certifies_what_was_asked_for_on_the_given_terms() {
        let (authority, descriptor) = authority();
        let mut rng = Rng::from_number(1);
        let (key, vrf, request) = draw_keys(&descriptor.community, &mut rng);
        let certificate = enrol(&authority, &descriptor, &request, TERMS, &mut rng).unwrap();
        let result = check_certificate(&certificate, &descriptor, TERMS.valid_from);
        assert_eq!(result, Ok(()));
        assert_eq!(certificate.node(), key.node());
        assert_eq!(certificate.vrf(), vrf.public());
        assert_eq!(certificate.rights(), TERMS.rights);
        assert_eq!(certificate.issuer(), authority.node());
        let validity = (certificate.valid_from(), certificate.valid_until());
        assert_eq!(validity, (TERMS.valid_from, TERMS.valid_until));
        let identity = Identity {
            key,
            vrf,
            certificate,
        };
        assert_eq!(identity.node(), request.node);
    }

    /// Asking again for the same keys gives another place, which the one who asks cannot foresee.
    #[test]
    fn the_issuer_draws_the_place() {
        let (authority, descriptor) = authority();
        let mut rng = Rng::from_number(2);
        let (_, _, request) = draw_keys(&descriptor.community, &mut rng);
        let mut enrolled = |rng: &mut Rng| {
            let certificate = enrol(&authority, &descriptor, &request, TERMS, rng).unwrap();
            (
                certificate.location(),
                certificate.nonce(),
                certificate.serial(),
            )
        };
        let (first, second) = (enrolled(&mut rng), enrolled(&mut rng));
        assert_ne!(first.0, second.0);
        assert_ne!(first.1, second.1);
        assert_ne!(first.2, second.2);
        let replayed = |enrolled: &mut dyn FnMut(&mut Rng) -> _| enrolled(&mut Rng::from_number(9));
        assert_eq!(replayed(&mut enrolled), replayed(&mut enrolled));
    }

    #[test]
    fn refuses_requests_that_prove_nothing() {
        let (authority, descriptor) = authority();
        let mut rng = Rng::from_number(3);
        let (_, _, good) = draw_keys(&descriptor.community, &mut rng);
        let (_, _, other) = draw_keys(&descriptor.community, &mut rng);
        let (_, _, elsewhere) = draw_keys(&Digest::of("another", &[]), &mut rng);
        let mut of_another_key = good;
        of_another_key.node = other.node;
        let mut with_another_vrf = good;
        with_another_vrf.vrf = other.vrf;
        for request in [elsewhere, of_another_key, with_another_vrf] {
            let result = enrol(&authority, &descriptor, &request, TERMS, &mut rng);
            assert_eq!(result.unwrap_err(), CertificateError::BadRequest);
        }
    }

    #[test]
    fn refuses_terms_that_end_before_they_start() {
        let (authority, descriptor) = authority();
        let mut rng = Rng::from_number(4);
        let (_, _, request) = draw_keys(&descriptor.community, &mut rng);
        let terms = Terms {
            valid_from: TERMS.valid_until,
            valid_until: TERMS.valid_from,
            ..TERMS
        };
        let result = enrol(&authority, &descriptor, &request, terms, &mut rng);
        assert_eq!(result.unwrap_err(), CertificateError::BadDates);
    }

    #[test]
    fn keys_follow_from_the_generator_and_are_never_printed() {
        let (authority, descriptor) = authority();
        let drawn = |number| draw_keys(&descriptor.community, &mut Rng::from_number(number));
        assert_eq!(drawn(5).2, drawn(5).2);
        assert_ne!(drawn(5).2, drawn(6).2);

        let (key, vrf, request) = drawn(5);
        let mut rng = Rng::from_number(5);
        let certificate = enrol(&authority, &descriptor, &request, TERMS, &mut rng).unwrap();
        let identity = Identity {
            key,
            vrf,
            certificate,
        };
        // What the keys were made from, as hexadecimal text and as numbers.
        let mut rng = Rng::from_number(5);
        let printed = format!("{identity:?}");
        for _ in 0..2 {
            let secret = rng.bytes32();
            let numbers = format!("{:?}", &secret[..4]);
            assert!(!printed.contains(&Digest(secret).to_string()[..16]));
            assert!(!printed.contains(numbers.trim_matches(['[', ']'])));
        }
    }
}
