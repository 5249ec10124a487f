//! The node's helping side: hear a question, check who was drawn, take a seat.

use std::collections::BTreeSet;
use std::sync::Arc;

use aggregation::committee::{self, Expected, Terms};
use base::{Digest, Input, Instant, NodeId, Outbox};
use community::Contact;
use selection::ActorList;
use thiserror::Error;

use crate::asking::Asking;
use crate::composition::Node;
use crate::message::{Drawn, Message};
use crate::plan::{PlanError, SignedPlan};
use crate::reaching::Step;

/// Why a message about a question was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Only the asker names helpers and calls for contributions.
    #[error("a call for a question by a node that does not ask it")]
    NotTheAsker,
    /// The plan does not hold.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// The helpers were not drawn for this question.
    #[error("the list of helpers does not hold: {0}")]
    List(#[from] selection::Misbehaviour),
    /// Another list than the one that was shown before.
    #[error("a second list of helpers for one question")]
    SecondList,
    /// The lane keys do not hold.
    #[error("a lane's key does not hold: {0}")]
    Lane(#[from] committee::Misbehaviour),
    /// Too many questions by this asker, or in all.
    #[error("more questions at a time than this node remembers")]
    TooMany,
}

impl Node {
    /// Somebody tells of a question. An asker that told each node directly hears that this one was reached; one whose word went
    /// round by others does not wait for it.
    pub(crate) fn on_announce(
        &mut self,
        now: Instant,
        from: NodeId,
        plan: SignedPlan,
        out: &mut Outbox<Self>,
    ) {
        let asker = plan.plan.asker;
        match self.hear(now, plan, out) {
            Ok(question) if from == asker && self.tells_directly() => {
                out.send(from, Message::Heard(question));
            }
            // Who is in another epoch, perhaps for moments more, is no liar: its question ends by itself.
            Ok(_) | Err(Fault::Plan(PlanError::OtherDescriptor)) => {}
            Err(fault) => Self::misbehaved(from, fault, out),
        }
    }

    /// Learns of a question, once, from whomever: two signature checks.
    pub(crate) fn hear(
        &mut self,
        now: Instant,
        plan: SignedPlan,
        out: &mut Outbox<Self>,
    ) -> Result<Digest, Fault> {
        let digest = plan.plan.digest();
        if self.questions.get(digest).is_some() {
            return Ok(digest);
        }
        self.forget_old(now, out);
        if !self.questions.has_room(plan.plan.asker) {
            return Err(Fault::TooMany);
        }
        let question = plan.check_announced(&self.community, now)?;
        let is_forgotten = self.journal.has_forgotten(plan.plan.asked_at);
        self.questions.insert(digest, plan, question);
        self.expect_draw(now, digest, out);
        self.keep_heard(now, digest, out);
        match is_forgotten {
            true => self.journal.leave_alone(digest),
            false => self.consider(digest, out),
        }
        Ok(digest)
    }

    /// Tells a node of a question that it missed.
    pub(crate) fn pass_on(&self, question: Digest, node: NodeId, out: &mut Outbox<Self>) {
        let heard = self.questions.get(question).map(|known| &*known.plan);
        let own = || self.asking.get(&question).map(Asking::plan);
        if let Some(plan) = heard.or_else(own) {
            out.send(node, Message::Announce(Box::new(plan.clone())));
        }
    }

    /// As [`hear`](Self::hear), for what only the asker may say.
    pub(crate) fn hear_asker(
        &mut self,
        now: Instant,
        from: NodeId,
        plan: SignedPlan,
        out: &mut Outbox<Self>,
    ) -> Result<Digest, Fault> {
        if from == plan.plan.asker {
            self.hear(now, plan, out)
        } else {
            Err(Fault::NotTheAsker)
        }
    }

    /// Checks the list of a question that this node knows, once: 2k signature checks.
    pub(crate) fn accept_list(
        &mut self,
        now: Instant,
        question: Digest,
        list: &ActorList,
    ) -> Result<Arc<Terms>, Fault> {
        let descriptor = self.community.descriptor();
        let known = self.questions.get_mut(question).ok_or(Fault::TooMany)?;
        if let Some(terms) = &known.terms {
            return if terms.list == list.digest() {
                Ok(Arc::clone(terms))
            } else {
                Err(Fault::SecondList)
            };
        }
        let plan = &known.plan.plan;
        list.verify(&self.rules, now, question)?;
        if list.body.draw.trigger != plan.asker {
            return Err(Fault::NotTheAsker);
        }
        let terms = plan.terms(&known.question, list, descriptor);
        if !terms.are_possible() || list.body.site.committees != 1 {
            return Err(Fault::List(selection::Misbehaviour::Seats));
        }
        let terms = Arc::new(terms);
        known.terms = Some(Arc::clone(&terms));
        Ok(terms)
    }

    /// Takes a seat that this node was drawn for.
    pub(crate) fn take_seat(
        &mut self,
        now: Instant,
        from: NodeId,
        drawn: Drawn,
        asker: Box<Contact>,
        out: &mut Outbox<Self>,
    ) -> Result<(), Fault> {
        let question = self.hear_asker(now, from, drawn.plan, out)?;
        let terms = self.accept_list(now, question, &drawn.list)?;
        let known = self.questions.get_mut(question).ok_or(Fault::TooMany)?;
        if std::mem::replace(&mut known.seated, true) {
            return Ok(());
        }
        if self.overlay.contact(from).is_none() && asker.node() == from {
            let meet = overlay::Command::Meet(asker);
            self.drive_overlay(now, Input::Command(meet), out);
        }
        let others = terms.seats.iter().copied();
        let others = others.filter(|seat| *seat != self.own()).collect();
        self.reach(now, drawn.list.point(), others, Step::Serve(question), out);
        Ok(())
    }

    /// Takes the seat, once it is known where the others are.
    pub(crate) fn serve(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let terms = self.questions.get(question).and_then(|k| k.terms.clone());
        let Some(terms) = terms.filter(|terms| now < terms.closes_at) else {
            return;
        };
        let known = self.questions.get(question);
        let asked_at = known.map(|known| known.plan.plan.asked_at);
        let is_forgotten = asked_at.is_some_and(|at| self.journal.has_forgotten(at));
        if is_forgotten || self.journal.has_voted(terms.round()) {
            return;
        }
        let expected = self.expected(terms.querier);
        let serve = committee::Command::Serve(terms, expected);
        self.committee(now, Input::Command(serve), out);
    }

    /// Who may contribute: everybody else but the asker.
    fn expected(&self, asker: NodeId) -> Expected {
        let view = self.overlay.view();
        if !view.is_whole() {
            return Expected::About(view.population().saturating_sub(1));
        }
        let known = view.cache.iter().map(|contact| contact.node());
        let others: BTreeSet<_> = known.filter(|node| *node != asker).collect();
        others.into()
    }
}
