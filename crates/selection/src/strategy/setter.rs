//! S: coordinates the builders around the drawn point (SEP2P §3.5 steps 3 to 9), or chooses the actors itself (§4.1).
//!
//! S passes on what it is told and judges little of it: the builders check each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Instant, NodeId, Rng};
use community::Contact;
use crypto::{Certificate, Signature};

use super::builder::{draw, unsettled};
use super::checker::Checker;
use super::context::Context;
use super::fault::{Breach, Refusal};
use super::list::{Relocation, SignedList, Signer};
use super::lot::{commitment_with, near_region, pick};
use super::message::{Message, Opening, Request};
use super::name::Strategy;
use super::node::{Event, Out, Timer};
use super::selected::{Choice, tolerance};
use crate::context::STEP;
use crate::limit::SEATS_MAX;
use crate::random::Draw;
use crate::site::point_of;

/// One draw that this node sets up.
pub struct Setter {
    draw: Draw,
    seats: u32,
    /// RND_T, which the builders check.
    random: Digest,
    /// k builders, nearest to the point first.
    chosen: Vec<Arc<Contact>>,
    /// Certificates that builders showed.
    shown: BTreeMap<NodeId, Certificate>,
    stage: Stage,
    deadline: Instant,
}

enum Stage {
    Commit(BTreeMap<NodeId, Digest>),
    Open {
        hashes: BTreeMap<NodeId, Digest>,
        openings: BTreeMap<NodeId, Opening>,
    },
    Sign {
        /// `None` when R3 is too sparse.
        actors: Option<Vec<NodeId>>,
        signatures: BTreeMap<NodeId, (Instant, Signature)>,
    },
}

/// What became of a draw at its setter.
pub enum Outcome {
    /// Not finished.
    Going,
    /// Finished, or given up.
    Over,
}

/// What S does.
impl Setter {
    /// Takes a trigger's request: step 3.
    pub fn start(
        context: &Context,
        now: Instant,
        draw: Draw,
        request: Request,
        out: &mut Out,
    ) -> Option<Self> {
        let random = request.value();
        let own = context.own();
        let seats = request.seats as usize;
        let point = point_of(&random);
        let builders = context
            .rules
            .legitimate(&context.cache, point, |node| node != own);
        let chosen = match builders {
            _ if !(1..=SEATS_MAX).contains(&seats) => Err(Refusal::Invalid),
            None => Err(Refusal::TooFew),
            Some(chosen) => Ok(chosen),
        };
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(why) => {
                out.send(draw.trigger, Message::Refused(draw, why));
                return None;
            }
        };
        let mut new = Self {
            draw,
            seats: request.seats,
            random,
            chosen,
            shown: BTreeMap::new(),
            stage: Stage::Commit(BTreeMap::new()),
            deadline: now,
        };
        let k = u32::try_from(new.chosen.len()).expect("a k of the table");
        new.tell_all(&Message::Build(draw, Box::new(request), k), out);
        new.enter(Stage::Commit(BTreeMap::new()), now, out);
        Some(new)
    }

    fn tell_all(&self, message: &Message, out: &mut Out) {
        for builder in &self.chosen {
            out.send(builder.node(), message.clone());
        }
    }

    fn enter(&mut self, stage: Stage, now: Instant, out: &mut Out) {
        self.stage = stage;
        self.deadline = now + STEP;
        out.wake(self.deadline, Timer::Setter(self.draw));
    }

    fn is_builder(&self, node: NodeId) -> bool {
        self.chosen.iter().any(|builder| builder.node() == node)
    }

    fn give_up(&self, out: &mut Out) -> Outcome {
        let no = Message::Refused(self.draw, Refusal::Builder);
        out.send(self.draw.trigger, no);
        Outcome::Over
    }

    /// Values of all builders, in their order, once each has given one.
    fn in_order<T: Clone>(&self, of: &BTreeMap<NodeId, T>) -> Option<Vec<T>> {
        let chosen = self.chosen.iter();
        chosen.map(|node| of.get(&node.node()).cloned()).collect()
    }
}

/// What builders say.
impl Setter {
    /// A builder's message; the next step follows when all have answered.
    pub fn on_message(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Out,
    ) -> Outcome {
        if !self.is_builder(from) {
            return Outcome::Going;
        }
        match self.take(context, now, from, message) {
            Ok(()) => self.advance(context, now, out),
            Err(what) => {
                out.emit(Event::Misbehaved { node: from, what });
                self.give_up(out)
            }
        }
    }

    fn take(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        message: Message,
    ) -> Result<(), Breach> {
        let before = match (&mut self.stage, message) {
            (Stage::Commit(hashes), Message::Commit(_, hash)) => {
                hashes.insert(from, hash).is_some()
            }
            (Stage::Open { hashes, openings }, Message::Open(_, opening, shown)) => {
                let hash = commitment_with(&opening.random, &opening.candidates);
                if hashes.get(&from) != Some(&hash) {
                    return Err(Breach::Opening);
                }
                let named = shown.into_iter().map(|shown| (shown.node(), shown));
                self.shown.extend(named);
                openings.insert(from, opening).is_some()
            }
            (Stage::Sign { actors, signatures }, Message::Signed(_, at, signature)) => {
                let actors = actors.as_ref().ok_or(Breach::OutOfTurn)?;
                let bytes = SignedList::signed_bytes(&self.random, actors, at);
                let mut checker = Checker::new(&context.rules, now);
                checker.signature(from, SignedList::DOMAIN, (at, &bytes), &signature)?;
                signatures.insert(from, (at, signature)).is_some()
            }
            (
                Stage::Sign {
                    actors: None,
                    signatures,
                },
                Message::Sparse(_, at, signature),
            ) => {
                let bytes = Relocation::signed_bytes(&self.random, self.seats, at);
                let mut checker = Checker::new(&context.rules, now);
                checker.signature(from, Relocation::DOMAIN, (at, &bytes), &signature)?;
                signatures.insert(from, (at, signature)).is_some()
            }
            _ => true,
        };
        if before {
            return Err(Breach::OutOfTurn);
        }
        Ok(())
    }

