use base::{DecodeError, Duration, Rng, decode, encode};
use hex_literal::hex;
use proptest::prelude::*;

use super::*;
use crate::keys::tests::SMALL_ORDER;
use crate::vrf::VrfSecretKey;

const FROM: Instant = Instant::from_secs(1_800_000_000);
const UNTIL: Instant = Instant::from_secs(1_830_000_000);

fn authority() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

fn community() -> Digest {
    Digest::of("test community", &[])
}

fn request() -> CertificateRequest {
    let vrf = VrfSecretKey::from_seed([3; 32]).public();
    CertificateRequest::new(&SigningKey::from_seed([2; 32]), &vrf, &community())
}

fn issue(from: Instant, until: Instant, serial: u64) -> Result<Certificate, CertificateError> {
    let rights = Rights { ask: true };
    let (authority, request) = (authority(), request());
    Certificate::issue(
        &authority,
        &community(),
        &request,
        [4; 32],
        rights,
        from,
        until,
        serial,
    )
}

fn certificate() -> Certificate {
    issue(FROM, UNTIL, 5).unwrap()
}

fn check(der: &[u8]) -> Result<(), CertificateError> {
    Certificate::parse(der)?.verify(&community(), &[authority().node()], FROM)
}

/// `bytes` with the last occurrence of `part` replaced.
fn replaced(bytes: &[u8], part: &[u8], by: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(part.len())
        .rposition(|window| window == part)
        .unwrap();
    [&bytes[..at], by, &bytes[at + part.len()..]].concat()
}

#[test]
fn says_what_was_issued() {
    let (certificate, request) = (certificate(), request());
    assert_eq!(check(certificate.der()), Ok(()));
    assert_eq!(certificate.node(), request.node);
    assert_eq!(certificate.vrf(), request.vrf);
    assert_eq!(certificate.nonce(), [4; 32]);
    assert_eq!(certificate.rights(), Rights { ask: true });
    assert_eq!(certificate.community(), community());
    assert_eq!(certificate.issuer(), authority().node());
    assert_eq!(certificate.serial(), 5);
    assert_eq!(
        (certificate.valid_from(), certificate.valid_until()),
        (FROM, UNTIL)
    );
    assert_eq!(
        certificate.digest(),
        Digest::of("certificate", &[certificate.der()])
    );
    let (node, vrf) = (request.node.0, *request.vrf.as_bytes());
    let parts: [&[u8]; 4] = [&community().0, &[4; 32], &node, &vrf];
    assert_eq!(
        certificate.location(),
        Location::of(&Digest::of("node location", &parts))
    );
}

#[test]
fn renewed_it_keeps_keys_and_place() {
    let (old, issuer) = (certificate(), SigningKey::from_seed([8; 32]));
    let later = UNTIL + Duration::from_secs(1000);
    let new = old.renewed(&issuer, Rights::default(), UNTIL, later, 6);
    let new = new.unwrap();
    assert_eq!(new.verify(&community(), &[issuer.node()], later), Ok(()));
    assert_eq!(new.location(), old.location());
    assert_eq!((new.node(), new.vrf()), (old.node(), old.vrf()));
    assert_eq!((new.rights(), new.serial()), (Rights::default(), 6));
    assert_eq!((new.valid_from(), new.valid_until()), (UNTIL, later));
    let refused = |from, until, serial| {
        let refused = old.renewed(&issuer, Rights::default(), from, until, serial);
        refused.unwrap_err()
    };
    assert_eq!(refused(UNTIL, FROM, 6), CertificateError::BadDates);
    assert_eq!(refused(FROM, UNTIL, 0), CertificateError::BadSerial);
}

#[test]
fn refuses_any_changed_byte() {
    let certificate = certificate();
    for i in 0..certificate.der().len() {
        for change in [0x01, 0x02, 0x20, 0x80, 0xff] {
            let mut changed = certificate.der().to_vec();
            changed[i] ^= change;
            assert!(check(&changed).is_err(), "byte {i} changed by {change:#x}");
        }
    }
}

