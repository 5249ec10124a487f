//! Finding out who is nearest to a place that is not near.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Instant, Location, NodeId, Outbox};
use community::Contact;

use super::holders::COPIES;
use super::requests::{ANSWERED_WITHIN, Request, Stage};
use super::{Message, Records, send};
use crate::near::nearest;
use crate::spreading::{Event, Spreading, Timer};
use crate::{NodeCache, View};

impl Records {
    /// The answer to [`Event::Find`]: checked contacts of nodes near a place, who are asked for their neighbours.
    pub fn handle_found(
        &mut self,
        now: Instant,
        location: Location,
        found: &[Arc<Contact>],
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let finds = |request: &Request| {
            request.location == location && matches!(request.stage, Stage::Finding)
        };
        let all = self.requests.iter();
        let waiting = all.filter_map(|(number, request)| finds(request).then_some(*number));
        let waiting: Vec<_> = waiting.collect();
        let mut known: NodeCache = found.iter().cloned().collect();
        let mut asked = nearest(&known, location, COPIES, |_| true);
        if known.contains(self.own) {
            // Our neighbours we need not ask ourselves for.
            let near = nearest(&view.cache, location, COPIES, |_| true);
            near.into_iter().for_each(|contact| {
                known.insert(contact);
            });
            asked.retain(|contact| contact.node() != self.own);
        }
        for contact in asked.iter().filter(|_| !waiting.is_empty()) {
            out.emit(Event::Met(Arc::clone(contact)));
            send(out, contact.node(), Message::Nearest(location));
        }
        let asked: BTreeSet<_> = asked.iter().map(|contact| contact.node()).collect();
        for number in waiting {
            let request = self.requests.get_mut(&number).expect("it waits");
            request.stage = Stage::Asking(asked.clone(), known.clone());
            request.until = now + ANSWERED_WITHIN;
            out.wake(request.until, Timer::Request(number));
            if asked.is_empty() {
                self.end_stage(now, number, out);
            }
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
        out: &mut Outbox<Spreading>,
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
        out: &mut Outbox<Spreading>,
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
