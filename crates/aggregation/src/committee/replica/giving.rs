//! Steps 4 and 5: count, then give or refuse.

use base::{Instant, NodeId, Outbox, decode};
use crypto::Vector;

use super::{BATCH_MAX, Candidates, Decided, GRACE, Matter, Replica, SET_BYTES};
use crate::agreement::Decision;
use crate::committee::contribution::LaneShare;
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::{Entry, SetBody};
use crate::committee::message::{Message, Sum, Way};
use crate::committee::protocol::{Committee, Context, Event, Service, Timer};
use crate::committee::statement::{Denial, Denied, LaneCount, LaneSum, LaneTotal, Signed};

/// How many give the signatures under the set to each who needs them, before anybody asks twice. Guess: that all of so many are
/// away is rare, and costs a second.
pub const CERTIFIERS: usize = 4;

impl Replica {
    pub(super) fn on_decided(
        &mut self,
        context: &mut Context,
        now: Instant,
        matter: Matter,
        decision: Decision,
        out: &mut Outbox<Committee>,
    ) {
        // A quorum, and so an honest replica, found it valid.
        let Ok(body) = decode::<SetBody>(&decision.value, SET_BYTES) else {
            return;
        };
        let digest = body.digest();
        if matter == Matter::Held && self.candidates.is_none() {
            self.forget_other_candidates(digest, body.included);
            self.candidates = Some(Candidates {
                body: body.clone(),
                digest,
                entries: None,
            });
        }
        let is_final = self.settlement.is_none() || matter == Matter::Proved;
        if is_final && self.decided.is_none() {
            self.counts.retain(|count| count.0.set == digest);
            self.decided = Some(Decided {
                body,
                digest,
                certificate: decision.certificate,
                entries: None,
                total: None,
            });
        }
        self.advance(context, now, out);
        self.want_support(context, now, false, out);
    }

    /// Goes as far towards this lane's total as what is here allows. Asks for missing shares once: peers cause this to be
    /// called, and must not cause a storm of requests.
    pub(super) fn advance(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let named_now = self.name_candidates(out);
        let missing = self.missing();
        if named_now {
            self.want_shares(missing.as_deref().unwrap_or_default(), out);
        }
        self.prove(context, now, out);
        self.name_members(out);
        let untotalled = self.decided.as_ref().is_some_and(|d| d.total.is_none());
        if untotalled
            && missing.is_some_and(|missing| missing.is_empty())
            && let Some(total) = self.add_up()
        {
            self.put_off_repeat(now, out);
            if self.terms.place.is_root() {
                self.count(context, total, out);
                self.tell_count(out);
            } else {
                self.pass_up(context, total, out);
            }
        }
        self.consider_outcome(context, now, out);
    }

    /// Sends and asks again after the decision.
    pub(super) fn tell_again(&self, out: &mut Outbox<Committee>) {
        if self.decided.as_ref().is_none_or(|d| d.total.is_none()) {
            self.want_shares(&self.missing().unwrap_or_default(), out);
        }
        self.tell_count(out);
        self.give_outcome(true, out);
    }

    /// Learns who the candidates are. Whether that was news.
    fn name_candidates(&mut self, out: &mut Outbox<Committee>) -> bool {
        let unnamed = self.candidates.as_ref().filter(|c| c.entries.is_none());
        let known = unnamed.and_then(|candidates| self.supported(&candidates.body).cloned());
        let (Some(known), Some(candidates)) = (known, &mut self.candidates) else {
            return false;
        };
        candidates.entries = Some(known.inclusion.entries.clone());
        if self.lanes.is_none() {
            self.lanes = Some(known.reasons.lanes.clone());
            self.want_secret(out);
            self.open_waiting();
        }
        self.back(known);
        true
    }

    /// Learns who is in the agreed set.
    fn name_members(&mut self, out: &mut Outbox<Committee>) {
        let Some(decided) = self.decided.as_ref().filter(|d| d.entries.is_none()) else {
            return;
        };
        let members = match self.settlement {
            None => self.candidates.as_ref().and_then(|c| c.entries.as_deref()),
            Some(_) => self.remaining(&decided.body),
        };
        let Some(members) = members.map(<[Entry]>::to_vec) else {
            return;
        };
        let names = members.iter().map(|entry| entry.contributor).collect();
        out.emit(Event::SetAgreed(self.round(), names));
        if let Some(decided) = &mut self.decided {
            decided.entries = Some(members);
        }
    }

