//! The legitimate nodes' side: TL (gives a part of the trigger's random) and SL (builds the actor list).
//!
//! A witness answers only for a question that it has heard of, after its consent phase, at most so often per trigger and
//! period, and only when the nodes chosen are those that it would have chosen itself. Nodes named as away it asks itself.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, NodeId, Outbox};

use crate::context::{Context, PROBE};
use crate::fault::{Misbehaviour, Refusal};
use crate::list::{ListBody, seat_by_lot};
use crate::message::{BuildRequest, Message, Opened, Opening, SKIPPED_MAX, Step, TriggerRequest};
use crate::protocol::{Event, Selection, Timer};
use crate::random::{DRAW_TOLERANCE, Draw, TriggerPart, point_of};

/// Most requests that wait for probes at a time.
const PENDING_MAX: usize = 64;
/// Most lists in the making at a time.
const BUILDING_MAX: usize = 64;
/// Most triggers whose draws are counted.
const COUNTED_MAX: usize = 4096;

/// One node's witnessing for others.
#[derive(Default)]
pub struct Witness {
    pending: Vec<Pending>,
    building: BTreeMap<(NodeId, Draw), Building>,
    draws: BTreeMap<NodeId, Draws>,
}

/// A request whose skipped nodes are being asked.
struct Pending {
    from: NodeId,
    request: Request,
    waiting: BTreeSet<NodeId>,
    until: Instant,
}

enum Request {
    Trigger(TriggerRequest),
    /// With the value of the verified random.
    Build(Box<BuildRequest>, Digest),
}

impl Request {
    fn draw(&self) -> Draw {
        match self {
            Self::Trigger(request) => request.draw,
            Self::Build(request, _) => request.request.random.draw,
        }
    }

    fn skipped(&self) -> BTreeSet<NodeId> {
        match self {
            Self::Trigger(request) => request.skipped.iter().copied().collect(),
            Self::Build(request, _) => request
                .skipped
                .iter()
                .chain(&request.request.skipped)
                .copied()
                .collect(),
        }
    }
}

/// A list in the making at one builder.
struct Building {
    request: BuildRequest,
    random: Digest,
    candidates: Vec<NodeId>,
    commitments: Vec<Digest>,
}

/// Draws witnessed for one trigger in one period.
struct Draws {
    period: u64,
    seen: BTreeSet<(Digest, u32)>,
}

impl Witness {
    /// T asks for our part.
    pub fn on_trigger(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: TriggerRequest,
        out: &mut Outbox<Selection>,
    ) {
        match self.check_trigger(context, now, from, &request) {
            Ok(()) => self.probe_then(context, now, from, Request::Trigger(request), out),
            Err(why) => out.send(from, Message::Refused(request.draw, why)),
        }
    }

    fn check_trigger(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: &TriggerRequest,
    ) -> Result<(), Refusal> {
        let draw = request.draw;
        if draw.trigger != from || request.skipped.len() > SKIPPED_MAX {
            return Err(Refusal::Invalid);
        }
        context.open_question(now, draw.digest, from)?;
        let trigger = context.cache.get(from).ok_or(Refusal::Unknown(from))?;
        let centre = trigger.location();
        context.check_witnesses(centre, &request.chosen, &[from], &request.skipped)?;
        self.count(context, now, draw)
    }

    /// Counts attempts per trigger and period, whatever they are for.
    fn count(&mut self, context: &Context, now: Instant, draw: Draw) -> Result<(), Refusal> {
        let descriptor = context.rules.community().descriptor();
        let period = now.as_secs() / descriptor.period_secs;
        self.draws.retain(|_, draws| draws.period == period);
        if !self.draws.contains_key(&draw.trigger) && self.draws.len() >= COUNTED_MAX {
            return Err(Refusal::TooManyDraws);
        }
        let draws = self.draws.entry(draw.trigger).or_insert(Draws {
            period,
            seen: BTreeSet::new(),
        });
        let this = (draw.digest, draw.attempt);
        if !draws.seen.contains(&this) && draws.seen.len() >= descriptor.draws_per_period as usize {
            return Err(Refusal::TooManyDraws);
        }
        draws.seen.insert(this);
        Ok(())
    }

    fn probe_then(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: Request,
        out: &mut Outbox<Selection>,
    ) {
        let waiting = request.skipped();
        if waiting.is_empty() {
            self.go_on(context, now, from, request, out);
        } else if self.pending.len() < PENDING_MAX {
            waiting
                .iter()
                .for_each(|node| out.send(*node, Message::Probe));
            let until = now + PROBE;
            out.wake(until, Timer::Probe);
            self.pending.push(Pending {
                from,
                request,
                waiting,
                until,
            });
        }
    }

    fn go_on(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: Request,
        out: &mut Outbox<Selection>,
    ) {
        match request {
            Request::Trigger(request) => answer_trigger(context, now, from, &request, out),
            Request::Build(request, random) => {
                self.commit(context, from, *request, random, out);
            }
        }
    }

