//! What outlives a process, and what a node that was away must still learn: open questions, the owner's word on them, and own
//! questions that have not ended.

use std::net::SocketAddr;

use aggregation::committee;
use base::{Digest, Duration, Input, Instant, NodeId, Outbox, decode};

use crate::asking::{Failure, announced};
use crate::composition::{Event, Node, Timer};
use crate::journal::{Call, Entry, Heard, Journal, value};
use crate::message::{Cancellation, Drawn, Message};
use crate::plan::SignedPlan;
use crate::proof::Proof;
use crate::publishing::PUBLISHED_BYTES_MAX;
use crate::questions::Consent;
use crate::serving::Fault;

/// How often a node compares the open questions that it knows with somebody's.
const COMPARE_EVERY: Duration = Duration::from_secs(3600);
/// With how many when it starts. Guess: some of them may be as new.
const COMPARED_AT_START: usize = 3;
/// Most questions told in answer to one comparison. The rest follows at the next.
const TOLD_MAX: usize = 32;
/// How often one node is answered at most.
const ANSWERED_EVERY: Duration = Duration::from_secs(30);
/// Most nodes that one [`Event::Contacts`] tells of: as many as a node takes to join through.
pub const CONTACTS_MAX: usize = 64;

/// How far the last run was with a question of its own.
enum SoFar {
    Asked,
    Drawn(Box<Drawn>),
    Called(Call),
}

impl Node {
    /// Whom this node would join through. A contact is issued when its node starts, and who has been up for long stays up
    /// longest (measured by others for file sharers: Saroiu, Gummadi and Gribble 2002).
    pub(crate) fn contacts(&self) -> Vec<(NodeId, Vec<SocketAddr>)> {
        let view = self.overlay.view();
        let known = view.cache.iter().chain(view.fingers.iter());
        let mut known: Vec<_> = known
            .filter(|contact| contact.node() != self.own())
            .collect();
        known.sort_by_key(|contact| (contact.issued(), contact.node()));
        known.truncate(CONTACTS_MAX);
        let told = known.into_iter();
        told.map(|contact| (contact.node(), contact.addresses().to_vec()))
            .collect()
    }

    /// Goes on where the last run ended.
    pub(crate) fn resume(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let Some(kept) = self.kept.take() else {
            return;
        };
        self.resume_epochs(out);
        for Heard { plan, cancelled } in kept.heard {
            let question = plan.plan.digest();
            // Under another descriptor, or long over: nobody will draw for it.
            let Ok(parsed) = plan.check_announced(&self.community, now) else {
                self.forget_heard(question, out);
                continue;
            };
            if self.journal.has_forgotten(plan.plan.asked_at) {
                self.journal.leave_alone(question);
            }
            self.questions.insert(question, plan, parsed);
            self.expect_draw(now, question, out);
            let Some(known) = self.questions.get_mut(question) else {
                continue;
            };
            known.cancelled = cancelled;
            match kept.decided.get(&question) {
                Some(yes) => (known.consent, known.by_owner) = (Consent::of(*yes), true),
                // What it has given it has given.
                None if self.journal.has_contributed(question) => {}
                None => self.consider(question, out),
            }
        }
        for (question, publication) in kept.published {
            let proof = decode::<Proof>(publication.proof(), PUBLISHED_BYTES_MAX).ok();
            // Under another descriptor nobody could check it.
            match proof.filter(|proof| proof.plan.plan.descriptor == self.community.digest()) {
                Some(proof) => self.publishing.restore(question, &proof, publication),
                None => out.emit(Event::Forget {
                    key: Journal::key_of_published(question),
                }),
            }
        }
        if self.budget.is_some() {
            self.tell_budget(now, out);
        }
        for plan in kept.asked {
            let question = plan.plan.digest();
            let so_far = match (kept.called.get(&question), kept.drawn.get(&question)) {
                (Some(call), _) => SoFar::Called(call.clone()),
                (None, Some(drawn)) => SoFar::Drawn(Box::new(drawn.clone())),
                (None, None) => SoFar::Asked,
            };
            self.ask_on(now, plan, so_far, out);
        }
    }

    /// Lets the witnesses of a draw know of the question.
    pub(crate) fn expect_draw(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        if let Some(known) = self.questions.get(question) {
            let announced = announced(&known.plan.plan);
            let command = selection::Command::Announce(question, announced);
            self.selection(now, Input::Command(command), out);
        }
    }

    /// Keeps a question about which owners may decide for a while.
    pub(crate) fn keep_heard(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let Some(known) = self.questions.get(question) else {
            return;
        };
        if known.plan.plan.is_open(now) {
            let heard = Heard {
                plan: (*known.plan).clone(),
                cancelled: known.cancelled.clone(),
            };
            self.store(now, Entry::Heard(question), value(&heard), out);
        }
    }

    /// Forgets questions that are over.
    pub(crate) fn forget_old(&mut self, now: Instant, out: &mut Outbox<Self>) {
        for question in self.questions.forget_old(now) {
            self.forget_heard(question, out);
        }
    }

    fn forget_heard(&self, question: Digest, out: &mut Outbox<Self>) {
        Self::forget(Journal::keys_of_heard(question), out);
    }

