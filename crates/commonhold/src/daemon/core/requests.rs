//! A program of the owner's wants something.

use api::{
    Check, Fault, Kind, NewQuestion, Problem, Question, QuestionState, ReachState, Reply, Request,
    Status, Traffic, Verdict,
};
use base::NodeId;

use super::{Core, UpError, holding};
use crate::config::Config;
use crate::daemon::folder::disk_free;
use crate::daemon::ledger::Ledger;
use crate::daemon::{checks, hearing, keys};
use crate::keeper::Errand;

/// Questions that wait to be announced.
const ASKING_MAX: usize = 64;
/// Longest waits that an asker may want, in seconds: the node's own limits are lower and say why.
const SECS_MAX: u64 = 366 * 86_400;

/// How long a node that has started takes to find the others, in seconds, and some to spare.
const SETTLED_SECS: u64 = 90;
const DAY_SECS: u64 = 86_400;

impl Core {
    pub(super) async fn request(&mut self, request: Request) -> Result<(), UpError> {
        match request {
            Request::Status(reply) => drop(reply.send(Ok(self.status()))),
            Request::Doctor(reply) => self.doctor(reply)?,
            Request::ConsentLog(from, reply) => self.consent_log(from, reply)?,
            Request::Revoke(revoke, reply) => self.revoke(revoke, reply).await?,
            // The loop ends on it.
            Request::Shutdown(reply) => drop(reply.send(Ok(()))),
            Request::Leave(reply) => {
                self.leaving = Some(reply);
                self.command(node::Command::Leave).await?;
            }
            Request::Ask(new, reply) => self.ask(new, reply).await?,
            Request::Questions(reply) => drop(reply.send(Ok(self.ledger.asked()))),
            Request::Question(id, reply) => drop(reply.send(self.ledger.question(&id).cloned())),
            Request::Cancel(id, reply) => {
                let cancelled = self.cancel(&id).await?;
                drop(reply.send(cancelled));
            }
            Request::Proof(id, reply) => self.proof(&id, reply)?,
            Request::Publish(id, reply) => self.publish(&id, reply)?,
            Request::Published(reply) => drop(reply.send(Ok(self.ledger.all_published()))),
            Request::Helping(reply) => drop(reply.send(Ok(self.ledger.helping()))),
            Request::Inbox(reply) => drop(reply.send(Ok(self.ledger.inbox(self.now())))),
            Request::Decide(id, decision, reply) => {
                let decided = self.decide(&id, decision.answer).await?;
                self.reply_kept(reply, decided)?;
            }
            Request::Rules(reply) => drop(reply.send(Ok(self.rules()))),
            Request::AddRule(new, reply) => {
                let added = self.add_rule(new).await?;
                self.reply_kept(reply, added)?;
            }
            Request::RemoveRule(number, reply) => {
                let left = self.remove_rule(number).await?;
                self.reply_kept(reply, left)?;
            }
            Request::SetDefault(new, reply) => {
                self.set_default(new.says).await?;
                self.reply_kept(reply, Ok(self.rules()))?;
            }
            Request::Vocabulary(reply) => drop(reply.send(Ok(self.vocabulary()))),
            Request::Preview(id, reply) => self.preview(&id, reply)?,
            Request::Check(id, reply) => self.check(&id, reply)?,
            request @ (Request::Join(..) | Request::Receive(_) | Request::Restore(..)) => {
                let error = "this node belongs to a community already";
                let what_to_do = "use another folder for another one: commonhold open --dir DIR";
                request.refuse(Fault::new(Kind::Late, error, what_to_do));
            }
            Request::Budget(reply) => drop(reply.send(Ok(self.budget()))),
            Request::SetBudget(new, reply) => {
                self.set_budget(new.limit, reply).await?;
            }
            other => {
                let tables = &self.community.descriptor().vocabulary;
                let now = self.now().cast_signed();
                if let Some(other) = holding::serve(&self.keeper, tables, now, other)? {
                    keys::serve(&self.keeper, &self.home, &self.config, other)?;
                }
            }
        }
        Ok(())
    }

