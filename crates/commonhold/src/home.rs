//! What one node keeps in its folder.
//!
//! | file | what |
//! |---|---|
//! | `keys.cbor` | the certificate, and who the node is, sealed under the vault's key; what keeps that key |
//! | `vault.key` | the vault's key, unless its owner wants it kept otherwise |
//! | `vault.db` | the vault; who the node is is in it once more, and is found again with the key alone |
//! | `vault.db.lock` | held by whoever has the vault open |
//! | `vault.db.founding` | there until node and vault are complete |
//! | `vault.db.begun` | there while a vault waits for its node to join a community; what keeps its key |
//! | `descriptor.cbor` | the community |

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use base::{DecodeError, NodeId, Rng, decode, encode};
use community::{Community, DescriptorError, Identity, SignedDescriptor};
use crypto::{Certificate, SigningKey, VrfSecretKey};
use thiserror::Error;
use vault::{Shared, Vault, VaultError, VaultKey};
use zeroize::Zeroizing;

use super::files;
use super::passphrase::{self, Given, OF_KEY, PassphraseError};

// Named, since tests of the program read this file as one of theirs.
#[path = "home/begun.rs"]
mod begun;
#[path = "home/elsewhere.rs"]
mod elsewhere;
#[path = "home/kept.rs"]
mod kept;
#[path = "home/keyring.rs"]
mod keyring;
#[path = "home/protection.rs"]
mod protection;
#[path = "home/rekeying.rs"]
mod rekeying;
#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
#[expect(
    dead_code,
    reason = "what is changed here is made here, and is no corpus"
)]
mod replay;

#[cfg_attr(test, allow(unused_imports))]
pub use elsewhere::Elsewhere;
use kept::{Kept, Spare, Stored};
pub use protection::{Choice, KeyError, Protection};
// Nor do they look at its permissions, or into backups.
use protection::{Secrets, Slot};
#[cfg_attr(test, allow(unused_imports))]
pub use {kept::Keys, protection::KEY_FILE};

/// The file of keys.
const KEYS: &str = "keys.cbor";
pub const DESCRIPTOR: &str = "descriptor.cbor";
const VAULT: &str = "vault.db";
/// Whom the ticket named to join through.
pub const MEMBERS: &str = "members.cbor";
/// There until a node is complete: what it has begun may be begun again.
const FOUNDING: &str = "vault.db.founding";
/// There while a vault has no node yet: its owner has not joined a community.
pub const BEGUN: &str = "vault.db.begun";
/// Says that what is here is being erased; holds the node's name, if it was known.
pub const WIPED: &str = "wiped";
/// Longest descriptor.
pub const DESCRIPTOR_BYTES_MAX: usize = 1 << 20;

/// The vault's setting for the owner's standing answer to questions.
pub const CONSENT: &str = "consent";

