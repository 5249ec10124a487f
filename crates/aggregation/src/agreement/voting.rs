//! One view: proposal, prevotes, commit votes, decision.

use std::collections::BTreeMap;

use base::{Digest, Instant, NodeId, Outbox};
use crypto::Signature;

use super::certificate::{Phase, QuorumCertificate, is_vote, sign};
use super::config::Config;
use super::message::{Decision, Justification, Lock, Message, Misbehaviour, Vote};
use super::{Agreement, Event};

/// The proposal of the current view.
pub(super) struct Proposal {
    pub(super) name: Digest,
    value: Vec<u8>,
}

/// What a leader gathers. Kept beyond the end of its view: late commit votes still decide.
pub(super) struct Lead {
    view: u64,
    name: Digest,
    value: Vec<u8>,
    prevotes: BTreeMap<u16, Signature>,
    certified: bool,
    commits: BTreeMap<u16, Signature>,
}

/// What peers say about a value. Each of these changes nothing when it finds a fault.
impl Agreement {
    pub(super) fn on_proposal(
        &mut self,
        now: Instant,
        from: NodeId,
        view: u64,
        value: Vec<u8>,
        justification: Option<&Justification>,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        if from != self.config.leader(view) {
            return Err(Misbehaviour::NotTheLeader);
        }
        if view < self.state.view || self.lock_view() >= Some(view) {
            return Ok(());
        }
        let name = self.config.check_value(&value)?;
        if let Some(known) = self.proposal.as_ref().filter(|_| view == self.state.view) {
            return if known.name == name {
                Ok(())
            } else {
                Err(Misbehaviour::Equivocation)
            };
        }
        let certified = self.config.check_justification(view, name, justification)?;
        if view > self.state.view {
            self.move_to(view);
        }
        self.enter(now, out);
        self.proposal = Some(Proposal {
            name,
            value: value.clone(),
        });
        let early = self
            .early
            .take_if(|(value, early)| *value == name && early.view == view);
        if let Some((_, certificate)) = early {
            self.commit(value, certificate, out);
        } else if certified {
            self.prevote(name, Vec::new(), out);
        } else {
            out.emit(Event::Validate {
                view,
                value: name,
                bytes: value,
            });
        }
        Ok(())
    }

    pub(super) fn on_prevote(
        &mut self,
        now: Instant,
        seat: u16,
        vote: Vote,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        let config = &self.config;
        let Some(lead) = self
            .lead
            .as_mut()
            .filter(|lead| lead.view == vote.view && !lead.certified)
        else {
            return Ok(());
        };
        lead.check(config, Phase::Prevote, seat, &vote)?;
        lead.prevotes.insert(seat, vote.signature);
        if lead.prevotes.len() == config.quorum {
            lead.certified = true;
            let certificate = certificate(lead.view, &lead.prevotes);
            let message = Message::Certified {
                value: lead.name,
                certificate,
            };
            self.send_others(&message, out);
            self.receive(now, self.me, message, out);
        }
        Ok(())
    }

    pub(super) fn on_certified(
        &mut self,
        from: NodeId,
        value: Digest,
        certificate: QuorumCertificate,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        let view = certificate.view;
        if from != self.config.leader(view) {
            return Err(Misbehaviour::NotTheLeader);
        }
        let known = self
            .early
            .as_ref()
            .map(|(_, early)| early.view)
            .max(self.lock_view());
        if view < self.state.view || known >= Some(view) {
            return Ok(());
        }
        self.config.check_prevotes(value, &certificate)?;
        let proposal = self.proposal.as_ref().filter(|_| view == self.state.view);
        match proposal {
            Some(proposal) if proposal.name == value => {
                self.commit(proposal.value.clone(), certificate, out);
            }
            Some(_) => return Err(Misbehaviour::Equivocation),
            None => self.early = Some((value, certificate)),
        }
        Ok(())
    }

    pub(super) fn on_commit(
        &mut self,
        seat: u16,
        vote: Vote,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        let config = &self.config;
        let Some(lead) = self.lead.as_mut().filter(|lead| lead.view == vote.view) else {
            return Ok(());
        };
        lead.check(config, Phase::Commit, seat, &vote)?;
        lead.commits.insert(seat, vote.signature);
        if lead.commits.len() == config.quorum {
            let certificate = certificate(lead.view, &lead.commits);
            let decision = Decision {
                value: lead.value.clone(),
                certificate,
            };
            self.send_others(&Message::Decided(decision.clone()), out);
            self.decide(decision, out);
        }
        Ok(())
    }

