//! The querier's part: gather lane keys, then lane sums or refusals.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Duration, Instant, NodeId, Outbox};
use crypto::Vector;

use crate::agreement::QuorumCertificate;
use crate::committee::calling::Calling;
use crate::committee::evidence::Evidence;
use crate::committee::fault::{Failure, Misbehaviour};
use crate::committee::inclusion::SetBody;
use crate::committee::message::{Message, Sum};
use crate::committee::opening::Tally;
use crate::committee::protocol::{Committee, Event, Timer};
use crate::committee::statement::{Denial, Denied, LaneSum, LaneTotal, Signed};
use crate::committee::terms::Terms;

/// How long to wait for a lane's other replicas once every lane has enough: they may contradict it, or be named as liars.
const GRACE: Duration = Duration::from_millis(300);

/// One computation at the node that asks.
pub struct Querier {
    terms: Arc<Terms>,
    calling: Calling,
    set: Option<(SetBody, QuorumCertificate)>,
    /// By seat, sums over a set that is not known to be signed yet.
    waiting: BTreeMap<NodeId, Sum>,
    sums: Tally<LaneSum>,
    denials: BTreeMap<u16, Denied>,
    conclude_at: Option<Instant>,
    /// The totals are out; whoever still contradicts them is named.
    opened: bool,
    over: bool,
}

impl Querier {
    /// Waits for the lanes' keys; or, where people are called already, for sums.
    pub fn start(terms: Arc<Terms>, is_called: bool, out: &mut Outbox<Committee>) -> Self {
        let round = terms.round();
        out.wake(terms.closes_at, Timer::Querier(round));
        out.wake(terms.ends_at(), Timer::Querier(round));
        Self {
            terms,
            calling: if is_called {
                Calling::done()
            } else {
                Calling::default()
            },
            set: None,
            waiting: BTreeMap::new(),
            sums: Tally::default(),
            denials: BTreeMap::new(),
            conclude_at: None,
            opened: false,
            over: false,
        }
    }

    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes a message of a replica.
    ///
    /// # Errors
    ///
    /// The check that it failed.
    pub fn receive(
        &mut self,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        match message {
            Message::LaneKey(signed) => {
                if let Some(keys) = self.calling.on_key(&self.terms, from, signed)? {
                    out.emit(Event::LanesReady(self.terms.round(), keys));
                }
                Ok(())
            }
            Message::Sum(sum) => self.on_sum(now, from, *sum, out),
            Message::Denied(signed) => self.on_denied(from, signed, out),
            _ => Ok(()),
        }
    }

    fn check_seat(&self, from: NodeId, seat: u16) -> Result<(), Misbehaviour> {
        if self.terms.seats.get(usize::from(seat)) == Some(&from) {
            Ok(())
        } else {
            Err(Misbehaviour::Seat)
        }
    }

    fn on_sum(
        &mut self,
        now: Instant,
        from: NodeId,
        said: Sum,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let was_unknown = self.set.is_none();
        self.admit(from, said, out)?;
        if was_unknown && self.set.is_some() {
            // Those who are wrong are not to blame on the one that came with the signatures.
            for (from, said) in std::mem::take(&mut self.waiting) {
                if let Err(what) = self.admit(from, said, out) {
                    out.emit(Event::Misbehaved { node: from, what });
                }
            }
        }
        if !self.over {
            self.advance(now, out);
        }
        Ok(())
    }

