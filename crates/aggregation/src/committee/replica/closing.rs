//! Step 3: say what is held, hear what others hold, and propose what follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Input, Instant, NodeId, Outbox};

use super::{GRACE, Held, Matter, Replica, Supported};
use crate::agreement;
use crate::committee::expected::Expected;
use crate::committee::fault::Misbehaviour;
use crate::committee::holdings::{Holdings, List, ListWanted, list_digest};
use crate::committee::inclusion::{Entry, covers_amply, covers_lanes};
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Context, Event, Service, Timer};
use crate::committee::statement::Signed;
use crate::committee::support::Support;

impl Replica {
    pub(super) fn close_if_complete(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let answered = |node: &NodeId| self.held.get(node).is_some_and(Held::is_complete);
        if self.lanes.is_some() && self.batch.is_empty() && self.expected.is_over(answered) {
            self.close(context, now, out);
        }
    }

    /// Tells all others what this replica holds, so that none of them has to be told by the leader.
    pub(super) fn close(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if self.closed.is_some() {
            return;
        }
        self.put_off_repeat(now, out);
        self.list = self.held_entries();
        let holdings = Holdings {
            round: self.round(),
            asked: self.expected.count(),
            list: list_digest(&self.list),
        };
        self.lists.insert(holdings.list, self.list.clone());
        let closed = Signed::new(&context.identity.key, self.seat, holdings);
        self.heard.insert(closed.seat, closed.clone());
        for other in self.others() {
            out.send(other, Message::Holdings(Box::new(closed.clone())));
        }
        self.closed = Some(closed);
        out.emit(Event::Serves(self.round(), Service::Closed));
        self.told_in = Some(self.agreement.view());
        let start = Input::Command(agreement::Command::Start);
        self.drive(context, now, Matter::Held, start, out);
        self.want_lists(context, out);
        self.consider_proposal(context, now, out);
    }

    pub(super) fn held_entries(&self) -> Vec<Entry> {
        let complete = self.held.values().filter(|held| held.is_complete());
        complete.map(|held| held.entry).collect()
    }

    pub(super) fn leader(&self) -> usize {
        (self.agreement.view() % self.terms.seats.len() as u64) as usize
    }

    /// Tells the leader of a new view what this replica holds: it may not have heard it.
    pub(super) fn follow_leader(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let view = self.agreement.view();
        let Some(closed) = self.closed.clone() else {
            return;
        };
        if self.told_in == Some(view) || self.candidates.is_some() {
            return;
        }
        self.told_in = Some(view);
        let leader = self.leader();
        if leader == self.seat {
            self.want_lists(context, out);
            self.consider_proposal(context, now, out);
        } else {
            let closed = Message::Holdings(Box::new(closed));
            out.send(self.terms.seats[leader], closed);
        }
    }

    pub(super) fn on_holdings(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        holdings: Signed<Holdings>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if holdings.index() != seat {
            return Err(Misbehaviour::Seat);
        }
        if self.heard.contains_key(&holdings.seat) || self.candidates.is_some() {
            return Ok(());
        }
        holdings.check(&self.terms)?;
        let list = holdings.body.list;
        let is_new = !self.heard.values().any(|heard| heard.body.list == list);
        self.heard.insert(holdings.seat, holdings);
        if is_new && self.leader() == self.seat {
            self.want_list(context, seat, list, out);
        }
        self.consider_proposal(context, now, out);
        self.reconsider_supports(context, now, Some(seat), out);
        Ok(())
    }

    /// Asks for the lists that this replica needs to propose: of those who signed one, another each time.
    pub(super) fn want_lists(&mut self, context: &mut Context, out: &mut Outbox<Committee>) {
        if self.leader() != self.seat || self.closed.is_none() || self.candidates.is_some() {
            return;
        }
        let mut unknown = BTreeMap::<Digest, Vec<usize>>::new();
        for heard in self.heard.values() {
            if !self.lists.contains_key(&heard.body.list) {
                let signers = unknown.entry(heard.body.list).or_default();
                signers.push(heard.index());
            }
        }
        for (list, signers) in unknown {
            let signer = signers[context.rng.below(signers.len() as u64) as usize];
            self.want_list(context, signer, list, out);
        }
    }

