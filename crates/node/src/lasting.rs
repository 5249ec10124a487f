//! What outlives a process, and what a node that was away must still learn: open questions, the owner's word on them, and own
//! questions that have not ended.

use aggregation::committee;
use base::{Digest, Duration, Input, Instant, NodeId, Outbox};

use crate::asking::announced;
use crate::composition::{Event, Node, Timer};
use crate::journal::{Entry, Heard, Journal, value};
use crate::message::{Cancellation, Message};
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
/// Most nodes of which it is remembered when they were answered.
const ANSWERED_MAX: usize = 1024;

impl Node {
    /// Goes on where the last run ended.
    pub(crate) fn resume(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let Some(kept) = self.kept.take() else {
            return;
        };
        for Heard { plan, cancelled } in kept.heard {
            let question = plan.plan.digest();
            // Under another descriptor, or long over: nobody will draw for it.
            let Ok(parsed) = plan.check_announced(&self.community, now) else {
                self.forget_heard(question, out);
                continue;
            };
            self.questions.insert(question, plan, parsed);
            self.expect_draw(now, question, out);
            let Some(known) = self.questions.get_mut(question) else {
                continue;
            };
            known.cancelled = cancelled;
            match kept.decided.get(&question) {
                Some(yes) => known.consent = Consent::of(*yes),
                None => self.consider(question, out),
            }
        }
        for plan in kept.asked {
            let call = kept.called.get(&plan.plan.digest());
            self.ask_on(now, plan, call.cloned(), out);
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
        for key in Journal::keys_of_heard(question) {
            out.emit(Event::Forget { key });
        }
    }

    pub(crate) fn forget_asked(&self, question: Digest, out: &mut Outbox<Self>) {
        for key in Journal::keys_of_asked(question) {
            out.emit(Event::Forget { key });
        }
    }

    /// Compares with some at random, who may know of questions that were asked while this node was away.
    pub(crate) fn compare_open(&mut self, now: Instant, with: usize, out: &mut Outbox<Self>) {
        let mut others = self.others();
        let known: Vec<_> = self
            .questions
            .open(now)
            .map(|(question, _)| question)
            .collect();
        for _ in 0..with.min(others.len()) {
            let chosen = self.rng.below(others.len() as u64) as usize;
            let node = others.swap_remove(chosen);
            out.send(node, Message::Open(known.clone()));
        }
        self.compare_at = now + COMPARE_EVERY;
        out.wake(self.compare_at, Timer::Compare);
    }

    /// This node has become a member, or knows the others better.
    pub(crate) fn joined(&mut self, now: Instant, out: &mut Outbox<Self>) {
        self.compare_open(now, COMPARED_AT_START, out);
    }

    /// Of several timers, which are handed out whenever it joins, the last one counts.
    pub(crate) fn compare_timer(&mut self, now: Instant, out: &mut Outbox<Self>) {
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
        self.answered.retain(|_, at| now < *at + ANSWERED_EVERY);
        if self.answered.contains_key(&from) || self.answered.len() >= ANSWERED_MAX {
            return;
        }
        self.answered.insert(from, now);
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
        let known = named
            .iter()
            .take(TOLD_MAX)
            .filter_map(|name| self.questions.get(*name));
        for cancelled in known.filter_map(|known| known.cancelled.clone()) {
            out.send(from, Message::Cancelled(cancelled));
        }
    }

    /// The owner of this node calls off a question of its own. Once helpers are being drawn it goes on.
    pub(crate) fn cancel(&mut self, question: Digest, out: &mut Outbox<Self>) {
        if self.call_off(question, out) {
            let cancelled = Cancellation::new(&self.identity.key, question);
            for node in self.others() {
                out.send(node, Message::Cancelled(cancelled.clone()));
            }
        }
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

    /// Takes up an own question again, of which `call` is known if people were called.
    fn ask_on(
        &mut self,
        now: Instant,
        plan: crate::plan::SignedPlan,
        call: Option<crate::journal::Call>,
        out: &mut Outbox<Self>,
    ) {
        let question = plan.plan.digest();
        let Ok(parsed) = plan.check(&self.community) else {
            out.emit(Event::Ended(
                question,
                crate::asking::Failure::OtherDescriptor,
            ));
            return self.forget_asked(question, out);
        };
        match call {
            None => self.announce_again(now, plan, parsed, out),
            Some(call) => {
                if let Some(terms) = self.collect_on(now, plan, parsed, call, out) {
                    let wait = committee::Command::Await(terms);
                    self.committee(now, Input::Command(wait), out);
                }
            }
        }
    }
}