    /// Keeps a sum that holds; and one over a set that nobody has shown to be signed, until somebody does.
    fn admit(
        &mut self,
        from: NodeId,
        said: Sum,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let terms = Arc::clone(&self.terms);
        self.check_seat(from, said.sum.seat)?;
        if self.over || self.sums.has(said.sum.seat) {
            return Ok(());
        }
        let digest = said.set.digest();
        let is_known = |(known, _): &(SetBody, _)| *known == said.set;
        if !self.set.as_ref().is_some_and(is_known) {
            let Some(certificate) = &said.certificate else {
                if self.set.is_none() {
                    self.waiting.insert(from, said);
                }
                return Ok(());
            };
            certificate
                .verify(terms.final_instance(), digest, &terms.seats, terms.quorum())
                .map_err(|_| Misbehaviour::Quorum)?;
        }
        let Sum {
            set,
            certificate,
            sum,
        } = said;
        if sum.body.0.set != digest {
            return Err(Misbehaviour::OtherSet);
        }
        let in_field = Vector::from_u64s(&sum.body.0.sums).is_ok();
        let LaneTotal { sums, open, .. } = &sum.body.0;
        if !terms.names_cells(open) || sums.len() != terms.opened_len(open) || !in_field {
            return Err(Misbehaviour::Shape);
        }
        sum.check(&terms)?;
        if self.set.as_ref().is_some_and(|(known, _)| *known != set) {
            // Two sets with a quorum each: more replicas lie than the agreement bears.
            if !self.opened {
                self.fail(Failure::Conflict, out);
            }
            return Ok(());
        }
        if let Some(certificate) = certificate {
            self.set.get_or_insert((set, certificate));
        }
        self.sums.insert(sum);
        Ok(())
    }

    /// Gives the totals as soon as no other word could change them, and comes to an end when all have spoken.
    fn advance(&mut self, now: Instant, out: &mut Outbox<Committee>) {
        if self.sums.is_settled(&self.terms) {
            self.open(out);
        }
        if self.sums.is_full(&self.terms) {
            self.conclude(out);
        } else if self.conclude_at.is_none() && self.sums.endorsed(&self.terms).is_some() {
            self.conclude_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Querier(self.terms.round()));
        }
    }

    fn on_denied(
        &mut self,
        from: NodeId,
        signed: Signed<Denial>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        self.check_seat(from, signed.seat)?;
        if self.denials.contains_key(&signed.seat) {
            return Ok(());
        }
        signed.check(&self.terms)?;
        let why = signed.body.why;
        self.denials.insert(signed.seat, why);
        let agree = self.denials.values().filter(|said| **said == why).count();
        if agree >= self.terms.more_than_liars() && !self.opened {
            let failure = match why {
                Denied::SmallCrowd => Failure::SmallCrowd,
                Denied::Conflict => Failure::Conflict,
            };
            self.fail(failure, out);
        }
        Ok(())
    }

    /// Gives the totals once time is up, or gives up.
    pub fn handle_timer(&mut self, now: Instant, out: &mut Outbox<Committee>) {
        if self.conclude_at.is_some_and(|at| now >= at) {
            self.conclude(out);
        } else if now >= self.terms.ends_at()
            || (now >= self.terms.closes_at && self.waits_for_keys())
        {
            self.fail(Failure::TimedOut, out);
        }
    }

    fn waits_for_keys(&self) -> bool {
        self.terms.callers().contains(&self.terms.querier) && !self.calling.is_ready()
    }

    /// Names whom the others outvoted, and comes to an end.
    fn conclude(&mut self, out: &mut Outbox<Committee>) {
        self.open(out);
        if !self.opened {
            return;
        }
        for seat in self.sums.outvoted(&self.terms) {
            out.emit(Event::Misbehaved {
                node: self.terms.seats[seat],
                what: Misbehaviour::Sum,
            });
        }
        self.finish(out);
    }

    /// Gives the totals, or says why there are none.
    fn open(&mut self, out: &mut Outbox<Committee>) {
        if self.opened || self.over {
            return;
        }
        if self.sums.conflicts(&self.terms) {
            return self.fail(Failure::Conflict, out);
        }
        let Some(((set, certificate), sums)) =
            self.set.clone().zip(self.sums.endorsed(&self.terms))
        else {
            return;
        };
        let evidence = Evidence {
            set,
            certificate,
            sums,
        };
        self.opened = true;
        out.emit(Event::Opened(self.terms.round(), Box::new(evidence)));
    }

    fn fail(&mut self, why: Failure, out: &mut Outbox<Committee>) {
        out.emit(Event::Failed(self.terms.round(), why));
        self.finish(out);
    }

    fn finish(&mut self, out: &mut Outbox<Committee>) {
        self.over = true;
        for seat in &self.terms.seats {
            out.send(*seat, Message::Done(self.terms.round()));
        }
    }
}
