//! Certificates: who belongs to a community, where on the ring, and with which rights.
//!
//! X.509 (RFC 5280) with Ed25519 (RFC 8410), one signature deep, so that common tools can show them. What X.509 has
//! no field for (community, nonce, VRF key, rights) travels in one private, critical extension.
//!
//! DER leaves room for many encodings of one meaning. [`Certificate::parse`] reads the fields, writes the only
//! certificate that this module would make of them, and refuses any other bytes. So in messages only the fields and the
//! signature travel, from which the receiver writes the certificate.

use std::fmt;
use std::sync::Arc;

use base::{Digest, Instant, Location, NodeId, decode, encode};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, PublicKeyData};
use thiserror::Error;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;

use crate::batch::Batch;
use crate::keys::{BadSignature, Signature, SigningKey, public_point, verify, verify_raw};
use crate::vrf::VrfPublicKey;

/// The longest certificate that is read, in bytes. Ours have about 455.
pub const MAX_CERTIFICATE_LEN: usize = 2048;

/// The longest certificate in a message, in bytes. Ours have about 265.
pub const MAX_CERTIFICATE_MESSAGE_LEN: usize = 300;

/// What a node may do beyond being a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    /// It may ask questions.
    pub ask: bool,
}

impl Rights {
    const ASK: u32 = 1;
}

/// As a set of bits: 1 = ask.
impl<C> Encode<C> for Rights {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u32(if self.ask { Self::ASK } else { 0 })?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Rights {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        match d.u32()? {
            0 => Ok(Self { ask: false }),
            Self::ASK => Ok(Self { ask: true }),
            _ => Err(minicbor::decode::Error::message("unknown right")),
        }
    }
}

/// A node's request to be certified, with proof that it holds the node key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CertificateRequest {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// The key of its verifiable random function.
    #[n(1)]
    pub vrf: VrfPublicKey,
    /// The node's signature over both keys and the community.
    #[n(2)]
    pub signature: Signature,
}

impl CertificateRequest {
    const DOMAIN: &str = "certificate request";

    /// Asks to be certified by `community`.
    pub fn new(key: &SigningKey, vrf: &VrfPublicKey, community: &Digest) -> Self {
        let node = key.node();
        let signature = key.sign(Self::DOMAIN, &Self::signed(node, vrf, community));
        Self {
            node,
            vrf: *vrf,
            signature,
        }
    }

    /// Whether the node asked this community for this.
    ///
    /// # Errors
    ///
    /// When the signature is another node's, or for another VRF key or community.
    pub fn verify(&self, community: &Digest) -> Result<(), BadSignature> {
        let message = Self::signed(self.node, &self.vrf, community);
        verify(self.node, Self::DOMAIN, &message, &self.signature)
    }

    fn signed(node: NodeId, vrf: &VrfPublicKey, community: &Digest) -> Vec<u8> {
        [*community.as_bytes(), node.0, *vrf.as_bytes()].concat()
    }
}

/// A well-formed certificate. Whether it holds is for [`verify`](Self::verify) to say. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Arc<Parsed>);

