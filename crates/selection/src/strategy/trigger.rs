//! T: obtains a verifiable random from its legitimate nodes (SEP2P §3.4), and actors as the strategy has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Instant, Location, NodeId, Rng};
use community::Contact;
use crypto::Certificate;

use super::context::Context;
use super::fault::Refusal;
use super::lot::{pick, points};
use super::message::{Message, Request};
use super::name::Strategy;
use super::node::{Event, Out, Timer};
use super::random::{CommittedRandom, Part, value_of};
use super::selected::{Evidence, Selected, by_rank};
use crate::context::{SETTER, STEP};
use crate::limit::SEATS_MAX;
use crate::protocol::Failure;
use crate::random::Draw;
use crate::site::point_of;
use crate::tally::DrawLimit;

mod answers;

/// Tries at one draw before the trigger gives up. The descriptor's limit per period holds besides.
pub const ATTEMPTS_MAX: u32 = 8;

/// One draw that this node has started.
pub struct Trigger {
    draw: Draw,
    seats: u32,
    /// Who did not answer in some attempt.
    away: Vec<NodeId>,
    stage: Stage,
    deadline: Instant,
}

enum Stage {
    Start,
    /// Waits for each hash(RND_i).
    Commit {
        chosen: Vec<Arc<Contact>>,
        hashes: BTreeMap<NodeId, Digest>,
    },
    /// Waits for each RND_i.
    Open {
        chosen: Vec<Arc<Contact>>,
        /// L.
        hashes: Vec<Digest>,
        parts: BTreeMap<NodeId, Part>,
    },
    /// Looks S up.
    Find(Request),
    /// Waits for S.
    Set {
        request: Request,
        setter: Arc<Contact>,
    },
    /// M.Hash: looks the actors up.
    Hash {
        random: CommittedRandom,
        points: Vec<Location>,
        found: Vec<Option<Arc<Contact>>>,
    },
}

/// Whether a draw goes on, or what it ended with.
pub type Progress = Result<Option<Box<Selected>>, Failure>;

/// What T does.
impl Trigger {
    /// A draw at attempt 0, that [`begin`](Self::begin) begins.
    ///
    /// # Errors
    ///
    /// When no list has so many seats.
    pub fn new(
        context: &Context,
        now: Instant,
        digest: Digest,
        seats: u32,
    ) -> Result<Self, Failure> {
        if !(1..=SEATS_MAX).contains(&(seats as usize)) {
            return Err(Failure::Seats);
        }
        let draw = Draw {
            trigger: context.own(),
            digest,
            attempt: 0,
        };
        Ok(Self {
            draw,
            seats,
            away: Vec::new(),
            stage: Stage::Start,
            deadline: now,
        })
    }

    /// The first attempt, but in the cost-optimal strategy the whole draw.
    pub fn begin(
        &mut self,
        context: &Context,
        now: Instant,
        rng: &mut Rng,
        out: &mut Out,
    ) -> Progress {
        if context.setup.strategy != Strategy::CostOptimal {
            return self.ask_witnesses(context, now, out);
        }
        let picked = pick(&context.cache, self.seats as usize, rng);
        let picked = picked.ok_or(Failure::TooFewCandidates)?;
        self.done(Evidence::Picked(certificates(&picked)))
    }

    fn done(&self, evidence: Evidence) -> Progress {
        let draw = self.draw;
        Ok(Some(Box::new(Selected { draw, evidence })))
    }

    /// §3.4 step 1.
    fn ask_witnesses(&mut self, context: &Context, now: Instant, out: &mut Out) -> Progress {
        let mut without = self.away.clone();
        without.push(self.draw.trigger);
        let centre = context.identity.certificate.location();
        let chosen = context.witnesses(centre, &without);
        let mut chosen = chosen.ok_or(Failure::TooFewWitnesses)?;
        if context.setup.strategy == Strategy::SecurityOptimal {
            // No place has a meaning here: verifiers look for each name once.
            chosen.sort_by_key(|contact| contact.node());
        }
        let k = u32::try_from(chosen.len()).expect("a k of the table");
        for witness in &chosen {
            out.send(witness.node(), Message::Ask(self.draw, k));
        }
        let hashes = BTreeMap::new();
        self.enter(Stage::Commit { chosen, hashes }, now + STEP, out);
        Ok(None)
    }

