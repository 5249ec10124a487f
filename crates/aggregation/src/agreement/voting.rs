//! One view: proposal, prevotes, commit votes, decision.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use base::{Digest, Instant, NodeId, Outbox};

use super::certificate::{Phase, QuorumCertificate, is_vote, sign};
use super::message::{Decision, Justification, Lock, Message, Misbehaviour, NewView, Vote};
use super::{Agreement, Deadline, Event};

/// Most proposals that wait, the earliest ones. Only a view's leader proposes in it, so that more would be of liars who lead
/// later ones.
const UNJUSTIFIED_MAX: usize = 4;

/// The proposal of the current view.
pub(super) struct Proposal {
    pub(super) name: Digest,
    value: Vec<u8>,
}

/// A proposal that rests on statements which have not arrived.
pub(super) struct Unjustified {
    value: Vec<u8>,
    certificate: Option<QuorumCertificate>,
    /// When to ask for them, unless that is done.
    ask_at: Option<Instant>,
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
        let certified = match justification {
            Some(Justification {
                statements,
                certificate,
            }) if statements.is_empty() && view > 0 => {
                let certificate = certificate.as_ref();
                self.config.check_certificate(view, name, certificate)?;
                if !self.have_moved(view, certificate) {
                    self.wait_for_others(now, view, value, certificate.cloned(), out);
                    return Ok(());
                }
                certificate.is_some()
            }
            full => self.config.check_justification(view, name, full)?,
        };
        self.unjustified.remove(&view);
        if view > self.state.view {
            self.move_to(view);
        }
        self.enter(now, out);
        self.proposal = Some(Proposal {
            name,
            value: value.clone(),
        });
        self.count_prevotes(out);
        if self.lock_view() < Some(view) {
            if certified {
                self.prevote(name, Vec::new(), out);
            } else {
                out.emit(Event::Validate {
                    view,
                    value: name,
                    bytes: value,
                });
            }
        }
        self.count_commits(view, name, out);
        Ok(())
    }

    /// Whether this replica has heard a quorum move to `view` that names no later lock than that of the certificate.
    fn have_moved(&self, view: u64, certificate: Option<&QuorumCertificate>) -> bool {
        let known = certificate.map(|certificate| certificate.view);
        let fits = |s: &&NewView| s.view == view && s.claim.map(|claim| claim.view) <= known;
        self.statements.values().filter(fits).count() >= self.config.quorum
    }

    /// Keeps a proposal until the statements are here on which it rests; if they do not come, asks the leader for them.
    fn wait_for_others(
        &mut self,
        now: Instant,
        view: u64,
        value: Vec<u8>,
        certificate: Option<QuorumCertificate>,
        out: &mut Outbox<Self>,
    ) {
        let ask_at = now + self.config.first_timeout / 4;
        let waits = Unjustified {
            value,
            certificate,
            ask_at: Some(ask_at),
        };
        if let Entry::Vacant(vacant) = self.unjustified.entry(view) {
            vacant.insert(waits);
            out.wake(ask_at, Deadline);
        }
        if self.unjustified.len() > UNJUSTIFIED_MAX {
            self.unjustified.pop_last();
        }
    }

    /// Looks again at proposals that rested on statements that were not here.
    pub(super) fn reconsider_proposals(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let ready = |(view, waits): (&u64, &Unjustified)| {
            let certificate = waits.certificate.as_ref();
            self.have_moved(*view, certificate).then_some(*view)
        };
        let Some(view) = self.unjustified.iter().find_map(ready) else {
            return;
        };
        if let Some(waits) = self.unjustified.remove(&view) {
            let justification = Justification {
                statements: Vec::new(),
                certificate: waits.certificate,
            };
            let (node, value) = (self.config.leader(view), waits.value);
            let heard = self.on_proposal(now, node, view, value, Some(&justification), out);
            if let Err(fault) = heard {
                out.emit(Event::Misbehaved { node, fault });
            }
        }
    }

    /// Tells the leader once more where this replica is: it answers with the statements.
    pub(super) fn ask_leader(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let Some(statement) = self.state.statement.clone() else {
            return;
        };
        for (view, waits) in &mut self.unjustified {
            let leader = self.config.leader(*view);
            if waits.ask_at.take_if(|at| now >= *at).is_some() && leader != self.me {
                let (statement, lock) = (statement.clone(), None);
                out.send(leader, Message::NewView { statement, lock });
            }
        }
    }

    /// Gives one who says again that it is in `view` or behind the statements on which the proposal of this view rests.
    pub(super) fn justify(&mut self, now: Instant, seat: u16, view: u64, out: &mut Outbox<Self>) {
        let node = self.config.replicas[usize::from(seat)];
        let Some(proposed @ Message::Proposal { view: of, .. }) = &self.proposed else {
            return;
        };
        let pause = self.config.first_timeout / 2;
        let last = self.answered.get(&node);
        let recently = last.is_some_and(|last| now < *last + pause);
        if *of == self.state.view && view <= *of && node != self.me && !recently {
            out.send(node, proposed.clone());
            self.answered.insert(node, now);
        }
    }

    pub(super) fn on_prevote(
        &mut self,
        seat: u16,
        vote: Vote,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        if self.is_news(&self.prevotes, Phase::Prevote, seat, &vote)? {
            self.prevotes.insert(seat, vote);
            self.count_prevotes(out);
        }
        Ok(())
    }

    pub(super) fn on_commit(
        &mut self,
        seat: u16,
        vote: Vote,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        if self.is_news(&self.commits, Phase::Commit, seat, &vote)? {
            let (view, value) = (vote.view, vote.value);
            self.commits.insert(seat, vote);
            self.count_commits(view, value, out);
        }
        Ok(())
    }

    /// Whether a vote is later than what is known of its seat, and well signed: one signature check then.
    fn is_news(
        &self,
        known: &BTreeMap<u16, Vote>,
        phase: Phase,
        seat: u16,
        vote: &Vote,
    ) -> Result<bool, Misbehaviour> {
        let last = known.get(&seat).map(|known| known.view);
        let is_over = phase == Phase::Prevote
            && (vote.view < self.state.view || self.lock_view() >= Some(vote.view));
        if is_over || last >= Some(vote.view) {
            return Ok(false);
        }
        let own = self
            .proposal
            .as_ref()
            .filter(|_| vote.view == self.state.view && self.config.leader(vote.view) == self.me);
        if own.is_some_and(|own| own.name != vote.value) {
            return Err(Misbehaviour::UnknownValue);
        }
        let (
            config,
            Vote {
                view,
                value,
                signature,
            },
        ) = (&self.config, vote);
        let node = config.replicas[usize::from(seat)];
        if !is_vote(node, phase, config.instance, *view, *value, signature) {
            return Err(Misbehaviour::Signature);
        }
        Ok(true)
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

/// What follows from votes.
impl Agreement {
    /// Commits to the proposal once a quorum has prevoted it.
    fn count_prevotes(&mut self, out: &mut Outbox<Self>) {
        let view = self.state.view;
        let open = self.lock_view() < Some(view) && self.state.decision.is_none();
        let Some(proposal) = self.proposal.as_ref().filter(|_| open) else {
            return;
        };
        if let Some(certificate) = self.certificate(&self.prevotes, view, proposal.name) {
            self.commit(proposal.value.clone(), certificate, out);
        }
    }

    /// Decides once a quorum has committed to a value that is known here.
    fn count_commits(&mut self, view: u64, name: Digest, out: &mut Outbox<Self>) {
        if self.state.decision.is_some() {
            return;
        }
        let Some(certificate) = self.certificate(&self.commits, view, name) else {
            return;
        };
        let proposed = self.proposal.as_ref().filter(|known| known.name == name);
        let locked = self.state.lock.as_ref().map(|lock| &lock.value);
        let locked = locked.filter(|value| (self.config.name)(value) == name);
        if let Some(value) = proposed.map(|known| &known.value).or(locked).cloned() {
            self.decide(Decision { value, certificate }, out);
        }
    }

    /// The first votes for this value in this view, if they are a quorum.
    fn certificate(
        &self,
        votes: &BTreeMap<u16, Vote>,
        view: u64,
        name: Digest,
    ) -> Option<QuorumCertificate> {
        let of_value = votes
            .iter()
            .filter(|(_, v)| v.view == view && v.value == name);
        let votes: Vec<_> = of_value
            .take(self.config.quorum)
            .map(|(seat, vote)| (*seat, vote.signature))
            .collect();
        (votes.len() == self.config.quorum).then_some(QuorumCertificate { view, votes })
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
        self.proposal = Some(Proposal {
            name,
            value: value.clone(),
        });
        self.enter(now, out);
        self.proposed = Some(Message::Proposal {
            view,
            value: value.clone(),
            justification: justification.clone(),
        });
        // The others have heard the same statements.
        let brief = justification.map(|full| Justification {
            statements: Vec::new(),
            ..full
        });
        let message = Message::Proposal {
            view,
            value,
            justification: brief,
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
        messages.extend(self.to_all(&Message::Prevote(vote)));
        self.persist(messages, out);
    }

    /// Locks on a value that a quorum prevoted in this view and commits to it.
    fn commit(&mut self, value: Vec<u8>, certificate: QuorumCertificate, out: &mut Outbox<Self>) {
        let view = self.state.view;
        let vote = self.vote(Phase::Commit, view, (self.config.name)(&value));
        self.state.lock = Some(Lock { value, certificate });
        let mut messages = self.waiting_votes();
        messages.extend(self.to_all(&Message::Commit(vote)));
        self.persist(messages, out);
    }

    fn decide(&mut self, decision: Decision, out: &mut Outbox<Self>) {
        self.state.decision = Some(decision.clone());
        self.state.lock = None;
        self.deadline = None;
        let messages = self.waiting_votes();
        self.persist(messages, out);
        out.emit(Event::Decided(decision));
    }

    /// Votes of this view that wait for the disk: others may need them, although this replica is a step further.
    fn waiting_votes(&mut self) -> Vec<(NodeId, Message)> {
        let waiting = self.pending.take();
        let messages = waiting.into_iter().flat_map(|waiting| waiting.messages);
        let is_of_view = |message: &Message| match message {
            Message::Prevote(vote) | Message::Commit(vote) => vote.view == self.state.view,
            _ => false,
        };
        messages
            .filter(|(_, message)| is_of_view(message))
            .collect()
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
