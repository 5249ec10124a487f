//! What T accepts from those that it asked, step by step.

use std::collections::BTreeMap;

use base::{Digest, Instant, NodeId};
use crypto::Certificate;

use super::{Progress, Stage, Trigger};
use crate::context::STEP;
use crate::protocol::Failure;
use crate::strategy::checker::Checker;
use crate::strategy::context::Context;
use crate::strategy::fault::Breach;
use crate::strategy::list::{Relocation, SignedList, check_seats};
use crate::strategy::lot::commitment;
use crate::strategy::message::{Message, RELOCATIONS_MAX, Request};
use crate::strategy::name::Strategy;
use crate::strategy::node::Out;
use crate::strategy::random::Part;
use crate::strategy::selected::{Choice, Evidence};

impl Trigger {
    /// Accepts a message of a node that was asked, and goes on when it was the last of its kind.
    ///
    /// # Errors
    ///
    /// What no honest node says.
    pub(super) fn take(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Out,
    ) -> Result<Progress, Breach> {
        match message {
            Message::Hash(_, hash) => {
                self.take_hash(from, hash)?;
                Ok(self.show_hashes(now, out))
            }
            Message::Part(_, part) => {
                self.take_part(context, now, from, *part)?;
                Ok(self.join_parts(context, now, out))
            }
            Message::List(_, list) => self.take_list(context, now, list),
            Message::Relocate(_, relocation) => self.take_relocation(context, now, relocation, out),
            Message::Chosen(_, choice, actors) => self.take_choice(context, now, choice, actors),
            _ => Err(Breach::OutOfTurn),
        }
    }

    fn take_hash(&mut self, from: NodeId, hash: Digest) -> Result<(), Breach> {
        let Stage::Commit { hashes, .. } = &mut self.stage else {
            return Err(Breach::OutOfTurn);
        };
        match hashes.insert(from, hash) {
            None => Ok(()),
            Some(_) => Err(Breach::OutOfTurn),
        }
    }

    /// §3.4 step 3, when all have committed.
    fn show_hashes(&mut self, now: Instant, out: &mut Out) -> Progress {
        if let Stage::Commit { chosen, hashes } = &mut self.stage
            && chosen.len() == hashes.len()
        {
            let in_order: Vec<_> = chosen.iter().map(|node| hashes[&node.node()]).collect();
            for witness in &*chosen {
                let message = Message::Hashes(self.draw, in_order.clone());
                out.send(witness.node(), message);
            }
            let stage = Stage::Open {
                chosen: std::mem::take(chosen),
                hashes: in_order,
                parts: BTreeMap::new(),
            };
            self.enter(stage, now + STEP, out);
        }
        Ok(None)
    }

    fn take_part(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        part: Part,
    ) -> Result<(), Breach> {
        let Stage::Open {
            chosen,
            hashes,
            parts,
        } = &mut self.stage
        else {
            return Err(Breach::OutOfTurn);
        };
        let place = chosen.iter().position(|witness| witness.node() == from);
        let place = place.ok_or(Breach::OutOfTurn)?;
        if parts.contains_key(&from) {
            return Err(Breach::OutOfTurn);
        }
        if *chosen[place].certificate() != part.certificate {
            return Err(Breach::OtherActors);
        }
        if commitment(&part.random) != hashes[place] {
            return Err(Breach::Opening);
        }
        part.check_signature(hashes, &mut Checker::new(&context.rules, now))?;
        parts.insert(from, part);
        Ok(())
    }

    /// §3.4 step 5, when all have opened.
    fn join_parts(&mut self, context: &Context, now: Instant, out: &mut Out) -> Progress {
        if let Stage::Open { chosen, parts, .. } = &mut self.stage
            && chosen.len() == parts.len()
        {
            let parts = chosen.iter().filter_map(|node| parts.remove(&node.node()));
            let parts = parts.collect();
            return self.use_parts(context, now, parts, out);
        }
        Ok(None)
    }

    /// §3.5 step 9 arrived.
    fn take_list(
        &mut self,
        context: &Context,
        now: Instant,
        list: Box<SignedList>,
    ) -> Result<Progress, Breach> {
        let request = self.asked(&[Strategy::Paper], context)?;
        if list.random != request.value() {
            return Err(Breach::OtherRandom);
        }
        if list.actors.len() != request.seats as usize {
            return Err(Breach::Seats);
        }
        list.check(&mut Checker::new(&context.rules, now))?;
        Ok(self.done(Evidence::Listed(list)))
    }

    /// The region is too sparse: the next point (§3.6).
    fn take_relocation(
        &mut self,
        context: &Context,
        now: Instant,
        relocation: Relocation,
        out: &mut Out,
    ) -> Result<Progress, Breach> {
        let mut request = self.asked(&[Strategy::Paper], context)?.clone();
        let mut checker = Checker::new(&context.rules, now);
        relocation.check(&request.value(), request.seats, &mut checker)?;
        if request.relocations.len() >= RELOCATIONS_MAX {
            return Ok(Err(Failure::TooFewCandidates));
        }
        request.relocations.push(relocation);
        Ok(self.ask_setter(context, now, request, out))
    }

    /// S chose (ES.NAV, ES.AV).
    fn take_choice(
        &mut self,
        context: &Context,
        now: Instant,
        choice: Box<Choice>,
        actors: Vec<Certificate>,
    ) -> Result<Progress, Breach> {
        let request = self.asked(&[Strategy::EsNav, Strategy::EsAv], context)?;
        let Stage::Set { setter, .. } = &self.stage else {
            return Err(Breach::OutOfTurn);
        };
        if choice.random != request.random {
            return Err(Breach::OtherRandom);
        }
        if *setter.certificate() != choice.setter {
            return Err(Breach::OtherActors);
        }
        if choice.actors.len() != request.seats as usize {
            return Err(Breach::Seats);
        }
        check_seats(&choice.actors)?;
        let mut checker = Checker::new(&context.rules, now);
        choice.check_signature(&request.value(), &mut checker)?;
        Ok(self.done(match context.setup.strategy {
            Strategy::EsAv => Evidence::EsAv(choice, actors),
            _ => Evidence::EsNav(choice),
        }))
    }

    /// What S was asked, if a setter of these strategies was.
    fn asked(&self, strategies: &[Strategy], context: &Context) -> Result<&Request, Breach> {
        match &self.stage {
            Stage::Set { request, .. } if strategies.contains(&context.setup.strategy) => {
                Ok(request)
            }
            _ => Err(Breach::OutOfTurn),
        }
    }
}