impl Certificate {
    /// Certifies the node of `request` in `community`.
    ///
    /// The issuer draws `nonce` after it has seen the keys (design §3: identity and community), so that nobody can
    /// search for keys that sit at a chosen place; a renewal for the same keys keeps the nonce. Times are cut to
    /// whole seconds; the certificate holds from the first to the last, both included. `serial` is positive and
    /// unique per issuer.
    ///
    /// # Errors
    ///
    /// [`BadRequest`](CertificateError::BadRequest), [`BadSerial`](CertificateError::BadSerial) and
    /// [`BadDates`](CertificateError::BadDates).
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one field of the certificate"
    )]
    pub fn issue(
        issuer: &SigningKey,
        community: &Digest,
        request: &CertificateRequest,
        nonce: [u8; 32],
        rights: Rights,
        valid_from: Instant,
        valid_until: Instant,
        serial: u64,
    ) -> Result<Self, CertificateError> {
        request
            .verify(community)
            .map_err(|BadSignature| CertificateError::BadRequest)?;
        let fields = Fields {
            serial,
            issuer: issuer.node(),
            valid_from: Instant::from_secs(valid_from.as_secs()),
            valid_until: Instant::from_secs(valid_until.as_secs()),
            node: request.node,
            vrf: request.vrf,
            community: *community,
            nonce,
            rights,
        };
        Self::parse(&fields.write(|tbs| issuer.sign_raw(tbs))?)
    }

    /// Certifies the same keys at the same place again. They keep the nonce, and who holds them has shown so when first
    /// certified; whether this certificate is genuine is for the caller to know.
    ///
    /// # Errors
    ///
    /// [`BadSerial`](CertificateError::BadSerial) and [`BadDates`](CertificateError::BadDates).
    pub fn renewed(
        &self,
        issuer: &SigningKey,
        rights: Rights,
        valid_from: Instant,
        valid_until: Instant,
        serial: u64,
    ) -> Result<Self, CertificateError> {
        let old = &self.0.fields;
        let fields = Fields {
            serial,
            issuer: issuer.node(),
            valid_from: Instant::from_secs(valid_from.as_secs()),
            valid_until: Instant::from_secs(valid_until.as_secs()),
            node: old.node,
            vrf: old.vrf,
            community: old.community,
            nonce: old.nonce,
            rights,
        };
        Self::parse(&fields.write(|tbs| issuer.sign_raw(tbs))?)
    }

    /// Reads a certificate without checking its signature.
    ///
    /// # Errors
    ///
    /// Refuses more than [`MAX_CERTIFICATE_LEN`] bytes, what is not a certificate of this form, invalid keys, and
    /// every encoding but the one that [`issue`](Self::issue) gives.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE_LEN {
            return Err(CertificateError::TooLong { len: der.len() });
        }
        let (_, x509) = X509Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let fields = Fields::read(&x509)?;
        let signature = x509.signature_value.as_ref().try_into();
        let signature = Signature(signature.map_err(|_| CertificateError::Malformed)?);
        if fields.write(|_| signature)? != der {
            return Err(CertificateError::NotCanonical);
        }
        Ok(Self::new(fields, signature, der.to_vec()))
    }

    fn new(fields: Fields, signature: Signature, der: Vec<u8>) -> Self {
        let location = fields.location();
        Self(Arc::new(Parsed {
            fields,
            signature,
            location,
            der,
        }))
    }

    /// Whether one of `issuers` certified this node for `community` and the certificate is in force at the time `at`.
    ///
    /// One signature check, and only when everything else holds. Revocation is the caller's to check.
    ///
    /// # Errors
    ///
    /// One per check, in this order: [`NotOfThisCommunity`](CertificateError::NotOfThisCommunity),
    /// [`UnknownIssuer`](CertificateError::UnknownIssuer), [`NotYetValid`](CertificateError::NotYetValid),
    /// [`Expired`](CertificateError::Expired), [`BadSignature`](CertificateError::BadSignature).
    pub fn verify(
        &self,
        community: &Digest,
        issuers: &[NodeId],
        at: Instant,
    ) -> Result<(), CertificateError> {
        self.check_fields(community, issuers, at)?;
        verify_raw(
            self.0.fields.issuer,
            self.0.signed_part(),
            &self.0.signature,
        )
        .map_err(|BadSignature| CertificateError::BadSignature)
    }

    /// As [`verify`](Self::verify), but leaves the signature to be checked with others.
    ///
    /// # Errors
    ///
    /// As there, without [`BadSignature`](CertificateError::BadSignature): for that, see what the batch says of the one
    /// signature that this pushes.
    pub fn verify_in(
        &self,
        batch: &mut Batch,
        community: &Digest,
        issuers: &[NodeId],
        at: Instant,
    ) -> Result<(), CertificateError> {
        self.check_fields(community, issuers, at)?;
        batch.push_raw(
            self.0.fields.issuer,
            self.0.signed_part(),
            &self.0.signature,
        );
        Ok(())
    }

    fn check_fields(
        &self,
        community: &Digest,
        issuers: &[NodeId],
        at: Instant,
    ) -> Result<(), CertificateError> {
        let fields = &self.0.fields;
        if fields.community != *community {
            return Err(CertificateError::NotOfThisCommunity);
        }
        if !issuers.contains(&fields.issuer) {
            return Err(CertificateError::UnknownIssuer);
        }
        if at < fields.valid_from {
            return Err(CertificateError::NotYetValid);
        }
        if at > fields.valid_until {
            return Err(CertificateError::Expired);
        }
        Ok(())
    }

    /// The certified node.
    pub fn node(&self) -> NodeId {
        self.0.fields.node
    }

    /// The key of the node's verifiable random function.
    pub fn vrf(&self) -> VrfPublicKey {
        self.0.fields.vrf
    }

    /// The issuer's random contribution to the location.
    pub fn nonce(&self) -> [u8; 32] {
        self.0.fields.nonce
    }

    /// What the node may do.
    pub fn rights(&self) -> Rights {
        self.0.fields.rights
    }

    /// The community that the certificate is for.
    pub fn community(&self) -> Digest {
        self.0.fields.community
    }

    /// Who claims to have issued it.
    pub fn issuer(&self) -> NodeId {
        self.0.fields.issuer
    }

    /// The issuer's number for it.
    pub fn serial(&self) -> u64 {
        self.0.fields.serial
    }

    /// The first moment at which it is in force.
    pub fn valid_from(&self) -> Instant {
        self.0.fields.valid_from
    }

    /// The last moment at which it is in force.
    pub fn valid_until(&self) -> Instant {
        self.0.fields.valid_until
    }

    /// The node's place on the ring: a digest, of domain "node location", of community, nonce and both keys (design
    /// §3: identity and community).
    pub fn location(&self) -> Location {
        self.0.location
    }

    /// The certificate as bytes (DER).
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// A name for these very bytes.
    pub fn digest(&self) -> Digest {
        Digest::of("certificate", &[self.der()])
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({:?}, serial {})",
            self.node(),
            self.serial()
        )
    }
}

