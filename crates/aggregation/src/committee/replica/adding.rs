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
use crate::committee::place::Below;
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
        let fits = total.sums.len() == self.terms.vector_len && total.open.is_empty();
        if !fits || Vector::from_u64s(&total.sums).is_err() {
            return Err(Misbehaviour::Shape);
        }
        let known = self.parts.get(&child.round);
        if known.is_some_and(|part| part.said.contains_key(&sum.sum.seat)) {
            self.acknowledge(from, &child.seats, child.round, out);
            return Ok(());
        }
        if known.is_some_and(|part| part.digest != digest) {
            // A second set of one committee: if it were signed, more of its seats would lie than it bears.
            return Err(Misbehaviour::OtherSet);
        }
        let is_news = known.is_none();
        if is_news {
            let Some(certificate) = &sum.certificate else {
                // Only its own: or others could put something in front of what somebody said.
                if child.seats.get(seat) == Some(&from) {
                    self.unsigned.insert((child.round, seat), sum);
                }
                return Ok(());
            };
            let (seats, quorum) = (&child.seats, self.terms.quorum());
            certificate
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
        if let Some(certificate) = certificate.filter(|_| is_news) {
            let part = Part {
                set,
                digest,
                certificate,
                said: BTreeMap::new(),
            };
            self.parts.insert(child.round, part);
        }
        if let Some(part) = self.parts.get_mut(&child.round) {
            part.said.insert(sum.seat, sum);
        }
        self.acknowledge(from, &child.seats, child.round, out);
        if is_news {
            let of_child = |(round, _): &(Digest, usize), _: &mut Sum| *round == child.round;
            let unsigned: Vec<_> = self.unsigned.extract_if(.., of_child).collect();
            for ((_, seat), sum) in unsigned {
                let node = child.seats[seat];
                if let Err(what) = self.on_part(context, now, node, sum, out) {
                    out.emit(Event::Misbehaved { node, what });
                }
            }
        }
        if self.keep_part(&child, seat, out) {
            self.reconsider_supports(context, now, None, out);
            self.close_if_complete(context, now, out);
            self.consider_proposal(context, now, out);
            self.advance(context, now, out);
        }
        Ok(())
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

    /// Takes a child's lane sum as held once enough of its lane have said the same, and names who has not: all of them then, and
    /// later the one whose word is `new`. Whether it is held now.
    fn keep_part(&mut self, child: &Below, new: usize, out: &mut Outbox<Committee>) -> bool {
        let Some(part) = self.parts.get(&child.round) else {
            return false;
        };
        let said = || part.said.values();
        let Some(endorsed) = Endorsed::of(&self.terms, self.lane, said().cloned()) else {
            return false;
        };
        let is_held = self.held.contains_key(&child.name());
        let liars = said().filter(|said| said.body != endorsed.body);
        let liars: Vec<_> = liars.map(Signed::index).collect();
        for liar in liars.iter().filter(|liar| !is_held || **liar == new) {
            out.emit(Event::Misbehaved {
                node: child.seats[*liar],
                what: Misbehaviour::Sum,
            });
        }
        if is_held || !(liars.is_empty() || self.terms.outvotes) {
            return false;
        }
        let entry = Entry {
            contributor: child.name(),
            header: part.digest,
            declines: false,
        };
        let sum = Vector::from_u64s(&endorsed.body.0.sums);
        let sum = sum.expect("it was checked when it came in");
        self.below.insert(part.digest, part.set.clone());
        let held = Held {
            entry,
            item: None,
            share: Some(LaneShare::Plain(sum)),
        };
        self.held.insert(child.name(), held);
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
                    certificate: Some(part.certificate.clone()),
                    sum: sum.clone(),
                };
                out.send(to, Message::Part(self.round(), Box::new(sum)));
            }
        }
    }
}
