//! In a tree: sums from the committees below take the place of contributions.

use std::collections::BTreeMap;

use base::{Digest, Instant, NodeId, Outbox};
use crypto::{Batch, Vector};

use super::{Held, Replica};
use crate::agreement::QuorumCertificate;
use crate::committee::contribution::LaneShare;
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::{Entry, SetBody};
use crate::committee::message::{Message, Sum};
use crate::committee::protocol::{Committee, Context, Event};
use crate::committee::statement::{Endorsed, LaneSum, Signed};

/// What came of one child: its set, and its lane sums by seat.
pub(super) struct Part {
    set: SetBody,
    digest: Digest,
    certificate: QuorumCertificate,
    said: BTreeMap<u16, Signed<LaneSum>>,
}

impl Replica {
    /// A lane sum of a child, from its signer or passed on by a lane mate.
    pub(super) fn on_part(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        sum: Sum,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let Some(child) = self.terms.place.child(sum.set.round).cloned() else {
            return Err(Misbehaviour::OtherRound);
        };
        let seat = sum.sum.index();
        if !self.terms.lane(self.lane).contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        let total = &sum.sum.body.0;
        let digest = sum.set.digest();
        if total.set != digest {
            return Err(Misbehaviour::OtherSet);
        }
        let vector = Vector::from_u64s(&total.sums);
        let fits = total.sums.len() == self.terms.vector_len && total.open.is_empty();
        let Some(vector) = vector.ok().filter(|_| fits) else {
            return Err(Misbehaviour::Shape);
        };
        let known = self.parts.get(&child.round);
        if known.is_some_and(|part| part.said.contains_key(&sum.sum.seat)) {
            self.acknowledge(from, &child.seats, child.round, out);
            return Ok(());
        }
        if known.is_some_and(|part| part.digest != digest) {
            // A second set of one committee: if it were signed, more of its seats would lie than it bears.
            return Err(Misbehaviour::OtherSet);
        }
        if known.is_none() {
            let (seats, quorum) = (&child.seats, self.terms.quorum());
            sum.certificate
                .verify(child.instance, digest, seats, quorum)
                .map_err(|_| Misbehaviour::Quorum)?;
        }
        let mut batch = Batch::new();
        sum.sum.check_of(&mut batch, child.round, &child.seats)?;
        batch.verify().map_err(|_| Misbehaviour::Signature)?;
        let Sum {
            set,
            certificate,
            sum,
        } = sum;
        let part = self.parts.entry(child.round).or_insert_with(|| Part {
            set,
            digest,
            certificate,
            said: BTreeMap::new(),
        });
        let differs = part.said.values().any(|said| said.body != sum.body);
        part.said.insert(sum.seat, sum);
        let news = self.held.contains_key(&child.name()).then_some(seat);
        self.name_outvoted(child.round, &child.seats, news, out);
        self.acknowledge(from, &child.seats, child.round, out);
        if self.keep_part(child.round, child.name(), differs, vector) {
            self.reconsider_supports(context, now, None, out);
            self.close_if_complete(context, now, out);
            self.consider_proposal(context, now, out);
            self.advance(context, now, out);
        }
        Ok(())
    }

    /// Names those whose sum is another than enough of their lane say; once that is known, only one whose word is `new`.
    fn name_outvoted(
        &self,
        round: Digest,
        seats: &[NodeId],
        new: Option<usize>,
        out: &mut Outbox<Committee>,
    ) {
        let Some(part) = self.parts.get(&round) else {
            return;
        };
        let said = || part.said.values();
        let Some(endorsed) = Endorsed::of(&self.terms, self.lane, said().cloned()) else {
            return;
        };
        let is_news = |said: &&Signed<LaneSum>| new.is_none_or(|new| new == said.index());
        let others = said().filter(|said| said.body != endorsed.body);
        for liar in others.filter(is_news) {
            out.emit(Event::Misbehaved {
                node: seats[liar.index()],
                what: Misbehaviour::Sum,
            });
        }
    }

    fn acknowledge(
        &self,
        from: NodeId,
        seats: &[NodeId],
        round: Digest,
        out: &mut Outbox<Committee>,
    ) {
        if seats.contains(&from) {
            out.send(from, Message::Taken(round));
        }
    }

    /// Takes a child's lane sum as held once enough of its lane have said the same. Whether that is now.
    fn keep_part(&mut self, round: Digest, name: NodeId, differs: bool, vector: Vector) -> bool {
        let Some(part) = self.parts.get(&round) else {
            return false;
        };
        if self.held.contains_key(&name) {
            return false;
        }
        let Some(endorsed) = Endorsed::of(&self.terms, self.lane, part.said.values().cloned())
        else {
            return false;
        };
        if differs && !self.terms.outvotes {
            return false;
        }
        let vector = if differs {
            Vector::from_u64s(&endorsed.body.0.sums).expect("it was checked when it came in")
        } else {
            vector
        };
        let entry = Entry {
            contributor: name,
            header: part.digest,
            declines: false,
        };
        self.below.insert(part.digest, part.set.clone());
        let held = Held {
            entry,
            item: None,
            share: Some(LaneShare::Plain(vector)),
        };
        self.held.insert(name, held);
        true
    }

    /// Gives a lane mate what it lacks of these children.
    pub(super) fn give_parts(&self, to: NodeId, names: &[NodeId], out: &mut Outbox<Committee>) {
        for part in names
            .iter()
            .filter_map(|name| self.parts.get(&Digest(name.0)))
        {
            for sum in part.said.values() {
                let sum = Sum {
                    set: part.set.clone(),
                    certificate: part.certificate.clone(),
                    sum: sum.clone(),
                };
                out.send(to, Message::Part(self.round(), Box::new(sum)));
            }
        }
    }
}
