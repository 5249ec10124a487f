//! Answers that are shown to the whole community, this node's and others'.

use api::{EventKind, Fault, Kind, Published, Question, QuestionState, Reply};

use super::{Core, UpError, short};
use crate::daemon::hearing;
use crate::daemon::ledger::Ledger;
use crate::keeper::Errand;
use crate::log::Level;

/// Most of the owner's programs that wait for something to be published.
const WAITING_MAX: usize = 64;

impl Core {
    /// Publishes an answer of this node's. The reply comes when others are told, or refused.
    pub(super) fn publish(&mut self, id: &str, reply: Reply<Question>) -> Result<(), UpError> {
        let fault = match self.ledger.question(id) {
            Ok(question) if question.published => {
                drop(reply.send(Ok(question.clone())));
                return Ok(());
            }
            Ok(question) if question.state == QuestionState::Answered => {
                let id = question.id.clone();
                match hearing::named(&id) {
                    Some(named) if self.publishing.len() < WAITING_MAX => {
                        let key = Ledger::proof_key(&id);
                        self.keeper.send(Errand::Publish(named, key))?;
                        self.publishing.push((id, reply));
                        return Ok(());
                    }
                    _ => Fault::new(
                        Kind::Busy,
                        "too many answers are being published",
                        "try again",
                    ),
                }
            }
            Ok(_) => Fault::new(
                Kind::Unknown,
                "this question has no answer",
                "see how far it is",
            ),
            Err(fault) => fault,
        };
        drop(reply.send(Err(fault)));
        Ok(())
    }

    /// An answer is published, and its proof holds.
    pub(super) fn published(&mut self, published: Published, proof: Vec<u8>) {
        let id = published.id.clone();
        let received_at = self.now();
        let summary = published.answer.summary.clone();
        let published = Published {
            received_at,
            ..published
        };
        if self.ledger.published(published, proof) {
            self.say(
                Level::Info,
                &format!("question {}: its answer is published", short(&id)),
            );
            self.tell(
                EventKind::Published,
                Some(&id),
                format!("published: {summary}"),
            );
        }
        for reply in self.waiting(&id) {
            drop(reply.send(self.ledger.question(&id).cloned()));
        }
    }

    /// An answer of ours is not published.
    pub(super) fn not_published(&mut self, id: &str, fault: Fault) {
        self.say(
            Level::Warn,
            &format!("question {}: its answer is not published", short(id)),
        );
        for reply in self.waiting(id) {
            drop(reply.send(Err(fault.clone())));
        }
    }

    fn waiting(&mut self, id: &str) -> Vec<Reply<Question>> {
        let waiting = self
            .publishing
            .extract_if(.., |(published, _)| published == id);
        waiting.map(|(_, reply)| reply).collect()
    }
}