#[test]
fn refuses_missing_and_additional_bytes() {
    let certificate = certificate();
    for len in 0..certificate.der().len() {
        assert_eq!(
            check(&certificate.der()[..len]),
            Err(CertificateError::Malformed)
        );
    }
    let trailing = [certificate.der(), &[0]].concat();
    assert_eq!(check(&trailing), Err(CertificateError::NotCanonical));
    let len = MAX_CERTIFICATE_LEN + 1;
    assert_eq!(
        check(&vec![0x30; len]),
        Err(CertificateError::TooLong { len })
    );
}

/// One error per check of `verify`.
#[test]
fn holds_for_one_community_issuer_and_time() {
    let (certificate, issuers) = (certificate(), [NodeId([9; 32]), authority().node()]);
    let verify = |at| certificate.verify(&community(), &issuers, at);
    let moment = Duration::from_micros(1);
    assert_eq!(verify(FROM), Ok(()));
    assert_eq!(verify(UNTIL), Ok(()));
    assert_eq!(verify(FROM - moment), Err(CertificateError::NotYetValid));
    assert_eq!(verify(UNTIL + moment), Err(CertificateError::Expired));
    let other = Digest::of("another community", &[]);
    assert_eq!(
        certificate.verify(&other, &issuers, FROM),
        Err(CertificateError::NotOfThisCommunity)
    );
    assert_eq!(
        certificate.verify(&community(), &issuers[..1], FROM),
        Err(CertificateError::UnknownIssuer)
    );
}

#[test]
fn refuses_a_certificate_that_its_issuer_did_not_sign() {
    let forger = SigningKey::from_seed([6; 32]);
    let der = certificate()
        .0
        .fields
        .write(|tbs| forger.sign_raw(tbs))
        .unwrap();
    assert_eq!(check(&der), Err(CertificateError::BadSignature));
}

