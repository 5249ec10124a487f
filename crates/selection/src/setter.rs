//! The execution setter's side (S): coordinates the list builders around the drawn point (SEP2P §3.5 steps 3 to 9).
//!
//! S decides nothing: the builders are the nearest nodes, their values are VRFs, and what S leaves out they notice.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, Location, NodeId, Outbox};
use community::Contact;
use crypto::{Signature, verify};

use crate::builder::{Made, Statement, check_value};
use crate::context::{Context, STEP, names};
use crate::fault::{Misbehaviour, Refusal};
use crate::limit::{SEATS_MAX, SKIPPED_MAX};
use crate::list::{ActorList, Builder, check_candidates};
use crate::message::{BuildRequest, Message, Opening, SetterRequest, Step};
use crate::opened::Opened;
use crate::protocol::{Event, Help, Selection, Timer};
use crate::random::Draw;
use crate::relocation::Sparse;

/// Rounds in which S replaces builders before it gives up.
const ROUNDS_MAX: u32 = 4;

/// One draw that this node sets up.
pub struct Setter {
    trigger: NodeId,
    request: SetterRequest,
    /// RND_T, verified.
    random: Digest,
    round: u32,
    at: Instant,
    chosen: Vec<NodeId>,
    skipped: Vec<NodeId>,
    /// Builders that cannot be reached in this round.
    gone: BTreeSet<NodeId>,
    stage: Stage,
    deadline: Instant,
}

