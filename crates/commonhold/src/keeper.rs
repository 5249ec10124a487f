//! The vault on a thread of its own: disks are slow, and the network must not wait for them.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use base::Digest;
use node::{Command, Event};
use question::{LocalRow, Question};
use tokio::sync::mpsc as channel;
use tokio::sync::oneshot;
use vault::{Vault, VaultError};

/// What the vault is to do, in order.
pub enum Errand {
    /// Run a question's local part.
    Measure(Digest, Box<Question>),
    /// Store an entry of the node's journal.
    Store(u64, Vec<u8>, Vec<u8>),
    /// Forget an entry of the node's journal.
    Forget(Vec<u8>),
    /// Set a setting.
    Set(&'static str, String),
    /// Remember something of the owner's, or forget it.
    Remember(Vec<u8>, Option<Vec<u8>>),
    /// Say what is remembered.
    Recall(Vec<u8>, oneshot::Sender<Option<Vec<u8>>>),
}

/// What came of it.
pub enum Kept {
    /// The node is to hear this.
    Tell(Command),
    /// Something went wrong that the node can bear.
    Note(String),
}

/// The thread. It ends when this is dropped and everything is done.
pub struct Keeper {
    errands: mpsc::Sender<Errand>,
    thread: JoinHandle<()>,
}

/// The vault cannot be written any more: the node could not keep its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the vault cannot be written; check the free space and the log")]
pub struct Broken;

impl Keeper {
    /// Starts the thread. What comes of errands comes out of the receiver, which ends when the thread does.
    pub fn start(mut vault: Vault) -> (Self, channel::UnboundedReceiver<Kept>) {
        let (errands, orders) = mpsc::channel();
        let (sender, done) = channel::unbounded_channel();
        let thread = thread::spawn(move || {
            for errand in orders {
                match run(&mut vault, errand) {
                    Ok(None) => {}
                    Ok(Some(kept)) => drop(sender.send(kept)),
                    Err(why) => {
                        drop(sender.send(Kept::Note(why.to_string())));
                        return;
                    }
                }
            }
        });
        (Self { errands, thread }, done)
    }

    /// Gives it an errand.
    pub fn send(&self, errand: Errand) -> Result<(), Broken> {
        self.errands.send(errand).map_err(|_| Broken)
    }

    /// Waits until everything is done. Blocks.
    pub fn finish(self) -> Result<(), Broken> {
        drop(self.errands);
        self.thread.join().map_err(|_| Broken)
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

/// Fails when the node could not keep its word.
fn run(vault: &mut Vault, errand: Errand) -> Result<Option<Kept>, VaultError> {
    let kept = match errand {
        Errand::Measure(question, parsed) => match vault.answer(&parsed) {
            Ok(row) => Some(Kept::Tell(Command::Measured { question, row })),
            // Who has no such table does not match, like everybody else who does not.
            Err(VaultError::NoTable(_)) => Some(Kept::Tell(Command::Measured {
                question,
                row: LocalRow::NoRow,
            })),
            // A made-up answer would be wrong: the owner counts as away.
            Err(why) => Some(Kept::Note(format!(
                "question {question:?} is left alone: {why}"
            ))),
        },
        Errand::Store(number, key, value) => {
            vault.journal_put(&key, &value)?;
            Some(Kept::Tell(Command::Stored(number)))
        }
        // What is left over is only looked at again.
        Errand::Forget(key) => noted(vault.journal_remove(&key)),
        Errand::Set(name, value) => {
            vault.set_setting(name, &value)?;
            None
        }
        Errand::Remember(key, Some(value)) => noted(vault.remember(&key, &value)),
        Errand::Remember(key, None) => noted(vault.forget(&key)),
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

fn noted(result: Result<(), VaultError>) -> Option<Kept> {
    let why = result.err()?;
    Some(Kept::Note(format!(
        "the list of questions is not kept: {why}"
    )))
}
