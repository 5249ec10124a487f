//! Step 1: the lane's key.

use base::{Instant, NodeId, Outbox};
use crypto::SealingKey;

use super::{CALL_PATIENCE, REPEAT, Replica};
use crate::committee::fault::Misbehaviour;
use crate::committee::lanes::LaneKey;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Context, Event, Service, Timer};
use crate::committee::statement::Signed;

impl Replica {
    /// The querier has these keys and calls for contributions.
    pub fn collecting(
        &mut self,
        now: Instant,
        lanes: Vec<Signed<LaneKey>>,
        out: &mut Outbox<Committee>,
    ) {
        if self.lanes.is_none() && lanes.len() == self.terms.lanes() {
            self.lanes = Some(lanes);
            self.want_secret(out);
            self.open_waiting();
            out.emit(Event::Serves(self.round(), Service::Collecting));
            // All may have answered already.
            out.wake(now, Timer::Replica(self.round()));
        }
    }

    pub(super) fn offer_keys(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let place = self.seat - self.terms.lane(self.lane).start;
        let patience = REPEAT.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
        if self.own_key.is_none() && now.since(self.served_at) >= patience {
            let secret = SealingKey::generate(&mut context.rng);
            self.own_key = Some(LaneKey::of(self.round(), &secret));
            self.keep_secret(context, self.seat, secret);
        }
        if let Some(secret) = self.own_key.and_then(|own| self.secrets.get(&own)) {
            for mate in self.mates() {
                out.send(mate, Message::LaneSecret(self.round(), secret.clone()));
            }
        }
        for signed in self.signed_keys.clone() {
            self.tell_callers(&signed, out);
        }
    }

    fn tell_callers(&mut self, signed: &Signed<LaneKey>, out: &mut Outbox<Committee>) {
        let own = self.terms.seats[self.seat];
        for caller in self.terms.callers().to_vec() {
            if caller != own {
                out.send(caller, Message::LaneKey(signed.clone()));
            } else if let Err(what) = self.on_key(own, signed.clone(), out) {
                unreachable!("our own word is well signed: {what}");
            }
        }
    }

    /// A replica's word, for a caller: the keys of all lanes go to the application, which calls people to contribute.
    pub(super) fn on_key(
        &mut self,
        from: NodeId,
        signed: Signed<LaneKey>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.callers().contains(&self.terms.seats[self.seat]) {
            return Err(Misbehaviour::Seat);
        }
        if let Some(keys) = self.calling.on_key(&self.terms, from, signed)? {
            let place = self.seat - self.terms.lane(self.lane).start;
            let patience = CALL_PATIENCE.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
            let at = self.served_at + patience;
            self.to_call = Some((at, keys));
            out.wake(at, Timer::Replica(self.round()));
        }
        Ok(())
    }

    /// Lets people be called, unless another caller has done it: each waits for those before it.
    pub(super) fn call(&mut self, now: Instant, out: &mut Outbox<Committee>) {
        if self.lanes.is_some() {
            self.to_call = None;
        }
        if let Some((_, keys)) = self.to_call.take_if(|(at, _)| now >= *at) {
            out.emit(Event::LanesReady(self.round(), keys));
        }
    }

    pub(super) fn keep_secret(&mut self, context: &Context, giver: usize, secret: SealingKey) {
        let key = LaneKey::of(self.round(), &secret);
        let signed = Signed::new(&context.identity.key, self.seat, key);
        self.givers.insert(giver);
        self.signed_keys.push(signed);
        self.secrets.insert(key, secret);
    }

    /// The lane's key, once it is known.
    fn chosen(&self) -> Option<LaneKey> {
        Some(self.lanes.as_ref()?.get(self.lane)?.body)
    }

    pub(super) fn chosen_secret(&self) -> Option<&SealingKey> {
        self.secrets.get(&self.chosen()?)
    }

    pub(super) fn want_secret(&self, out: &mut Outbox<Committee>) {
        if self.terms.place.is_leaf() && self.lanes.is_some() && self.chosen_secret().is_none() {
            for mate in self.mates() {
                out.send(mate, Message::SecretWanted(self.round()));
            }
        }
    }

    pub(super) fn on_secret_wanted(
        &self,
        seat: usize,
        from: NodeId,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.lane(self.lane).contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        if let Some(secret) = self.chosen_secret() {
            out.send(from, Message::LaneSecret(self.round(), secret.clone()));
        }
        Ok(())
    }

    /// Holding the secret from which the public key follows shows more than opening a test message would.
    pub(super) fn on_secret(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        secret: SealingKey,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.lane(self.lane).contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        let key = LaneKey::of(self.round(), &secret);
        let is_chosen = self.chosen() == Some(key);
        let is_offer = self.lanes.is_none() && !self.givers.contains(&seat);
        if self.secrets.contains_key(&key) || !(is_chosen || is_offer) {
            return Ok(());
        }
        self.keep_secret(context, seat, secret);
        if let Some(signed) = self.signed_keys.last().filter(|_| is_offer).cloned() {
            self.tell_callers(&signed, out);
        }
        self.open_waiting();
        self.close_if_complete(context, now, out);
        Ok(())
    }
}