/// What it says and the signature: DER, which follows from these, is twice as long.
impl<C> Encode<C> for Certificate {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let fields = &self.0.fields;
        let wire = Wire {
            serial: fields.serial,
            issuer: fields.issuer,
            valid_from: fields.valid_from.as_secs(),
            valid_until: fields.valid_until.as_secs(),
            node: fields.node,
            vrf: *fields.vrf.as_bytes(),
            community: fields.community,
            nonce: fields.nonce,
            rights: fields.rights,
            signature: self.0.signature,
        };
        wire.encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for Certificate {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wire = Wire::decode(d, context)?;
        wire.certificate().map_err(minicbor::decode::Error::custom)
    }
}

/// A certificate as it travels among members. Times are whole seconds since 1970.
#[derive(Encode, Decode)]
struct Wire {
    #[n(0)]
    serial: u64,
    #[n(1)]
    issuer: NodeId,
    #[n(2)]
    valid_from: u64,
    #[n(3)]
    valid_until: u64,
    #[n(4)]
    node: NodeId,
    #[cbor(n(5), with = "minicbor::bytes")]
    vrf: [u8; 32],
    #[n(6)]
    community: Digest,
    #[cbor(n(7), with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[n(8)]
    rights: Rights,
    #[n(9)]
    signature: Signature,
}

impl Wire {
    fn certificate(self) -> Result<Certificate, CertificateError> {
        let time = |secs| {
            let is_a_date = secs <= END_OF_TIME.as_secs();
            is_a_date.then(|| Instant::from_secs(secs))
        };
        let fields = Fields {
            serial: self.serial,
            issuer: self.issuer,
            valid_from: time(self.valid_from).ok_or(CertificateError::BadDates)?,
            valid_until: time(self.valid_until).ok_or(CertificateError::BadDates)?,
            node: valid_key(self.node)?,
            vrf: VrfPublicKey::from_bytes(self.vrf).map_err(|_| CertificateError::BadVrfKey)?,
            community: self.community,
            nonce: self.nonce,
            rights: self.rights,
        };
        let signature = self.signature;
        let der = fields.write(|_| signature)?;
        Ok(Certificate::new(fields, signature, der))
    }
}