    fn enter(&mut self, stage: Stage, deadline: Instant, out: &mut Out) {
        self.stage = stage;
        self.deadline = deadline;
        out.wake(deadline, Timer::Trigger(self.draw.digest));
    }

    /// §3.4 step 5 is reached: whatever the strategy does with the random.
    fn use_parts(
        &mut self,
        context: &Context,
        now: Instant,
        parts: Vec<Part>,
        out: &mut Out,
    ) -> Progress {
        let seats = self.seats as usize;
        if context.setup.strategy == Strategy::SecurityOptimal {
            let drawn = by_rank(&context.cache, &value_of(&parts), seats);
            let drawn = drawn.ok_or(Failure::TooFewCandidates)?;
            let known = drawn.iter().filter_map(|node| context.cache.get(*node));
            let actors = known.map(|contact| contact.certificate().clone());
            return self.done(Evidence::Ranked(parts, actors.collect()));
        }
        let random = CommittedRandom {
            trigger: context.identity.certificate.clone(),
            parts,
        };
        if context.setup.strategy == Strategy::MHash {
            let points = points(&random.value(), seats);
            let own = [self.draw.trigger];
            let found = points.iter().map(|point| find(context, *point, &own, out));
            let found = found.collect();
            let stage = Stage::Hash {
                random,
                points,
                found,
            };
            self.enter(stage, now + STEP, out);
            return self.seat_found(context, out);
        }
        let request = Request {
            random,
            relocations: Vec::new(),
            seats: self.seats,
        };
        self.ask_setter(context, now, request, out)
    }

    /// §3.5 step 2: looks S up, at once when our cache tells.
    fn ask_setter(
        &mut self,
        context: &Context,
        now: Instant,
        request: Request,
        out: &mut Out,
    ) -> Progress {
        let mut without = self.away.clone();
        without.push(self.draw.trigger);
        let point = point_of(&request.value());
        match find(context, point, &without, out) {
            Some(setter) => self.tell_setter(now, request, setter, out),
            None => self.enter(Stage::Find(request), now + STEP, out),
        }
        Ok(None)
    }

    fn tell_setter(&mut self, now: Instant, request: Request, setter: Arc<Contact>, out: &mut Out) {
        let message = Message::Set(self.draw, Box::new(request.clone()));
        out.send(setter.node(), message);
        self.enter(Stage::Set { request, setter }, now + SETTER, out);
    }

    /// M.Hash: done when all points are found, and looks again where one node is the nearest to two of them.
    fn seat_found(&mut self, context: &Context, out: &mut Out) -> Progress {
        let Stage::Hash {
            random,
            points,
            found,
        } = &mut self.stage
        else {
            return Ok(None);
        };
        loop {
            let Some(actors) = found.iter().cloned().collect::<Option<Vec<_>>>() else {
                return Ok(None);
            };
            let names: Vec<_> = actors.iter().map(|actor| actor.node()).collect();
            let twice = (1..names.len()).find(|seat| names[..*seat].contains(&names[*seat]));
            let Some(seat) = twice else {
                let evidence = Evidence::Hashed(Box::new(random.clone()), certificates(&actors));
                return self.done(evidence);
            };
            let without = [&[self.draw.trigger], &names[..]].concat();
            found[seat] = find(context, points[seat], &without, out);
        }
    }

    /// Starts anew: T generates a new random (§3.6).
    fn next_attempt(
        &mut self,
        context: &Context,
        now: Instant,
        why: Failure,
        out: &mut Out,
    ) -> Progress {
        self.draw.attempt += 1;
        if self.draw.attempt >= ATTEMPTS_MAX {
            return Err(why);
        }
        self.ask_witnesses(context, now, out)
    }
}

/// What peers and the application say.
impl Trigger {
    /// A witness's or a setter's message.
    pub fn on_message(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Out,
    ) -> Progress {
        if message.draw() != self.draw || !self.is_asked(from) {
            return Ok(None);
        }
        if let Message::Refused(_, why) = message {
            return self.on_refused(context, now, why, out);
        }
        match self.take(context, now, from, message, out) {
            Ok(progress) => progress,
            Err(what) => {
                out.emit(Event::Misbehaved { node: from, what });
                self.away.push(from);
                self.next_attempt(context, now, Failure::TooManyAttempts, out)
            }
        }
    }

