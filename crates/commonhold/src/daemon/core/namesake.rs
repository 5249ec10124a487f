//! Another node under this one's name: a copy of the folder, or a backup that was restored while this one goes on.
//!
//! Two such nodes contribute to one question each, and members hear now the one, now the other. So whoever starts looks first
//! where it ran before; and whoever hears of addresses under its own name that are not its own dials them. Where somebody
//! answers with the same key, who has started later stops, and who was there first tells its owner.
//!
//! What cannot be seen: a copy at an address that nobody reaches, and one in a part of the network that is cut off.

use std::net::SocketAddr;

use base::{Duration, Instant, decode, encode};
use community::Contact;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vault::{Vault, VaultError};

use super::{Core, UpError};
use crate::keeper::Errand;
use crate::log::Level;

/// The vault's entry with where this node was told to be, the last time it ran.
const KEY: &[u8] = b"own";
/// Longest entry: eight addresses.
const BYTES_MAX: usize = 512;
/// How long a node that starts waits for an answer from where it ran before. The look itself goes on. Guess: two round trips
/// around the world.
const BEFORE_JOINING: Duration = Duration::from_secs(1);

/// What is known of another one.
pub struct Namesake {
    /// When this node began to say where it is.
    issued: Instant,
    /// Somebody is being dialled.
    looking: Option<JoinHandle<Option<Found>>>,
    /// Where one was found that has started later.
    known: Option<String>,
}

/// One that answered.
pub struct Found {
    issued: Instant,
    at: String,
}

impl Namesake {
    /// Nobody is known.
    pub fn of(issued: Instant) -> Self {
        Self {
            issued,
            looking: None,
            known: None,
        }
    }

    /// This node has started again.
    pub fn began(&mut self, issued: Instant) {
        self.issued = issued;
    }

    /// Where one was found that has started later.
    pub fn known(&self) -> Option<&str> {
        self.known.as_deref()
    }

    /// Nobody is dialled any more: the one that dials has ended.
    pub fn stop_looking(&mut self) {
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
    }

    /// Waits for what comes of a look, for ever if there is none.
    pub async fn found(&mut self) -> Option<Found> {
        let Some(looking) = &mut self.looking else {
            return std::future::pending().await;
        };
        let found = looking.await.ok().flatten();
        self.looking = None;
        found
    }
}

/// Where this node was told to be, the last time it ran, as far as this vault knows.
pub fn ran_at(vault: &Vault) -> Result<Vec<SocketAddr>, VaultError> {
    let bytes = vault.recall(KEY)?;
    let ran_at = bytes.and_then(|bytes| decode(&bytes, BYTES_MAX).ok());
    Ok(ran_at.unwrap_or_default())
}

impl Core {
    /// Looks whether the node runs where it ran before, and stops if so. Does not wait long: usually nobody is there any more,
    /// and nobody says so.
    pub(super) async fn look_where_it_ran(&mut self, ran_at: &[SocketAddr]) -> Result<(), UpError> {
        self.look(Instant(0), ran_at);
        if self.namesake.looking.is_none() {
            return self.keep_own_addresses();
        }
        match timeout(BEFORE_JOINING, self.namesake.found()).await {
            Ok(found) => self.know_namesake(found),
            Err(_) => Ok(()),
        }
    }

    /// From now on this node is to be found at its addresses.
    fn keep_own_addresses(&self) -> Result<(), UpError> {
        let errand = Errand::Remember(KEY.to_vec(), Some(encode(&self.announced)));
        Ok(self.keeper.send(errand)?)
    }

    /// Somebody knows other addresses under this node's name: perhaps of an earlier run.
    pub(super) fn meet_namesake(&mut self, contact: &Contact) {
        self.look(contact.issued(), contact.addresses());
    }

    /// Dials what is not this run's own, one look at a time.
    fn look(&mut self, issued: Instant, told: &[SocketAddr]) {
        let others = others(told, &self.announced, self.host.local_addr());
        if others.is_empty() || self.namesake.looking.is_some() {
            return;
        }
        let host = self.host.clone();
        self.namesake.looking = Some(tokio::spawn(async move {
            let found = host.is_elsewhere(&others).await.ok()?;
            let at = words(&others);
            found.then_some(Found { issued, at })
        }));
    }

    /// Stops, if it has started later than the other one. Where nobody was found, others may be told where it is.
    pub(super) fn know_namesake(&mut self, found: Option<Found>) -> Result<(), UpError> {
        let Some(Found { issued, at }) = found else {
            return self.keep_own_addresses();
        };
        if issued <= self.namesake.issued {
            return Err(UpError::Elsewhere(at));
        }
        let text = format!("the same node was started at {at} as well: see commonhold status");
        self.say(Level::Error, &text);
        self.namesake.known = Some(at);
        Ok(())
    }
}

/// Those that are not this run's own.
fn others(told: &[SocketAddr], announced: &[SocketAddr], local: SocketAddr) -> Vec<SocketAddr> {
    let others = told.iter().copied();
    let others = others.filter(|address| !announced.contains(address) && *address != local);
    others.collect()
}

fn words(addresses: &[SocketAddr]) -> String {
    let words: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    words.join(" or ")
}