    /// Replies once the vault has what it was given so far: an owner's word of which the owner was told outlives a crash, or
    /// the owner is told that it does not.
    pub(super) fn reply_kept<T: Send + 'static>(
        &self,
        reply: Reply<T>,
        said: Result<T, Fault>,
    ) -> Result<(), UpError> {
        let settled = self.keeper.settled()?;
        tokio::spawn(async move {
            let is_kept = settled.await.unwrap_or(false);
            drop(reply.send(match said {
                Ok(_) if !is_kept => Err(Fault::new(
                    Kind::Failed,
                    "it holds now, but the vault cannot be written: when the node stops, it is forgotten",
                    "free some space on its disk, and say it again; see: commonhold status",
                )),
                said => said,
            }));
        });
        Ok(())
    }

    async fn ask(&mut self, new: NewQuestion, reply: Reply<Question>) -> Result<(), UpError> {
        let longest = new.consent_secs.max(new.collect_secs.unwrap_or(0));
        let clock = self.clock();
        let own = &self.identity.certificate;
        let member = checks::community(&self.community, own, None);
        let certificate = checks::certificate(self.host.now(), own);
        let mut standing = [member, certificate].into_iter();
        if let Some(bad) = standing.find(|check| check.verdict == Verdict::Fail) {
            drop(reply.send(Err(Fault::new(Kind::Refused, bad.found, bad.what_to_do))));
        } else if clock.verdict == Verdict::Fail {
            // What it signs would be refused by all others, and nobody would say so.
            let error = format!(
                "nobody takes part while the clock is wrong: {}",
                clock.found
            );
            drop(reply.send(Err(Fault::new(Kind::Refused, error, clock.what_to_do))));
        } else if longest > SECS_MAX {
            let fault = Fault::new(
                Kind::Request,
                "no question may take so long",
                "give at most 30 days",
            );
            drop(reply.send(Err(fault)));
        } else if new.consent_secs == 0 && self.known <= 1 {
            // Nobody would hear of it before it is over.
            let fault = Fault::new(
                Kind::Busy,
                "this node has not found the other members yet, and the question would be over before it has",
                "ask again in a minute, or give owners time to decide; how many it knows: commonhold status",
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

    /// Whether this node's clock can be right.
    fn clock(&self) -> Check {
        checks::clock(
            self.host.now(),
            net::Clock::start().now(),
            &self.identity.certificate,
            self.host.clocks(),
        )
    }

    /// Whether this node's clock is right as far as it can tell: whoever judges others by a wrong one wrongs them.
    pub(super) fn is_clock_sure(&self) -> bool {
        checks::is_clock_sure(
            self.host.now(),
            net::Clock::start().now(),
            &self.identity.certificate,
            self.host.clocks(),
        )
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
        let advice = "it stays as it is; whether others see its answer is for you to say: commonhold question publish";
        Ok(Err(Fault::new(Kind::Late, error, advice)))
    }

    pub(super) fn proof(&self, id: &str, reply: Reply<Vec<u8>>) -> Result<(), UpError> {
        let id = match self.ledger.proved(id) {
            Ok(id) => id,
            Err(fault) => {
                drop(reply.send(Err(fault)));
                return Ok(());
            }
        };
        let (recalled, proof) = tokio::sync::oneshot::channel();
        self.keeper
            .send(Errand::Recall(Ledger::proof_key(id), recalled))?;
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

    pub(super) fn checks(&self) -> Vec<Check> {
        let Config {
            folder,
            disk_free_min_mib,
            ..
        } = &self.config;
        let listens = format!("the node listens on {}", self.host.local_addr());
        let mut checks = vec![
            checks::namesake(self.namesake.known()),
            checks::community(
                &self.community,
                &self.identity.certificate,
                self.contradiction,
            ),
            checks::certificate(self.host.now(), &self.identity.certificate),
            self.clock(),
            checks::disk(folder, *disk_free_min_mib),
            checks::permissions(folder),
            checks::vault(self.unwritten.as_deref()),
            checks::works("port", &listens),
            checks::reach(&self.announced, &self.reaching.shown()),
            checks::versions(&self.host.other_versions()),
        ];
        // Whoever is no member knows nobody, and waits in vain for the others.
        if checks::is_member(&self.community, &self.identity.certificate) {
            checks.push(self.peers_known());
        }
        checks.extend(checks::relay(&self.config.relays, self.host.is_at_relay()));
        if let Some(reception) = &self.reception {
            let standing = reception.standing(&self.community);
            checks.push(checks::enrolling(reception.folder(), standing));
        }
        if self.config.map_port {
            let external = self.mapping.as_ref().and_then(net::Mapping::external);
            checks.push(checks::mapping(external, &self.announced));
        }
        checks
    }

    fn peers_known(&self) -> Check {
        let others = self.known.saturating_sub(1) as u64;
        let met = self.contacts.met_within(DAY_SECS, self.now());
        let up_for = self.now().saturating_sub(self.since.as_secs());
        checks::peers(checks::Peers {
            others,
            nodes: self.community.descriptor().nodes,
            tried: self.peers().len(),
            connected: self.host.counters().connections,
            refusing: self.host.refused_by().len() as u64,
            met: met.max(others + self.host.unanswered_by().len() as u64),
            is_cut_off: up_for >= SETTLED_SECS && self.reaching.shown().reached != ReachState::Yes,
        })
    }

    fn status(&self) -> Status {
        // As it was when the node started: doctor looks at the log anew.
        let log = self.witness.as_ref().err();
        let log = log.map(|why| checks::consent_log(&Err(why.clone())));
        let problems = self
            .checks()
            .into_iter()
            .chain(log)
            .filter(|check| check.verdict != Verdict::Ok);
        let descriptor = self.community.descriptor();
        let counters = self.host.counters();
        let now = self.now();
        Status {
            problems: problems
                .map(|check| Problem {
                    verdict: check.verdict,
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
                smallest_crowd: descriptor.crowd_threshold(),
                tables: descriptor
                    .vocabulary
                    .iter()
                    .map(|table| table.name.clone())
                    .collect(),
            },
            may_ask: self.identity.certificate.rights().ask,
            enrol: self
                .reception
                .as_deref()
                .map(|it| it.folder().display().to_string()),
            listens: self.host.local_addr().to_string(),
            announces: self.announced.iter().map(ToString::to_string).collect(),
            folder: self.config.folder.display().to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            peers_known: self.known.saturating_sub(1) as u64,
            reach: self.reaching.shown(),
            relays: self.config.relays.iter().map(ToString::to_string).collect(),
            other_versions: named(&self.host.other_versions()),
            peers_remembered: self.contacts.len() as u64,
            traffic: Traffic {
                connections: counters.connections,
                messages_in: counters.messages_in,
                messages_out: counters.messages_out,
                bytes_in: counters.bytes_in,
                bytes_out: counters.bytes_out,
                dropped: counters.dropped,
                refused: counters.refused,
                slowed: counters.slowed,
                other_callers: self.host.other_callers(),
                by_purpose: self.host.flows().into_iter().map(flow).collect(),
            },
            started_at: self.since.as_secs(),
            now,
            disk_free_bytes: disk_free(&self.config.folder),
            questions: self.ledger.counts(now),
            rule: hearing::says(self.standing.rules.otherwise),
            rules: self.standing.rules.iter().count() as u64,
            budget: self.budget(),
        }
    }
}

fn flow(flow: net::Flow) -> api::Flow {
    api::Flow {
        purpose: flow.purpose.into(),
        messages_in: flow.messages_in,
        messages_out: flow.messages_out,
        bytes_in: flow.bytes_in,
        bytes_out: flow.bytes_out,
    }
}

fn named(nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(ToString::to_string).collect()
}
