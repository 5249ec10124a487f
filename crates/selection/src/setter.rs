//! The execution setter's side (S): coordinates the list builders around the drawn point (SEP2P §3.5 steps 3 to 9).
//!
//! S decides nothing: the builders are the nearest nodes, their values are VRFs, and what S leaves out they notice.

use std::collections::{BTreeMap, BTreeSet};

use base::{Instant, NodeId, Outbox};
use community::Contact;
use crypto::{Signature, verify};

use crate::context::{Context, STEP, names};
use crate::fault::{Misbehaviour, Refusal};
use crate::list::{ActorList, Builder, ListBody, seat_by_lot};
use crate::message::{BuildRequest, Message, Opened, Opening, SKIPPED_MAX, SetterRequest, Step};
use crate::protocol::{Event, Selection, Timer};
use crate::random::{Draw, point_of};
use crate::witness::setter_random;

/// Times that S replaces builders before it gives up.
const ROUNDS_MAX: u32 = 4;

/// One draw that this node sets up.
pub struct Setter {
    trigger: NodeId,
    request: SetterRequest,
    random: base::Digest,
    round: u32,
    at: Instant,
    chosen: Vec<NodeId>,
    skipped: Vec<NodeId>,
    stage: Stage,
    deadline: Instant,
}

enum Stage {
    Commit(BTreeMap<NodeId, base::Digest>),
    Open {
        commitments: Vec<base::Digest>,
        openings: BTreeMap<NodeId, Opening>,
    },
    Sign {
        body: ListBody,
        signatures: BTreeMap<NodeId, Signature>,
    },
}

/// What became of a draw at its setter.
pub enum Outcome {
    /// Not finished.
    Going,
    /// Finished, given up, or not ours to set.
    Over,
}

impl Setter {
    /// Takes a trigger's request, when it holds and we are the node nearest to its point.
    pub fn start(
        context: &Context,
        now: Instant,
        trigger: NodeId,
        request: SetterRequest,
        out: &mut Outbox<Selection>,
    ) -> Option<Self> {
        let draw = request.random.draw;
        let refuse = |why| Message::Refused(draw, why);
        if draw.trigger != trigger || request.skipped.len() > SKIPPED_MAX {
            out.send(trigger, refuse(Refusal::Invalid));
            return None;
        }
        if let Err(why) = context.open_question(now, draw.digest, trigger) {
            out.send(trigger, refuse(why));
            return None;
        }
        let random = match request.random.verify(&context.rules, now) {
            Ok(random) => random,
            Err(what) => {
                out.emit(Event::Misbehaved {
                    node: trigger,
                    what,
                });
                out.send(trigger, refuse(Refusal::Invalid));
                return None;
            }
        };
        let keep = |node| node != trigger && !request.skipped.contains(&node);
        let nearest = context.cache.nearest(point_of(&random), keep)?;
        if nearest.node() != context.own() {
            out.send(
                trigger,
                refuse(Refusal::Nearer(Box::new((**nearest).clone()))),
            );
            return None;
        }
        let mut new = Self {
            trigger,
            request,
            random,
            round: 0,
            at: now,
            chosen: Vec::new(),
            skipped: Vec::new(),
            stage: Stage::Commit(BTreeMap::new()),
            deadline: now,
        };
        match new.ask_builders(context, now, out) {
            Outcome::Going => Some(new),
            Outcome::Over => None,
        }
    }

    fn draw(&self) -> Draw {
        self.request.random.draw
    }

    fn step(&self) -> Step {
        Step {
            draw: self.draw(),
            round: self.round,
        }
    }

    fn ask_builders(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let excluded = [self.trigger, context.own()];
        let centre = point_of(&self.random);
        let Some(chosen) = context.witnesses(centre, &excluded, &self.skipped) else {
            return self.give_up(out);
        };
        self.chosen = names(&chosen);
        self.at = now;
        for &node in &self.chosen {
            let request = BuildRequest {
                request: self.request.clone(),
                round: self.round,
                at: self.at,
                chosen: self.chosen.clone(),
                skipped: self.skipped.clone(),
            };
            out.send(node, Message::Build(Box::new(request)));
        }
        self.enter(Stage::Commit(BTreeMap::new()), now, out);
        Outcome::Going
    }

    fn enter(&mut self, stage: Stage, now: Instant, out: &mut Outbox<Selection>) {
        self.stage = stage;
        self.deadline = now + STEP;
        out.wake(self.deadline, Timer::Setter(self.draw()));
    }

    fn give_up(&self, out: &mut Outbox<Selection>) -> Outcome {
        out.send(self.trigger, Message::SetterGaveUp(self.draw()));
        Outcome::Over
    }

    fn tell_all(&self, message: &Message, out: &mut Outbox<Selection>) {
        for &node in &self.chosen {
            out.send(node, message.clone());
        }
    }

    /// Whether a message belongs to the round in hand.
    pub fn expects(&self, from: NodeId, step: Step) -> bool {
        step == self.step() && self.chosen.contains(&from)
    }

    /// Step 4 arrived from one builder; step 5 follows when all have.
    pub fn on_commit(
        &mut self,
        now: Instant,
        from: NodeId,
        commitment: base::Digest,
        out: &mut Outbox<Selection>,
    ) {
        let Stage::Commit(commitments) = &mut self.stage else {
            return;
        };
        commitments.insert(from, commitment);
        if commitments.len() < self.chosen.len() {
            return;
        }
        let commitments: Vec<_> = self.chosen.iter().map(|node| commitments[node]).collect();
        self.tell_all(&Message::Commits(self.step(), commitments.clone()), out);
        self.enter(
            Stage::Open {
                commitments,
                openings: BTreeMap::new(),
            },
            now,
            out,
        );
    }