    fn is_asked(&self, node: NodeId) -> bool {
        match &self.stage {
            Stage::Commit { chosen, .. } | Stage::Open { chosen, .. } => {
                chosen.iter().any(|witness| witness.node() == node)
            }
            Stage::Set { setter, .. } => setter.node() == node,
            Stage::Start | Stage::Find(_) | Stage::Hash { .. } => false,
        }
    }

    fn on_refused(
        &mut self,
        context: &Context,
        now: Instant,
        why: Refusal,
        out: &mut Out,
    ) -> Progress {
        match why {
            Refusal::TooManyDraws => {
                let descriptor = context.rules.community().descriptor();
                Err(Failure::TooManyDraws(DrawLimit::of(descriptor, now)))
            }
            Refusal::LargerK => Err(Failure::TooFewWitnesses),
            Refusal::TooFew => self.next_attempt(context, now, Failure::TooFewCandidates, out),
            Refusal::Unknown | Refusal::Invalid | Refusal::Busy | Refusal::Builder => {
                self.next_attempt(context, now, Failure::TooManyAttempts, out)
            }
        }
    }

    /// The application looked a point up.
    pub fn handle_found(
        &mut self,
        context: &Context,
        now: Instant,
        point: Location,
        contact: &Arc<Contact>,
        out: &mut Out,
    ) -> Progress {
        match &mut self.stage {
            Stage::Find(request) if point_of(&request.value()) == point => {
                let request = request.clone();
                self.tell_setter(now, request, Arc::clone(contact), out);
                Ok(None)
            }
            Stage::Hash { points, found, .. } => {
                let mut seats = points.iter().zip(found);
                let open = seats.find(|(at, found)| **at == point && found.is_none());
                if let Some((_, found)) = open {
                    *found = Some(Arc::clone(contact));
                }
                self.seat_found(context, out)
            }
            _ => Ok(None),
        }
    }
}

/// What does not come in time.
impl Trigger {
    /// These nodes do not answer: without them, if any was asked.
    pub fn on_silent(
        &mut self,
        context: &Context,
        now: Instant,
        nodes: &[NodeId],
        out: &mut Out,
    ) -> Progress {
        let asked: Vec<_> = nodes.iter().filter(|node| self.is_asked(**node)).collect();
        if asked.is_empty() {
            return Ok(None);
        }
        self.away.extend(asked);
        self.next_attempt(context, now, Failure::TooManyAttempts, out)
    }

    /// A deadline may have passed.
    pub fn handle_timer(&mut self, context: &Context, now: Instant, out: &mut Out) -> Progress {
        if now < self.deadline {
            return Ok(None);
        }
        let silent: Vec<_> = match &self.stage {
            Stage::Commit { chosen, hashes } => absent(chosen, hashes),
            Stage::Open { chosen, parts, .. } => absent(chosen, parts),
            Stage::Set { setter, .. } => vec![setter.node()],
            Stage::Start | Stage::Find(_) | Stage::Hash { .. } => Vec::new(),
        };
        self.away.extend(silent);
        self.next_attempt(context, now, Failure::TooManyAttempts, out)
    }
}

/// From our cache, or asked of the application.
fn find(
    context: &Context,
    point: Location,
    without: &[NodeId],
    out: &mut Out,
) -> Option<Arc<Contact>> {
    let found = context.nearest(point, without);
    if found.is_none() {
        let without = without.to_vec();
        out.emit(Event::Lookup { point, without });
    }
    found
}

fn absent<T>(chosen: &[Arc<Contact>], answered: &BTreeMap<NodeId, T>) -> Vec<NodeId> {
    let nodes = chosen.iter().map(|witness| witness.node());
    nodes.filter(|node| !answered.contains_key(node)).collect()
}

fn certificates(contacts: &[Arc<Contact>]) -> Vec<Certificate> {
    let certificates = contacts.iter().map(|contact| contact.certificate().clone());
    certificates.collect()
}