    pub(super) fn want_shares(&self, missing: &[NodeId], out: &mut Outbox<Committee>) {
        for part in missing.chunks(self.batch_max()) {
            for mate in self.mates() {
                out.send(mate, Message::SharesWanted(self.round(), part.to_vec()));
            }
        }
    }

    fn tell_count(&self, out: &mut Outbox<Committee>) {
        if let Some(count) = self.own_count() {
            for other in self.others() {
                out.send(other, Message::Count(Box::new(count.clone())));
            }
        }
    }

    fn own_count(&self) -> Option<&Signed<LaneCount>> {
        self.counts.of(self.seat)
    }

    /// The share of a candidate.
    fn share_of(&self, entry: &Entry) -> Option<&LaneShare> {
        let held = self.held.get(&entry.contributor)?;
        held.share
            .as_ref()
            .filter(|_| held.entry.header == entry.header)
    }

    /// Whose shares are missing here, once it is known who the candidates are.
    pub(super) fn missing(&self) -> Option<Vec<NodeId>> {
        let missing = self.candidates.as_ref()?.entries.as_ref()?.iter();
        let missing = missing.filter(|entry| self.share_of(entry).is_none());
        Some(missing.map(|entry| entry.contributor).collect())
    }

    /// The sum of the included shares, if all are here.
    fn add_up(&self) -> Option<Vec<u64>> {
        let mut total = Vector::zeros(self.terms.vector_len);
        for entry in self.decided.as_ref()?.entries.as_ref()? {
            let share = match self.share_of(entry)? {
                LaneShare::Plain(vector) => vector,
                LaneShare::Proved(_) => self.proved_vector(entry.contributor)?,
            };
            let added = total.add(share);
            added.expect("shares are opened to the length of the terms");
        }
        Some(total.to_u64s())
    }

    fn count(&mut self, context: &Context, total: Vec<u64>, out: &mut Outbox<Committee>) {
        let Some(decided) = &mut self.decided else {
            return;
        };
        let count = LaneCount(LaneTotal {
            round: decided.body.round,
            set: decided.digest,
            sums: total[..self.terms.cells].to_vec(),
            open: Vec::new(),
        });
        decided.total = Some(total);
        let mates = self.terms.lane(self.lane);
        let liars = self.counts.others_than(&count, mates);
        self.accuse(liars, Misbehaviour::Sum, out);
        self.counts
            .insert(Signed::new(&context.identity.key, self.seat, count));
    }

    pub(super) fn on_shares_wanted(
        &self,
        seat: usize,
        from: NodeId,
        names: &[NodeId],
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.lane(self.lane).contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        if names.len() > BATCH_MAX {
            return Err(Misbehaviour::Shape);
        }
        if !self.terms.place.is_leaf() {
            self.give_parts(from, names, out);
            return Ok(());
        }
        let held = names.iter().filter_map(|name| self.held.get(name));
        let complete = held.filter(|held| held.is_complete());
        let items: Vec<_> = complete.filter_map(|held| held.item.clone()).collect();
        for part in items.chunks(self.batch_max()) {
            out.send(
                from,
                Message::Forward(self.round(), part.to_vec(), Way::Here),
            );
        }
        Ok(())
    }

    pub(super) fn on_count(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        count: Signed<LaneCount>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if count.index() != seat {
            return Err(Misbehaviour::Seat);
        }
        if self.counts.has(count.seat) {
            return Ok(());
        }
        if count.body.0.sums.len() != self.terms.cells || !count.body.0.open.is_empty() {
            return Err(Misbehaviour::Shape);
        }
        if let Some(decided) = &self.decided
            && decided.digest != count.body.0.set
        {
            return Err(Misbehaviour::OtherSet);
        }
        count.check(&self.terms)?;
        let lies = self.is_contradicted(&self.counts, &count);
        self.counts.insert(count);
        self.consider_outcome(context, now, out);
        if lies { Err(Misbehaviour::Sum) } else { Ok(()) }
    }

