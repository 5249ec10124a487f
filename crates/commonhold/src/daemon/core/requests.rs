//! A program of the owner's wants something.

use api::{
    Consent, Doctor, EventKind, Fault, InboxEntry, InboxState, Kind, NewQuestion, Problem,
    Question, QuestionState, Reply, Request, Status, Traffic, Verdict, Word,
};

use super::{Core, UpError, short};
use crate::config::Config;
use crate::daemon::folder::disk_free;
use crate::daemon::ledger::Ledger;
use crate::daemon::{checks, hearing};
use crate::home::CONSENT;
use crate::keeper::Errand;
use crate::log::Level;

/// Questions that wait to be announced.
const ASKING_MAX: usize = 64;
/// Longest waits that an asker may want, in seconds: the node's own limits are lower and say why.
const SECS_MAX: u64 = 366 * 86_400;

impl Core {
    pub(super) async fn request(&mut self, request: Request) -> Result<(), UpError> {
        match request {
            Request::Status(reply) => drop(reply.send(Ok(self.status()))),
            Request::Doctor(reply) => drop(reply.send(Ok(Doctor {
                checks: self.checks(),
            }))),
            // The loop ends on it.
            Request::Shutdown(reply) => drop(reply.send(Ok(()))),
            Request::Ask(new, reply) => self.ask(new, reply).await?,
            Request::Questions(reply) => drop(reply.send(Ok(self.ledger.asked()))),
            Request::Question(id, reply) => drop(reply.send(self.ledger.question(&id).cloned())),
            Request::Cancel(id, reply) => {
                let cancelled = self.cancel(&id).await?;
                drop(reply.send(cancelled));
            }
            Request::Proof(id, reply) => self.proof(&id, reply)?,
            Request::Inbox(reply) => drop(reply.send(Ok(self.ledger.inbox(self.now())))),
            Request::Decide(id, decision, reply) => {
                let decided = self.decide(&id, decision.answer).await?;
                drop(reply.send(decided));
            }
            Request::Consent(reply) => drop(reply.send(Ok(self.consent()))),
            Request::SetConsent(new, reply) => {
                let (command, rule) = hearing::set_rule(new.rule);
                self.rule = rule;
                if new.forget_standing {
                    self.ledger.forget_standing();
                }
                self.keeper.send(Errand::Set(CONSENT, rule.to_string()))?;
                self.command(command).await?;
                self.say(Level::Info, &format!("the rule is {rule} now"));
                drop(reply.send(Ok(self.consent())));
            }
        }
        Ok(())
    }

    async fn ask(&mut self, new: NewQuestion, reply: Reply<Question>) -> Result<(), UpError> {
        let longest = new.consent_secs.max(new.collect_secs.unwrap_or(0));
        if longest > SECS_MAX {
            let fault = Fault::new(
                Kind::Request,
                "no question may take so long",
                "give at most 30 days",
            );
            drop(reply.send(Err(fault)));
        } else if self.asking.len() >= ASKING_MAX {
            let fault = Fault::new(
                Kind::Busy,
                "too many questions wait to be announced",
                "try again",
            );
            drop(reply.send(Err(fault)));
        } else {
            let command = hearing::ask(&new, self.config.collect_secs);
            self.asking.push_back((new, reply));
            self.command(command).await?;
        }
        Ok(())
    }

    /// Calls a question off. Once helpers are being drawn, others already act on it.
    async fn cancel(&mut self, id: &str) -> Result<Result<Question, Fault>, UpError> {
        let question = match self.ledger.question(id) {
            Ok(question) => question.clone(),
            Err(fault) => return Ok(Err(fault)),
        };
        let error = match question.state {
            QuestionState::Announced => {
                if let Some(command) = hearing::cancel(&question.id) {
                    self.command(command).await?;
                }
                return Ok(Ok(question));
            }
            state if state.is_over() => "this question is over",
            _ => "helpers are drawn for this question; it cannot be called off any more",
        };
        let advice = "leave it; nobody but you sees its answer";
        Ok(Err(Fault::new(Kind::Late, error, advice)))
    }

