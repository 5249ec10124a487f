//! The node's asking side: plan, draw, call, answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use aggregation::committee::{self, Evidence, LaneKey, Signed, Terms};
use aggregation::sizes::Sizes;
use base::{Digest, Duration, Input, Instant, NodeId, Outbox};
use minicbor::{Decode, Encode};
use overlay::broadcast::BroadcastError;
use question::Question;
use selection::{ActorList, Announced, Wanted};
use thiserror::Error;

use crate::composition::{Event, Node, Timer};
use crate::journal::{Call, Entry, value};
use crate::message::{Drawn, Message};
use crate::plan::{CLOCK_SKEW, Plan, PlanError, SignedPlan, choose_sizes, most_candidates};
use crate::proof::{Proof, ProofError, Verified};
use crate::questions::{OF_ONE_ASKER_MAX, forgotten_by_all_at};
use crate::reaching::Step;

/// How long the announcement has to spread before helpers are drawn. Guess: a few one-way times.
const SPREAD: Duration = Duration::from_millis(250);
/// How long after the time for consent helpers are drawn at the latest: others forget the question in an hour.
const DRAWN_WITHIN: Duration = Duration::from_secs(1800);
/// How often a node that is not a member yet looks whether it is.
const JOINS_WITHIN: Duration = Duration::from_secs(1);
/// After what time those are told of a question again who have not said that they heard. Each further time it is twice as
/// long, up to an hour. Guess: longer than an answer takes.
const TELL_AGAIN: Duration = Duration::from_secs(2);
/// The longest such time.
const TELL_AGAIN_MAX: Duration = Duration::from_secs(3600);
/// How often seats are offered again until all lanes have keys.
const OFFER_AGAIN: Duration = Duration::from_secs(1);

/// A question to put to the community.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    /// The question.
    #[n(0)]
    pub sql: String,
    /// What the answer is for.
    #[n(1)]
    pub purpose: String,
    /// How long owners may take to decide; zero asks at once.
    #[n(2)]
    pub consent_for: Duration,
    /// Longest time for contributions to arrive; over earlier when everybody has answered.
    #[n(3)]
    pub collect_for: Duration,
}

/// How far a question is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Everybody known was told.
    Announced {
        /// How many there are; where not everybody is known, about.
        nodes: u64,
        /// Lanes and replicas to be drawn.
        sizes: Sizes,
    },
    /// Helpers are drawn and their list is checked.
    Drawn {
        /// Witnesses of the draw.
        k: usize,
        /// Signature checks that convince anyone of the list: 2k.
        checks: usize,
        /// Who set the draw up.
        setter: NodeId,
        /// Who helps, lane by lane.
        seats: Vec<NodeId>,
    },
    /// All lanes have keys, all nodes are called to contribute.
    Collecting,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the proof says, read by the same check that anyone makes.
    pub verified: Verified,
    /// The proof file.
    pub proof: Vec<u8>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Failure {
    /// No helpers were drawn.
    #[error("{0}")]
    Draw(#[from] selection::Failure),
    /// It is asked no more under the community's numbers.
    #[error("{0}")]
    Undrawn(PlanError),
    /// The helpers gave nothing.
    #[error("{0}")]
    Committee(#[from] committee::Failure),
    /// The asker has called it off.
    #[error("it was called off")]
    CalledOff,
    /// Nobody could be told of it.
    #[error("nobody could be told of it: {0}")]
    Untold(#[from] BroadcastError),
    /// It was not drawn for in time.
    #[error("this node was not running when the question was due; ask again")]
    Missed,
    /// What became of it since is not known.
    #[error(
        "this node was restored from a backup that was made before the question ended; ask again"
    )]
    Restored,
    /// The community's numbers have changed since.
    #[error("the community's descriptor has changed since it was asked; ask again")]
    OtherDescriptor,
    /// What the helpers gave does not hold.
    #[error("the helpers' result does not hold: {0}; ask again for new helpers")]
    Proof(#[from] ProofError),
}

impl Failure {
    /// Whether the community's rules forbid the answer, rather than chance or time.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Committee(committee::Failure::SmallCrowd)
                | Self::Draw(selection::Failure::TooManyDraws(_))
                | Self::Undrawn(_)
        )
    }
}

