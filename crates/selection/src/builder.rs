//! The list builder's side (SL): commits to the candidates that it knows, opens, checks what all have opened, signs
//! (SEP2P §3.5 steps 4, 6 and 8).

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Instant, NodeId, Outbox};
use community::Contact;

use crate::context::{Context, STEP};
use crate::fault::{Misbehaviour, Refusal};
use crate::list::{ListBody, check_candidates, seat_by_lot};
use crate::message::{BuildRequest, Message, Opened, Opening, Step};
use crate::protocol::{Event, Selection};
use crate::random::Draw;

/// Most lists in the making at a time.
pub const BUILDING_MAX: usize = 64;
/// How long a list is in the making: a round of the setter.
pub const BUILDING_KEPT: Duration = STEP.saturating_mul(4);

/// The lists that one node helps to build, by setter and draw.
#[derive(Default)]
pub struct Builder {
    building: BTreeMap<(NodeId, Draw), Building>,
}

struct Building {
    request: BuildRequest,
    /// RND_T, verified.
    random: Digest,
    candidates: Vec<NodeId>,
    /// Empty until the setter has sent all.
    commitments: Vec<Digest>,
    until: Instant,
}

impl Builder {
    /// Step 4: commits to the candidates that we know.
    pub fn commit(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: BuildRequest,
        random: Digest,
        out: &mut Outbox<Selection>,
    ) {
        let step = request.step();
        let key = (from, step.draw);
        self.building.retain(|_, building| now <= building.until);
        if !self.building.contains_key(&key) && self.building.len() >= BUILDING_MAX {
            out.send(from, Message::Refused(step, Refusal::Busy));
            return;
        }
        let candidates = context.candidates(step.draw.trigger);
        let commitment = Opening::commitment(&candidates);
        let building = Building {
            request,
            random,
            candidates,
            commitments: Vec::new(),
            until: now + BUILDING_KEPT,
        };
        self.building.insert(key, building);
        out.send(from, Message::Commit(step, commitment));
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
        let key = (from, step.draw);
        let Some(building) = self.in_round(from, step) else {
            return;
        };
        match building.take_commitments(context.own(), commitments) {
            Ok(()) => {
                let input =
                    step.draw
                        .setter_input(context.own(), &building.random, from, step.round);
                let opening = Opening {
                    proof: context.identity.vrf.prove(&input),
                    candidates: building.candidates.clone(),
                };
                out.send(from, Message::Open(step, opening));
            }
            Err(what) => {
                self.building.remove(&key);
                accuse(from, step, what, out);
            }
        }
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
        if self.in_round(from, step).is_none() {
            return;
        }
        let Some(building) = self.building.remove(&(from, step.draw)) else {
            return;
        };
        match building.body(context, now, from, opened) {
            Ok(body) => {
                let key = &context.identity.key;
                let signature = key.sign(ListBody::DOMAIN, &body.signed_bytes());
                out.send(from, Message::Signed(step, signature));
            }
            Err(NoBody::Breach(what)) => accuse(from, step, what, out),
            Err(NoBody::Refused(why)) => out.send(from, Message::Refused(step, why)),
        }
    }

    fn in_round(&mut self, from: NodeId, step: Step) -> Option<&mut Building> {
        let building = self.building.get_mut(&(from, step.draw))?;
        (building.request.round == step.round).then_some(building)
    }
}

/// Why a builder does not sign.
enum NoBody {
    Breach(Misbehaviour),
    Refused(Refusal),
}

impl From<Misbehaviour> for NoBody {
    fn from(what: Misbehaviour) -> Self {
        Self::Breach(what)
    }
}

impl Building {
    fn take_commitments(
        &mut self,
        own: NodeId,
        commitments: Vec<Digest>,
    ) -> Result<(), Misbehaviour> {
        if !self.commitments.is_empty() {
            return Err(Misbehaviour::OutOfTurn);
        }
        let chosen = &self.request.chosen;
        let place = chosen.iter().position(|node| *node == own);
        let ours = place.and_then(|place| commitments.get(place));
        let committed = Opening::commitment(&self.candidates);
        if commitments.len() != chosen.len() || ours != Some(&committed) {
            return Err(Misbehaviour::Commitment);
        }
        self.commitments = commitments;
        Ok(())
    }