    pub(crate) fn forget_asked(&self, question: Digest, out: &mut Outbox<Self>) {
        Self::forget(Journal::keys_of_asked(question), out);
    }

    fn forget(keys: impl IntoIterator<Item = Vec<u8>>, out: &mut Outbox<Self>) {
        keys.into_iter()
            .for_each(|key| out.emit(Event::Forget { key }));
    }

    /// Compares with some at random, who may know of questions that were asked while this node was away.
    pub(crate) fn compare_open(&mut self, now: Instant, with: usize, out: &mut Outbox<Self>) {
        let known: Vec<_> = self
            .questions
            .open(now)
            .map(|(question, _)| question)
            .collect();
        for node in self.any_others(with) {
            out.send(node, Message::Open(known.clone()));
            self.tell_epoch(node, out);
            self.offer_published(node, out);
        }
        self.compare_at = now + COMPARE_EVERY;
        out.wake(self.compare_at, Timer::Compare);
    }

    /// This node has become a member, or knows the others better.
    pub(crate) fn joined(&mut self, now: Instant, out: &mut Outbox<Self>) {
        self.tell_untold(now, out);
        self.compare_open(now, COMPARED_AT_START, out);
        self.offer_own(out);
    }

    /// Of several timers, which are handed out whenever it joins, the last one counts.
    pub(crate) fn compare_timer(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if self.overlay.standing().is_none() {
            self.tell_told(now, out);
            return;
        }
        self.seek_epoch(now, out);
        if now >= self.compare_at {
            self.forget_old(now, out);
            self.compare_open(now, 1, out);
        }
    }

    /// Tells one who may have been away of the open questions that it does not name.
    pub(crate) fn on_open(
        &mut self,
        now: Instant,
        from: NodeId,
        named: &[Digest],
        out: &mut Outbox<Self>,
    ) {
        if !self.answered.may(now, from, ANSWERED_EVERY) {
            return;
        }
        let open = self.questions.open(now);
        let own = self
            .asking
            .iter()
            .filter(|(_, asking)| asking.plan().plan.is_open(now));
        let own = own.map(|(question, _)| *question);
        let open = open.map(|(question, _)| question).chain(own);
        for question in open
            .filter(|question| !named.contains(question))
            .take(TOLD_MAX)
        {
            self.pass_on(question, from, out);
        }
        self.offer_published(from, out);
        let known = named
            .iter()
            .take(TOLD_MAX)
            .filter_map(|name| self.questions.get(*name));
        for cancelled in known.filter_map(|known| known.cancelled.clone()) {
            out.send(from, Message::Cancelled(cancelled));
        }
    }

    /// The owner of this node calls off a question of its own. Once helpers are being drawn it goes on.
    pub(crate) fn cancel(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        if self.call_off(question, out) {
            self.tell_cancelled(now, question, out);
        }
    }

    /// Nobody is to wait for a question of our own any more for which nobody was called.
    pub(crate) fn tell_cancelled(
        &mut self,
        now: Instant,
        question: Digest,
        out: &mut Outbox<Self>,
    ) {
        let cancelled = Cancellation::new(&self.identity.key, question);
        // Whoever is not told hears of it on coming back.
        self.tell_all(now, Message::Cancelled(cancelled), out).ok();
    }

    /// A question is said to be called off.
    pub(crate) fn on_cancelled(
        &mut self,
        now: Instant,
        cancelled: Cancellation,
        out: &mut Outbox<Self>,
    ) -> Result<(), Fault> {
        let question = cancelled.question;
        let Some(known) = self.questions.get_mut(question) else {
            return Ok(());
        };
        // Once people are called, an asker could see from who is late whom it left out.
        if known.cancelled.is_some() || known.lanes.is_some() {
            return Ok(());
        }
        if !cancelled.is_of(known.plan.plan.asker) {
            return Err(Fault::NotTheAsker);
        }
        known.cancelled = Some(cancelled);
        out.emit(Event::CalledOff(question));
        self.keep_heard(now, question, out);
        Ok(())
    }

    /// Takes up an own question again.
    fn ask_on(&mut self, now: Instant, plan: SignedPlan, so_far: SoFar, out: &mut Outbox<Self>) {
        let question = plan.plan.digest();
        let Ok(parsed) = plan.check(&self.community) else {
            out.emit(Event::Ended(question, Failure::OtherDescriptor));
            return self.forget_asked(question, out);
        };
        // Others may know of helpers for it that this node does not.
        if self.journal.has_forgotten(plan.plan.asked_at) {
            out.emit(Event::Ended(question, Failure::Restored));
            return self.forget_asked(question, out);
        }
        match so_far {
            SoFar::Asked => self.announce_again(now, plan, parsed, out),
            SoFar::Drawn(drawn) => self.seat_on(now, plan, parsed, drawn, out),
            SoFar::Called(call) => {
                if let Some(terms) = self.collect_on(now, plan, parsed, call, out) {
                    let wait = committee::Command::Await(terms);
                    self.committee(now, Input::Command(wait), out);
                }
            }
        }
    }
}
