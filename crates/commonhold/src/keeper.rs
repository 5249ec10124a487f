//! The vault on a thread of its own: disks are slow, and the network must not wait for them.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use base::Digest;
use node::{Command, Event};
use question::{LocalRow, Question};
use tokio::sync::mpsc as channel;
use tokio::sync::oneshot;
use vault::{Vault, VaultError};

use crate::standing::Word;
use crate::witness::Witness;

/// What the vault is to do, in order.
pub enum Errand {
    /// Run a question's local part.
    Measure(Digest, Box<Question>),
    /// Something that nothing of the node's depends on, such as looking at the owner's data.
    Run(Box<dyn FnOnce(&mut Vault) + Send>),
    /// Take the vault away and bring it back, or another one in its place; without one nothing is done any more.
    Lend(Box<dyn FnOnce(Vault) -> Option<Vault> + Send>),
    /// Store an entry of the node's journal.
    Store(u64, Vec<u8>, Vec<u8>),
    /// Add an entry to the consent log, and tell its witness. Nothing is written after it before it is: what leaves the
    /// node is in the log first.
    Log(Vec<u8>),
    /// Forget an entry of the node's journal.
    Forget(Vec<u8>),
    /// Keep a word that the owner gave once for all.
    Keep(Word),
    /// Remember something of the owner's, or forget it.
    Remember(Vec<u8>, Option<Vec<u8>>),
    /// The node runs: what was kept for the case that it could not may go.
    Started,
    /// Have the node publish the answer to this question, whose proof is remembered here.
    Publish(Digest, Vec<u8>),
    /// Say what is remembered.
    Recall(Vec<u8>, oneshot::Sender<Option<Vec<u8>>>),
    /// Say whether what was to be written last is.
    Settle(oneshot::Sender<bool>),
}

impl Errand {
    fn writes(&self) -> bool {
        match self {
            Self::Store(..)
            | Self::Log(_)
            | Self::Forget(_)
            | Self::Keep(_)
            | Self::Remember(..) => true,
            Self::Measure(..)
            | Self::Run(_)
            | Self::Lend(_)
            | Self::Started
            | Self::Publish(..)
            | Self::Recall(..)
            | Self::Settle(_) => false,
        }
    }
}

/// What came of it.
pub enum Kept {
    /// The node is to hear this.
    Tell(Command),
    /// The answer to this question cannot be published: its proof is not there.
    Unproved(Digest),
    /// The owner's data could not be asked for this question: nothing goes into its answer.
    LeftAlone(Digest, String),
    /// Something went wrong that the node can bear.
    Note(String),
    /// The vault cannot be written, for this reason: what depends on it is not done.
    Unwritten(String),
    /// It can be written again.
    Written,
}

/// The thread. It ends when this is dropped and everything is done.
pub struct Keeper {
    errands: mpsc::Sender<Errand>,
    thread: JoinHandle<()>,
}

/// Nobody sees to the vault any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the vault is not looked after any more; see the log, and start the node again")]
pub struct Broken;

impl Keeper {
    /// Starts the thread. What comes of errands comes out of the receiver, which ends when the thread does. The witness is
    /// the consent log's, unless that is broken.
    pub fn start(
        mut vault: Vault,
        witness: Option<Witness>,
    ) -> (Self, channel::UnboundedReceiver<Kept>) {
        let (errands, orders) = mpsc::channel::<Errand>();
        let (sender, done) = channel::unbounded_channel();
        let thread = thread::spawn(move || {
            let mut fails = false;
            let mut owed = Owed {
                witness,
                entries: VecDeque::new(),
            };
            for errand in orders {
                let errand = match errand {
                    Errand::Lend(borrow) => match borrow(vault) {
                        Some(back) => {
                            vault = back;
                            continue;
                        }
                        None => return,
                    },
                    Errand::Settle(reply) => {
                        reply.send(!fails).ok();
                        continue;
                    }
                    other => other,
                };
                let writes = errand.writes();
                let kept = match run(&mut vault, &mut owed, errand) {
                    Ok(kept) => {
                        if writes && std::mem::replace(&mut fails, false) {
                            drop(sender.send(Kept::Written));
                        }
                        kept
                    }
                    // A full disk may have room again later. Until then the node says nothing that it could forget.
                    Err(why) => {
                        let known = std::mem::replace(&mut fails, true);
                        (!known).then(|| Kept::Unwritten(why.to_string()))
                    }
                };
                if let Some(kept) = kept {
                    drop(sender.send(kept));
                }
            }
        });
        (Self { errands, thread }, done)
    }