/// A node's folder, readable by its owner's account alone.
#[derive(Clone)]
pub struct Home {
    folder: PathBuf,
    /// Holds the passphrase of the key, if its owner says so.
    passphrase_file: Option<PathBuf>,
    /// The passphrase itself, if it was asked for already.
    passphrase: Option<Zeroizing<String>>,
    /// The vault's key, once it is known: nobody is asked twice.
    key: Arc<Mutex<Option<VaultKey>>>,
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
    #[error(
        "{path} is damaged: {why}; get in with the 24 recovery words: commonhold key recover, or restore a backup"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        why: DecodeError,
    },
    /// Nobody lives here.
    #[error(
        "no node lives in {0}; make or join a community first (commonhold open shows how), or name another folder with --dir DIR"
    )]
    Nobody(PathBuf),
    /// Somebody was to live here.
    #[error(
        "no node lives in {0} yet: what was to make it was cut short; do it again (commonhold community join, or commonhold backup restore), or begin anew: commonhold open"
    )]
    CutShort(PathBuf),
    /// It is being erased.
    #[error("{} was being wiped; finish that: commonhold leave --wipe --dir {}", .0.display(), .0.display())]
    Wiped(PathBuf),
    /// Somebody lived here.
    #[error("{} holds a vault, but the keys of its node are gone; no new node is made in their place: get in with the 24 recovery words (commonhold key recover --dir {}), or move the vault away and restore a backup (commonhold backup restore)", .0.display(), .0.display())]
    Orphaned(PathBuf),
    /// The descriptor does not hold.
    #[error("the community's descriptor does not hold: {0}")]
    Descriptor(#[from] DescriptorError),
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its key is not to be had.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// All that a backup keeps of a node besides its vault.
pub struct Whole {
    /// Who it is.
    pub identity: Identity,
    /// The community as it is signed.
    pub descriptor: SignedDescriptor,
    /// What opens the vault.
    pub key: VaultKey,
}

impl Home {
    /// The node that lives here.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            passphrase_file: None,
            passphrase: None,
            key: Arc::default(),
        }
    }

    /// The passphrase of the key is in this file.
    #[must_use]
    pub fn with_passphrase_file(mut self, file: Option<PathBuf>) -> Self {
        self.passphrase_file = file;
        self
    }

    /// The passphrase of the key is this one.
    #[must_use]
    pub fn with_passphrase(mut self, passphrase: Zeroizing<String>) -> Self {
        self.passphrase = Some(passphrase);
        self
    }

    /// Where its process writes what goes wrong.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Its vault.
    pub fn vault_path(&self) -> PathBuf {
        self.folder.join(VAULT)
    }

    /// Whether a node lives here.
    pub fn is_inhabited(&self) -> bool {
        self.folder.join(KEYS).exists()
    }

    /// Whether a node lived here whose keys are gone.
    pub fn is_orphaned(&self) -> bool {
        let there = |name| self.folder.join(name).exists();
        there(VAULT) && !there(KEYS) && !there(FOUNDING) && !there(BEGUN)
    }

    /// Whether there is a vault whose node is yet to come.
    pub fn is_begun(&self) -> bool {
        self.folder.join(BEGUN).exists() && !self.is_inhabited()
    }

    /// Whether something was to live here and was never completed: what is left of it is of no use to anybody.
    pub fn is_cut_short(&self) -> bool {
        self.folder.join(FOUNDING).exists() && !self.is_inhabited() && !self.is_begun()
    }

    /// Why there is nobody here, where nobody is.
    pub fn nobody(&self) -> HomeError {
        let folder = self.folder.clone();
        match () {
            () if self.is_orphaned() => HomeError::Orphaned(folder),
            () if self.is_cut_short() => HomeError::CutShort(folder),
            () => HomeError::Nobody(folder),
        }
    }

    /// Takes away what a try that has failed has left here.
    pub fn give_up(&self) -> Result<(), HomeError> {
        if !self.is_cut_short() {
            return Ok(());
        }
        self.clear()?;
        let left = ["vault.db.lock", DESCRIPTOR, MEMBERS];
        left.into_iter().try_for_each(|name| self.remove(name))?;
        // Whoever is cut short here can give up again.
        self.remove(FOUNDING)
    }

    /// Whether it is being erased.
    pub fn is_wiped(&self) -> bool {
        self.folder.join(WIPED).exists()
    }

    /// Who lived here, if it is being erased.
    pub fn wiped(&self) -> Option<NodeId> {
        let name = fs::read_to_string(self.folder.join(WIPED)).ok()?;
        name.parse().ok()
    }

    /// Who lives here, if that can be read.
    pub fn node(&self) -> Option<NodeId> {
        Some(self.stored().ok()?.certificate().node())
    }

    /// What keeps the key of the vault, and in words for its owner.
    pub fn protection(&self) -> Result<(Protection, String), HomeError> {
        let slot = self.slots()?.1.into_iter().next();
        let told = match &slot {
            Some(slot) => slot.told(&self.folder),
            // Until it is opened once.
            None => {
                let file = if self.is_begun() { KEY_FILE } else { KEYS };
                protection::told_file(&self.folder.join(file))
            }
        };
        let protection = slot.map(|slot| slot.protection);
        Ok((protection.unwrap_or(Protection::File(None)), told))
    }

    /// What is in the way of opening the vault, or leaves its key open to others, as far as it is seen without opening it.
    pub fn troubles(&self) -> Vec<String> {
        let path = self.vault_path();
        let vault = match path.exists() {
            true => None,
            false => Some(VaultError::NotFound(path).to_string()),
        };
        let slots = self.slots().map(|(_, slots)| slots).unwrap_or_default();
        let files = slots.iter().filter_map(|slot| slot.trouble(&self.folder));
        vault.into_iter().chain(files).collect()
    }

    fn must_be_usable(&self) -> Result<(), HomeError> {
        match () {
            () if self.is_wiped() => Err(HomeError::Wiped(self.folder.clone())),
            () if self.is_orphaned() => Err(HomeError::Orphaned(self.folder.clone())),
            () => Ok(()),
        }
    }

    /// Removes what a try before has left of a vault.
    fn clear(&self) -> Result<(), HomeError> {
        let left = [VAULT, "vault.db-wal", "vault.db-shm"];
        left.into_iter().try_for_each(|name| self.remove(name))
    }

    /// Makes the folder, if it is not there, with keys, descriptor and a vault: the one that was begun, its key kept as before,
    /// or an empty one whose key is in a file.
    pub fn found(
        &self,
        identity: &Identity,
        descriptor: &SignedDescriptor,
        rng: &mut Rng,
    ) -> Result<Vault, HomeError> {
        let begun = self.is_begun();
        let whole = Whole {
            identity: Identity {
                key: identity.key.clone(),
                vrf: VrfSecretKey::from_seed(*identity.vrf.seed()),
                certificate: identity.certificate.clone(),
            },
            descriptor: descriptor.clone(),
            key: match begun {
                true => self.open_begun()?.0,
                false => VaultKey::generate(rng),
            },
        };
        self.settle(&whole, &Choice::File(None), rng, |path| {
            let vault = match begun {
                true => Vault::open(path, &whole.key),
                false => Vault::create(path, &whole.key),
            };
            vault.map_err(HomeError::from)
        })
    }

    /// The same, of what is known already; `make` makes the vault. The keys come last: until then no node lives here, and
    /// what a try before this one has left is of no use to anybody.
    pub fn settle<E: From<HomeError>>(
        &self,
        whole: &Whole,
        choice: &Choice,
        rng: &mut Rng,
        make: impl FnOnce(&Path) -> Result<Vault, E>,
    ) -> Result<Vault, E> {
        self.must_be_usable()?;
        if self.is_inhabited() {
            return Err(self.io(KEYS, ErrorKind::AlreadyExists.into()).into());
        }
        files::make_folder(&self.folder).map_err(|why| self.io("", why))?;
        self.write(FOUNDING, b"")?;
        if !self.is_begun() {
            self.clear()?;
        }
        self.write(DESCRIPTOR, &encode(&whole.descriptor))?;
        let mut vault = make(&self.vault_path())?;
        let secrets = Secrets::of(&whole.identity);
        let certificate = whole.identity.certificate.clone();
        let spare = Spare::of(&secrets, &certificate);
        spare.keep(&mut vault).map_err(HomeError::from)?;
        let begun = match self.is_begun() {
            true => self.begun()?,
            false => Vec::new(),
        };
        let begun = begun.iter().find(|slot| slot.open(&whole.key).is_some());
        let slot = match begun {
            Some(slot) => slot.with(&whole.key, &secrets, rng),
            None => Slot::make(&self.folder, choice, &whole.key, &secrets, rng)
                .map_err(HomeError::from)?,
        };
        self.keep(&Kept::new(certificate, vec![slot]))?;
        self.remove(BEGUN)?;
        self.remove(FOUNDING)?;
        self.remember(&whole.key);
        Ok(vault)
    }

    /// Keeps another certificate for the same keys, and another epoch of the community.
    pub fn update(
        &self,
        certificate: Option<Certificate>,
        descriptor: &SignedDescriptor,
    ) -> Result<(), HomeError> {
        if let Some(certificate) = certificate {
            self.write(KEYS, &self.stored()?.with(certificate).bytes())?;
        }
        self.write(DESCRIPTOR, &encode(descriptor))
    }

    /// When certificate and community were last written: they may be while the node runs.
    pub fn written_at(&self) -> [Option<SystemTime>; 2] {
        [KEYS, DESCRIPTOR].map(|name| fs::metadata(self.folder.join(name)).ok()?.modified().ok())
    }

    /// Reads the certificate of who lives here, and the community; leaves the vault alone.
    pub fn membership(&self) -> Result<(Certificate, Arc<Community>), HomeError> {
        let certificate = self.stored()?.certificate().clone();
        let community = Arc::new(Community::open(self.descriptor()?)?);
        Ok((certificate, community))
    }

    /// Reads who lives here, the community, and opens the vault.
    pub fn open(&self) -> Result<(Identity, Arc<Community>, Vault), HomeError> {
        let (whole, vault) = self.open_whole()?;
        let community = Arc::new(Community::open(whole.descriptor)?);
        Ok((whole.identity, community, vault))
    }

    /// Opens the vault, with or without a node.
    pub fn open_vault(&self) -> Result<(VaultKey, Vault), HomeError> {
        match self.is_begun() {
            true => self.open_begun(),
            false => self.open_whole().map(|(whole, vault)| (whole.key, vault)),
        }
    }

    /// Reads who lives here, with what opens the vault, and opens it.
    pub fn open_whole(&self) -> Result<(Whole, Vault), HomeError> {
        self.must_be_usable()?;
        // Who lives nowhere locks nothing.
        self.stored()?;
        // The key and the file are of one time as long as this is held.
        let held = self.hold()?;
        let descriptor = self.descriptor()?;
        let (kept, secrets, key, mut vault) = match self.stored()? {
            Stored::New(kept) => {
                let (secrets, keys) = self.unlock(&kept.slots)?;
                let (key, vault) = self.open_under(keys, held)?;
                let slots = self.settled(Some(&kept.certificate), kept.slots, &key)?;
                (Kept::new(kept.certificate, slots), secrets, key, vault)
            }
            Stored::Old(keys) => {
                let (key, secrets) = (keys.vault(), keys.secrets());
                let (key, vault) = self.open_under(vec![key], held)?;
                let rng = &mut system_rng();
                let slot = Slot::make(&self.folder, &Choice::File(None), &key, &secrets, rng)?;
                let kept = Kept::new(keys.certificate.clone(), vec![slot]);
                self.keep(&kept)?;
                (kept, secrets, key, vault)
            }
        };
        self.remember(&key);
        self.remove(BEGUN)?;
        self.remove(FOUNDING)?;
        // Whoever cannot write there has nothing to tidy.
        drop(files::tidy(&self.folder));
        drop(protection::tidy(&self.folder, &kept.slots, &key));
        elsewhere::tidy(&kept.slots);
        // On a full disk there is none, until there is room.
        drop(Spare::of(&secrets, &kept.certificate).keep(&mut vault));
        let identity = self.identified(&secrets, kept.certificate)?;
        let whole = Whole {
            identity,
            descriptor,
            key,
        };
        Ok((whole, vault))
    }

    /// Reads who lives here.
    pub fn identity(&self) -> Result<Identity, HomeError> {
        self.must_be_usable()?;
        let (secrets, certificate) = match self.stored()? {
            Stored::Old(keys) => (keys.secrets(), keys.certificate.clone()),
            Stored::New(kept) => (self.unlock(&kept.slots)?.0, kept.certificate),
        };
        self.identified(&secrets, certificate)
    }

    fn identified(
        &self,
        secrets: &Secrets,
        certificate: Certificate,
    ) -> Result<Identity, HomeError> {
        let key = SigningKey::from_seed(secrets.signing);
        // Somebody put one file in another's place.
        if key.node() != certificate.node() {
            let (path, why) = (self.folder.join(KEYS), DecodeError::Malformed);
            return Err(HomeError::Damaged { path, why });
        }
        Ok(Identity {
            key,
            vrf: VrfSecretKey::from_seed(secrets.vrf),
            certificate,
        })
    }

    /// Who the node is, and the keys of which one opens the vault.
    fn unlock(&self, slots: &[Slot]) -> Result<(Secrets, Vec<VaultKey>), HomeError> {
        let known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.as_ref()
            && let Some(found) = kept::open(slots, key)
        {
            return Ok(found);
        }
        drop(known);
        let mut failed = None;
        for slot in slots {
            match slot.keys(&self.folder, || self.ask()) {
                Ok(keys) => match keys.iter().find_map(|key| kept::open(slots, key)) {
                    Some(found) => return Ok(found),
                    None => _ = failed.get_or_insert(KeyError::OtherKey(slot.told(&self.folder))),
                },
                Err(why) => _ = failed.get_or_insert(why),
            }
        }
        Err(failed
            .unwrap_or(KeyError::OtherKey("nothing".into()))
            .into())
    }

    /// The passphrase of the key, for a process that has nobody to ask; `None` where none keeps it.
    pub fn passphrase(&self) -> Result<Option<Zeroizing<String>>, HomeError> {
        match self.slots()?.1.iter().any(Slot::asks) {
            true => Ok(Some(self.ask().map_err(KeyError::from)?)),
            false => Ok(None),
        }
    }

    fn ask(&self) -> Result<Zeroizing<String>, PassphraseError> {
        match &self.passphrase {
            Some(passphrase) => Ok(passphrase.clone()),
            None => given(self.passphrase_file.as_deref()).known("this node's key"),
        }
    }

    /// Nobody exchanges the vault's file meanwhile.
    fn hold(&self) -> Result<Shared, HomeError> {
        Ok(Shared::take(&self.vault_path())?)
    }

    /// Opens the vault under the one of these keys that it has.
    fn open_under(
        &self,
        keys: Vec<VaultKey>,
        mut held: Shared,
    ) -> Result<(VaultKey, Vault), HomeError> {
        for key in keys {
            match Vault::open_held(&self.vault_path(), &key, held)? {
                Ok(vault) => return Ok((key, vault)),
                Err(still) => held = still,
            }
        }
        Err(VaultError::WrongKey.into())
    }

    fn remember(&self, key: &VaultKey) {
        let mut known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(key.clone());
    }

    fn descriptor(&self) -> Result<SignedDescriptor, HomeError> {
        self.read(DESCRIPTOR, DESCRIPTOR_BYTES_MAX)
    }

    fn stored(&self) -> Result<Stored, HomeError> {
        let path = self.folder.join(KEYS);
        let bytes = fs::read(&path).map_err(|why| match why.kind() {
            ErrorKind::NotFound => self.nobody(),
            _ => self.io(KEYS, why),
        });
        let bytes = Zeroizing::new(bytes?);
        Stored::of(&bytes).map_err(|why| HomeError::Damaged { path, why })
    }

    fn keep(&self, kept: &Kept) -> Result<(), HomeError> {
        self.write(KEYS, &encode(kept))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), HomeError> {
        files::replace(&self.folder.join(name), bytes).map_err(|why| self.io(name, why))
    }

    fn remove(&self, name: &str) -> Result<(), HomeError> {
        match fs::remove_file(self.folder.join(name)) {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(self.io(name, why)),
            _ => Ok(()),
        }
    }

    fn read<T: base::Wire>(&self, name: &str, limit: usize) -> Result<T, HomeError> {
        let path = self.folder.join(name);
        let bytes = Zeroizing::new(fs::read(&path).map_err(|why| self.io(name, why))?);
        decode(&bytes, limit).map_err(|why| HomeError::Damaged { path, why })
    }

    fn io(&self, name: &str, why: std::io::Error) -> HomeError {
        HomeError::Io {
            path: self.folder.join(name),
            why,
        }
    }
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Home({})", self.folder.display())
    }
}

/// Where the passphrase of a node's key may be found.
pub fn given(file: Option<&Path>) -> Given<'_> {
    Given {
        option: "--key-passphrase-file",
        file,
        variable: OF_KEY,
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
