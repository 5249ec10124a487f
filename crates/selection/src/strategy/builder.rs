//! SL: commits to a random number and to the candidates that it knows, opens, checks what all have opened, signs (SEP2P
//! §3.5 steps 4, 6 and 8).

use std::collections::BTreeMap;

use base::{Digest, Instant, Location, NodeId, Region};
use crypto::Certificate;

use super::checker::Checker;
use super::context::Context;
use super::fault::{Breach, Refusal};
use super::list::{Relocation, SignedList};
use super::lot::{commitment_with, draw_actors, xor};
use super::message::{Message, Opening, Request, STRANGERS_MAX};
use super::name::Strategy;
use super::node::{Event, Out};
use crate::builder::{BUILDING_KEPT, BUILDING_MAX};
use crate::random::Draw;
use crate::site::point_of;

/// The lists that one node helps to build, by setter and draw.
#[derive(Debug, Default)]
pub struct Builder {
    building: BTreeMap<(NodeId, Draw), Building>,
}

#[derive(Debug)]
struct Building {
    request: Request,
    /// The drawn point, as the request has it.
    point: Location,
    k: usize,
    opening: Opening,
    /// Of the opening.
    hash: Digest,
    /// L1; empty until the setter has sent it.
    hashes: Vec<Digest>,
    until: Instant,
}

impl Builder {
    /// Whether no list is in the making.
    pub fn is_at_rest(&self, now: Instant) -> bool {
        self.building.values().all(|building| now > building.until)
    }

    /// Step 3 arrived: commits to `random`, which is fresh (step 4). VRND_T is checked when its time has come (step 8a).
    pub fn on_build(
        &mut self,
        context: &Context,
        now: Instant,
        key: (NodeId, Draw),
        (request, k): (Request, u32),
        random: Digest,
        out: &mut Out,
    ) {
        let (from, draw) = key;
        let (point, k) = (point_of(&request.value()), k as usize);
        let region = context.rules.region(point, k);
        let own = context.identity.certificate.location();
        let legitimate = region.is_some_and(|region| region.contains(own));
        if !legitimate || context.setup.strategy != Strategy::Paper {
            out.send(from, Message::Refused(draw, Refusal::Invalid));
            return;
        }
        self.building.retain(|_, building| now <= building.until);
        if !self.building.contains_key(&key) && self.building.len() >= BUILDING_MAX {
            out.send(from, Message::Refused(draw, Refusal::Busy));
            return;
        }
        let opening = Opening {
            random,
            candidates: context.candidates(point),
        };
        let hash = commitment_with(&opening.random, &opening.candidates);
        out.send(from, Message::Commit(draw, hash));
        let building = Building {
            request,
            point,
            k,
            opening,
            hash,
            hashes: Vec::new(),
            until: now + BUILDING_KEPT,
        };
        self.building.insert(key, building);
    }

    /// Step 5 arrived: opens when our hash is in L1 (step 6).
    pub fn on_commits(
        &mut self,
        context: &Context,
        key: (NodeId, Draw),
        hashes: Vec<Digest>,
        out: &mut Out,
    ) {
        let (from, draw) = key;
        let Some(building) = self.building.get_mut(&key) else {
            return;
        };
        match building.take_hashes(hashes) {
            Ok(()) => {
                let opening = building.opening.clone();
                let strangers = strangers(context, from, building.point);
                out.send(from, Message::Open(draw, opening, strangers));
            }
            Err(what) => {
                self.building.remove(&key);
                accuse(key, what, out);
            }
        }
    }

    /// Step 7 arrived: checks everything and signs (step 8).
    pub fn on_opens(
        &mut self,
        context: &Context,
        now: Instant,
        key: (NodeId, Draw),
        opened: (&[Opening], &[Certificate]),
        out: &mut Out,
    ) {
        let (from, draw) = key;
        let Some(building) = self.building.remove(&key) else {
            return;
        };
        match building.build(context, now, opened) {
            Ok((random, actors)) => {
                let sign = &context.identity.key;
                out.send(
                    from,
                    match actors {
                        Some(actors) => {
                            let bytes = SignedList::signed_bytes(&random, &actors, now);
                            Message::Signed(draw, now, sign.sign(SignedList::DOMAIN, &bytes))
                        }
                        None => {
                            let seats = building.request.seats;
                            let bytes = Relocation::signed_bytes(&random, seats, now);
                            Message::Sparse(draw, now, sign.sign(Relocation::DOMAIN, &bytes))
                        }
                    },
                );
            }
            Err(what) => accuse(key, what, out),
        }
    }
}