enum Stage {
    Commit(BTreeMap<NodeId, Digest>),
    Open {
        commitments: BTreeMap<NodeId, Digest>,
        /// With the value that each proves.
        openings: BTreeMap<NodeId, (Opening, Digest)>,
    },
    Sign {
        statement: Statement,
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

/// The trigger's request.
impl Setter {
    /// Takes a trigger's request, when it holds and we are the node nearest to its point.
    pub fn start(
        context: &Context,
        now: Instant,
        trigger: NodeId,
        request: SetterRequest,
        out: &mut Outbox<Selection>,
    ) -> Option<Self> {
        let step = request.step();
        let is_possible = (1..=SEATS_MAX).contains(&(request.seats as usize));
        let checked = if is_possible && step.draw.trigger == trigger {
            context.check_setting(now, trigger, context.own(), &request, out)
        } else {
            Err(Refusal::Invalid)
        };
        let random = match checked {
            Ok(random) => random,
            Err(why) => {
                out.send(trigger, Message::Refused(step, why));
                return None;
            }
        };
        let mut new = Self {
            trigger,
            request,
            random,
            round: 0,
            at: now,
            chosen: Vec::new(),
            skipped: Vec::new(),
            gone: BTreeSet::new(),
            stage: Stage::Commit(BTreeMap::new()),
            deadline: now,
        };
        match new.ask_builders(context, now, out) {
            Outcome::Going => {
                out.emit(Event::Helps(step.draw.digest, Help::SetsUp));
                Some(new)
            }
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
            site: self.request.site,
        }
    }

    fn point(&self) -> Location {
        self.request.site.point(&self.random)
    }
}

/// What S does.
impl Setter {
    /// Step 3.
    fn ask_builders(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let excluded = [self.trigger, context.own()];
        let Some(chosen) = context.witnesses(self.point(), &excluded, &self.skipped) else {
            return self.give_up(out);
        };
        self.chosen = names(&chosen);
        self.gone.clear();
        self.at = now;
        let request = BuildRequest {
            request: self.request.clone(),
            round: self.round,
            at: self.at,
            chosen: self.chosen.clone(),
            skipped: self.skipped.clone(),
        };
        self.tell_all(&Message::Build(Box::new(request)), out);
        self.enter(Stage::Commit(BTreeMap::new()), now, out);
        Outcome::Going
    }

    fn enter(&mut self, stage: Stage, now: Instant, out: &mut Outbox<Selection>) {
        self.stage = stage;
        self.deadline = now + STEP;
        out.wake(self.deadline, Timer::Setter(self.draw(), self.request.site));
    }

    fn tell_all(&self, message: &Message, out: &mut Outbox<Selection>) {
        for &node in &self.chosen {
            out.send(node, message.clone());
        }
    }

    fn give_up(&self, out: &mut Outbox<Selection>) -> Outcome {
        let gave_up = Message::SetterGaveUp(self.draw(), self.request.site);
        out.send(self.trigger, gave_up);
        Outcome::Over
    }

    /// Builders who lie answer probes, so that they cannot be replaced: T draws another point.
    fn accuse(&self, node: NodeId, what: Misbehaviour, out: &mut Outbox<Selection>) -> Outcome {
        out.emit(Event::Misbehaved { node, what });
        self.give_up(out)
    }

    /// Goes on when all have answered, and without those that cannot when all others have.
    fn advance(&mut self, context: &Context, now: Instant, out: &mut Outbox<Selection>) -> Outcome {
        let silent = self.silent();
        if !silent.is_empty() {
            return if silent.iter().all(|node| self.gone.contains(node)) {
                self.next_round(context, now, silent, out)
            } else {
                Outcome::Going
            };
        }
        match std::mem::replace(&mut self.stage, Stage::Commit(BTreeMap::new())) {
            Stage::Commit(commitments) => self.show_commitments(now, commitments, out),
            Stage::Open { openings, .. } => self.show_openings(context, now, &openings, out),
            Stage::Sign {
                statement,
                signatures,
            } => self.finish(context, statement, &signatures, out),
        }
    }

    /// Step 5.
    fn show_commitments(
        &mut self,
        now: Instant,
        commitments: BTreeMap<NodeId, Digest>,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let in_order = self.chosen.iter().map(|node| commitments[node]).collect();
        self.tell_all(&Message::Commits(self.step(), in_order), out);
        let openings = BTreeMap::new();
        self.enter(
            Stage::Open {
                commitments,
                openings,
            },
            now,
            out,
        );
        Outcome::Going
    }

    /// Step 7.
    fn show_openings(
        &mut self,
        context: &Context,
        now: Instant,
        openings: &BTreeMap<NodeId, (Opening, Digest)>,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let in_order = || self.chosen.iter().map(|node| &openings[node]);
        let values: Vec<_> = in_order().map(|(_, value)| *value).collect();
        let openings: Vec<_> = in_order().map(|(opening, _)| opening.clone()).collect();
        let made = Made {
            step: self.step(),
            random: self.random,
            setter: context.own(),
            at: self.at,
            seats: self.request.seats,
        };
        let statement = made.statement(context, &values, openings.iter());
        let contacts = match &statement {
            Statement::List(body) => unsettled(context, &body.actors, &openings),
            Statement::Sparse(_) => Vec::new(),
        };
        let opened = Opened { openings, contacts };
        if !opened.is_short() {
            return self.give_up(out);
        }
        self.tell_all(&Message::Opens(self.step(), opened), out);
        let signing = Stage::Sign {
            statement,
            signatures: BTreeMap::new(),
        };
        self.enter(signing, now, out);
        Outcome::Going
    }

    /// Step 9.
    fn finish(
        &self,
        context: &Context,
        statement: Statement,
        signatures: &BTreeMap<NodeId, Signature>,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let builder = |node: &NodeId| {
            let certificate = context.cache.get(*node)?.certificate().clone();
            Some(Builder {
                certificate,
                signature: signatures[node],
            })
        };
        let builders = self.chosen.iter().filter_map(builder).collect();
        let message = match statement {
            Statement::List(body) => Message::List(Box::new(ActorList { body, builders })),
            Statement::Sparse(body) => Message::Sparse(Box::new(Sparse { body, builders })),
        };
        out.send(self.trigger, message);
        out.emit(Event::Helps(self.draw().digest, Help::HasSetUp));
        Outcome::Over
    }

    fn silent(&self) -> Vec<NodeId> {
        let answered = |node: &NodeId| match &self.stage {
            Stage::Commit(commitments) => commitments.contains_key(node),
            Stage::Open { openings, .. } => openings.contains_key(node),
            Stage::Sign { signatures, .. } => signatures.contains_key(node),
        };
        let mut silent = self.chosen.clone();
        silent.retain(|node| !answered(node));
        silent
    }

    fn next_round(
        &mut self,
        context: &Context,
        now: Instant,
        without: Vec<NodeId>,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        self.skipped.extend(without);
        self.round += 1;
        if self.round >= ROUNDS_MAX || self.skipped.len() > SKIPPED_MAX {
            return self.give_up(out);
        }
        self.ask_builders(context, now, out)
    }
}

/// What builders say.
impl Setter {
    /// Whether a message belongs to the round in hand.
    pub fn expects(&self, from: NodeId, step: Step) -> bool {
        step == self.step() && self.chosen.contains(&from)
    }

    /// Step 4 arrived from one builder; step 5 follows when all have.
    pub fn on_commit(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        commitment: Digest,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let Stage::Commit(commitments) = &mut self.stage else {
            return self.accuse(from, Misbehaviour::OutOfTurn, out);
        };
        if commitments.insert(from, commitment).is_some() {
            return self.accuse(from, Misbehaviour::OutOfTurn, out);
        }
        self.advance(context, now, out)
    }

    /// Step 6 arrived from one builder; step 7 follows when all have.
    pub fn on_open(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        opening: Opening,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let value = match self.check_opening(context, from, &opening) {
            Ok(value) => value,
            Err(what) => return self.accuse(from, what, out),
        };
        if let Stage::Open { openings, .. } = &mut self.stage {
            openings.insert(from, (opening, value));
        }
        self.advance(context, now, out)
    }

    /// Gives the builder's value.
    fn check_opening(
        &self,
        context: &Context,
        from: NodeId,
        opening: &Opening,
    ) -> Result<Digest, Misbehaviour> {
        let Stage::Open {
            commitments,
            openings,
        } = &self.stage
        else {
            return Err(Misbehaviour::OutOfTurn);
        };
        if openings.contains_key(&from) {
            return Err(Misbehaviour::OutOfTurn);
        }
        if commitments.get(&from) != Some(&Opening::commitment(&opening.candidates)) {
            return Err(Misbehaviour::Commitment);
        }
        let descriptor = context.rules.community().descriptor();
        check_candidates(descriptor, self.trigger, &opening.candidates)?;
        // Of those that we know, nobody sits elsewhere; of the others no builder will sign that they do not.
        let region = context
            .rules
            .candidates(self.point(), self.request.site.committees);
        let elsewhere = |node: &NodeId| {
            let known = context.cache.get(*node);
            known.is_some_and(|contact| !region.contains(contact.location()))
        };
        if opening.candidates.iter().any(elsewhere) {
            return Err(Misbehaviour::Candidates);
        }
        let step = self.step();
        check_value(context, step, &self.random, context.own(), from, opening)
    }

    /// Step 8g arrived from one builder; the list is complete when all have signed.
    pub fn on_signed(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        signature: Signature,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        let Stage::Sign {
            statement,
            signatures,
        } = &mut self.stage
        else {
            return self.accuse(from, Misbehaviour::OutOfTurn, out);
        };
        let (domain, bytes) = statement.signed();
        if verify(from, domain, &bytes, &signature).is_err() {
            return self.accuse(from, Misbehaviour::Signature, out);
        }
        signatures.insert(from, signature);
        self.advance(context, now, out)
    }

    /// A builder declined this round.
    pub fn on_refused(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        why: Refusal,
        out: &mut Outbox<Selection>,
    ) -> Outcome {
        match why {
            Refusal::SkippedIsAlive(node) if self.skipped.contains(&node) => {
                self.skipped.retain(|skipped| *skipped != node);
                self.next_round(context, now, Vec::new(), out)
            }
            // Caches that differ: T tries again.
            Refusal::Nearer(contact) => {
                context.hear(now, from, *contact, out);
                self.give_up(out)
            }
            Refusal::Unknown(node) => {
                context.introduce(from, node, out);
                self.give_up(out)
            }
            Refusal::NotAnnounced => {
                out.emit(Event::Unheard(self.draw().digest, from));
                self.give_up(out)
            }
            _ => self.give_up(out),
        }
    }
}

/// What does not come in time.
impl Setter {
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
        self.gone.insert(node);
        self.advance(context, now, out)
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
        self.next_round(context, now, silent, out)
    }
}

/// Contacts of the actors that not every builder named, as far as we know them.
fn unsettled(context: &Context, actors: &[NodeId], openings: &[Opening]) -> Vec<Contact> {
    let named = |actor: &NodeId, by: &Opening| by.candidates.binary_search(actor).is_ok();
    actors
        .iter()
        .filter(|actor| !openings.iter().all(|opening| named(actor, opening)))
        .filter_map(|actor| context.cache.get(*actor))
        .map(|contact| (**contact).clone())
        .collect()
}