    fn proof(&self, id: &str, reply: Reply<Vec<u8>>) -> Result<(), UpError> {
        let question = match self.ledger.question(id) {
            Ok(question) if question.state == QuestionState::Answered => question,
            Ok(_) => {
                let fault = Fault::new(
                    Kind::Unknown,
                    "this question has no answer",
                    "see how far it is",
                );
                drop(reply.send(Err(fault)));
                return Ok(());
            }
            Err(fault) => {
                drop(reply.send(Err(fault)));
                return Ok(());
            }
        };
        let (recalled, proof) = tokio::sync::oneshot::channel();
        self.keeper
            .send(Errand::Recall(Ledger::proof_key(&question.id), recalled))?;
        tokio::spawn(async move {
            let lost = || {
                Fault::new(
                    Kind::Failed,
                    "the proof cannot be read",
                    "see the node's log",
                )
            };
            let proof = proof.await.ok().flatten();
            drop(reply.send(proof.ok_or_else(lost)));
        });
        Ok(())
    }

    async fn decide(&mut self, id: &str, word: Word) -> Result<Result<InboxEntry, Fault>, UpError> {
        let decided = match self.ledger.decide(id, word, self.now()) {
            Ok(decided) => decided,
            Err(fault) => return Ok(Err(fault)),
        };
        let yes = decided.state == InboxState::Yes;
        if let Some(command) = hearing::consent(&decided.id, yes) {
            self.command(command).await?;
        }
        let text = if yes {
            "the owner takes part"
        } else {
            "the owner stays out"
        };
        self.say(
            Level::Info,
            &format!("question {}: {text}", short(&decided.id)),
        );
        self.tell(EventKind::Inbox, Some(&decided.id), text);
        Ok(Ok(decided))
    }

    fn consent(&self) -> Consent {
        Consent {
            rule: hearing::rule(self.rule),
            standing: self.ledger.standing().to_vec(),
        }
    }

    fn checks(&self) -> Vec<api::Check> {
        let Config {
            folder,
            disk_free_min_mib,
            peers,
            ..
        } = &self.config;
        let others = self.known.saturating_sub(1) as u64;
        let nodes = self.community.descriptor().nodes;
        let listens = format!("the node listens on {}", self.host.local_addr());
        vec![
            checks::clock(
                self.host.now(),
                net::Clock::start().now(),
                &self.identity.certificate,
            ),
            checks::disk(folder, *disk_free_min_mib),
            checks::permissions(folder),
            checks::works("vault", "it is open"),
            checks::works("port", &listens),
            checks::reach(&self.announced),
            checks::peers(others, nodes, !peers.is_empty()),
        ]
    }

    fn status(&self) -> Status {
        let problems = self
            .checks()
            .into_iter()
            .filter(|check| check.verdict != Verdict::Ok);
        let descriptor = self.community.descriptor();
        let counters = self.host.counters();
        let now = self.now();
        Status {
            problems: problems
                .map(|check| Problem {
                    what: format!("{}: {}", check.name, check.found),
                    what_to_do: check.what_to_do,
                })
                .collect(),
            node: self.host.node().to_string(),
            community: api::Community {
                name: descriptor.name.clone(),
                epoch: descriptor.epoch,
                nodes: descriptor.nodes,
                colluders: descriptor.colluders,
                min_crowd: descriptor.min_crowd,
                tables: descriptor
                    .vocabulary
                    .iter()
                    .map(|table| table.name.clone())
                    .collect(),
            },
            listens: self.host.local_addr().to_string(),
            announces: self.announced.iter().map(ToString::to_string).collect(),
            folder: self.config.folder.display().to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            peers_known: self.known.saturating_sub(1) as u64,
            traffic: Traffic {
                connections: counters.connections,
                messages_in: counters.messages_in,
                messages_out: counters.messages_out,
                bytes_in: counters.bytes_in,
                bytes_out: counters.bytes_out,
                dropped: counters.dropped,
                refused: counters.refused,
            },
            started_at: self.since.as_secs(),
            now,
            disk_free_bytes: disk_free(&self.config.folder),
            questions: self.ledger.counts(now),
            rule: hearing::rule(self.rule),
        }
    }
}
