//! A node's certificate with the addresses at which it can be reached, signed by the node itself.

use std::net::SocketAddr;

use base::{Digest, Duration, Instant, Location, NodeId, encode};
use crypto::{Batch, Certificate, CertificateError, FirstBad, Signature, SigningKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::Descriptor;

/// Most addresses that one node may announce.
pub const ADDRESSES_MAX: usize = 8;

/// How far in the future a contact may have been issued: as far as the clocks of nodes that still work together may be
/// apart. Guess. Without a limit, one word from a wrong clock would stand against all later ones.
pub const ISSUED_AHEAD_MAX: Duration = Duration::from_secs(120);

const DOMAIN: &str = "contact";

/// Who a node is and where it can be reached: one entry of a node cache.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Contact {
    #[n(0)]
    certificate: Certificate,
    #[n(1)]
    addresses: Vec<SocketAddr>,
    #[n(2)]
    issued: Instant,
    #[n(3)]
    signature: Signature,
}

impl Contact {
    /// A node's word on its own addresses; only the first eight are kept.
    pub fn new(
        key: &SigningKey,
        certificate: Certificate,
        mut addresses: Vec<SocketAddr>,
        issued: Instant,
    ) -> Self {
        addresses.truncate(ADDRESSES_MAX);
        let signature = key.sign(DOMAIN, &signed_bytes(&certificate, &addresses, issued));
        Self {
            certificate,
            addresses,
            issued,
            signature,
        }
    }

    /// The node.
    pub fn node(&self) -> NodeId {
        self.certificate.node()
    }

    /// Where the node sits on the ring.
    pub fn location(&self) -> Location {
        self.certificate.location()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Where it can be reached.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// When the node said so; a later contact replaces an earlier one.
    pub fn issued(&self) -> Instant {
        self.issued
    }

    /// Names exactly this contact.
    pub fn digest(&self) -> Digest {
        Digest::of(DOMAIN, &[&encode(self)])
    }

    /// Checks the certificate and the node's signature, from the cheapest check on: two signature checks at most.
    ///
    /// # Errors
    ///
    /// See [`ContactError`].
    pub fn verify(&self, descriptor: &Descriptor, at: Instant) -> Result<(), ContactError> {
        if self.addresses.len() > ADDRESSES_MAX {
            return Err(ContactError::TooManyAddresses);
        }
        if self.issued > at + ISSUED_AHEAD_MAX {
            return Err(ContactError::FromTheFuture);
        }
        let mut batch = Batch::new();
        check_certificate_in(&mut batch, &self.certificate, descriptor, at)?;
        let bytes = signed_bytes(&self.certificate, &self.addresses, self.issued);
        batch.push(self.node(), DOMAIN, &bytes, &self.signature);
        batch.verify().map_err(|FirstBad(which)| match which {
            0 => CertificateError::BadSignature.into(),
            _ => ContactError::Signature,
        })
    }
}

/// Checks that a certificate is in force in the community: one signature check.
///
/// # Errors
///
/// [`ContactError::Revoked`] or [`ContactError::Certificate`].
pub fn check_certificate(
    certificate: &Certificate,
    descriptor: &Descriptor,
    at: Instant,
) -> Result<(), ContactError> {
    if descriptor.is_revoked(certificate.node()) {
        return Err(ContactError::Revoked);
    }
    Ok(certificate.verify(&descriptor.community, &descriptor.issuers(), at)?)
}

/// As [`check_certificate`], but leaves the one signature to be checked with others.
///
/// # Errors
///
/// As there; for [`CertificateError::BadSignature`] see what the batch says of what this pushes.
pub fn check_certificate_in(
    batch: &mut Batch,
    certificate: &Certificate,
    descriptor: &Descriptor,
    at: Instant,
) -> Result<(), ContactError> {
    if descriptor.is_revoked(certificate.node()) {
        return Err(ContactError::Revoked);
    }
    Ok(certificate.verify_in(batch, &descriptor.community, &descriptor.issuers(), at)?)
}

fn signed_bytes(certificate: &Certificate, addresses: &[SocketAddr], issued: Instant) -> Vec<u8> {
    encode(&(certificate.digest(), addresses, issued))
}

/// Why a contact or certificate was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContactError {
    /// The certificate does not hold.
    #[error("certificate refused: {0}")]
    Certificate(#[from] CertificateError),
    /// The certificate is on the descriptor's revocation list.
    #[error("the certificate is revoked")]
    Revoked,
    /// The addresses are not signed by the node.
    #[error("the addresses are not signed by the node they belong to")]
    Signature,
    /// More addresses than a node may announce.
    #[error("more than {ADDRESSES_MAX} addresses")]
    TooManyAddresses,
    /// Issued later than [`ISSUED_AHEAD_MAX`] from now.
    #[error("issued in the future: the node's clock is wrong")]
    FromTheFuture,
}

impl ContactError {
    /// Whether a signature was checked and found bad: the sender had not checked it, or does not care.
    pub fn is_forgery(&self) -> bool {
        matches!(
            self,
            Self::Signature | Self::Certificate(CertificateError::BadSignature)
        )
    }

