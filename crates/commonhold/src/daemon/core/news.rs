//! The node has said something.

use api::{EventKind, InboxEntry, InboxState, Question, QuestionState};

use super::{Core, UpError, short};
use crate::daemon::hearing::{self, News, news};
use crate::daemon::ledger::state_of;
use crate::keeper::errand_of;
use crate::log::Level;

impl Core {
    pub(super) async fn heard(&mut self, event: node::Event) -> Result<(), UpError> {
        match errand_of(event) {
            Ok(errand) => self.keeper.send(errand)?,
            Err(event) => {
                if let Some(news) = news(event) {
                    self.news(news).await?;
                }
            }
        }
        Ok(())
    }

    async fn news(&mut self, news: News) -> Result<(), UpError> {
        match news {
            News::Known(nodes) => {
                self.known = nodes;
                let others = nodes.saturating_sub(1);
                self.say(Level::Debug, &format!("{others} other members are known"));
                self.tell(
                    EventKind::Peers,
                    None,
                    format!("{others} other members are known"),
                );
            }
            News::NotAsked(fault) => {
                if let Some((_, reply)) = self.asking.pop_front() {
                    drop(reply.send(Err(fault)));
                }
                self.say(Level::Info, "a question of this node was not put");
            }
            News::Announced(id, note) => self.announced(&id, note),
            News::Further(id, state, note) => self.further(&id, state, note),
            News::Answered(id, answer, proof) => {
                let text = answer.summary.clone();
                self.ledger.answered(&id, answer, proof);
                self.say(Level::Info, &format!("question {}: answered", short(&id)));
                self.tell(EventKind::Question, Some(&id), format!("answered: {text}"));
            }
            News::Wanted {
                id,
                asker,
                sql,
                purpose,
                until,
                ruled,
            } => {
                let standing = self.ledger.standing_word(&asker, &sql);
                let (state, by_rule) = match ruled {
                    Some(true) => (InboxState::Yes, true),
                    Some(false) => (InboxState::No, true),
                    None => state_of(hearing::rule(self.rule), standing),
                };
                let received_at = self.now();
                self.receive(InboxEntry {
                    id: id.clone(),
                    asker,
                    sql,
                    purpose,
                    received_at,
                    until,
                    state,
                    by_rule,
                });
                let is_to_be_told = by_rule && ruled.is_none();
                if is_to_be_told
                    && let Some(command) = hearing::consent(&id, state == InboxState::Yes)
                {
                    self.command(command).await?;
                }
            }
            News::CalledOff(id) => {
                self.ledger.call_off(&id);
                let note = "called off by its asker";
                self.say(Level::Info, &format!("question {}: {note}", short(&id)));
                self.tell(EventKind::Question, Some(&id), note);
            }
            News::Noted(text, true) => self.say(Level::Warn, &text),
            News::Noted(text, false) => self.say(Level::Debug, &text),
        }
        Ok(())
    }

    fn announced(&mut self, id: &str, note: String) {
        if !self
            .ledger
            .further(id, QuestionState::Announced, note.clone())
            && let Some((new, reply)) = self.asking.pop_front()
        {
            let now = self.now();
            let question = Question {
                id: id.to_owned(),
                sql: new.sql,
                purpose: new.purpose,
                asked_at: now,
                consent_until: now + new.consent_secs,
                state: QuestionState::Announced,
                note: note.clone(),
                answer: None,
            };
            self.ledger.ask(question.clone());
            drop(reply.send(Ok(question)));
        }
        self.say(Level::Info, &format!("question {}: {note}", short(id)));
        self.tell(EventKind::Question, Some(id), note);
    }

    fn further(&mut self, id: &str, state: QuestionState, note: String) {
        self.ledger.further(id, state, note.clone());
        self.say(Level::Info, &format!("question {}: {note}", short(id)));
        self.tell(EventKind::Question, Some(id), note);
    }

    fn receive(&mut self, entry: InboxEntry) {
        let (id, state) = (entry.id.clone(), entry.state);
        if self.ledger.receive(entry) {
            let text = match state {
                InboxState::Waiting => "came, and waits for the owner's word",
                InboxState::Yes => "came, and the owner's rule says yes",
                InboxState::No | InboxState::Missed | InboxState::CalledOff => {
                    "came, and the owner's rule says no"
                }
            };
            self.say(Level::Info, &format!("question {} {text}", short(&id)));
            self.tell(EventKind::Inbox, Some(&id), text);
        }
    }
}
