//! Step 3: the reasons for the sets that are proposed or agreed on.

use std::sync::Arc;

use base::{Digest, Instant, NodeId, Outbox};

use super::{BACKED_MAX, GRACE, Replica, Supported};
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::SetBody;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Context, Event, Timer};
use crate::committee::support::{Known, Lacking, Supplement, Support, Underivable};

/// How many seats are asked at once for what their leader does not give. Guess: of two, one is rarely dead or a liar.
const ASKED: usize = 2;

/// A support of which something is lacking.
pub(super) struct Incomplete {
    support: Support,
    name: Digest,
    lacking: Lacking,
    /// Children whose sets it rests on and that are not here.
    children: Vec<NodeId>,
    supplement: Supplement,
}

impl Replica {
    pub(super) fn on_support(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        support: Support,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let is_known = |known: &Arc<Supported>| known.support == support;
        let waits = |waiting: &Incomplete| waiting.support == support;
        if self.offered.get(&seat).is_some_and(is_known)
            || self.lacking.get(&seat).is_some_and(waits)
        {
            return Ok(());
        }
        support.check(&self.terms)?;
        let incomplete = Incomplete {
            name: support.name(),
            support,
            lacking: Lacking::default(),
            children: Vec::new(),
            supplement: Supplement::default(),
        };
        self.consider_support(context, now, seat, incomplete, out)
    }

    /// Derives the set of a support, or keeps it until what is lacking is here.
    fn consider_support(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        mut incomplete: Incomplete,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let known = Known {
            heard: &self.heard,
            list: &self.list,
            held: self.held_entries(),
            lanes: self.lanes.as_deref(),
        };
        let support = &incomplete.support;
        let reasons = match support.gather(&known, &incomplete.supplement) {
            Ok(reasons) => reasons,
            Err(lacking) => {
                // A statement may be on its way; entries and keys are not.
                let asks = !lacking.entries.is_empty() || lacking.lanes;
                incomplete.lacking = lacking;
                if asks {
                    self.ask_for(&incomplete, self.terms.seats[seat], out);
                }
                self.lacking.insert(seat, incomplete);
                self.ask_soon(now, out);
                return Ok(());
            }
        };
        let inclusion = match support.derive(&self.terms, &reasons, &self.below) {
            Ok(inclusion) => inclusion,
            Err(Underivable::False(what)) => return Err(what),
            Err(Underivable::Unknown(children)) => {
                if incomplete.children.is_empty() {
                    self.want_shares(&children, out);
                }
                incomplete.lacking = Lacking::default();
                incomplete.children = children;
                self.lacking.insert(seat, incomplete);
                return Ok(());
            }
        };
        let offer = Supported {
            name: incomplete.name,
            support: incomplete.support,
            reasons,
            inclusion,
        };
        self.offered.insert(seat, Arc::new(offer));
        if let Some((view, value, body)) = self.asked_valid.take() {
            self.validate(context, now, view, value, body, out);
        }
        self.advance(context, now, out);
        Ok(())
    }

    /// Looks again at supports that lacked the statement of `said`, or the set of a child.
    pub(super) fn reconsider_supports(
        &mut self,
        context: &mut Context,
        now: Instant,
        said: Option<usize>,
        out: &mut Outbox<Committee>,
    ) {
        let said = said.and_then(|seat| u16::try_from(seat).ok());
        let mut ready = Vec::new();
        for (giver, waiting) in &mut self.lacking {
            let came = match said {
                Some(seat) => waiting.lacking.seats.remove(&seat),
                None => !waiting.children.is_empty(),
            };
            if came && waiting.lacking.is_nothing() {
                ready.push(*giver);
            }
        }
        for giver in ready {
            self.complete_support(context, now, giver, out);
        }
    }

    fn complete_support(
        &mut self,
        context: &mut Context,
        now: Instant,
        giver: usize,
        out: &mut Outbox<Committee>,
    ) {
        if let Some(waiting) = self.lacking.remove(&giver)
            && let Err(what) = self.consider_support(context, now, giver, waiting, out)
        {
            let node = self.terms.seats[giver];
            out.emit(Event::Misbehaved { node, what });
        }
    }