    fn want_list(
        &mut self,
        context: &mut Context,
        seat: usize,
        list: Digest,
        out: &mut Outbox<Committee>,
    ) {
        if self.closed.is_some() && !self.lists.contains_key(&list) {
            let salt = *self.list_salt.get_or_insert_with(|| context.rng.bytes32());
            let wanted = ListWanted::new(self.round(), list, salt, &self.list);
            let wanted = Message::ListWanted(Box::new(wanted));
            out.send(self.terms.seats[seat], wanted);
        }
    }

    pub(super) fn on_list_wanted(
        &mut self,
        now: Instant,
        seat: usize,
        wanted: &ListWanted,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !wanted.has_shape() {
            return Err(Misbehaviour::Shape);
        }
        let is_ours = |closed: &Signed<Holdings>| closed.body.list == wanted.list;
        if self.closed.as_ref().is_some_and(is_ours) && self.listed.is_due(seat, now) {
            let answer = Box::new(wanted.answer(&self.list));
            out.send(self.terms.seats[seat], Message::List(answer));
        }
        Ok(())
    }

    pub(super) fn on_list(
        &mut self,
        context: &mut Context,
        now: Instant,
        list: List,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let name = list.list;
        let is_named = self.heard.values().any(|heard| heard.body.list == name);
        if !is_named || self.lists.contains_key(&name) || self.candidates.is_some() {
            return Ok(());
        }
        let entries = list.read(&self.list).ok_or(Misbehaviour::Order)?;
        self.lists.insert(name, entries);
        self.consider_proposal(context, now, out);
        Ok(())
    }

    /// Whether a seat's list is known here, so that a set may rest on it.
    fn is_usable(&self, holdings: &Signed<Holdings>) -> bool {
        self.lists.contains_key(&holdings.body.list)
    }

    pub(super) fn consider_proposal(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if self.leader() != self.seat || self.closed.is_none() {
            return;
        }
        let usable = self.heard.values().filter(|heard| self.is_usable(heard));
        let seats = usable.clone().map(Signed::index);
        if !covers_lanes(&self.terms, seats.clone()) {
            return;
        }
        let everybody = |heard: &Signed<Holdings>| {
            let (list, expected) = (self.lists.get(&heard.body.list), &self.expected);
            list.is_some_and(|list| {
                matches!(expected, Expected::All(everybody) if list.len() == everybody.len())
            })
        };
        let complete = usable.filter(|h| everybody(h)).map(Signed::index);
        // Nobody's word could add to lists of all members.
        if seats.count() == self.terms.seats.len() || covers_amply(&self.terms, complete) {
            self.propose(context, now, out);
        } else if self.propose_at.is_none() {
            self.propose_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    /// Proposes the set that follows from what was heard, once per view.
    pub(super) fn propose(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        self.propose_at = None;
        let view = self.agreement.view();
        let done = self.proposed_in == Some(view) || self.candidates.is_some();
        let Some(lanes) = self.lanes.as_deref() else {
            return;
        };
        if done || self.leader() != self.seat {
            return;
        }
        let frame = (context.rng.bytes32(), now);
        let (heard, lists) = (&self.heard, &self.lists);
        let support = Support::new(&self.terms, lanes, frame, heard, lists, &self.below);
        let Some((support, reasons, inclusion)) = support else {
            return;
        };
        self.proposed_in = Some(view);
        let value = inclusion.body.bytes();
        for other in self.others() {
            out.send(other, Message::Support(Box::new(support.clone())));
        }
        let own = Arc::new(Supported {
            name: support.name(),
            support,
            reasons,
            inclusion,
        });
        self.offered.insert(self.seat, Arc::clone(&own));
        self.back(own);
        let propose = agreement::Command::Propose(value);
        self.drive(context, now, Matter::Held, Input::Command(propose), out);
    }
}