impl Building {
    fn take_hashes(&mut self, hashes: Vec<Digest>) -> Result<(), Breach> {
        if !self.hashes.is_empty() {
            return Err(Breach::OutOfTurn);
        }
        if hashes.len() != self.k || !hashes.contains(&self.hash) {
            return Err(Breach::HashMissing);
        }
        self.hashes = hashes;
        Ok(())
    }

    /// Step 8, a to f: RND_T, and AL unless R3 is too sparse.
    fn build(
        &self,
        context: &Context,
        now: Instant,
        (openings, actors): (&[Opening], &[Certificate]),
    ) -> Result<(Digest, Option<Vec<NodeId>>), Breach> {
        if self.hashes.is_empty() {
            return Err(Breach::OutOfTurn);
        }
        let mut checker = Checker::new(&context.rules, now);
        let random = self.request.check(&mut checker)?;
        let opened = openings.iter();
        let opened = opened.map(|opening| commitment_with(&opening.random, &opening.candidates));
        if !opened.eq(self.hashes.iter().copied()) {
            return Err(Breach::Opening);
        }
        let Some(drawn) = draw(openings, self.request.seats as usize) else {
            return Ok((random, None));
        };
        let region = context.region(point_of(&random));
        for actor in unsettled(&drawn, openings) {
            check_actor(context, actor, &region, actors, &mut checker)?;
        }
        Ok((random, Some(drawn)))
    }
}

/// Steps 8c to 8e over what the builders opened. `None` when they name fewer candidates than seats.
pub fn draw(openings: &[Opening], seats: usize) -> Option<Vec<NodeId>> {
    let random = xor(openings.iter().map(|opening| &opening.random));
    let lists = openings.iter().map(|opening| &opening.candidates);
    draw_actors(&random, lists, seats)
}

/// The actors that not every builder named. An honest builder names genuine nodes of R3 only, so that the others need no
/// check.
pub fn unsettled(actors: &[NodeId], openings: &[Opening]) -> impl Iterator<Item = NodeId> {
    let by_all = |actor: &NodeId| {
        let mut lists = openings.iter().map(|opening| &opening.candidates);
        lists.all(|list| list.contains(*actor))
    };
    let unsettled = actors.iter().copied().filter(move |actor| !by_all(actor));
    unsettled.collect::<Vec<_>>().into_iter()
}

/// Step 8f: the actor is in R3, as our cache or the certificate shown to us says.
fn check_actor(
    context: &Context,
    actor: NodeId,
    region: &Region,
    shown: &[Certificate],
    checker: &mut Checker<'_>,
) -> Result<(), Breach> {
    let location = match context.cache.get(actor) {
        Some(contact) => contact.location(),
        None => {
            let mut shown = shown.iter();
            let certificate = shown.find(|certificate| certificate.node() == actor);
            let certificate = certificate.ok_or(Breach::ActorNotLegitimate)?;
            checker.certificate(certificate)?;
            certificate.location()
        }
    };
    if region.contains(location) {
        Ok(())
    } else {
        Err(Breach::ActorNotLegitimate)
    }
}

/// Certificates of our candidates that lie outside of the setter's own R3, where it must know everyone.
fn strangers(context: &Context, setter: NodeId, point: Location) -> Vec<Certificate> {
    let Some(setter) = context.cache.get(setter) else {
        return Vec::new();
    };
    let (candidates, known) = (context.region(point), context.region(setter.location()));
    let contacts = context.cache.inside(&candidates);
    let strangers = contacts.filter(|contact| !known.contains(contact.location()));
    let certificates = strangers.map(|contact| contact.certificate().clone());
    certificates.take(STRANGERS_MAX).collect()
}

fn accuse((node, draw): (NodeId, Draw), what: Breach, out: &mut Out) {
    out.emit(Event::Misbehaved { node, what });
    out.send(node, Message::Refused(draw, Refusal::Invalid));
}