/// One question of our own.
#[derive(Debug)]
pub struct Asking {
    plan: SignedPlan,
    question: Question,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Consent {
        draw_at: Instant,
        /// Where each is told directly.
        receipts: Option<Receipts>,
    },
    Drawing,
    LaneKeys {
        drawn: Box<Drawn>,
        terms: Arc<Terms>,
    },
    Collecting {
        call: Box<Call>,
        terms: Arc<Terms>,
        again_at: Instant,
    },
}

/// Who has said that it heard of a question. A connection to a node that has just started again may still lead to the
/// process before it, and what is sent there is lost.
#[derive(Debug)]
struct Receipts {
    of: BTreeSet<NodeId>,
    /// When the others are told again.
    again_at: Instant,
    /// How long after this time the next is.
    wait: Duration,
}

impl Receipts {
    /// Everybody is told for the first time.
    fn none(now: Instant) -> Self {
        let mut receipts = Self {
            of: BTreeSet::new(),
            again_at: now,
            wait: TELL_AGAIN,
        };
        receipts.told(now);
        receipts
    }

    /// All others are told now.
    fn told(&mut self, now: Instant) {
        self.again_at = now + self.wait;
        self.wait = (self.wait * 2).min(TELL_AGAIN_MAX);
    }

    /// Wakes for the next time, unless helpers are drawn before.
    fn wake(&self, question: Digest, draw_at: Instant, out: &mut Outbox<Node>) {
        if self.again_at < draw_at {
            out.wake(self.again_at, Timer::Asking(question));
        }
    }
}

impl Asking {
    /// What was signed.
    pub fn plan(&self) -> &SignedPlan {
        &self.plan
    }

    fn terms(&self) -> Option<&Arc<Terms>> {
        match &self.phase {
            Phase::Consent { .. } | Phase::Drawing => None,
            Phase::LaneKeys { terms, .. } | Phase::Collecting { terms, .. } => Some(terms),
        }
    }
}

impl Node {
    pub(crate) fn ask(&mut self, now: Instant, ask: Ask, out: &mut Outbox<Self>) {
        match self.plan(now, ask) {
            Ok((plan, question)) => self.announce(now, plan, question, out),
            Err(why) => out.emit(Event::NotAsked(why)),
        }
    }

    fn plan(&mut self, now: Instant, ask: Ask) -> Result<(SignedPlan, Question), PlanError> {
        self.remembered_until.retain(|until| *until > now);
        let soonest = self.remembered_until.iter().min();
        if let Some(soonest) = soonest
            && self.remembered_until.len() >= OF_ONE_ASKER_MAX
        {
            return Err(PlanError::TooMany {
                most: OF_ONE_ASKER_MAX,
                wait: soonest.since(now),
            });
        }
        let descriptor = self.community.descriptor();
        self.check_people()?;
        let at_once = ask.consent_for == Duration::ZERO;
        let (candidates, sizes) = self.sizes(at_once)?;
        let plan = Plan {
            asker: self.identity.node(),
            nonce: self.rng.bytes32(),
            sql: ask.sql,
            purpose: ask.purpose,
            descriptor: self.community.digest(),
            sizes,
            candidates,
            min_crowd: descriptor.min_crowd,
            padding_allowance: descriptor.padding_allowance,
            asked_at: now,
            consent_until: if at_once {
                now - CLOCK_SKEW
            } else {
                now + ask.consent_for
            },
            collect_micros: u64::try_from(ask.collect_for.as_micros()).unwrap_or(u64::MAX),
        };
        let signed = SignedPlan::new(&self.identity, plan);
        let question = signed.check(&self.community)?;
        Ok((signed, question))
    }

    /// Whoever contributes cannot take it back: nobody does it for an answer that cannot hold.
    fn check_people(&self) -> Result<(), PlanError> {
        let nodes = self.community.descriptor().nodes;
        match self.others().len() as u64 {
            others if others > nodes => Err(PlanError::TooManyPeople { others, nodes }),
            _ => Ok(()),
        }
    }

