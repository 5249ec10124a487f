//! What one node keeps in its folder.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{DecodeError, NodeId, Rng, decode, encode};
use community::{Community, DescriptorError, Identity, SignedDescriptor};
use crypto::{Certificate, SigningKey, VrfSecretKey};
use minicbor::{Decode, Encode};
use thiserror::Error;
use vault::{Vault, VaultError, VaultKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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
    /// The descriptor does not hold.
    #[error("the community's descriptor does not hold: {0}")]
    Descriptor(#[from] DescriptorError),
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
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

    /// Makes the folder with keys, descriptor and an empty vault.
    pub fn found(
        &self,
        identity: &Identity,
        descriptor: &SignedDescriptor,
        rng: &mut Rng,
    ) -> Result<Vault, HomeError> {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&self.0)
            .map_err(|why| self.io("", why))?;
        let key = VaultKey::generate(rng);
        let keys = Keys {
            signing: *identity.key.seed(),
            vrf: *identity.vrf.seed(),
            vault: *key.as_bytes(),
            certificate: identity.certificate.clone(),
        };
        self.write("keys.cbor", &Zeroizing::new(encode(&keys)))?;
        self.write("descriptor.cbor", &encode(descriptor))?;
        Ok(Vault::create(&self.0.join("vault.db"), &key)?)
    }

    /// Reads who lives here, the community, and opens the vault.
    pub fn open(&self) -> Result<(Identity, Arc<Community>, Vault), HomeError> {
        let keys: Keys = self.read("keys.cbor", KEYS_BYTES_MAX)?;
        let descriptor = self.read("descriptor.cbor", DESCRIPTOR_BYTES_MAX)?;
        let identity = Identity {
            key: SigningKey::from_seed(keys.signing),
            vrf: VrfSecretKey::from_seed(keys.vrf),
            certificate: keys.certificate.clone(),
        };
        let vault = Vault::open(&self.0.join("vault.db"), &VaultKey::from_bytes(&keys.vault))?;
        Ok((identity, Arc::new(Community::open(descriptor)?), vault))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), HomeError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.0.join(name))
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|why| self.io(name, why))
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
