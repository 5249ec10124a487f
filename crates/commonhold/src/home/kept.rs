//! The file of keys, as it is and as it was, and what the vault holds of it.

use base::{DecodeError, decode, encode};
use community::Identity;
use crypto::{Certificate, SigningKey, VrfSecretKey};
use minicbor::{Decode, Encode};
use vault::{Vault, VaultError, VaultKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::protection::{Secrets, Slot};

/// Longest file of keys: two slots, and a path in each.
pub const BYTES_MAX: usize = 16 << 10;
/// The vault's entry with who its node is.
const SPARE: &[u8] = b"keys";
/// This format of the file.
const FORMAT: u8 = 2;

/// The file of keys.
pub enum Stored {
    /// In the first format.
    Old(Keys),
    /// In this one.
    New(Kept),
}

/// All that nobody else may know, in the clear: the first format of the file, and an entry of a backup.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
pub struct Keys {
    #[cbor(n(0), with = "minicbor::bytes")]
    signing: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    vrf: [u8; 32],
    #[cbor(n(2), with = "minicbor::bytes")]
    vault: [u8; 32],
    /// The node's.
    #[n(3)]
    #[zeroize(skip)]
    pub certificate: Certificate,
}

/// This format: what nobody may know is sealed under the vault's key.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    #[n(0)]
    format: u8,
    /// The node's.
    #[n(1)]
    pub certificate: Certificate,
    /// For the vault's key; while it is exchanged, for the old one and the new one.
    #[n(2)]
    pub slots: Vec<Slot>,
}

/// Who the node is, in its vault: with the key and the vault alone it is the same node again.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Spare {
    /// Its keys.
    #[n(0)]
    pub secrets: Secrets,
    /// Its certificate.
    #[n(1)]
    pub certificate: Certificate,
}

impl Stored {
    /// What a file holds.
    pub fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        if let Ok(keys) = decode::<Keys>(bytes, BYTES_MAX) {
            return Ok(Self::Old(keys));
        }
        let kept: Kept = decode(bytes, BYTES_MAX)?;
        match kept.format == FORMAT && !kept.slots.is_empty() {
            true => Ok(Self::New(kept)),
            false => Err(DecodeError::Malformed),
        }
    }

    /// The node's certificate.
    pub fn certificate(&self) -> &Certificate {
        match self {
            Self::Old(keys) => &keys.certificate,
            Self::New(kept) => &kept.certificate,
        }
    }

    /// The same with another certificate.
    pub fn with(mut self, certificate: Certificate) -> Self {
        match &mut self {
            Self::Old(keys) => keys.certificate = certificate,
            Self::New(kept) => kept.certificate = certificate,
        }
        self
    }

    /// As it is written.
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Old(keys) => encode(keys),
            Self::New(kept) => encode(kept),
        })
    }
}

impl Keys {
    /// Of this node.
    pub fn of(identity: &Identity, vault: &VaultKey) -> Self {
        Self {
            signing: *identity.key.seed(),
            vrf: *identity.vrf.seed(),
            vault: *vault.as_bytes(),
            certificate: identity.certificate.clone(),
        }
    }

    /// The vault's key.
    pub fn vault(&self) -> VaultKey {
        VaultKey::from_bytes(&self.vault)
    }

    /// Who the node is.
    pub fn identity(&self) -> Identity {
        Identity {
            key: SigningKey::from_seed(self.signing),
            vrf: VrfSecretKey::from_seed(self.vrf),
            certificate: self.certificate.clone(),
        }
    }

    /// The same, to be sealed.
    pub fn secrets(&self) -> Secrets {
        Secrets {
            signing: self.signing,
            vrf: self.vrf,
            other: None,
        }
    }
}

impl Kept {
    /// Of this format.
    pub fn new(certificate: Certificate, slots: Vec<Slot>) -> Self {
        Self {
            format: FORMAT,
            certificate,
            slots,
        }
    }
}

/// What this key opens, if anything: who the node is, and the keys of which one is the vault's.
pub fn open(slots: &[Slot], key: &VaultKey) -> Option<(Secrets, Vec<VaultKey>)> {
    let mut secrets = slots.iter().find_map(|slot| slot.open(key))?;
    let other = secrets.other.take().map(Zeroizing::new);
    let other = other.map(|other| VaultKey::from_bytes(&other));
    Some((secrets, std::iter::once(key.clone()).chain(other).collect()))
}

impl Secrets {
    /// Of a vault whose node is yet to come.
    pub fn nobody() -> Self {
        Self {
            signing: [0; 32],
            vrf: [0; 32],
            other: None,
        }
    }

    /// Who this node is.
    pub fn of(identity: &Identity) -> Self {
        Self {
            signing: *identity.key.seed(),
            vrf: *identity.vrf.seed(),
            other: None,
        }
    }
}

impl Spare {
    /// Of this node.
    pub fn of(secrets: &Secrets, certificate: &Certificate) -> Self {
        Self {
            secrets: secrets.clone(),
            certificate: certificate.clone(),
        }
    }

    /// What the vault holds, if it does.
    pub fn find(vault: &Vault) -> Option<Self> {
        let bytes = Zeroizing::new(vault.recall(SPARE).ok()??);
        decode(&bytes, BYTES_MAX).ok()
    }

    /// Writes it to the vault, unless it is there.
    pub fn keep(&self, vault: &mut Vault) -> Result<(), VaultError> {
        let bytes = Zeroizing::new(encode(self));
        match vault.recall(SPARE)?.map(Zeroizing::new) {
            Some(kept) if kept == bytes => Ok(()),
            _ => vault.remember(SPARE, &bytes),
        }
    }
}