    /// From how many nodes seats are drawn, and which seats. In a small community almost everybody has one, and whoever is
    /// missed when they are drawn is missed by all: so as many are left out as the community says are away, unless helpers could
    /// then make the answer wrong more easily and the draw is now.
    fn sizes(&self, at_once: bool) -> Result<(u64, Sizes), PlanError> {
        let descriptor = self.community.descriptor();
        let most = most_candidates(descriptor);
        // Who has not joined yet hopes for the best.
        let there = match self.overlay.standing() {
            Some(_) => self.overlay.view().population().saturating_sub(1).min(most),
            None => most,
        };
        let up = u64::from(1000_u32.saturating_sub(descriptor.offline_permille));
        let choose = |count| {
            let sizes = choose_sizes(descriptor, count)?;
            let bounds = sizes.bounds(count, descriptor.colluders, descriptor.offline_permille);
            Some((count, sizes, bounds.wrong))
        };
        let chosen = match (choose(there * up / 1000), choose(there)) {
            (Some(fewer), Some(all)) if at_once && fewer.2 > all.2 => Some(all),
            (fewer, all) => fewer.or(all),
        };
        match (chosen, choose_sizes(descriptor, most)) {
            (Some((count, sizes, _)), _) => Ok((count, sizes)),
            (None, Some(_)) => Err(PlanError::TooFew(there)),
            (None, None) => Err(PlanError::TooSmall),
        }
    }

    fn announce(
        &mut self,
        now: Instant,
        plan: SignedPlan,
        question: Question,
        out: &mut Outbox<Self>,
    ) {
        let digest = plan.plan.digest();
        self.store(now, Entry::Asked(digest), value(&plan), out);
        self.announce_again(now, plan, question, out);
    }

    /// Tells everybody known, and waits for owners.
    pub(crate) fn announce_again(
        &mut self,
        now: Instant,
        plan: SignedPlan,
        question: Question,
        out: &mut Outbox<Self>,
    ) {
        let digest = plan.plan.digest();
        self.remembered_until.push(forgotten_by_all_at(&plan.plan));
        let announced = announced(&plan.plan);
        let command = selection::Command::Announce(digest, announced);
        self.selection(now, Input::Command(command), out);
        let announce = Message::Announce(Box::new(plan.clone()));
        let told = self.tell_all(now, announce, out);
        let (nodes, sizes) = (self.overlay.view().population(), plan.plan.sizes);
        out.emit(Event::Stage(digest, Stage::Announced { nodes, sizes }));
        let draw_at = (now + SPREAD).max(plan.plan.consent_until + CLOCK_SKEW);
        out.wake(draw_at, Timer::Asking(digest));
        let receipts = self.tells_directly().then(|| Receipts::none(now));
        if let Some(receipts) = &receipts {
            receipts.wake(digest, draw_at, out);
        }
        let phase = Phase::Consent { draw_at, receipts };
        let asking = Asking {
            plan,
            question,
            phase,
        };
        self.asking.insert(digest, asking);
        if let Err(why) = told {
            self.ended(digest, Failure::Untold(why), out);
        }
    }

    pub(crate) fn asking_timer(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        // They may have become more since it was asked.
        let people = self.check_people();
        let Some(asking) = self.asking.get_mut(&question) else {
            return;
        };
        match &mut asking.phase {
            Phase::Consent { draw_at, .. } if now >= *draw_at => {
                let plan = &asking.plan.plan;
                if now > plan.consent_until.max(plan.asked_at) + DRAWN_WITHIN {
                    return self.ended(question, Failure::Missed, out);
                }
                if self.overlay.standing().is_none() {
                    // After a restart this node has to become a member again first.
                    return out.wake(now + JOINS_WITHIN, Timer::Asking(question));
                }
                if let Err(why) = people {
                    self.ended(question, Failure::Undrawn(why), out);
                    return self.tell_cancelled(now, question, out);
                }
                asking.phase = Phase::Drawing;
                let seats = asking.plan.plan.sizes.seats();
                let seats = u32::try_from(seats).expect("a committee has at most 300 seats");
                let draw = selection::Command::Draw(Wanted {
                    digest: question,
                    seats,
                    committees: 1,
                });
                self.selection(now, Input::Command(draw), out);
            }
            Phase::Consent { .. } => self.tell_again(now, question, out),
            Phase::LaneKeys { .. } => self.offer_seats(now, question, out),
            Phase::Collecting { again_at, .. } if now >= *again_at => {
                *again_at = Instant(u64::MAX);
                self.call(now, question, out);
            }
            Phase::Drawing | Phase::Collecting { .. } => {}
        }
    }

    /// Tells those of a question who have not said that they heard.
    fn tell_again(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let others = self.others();
        let Some(Asking { plan, phase, .. }) = self.asking.get_mut(&question) else {
            return;
        };
        let Phase::Consent {
            draw_at,
            receipts: Some(receipts),
        } = phase
        else {
            return;
        };
        if now < receipts.again_at {
            return;
        }
        for node in others
            .into_iter()
            .filter(|node| !receipts.of.contains(node))
        {
            out.send(node, Message::Announce(Box::new(plan.clone())));
        }
        receipts.told(now);
        receipts.wake(question, *draw_at, out);
    }