    pub(super) fn on_decided(
        &mut self,
        decision: Decision,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        self.config.check_decision(&decision)?;
        self.decide(decision, out);
        Ok(())
    }
}

/// What this replica says about a value.
impl Agreement {
    /// Proposes, if this replica leads this view, has not proposed in it, knows why it may and has something to propose.
    pub(super) fn propose(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let view = self.state.view;
        let spoken = self.proposal.is_some() || self.state.prevoted.is_some();
        let over = self.state.decision.is_some() || self.lock_view() >= Some(view);
        if self.config.leader(view) != self.me || spoken || over {
            return;
        }
        let Ok(justification) = self.justification() else {
            return;
        };
        let lock = self.state.lock.as_ref().map(|lock| &lock.value);
        let Some(value) = lock.or(self.candidate.as_ref()).cloned() else {
            return;
        };
        let name = (self.config.name)(&value);
        self.lead = Some(Lead {
            view,
            name,
            value: value.clone(),
            prevotes: BTreeMap::new(),
            certified: false,
            commits: BTreeMap::new(),
        });
        self.proposal = Some(Proposal {
            name,
            value: value.clone(),
        });
        self.enter(now, out);
        let message = Message::Proposal {
            view,
            value,
            justification,
        };
        let messages = self.others().map(|to| (to, message.clone())).collect();
        self.prevote(name, messages, out);
    }

    /// Why this replica may propose its lock, or else what it likes, in this view. `Err` while too few are known to have
    /// moved here.
    fn justification(&self) -> Result<Option<Justification>, TooFew> {
        if self.state.view == 0 {
            return Ok(None);
        }
        let here = self
            .statements
            .iter()
            .filter(|(_, s)| s.view == self.state.view);
        let statements: Vec<_> = here
            .take(self.config.quorum)
            .map(|(&seat, s)| (seat, s.clone()))
            .collect();
        if statements.len() < self.config.quorum {
            return Err(TooFew);
        }
        let certificate = self
            .state
            .lock
            .as_ref()
            .map(|lock| lock.certificate.clone());
        Ok(Some(Justification {
            statements,
            certificate,
        }))
    }

    /// Prevotes `value`, unless this replica has voted otherwise in this view. `first` is sent before the vote.
    pub(super) fn prevote(
        &mut self,
        value: Digest,
        first: Vec<(NodeId, Message)>,
        out: &mut Outbox<Self>,
    ) {
        let view = self.state.view;
        let otherwise = self
            .state
            .prevoted
            .is_some_and(|prevoted| prevoted != value);
        if otherwise {
            return;
        }
        self.state.prevoted = Some(value);
        let vote = self.vote(Phase::Prevote, view, value);
        let mut messages = first;
        messages.push((self.config.leader(view), Message::Prevote(vote)));
        self.persist(messages, out);
    }

    /// Locks on a value that a quorum prevoted in this view and commits to it.
    fn commit(&mut self, value: Vec<u8>, certificate: QuorumCertificate, out: &mut Outbox<Self>) {
        let view = self.state.view;
        let vote = self.vote(Phase::Commit, view, (self.config.name)(&value));
        self.state.lock = Some(Lock { value, certificate });
        self.persist(vec![(self.config.leader(view), Message::Commit(vote))], out);
    }

    fn decide(&mut self, decision: Decision, out: &mut Outbox<Self>) {
        self.state.decision = Some(decision.clone());
        self.state.lock = None;
        self.deadline = None;
        self.persist(Vec::new(), out);
        out.emit(Event::Decided(decision));
    }

    fn vote(&self, phase: Phase, view: u64, value: Digest) -> Vote {
        let signature = sign(&self.key, phase, self.config.instance, view, value);
        Vote {
            view,
            value,
            signature,
        }
    }
}

/// Too few statements to lead a view.
struct TooFew;

impl Lead {
    fn check(
        &self,
        config: &Config,
        phase: Phase,
        seat: u16,
        vote: &Vote,
    ) -> Result<(), Misbehaviour> {
        if vote.value != self.name {
            return Err(Misbehaviour::UnknownValue);
        }
        let node = config.replicas[usize::from(seat)];
        if !is_vote(
            node,
            phase,
            config.instance,
            vote.view,
            vote.value,
            &vote.signature,
        ) {
            return Err(Misbehaviour::Signature);
        }
        Ok(())
    }
}

fn certificate(view: u64, votes: &BTreeMap<u16, Signature>) -> QuorumCertificate {
    let votes = votes
        .iter()
        .map(|(&seat, signature)| (seat, *signature))
        .collect();
    QuorumCertificate { view, votes }
}
