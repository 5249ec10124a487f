//! Letting people in over the network: who runs a node beside the key that certifies answers their requests.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::{NodeId, decode, encode};
use community::{Community, JOIN_REQUEST_BYTES_MAX, JoinAnswer, JoinRequest, SignedDescriptor};
use crypto::SigningKey;

use super::Failure;
use super::folder::Folder;
use super::issuing::Desk;
use super::options::Secret;

/// The key that certifies, unlocked, and its folder.
pub struct Reception {
    folder: PathBuf,
    secret: Secret,
    held: Mutex<Unlocked>,
}

/// A key that certifies.
struct Unlocked {
    key: SigningKey,
    /// Whether it was the authority's own key when it was unlocked: the one that follows takes its place.
    amends: bool,
    /// For which epoch it was looked at last.
    epoch: u64,
    /// Why the key that took its place was not unlocked.
    trouble: Option<String>,
}

impl Unlocked {
    fn new(key: SigningKey, community: &Community) -> Self {
        let descriptor = community.descriptor();
        Self {
            amends: key.node() == descriptor.authority,
            epoch: descriptor.epoch,
            trouble: None,
            key,
        }
    }

    /// Whether another key does its work now.
    fn is_replaced(&self, community: &Community) -> bool {
        let (descriptor, name) = (community.descriptor(), self.key.node());
        self.amends && descriptor.authority != name || !descriptor.issuers().contains(&name)
    }
}

/// How the key stands with which people are let in.
pub struct Standing {
    /// Its name.
    pub key: NodeId,
    /// Whether what it certifies counts.
    pub counts: bool,
    /// Why the key that took its place could not be unlocked.
    pub trouble: Option<String>,
}

/// What came of one request.
pub struct Received {
    /// For the newcomer.
    pub answer: Vec<u8>,
    /// For the log.
    pub note: String,
}

impl Reception {
    /// Unlocks the key in this folder, or in the only one that there is.
    ///
    /// # Errors
    ///
    /// No such folder, or the wrong passphrase.
    pub fn open(folder: Option<&Path>, secret: &Secret) -> Result<Self, Failure> {
        let folder = Folder::find(folder)?;
        let passphrase = secret.given().known("the key that lets people in")?;
        let community = folder.community()?;
        let key = folder.issuing_key(&community, &passphrase)?;
        Ok(Self {
            // The same, wherever it is said.
            folder: std::path::absolute(folder.path()).unwrap_or_else(|_| folder.path().into()),
            secret: secret.clone(),
            held: Mutex::new(Unlocked::new(key, &community)),
        })
    }

    /// Unlocks the key that has taken the place of the one that is held, if one has and its passphrase can be had without
    /// anybody at a terminal: what was typed is not kept. What there is to say of it. May wait for the disk, and for others
    /// who work in the folder.
    pub fn keep_up(&self) -> Option<String> {
        let folder = Folder::at(&self.folder);
        let news = || {
            let community = folder.community().ok()?;
            let is_new = community.descriptor().epoch != self.held().epoch;
            is_new.then_some(community)
        };
        news()?;
        // Keys are not between two places while nobody else works here.
        let _held = folder.hold().ok()?;
        let community = news()?;
        let is_replaced = self.held().is_replaced(&community);
        let unlocked = is_replaced.then(|| self.unlock(&folder, &community));
        let mut held = self.held();
        held.epoch = community.descriptor().epoch;
        match unlocked? {
            Ok(key) => {
                let name = key.node();
                *held = Unlocked::new(key, &community);
                Some(format!("people are let in by the key {name:?} now"))
            }
            Err(why) => {
                let why = why.to_string();
                let why = why.split("; ").next().unwrap_or_default();
                held.trouble = Some(why.into());
                Some(format!(
                    "the key that lets people in has changed, and the new one could not be unlocked: {why}"
                ))
            }
        }
    }

    fn unlock(&self, folder: &Folder, community: &Community) -> Result<SigningKey, Failure> {
        let passphrase = self.secret.again()?;
        let passphrase = passphrase
            .ok_or_else(|| Failure::Failed("its passphrase was typed and is not kept".into()))?;
        folder.issuing_key(community, &passphrase)
    }

    fn held(&self) -> MutexGuard<'_, Unlocked> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How its key stands in the community as the node knows it.
    pub fn standing(&self, community: &Community) -> Standing {
        let held = self.held();
        let (descriptor, key) = (community.descriptor(), held.key.node());
        Standing {
            key,
            // The node learns of the folder's epochs a little later.
            counts: held.epoch > descriptor.epoch || descriptor.issuers().contains(&key),
            trouble: held.trouble.clone(),
        }
    }

    /// The epochs of the community that follow this one, as far as its folder has them.
    pub fn later(&self, epoch: u64) -> Vec<SignedDescriptor> {
        Folder::at(&self.folder).later(epoch)
    }

    /// Certifies who shows a ticket, or says why not. `None` to who says nothing that can be read.
    ///
    /// # Errors
    ///
    /// The folder cannot be used: nobody is certified.
    pub fn answer(&self, from: NodeId, request: &[u8]) -> Result<Option<Received>, Failure> {
        let Ok(request) = decode::<JoinRequest>(request, JOIN_REQUEST_BYTES_MAX) else {
            return Ok(None);
        };
        if request.request.node != from {
            // Keys are certified for those alone who speak under them.
            return Ok(None);
        }
        let key = self.held().key.clone();
        let mut desk = Desk::at(Folder::at(&self.folder), key)?;
        let (answer, note) = match desk.redeem(&request)? {
            Ok(certificate) => {
                let note = format!(
                    "let {from:?} in, number {} of the log",
                    certificate.serial()
                );
                (desk.welcome(certificate), note)
            }
            Err(why) => (
                JoinAnswer::Refused(why),
                format!("did not let {from:?} in: {why}"),
            ),
        };
        let answer = encode(&answer);
        Ok(Some(Received { answer, note }))
    }
}