    /// Gives it an errand.
    pub fn send(&self, errand: Errand) -> Result<(), Broken> {
        self.errands.send(errand).map_err(|_| Broken)
    }

    /// Waits until all that was given so far is done. Whether what was to be written last is.
    pub async fn settle(&self) -> Result<bool, Broken> {
        self.settled()?.await
    }

    /// The same, for somebody else to wait for.
    pub fn settled(&self) -> Result<impl Future<Output = Result<bool, Broken>> + use<>, Broken> {
        let (done, waiting) = oneshot::channel();
        // Errands are done in order.
        self.send(Errand::Settle(done))?;
        Ok(async { waiting.await.map_err(|_| Broken) })
    }

    /// Waits until everything is done. Blocks.
    pub fn finish(self) -> Result<(), Broken> {
        drop(self.errands);
        self.thread.join().map_err(|_| Broken)
    }
}

/// Entries for the consent log that could not be written yet.
struct Owed {
    witness: Option<Witness>,
    entries: VecDeque<Vec<u8>>,
}

impl Owed {
    fn settle(&mut self, vault: &mut Vault) -> Result<(), VaultError> {
        while let Some(entry) = self.entries.front() {
            let end = vault.log(entry)?;
            self.entries.pop_front();
            if let Some(witness) = &self.witness {
                witness.keep(end)?;
            }
        }
        Ok(())
    }
}

/// What of an event is for the vault; what is not comes back.
pub fn errand_of(event: Event) -> Result<Errand, Event> {
    match event {
        Event::Measure { question, parsed } => Ok(Errand::Measure(question, parsed)),
        Event::Store { number, key, value } => Ok(Errand::Store(number, key, value)),
        Event::Forget { key } => Ok(Errand::Forget(key)),
        other => Err(other),
    }
}

/// Fails when something could not be written.
fn run(vault: &mut Vault, owed: &mut Owed, errand: Errand) -> Result<Option<Kept>, VaultError> {
    // An entry of the log is owed even where those before it cannot be written.
    if errand.writes() && !matches!(errand, Errand::Log(_)) {
        owed.settle(vault)?;
    }
    let kept = match errand {
        Errand::Measure(question, parsed) => match vault.answer(&parsed) {
            Ok(row) => Some(Kept::Tell(Command::Measured { question, row })),
            // Who has no such table does not match, like everybody else who does not.
            Err(VaultError::NoTable(_)) => Some(Kept::Tell(Command::Measured {
                question,
                row: LocalRow::NoRow,
            })),
            // A made-up answer would be wrong: the owner counts as away.
            Err(why) => Some(Kept::LeftAlone(question, why.to_string())),
        },
        Errand::Run(run) => {
            run(vault);
            None
        }
        // Neither comes here.
        Errand::Lend(_) | Errand::Settle(_) => None,
        Errand::Store(number, key, value) => {
            vault.journal_put(&key, &value)?;
            Some(Kept::Tell(Command::Stored(number)))
        }
        Errand::Log(entry) => {
            owed.entries.push_back(entry);
            owed.settle(vault)?;
            None
        }
        Errand::Forget(key) => {
            vault.journal_remove(&key)?;
            None
        }
        Errand::Keep(word) => {
            word.keep(vault)?;
            None
        }
        Errand::Remember(key, Some(value)) => {
            vault.remember(&key, &value)?;
            None
        }
        Errand::Remember(key, None) => {
            vault.forget(&key)?;
            None
        }
        Errand::Started => vault.started().err().map(|why| Kept::Note(why.to_string())),
        Errand::Publish(question, key) => match vault.recall(&key) {
            Ok(Some(proof)) => Some(Kept::Tell(Command::Publish { question, proof })),
            Ok(None) | Err(_) => Some(Kept::Unproved(question)),
        },
        Errand::Recall(key, reply) => match vault.recall(&key) {
            Ok(value) => {
                drop(reply.send(value));
                None
            }
            Err(why) => Some(Kept::Note(why.to_string())),
        },
    };
    Ok(kept)
}
