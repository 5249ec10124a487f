//! The node has said something.

use tokio::sync::oneshot;

use api::{ConsentStep, EventKind, Fault, InboxEntry, InboxState, Kind, Question, QuestionState};

use super::consenting::{came, decided, step};
use super::{Core, UpError, short};
use crate::budget::words;
use crate::counted::counted;
use crate::daemon::hearing::{News, Ruled, news};
use crate::daemon::ledger::{Ledger, Received};
use crate::daemon::shown;
use crate::keeper::{Errand, errand_of};
use crate::log::Level;

impl Core {
    pub(super) async fn heard(&mut self, event: node::Event) -> Result<(), UpError> {
        if let node::Event::Measure { question, parsed } = &event {
            self.sends(&question.to_string(), parsed)?;
        }
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
            News::Contacts(there) => {
                let now = self.now();
                if let Some((key, value)) = self.contacts.meet(now, there) {
                    self.keeper.send(Errand::Remember(key, value))?;
                }
            }
            News::Known(nodes) => {
                let lost = nodes <= 1 && self.known > 1;
                self.known = nodes;
                self.contacts.changed();
                if lost {
                    self.say(Level::Warn, "no other member is known any more");
                    self.join().await?;
                }
                let others = nodes.saturating_sub(1);
                let others = counted(others, "other member is", "other members are");
                let text = format!("{others} known");
                self.say(Level::Debug, &text);
                self.tell(EventKind::Peers, None, text);
            }
            News::NotAsked(fault, why) => {
                if let Some((_, reply)) = self.asking.pop_front() {
                    drop(reply.send(Err(fault)));
                }
                let text = format!("a question of this node was not put: {why}");
                self.say(Level::Info, &text);
            }
            News::Announced(id, note) => self.announced(&id, note)?,
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
                asker_since,
                sql,
                about,
                smallest_crowd,
                purpose,
                until,
                ruled,
            } => {
                let state = match ruled {
                    Some(Ruled { yes: true, .. }) => InboxState::Yes,
                    Some(Ruled { yes: false, .. }) => InboxState::No,
                    None => InboxState::Waiting,
                };
                let received_at = self.now();
                let entry = InboxEntry {
                    id,
                    asker,
                    asker_since: Some(asker_since),
                    sql,
                    about: Some(*about),
                    smallest_crowd: Some(smallest_crowd),
                    purpose,
                    received_at,
                    until,
                    state,
                    by_rule: ruled.is_some(),
                    rule: ruled.and_then(|ruled| ruled.rule),
                    sent_at: None,
                    contributed_at: None,
                    note: String::new(),
                };
                self.receive(entry)?;
            }
            News::OverBudget(id) => {
                let limit = self.standing.budget.map_or(String::new(), |budget| {
                    let period = budget.period.as_secs();
                    format!(" of {}", words(budget.questions as u64, period))
                });
                let note = format!("refused: your budget{limit} is spent");
                self.ledger.over_budget(&id, note.clone());
                self.log_consent(step(ConsentStep::OverBudget, Some(&id), &note))?;
                self.say(Level::Warn, &format!("question {}: {note}", short(&id)));
                self.tell(EventKind::Inbox, Some(&id), note);
            }
            News::Budget(spent) => {
                self.spent = spent;
                if let Some(reply) = self.budgeting.pop_front() {
                    self.reply_kept(reply, Ok(self.budget()))?;
                }
            }
            News::Contributed(id) => {
                let now = self.now();
                if self.ledger.contributed(&id, now) {
                    let text = "a helper has taken this node's contribution";
                    self.log_consent(step(ConsentStep::Taken, Some(&id), text))?;
                    self.say(Level::Debug, &format!("question {}: {text}", short(&id)));
                    self.tell(EventKind::Inbox, Some(&id), text);
                }
            }
            News::Helping(mut helping) => {
                helping.at = self.now();
                let text = shown::helps(&helping);
                self.say(
                    Level::Debug,
                    &format!("question {}: {text}", short(&helping.id)),
                );
                self.tell(EventKind::Helping, Some(&helping.id), text);
                self.ledger.help(helping);
            }
            News::Published(published, proof) => self.published(*published, proof),
            News::NotPublished(id, fault) => self.not_published(&id, fault),
            News::CalledOff(id) => {
                self.ledger.call_off(&id);
                let note = "called off by its asker";
                self.log_consent(step(ConsentStep::CalledOff, Some(&id), note))?;
                self.say(Level::Info, &format!("question {}: {note}", short(&id)));
                self.tell(EventKind::Question, Some(&id), note);
            }
            News::Echo => self.revoked()?,
            News::Left => self.left = true,
            News::Amended(signed) => self.amended(&signed),
            News::Contradicted(both) => self.contradicted(&both),
            News::Namesake(contact) => self.meet_namesake(&contact),
            News::Misbehaved(text) if self.is_clock_sure() => self.say(Level::Warn, &text),
            News::Misbehaved(text) => {
                let text = format!("not to be believed, as this node's clock may be wrong: {text}");
                self.say(Level::Debug, &text);
            }
            News::Noted(text, true) => self.say(Level::Warn, &text),
            News::Noted(text, false) => self.say(Level::Debug, &text),
        }
        Ok(())
    }

    fn announced(&mut self, id: &str, note: String) -> Result<(), UpError> {
        if !self
            .ledger
            .further(id, QuestionState::Announced, note.clone())
            && let Some((new, reply)) = self.asking.pop_front()
        {
            let now = self.now();
            let question = Question {
                id: id.to_owned(),
                title: self.title(&new.sql),
                sql: new.sql,
                purpose: new.purpose,
                asked_at: now,
                consent_until: now + new.consent_secs,
                state: QuestionState::Announced,
                note: note.clone(),
                answer: None,
                published: false,
            };
            self.ledger.ask(question.clone());
            self.write()?;
            // It is said to be put once it would outlive a crash: what the vault does, it does in order.
            let (recalled, kept) = oneshot::channel();
            let key = Ledger::asked_key(id);
            self.keeper.send(Errand::Recall(key, recalled))?;
            tokio::spawn(async move {
                let fault = || {
                    Fault::new(
                        Kind::Failed,
                        "the question is put, but the vault cannot be written: if the node stops, it is forgotten",
                        "free some space on its disk; see: commonhold status",
                    )
                };
                let kept = kept.await.ok().flatten();
                drop(reply.send(kept.map(|_| question).ok_or_else(fault)));
            });
        }
        self.say(Level::Info, &format!("question {}: {note}", short(id)));
        self.tell(EventKind::Question, Some(id), note);
        Ok(())
    }

    /// A question of ours in a line of plain words.
    fn title(&self, sql: &str) -> String {
        let descriptor = self.community.descriptor();
        let parsed = question::Question::parse(sql, &descriptor.vocabulary, descriptor.nodes);
        parsed.map_or(String::new(), |parsed| parsed.title().to_owned())
    }

    fn further(&mut self, id: &str, state: QuestionState, note: String) {
        self.ledger.further(id, state, note.clone());
        self.say(Level::Info, &format!("question {}: {note}", short(id)));
        self.tell(EventKind::Question, Some(id), note);
    }

    fn receive(&mut self, entry: InboxEntry) -> Result<(), UpError> {
        let (id, state) = (entry.id.clone(), entry.state);
        let received = self.ledger.receive(entry.clone());
        match received {
            Received::Known => return Ok(()),
            Received::New => self.log_consent(came(&entry))?,
            Received::Changed => self.log_consent(decided(&entry))?,
        }
        let text = match (received, state) {
            (Received::New, InboxState::Waiting) => "came, and waits for the owner's word",
            (Received::New, InboxState::Yes) => "came, and the owner's rules say yes",
            (Received::New, _) => "came, and the owner's rules say no",
            (_, InboxState::Waiting) => "waits for the owner's word now",
            (_, InboxState::Yes) => "is decided: the owner's rules say yes now",
            (_, _) => "is decided: the owner's rules say no now",
        };
        self.say(Level::Info, &format!("question {} {text}", short(&id)));
        self.tell(EventKind::Inbox, Some(&id), text);
        Ok(())
    }
}
