//! What one node keeps in its folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use base::{DecodeError, NodeId, Rng, decode, encode};
use community::{Community, DescriptorError, Identity, SignedDescriptor};
use crypto::{Certificate, SigningKey, VrfSecretKey};
use minicbor::{Decode, Encode};
use thiserror::Error;
use vault::{Vault, VaultError, VaultKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::files;

/// The file of keys.
const KEYS: &str = "keys.cbor";
const DESCRIPTOR: &str = "descriptor.cbor";
const VAULT: &str = "vault.db";
/// Says that what is here is being erased; holds the node's name, if it was known.
pub const WIPED: &str = "wiped";
/// Longest file of keys.
const KEYS_BYTES_MAX: usize = 4096;
/// Longest descriptor.
pub const DESCRIPTOR_BYTES_MAX: usize = 1 << 20;

/// The vault's setting for the owner's standing answer to questions.
pub const CONSENT: &str = "consent";

/// A node's folder, readable by its owner's account alone.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// The secrets of a node, as they are stored.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
struct Keys {
    #[cbor(n(0), with = "minicbor::bytes")]
    signing: [u8; 32],
    #[cbor(n(1), with = "minicbor::bytes")]
    vrf: [u8; 32],
    #[cbor(n(2), with = "minicbor::bytes")]
    vault: [u8; 32],
    #[n(3)]
    #[zeroize(skip)]
    certificate: Certificate,
}

/// Why a node's folder cannot be used.
#[derive(Debug, Error)]
pub enum HomeError {
    /// The file system refused.
    #[error("cannot use {path}: {why}; check the folder, its permissions and the free space")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        why: DecodeError,
    },
    /// It is being erased.
    #[error("{} was being wiped; finish that: commonhold leave --wipe --dir {}", .0.display(), .0.display())]
    Wiped(PathBuf),
    /// The descriptor does not hold.
    #[error("the community's descriptor does not hold: {0}")]
    Descriptor(#[from] DescriptorError),
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Keys {
    fn identity(&self) -> Identity {
        Identity {
            key: SigningKey::from_seed(self.signing),
            vrf: VrfSecretKey::from_seed(self.vrf),
            certificate: self.certificate.clone(),
        }
    }
}

impl Home {
    /// The node that lives here.
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_path_buf())
    }

    /// Where its process writes what goes wrong.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a node lives here.
    pub fn is_inhabited(&self) -> bool {
        self.0.join(KEYS).exists()
    }

    /// Whether it is being erased.
    pub fn is_wiped(&self) -> bool {
        self.0.join(WIPED).exists()
    }

    /// Who lived here, if it is being erased.
    pub fn wiped(&self) -> Option<NodeId> {
        node_of(&fs::read_to_string(self.0.join(WIPED)).ok()?)
    }

    /// Who lives here, if that can be read.
    pub fn node(&self) -> Option<NodeId> {
        let keys: Keys = self.read(KEYS, KEYS_BYTES_MAX).ok()?;
        Some(keys.certificate.node())
    }

    fn must_not_be_wiped(&self) -> Result<(), HomeError> {
        match self.is_wiped() {
            true => Err(HomeError::Wiped(self.0.clone())),
            false => Ok(()),
        }
    }

    /// Makes the folder, if it is not there, with keys, descriptor and an empty vault. The keys come last: until then no
    /// node lives here, and what a try before this one has left is of no use to anybody.
    pub fn found(
        &self,
        identity: &Identity,
        descriptor: &SignedDescriptor,
        rng: &mut Rng,
    ) -> Result<Vault, HomeError> {
        self.must_not_be_wiped()?;
        if self.is_inhabited() {
            return Err(self.io(KEYS, ErrorKind::AlreadyExists.into()));
        }
        files::make_folder(&self.0).map_err(|why| self.io("", why))?;
        match fs::remove_file(self.0.join(VAULT)) {
            Err(why) if why.kind() != ErrorKind::NotFound => return Err(self.io(VAULT, why)),
            _ => {}
        }
        let key = VaultKey::generate(rng);
        let keys = Keys {
            signing: *identity.key.seed(),
            vrf: *identity.vrf.seed(),
            vault: *key.as_bytes(),
            certificate: identity.certificate.clone(),
        };
        self.write(DESCRIPTOR, &encode(descriptor))?;
        let vault = Vault::create(&self.0.join(VAULT), &key)?;
        self.write(KEYS, &Zeroizing::new(encode(&keys)))?;
        Ok(vault)
    }

    /// Keeps another certificate for the same keys, and another epoch of the community.
    pub fn update(
        &self,
        certificate: Option<Certificate>,
        descriptor: &SignedDescriptor,
    ) -> Result<(), HomeError> {
        if let Some(certificate) = certificate {
            let mut keys: Keys = self.read(KEYS, KEYS_BYTES_MAX)?;
            keys.certificate = certificate;
            self.write(KEYS, &Zeroizing::new(encode(&keys)))?;
        }
        self.write(DESCRIPTOR, &encode(descriptor))
    }

    /// When certificate and community were last written: they may be while the node runs.
    pub fn written_at(&self) -> [Option<SystemTime>; 2] {
        [KEYS, DESCRIPTOR].map(|name| fs::metadata(self.0.join(name)).ok()?.modified().ok())
    }

    /// Reads the certificate of who lives here, and the community; leaves the vault alone.
    pub fn membership(&self) -> Result<(Certificate, Arc<Community>), HomeError> {
        let keys: Keys = self.read(KEYS, KEYS_BYTES_MAX)?;
        let descriptor = self.read(DESCRIPTOR, DESCRIPTOR_BYTES_MAX)?;
        let community = Arc::new(Community::open(descriptor)?);
        Ok((keys.certificate.clone(), community))
    }

    /// Reads who lives here, the community, and opens the vault.
    pub fn open(&self) -> Result<(Identity, Arc<Community>, Vault), HomeError> {
        self.must_not_be_wiped()?;
        let keys: Keys = self.read(KEYS, KEYS_BYTES_MAX)?;
        let descriptor = self.read(DESCRIPTOR, DESCRIPTOR_BYTES_MAX)?;
        let vault = Vault::open(&self.0.join(VAULT), &VaultKey::from_bytes(&keys.vault))?;
        Ok((
            keys.identity(),
            Arc::new(Community::open(descriptor)?),
            vault,
        ))
    }

    /// Reads who lives here.
    pub fn identity(&self) -> Result<Identity, HomeError> {
        self.must_not_be_wiped()?;
        let keys: Keys = self.read(KEYS, KEYS_BYTES_MAX)?;
        Ok(keys.identity())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), HomeError> {
        files::replace(&self.0.join(name), bytes).map_err(|why| self.io(name, why))
    }

    fn read<T: base::Wire>(&self, name: &str, limit: usize) -> Result<T, HomeError> {
        let path = self.0.join(name);
        let bytes = Zeroizing::new(fs::read(&path).map_err(|why| self.io(name, why))?);
        decode(&bytes, limit).map_err(|why| HomeError::Damaged { path, why })
    }

    fn io(&self, name: &str, why: std::io::Error) -> HomeError {
        HomeError::Io {
            path: self.0.join(name),
            why,
        }
    }
}

/// A generator seeded by the system.
///
/// # Panics
///
/// When the system gives no randomness: no key may be made then.
pub fn system_rng() -> Rng {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).expect("the system gives randomness");
    Rng::from_seed(*seed)
}

/// The node with this name in hexadecimal.
pub fn node_of(text: &str) -> Option<NodeId> {
    let digits = text.as_bytes();
    let mut name = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in name.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(NodeId(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_text() {
        let node = NodeId(std::array::from_fn(|place| place as u8 * 7));
        assert_eq!(node_of(&node.to_string()), Some(node));
        for wrong in ["", "00", &"0".repeat(63), &"g".repeat(64), &"+1".repeat(32)] {
            assert_eq!(node_of(wrong), None, "{wrong}");
        }
    }
}