    fn advance(&mut self, context: &Context, now: Instant, out: &mut Out) -> Outcome {
        match &self.stage {
            Stage::Commit(hashes) => {
                let Some(in_order) = self.in_order(hashes) else {
                    return Outcome::Going;
                };
                let (hashes, openings) = (hashes.clone(), BTreeMap::new());
                self.tell_all(&Message::Commits(self.draw, in_order), out);
                self.enter(Stage::Open { hashes, openings }, now, out);
            }
            Stage::Open { openings, .. } => {
                let Some(openings) = self.in_order(openings) else {
                    return Outcome::Going;
                };
                self.show_openings(context, now, openings, out);
            }
            Stage::Sign { actors, signatures } => {
                let Some(signatures) = self.in_order(signatures) else {
                    return Outcome::Going;
                };
                out.send(self.draw.trigger, self.result(actors.clone(), &signatures));
                return Outcome::Over;
            }
        }
        Outcome::Going
    }

    /// Step 7, with whatever builders need for step 8f.
    fn show_openings(
        &mut self,
        context: &Context,
        now: Instant,
        openings: Vec<Opening>,
        out: &mut Out,
    ) {
        let actors = draw(&openings, self.seats as usize);
        let certificate = |node: NodeId| {
            let known = context.cache.get(node);
            let known = known.map(|contact| contact.certificate());
            known.or_else(|| self.shown.get(&node)).cloned()
        };
        let drawn = actors.as_deref().unwrap_or_default();
        let certificates = unsettled(drawn, &openings).filter_map(certificate);
        let certificates = certificates.collect();
        self.tell_all(&Message::Opens(self.draw, openings, certificates), out);
        let signatures = BTreeMap::new();
        self.enter(Stage::Sign { actors, signatures }, now, out);
    }

    /// Step 9, or the evidence that the draw must go elsewhere (§3.6).
    fn result(&self, actors: Option<Vec<NodeId>>, signatures: &[(Instant, Signature)]) -> Message {
        let signers = self.chosen.iter().zip(signatures);
        let signers = signers.map(|(builder, (at, signature))| Signer {
            certificate: builder.certificate().clone(),
            at: *at,
            signature: *signature,
        });
        let signers = signers.collect();
        match actors {
            Some(actors) => {
                let random = self.random;
                let list = SignedList {
                    random,
                    actors,
                    signers,
                };
                Message::List(self.draw, Box::new(list))
            }
            None => Message::Relocate(self.draw, Relocation { signers }),
        }
    }

    /// A builder declined or cannot be reached: T draws another point.
    pub fn on_refused(&mut self, from: NodeId, out: &mut Out) -> Outcome {
        if self.is_builder(from) {
            self.give_up(out)
        } else {
            Outcome::Going
        }
    }

    /// A deadline may have passed.
    pub fn handle_timer(&mut self, now: Instant, out: &mut Out) -> Outcome {
        if now < self.deadline {
            Outcome::Going
        } else {
            self.give_up(out)
        }
    }
}

/// ES.NAV and ES.AV: an honest S checks that it is the setter, and picks at random.
pub fn choose(
    context: &Context,
    now: Instant,
    draw: Draw,
    request: Request,
    rng: &mut Rng,
    out: &mut Out,
) {
    let random = match check_setter(context, now, &request) {
        Ok(random) => random,
        Err(what) => {
            let node = draw.trigger;
            out.emit(Event::Misbehaved { node, what });
            out.send(node, Message::Refused(draw, Refusal::Invalid));
            return;
        }
    };
    let seats = request.seats as usize;
    let picked = pick(&context.cache, seats, rng).filter(|_| (1..=SEATS_MAX).contains(&seats));
    let Some(picked) = picked else {
        out.send(draw.trigger, Message::Refused(draw, Refusal::TooFew));
        return;
    };
    let actors: Vec<_> = picked.iter().map(|contact| contact.node()).collect();
    let bytes = Choice::signed_bytes(&random, &actors, now);
    let choice = Choice {
        random: request.random,
        setter: context.identity.certificate.clone(),
        at: now,
        actors,
        signature: context.identity.key.sign(Choice::DOMAIN, &bytes),
    };
    let certificates = match context.setup.strategy {
        Strategy::EsAv => picked
            .iter()
            .map(|actor| actor.certificate().clone())
            .collect(),
        _ => Vec::new(),
    };
    out.send(
        draw.trigger,
        Message::Chosen(draw, Box::new(choice), certificates),
    );
}

/// That RND_T holds and that we are near its point, as verifiers will check.
fn check_setter(context: &Context, now: Instant, request: &Request) -> Result<Digest, Breach> {
    let rules = &context.rules;
    let random = request.random.check(&mut Checker::new(rules, now))?;
    let near = near_region(rules, point_of(&random), tolerance(rules));
    if near.contains(context.identity.certificate.location()) {
        Ok(random)
    } else {
        Err(Breach::NotNear)
    }
}