    /// Step 8, b to f: what all builders sign.
    fn body(
        &self,
        context: &Context,
        now: Instant,
        setter: NodeId,
        opened: &Opened,
    ) -> Result<ListBody, NoBody> {
        if self.commitments.is_empty() {
            return Err(Misbehaviour::OutOfTurn.into());
        }
        let draw = self.request.step().draw;
        let openings = &opened.openings;
        let opened_to = openings
            .iter()
            .map(|opening| Opening::commitment(&opening.candidates));
        if !opened_to.eq(self.commitments.iter().copied()) {
            return Err(Misbehaviour::Commitment.into());
        }
        let descriptor = context.rules.community().descriptor();
        let mut values = Vec::new();
        for (node, opening) in self.request.chosen.iter().zip(openings) {
            check_candidates(descriptor, draw.trigger, &opening.candidates)?;
            let round = (setter, self.request.round);
            values.push(check_value(
                context,
                draw,
                &self.random,
                round,
                *node,
                opening,
            )?);
        }
        let seats = self.request.request.seats as usize;
        let actors = draw_actors(&self.random, &values, openings.iter(), seats);
        let actors = actors.ok_or(NoBody::Refused(Refusal::TooFewCandidates))?;
        check_genuine(context, now, &actors, &opened.contacts)?;
        Ok(ListBody {
            descriptor: context.rules.community().digest(),
            draw,
            random: self.random,
            setter,
            at: self.request.at,
            actors,
        })
    }
}

/// Step 8f: we know each actor, or are given a contact that holds.
fn check_genuine(
    context: &Context,
    now: Instant,
    actors: &[NodeId],
    told: &[Contact],
) -> Result<(), NoBody> {
    let descriptor = context.rules.community().descriptor();
    let told: BTreeMap<_, _> = told.iter().map(|told| (told.node(), told)).collect();
    for actor in actors
        .iter()
        .filter(|actor| !context.cache.contains(**actor))
    {
        let unknown = NoBody::Refused(Refusal::Unknown(*actor));
        let contact = told.get(actor).ok_or(unknown)?;
        contact
            .verify(descriptor, now)
            .map_err(Misbehaviour::from)?;
    }
    Ok(())
}

/// A builder's value in one round of a setter.
///
/// # Errors
///
/// When its proof does not hold.
pub fn check_value(
    context: &Context,
    draw: Draw,
    random: &Digest,
    (setter, round): (NodeId, u32),
    builder: NodeId,
    opening: &Opening,
) -> Result<Digest, Misbehaviour> {
    let input = draw.setter_input(builder, random, setter, round);
    let contact = context.cache.get(builder);
    let vrf = contact
        .ok_or(Misbehaviour::NotLegitimate)?
        .certificate()
        .vrf();
    vrf.verify(&input, &opening.proof)
        .map_err(|_| Misbehaviour::RandomProof)
}

/// Steps 8c to 8e: RND_S from all builders' values (VRFs in place of opened numbers), and whom it seats among all that
/// they named. `None` when these are fewer than the seats.
pub fn draw_actors<'a>(
    random: &Digest,
    values: &[Digest],
    openings: impl Iterator<Item = &'a Opening>,
    seats: usize,
) -> Option<Vec<NodeId>> {
    let parts: Vec<&[u8]> = std::iter::once(random)
        .chain(values)
        .map(|value| &value.0[..])
        .collect();
    let random = Digest::of("random of setter", &parts);
    let named: BTreeSet<_> = openings
        .flat_map(|opening| opening.candidates.iter().copied())
        .collect();
    (named.len() >= seats).then(|| seat_by_lot(&named, &random, seats))
}

fn accuse(node: NodeId, step: Step, what: Misbehaviour, out: &mut Outbox<Selection>) {
    out.emit(Event::Misbehaved { node, what });
    out.send(node, Message::Refused(step, Refusal::Invalid));
}