/// Why a certificate was refused or not issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// More than [`MAX_CERTIFICATE_LEN`] bytes.
    #[error("a certificate of {len} bytes, at most {MAX_CERTIFICATE_LEN} are read")]
    TooLong {
        /// Its length.
        len: usize,
    },
    /// Not an X.509 certificate with the fields that ours have.
    #[error("not a certificate of the expected form")]
    Malformed,
    /// A second encoding of a valid certificate.
    #[error("not the one canonical encoding of its fields")]
    NotCanonical,
    /// The certified key is not the canonical encoding of a point, or of small order.
    #[error("the certified node key is not a valid key")]
    BadNodeKey,
    /// The certified VRF key is not the canonical encoding of a point, or of small order.
    #[error("the certified VRF key is not a valid key")]
    BadVrfKey,
    /// The validity ends before it starts, or a date lies beyond the year 9999.
    #[error("the validity ends before it starts or is out of range")]
    BadDates,
    /// A serial number is positive (RFC 5280 §4.1.2.2).
    #[error("the serial number is zero")]
    BadSerial,
    /// The node did not sign the request, or not for this community.
    #[error("the request is not signed by its node for this community")]
    BadRequest,
    /// For another community.
    #[error("issued for another community")]
    NotOfThisCommunity,
    /// By somebody who may not issue.
    #[error("issued by a key that the community does not list")]
    UnknownIssuer,
    /// Too early.
    #[error("not in force yet")]
    NotYetValid,
    /// Too late.
    #[error("no longer in force")]
    Expired,
    /// The issuer did not sign it.
    #[error("not signed by its issuer")]
    BadSignature,
}

#[derive(PartialEq, Eq)]
struct Parsed {
    fields: Fields,
    signature: Signature,
    location: Location,
    der: Vec<u8>,
}

impl Parsed {
    /// In front of the signed part: the header of a sequence of 256 to 65535 bytes.
    const HEADER: usize = 4;
    /// Behind the signed part: the algorithm, the header of a bit string, the signature.
    const TRAILER: usize = 7 + 3 + 64;

    /// The bytes that the issuer signed ("TBSCertificate").
    fn signed_part(&self) -> &[u8] {
        &self.der[Self::HEADER..self.der.len() - Self::TRAILER]
    }
}

/// All that a certificate says.
#[derive(PartialEq, Eq)]
struct Fields {
    serial: u64,
    issuer: NodeId,
    valid_from: Instant,
    valid_until: Instant,
    node: NodeId,
    vrf: VrfPublicKey,
    community: Digest,
    nonce: [u8; 32],
    rights: Rights,
}

impl Fields {
    /// Reads what is there. Whatever this overlooks, the comparison with [`write`](Self::write) finds.
    fn read(x509: &X509Certificate<'_>) -> Result<Self, CertificateError> {
        let [extension] = x509.extensions() else {
            return Err(CertificateError::Malformed);
        };
        let extension: Extension = decode(extension.value, MAX_CERTIFICATE_LEN)
            .map_err(|_| CertificateError::Malformed)?;
        let node = x509.public_key().subject_public_key.as_ref().try_into();
        let node = valid_key(NodeId(node.map_err(|_| CertificateError::Malformed)?))?;
        Ok(Self {
            serial: u64::try_from(&x509.serial).map_err(|_| CertificateError::Malformed)?,
            issuer: read_name(x509.issuer()).ok_or(CertificateError::Malformed)?,
            valid_from: read_time(x509.validity().not_before.timestamp())?,
            valid_until: read_time(x509.validity().not_after.timestamp())?,
            node,
            vrf: VrfPublicKey::from_bytes(extension.vrf)
                .map_err(|_| CertificateError::BadVrfKey)?,
            community: extension.community,
            nonce: extension.nonce,
            rights: extension.rights,
        })
    }

    /// The only certificate with these fields and the signature that `sign` gives.
    fn write(&self, sign: impl Fn(&[u8]) -> Signature) -> Result<Vec<u8>, CertificateError> {
        self.write_as(&self.params()?, sign)
    }

