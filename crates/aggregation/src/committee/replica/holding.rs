//! Step 2: contributions.

use base::{Digest, Instant, NodeId, Outbox};
use crypto::Batch;

use super::{BATCH, BATCH_MAX, Held, Replica};
use crate::committee::contribution::{Bundle, Header, Item, open_share};
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::{CONTRIBUTORS_MAX, Entry};
use crate::committee::message::{Message, Way};
use crate::committee::protocol::{Committee, Context, Event, Timer};

impl Replica {
    pub(super) fn on_bundle(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        bundle: Bundle,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if bundle.header.node() != from {
            return Err(Misbehaviour::Signature);
        }
        if !bundle.has_shape(&self.terms, self.longest_sealed) {
            return Err(Misbehaviour::Shape);
        }
        if !self.terms.place.is_leaf() {
            return Err(Misbehaviour::Seat);
        }
        // One who has heard everybody and closed early still passes on: others may not have.
        if self.candidates.is_some() || now >= self.terms.closes_at {
            return Ok(());
        }
        let is_same = |held: &Held| {
            held.item
                .as_ref()
                .is_some_and(|i| i.header == bundle.header)
        };
        if self.held.get(&from).is_some_and(|held| !is_same(held)) {
            let header = bundle.header.digest(self.round());
            self.name_double(context, now, header, &bundle.header, out);
            return Ok(());
        }
        if self.passed.contains(&from) {
            // Our word may not have reached the contributor.
            let waits = self.batch.iter().any(|b| b.header.node() == from);
            if !waits && !self.handing.contains_key(&from) {
                out.send(from, Message::Accepted(self.round()));
            }
            return Ok(());
        }
        // Even one that is held already is passed on: whoever had it first may have passed it on to few.
        self.hold(context, now, bundle.item(self.lane))?;
        if !self.held.get(&from).is_some_and(is_same) {
            return Ok(());
        }
        self.passed.insert(from);
        self.batch.push(bundle);
        if self.batch.len() >= self.batch_max() {
            self.flush(context, now, out);
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now + BATCH);
            out.wake(now + BATCH, Timer::Replica(self.round()));
        }
        Ok(())
    }

    pub(super) fn on_forward(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        items: Vec<Item>,
        way: Way,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if items.len() > BATCH_MAX || !self.terms.place.is_leaf() {
            return Err(Misbehaviour::Shape);
        }
        let (mut result, mut batch, mut waiting) = (Ok(()), Batch::new(), Vec::new());
        let round = self.round();
        let headers = items.iter().map(|item| item.header.digest(round));
        let headers: Vec<_> = headers.collect();
        let names = items.iter().map(|item| item.header.node());
        let names: Vec<_> = names.zip(headers.iter().copied()).collect();
        let mut fresh = Vec::new();
        for (header, item) in headers.into_iter().zip(items) {
            match self.wants(context, now, header, &item, &mut batch) {
                Ok(true) => waiting.push((header, item)),
                Ok(false) => self.name_double(context, now, header, &item.header, out),
                Err(what) => result = result.and(blamed(Err(what))),
            }
        }
        // All together first; should one not hold, each by itself, to keep the others.
        let together = batch.verify().is_ok();
        for (header, item) in waiting {
            let checked = if together {
                Ok(())
            } else {
                item.header.check(&self.terms, &context.community, now)
            };
            let passes_on = (way == Way::Lane).then(|| item.clone());
            let kept = checked.and_then(|()| self.keep(header, item));
            if kept.is_ok() {
                fresh.extend(passes_on);
            }
            result = result.and(blamed(kept));
        }
        self.pass_on(seat, fresh, out);
        self.say_held(seat, way, &names, out);
        self.close_if_complete(context, now, out);
        self.advance(context, now, out);
        result
    }

    /// Names one who signed another header, called `digest`, than the one that is held: once, as anybody could check who is
    /// shown both.
    fn name_double(
        &mut self,
        context: &Context,
        now: Instant,
        digest: Digest,
        header: &Header,
        out: &mut Outbox<Committee>,
    ) {
        let node = header.node();
        let differs = |held: &Held| held.entry.header != digest;
        if self.held.get(&node).is_some_and(differs)
            && !self.doubles.contains(&node)
            && header.check(&self.terms, &context.community, now).is_ok()
        {
            self.doubles.insert(node);
            let what = Misbehaviour::TwoHeaders;
            out.emit(Event::Misbehaved { node, what });
        }
    }

    /// Checks and keeps one contribution.
    fn hold(&mut self, context: &Context, now: Instant, item: Item) -> Result<(), Misbehaviour> {
        let mut batch = Batch::new();
        let header = item.header.digest(self.round());
        if self.wants(context, now, header, &item, &mut batch)? {
            Header::judge(&batch)?;
            self.keep(header, item)?;
        }
        Ok(())
    }

    /// Whether a contribution whose header is called `header` is of use here: the first header of each contributor, or the one
    /// that was agreed on. Its signatures are yet to be checked.
    fn wants(
        &self,
        context: &Context,
        now: Instant,
        header: Digest,
        item: &Item,
        batch: &mut Batch,
    ) -> Result<bool, Misbehaviour> {
        if !self.has_use_for(item.header.node(), header) {
            return Ok(false);
        }
        if !item.has_shape(self.longest_sealed) {
            return Err(Misbehaviour::Shape);
        }
        item.header
            .check_in(batch, &self.terms, &context.community, now)?;
        Ok(true)
    }

    /// Keeps a contribution whose header, called `header`, holds, unless another of the same author came with it.
    fn keep(&mut self, header: Digest, item: Item) -> Result<(), Misbehaviour> {
        let entry = Entry {
            contributor: item.header.node(),
            header,
            declines: item.header.declines(),
        };
        if !self.has_use_for(entry.contributor, entry.header) {
            return Ok(());
        }
        let share = if item.header.declines() {
            None
        } else {
            // The lane's secret may still be on its way.
            let open = |secret| open_share(&self.terms, self.lane, &item, secret);
            self.chosen_secret().map(open).transpose()?
        };
        let held = Held {
            entry,
            item: Some(item),
            share,
        };
        self.held.insert(entry.contributor, held);
        Ok(())
    }

    /// Whether a contribution under this header is still missing here.
    fn has_use_for(&self, node: NodeId, header: Digest) -> bool {
        let agreed = self.agreed_header(node);
        match self.held.get(&node) {
            Some(held) if held.entry.header == header => !held.is_complete(),
            Some(_) => agreed == Some(header),
            None => match agreed {
                Some(agreed) => agreed == header,
                None => self.held.len() < CONTRIBUTORS_MAX,
            },
        }
    }

    pub(super) fn open_waiting(&mut self) {
        let Some(secret) = self.chosen_secret().cloned() else {
            return;
        };
        for held in self.held.values_mut().filter(|held| !held.is_complete()) {
            let open = |item| open_share(&self.terms, self.lane, item, &secret).ok();
            held.share = held.item.as_ref().and_then(open);
        }
    }

    fn agreed_header(&self, node: NodeId) -> Option<Digest> {
        let entries = self.candidates.as_ref()?.entries.as_ref()?;
        let at = entries
            .binary_search_by(|entry| entry.contributor.cmp(&node))
            .ok()?;
        Some(entries[at].header)
    }
}

/// What a replica is to blame for that passed a contribution on. It cannot see what is sealed to another lane, and its clock
/// or its news of revocations may differ from ours.
fn blamed(held: Result<(), Misbehaviour>) -> Result<(), Misbehaviour> {
    match held {
        Err(Misbehaviour::Commitment | Misbehaviour::Certificate(_)) => Ok(()),
        held => held,
    }
}
