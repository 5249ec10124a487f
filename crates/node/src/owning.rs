//! The node's owner's side: consent, the local part, one contribution per question.

use aggregation::committee::{self, LaneKey, Signed};
use base::{Digest, Duration, Input, Instant, NodeId, Outbox};
use crypto::Vector;
use minicbor::{Decode, Encode};
use question::{ConsentRule, LocalRow, Question};

use crate::composition::{Event, Node};
use crate::journal::{Entry, value};
use crate::message::Drawn;
use crate::plan::SignedPlan;
use crate::questions::{Consent, Known};
use crate::reaching::Step;
use crate::serving::Fault;

/// How long after the time for consent a draw and a call are waited for. Guess: they take seconds.
const DRAWN_WITHIN: Duration = Duration::from_secs(60);

/// What an owner is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Give it back with the answer.
    pub question: Digest,
    /// Who asks.
    pub asker: NodeId,
    /// Since when its certificate holds.
    pub asker_since: Instant,
    /// What is asked.
    pub parsed: Question,
    /// Match count below which nothing is opened.
    pub threshold: u64,
    /// What the answer is for, in the asker's words.
    pub purpose: String,
    /// Until when an answer is sure to count.
    pub until: Instant,
}

impl Asked {
    fn of(signed: &SignedPlan, parsed: &Question) -> Self {
        let plan = &signed.plan;
        Self {
            question: plan.digest(),
            asker: plan.asker,
            asker_since: signed.certificate.valid_from(),
            parsed: parsed.clone(),
            threshold: plan.threshold(),
            purpose: plan.purpose.clone(),
            until: plan.consent_until,
        }
    }
}

/// Whether a word on this question may still count.
fn may_count(known: &Known, now: Instant) -> bool {
    let plan = &known.plan.plan;
    match &known.terms {
        Some(terms) => now < terms.closes_at,
        None => now < plan.consent_until.max(plan.asked_at) + DRAWN_WITHIN,
    }
}

fn consent_by(says: ConsentRule) -> Consent {
    match says {
        ConsentRule::Yes => Consent::Yes,
        ConsentRule::No => Consent::No,
        ConsentRule::Ask => Consent::Pending,
    }
}

/// How many questions an owner's data go into: answers to many together tell more than each alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Budget {
    /// Most contributions within any such time. Further questions are declined.
    #[n(0)]
    pub questions: usize,
    /// How long each counts.
    #[n(1)]
    pub period: Duration,
}

impl Budget {
    /// What was contributed since then counts. A refusal, which has the first of all moments, never does.
    fn since(self, now: Instant) -> Instant {
        (now - self.period).max(Instant(1))
    }
}

impl Node {
    /// Applies the owner's standing words to a new question.
    pub(crate) fn consider(&mut self, question: Digest, out: &mut Outbox<Self>) {
        let Some(known) = self.questions.get_mut(question) else {
            return;
        };
        let asked = Box::new(Asked::of(&known.plan, &known.question));
        let verdict = self.consent.decide(asked.asker, &known.question);
        (known.consent, known.rule) = (consent_by(verdict.says), verdict.rule);
        out.emit(match known.consent {
            Consent::Pending => Event::AskOwner(asked),
            Consent::Yes | Consent::No => Event::ByRule {
                asked,
                yes: known.consent == Consent::Yes,
                rule: verdict.rule,
            },
        });
    }

    /// Applies standing words that are new to what older ones have decided, and to what waits for the owner. What the owner
    /// said about one question stays, and so does what has begun. What another rule decides now is told, even where
    /// it says the same.
    pub(crate) fn consider_again(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let (journal, consent) = (&self.journal, &self.consent);
        let is_free = |known: &Known, question| {
            let has_begun = known.measuring || journal.has_contributed(question);
            !known.by_owner && !has_begun && may_count(known, now)
        };
        let differs = |known: &Known| {
            let verdict = consent.decide(known.plan.plan.asker, &known.question);
            let consent = consent_by(verdict.says);
            let by_another = consent != Consent::Pending && verdict.rule != known.rule;
            consent != known.consent || by_another
        };
        let other = self.questions.standing();
        let other: Vec<_> = other
            .filter(|(question, known)| is_free(known, *question) && differs(known))
            .map(|(question, _)| question)
            .collect();
        for question in other {
            self.consider(question, out);
            self.contribute(now, question, out);
        }
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
        (known.consent, known.by_owner) = (Consent::of(yes), true);
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
        let (point, doors) = (drawn.list.point(), terms.doors(self.own()));
        self.reach(now, point, doors, Step::Contribute(question), out);
        Ok(())
    }

    /// Starts this node's one contribution to a question once all that it needs is there.
    pub(crate) fn contribute(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let Some(known) = self.questions.get(question) else {
            return;
        };
        if !known.reaches_helpers || known.measuring || self.journal.has_contributed(question) {
            return;
        }
        match known.consent {
            Consent::Pending => {}
            Consent::No => self.decline(question, out),
            Consent::Yes if self.has_spent_budget(now) => {
                out.emit(Event::BudgetSpent(question));
                self.decline(question, out);
            }
            Consent::Yes => {
                let parsed = Box::new(known.question.clone());
                if let Some(known) = self.questions.get_mut(question) {
                    known.measuring = true;
                }
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
        known.noted = true;
        self.store(now, Entry::Contributed(question), value(&now), out);
        if self.budget.is_some() {
            self.tell_budget(now, out);
        }
    }

    fn decline(&mut self, question: Digest, out: &mut Outbox<Self>) {
        let never = Instant(0);
        self.store(never, Entry::Contributed(question), value(&never), out);
    }

    /// Whether this node has contributed to as many questions lately as its owner allows, those included for which its vault
    /// is being asked.
    fn has_spent_budget(&self, now: Instant) -> bool {
        self.budget.is_some_and(|budget| {
            let spent = self.journal.contributed_since(budget.since(now)).count();
            spent + self.questions.measuring() >= budget.questions
        })
    }

    /// Says what counts towards the budget.
    pub(crate) fn tell_budget(&self, now: Instant, out: &mut Outbox<Self>) {
        let since = self.budget.map(|budget| budget.since(now));
        let spent = since.map(|since| self.journal.contributed_since(since).collect());
        out.emit(Event::Budget(spent.unwrap_or_default()));
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

#[cfg(test)]
mod tests;