    pub(super) fn on_supplement(
        &mut self,
        context: &mut Context,
        now: Instant,
        name: Digest,
        supplement: Supplement,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let mut waiting = self.lacking.iter_mut();
        let Some((giver, waiting)) = waiting.find(|(_, waiting)| waiting.name == name) else {
            return Ok(());
        };
        let giver = *giver;
        let lacking = &waiting.lacking;
        let picked = waiting.support.pick(&self.terms, supplement, lacking)?;
        waiting.supplement.said.extend(picked.said);
        waiting.supplement.entries.extend(picked.entries);
        if lacking.lanes {
            waiting.supplement.lanes = picked.lanes;
        }
        self.complete_support(context, now, giver, out);
        Ok(())
    }

    fn ask_soon(&mut self, now: Instant, out: &mut Outbox<Committee>) {
        if self.ask_at.is_none() {
            self.ask_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    fn ask_for(&self, incomplete: &Incomplete, whom: NodeId, out: &mut Outbox<Committee>) {
        let (name, lacking) = (incomplete.name, incomplete.lacking.clone());
        out.send(whom, Message::ReasonsWanted(self.round(), name, lacking));
    }

    /// The set whose reasons this replica needs now: of the proposal, or of the candidates.
    fn needed(&self) -> Option<Digest> {
        match (&self.candidates, &self.asked_valid) {
            (Some(candidates), _) => candidates.entries.is_none().then_some(candidates.digest),
            (None, Some((_, _, body))) => Some(body.digest()),
            (None, None) => None,
        }
    }

    /// Asks for the reasons that this replica needs, or for what it lacks of them: whoever gave them or leads, and, to ask
    /// `widely`, also whom chance names.
    pub(super) fn want_support(
        &mut self,
        context: &mut Context,
        now: Instant,
        widely: bool,
        out: &mut Outbox<Committee>,
    ) {
        let Some(set) = self.needed() else { return };
        let seats = self.terms.seats.len() as u64;
        let chosen = (0..if widely { ASKED } else { 0 }).map(|_| context.rng.below(seats) as usize);
        let chosen: Vec<_> = chosen.collect();
        let ask = |giver: usize, message: Message, out: &mut Outbox<Committee>| {
            let asked = std::iter::once(&giver).chain(&chosen);
            for seat in asked.filter(|seat| **seat != self.seat) {
                out.send(self.terms.seats[*seat], message.clone());
            }
        };
        let waiting = || self.lacking.iter().filter(|(_, w)| w.support.set == set);
        for (giver, waiting) in waiting().filter(|(_, w)| !w.lacking.is_nothing()) {
            let lacking = waiting.lacking.clone();
            let wanted = Message::ReasonsWanted(self.round(), waiting.name, lacking);
            ask(*giver, wanted, out);
        }
        if waiting().next().is_none() {
            let wanted = Message::SupportWanted(self.round(), set);
            ask(self.leader(), wanted, out);
        }
        self.ask_soon(now, out);
    }

    pub(super) fn on_support_wanted(&self, from: NodeId, set: Digest, out: &mut Outbox<Committee>) {
        let mut known = self.backed.iter().chain(self.offered.values());
        if let Some(known) = known.find(|known| known.support.set == set) {
            out.send(from, Message::Support(Box::new(known.support.clone())));
        }
    }

    pub(super) fn on_reasons_wanted(
        &self,
        from: NodeId,
        name: Digest,
        lacking: &Lacking,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !lacking.has_shape(&self.terms) {
            return Err(Misbehaviour::Shape);
        }
        let mut known = self.backed.iter().chain(self.offered.values());
        if let Some(known) = known.find(|known| known.name == name) {
            let supplement = Box::new(known.reasons.supplement(lacking));
            out.send(from, Message::Supplement(self.round(), name, supplement));
        }
        Ok(())
    }

    pub(super) fn supported(&self, body: &SetBody) -> Option<&Arc<Supported>> {
        let known = self.backed.iter().chain(self.offered.values());
        known
            .into_iter()
            .find(|known| known.inclusion.body == *body)
    }

    /// Keeps the reasons for a set, whatever else their sender sends later.
    pub(super) fn back(&mut self, supported: Arc<Supported>) {
        let body = &supported.inclusion.body;
        if self
            .backed
            .iter()
            .any(|known| known.inclusion.body == *body)
        {
            return;
        }
        if self.backed.len() >= BACKED_MAX {
            self.backed.remove(0);
        }
        self.backed.push(supported);
    }
}
