//! The list builder's side (SL): commits to the candidates that it knows, opens, checks what all have opened, signs
//! (SEP2P §3.5 steps 4, 6 and 8).

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Instant, NodeId, Outbox, Region};
use community::Contact;

use crate::context::{Context, STEP};
use crate::fault::{Misbehaviour, Refusal};
use crate::list::{ListBody, check_candidates, seat_by_lot};
use crate::message::{BuildRequest, Message, Opening, Step};
use crate::opened::Opened;
use crate::protocol::{Event, Help, Selection};
use crate::random::Draw;
use crate::relocation::SparseBody;
use crate::site::Site;

/// Most lists in the making at a time.
pub const BUILDING_MAX: usize = 64;
/// How long a list is in the making: a round of the setter.
pub const BUILDING_KEPT: Duration = STEP.saturating_mul(4);

/// The lists that one node helps to build, by setter and draw.
#[derive(Default)]
pub struct Builder {
    building: BTreeMap<(NodeId, Draw, Site), Building>,
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
        let key = (from, step.draw, step.site);
        self.building.retain(|_, building| now <= building.until);
        if !self.building.contains_key(&key) && self.building.len() >= BUILDING_MAX {
            out.send(from, Message::Refused(step, Refusal::Busy));
            return;
        }
        let point = step.site.point(&random);
        let candidates = context.candidates(step.draw.trigger, point, step.site.committees);
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
        out.emit(Event::Helps(step.draw.digest, Help::Builds));
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
        let key = (from, step.draw, step.site);
        let Some(building) = self.in_round(from, step) else {
            return;
        };
        match building.take_commitments(context.own(), commitments) {
            Ok(()) => {
                let input = step.setter_input(context.own(), &building.random, from);
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
        let Some(building) = self.building.remove(&(from, step.draw, step.site)) else {
            return;
        };
        match building.statement(context, now, from, opened) {
            Ok(statement) => {
                let (domain, bytes) = statement.signed();
                let signature = context.identity.key.sign(domain, &bytes);
                out.send(from, Message::Signed(step, signature));
                out.emit(Event::Helps(step.draw.digest, Help::HasSigned));
            }
            Err(NoBody::Breach(what)) => accuse(from, step, what, out),
            Err(NoBody::Refused(why)) => out.send(from, Message::Refused(step, why)),
        }
    }

    fn in_round(&mut self, from: NodeId, step: Step) -> Option<&mut Building> {
        let building = self.building.get_mut(&(from, step.draw, step.site))?;
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
    fn statement(
        &self,
        context: &Context,
        now: Instant,
        setter: NodeId,
        opened: &Opened,
    ) -> Result<Statement, NoBody> {
        if self.commitments.is_empty() {
            return Err(Misbehaviour::OutOfTurn.into());
        }
        let step = self.request.step();
        let draw = step.draw;
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
            let value = check_value(context, step, &self.random, setter, *node, opening)?;
            values.push(value);
        }
        let seats = self.request.request.seats;
        let made = Made {
            step,
            random: self.random,
            setter,
            at: self.request.at,
            seats,
        };
        let statement = made.statement(context, &values, openings.iter());
        if let Statement::List(body) = &statement {
            let region = context
                .rules
                .candidates(step.site.point(&self.random), step.site.committees);
            check_genuine(context, now, &region, &body.actors, &opened.contacts)?;
        }
        Ok(statement)
    }
}

/// What a round of a setter comes to, the same for the setter and each builder.
pub enum Statement {
    /// The actors.
    List(ListBody),
    /// Too few candidates.
    Sparse(SparseBody),
}

impl Statement {
    /// Its domain and bytes, to be signed.
    pub fn signed(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::List(body) => (ListBody::DOMAIN, body.signed_bytes()),
            Self::Sparse(body) => (SparseBody::DOMAIN, body.signed_bytes()),
        }
    }
}

/// Who made a list, when and from what.
pub struct Made {
    /// Where, in which round.
    pub step: Step,
    /// RND_T.
    pub random: Digest,
    /// S.
    pub setter: NodeId,
    /// When S began.
    pub at: Instant,
    /// Number of actors.
    pub seats: u32,
}

impl Made {
    /// What the builders' values and candidates come to.
    pub fn statement<'a>(
        self,
        context: &Context,
        values: &[Digest],
        openings: impl Iterator<Item = &'a Opening>,
    ) -> Statement {
        let Self {
            step: Step { draw, site, .. },
            random,
            setter,
            at,
            seats,
        } = self;
        let descriptor = context.rules.community().digest();
        match draw_actors(&random, values, openings, seats as usize) {
            Some(actors) => Statement::List(ListBody {
                descriptor,
                draw,
                random,
                setter,
                at,
                actors,
                site,
            }),
            None => Statement::Sparse(SparseBody {
                descriptor,
                draw,
                random,
                site,
                setter,
                at,
                seats,
            }),
        }
    }
}

/// Step 8f: each actor sits in the region, and we know it or are given a contact that holds.
fn check_genuine(
    context: &Context,
    now: Instant,
    region: &Region,
    actors: &[NodeId],
    told: &[Contact],
) -> Result<(), NoBody> {
    let descriptor = context.rules.community().descriptor();
    let told: BTreeMap<_, _> = told.iter().map(|told| (told.node(), told)).collect();
    for actor in actors {
        let contact: &Contact = match context.cache.get(*actor) {
            Some(known) => known,
            None => {
                let unknown = NoBody::Refused(Refusal::Unknown(*actor));
                let told = told.get(actor).ok_or(unknown)?;
                told.verify(descriptor, now).map_err(Misbehaviour::from)?;
                told
            }
        };
        if !region.contains(contact.location()) {
            return Err(Misbehaviour::Candidates.into());
        }
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
    step: Step,
    random: &Digest,
    setter: NodeId,
    builder: NodeId,
    opening: &Opening,
) -> Result<Digest, Misbehaviour> {
    let input = step.setter_input(builder, random, setter);
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
