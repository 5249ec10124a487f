//! The community has changed, or this node's certificate: the node starts again in the later one, in the same process.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;

use api::{EventKind, Fault, Kind};
use base::{Duration, encode};
use community::{Community, Logs, SignedDescriptor};
use node::Command;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{Core, LAST_WORDS, UpError, place, welcome};
use crate::community_command::Changes;
use crate::daemon::reach::Reaching;
use crate::files;
use crate::keeper::{Keeper, Kept};
use crate::live::{self, Live};
use crate::log::Level;

/// How long a node that has learnt of a later epoch goes on in the old one. Those whom it tells ask for it.
const HAND_ON_SECS: u64 = 2;

/// How long the port may be in use after the node has ended.
const PORT_WAITS: Duration = Duration::from_secs(30);
/// Between two looks at it.
const PORT_LOOK: Duration = Duration::from_millis(50);

impl Core {
    /// Notices what `community install` has written, and hands on what the authority has.
    pub(super) async fn look_for_later(&mut self) -> Result<(), UpError> {
        let written_at = self.home.written_at();
        if written_at != self.written_at {
            match self.home.membership() {
                Ok((certificate, community)) => {
                    // What is written while it is read is looked at the next time.
                    self.written_at = written_at;
                    if certificate != self.identity.certificate
                        || community.digest() != self.community.digest()
                    {
                        // Since when the node itself knew, if it did.
                        let now = self.now();
                        self.old_since.get_or_insert(now);
                    }
                }
                // Perhaps it is being written.
                Err(why) => self.say(Level::Warn, &why.to_string()),
            }
        }
        let Some(reception) = &self.reception else {
            return Ok(());
        };
        let (looking, notes) = (Arc::clone(reception), self.notes.clone());
        spawn_blocking(move || {
            if let Some(note) = looking.keep_up() {
                drop(notes.blocking_send(note));
            }
        });
        if self.old_since.is_none() {
            let later = reception.later(self.community.descriptor().epoch);
            if !later.is_empty() {
                self.command(Command::Amend(later)).await?;
            }
        }
        Ok(())
    }

    /// Others know a later epoch; the node has checked that it follows.
    pub(super) fn amended(&mut self, signed: &SignedDescriptor) {
        match self.home.update(None, signed) {
            Ok(()) => self.old_since = Some(self.now()),
            Err(why) => {
                let text = format!("the community's later epoch cannot be kept: {why}");
                self.say(Level::Error, &text);
            }
        }
    }

    /// Keeps both where the owner finds them.
    pub(super) fn contradicted(&mut self, both: &[SignedDescriptor; 2]) {
        let Ok(descriptor) = both[0].open() else {
            return;
        };
        let epoch = descriptor.epoch;
        self.contradiction = Some(epoch);
        for (signed, letter) in both.iter().zip(["a", "b"]) {
            let path = self.evidence(epoch, letter);
            if let Err(why) = files::replace(&path, &encode(signed)) {
                self.say(
                    Level::Warn,
                    &format!("cannot write {}: {why}", path.display()),
                );
            }
        }
        let text = format!("there are two descriptors of epoch {epoch}: see commonhold status");
        self.say(Level::Error, &text);
        self.tell(EventKind::Community, None, text);
    }

    fn evidence(&self, epoch: u64, letter: &str) -> PathBuf {
        let name = format!("epoch-{epoch}-{letter}.cbor");
        self.config.folder.join(name)
    }

    /// Others are handed the later epoch first.
    pub(super) fn is_to_start_again(&self) -> bool {
        let since = self.old_since;
        since.is_some_and(|since| self.now() >= since + HAND_ON_SECS)
    }

    /// Lets the node end, and starts it with what is on the disk now. Who waits for its word is told to ask again.
    pub(super) async fn start_again(
        &mut self,
        said: &mut mpsc::Receiver<node::Event>,
    ) -> Result<mpsc::UnboundedReceiver<Kept>, UpError> {
        let listened = self.host.local_addr();
        drop(timeout(LAST_WORDS, self.keep_contacts(said)).await);
        self.host.shutdown().await;
        while let Some(event) = said.recv().await {
            self.heard(event).await?;
        }
        self.write()?;
        self.keeper.settle().await?;
        self.turn_away();

        self.written_at = self.home.written_at();
        let mut place = place(&self.config, welcome(&self.reception, &self.notes), None);
        // Others know it there.
        place.listen.set_port(listened.port());
        self.namesake.stop_looking();
        until_free(place.listen).await;
        if std::mem::take(&mut self.records) {
            let text =
                "the recording ends here: the community has changed, and the node starts again";
            self.say(Level::Warn, text);
        }
        let Live {
            host,
            events,
            vault,
            identity,
            community,
            announced,
            standing,
            mapping,
            since,
        } = live::start(&self.home, place).await?;
        let (keeper, done) = Keeper::start(vault, self.witness.as_ref().ok().cloned());
        let before = std::mem::replace(&mut self.community, community);
        self.host = host;
        self.keeper = keeper;
        self.identity = identity;
        self.announced = announced;
        self.standing = standing;
        self.mapping = mapping;
        self.known = 1;
        self.reaching = Reaching::default();
        self.other_versions = BTreeSet::new();
        self.old_since = None;
        self.namesake.began(since);
        *said = events;
        self.tell_changes(&before);
        self.join().await?;
        Ok(done)
    }

    fn turn_away(&mut self) {
        let fault = || {
            let error = "the community has changed, and the node starts again";
            Fault::new(Kind::Busy, error, "try again in a few seconds")
        };
        for (_, reply) in self.asking.drain(..) {
            drop(reply.send(Err(fault())));
        }
        for (_, reply) in self.publishing.drain(..) {
            drop(reply.send(Err(fault())));
        }
        for revoking in self.revoking.drain(..) {
            drop(revoking.reply.send(Err(fault())));
        }
        for reply in self.budgeting.drain(..) {
            drop(reply.send(Err(fault())));
        }
    }

    fn tell_changes(&mut self, before: &Arc<Community>) {
        let (old, new) = (before.descriptor(), self.community.descriptor());
        let logs = Logs::new(new.community);
        let changes = Changes::between(old, new, &logs, self.host.now());
        let mut text = match old.epoch == new.epoch {
            true => "this node has a new certificate".to_owned(),
            false => format!("the community is in epoch {} now", new.epoch),
        };
        for line in changes.lines() {
            text.push_str("; ");
            text.push_str(line.trim());
        }
        self.say(Level::Info, &text);
        self.tell(EventKind::Community, None, text);
    }
}

/// Waits until nobody has this port: whoever dials something for the node that has ended holds its socket until then. If it
/// lasts too long, binding says why.
async fn until_free(address: SocketAddr) {
    let began = tokio::time::Instant::now();
    while UdpSocket::bind(address).is_err() && began.elapsed() < PORT_WAITS {
        sleep(PORT_LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_closed_a_moment_later_is_waited_for() {
        let open = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let at = open.local_addr().expect("an address");
        let closing = tokio::spawn(async move {
            sleep(PORT_LOOK * 3).await;
            drop(open);
        });
        until_free(at).await;
        assert!(UdpSocket::bind(at).is_ok());
        closing.await.expect("it was closed");
    }
}
