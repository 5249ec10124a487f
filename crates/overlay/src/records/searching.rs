//! Finding out who is nearest to a place that is not near.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Instant, Location, NodeId, Outbox};
use community::Contact;

use super::holders::{COPIES, nearest};
use super::requests::{ANSWERED_WITHIN, Request, Stage};
use super::{Message, Records, send};
use crate::protocol::{Event, Overlay, Timer};
use crate::{NodeCache, View};

impl Records {
    /// The answer to [`Event::Find`]: checked contacts of nodes near a place, who are asked for their neighbours.
    pub fn handle_found(
        &mut self,
        now: Instant,
        location: Location,
        found: &[Arc<Contact>],
        out: &mut Outbox<Overlay>,
    ) {
        let finds = |request: &Request| {
            request.location == location && matches!(request.stage, Stage::Finding)
        };
        let waiting = self
            .requests
            .iter_mut()
            .filter(|(_, request)| finds(request));
        for (number, request) in waiting {
            let mut cache: NodeCache = found.iter().cloned().collect();
            cache = nearest(&cache, location, COPIES, |_| true)
                .into_iter()
                .collect();
            let asked: BTreeSet<_> = cache.iter().map(|contact| contact.node()).collect();
            for contact in cache.iter().filter(|contact| contact.node() != self.own) {
                out.emit(Event::Met(Arc::clone(contact)));
                send(out, contact.node(), Message::Nearest(location));
            }
            request.stage = Stage::Asking(asked, cache);
            request.until = now + ANSWERED_WITHIN;
            out.wake(request.until, Timer::Request(*number));
        }
    }

    /// Contacts from a peer who was asked for them: two signature checks for each that is new.
    pub(super) fn on_near(
        &mut self,
        now: Instant,
        from: NodeId,
        location: Location,
        contacts: Vec<Contact>,
        view: &View,
        out: &mut Outbox<Overlay>,
    ) {
        let mut requests = std::mem::take(&mut self.requests);
        let asking = requests.iter_mut().filter_map(|(number, request)| {
            let here = request.location == location;
            let Stage::Asking(asked, cache) = &mut request.stage else {
                return None;
            };
            let answers = here && asked.remove(&from);
            answers.then_some((*number, asked.is_empty(), cache))
        });
        let mut complete = Vec::new();
        for (number, is_last, cache) in asking {
            for contact in &contacts {
                self.learn(now, from, contact, view, cache, out);
            }
            complete.extend(is_last.then_some(number));
        }
        self.requests = requests;
        for number in complete {
            self.end_stage(now, number, out);
        }
    }

    fn learn(
        &mut self,
        now: Instant,
        from: NodeId,
        contact: &Contact,
        view: &View,
        cache: &mut NodeCache,
        out: &mut Outbox<Overlay>,
    ) {
        let node = contact.node();
        if cache.contains(node) || self.distrust.contains(from, now) {
            return;
        }
        if let Some(known) = view.get(node) {
            cache.insert(Arc::clone(known));
            return;
        }
        match contact.verify(self.community.descriptor(), now) {
            Ok(()) => {
                cache.insert(Arc::new(contact.clone()));
            }
            Err(why) => self.blame(now, from, why.into(), out),
        }
    }
}
