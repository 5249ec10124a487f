//! TL: commits to a random number, opens it to a list of hashes that has its own (SEP2P §3.4 steps 2 and 4).

use std::collections::BTreeMap;

use base::{Digest, Instant, NodeId, Rng};

use super::context::Context;
use super::fault::{Breach, Refusal};
use super::lot::commitment;
use super::message::Message;
use super::node::{Event, Out};
use super::random::Part;
use crate::context::STEP;
use crate::random::Draw;
use crate::tally::period;

/// Most triggers whose queries are counted, and whose randoms are in the making.
pub const TRIGGERS_MAX: usize = 4096;

/// One node's witnessing for others.
#[derive(Debug, Default)]
pub struct Witness {
    /// Queries of each trigger in a period.
    queries: BTreeMap<NodeId, (u64, u32)>,
    /// The last query of each trigger, until it is answered.
    pending: BTreeMap<NodeId, Pending>,
}

#[derive(Debug)]
struct Pending {
    draw: Draw,
    k: u32,
    random: Digest,
    until: Instant,
}

impl Witness {
    /// Whether no query waits for its list.
    pub fn is_at_rest(&self, now: Instant) -> bool {
        self.pending.values().all(|pending| now > pending.until)
    }

    /// Step 1 arrived: commits (step 2).
    pub fn on_ask(
        &mut self,
        context: &Context,
        now: Instant,
        (from, draw): (NodeId, Draw),
        k: u32,
        rng: &mut Rng,
        out: &mut Out,
    ) {
        match self.check_ask(context, now, (from, draw), k) {
            Ok(()) => {
                let random = Digest(rng.bytes32());
                out.send(from, Message::Hash(draw, commitment(&random)));
                let until = now + STEP.saturating_mul(2);
                let pending = Pending {
                    draw,
                    k,
                    random,
                    until,
                };
                self.pending.retain(|_, pending| now <= pending.until);
                self.pending.insert(from, pending);
            }
            Err(why) => out.send(from, Message::Refused(draw, why)),
        }
    }

    /// §3.6 (ii): T chose the smallest k that we would have chosen for it, and does not ask too often.
    fn check_ask(
        &mut self,
        context: &Context,
        now: Instant,
        (from, draw): (NodeId, Draw),
        k: u32,
    ) -> Result<(), Refusal> {
        if draw.trigger != from || from == context.own() {
            return Err(Refusal::Invalid);
        }
        let trigger = context.cache.get(from).ok_or(Refusal::Unknown)?;
        let smallest = context.witnesses(trigger.location(), &[from]);
        if smallest.is_none_or(|smallest| k as usize > smallest.len()) {
            return Err(Refusal::LargerK);
        }
        let descriptor = context.rules.community().descriptor();
        let this_period = period(descriptor, now);
        self.queries.retain(|_, (period, _)| *period == this_period);
        if !self.queries.contains_key(&from) && self.queries.len() >= TRIGGERS_MAX {
            return Err(Refusal::Busy);
        }
        let (_, queries) = self.queries.entry(from).or_insert((this_period, 0));
        if *queries >= descriptor.draws_per_period {
            return Err(Refusal::TooManyDraws);
        }
        *queries += 1;
        Ok(())
    }

    /// Step 3 arrived: signs and opens (step 4), once.
    pub fn on_hashes(
        &mut self,
        context: &Context,
        now: Instant,
        (from, draw): (NodeId, Draw),
        hashes: &[Digest],
        out: &mut Out,
    ) {
        let pending = self.pending.remove(&from);
        let pending = pending.filter(|pending| pending.draw == draw && now <= pending.until);
        let answer = match pending {
            Some(pending) => answer(context, now, &pending, hashes),
            None => Err(Breach::OutOfTurn),
        };
        match answer {
            Ok(part) => out.send(from, Message::Part(draw, Box::new(part))),
            Err(what) => {
                out.emit(Event::Misbehaved { node: from, what });
                out.send(from, Message::Refused(draw, Refusal::Invalid));
            }
        }
    }
}

fn answer(
    context: &Context,
    now: Instant,
    pending: &Pending,
    hashes: &[Digest],
) -> Result<Part, Breach> {
    if hashes.len() != pending.k as usize || !hashes.contains(&commitment(&pending.random)) {
        return Err(Breach::HashMissing);
    }
    Ok(Part::sign(&context.identity, pending.random, hashes, now))
}