    /// A probed node answers: whoever said that it was away is refused.
    pub fn on_alive(&mut self, from: NodeId, out: &mut Outbox<Selection>) {
        self.pending.retain(|pending| {
            let wrong = pending.waiting.contains(&from);
            if wrong {
                let refusal = Refusal::SkippedIsAlive(from);
                out.send(
                    pending.from,
                    Message::Refused(pending.request.draw(), refusal),
                );
            }
            !wrong
        });
    }

    /// A probed node cannot be reached: no need to wait for it.
    pub fn on_unreachable(
        &mut self,
        context: &Context,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Selection>,
    ) {
        self.pending.iter_mut().for_each(|pending| {
            pending.waiting.remove(&node);
        });
        self.resume(context, now, out);
    }

    /// Goes on with the requests whose skipped nodes have stayed silent.
    pub fn resume(&mut self, context: &Context, now: Instant, out: &mut Outbox<Selection>) {
        let ready = |pending: &Pending| pending.waiting.is_empty() || pending.until <= now;
        let (go, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(ready);
        self.pending = stay;
        for pending in go {
            self.go_on(context, now, pending.from, pending.request, out);
        }
    }

    /// S asks us to build (step 3).
    pub fn on_build(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: BuildRequest,
        out: &mut Outbox<Selection>,
    ) {
        match check_build(context, now, from, &request) {
            Ok(random) => {
                let request = Request::Build(Box::new(request), random);
                self.probe_then(context, now, from, request, out);
            }
            Err(why) => out.send(from, Message::Refused(request.request.random.draw, why)),
        }
    }

    /// Step 4: commits to the candidates that we know.
    fn commit(
        &mut self,
        context: &Context,
        from: NodeId,
        request: BuildRequest,
        random: Digest,
        out: &mut Outbox<Selection>,
    ) {
        let draw = request.request.random.draw;
        let descriptor = context.rules.community().descriptor();
        let eligible = |node: &NodeId| *node != draw.trigger && !descriptor.is_revoked(*node);
        let candidates: Vec<_> = context
            .cache
            .iter()
            .map(|contact| contact.node())
            .filter(eligible)
            .collect();
        let step = Step {
            draw,
            round: request.round,
        };
        out.send(
            from,
            Message::Commit(step, Opening::commitment(&candidates)),
        );
        if self.building.len() >= BUILDING_MAX {
            self.building.pop_first();
        }
        let building = Building {
            request,
            random,
            candidates,
            commitments: Vec::new(),
        };
        self.building.insert((from, draw), building);
    }

    /// Step 5 arrived: opens when our commitment is among them (step 6).
    pub fn on_commits(
        &mut self,
        context: &Context,
        from: NodeId,
        step: Step,
        commitments: Vec<Digest>,
        out: &mut Outbox<Selection>,
    ) {
        let Some(building) = self.building.get_mut(&(from, step.draw)) else {
            return;
        };
        let chosen = &building.request.chosen;
        let place = chosen.iter().position(|node| *node == context.own());
        let own = Opening::commitment(&building.candidates);
        let ours = place.and_then(|place| commitments.get(place)) == Some(&own);
        if building.request.round != step.round
            || !building.commitments.is_empty()
            || commitments.len() != chosen.len()
            || !ours
        {
            return;
        }
        building.commitments = commitments;
        let input = step.draw.setter_input(context.own(), &building.random);
        let proof = context.identity.vrf.prove(&input);
        let opening = Opening {
            proof,
            candidates: building.candidates.clone(),
        };
        out.send(from, Message::Open(step, opening));
    }

    /// Step 7 arrived: checks everything and signs (step 8).
    pub fn on_opens(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        step: Step,
        opened: &Opened,
        out: &mut Outbox<Selection>,
    ) {
        let key = (from, step.draw);
        let current = self.building.get(&key);
        if current.is_none_or(|building| building.request.round != step.round) {
            return;
        }
        let Some(building) = self.building.remove(&key) else {
            return;
        };
        match build(context, now, from, &building, opened) {
            Ok(body) => {
                let signature = context
                    .identity
                    .key
                    .sign(ListBody::DOMAIN, &body.signed_bytes());
                out.send(from, Message::Signed(step, signature));
            }
            Err(BuildError::Peer(what)) => {
                out.emit(Event::Misbehaved { node: from, what });
                out.send(from, Message::Refused(step.draw, Refusal::Invalid));
            }
            Err(BuildError::Refuse(why)) => out.send(from, Message::Refused(step.draw, why)),
        }
    }
}

fn answer_trigger(
    context: &Context,
    now: Instant,
    from: NodeId,
    request: &TriggerRequest,
    out: &mut Outbox<Selection>,
) {
    let draw = request.draw;
    let bytes = draw.part_bytes(now, &request.chosen, &request.skipped);
    let part = TriggerPart {
        certificate: context.identity.certificate.clone(),
        proof: context
            .identity
            .vrf
            .prove(&draw.random_input(context.own())),
        at: now,
        signature: context.identity.key.sign(TriggerPart::DOMAIN, &bytes),
    };
    out.send(
        from,
        Message::Part(draw.digest, draw.attempt, Box::new(part)),
    );
}

fn check_build(
    context: &Context,
    now: Instant,
    from: NodeId,
    request: &BuildRequest,
) -> Result<Digest, Refusal> {
    let setting = &request.request;
    let draw = setting.random.draw;
    let away = request.skipped.len() <= SKIPPED_MAX && setting.skipped.len() <= SKIPPED_MAX;
    if !away || request.at.distance(now) > DRAW_TOLERANCE {
        return Err(Refusal::Invalid);
    }
    let question = context.open_question(now, draw.digest, draw.trigger)?;
    if question.seats != setting.seats {
        return Err(Refusal::Invalid);
    }
    let random = setting
        .random
        .verify(&context.rules, now)
        .map_err(|_| Refusal::Invalid)?;
    let point = point_of(&random);
    let keep = |node| node != draw.trigger && !setting.skipped.contains(&node);
    let nearest = context.cache.nearest(point, keep).ok_or(Refusal::Invalid)?;
    if nearest.node() != from {
        return Err(Refusal::Nearer(Box::new((**nearest).clone())));
    }
    context.check_witnesses(
        point,
        &request.chosen,
        &[draw.trigger, from],
        &request.skipped,
    )?;
    Ok(random)
}

enum BuildError {
    Peer(Misbehaviour),
    Refuse(Refusal),
}

impl From<Misbehaviour> for BuildError {
    fn from(what: Misbehaviour) -> Self {
        Self::Peer(what)
    }
}

/// Step 8, a to f.
fn build(
    context: &Context,
    now: Instant,
    setter: NodeId,
    building: &Building,
    opened: &Opened,
) -> Result<ListBody, BuildError> {
    let request = &building.request;
    let draw = request.request.random.draw;
    let Opened { openings, contacts } = opened;
    let committed = openings
        .iter()
        .map(|opening| Opening::commitment(&opening.candidates));
    if !committed.eq(building.commitments.iter().copied()) {
        return Err(Misbehaviour::Commitment.into());
    }
    let random = setter_random(context, draw, &building.random, &request.chosen, openings)?;
    let union: BTreeSet<_> = openings
        .iter()
        .flat_map(|opening| opening.candidates.iter().copied())
        .collect();
    let descriptor = context.rules.community().descriptor();
    for node in &union {
        let told = || contacts.iter().find(|contact| contact.node() == *node);
        let genuine = context.cache.contains(*node)
            || told().is_some_and(|contact| contact.verify(descriptor, now).is_ok());
        if !genuine {
            return Err(BuildError::Refuse(Refusal::Unknown(*node)));
        }
    }
    let seats = request.request.seats as usize;
    let actors = seat_by_lot(&union, &random, seats);
    if actors.len() < seats {
        return Err(BuildError::Refuse(Refusal::TooFewCandidates));
    }
    if union.contains(&draw.trigger) || union.iter().any(|node| descriptor.is_revoked(*node)) {
        return Err(Misbehaviour::DoubleSeat.into());
    }
    Ok(ListBody {
        descriptor: context.rules.community().digest(),
        draw,
        random: building.random,
        setter,
        at: request.at,
        actors,
    })
}

/// RND_S: all builders' values together (SEP2P §3.5 step 8d, with VRFs in place of opened numbers).
///
/// # Errors
///
/// A builder that we do not know, a wrong number of openings, or a proof that does not hold.
pub fn setter_random(
    context: &Context,
    draw: Draw,
    random: &Digest,
    chosen: &[NodeId],
    openings: &[Opening],
) -> Result<Digest, Misbehaviour> {
    if chosen.len() != openings.len() {
        return Err(Misbehaviour::OutOfTurn);
    }
    let value = |(node, opening): (&NodeId, &Opening)| {
        let input = draw.setter_input(*node, random);
        let contact = context
            .cache
            .get(*node)
            .ok_or(Misbehaviour::NotLegitimate)?;
        let vrf = contact.certificate().vrf();
        vrf.verify(&input, &opening.proof)
            .map_err(|_| Misbehaviour::RandomProof)
    };
    let values = chosen
        .iter()
        .zip(openings)
        .map(value)
        .collect::<Result<Vec<_>, _>>()?;
    let parts: Vec<&[u8]> = std::iter::once(&random.0[..])
        .chain(values.iter().map(|value| &value.0[..]))
        .collect();
    Ok(Digest::of("random of setter", &parts))
}
