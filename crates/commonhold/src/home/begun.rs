//! A vault whose node is yet to come: its owner has not joined a community.

use std::io::ErrorKind;
use std::path::Path;

use base::{Rng, decode, encode};
use crypto::Certificate;
use minicbor::{Decode, Encode};
use vault::{Alone, Vault, VaultKey};

use super::kept::{BYTES_MAX, Kept, Stored};
use super::protection::{Choice, KEY_FILE, Secrets, Slot, read_file};
use super::{BEGUN, DESCRIPTOR, FOUNDING, Home, HomeError, MEMBERS, elsewhere, files, system_rng};

/// What keeps the key, as in the file of keys.
#[derive(Encode, Decode)]
#[cbor(transparent)]
struct Begun(#[n(0)] Vec<Slot>);

impl Home {
    /// Makes the folder, if it is not there, with an empty vault whose key is in a file: its node comes when its owner joins a
    /// community. Changes nothing where a node lives, or where this was done before.
    pub fn begin(&self, rng: &mut Rng) -> Result<(), HomeError> {
        self.must_be_usable()?;
        if self.is_inhabited() || self.is_begun() {
            return Ok(());
        }
        let key = VaultKey::generate(rng);
        let make = |path: &Path| Vault::create(path, &key).map_err(HomeError::from);
        self.begin_with(&key, &Choice::File(None), rng, make)
            .map(drop)
    }

    /// The same with a key that is known already; `make` makes the vault.
    pub fn begin_with<E: From<HomeError>>(
        &self,
        key: &VaultKey,
        choice: &Choice,
        rng: &mut Rng,
        make: impl FnOnce(&Path) -> Result<Vault, E>,
    ) -> Result<Vault, E> {
        files::make_folder(&self.folder).map_err(|why| self.io("", why))?;
        if self.is_cut_short() {
            // Of a node that never was.
            self.remove(DESCRIPTOR)?;
            self.remove(MEMBERS)?;
        }
        self.write(FOUNDING, b"")?;
        self.clear()?;
        let vault = make(&self.vault_path())?;
        // Not before there is what it opens.
        let slot = Slot::make(&self.folder, choice, key, &Secrets::nobody(), rng);
        let slot = slot.map_err(HomeError::from)?;
        self.keep_slots(None, &[slot])?;
        self.remove(FOUNDING)?;
        self.remember(key);
        Ok(vault)
    }

    /// Opens the vault whose node is yet to come.
    pub fn open_begun(&self) -> Result<(VaultKey, Vault), HomeError> {
        self.must_be_usable()?;
        // Whoever cannot write there has nothing to tidy.
        drop(files::tidy(&self.folder));
        let slots = self.begun()?;
        if slots.is_empty() {
            let (key, vault) =
                self.open_under(read_file(&self.folder.join(KEY_FILE))?, self.hold()?)?;
            let secrets = Secrets::nobody();
            let choice = Choice::File(None);
            let slot = Slot::make(&self.folder, &choice, &key, &secrets, &mut system_rng())?;
            self.keep_slots(None, &[slot])?;
            self.remember(&key);
            return Ok((key, vault));
        }
        let (_, keys) = self.unlock(&slots)?;
        let (key, vault) = self.open_under(keys, self.hold()?)?;
        elsewhere::tidy(&self.settled(None, slots, &key)?);
        self.remember(&key);
        Ok((key, vault))
    }

    /// Takes a vault away that nobody needs: whoever is cut short after this begins anew. Somebody who joins with it meanwhile
    /// keeps it.
    pub fn abandon(&self) -> Result<(), HomeError> {
        let _alone = Alone::take(&self.vault_path())?;
        if !self.is_begun() {
            return Err(self.io(BEGUN, ErrorKind::NotFound.into()));
        }
        self.write(FOUNDING, b"")?;
        self.remove(BEGUN)?;
        self.clear()?;
        self.remove(KEY_FILE)
    }

    /// What keeps the key of the vault that was begun; nothing is said of one whose file was made empty, as at first: then a
    /// file keeps it.
    pub(super) fn begun(&self) -> Result<Vec<Slot>, HomeError> {
        let path = self.folder.join(BEGUN);
        let bytes = files::read(&path, BYTES_MAX).map_err(|why| self.io(BEGUN, why))?;
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let begun = decode::<Begun>(&bytes, BYTES_MAX);
        begun
            .map(|Begun(slots)| slots)
            .map_err(|why| HomeError::Damaged { path, why })
    }

    /// What keeps the key, with the certificate of the node if there is one.
    pub(super) fn slots(&self) -> Result<(Option<Certificate>, Vec<Slot>), HomeError> {
        if self.is_begun() {
            return Ok((None, self.begun()?));
        }
        Ok(match self.stored()? {
            Stored::New(kept) => (Some(kept.certificate), kept.slots),
            // Until it is opened once.
            Stored::Old(keys) => (Some(keys.certificate.clone()), Vec::new()),
        })
    }

    /// Writes that.
    pub(super) fn keep_slots(
        &self,
        certificate: Option<&Certificate>,
        slots: &[Slot],
    ) -> Result<(), HomeError> {
        match certificate {
            Some(certificate) => self.keep(&Kept::new(certificate.clone(), slots.to_vec())),
            None => self.write(BEGUN, &encode(&Begun(slots.to_vec()))),
        }
    }

    /// Whether what keeps the key gives it.
    pub fn unlocks(&self) -> Result<(), HomeError> {
        let (_, slots) = self.slots()?;
        match slots.is_empty() {
            true => Ok(()),
            false => self.unlock(&slots).map(drop),
        }
    }
}
