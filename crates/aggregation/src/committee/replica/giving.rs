//! Steps 4 and 5: count, then give or refuse.

use base::{Instant, NodeId, Outbox, decode};
use crypto::Vector;

use super::{BATCH_MAX, Decided, GRACE, Replica, SET_BYTES};
use crate::agreement::Decision;
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::SetBody;
use crate::committee::message::{Message, Sum};
use crate::committee::protocol::{Committee, Context, Event, Timer};
use crate::committee::statement::{Denial, Denied, LaneCount, LaneSum, LaneTotal, Signed};

impl Replica {
    pub(super) fn on_decided(
        &mut self,
        context: &mut Context,
        now: Instant,
        decision: Decision,
        out: &mut Outbox<Committee>,
    ) {
        if self.decided.is_some() {
            return;
        }
        // A quorum, and so an honest replica, found it valid.
        let Ok(body) = decode::<SetBody>(&decision.value, SET_BYTES) else {
            return;
        };
        let digest = body.digest();
        self.counts.retain(|count| count.0.set == digest);
        self.decided = Some(Decided {
            body,
            digest,
            certificate: decision.certificate,
            entries: None,
            total: None,
        });
        self.advance(context, now, out);
    }

    /// Goes as far towards this lane's total as what is here allows, and asks for what is missing.
    pub(super) fn advance(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let round = self.round();
        let Some(decided) = &self.decided else {
            return;
        };
        if decided.entries.is_none() {
            let Some(inclusion) = self.supported(&decided.body).cloned() else {
                for other in self.others() {
                    out.send(other, Message::SupportWanted(round));
                }
                return;
            };
            out.emit(Event::SetAgreed(round, inclusion.members()));
            if let Some(decided) = &mut self.decided {
                decided.entries = Some(inclusion.entries);
            }
        }
        if self.own_count().is_none() {
            match self.add_up() {
                Ok(total) => self.count(context, total),
                Err(missing) => {
                    for part in missing.chunks(BATCH_MAX) {
                        for mate in self.mates() {
                            out.send(mate, Message::SharesWanted(round, part.to_vec()));
                        }
                    }
                    return;
                }
            }
        }
        if let Some(count) = self.own_count() {
            for other in self.others() {
                out.send(other, Message::Count(Box::new(count.clone())));
            }
        }
        self.consider_outcome(context, now, out);
    }

    pub(super) fn own_count(&self) -> Option<&Signed<LaneCount>> {
        self.counts.of(self.seat)
    }

    /// The sum of the included shares, or whose are missing.
    pub(super) fn add_up(&self) -> Result<Vec<u64>, Vec<NodeId>> {
        let entries = self
            .decided
            .as_ref()
            .and_then(|decided| decided.entries.as_ref());
        let mut total = Vector::zeros(self.terms.vector_len);
        let mut missing = Vec::new();
        for entry in entries.into_iter().flatten() {
            let held = self.held.get(&entry.contributor);
            let share = held
                .filter(|held| held.digest == entry.header)
                .and_then(|held| held.share.as_ref());
            match share {
                Some(share) => total
                    .add(share)
                    .expect("shares are opened to the length of the terms"),
                None => missing.push(entry.contributor),
            }
        }
        if missing.is_empty() {
            Ok(total.to_u64s())
        } else {
            Err(missing)
        }
    }

    pub(super) fn count(&mut self, context: &Context, total: Vec<u64>) {
        let Some(decided) = &mut self.decided else {
            return;
        };
        let count = LaneCount(LaneTotal {
            round: decided.body.round,
            set: decided.digest,
            sums: total[..1].to_vec(),
        });
        decided.total = Some(total);
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
        if !self.terms.lane(self.lane).contains(&seat) || names.len() > BATCH_MAX {
            return Err(Misbehaviour::Seat);
        }
        let items: Vec<_> = names
            .iter()
            .filter_map(|name| self.held.get(name))
            .map(|held| held.item.clone())
            .collect();
        if !items.is_empty() {
            out.send(from, Message::Forward(self.round(), items));
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
        if count.body.0.sums.len() != 1 {
            return Err(Misbehaviour::Shape);
        }
        if let Some(decided) = &self.decided
            && decided.digest != count.body.0.set
        {
            return Err(Misbehaviour::OtherSet);
        }
        count.check(&self.terms)?;
        self.counts.insert(count);
        self.consider_outcome(context, now, out);
        Ok(())
    }

    pub(super) fn consider_outcome(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if self.outcome.is_some() || self.own_count().is_none() {
            return;
        }
        if self.counts.is_full(&self.terms) {
            self.conclude(context, out);
        } else if self.count_at.is_none() && self.counts.endorsed(&self.terms).is_some() {
            self.count_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    /// Decides what the querier gets.
    pub(super) fn conclude(&mut self, context: &Context, out: &mut Outbox<Committee>) {
        self.count_at = None;
        if self.outcome.is_some() {
            return;
        }
        let denied = if self.counts.conflicts(&self.terms) {
            Some(Denied::Conflict)
        } else {
            match self.crowd() {
                None => return,
                Some(crowd) => (crowd < self.terms.threshold).then_some(Denied::SmallCrowd),
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
                let sum = LaneSum(LaneTotal {
                    round: body.round,
                    set: *digest,
                    sums: total.clone(),
                });
                Some(Message::Sum(Box::new(Sum {
                    set: body.clone(),
                    certificate: certificate.clone(),
                    sum: Signed::new(key, self.seat, sum),
                })))
            }
            _ => None,
        };
        self.give_outcome(out);
    }

    /// How many match, once every lane has a majority's word.
    pub(super) fn crowd(&self) -> Option<u64> {
        let mut crowd = Vector::zeros(1);
        for lane in self.counts.endorsed(&self.terms)? {
            let part = Vector::from_u64s(&lane.body.0.sums).ok()?;
            crowd.add(&part).ok()?;
        }
        crowd.to_u64s().first().copied()
    }

    pub(super) fn give_outcome(&self, out: &mut Outbox<Committee>) {
        if let Some(outcome) = &self.outcome {
            out.send(self.terms.querier, outcome.clone());
        }
    }
}
