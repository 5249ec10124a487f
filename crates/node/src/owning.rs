//! The node's owner's side: consent, the local part, one contribution per question.

use aggregation::committee::{self, LaneKey, Signed};
use base::{Digest, Duration, Input, Instant, NodeId, Outbox};
use crypto::Vector;
use question::{ConsentRule, LocalRow};

use crate::composition::{Event, Node};
use crate::journal::{Entry, value};
use crate::message::Drawn;
use crate::questions::Consent;
use crate::serving::Fault;

/// What an owner is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Give it back with the answer.
    pub question: Digest,
    /// Who asks.
    pub asker: NodeId,
    /// The question.
    pub sql: String,
    /// What the answer is for, in the asker's words.
    pub purpose: String,
    /// Until when an answer is sure to count.
    pub until: Instant,
}

/// How many questions an owner's data go into: answers to many together tell more than each alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Most contributions within any such time. Further questions are declined.
    pub questions: usize,
    /// How long each counts.
    pub period: Duration,
}

impl Node {
    /// Applies the owner's standing words to a new question.
    pub(crate) fn consider(&mut self, question: Digest, out: &mut Outbox<Self>) {
        let Some(known) = self.questions.get_mut(question) else {
            return;
        };
        let plan = &known.plan.plan;
        let asked = Box::new(Asked {
            question,
            asker: plan.asker,
            sql: plan.sql.clone(),
            purpose: plan.purpose.clone(),
            until: plan.consent_until,
        });
        let yes = match self.consent.decide(plan.asker, &known.question) {
            ConsentRule::Yes => true,
            ConsentRule::No => false,
            ConsentRule::Ask => return out.emit(Event::AskOwner(asked)),
        };
        known.consent = Consent::of(yes);
        out.emit(Event::ByRule(asked, yes));
    }

    /// The owner has decided: until this node contributes, the last word counts.
    pub(crate) fn consented(
        &mut self,
        now: Instant,
        question: Digest,
        yes: bool,
        out: &mut Outbox<Self>,
    ) {
        let Some(known) = self.questions.get_mut(question) else {
            return;
        };
        if known.measuring || self.journal.has_contributed(question) {
            return;
        }
        known.consent = Consent::of(yes);
        if known.plan.plan.is_open(now) {
            self.store(now, Entry::Decided(question), value(&yes), out);
        }
        self.contribute(now, question, out);
    }

    /// All are called to contribute.
    pub(crate) fn called(
        &mut self,
        now: Instant,
        from: NodeId,
        drawn: Drawn,
        keys: Vec<Signed<LaneKey>>,
        out: &mut Outbox<Self>,
    ) -> Result<(), Fault> {
        let question = self.hear_asker(now, from, drawn.plan, out)?;
        let terms = self.accept_list(now, question, &drawn.list)?;
        let known = self.questions.get_mut(question).ok_or(Fault::TooMany)?;
        if known.lanes.is_some() || known.cancelled.is_some() || now >= terms.closes_at {
            return Ok(());
        }
        terms.check_lanes(&keys)?;
        known.lanes = Some(keys.iter().map(|key| key.body.public).collect());
        let collecting = committee::Command::Collecting(terms.round(), keys);
        self.committee(now, Input::Command(collecting), out);
        self.contribute(now, question, out);
        Ok(())
    }

    /// Starts this node's one contribution to a question once all that it needs is there.
    fn contribute(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let spent = self.has_spent_budget(now);
        let Some(known) = self.questions.get_mut(question) else {
            return;
        };
        if known.lanes.is_none() || known.measuring || self.journal.has_contributed(question) {
            return;
        }
        match known.consent {
            Consent::Pending => {}
            Consent::Yes if spent => {
                out.emit(Event::BudgetSpent(question));
                self.decline(question, out);
            }
            Consent::No => self.decline(question, out),
            Consent::Yes => {
                known.measuring = true;
                let parsed = Box::new(known.question.clone());
                out.emit(Event::Measure { question, parsed });
            }
        }
    }

    /// The vault has answered. Whoever does not match contributes zeros, so that nobody can tell.
    pub(crate) fn measured(
        &mut self,
        now: Instant,
        question: Digest,
        row: &LocalRow,
        out: &mut Outbox<Self>,
    ) {
        let Some(known) = self.questions.get_mut(question) else {
            return;
        };
        if !known.measuring || known.vector.is_some() || self.journal.has_contributed(question) {
            return;
        }
        let measured = known.question.measure(row);
        let vector = Vector::from_u64s(&measured.vector).expect(
            "a question measures numbers below the modulus, as its statistic was checked to",
        );
        known.vector = Some(vector);
        self.store(now, Entry::Contributed(question), value(&now), out);
    }

    fn decline(&mut self, question: Digest, out: &mut Outbox<Self>) {
        let never = Instant(0);
        self.store(never, Entry::Contributed(question), value(&never), out);
    }

    /// Whether this node has contributed to as many questions lately as its owner allows.
    fn has_spent_budget(&self, now: Instant) -> bool {
        self.budget.is_some_and(|budget| {
            let since = now - budget.period;
            self.journal.contributed_since(since.max(Instant(1))) >= budget.questions
        })
    }

    /// That this node contributes is on the disk: now it may.
    pub(crate) fn hand_in(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let Some(known) = self.questions.get_mut(question) else {
            return;
        };
        let (Some(terms), Some(lanes)) = (known.terms.clone(), known.lanes.clone()) else {
            return;
        };
        let command = match known.vector.take() {
            Some(vector) => committee::Command::Contribute(terms, lanes, vector),
            None => committee::Command::Decline(terms),
        };
        self.committee(now, Input::Command(command), out);
    }
}