    /// Somebody has heard of a question of our own.
    pub(crate) fn on_heard(&mut self, from: NodeId, question: Digest) {
        let is_known = self.overlay.cache().contains(from);
        let asking = self.asking.get_mut(&question);
        if let Some(Phase::Consent {
            receipts: Some(receipts),
            ..
        }) = asking.map(|asking| &mut asking.phase)
            && is_known
        {
            receipts.of.insert(from);
        }
    }

    pub(crate) fn drawn(&mut self, now: Instant, list: ActorList, out: &mut Outbox<Self>) {
        let question = list.body.draw.digest;
        let Some(asking) = self.asking.get_mut(&question) else {
            return;
        };
        let plan = &asking.plan.plan;
        let terms = Arc::new(plan.terms(&asking.question, &list, self.community.descriptor()));
        let stage = stage_of(&list);
        let drawn = Box::new(Drawn {
            plan: asking.plan.clone(),
            list,
        });
        // Whoever takes a seat takes no other for this question: the list goes out once it would outlive a crash.
        let kept = value(&*drawn);
        asking.phase = Phase::LaneKeys { drawn, terms };
        out.emit(Event::Stage(question, stage));
        self.store(now, Entry::Drawn(question), kept, out);
    }

    /// Tells those who were drawn.
    pub(crate) fn seat(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let asking = self.asking.get(&question);
        let Some(Phase::LaneKeys { drawn, terms }) = asking.map(|asking| &asking.phase) else {
            return;
        };
        let (point, seats) = (drawn.list.point(), drawn.list.actors().to_vec());
        let ask = committee::Command::Ask(Arc::clone(terms));
        self.committee(now, Input::Command(ask), out);
        self.reach(now, point, seats, Step::Offer(question), out);
    }

    /// Goes on with those who were drawn before this process started, unless it is too late to call people.
    pub(crate) fn seat_on(
        &mut self,
        now: Instant,
        plan: SignedPlan,
        parsed: Question,
        drawn: Box<Drawn>,
        out: &mut Outbox<Self>,
    ) {
        let question = plan.plan.digest();
        let list = &drawn.list;
        let terms = Arc::new(plan.plan.terms(&parsed, list, self.community.descriptor()));
        let (stage, is_late) = (stage_of(list), now >= terms.closes_at);
        let phase = Phase::LaneKeys { drawn, terms };
        let asking = Asking {
            plan,
            question: parsed,
            phase,
        };
        self.asking.insert(question, asking);
        if is_late {
            return self.ended(question, Failure::Missed, out);
        }
        out.emit(Event::Stage(question, stage));
        self.seat(now, question, out);
    }

    pub(crate) fn offer_seats(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let asking = self.asking.get(&question);
        let Some(Phase::LaneKeys { drawn, .. }) = asking.map(|asking| &asking.phase) else {
            return;
        };
        if self.overlay.standing().is_none() {
            // After a restart: who is called must be everybody, not those alone who are known already.
            return out.wake(now + JOINS_WITHIN, Timer::Asking(question));
        }
        let own = Box::new(self.overlay.own().clone());
        for seat in drawn.list.actors() {
            out.send(*seat, Message::Seat(drawn.clone(), own.clone()));
        }
        out.wake(now + OFFER_AGAIN, Timer::Asking(question));
    }

    /// The own question that is computed in this round.
    pub(crate) fn asked_in(&self, round: Digest) -> Option<Digest> {
        let mut asking = self.asking.iter();
        let is_round = |asking: &Asking| asking.terms().is_some_and(|t| t.round() == round);
        asking
            .find(|(_, asking)| is_round(asking))
            .map(|(question, _)| *question)
    }