#[test]
fn refuses_invalid_keys() {
    let certificate = certificate();
    for bytes in SMALL_ORDER {
        let der = replaced(certificate.der(), certificate.node().as_bytes(), &bytes);
        assert_eq!(check(&der), Err(CertificateError::BadNodeKey));
        let der = replaced(certificate.der(), certificate.vrf().as_bytes(), &bytes);
        assert_eq!(check(&der), Err(CertificateError::BadVrfKey));
    }
    // y = 3 + p, a point of large order.
    let second = hex!("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let der = replaced(certificate.der(), certificate.node().as_bytes(), &second);
    assert_eq!(check(&der), Err(CertificateError::BadNodeKey));
}

/// Certificates that the authority signed, with the same meaning, in another form.
#[test]
fn refuses_other_forms_even_if_signed() {
    let signed = |change: &dyn Fn(&mut CertificateParams)| {
        let fields = &certificate().0.fields;
        let mut params = fields.params().unwrap();
        change(&mut params);
        check(
            &fields
                .write_as(&params, |tbs| authority().sign_raw(tbs))
                .unwrap(),
        )
    };
    assert_eq!(signed(&|_| ()), Ok(()));
    let content = |p: &CertificateParams| p.custom_extensions[0].content().to_vec();

    let not_critical = signed(&|p| p.custom_extensions[0].set_criticality(false));
    assert_eq!(not_critical, Err(CertificateError::NotCanonical));
    let other_oid = signed(&|p| {
        p.custom_extensions[0] = CustomExtension::from_oid_content(&[2, 25, 1], content(p));
        p.custom_extensions[0].set_criticality(true);
    });
    assert_eq!(other_oid, Err(CertificateError::NotCanonical));
    let other_subject = signed(&|p| p.distinguished_name = write_name(NodeId([9; 32])));
    assert_eq!(other_subject, Err(CertificateError::NotCanonical));
    let more_in_subject = signed(&|p| p.distinguished_name.push(DnType::OrganizationName, "more"));
    assert_eq!(more_in_subject, Err(CertificateError::NotCanonical));
    let an_issuer = signed(&|p| {
        p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    assert_eq!(an_issuer, Err(CertificateError::Malformed));
    let no_extension = signed(&|p| p.custom_extensions.clear());
    assert_eq!(no_extension, Err(CertificateError::Malformed));
    let longer_extension = signed(&|p| {
        let content = [content(p), vec![0]].concat();
        p.custom_extensions[0] = CustomExtension::from_oid_content(EXTENSION_OID, content);
    });
    assert_eq!(longer_extension, Err(CertificateError::Malformed));
    let no_serial = signed(&|p| p.serial_number = Some(0.into()));
    assert_eq!(no_serial, Err(CertificateError::BadSerial));
    let long_serial = signed(&|p| p.serial_number = Some(vec![1; 9].into()));
    assert_eq!(long_serial, Err(CertificateError::Malformed));
    let backwards = signed(&|p| std::mem::swap(&mut p.not_before, &mut p.not_after));
    assert_eq!(backwards, Err(CertificateError::BadDates));
    let before_1970 = signed(&|p| p.not_before = rcgen::date_time_ymd(1960, 1, 1));
    assert_eq!(before_1970, Err(CertificateError::BadDates));
}

#[test]
fn refuses_a_longer_way_to_write_a_length() {
    let der = certificate().der().to_vec();
    assert_eq!(der[..2], [0x30, 0x82]);
    let longer = [&[0x30, 0x83, 0], &der[2..]].concat();
    assert_eq!(check(&longer), Err(CertificateError::NotCanonical));
}

#[test]
fn issues_only_what_was_asked_for() {
    let (key, other) = (
        SigningKey::from_seed([2; 32]),
        Digest::of("another community", &[]),
    );
    let rights = Rights::default();
    let issue = |request: &CertificateRequest, community: &Digest| {
        Certificate::issue(&key, community, request, [0; 32], rights, FROM, UNTIL, 1).err()
    };
    let request = request();
    assert_eq!(request.verify(&community()), Ok(()));
    assert_eq!(issue(&request, &community()), None);
    assert_eq!(issue(&request, &other), Some(CertificateError::BadRequest));
    let vrf = VrfSecretKey::from_seed([9; 32]).public();
    let changed = CertificateRequest { vrf, ..request };
    assert_eq!(
        issue(&changed, &community()),
        Some(CertificateError::BadRequest)
    );
    let stolen = CertificateRequest {
        node: authority().node(),
        ..request
    };
    assert_eq!(
        issue(&stolen, &community()),
        Some(CertificateError::BadRequest)
    );
}

#[test]
fn issues_within_the_limits_of_the_format() {
    let last = Instant::from_secs(253_402_300_799); // the end of the year 9999
    let second = Duration::from_secs(1);
    assert_eq!(
        issue(Instant(0), last, u64::MAX).unwrap().serial(),
        u64::MAX
    );
    assert_eq!(
        issue(FROM, last + second, 1),
        Err(CertificateError::BadDates)
    );
    assert_eq!(
        issue(FROM, Instant(u64::MAX), 1),
        Err(CertificateError::BadDates)
    );
    assert_eq!(issue(UNTIL, FROM, 1), Err(CertificateError::BadDates));
    assert_eq!(issue(FROM, UNTIL, 0), Err(CertificateError::BadSerial));
    let moment = Duration::from_micros(999_999);
    let cut = issue(FROM + moment, UNTIL + moment, 5).unwrap();
    assert_eq!(cut, certificate());
}

#[test]
fn the_location_depends_on_each_part() {
    let base = certificate();
    let located = |change: &dyn Fn(&mut Fields)| {
        let mut fields = Fields::read(&X509Certificate::from_der(base.der()).unwrap().1).unwrap();
        change(&mut fields);
        fields.location()
    };
    assert_eq!(located(&|_| ()), base.location());
    assert_ne!(
        located(&|f| f.community = Digest::of("other", &[])),
        base.location()
    );
    assert_ne!(located(&|f| f.nonce = [5; 32]), base.location());
    assert_ne!(located(&|f| f.node = authority().node()), base.location());
    let vrf = VrfSecretKey::from_seed([9; 32]).public();
    assert_ne!(located(&|f| f.vrf = vrf), base.location());
    assert_eq!(
        located(&|f| f.serial = 6),
        base.location(),
        "kept on renewal"
    );
}

#[test]
fn wire_forms_round_trip() {
    let (certificate, request) = (certificate(), request());
    let bytes = encode(&certificate);
    assert!((250..MAX_CERTIFICATE_MESSAGE_LEN).contains(&bytes.len()));
    assert_eq!(decode(&bytes, bytes.len()), Ok(certificate));
    assert_eq!(decode(&encode(&request), 256), Ok(request));
    for rights in [Rights { ask: false }, Rights { ask: true }] {
        assert_eq!(decode(&encode(&rights), 9), Ok(rights));
    }
    assert!(decode::<Rights>(&encode(&2u32), 9).is_err());
}

#[test]
fn no_other_message_is_a_certificate_that_holds() {
    let bytes = encode(&certificate());
    for (at, flip) in (0..bytes.len()).zip([1, 0x80].into_iter().cycle()) {
        let mut changed = bytes.clone();
        changed[at] ^= flip;
        let read = decode::<Certificate>(&changed, bytes.len());
        let holds = read.map(|c| c.verify(&community(), &[authority().node()], FROM));
        assert!(!matches!(holds, Ok(Ok(()))), "byte {at}");
    }
}

#[test]
fn messages_of_what_no_certificate_says_are_refused() {
    let changes: [fn(&mut Wire); 6] = [
        |wire| wire.serial = 0,
        |wire| wire.valid_until = wire.valid_from - 1,
        |wire| wire.valid_until = END_OF_TIME.as_secs() + 1,
        |wire| (wire.valid_from, wire.valid_until) = (u64::MAX, u64::MAX),
        |wire| wire.node = NodeId(SMALL_ORDER[0]),
        |wire| wire.vrf = SMALL_ORDER[0],
    ];
    let bytes = encode(&certificate());
    for (at, change) in changes.into_iter().enumerate() {
        let mut wire: Wire = decode(&bytes, bytes.len()).unwrap();
        change(&mut wire);
        let bytes = encode(&wire);
        let read = decode::<Certificate>(&bytes, bytes.len());
        assert_eq!(read, Err(DecodeError::Malformed), "change {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_issued_holds(seed: u64, ask: bool, from in 0..4_000_000_000u64, serial in 1..u64::MAX) {
        let mut rng = Rng::from_number(seed);
        let (key, vrf) = (SigningKey::generate(&mut rng), VrfSecretKey::generate(&mut rng));
        let request = CertificateRequest::new(&key, &vrf.public(), &community());
        let from = Instant::from_secs(from);
        let certificate = Certificate::issue(
            &authority(), &community(), &request, rng.bytes32(), Rights { ask }, from, from, serial,
        );
        let certificate = certificate.unwrap();
        prop_assert_eq!(certificate.verify(&community(), &[authority().node()], from), Ok(()));
        prop_assert_eq!(certificate.rights().ask, ask);
    }

    #[test]
    fn any_bytes_are_an_error(bytes: Vec<u8>, at in 0..500usize) {
        prop_assert!(Certificate::parse(&bytes).is_err());
        let der = certificate().der().to_vec();
        let end = (at + bytes.len()).min(der.len());
        let mut spliced = der.clone();
        spliced.splice(at.min(end)..end, bytes);
        prop_assert!(spliced == der || check(&spliced).is_err());
    }
}