    fn consider_outcome(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if self.outcome.is_some() || self.own_count().is_none() {
            return;
        }
        if self.counts.is_settled(&self.terms) {
            self.conclude(context, now, out);
        } else if self.count_at.is_none() && self.counts.endorsed(&self.terms).is_some() {
            self.count_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    /// Decides what the querier gets.
    pub(super) fn conclude(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        self.count_at = None;
        if self.outcome.is_some() {
            return;
        }
        let mut open = None;
        let denied = if self.counts.conflicts(&self.terms) {
            Some(Denied::Conflict)
        } else {
            match self.crowd() {
                None => return,
                Some(counts) => {
                    open = self.terms.open_cells(&counts);
                    open.is_none().then_some(Denied::SmallCrowd)
                }
            }
        };
        let key = &context.identity.key;
        self.outcome = match (denied, &self.decided) {
            (Some(why), _) => {
                let round = self.round();
                let denial = Signed::new(key, self.seat, Denial { round, why });
                Some(Message::Denied(denial))
            }
            (
                None,
                Some(Decided {
                    body,
                    digest,
                    certificate,
                    total: Some(total),
                    ..
                }),
            ) => {
                let open = open.unwrap_or_default();
                let sum = LaneSum(LaneTotal {
                    round: body.round,
                    set: *digest,
                    sums: self
                        .terms
                        .opened(total, &open)
                        .expect("cells are of one width"),
                    open,
                });
                Some(Message::Sum(Box::new(Sum {
                    set: body.clone(),
                    certificate: Some(certificate.clone()),
                    sum: Signed::new(key, self.seat, sum),
                })))
            }
            _ => None,
        };
        if self.outcome.is_some() {
            out.emit(Event::Serves(self.round(), Service::Gave));
        }
        self.put_off_repeat(now, out);
        self.give_outcome(false, out);
    }

    /// How many match, by cell, once every lane has said it.
    fn crowd(&self) -> Option<Vec<u64>> {
        let mut crowd = Vector::zeros(self.terms.cells);
        for lane in self.counts.endorsed(&self.terms)? {
            let part = Vector::from_u64s(&lane.body.0.sums).ok()?;
            crowd.add(&part).ok()?;
        }
        Some(crowd.to_u64s())
    }

    /// Gives the querier, or those above who have not taken it, what was found. The signatures under the set are long: at first
    /// [`CERTIFIERS`] give them to each, and `again` all.
    fn give_outcome(&self, again: bool, out: &mut Outbox<Committee>) {
        let Some(outcome) = &self.outcome else {
            return;
        };
        let brief = || match outcome {
            Message::Sum(sum) => Message::Sum(Box::new(sum.bare())),
            Message::Part(round, sum) => Message::Part(*round, Box::new(sum.bare())),
            other => other.clone(),
        };
        let said = |certifies: bool| {
            if certifies || again {
                outcome.clone()
            } else {
                brief()
            }
        };
        if self.terms.place.is_root() {
            out.send(self.terms.querier, said(self.seat < CERTIFIERS));
        }
        let Some(above) = &self.terms.place.above else {
            return;
        };
        let lane = self.terms.lane(self.lane);
        for seat in lane.clone() {
            let ahead = (seat + lane.len() - self.seat) % lane.len();
            let above = above.seats[seat];
            if self.untaken.contains(&above) {
                out.send(above, said(ahead < CERTIFIERS));
            }
        }
    }

    /// Gives this lane's sum to the committee above.
    fn pass_up(&mut self, context: &Context, total: Vec<u64>, out: &mut Outbox<Committee>) {
        let (Some(above), Some(decided)) = (&self.terms.place.above, &mut self.decided) else {
            return;
        };
        let sum = LaneSum(LaneTotal {
            round: decided.body.round,
            set: decided.digest,
            sums: total.clone(),
            open: Vec::new(),
        });
        decided.total = Some(total);
        let sum = Sum {
            set: decided.body.clone(),
            certificate: Some(decided.certificate.clone()),
            sum: Signed::new(&context.identity.key, self.seat, sum),
        };
        self.outcome = Some(Message::Part(above.round, Box::new(sum)));
        self.untaken = above.seats[self.terms.lane(self.lane)]
            .iter()
            .copied()
            .collect();
        out.emit(Event::Serves(self.round(), Service::Gave));
        self.give_outcome(false, out);
    }
}
