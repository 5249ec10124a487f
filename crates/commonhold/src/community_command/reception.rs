//! Letting people in over the network: who runs a node beside the key that certifies answers their requests.

use std::path::PathBuf;

use base::{NodeId, decode, encode};
use community::{JOIN_REQUEST_BYTES_MAX, JoinAnswer, JoinRequest, SignedDescriptor};
use crypto::SigningKey;

use super::Failure;
use super::folder::Folder;
use super::issuing::Desk;
use super::options::Secret;

/// The key that certifies, unlocked, and its folder.
pub struct Reception {
    folder: PathBuf,
    key: SigningKey,
}

/// What came of one request.
pub struct Received {
    /// For the newcomer.
    pub answer: Vec<u8>,
    /// For the log.
    pub note: String,
}

impl Reception {
    /// Unlocks the key in this folder.
    ///
    /// # Errors
    ///
    /// No such folder, or the wrong passphrase.
    pub fn open(folder: &std::path::Path, secret: &Secret) -> Result<Self, Failure> {
        let folder = Folder::find(Some(folder))?;
        let passphrase = secret.given().known("the key that lets people in")?;
        let key = folder.issuing_key(&folder.community()?, &passphrase)?;
        Ok(Self {
            folder: folder.path().to_path_buf(),
            key,
        })
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
        let mut desk = Desk::at(Folder::at(&self.folder), self.key.clone())?;
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
