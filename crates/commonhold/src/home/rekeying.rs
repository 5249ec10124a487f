//! Another key for the vault, or another keeper of its key: each step leaves a vault that opens.
//!
//! | step | on the disk |
//! |---|---|
//! | 1 | the new key is with what is to keep it |
//! | 2 | the file of keys names both keys, and each of them opens the other |
//! | 3 | the vault is under the new key: one file takes the other's place |
//! | 4 | the file of keys names the new one alone |
//! | 5 | what kept the old key need not any more |
//!
//! Whoever opens the vault after it was cut short tries both keys, and does the steps that are left, or takes back those that
//! were done.

use base::Rng;
use crypto::{Certificate, secret_of, words_of};
use vault::{Alone, Vault, VaultError, VaultKey};
use zeroize::Zeroizing;

use super::kept::{self, Kept, Spare, Stored};
use super::protection::{Choice, KeyError, Protection, Secrets, Slot};
use super::{Home, HomeError};

impl Home {
    /// The 24 words that are the vault's key.
    pub fn words(&self) -> Result<Zeroizing<String>, HomeError> {
        Ok(words_of(self.open_vault()?.0.as_bytes()))
    }

    /// Puts the vault under a new key, kept by `choice` or as the old one was: a passphrase stays the same.
    pub fn rotate(&self, choice: Option<Choice>, rng: &mut Rng) -> Result<(), HomeError> {
        // Ends what was cut short before, and knows the key from here on.
        drop(self.open_vault()?);
        let alone = Alone::take(&self.vault_path())?;
        let (certificate, slots) = self.slots()?;
        let (secrets, keys) = self.unlock(&slots)?;
        let ([slot], [old]) = (&slots[..], &keys[..]) else {
            return Err(VaultError::InUse.into());
        };
        let choice = match (choice, &slot.protection) {
            (Some(choice), _) => choice,
            (None, Protection::File(path)) => Choice::File(path.as_ref().map(Into::into)),
            (None, Protection::Keyring) => Choice::Keyring,
            (None, Protection::Passphrase(_)) => {
                Choice::Passphrase(self.ask().map_err(KeyError::from)?)
            }
        };
        let new = VaultKey::generate(rng);
        let knowing = |other: &VaultKey| {
            let mut secrets = secrets.clone();
            secrets.other = Some(*other.as_bytes());
            secrets
        };
        let new_slot = Slot::make(self.path(), &choice, &new, &knowing(old), rng)?;
        let old_slot = slot.with(old, &knowing(&new), rng);
        self.keep_slots(certificate.as_ref(), &[old_slot, new_slot.clone()])?;
        // Should it fail, the next one who opens the vault sees which key it has.
        alone.rekey(old, &new)?;
        let alone = new_slot.with(&new, &secrets, rng);
        self.keep_slots(certificate.as_ref(), &[alone])?;
        self.remember(&new);
        Ok(slot.forget(self.path(), old)?)
    }

    /// Gets in with the words that are the vault's key, and has the key kept by `choice` from here on. Needs the vault alone:
    /// the file of keys is made anew.
    pub fn recover(&self, words: &str, choice: &Choice, rng: &mut Rng) -> Result<(), HomeError> {
        if self.is_wiped() {
            return Err(HomeError::Wiped(self.path().to_path_buf()));
        }
        let path = self.vault_path();
        if !path.exists() {
            return Err(VaultError::NotFound(path).into());
        }
        let key = VaultKey::from_bytes(&*secret_of(words).map_err(KeyError::from)?);
        if self.is_begun() {
            return self.recover_begun(key, choice, rng);
        }
        // Missing or damaged, it is not needed.
        let stored = self.stored().ok();
        let opened = match &stored {
            Some(Stored::New(kept)) => kept::open(&kept.slots, &key),
            _ => None,
        };
        let (secrets, keys) = match opened {
            Some((secrets, keys)) => (Some(secrets), keys),
            None => (None, vec![key]),
        };
        let (key, vault) = self.open_under(keys, self.hold()?).map_err(by_words)?;
        let found = match (secrets, &stored) {
            (Some(secrets), Some(stored)) => Some((secrets, stored.certificate().clone())),
            _ => Spare::find(&vault).map(|spare| (spare.secrets, spare.certificate)),
        };
        let found = found.or_else(|| match &stored {
            Some(Stored::Old(keys)) => Some((keys.secrets(), keys.certificate.clone())),
            _ => None,
        });
        let (secrets, certificate) =
            found.ok_or_else(|| HomeError::Orphaned(self.path().to_path_buf()))?;
        // Later than what the vault has, if it is the same node's.
        let certificate = match &stored {
            Some(stored) if stored.certificate().node() == certificate.node() => {
                stored.certificate().clone()
            }
            _ => certificate,
        };
        self.identified(&secrets, certificate.clone())?;
        let slot = Slot::make(self.path(), choice, &key, &secrets, rng)?;
        self.keep(&Kept::new(certificate, vec![slot]))?;
        self.remember(&key);
        drop::<Vault>(vault);
        // What kept it until now is lost, or is out of use: a keyring that cannot be reached is no failure.
        if let Some(Stored::New(kept)) = stored {
            let old = kept
                .slots
                .iter()
                .filter(|old| old.protection == Protection::Keyring);
            old.for_each(|old| drop(old.forget(self.path(), &key)));
        }
        Ok(())
    }

    /// The same for a vault whose node is yet to come.
    fn recover_begun(
        &self,
        key: VaultKey,
        choice: &Choice,
        rng: &mut Rng,
    ) -> Result<(), HomeError> {
        // Damaged, it is not needed.
        let slots = self.begun().unwrap_or_default();
        let keys = kept::open(&slots, &key).map_or_else(|| vec![key], |(_, keys)| keys);
        let (key, vault) = self.open_under(keys, self.hold()?).map_err(by_words)?;
        drop::<Vault>(vault);
        let slot = Slot::make(self.path(), choice, &key, &Secrets::nobody(), rng)?;
        self.keep_slots(None, &[slot])?;
        self.remember(&key);
        Ok(())
    }

    /// What is left of an exchange of keys that was cut short is brought to its end, now that it is known which one the vault
    /// has. Gives what keeps the key now.
    pub(super) fn settled(
        &self,
        certificate: Option<&Certificate>,
        slots: Vec<Slot>,
        key: &VaultKey,
    ) -> Result<Vec<Slot>, HomeError> {
        if slots.len() == 1 {
            return Ok(slots);
        }
        let Some((secrets, keys)) = kept::open(&slots, key) else {
            return Ok(slots);
        };
        let (ours, old): (Vec<Slot>, Vec<Slot>) =
            slots.into_iter().partition(|slot| slot.open(key).is_some());
        let rng = &mut super::system_rng();
        let settled: Vec<_> = ours
            .iter()
            .map(|slot| slot.with(key, &secrets, rng))
            .collect();
        self.keep_slots(certificate, &settled)?;
        if let Some(other) = keys.get(1) {
            // What cannot be forgotten opens nothing any more.
            old.iter()
                .for_each(|slot| drop(slot.forget(self.path(), other)));
        }
        Ok(settled)
    }
}

fn by_words(why: HomeError) -> HomeError {
    match why {
        HomeError::Vault(VaultError::WrongKey) => KeyError::OtherWords.into(),
        why => why,
    }
}

#[cfg(test)]
#[path = "rekeying/tests.rs"]
mod tests;