    fn params(&self) -> Result<CertificateParams, CertificateError> {
        if self.serial == 0 {
            return Err(CertificateError::BadSerial);
        }
        if self.valid_until < self.valid_from || self.valid_until > END_OF_TIME {
            return Err(CertificateError::BadDates);
        }
        let extension = Extension {
            community: self.community,
            nonce: self.nonce,
            vrf: *self.vrf.as_bytes(),
            rights: self.rights,
        };
        let mut extension = CustomExtension::from_oid_content(EXTENSION_OID, encode(&extension));
        extension.set_criticality(true);

        let mut params = CertificateParams::default();
        params.serial_number = Some(self.serial.into());
        params.not_before = write_time(self.valid_from);
        params.not_after = write_time(self.valid_until);
        params.distinguished_name = write_name(self.node);
        params.custom_extensions = vec![extension];
        Ok(params)
    }

    fn write_as(
        &self,
        params: &CertificateParams,
        sign: impl Fn(&[u8]) -> Signature,
    ) -> Result<Vec<u8>, CertificateError> {
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = write_name(self.issuer);
        let issuer = rcgen::Issuer::new(
            issuer,
            Signer {
                key: self.issuer,
                sign,
            },
        );
        params
            .signed_by(&Subject(self.node), &issuer)
            .map(|certificate| certificate.der().to_vec())
            .map_err(|_| CertificateError::Malformed)
    }

    fn location(&self) -> Location {
        let parts: [&[u8]; 4] = [
            self.community.as_bytes(),
            &self.nonce,
            self.node.as_bytes(),
            self.vrf.as_bytes(),
        ];
        Location::of(&Digest::of("node location", &parts))
    }
}

fn valid_key(node: NodeId) -> Result<NodeId, CertificateError> {
    let point = public_point(node.as_bytes());
    point.map(|_| node).ok_or(CertificateError::BadNodeKey)
}

/// The private extension's name: 2.25 leads numbers that anybody may draw at random (ITU-T X.667). Those are whole
/// UUIDs; this one is cut to the 63 bits that the certificate writer can express.
const EXTENSION_OID: &[u64] = &[2, 25, 0x6b1d_93a4_52c7_0e8f];

/// The private extension's content, written by [`base::encode`].
#[derive(Encode, Decode)]
struct Extension {
    #[n(0)]
    community: Digest,
    #[cbor(n(1), with = "minicbor::bytes")]
    nonce: [u8; 32],
    #[cbor(n(2), with = "minicbor::bytes")]
    vrf: [u8; 32],
    #[n(3)]
    rights: Rights,
}

/// A node as an X.509 name: its hexadecimal text as the common name.
fn write_name(node: NodeId) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, node.to_string());
    name
}

fn read_name(name: &X509Name<'_>) -> Option<NodeId> {
    let text = name.iter_common_name().next()?.as_str().ok()?;
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect();
    (rest.is_empty()).then_some(NodeId(bytes?.try_into().ok()?))
}

/// The last second of the year 9999, beyond which X.509 has no dates.
const END_OF_TIME: Instant = Instant::from_secs(253_402_300_799);

fn write_time(time: Instant) -> OffsetDateTime {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .expect("checked against the end of time")
}

fn read_time(secs: i64) -> Result<Instant, CertificateError> {
    u64::try_from(secs)
        .map(Instant::from_secs)
        .map_err(|_| CertificateError::BadDates)
}

/// The certified key, for the certificate writer.
struct Subject(NodeId);

impl PublicKeyData for Subject {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

/// The issuer's key, for the certificate writer, with what gives the signature.
struct Signer<F> {
    key: NodeId,
    sign: F,
}

impl<F> PublicKeyData for Signer<F> {
    fn der_bytes(&self) -> &[u8] {
        self.key.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl<F: Fn(&[u8]) -> Signature> rcgen::SigningKey for Signer<F> {
    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok((self.sign)(bytes).0.to_vec())
    }
}

#[cfg(test)]
mod tests;