    /// Whether it may have held in another epoch, or by another clock: who passes it on may just not have heard of that yet.
    pub fn is_outdated(&self) -> bool {
        use CertificateError::{Expired, NotYetValid, UnknownIssuer};
        matches!(
            self,
            Self::Revoked | Self::Certificate(UnknownIssuer | NotYetValid | Expired)
        )
    }
}

#[cfg(test)]
mod tests {
    use base::{Rng, decode};
    use crypto::Rights;

    use super::*;
    use crate::descriptor::tests::sample;
    use crate::{Identity, Terms, draw_keys, enrol};

    const START: Instant = Instant::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);
    const TICK: Duration = Duration::from_micros(1);

    struct World {
        authority: SigningKey,
        descriptor: Descriptor,
        rng: Rng,
    }

    impl World {
        fn new() -> Self {
            let authority = SigningKey::from_seed([1; 32]);
            Self {
                descriptor: sample(&authority),
                authority,
                rng: Rng::from_number(3),
            }
        }

        /// In force for an hour before and after the start.
        fn enrol(&mut self) -> Identity {
            let terms = Terms {
                rights: Rights::default(),
                valid_from: START - HOUR,
                valid_until: START + HOUR,
            };
            let community = &self.descriptor.community;
            let (key, vrf, request) = draw_keys(community, &mut self.rng);
            let (issuer, descriptor) = (&self.authority, &self.descriptor);
            let certificate = enrol(issuer, descriptor, &request, terms, &mut self.rng).unwrap();
            Identity {
                key,
                vrf,
                certificate,
            }
        }
    }

    fn addresses(count: u16) -> Vec<SocketAddr> {
        let v4 = (0..count).map(|port| ([127, 0, 0, 1], port).into());
        let v6 = (0..count).map(|port| ([0, 0, 0, 0, 0, 0, 0, 1], port).into());
        v4.chain(v6).take(usize::from(count)).collect()
    }

