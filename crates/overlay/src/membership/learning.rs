//! What a node takes for true of what it is told.

use std::sync::Arc;

use base::{Instant, NodeId, Outbox};
use community::{Contact, ContactError};

use super::{Membership, REFUSED_MAX};
use crate::ring::{Event, Ring};
use crate::view::View;

/// What is taken for true.
impl Membership {
    /// Takes those contacts that hold; answers whether one was news. Our own name stands for the host.
    pub fn learn_all(
        &mut self,
        now: Instant,
        from: NodeId,
        contacts: Vec<Contact>,
        view: &mut View,
        out: &mut Outbox<Ring>,
    ) -> bool {
        let mut news = false;
        for contact in contacts {
            if self.distrusts(from) {
                break;
            }
            if self.is_gone(now, &contact, out) {
                self.tell_of(from, contact.node(), view, out);
                continue;
            }
            match self.learn(now, contact, view, out) {
                Ok(learnt) => news |= learnt,
                Err(why) => self.refuse(now, from, why, view, out),
            }
        }
        news
    }

    pub(super) fn learn(
        &mut self,
        now: Instant,
        contact: Contact,
        view: &mut View,
        out: &mut Outbox<Ring>,
    ) -> Result<bool, ContactError> {
        let node = contact.node();
        if node == view.own().node() {
            if self.is_strange(&contact, view) {
                contact.verify(self.community.descriptor(), now)?;
                self.meet_namesake(&contact, view, out);
            }
            return Ok(false);
        }
        if !view.wants(&contact) {
            return Ok(false);
        }
        let known = view.get(node);
        let news = match known {
            Some(known) => known.issued() < contact.issued() || view.cache.is_news(&contact),
            None => true,
        };
        let is_known = known.is_some();
        if !news || self.changed.contains_key(&node) {
            return Ok(false);
        }
        contact.verify(self.community.descriptor(), now)?;
        if is_known {
            self.changed.insert(node, now);
        }
        Ok(self.take(Arc::new(contact), view, out))
    }

    /// Whether this is of our name, and not what we say nor what was told last.
    fn is_strange(&self, contact: &Contact, view: &View) -> bool {
        contact.node() == view.own().node()
            && *contact != **view.own()
            && self.namesake != Some(contact.digest())
    }

    /// Tells of a checked contact, if it is of our own name: of an earlier run of this node, or of another one that runs now.
    pub fn meet_namesake(&mut self, contact: &Contact, view: &View, out: &mut Outbox<Ring>) {
        if self.is_strange(contact, view) {
            self.namesake = Some(contact.digest());
            out.emit(Event::Namesake(Arc::new(contact.clone())));
        }
    }

    /// Whether the node went after it said this. One that did not say farewell is asked whether it is back.
    pub fn is_gone(&mut self, now: Instant, contact: &Contact, out: &mut Outbox<Ring>) -> bool {
        let Some(gone) = self.liveness.gone(contact.node()) else {
            return false;
        };
        let ended = gone.farewell.as_ref().map(|farewell| farewell.at);
        let is_gone = contact.issued() <= ended.unwrap_or(gone.contact.issued());
        if is_gone && ended.is_none() {
            self.liveness.check(now, contact.node(), out);
        }
        is_gone
    }

    /// Takes a checked contact of a node that is up; answers whether it is news for the cache.
    pub fn take(&mut self, contact: Arc<Contact>, view: &mut View, out: &mut Outbox<Ring>) -> bool {
        self.liveness.raise(contact.node());
        self.expiry = self.expiry.min(contact.certificate().valid_until());
        let news = view.admit(Arc::clone(&contact));
        if news {
            out.emit(Event::Known(contact));
        }
        news
    }

    /// Notes that a peer sent a contact that does not hold.
    pub fn refuse(
        &mut self,
        now: Instant,
        from: NodeId,
        why: ContactError,
        view: &View,
        out: &mut Outbox<Ring>,
    ) {
        // What the host gives is not a peer's.
        if from != view.own().node() {
            if self.refused.contains_key(&from) && !why.is_forgery() {
                return;
            }
            self.distrust(now, from, why.is_forgery());
        }
        out.emit(Event::Refused { from, why });
    }

    pub(super) fn distrust(&mut self, now: Instant, from: NodeId, forgery: bool) {
        if !self.refused.contains_key(&from) && self.refused.len() >= REFUSED_MAX {
            self.refused.pop_first();
        }
        self.refused.insert(from, (now, forgery));
    }

    /// Only a bad signature costs more than it cost the sender.
    pub fn distrusts(&self, from: NodeId) -> bool {
        self.refused.get(&from).is_some_and(|(_, forgery)| *forgery)
    }
}