    pub(crate) fn lanes_ready(
        &mut self,
        now: Instant,
        round: Digest,
        keys: Vec<Signed<LaneKey>>,
        out: &mut Outbox<Self>,
    ) {
        let Some(question) = self.asked_in(round) else {
            return;
        };
        let tells_directly = self.tells_directly();
        let Some(asking) = self.asking.get_mut(&question) else {
            return;
        };
        let Phase::LaneKeys { drawn, terms } = &asking.phase else {
            return;
        };
        let drawn = drawn.clone();
        let call = Box::new(Call { drawn, keys });
        let kept = value(&*call);
        // Once more halfway, for those whom the first call did not reach. A broadcast reaches them by itself.
        let again_at = match tells_directly {
            true => now + terms.closes_at.since(now) / 2,
            false => Instant(u64::MAX),
        };
        asking.phase = Phase::Collecting {
            call,
            terms: Arc::clone(terms),
            again_at,
        };
        out.wake(again_at, Timer::Asking(question));
        out.emit(Event::Stage(question, Stage::Collecting));
        // Nobody is called before it is on the disk: after a crash in between, the lanes might have other keys, and people would
        // be called with both.
        self.store(now, Entry::Called(question), kept, out);
    }

    /// Waits on for the answer to a question for which people were called before this process started. Gives what the helpers
    /// agreed on, unless it is too late.
    pub(crate) fn collect_on(
        &mut self,
        now: Instant,
        plan: SignedPlan,
        parsed: Question,
        call: Call,
        out: &mut Outbox<Self>,
    ) -> Option<Arc<Terms>> {
        let question = plan.plan.digest();
        let list = &call.drawn.list;
        let terms = Arc::new(plan.plan.terms(&parsed, list, self.community.descriptor()));
        let asking = Asking {
            plan,
            question: parsed,
            phase: Phase::Collecting {
                call: Box::new(call),
                terms: Arc::clone(&terms),
                // Once more, for those whom the first call did not reach.
                again_at: now + JOINS_WITHIN,
            },
        };
        self.asking.insert(question, asking);
        if now >= terms.ends_at() {
            self.ended(
                question,
                Failure::Committee(committee::Failure::TimedOut),
                out,
            );
            return None;
        }
        out.emit(Event::Stage(question, Stage::Collecting));
        out.wake(now + JOINS_WITHIN, Timer::Asking(question));
        Some(terms)
    }

    /// Ends a question of our own for which nobody is drawn yet. Whether there was one.
    pub(crate) fn call_off(&mut self, question: Digest, out: &mut Outbox<Self>) -> bool {
        let asking = self.asking.get(&question);
        let waits = asking.is_some_and(|asking| matches!(asking.phase, Phase::Consent { .. }));
        if waits {
            self.ended(question, Failure::CalledOff, out);
        }
        waits
    }

    /// Calls everybody to contribute.
    pub(crate) fn call(&mut self, now: Instant, question: Digest, out: &mut Outbox<Self>) {
        let asking = self.asking.get(&question);
        let Some(Phase::Collecting { call, .. }) = asking.map(|asking| &asking.phase) else {
            return;
        };
        let message = Message::Collect(call.drawn.clone(), call.keys.clone());
        if let Err(why) = self.tell_all(now, message, out) {
            self.ended(question, Failure::Untold(why), out);
        }
    }

    pub(crate) fn opened(&mut self, round: Digest, evidence: Evidence, out: &mut Outbox<Self>) {
        let Some(question) = self.asked_in(round) else {
            return;
        };
        let Some(Asking {
            phase: Phase::Collecting { call, .. },
            ..
        }) = self.asking.remove(&question)
        else {
            return;
        };
        let Drawn { plan, list } = *call.drawn;
        let proof = Proof {
            plan,
            list,
            evidence,
        };
        match proof.verify(&self.rules) {
            Ok(verified) => out.emit(Event::Answered(Box::new(Answer {
                verified,
                proof: proof.to_bytes(),
            }))),
            Err(why) => out.emit(Event::Ended(question, Failure::Proof(why))),
        }
        self.forget_asked(question, out);
    }

    pub(crate) fn ended(&mut self, question: Digest, why: Failure, out: &mut Outbox<Self>) {
        if self.asking.remove(&question).is_some() {
            // In this order: a host that is killed in between hears of the end again, rather than never.
            out.emit(Event::Ended(question, why));
            self.forget_asked(question, out);
        }
    }
}

fn stage_of(list: &ActorList) -> Stage {
    Stage::Drawn {
        k: list.builders.len(),
        checks: list.checks(),
        setter: list.body.setter,
        seats: list.actors().to_vec(),
    }
}

/// What witnesses must know of a question before they help to draw for it.
pub fn announced(plan: &Plan) -> Announced {
    Announced {
        trigger: plan.asker,
        seats: u32::try_from(plan.sizes.seats()).unwrap_or(u32::MAX),
        committees: 1,
        opens_at: plan.consent_until,
    }
}