    /// Step 6 arrived from one builder; step 7 follows when all have.
    pub fn on_open(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        opening: Opening,
        out: &mut Outbox<Selection>,
    ) {
        let place = self.chosen.iter().position(|node| *node == from);
        let Stage::Open {
            commitments,
            openings,
        } = &mut self.stage
        else {
            return;
        };
        let committed = place.map(|place| commitments[place]);
        if committed != Some(Opening::commitment(&opening.candidates)) {
            out.emit(Event::Misbehaved {
                node: from,
                what: Misbehaviour::Commitment,
            });
            return;
        }
        openings.insert(from, opening);
        if openings.len() < self.chosen.len() {
            return;
        }
        let openings: Vec<_> = self
            .chosen
            .iter()
            .filter_map(|node| openings.remove(node))
            .collect();
        let contacts = unsettled(context, &openings);
        let Some(body) = self.body(context, &openings) else {
            out.emit(Event::Misbehaved {
                node: from,
                what: Misbehaviour::RandomProof,
            });
            return;
        };
        let opened = Opened { openings, contacts };
        self.tell_all(&Message::Opens(self.step(), opened), out);
        self.enter(
            Stage::Sign {
                body,
                signatures: BTreeMap::new(),
            },
            now,
            out,
        );
    }

    fn body(&self, context: &Context, openings: &[Opening]) -> Option<ListBody> {
        let draw = self.draw();
        let random = setter_random(context, draw, &self.random, &self.chosen, openings).ok()?;
        let union: BTreeSet<_> = openings
            .iter()
            .flat_map(|opening| opening.candidates.iter().copied())
            .collect();
        Some(ListBody {
            descriptor: context.rules.community().digest(),
            draw,
            random: self.random,
            setter: context.own(),
            at: self.at,
            actors: seat_by_lot(&union, &random, self.request.seats as usize),
        })
    }

    /// Step 8g arrived from one builder; the list is complete when all have signed.
    pub fn on_signed(
        &mut self,
        context: &Context,
        from: NodeId,
        signature: Signature,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let Stage::Sign { body, signatures } = &mut self.stage else {
            return Outcome::Going;
        };
        if verify(from, ListBody::DOMAIN, &body.signed_bytes(), &signature).is_err() {
            out.emit(Event::Misbehaved {
                node: from,
                what: Misbehaviour::Signature,
            });
            return Outcome::Going;
        }
        signatures.insert(from, signature);
        if signatures.len() < self.chosen.len() {
            return Outcome::Going;
        }
        let builder = |node: &NodeId| {
            let certificate = context.cache.get(*node)?.certificate().clone();
            Some(Builder {
                certificate,
                signature: signatures[node],
            })
        };
        let builders = self.chosen.iter().filter_map(builder).collect();
        let list = ActorList {
            body: body.clone(),
            builders,
        };
        out.send(self.trigger, Message::List(Box::new(list)));
        Outcome::Over
    }

    /// A builder declined.
    pub fn on_refused(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        why: Refusal,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        if !self.chosen.contains(&from) {
            return Outcome::Going;
        }
        match why {
            Refusal::TooFewCandidates => {
                out.send(self.trigger, Message::Refused(self.draw(), why));
                return Outcome::Over;
            }
            Refusal::SkippedIsAlive(node) if self.skipped.contains(&node) => {
                self.skipped.retain(|skipped| *skipped != node);
            }
            Refusal::NotAnnounced => out.emit(Event::Unheard(self.draw().digest, from)),
            // A setter nearer to the point, or nodes that caches do not share yet: T tries again.
            Refusal::Nearer(contact) => {
                out.emit(Event::Heard(contact));
                return self.give_up(out);
            }
            _ => return self.give_up(out),
        }
        self.next_round(context, now, out)
    }

    /// `node` cannot be reached.
    pub fn on_unreachable(
        &mut self,
        context: &Context,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        if !self.silent().contains(&node) {
            return Outcome::Going;
        }
        self.skipped.push(node);
        self.next_round(context, now, out)
    }

    /// A deadline may have passed.
    pub fn handle_timer(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        if now < self.deadline {
            return Outcome::Going;
        }
        let silent = self.silent();
        self.skipped.extend(silent);
        self.next_round(context, now, out)
    }

    fn silent(&self) -> Vec<NodeId> {
        let answered = |node: &NodeId| match &self.stage {
            Stage::Commit(commitments) => commitments.contains_key(node),
            Stage::Open { openings, .. } => openings.contains_key(node),
            Stage::Sign { signatures, .. } => signatures.contains_key(node),
        };
        self.chosen
            .iter()
            .copied()
            .filter(|node| !answered(node))
            .collect()
    }

    fn next_round(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        self.round += 1;
        if self.round >= ROUNDS_MAX || self.skipped.len() > SKIPPED_MAX {
            return self.give_up(out);
        }
        self.ask_builders(context, now, out)
    }
}

/// Contacts of the candidates that not every builder named, as far as we know them.
fn unsettled(context: &Context, openings: &[Opening]) -> Vec<Contact> {
    let mut named: BTreeMap<NodeId, usize> = BTreeMap::new();
    for opening in openings {
        let distinct: BTreeSet<_> = opening.candidates.iter().collect();
        distinct
            .into_iter()
            .for_each(|node| *named.entry(*node).or_default() += 1);
    }
    let unsettled = named.iter().filter(|(_, times)| **times < openings.len());
    unsettled
        .filter_map(|(node, _)| context.cache.get(*node))
        .map(|c| (**c).clone())
        .collect()
}