    fn contact(of: &Identity) -> Contact {
        let both = vec![
            ([192, 0, 2, 1], 4000).into(),
            ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 4001).into(),
        ];
        Contact::new(&of.key, of.certificate.clone(), both, START)
    }

    #[test]
    fn holds_as_it_was_signed_after_a_journey() {
        let mut world = World::new();
        let identity = world.enrol();
        let sent = contact(&identity);
        let bytes = encode(&sent);
        let received: Contact = decode(&bytes, bytes.len()).unwrap();
        assert_eq!(received, sent);
        assert_eq!(received.digest(), sent.digest());
        assert_eq!(received.verify(&world.descriptor, START), Ok(()));
        assert_eq!(received.node(), identity.node());
        assert_eq!(received.certificate(), &identity.certificate);
        assert_eq!(received.location(), identity.certificate.location());
        assert_eq!((received.addresses().len(), received.issued()), (2, START));
    }

    #[test]
    fn only_the_first_eight_addresses_are_announced() {
        let mut world = World::new();
        let identity = world.enrol();
        let of = |count| {
            Contact::new(
                &identity.key,
                identity.certificate.clone(),
                addresses(count),
                START,
            )
        };
        let announced = of(20);
        assert_eq!(announced.addresses(), &addresses(20)[..ADDRESSES_MAX]);
        assert_eq!(announced.verify(&world.descriptor, START), Ok(()));
        // Nobody can be found at no address, and may say so.
        assert_eq!(of(0).verify(&world.descriptor, START), Ok(()));
    }

    #[test]
    fn the_signature_covers_every_field() {
        let mut world = World::new();
        let identity = world.enrol();
        // The same node, certified a second time.
        let community = &world.descriptor.community;
        let request =
            crypto::CertificateRequest::new(&identity.key, &identity.vrf.public(), community);
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: START,
            valid_until: START,
        };
        let (issuer, descriptor) = (&world.authority, &world.descriptor);
        let again = enrol(issuer, descriptor, &request, terms, &mut world.rng).unwrap();
        let other = world.enrol();

        let changes: [&dyn Fn(&mut Contact); 7] = [
            &|c| c.certificate = again.clone(),
            &|c| c.addresses.truncate(1),
            &|c| c.addresses.swap(0, 1),
            &|c| c.addresses.push(([127, 0, 0, 1], 1).into()),
            &|c| c.issued = c.issued + TICK,
            &|c| c.signature.0[5] ^= 1,
            &|c| c.signature = contact(&other).signature,
        ];
        let good = contact(&identity);
        for (case, change) in changes.iter().enumerate() {
            let mut bad = good.clone();
            change(&mut bad);
            let result = bad.verify(&world.descriptor, START);
            assert_eq!(result, Err(ContactError::Signature), "case {case}");
            assert_ne!(bad.digest(), good.digest());
        }
        // Another node's certificate under this one's signature.
        let mut stolen = good;
        stolen.certificate = other.certificate;
        let result = stolen.verify(&world.descriptor, START);
        assert_eq!(result, Err(ContactError::Signature));
    }

    #[test]
    fn too_many_addresses_are_refused_though_signed() {
        let mut world = World::new();
        let identity = world.enrol();
        let mut many = contact(&identity);
        many.addresses = addresses(ADDRESSES_MAX as u16 + 1);
        let bytes = signed_bytes(&many.certificate, &many.addresses, many.issued);
        many.signature = identity.key.sign(DOMAIN, &bytes);
        let result = many.verify(&world.descriptor, START);
        assert_eq!(result, Err(ContactError::TooManyAddresses));
        many.addresses.pop();
        let bytes = signed_bytes(&many.certificate, &many.addresses, many.issued);
        many.signature = identity.key.sign(DOMAIN, &bytes);
        assert_eq!(many.verify(&world.descriptor, START), Ok(()));
    }

    #[test]
    fn a_little_of_the_future_is_tolerated() {
        let mut world = World::new();
        let identity = world.enrol();
        let issued = |at| Contact::new(&identity.key, identity.certificate.clone(), vec![], at);
        for (at, result) in [
            (Instant(0), Ok(())),
            (START + ISSUED_AHEAD_MAX, Ok(())),
            (
                START + ISSUED_AHEAD_MAX + TICK,
                Err(ContactError::FromTheFuture),
            ),
            (Instant(u64::MAX), Err(ContactError::FromTheFuture)),
        ] {
            assert_eq!(issued(at).verify(&world.descriptor, START), result);
        }
    }

    #[test]
    fn the_certificate_must_be_in_force() {
        let mut world = World::new();
        let identity = world.enrol();
        let contact = contact(&identity);
        let certificate = |why| Err(ContactError::Certificate(why));
        for (at, result) in [
            (START - HOUR, Ok(())),
            (START + HOUR, Ok(())),
            (
                START - HOUR - TICK,
                certificate(CertificateError::NotYetValid),
            ),
            (START + HOUR + TICK, certificate(CertificateError::Expired)),
        ] {
            let checked = check_certificate(&identity.certificate, &world.descriptor, at);
            assert_eq!(checked, result);
            // Issued at the start, a contact is of the future long before.
            if at + ISSUED_AHEAD_MAX >= START {
                assert_eq!(contact.verify(&world.descriptor, at), result);
            }
        }
    }

    #[test]
    fn the_certificate_must_be_of_this_community_and_not_revoked() {
        let mut world = World::new();
        let identity = world.enrol();
        let contact = contact(&identity);
        let refused = |descriptor: &Descriptor| contact.verify(descriptor, START).unwrap_err();
        let with = |change: &dyn Fn(&mut Descriptor)| {
            let mut descriptor = world.descriptor.clone();
            change(&mut descriptor);
            refused(&descriptor)
        };
        assert_eq!(
            with(&|d| d.community = Digest::of("another", &[])),
            CertificateError::NotOfThisCommunity.into()
        );
        assert_eq!(
            with(&|d| d.authority = NodeId([7; 32])),
            CertificateError::UnknownIssuer.into()
        );
        let revoked = |mut nodes: Vec<NodeId>| {
            nodes.sort();
            move |d: &mut Descriptor| d.revoked = nodes.clone()
        };
        let (low, high) = (NodeId([0; 32]), NodeId([255; 32]));
        let found = with(&revoked(vec![low, identity.node(), high]));
        assert_eq!(found, ContactError::Revoked);
        let mut others = world.descriptor.clone();
        others.revoked = vec![low, high];
        assert_eq!(contact.verify(&others, START), Ok(()));
    }

    #[test]
    fn enrolment_keys_count_while_they_are_listed() {
        let mut world = World::new();
        let enrolment = SigningKey::from_seed([2; 32]);
        let unlisted = world.descriptor.clone();
        world.descriptor.enrolment = vec![enrolment.node()];
        world.authority = enrolment;
        let certificate = world.enrol().certificate;
        let check = |descriptor| check_certificate(&certificate, descriptor, START);
        assert_eq!(check(&world.descriptor), Ok(()));
        assert_eq!(
            check(&unlisted),
            Err(CertificateError::UnknownIssuer.into())
        );
    }

    #[test]
    fn a_certificate_that_nobody_signed_is_a_forgery() {
        let mut world = World::new();
        let identity = world.enrol();
        let mut der = identity.certificate.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        let forged = Identity {
            certificate: Certificate::parse(&der).unwrap(),
            ..identity
        };
        let why = contact(&forged)
            .verify(&world.descriptor, START)
            .unwrap_err();
        assert_eq!(why, CertificateError::BadSignature.into());
        assert!(why.is_forgery() && ContactError::Signature.is_forgery());
        for honest in [
            ContactError::Revoked,
            ContactError::FromTheFuture,
            ContactError::TooManyAddresses,
            CertificateError::Expired.into(),
        ] {
            assert!(!honest.is_forgery());
        }
    }

    #[test]
    fn damaged_bytes_are_refused_by_decoding_or_by_the_check() {
        let mut world = World::new();
        let identity = world.enrol();
        let bytes = encode(&contact(&identity));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            if let Ok(contact) = decode::<Contact>(&damaged, bytes.len()) {
                let result = contact.verify(&world.descriptor, START);
                assert!(result.is_err(), "byte {at}");
            }
        }
    }
}
