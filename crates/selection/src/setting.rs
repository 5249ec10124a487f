//! One committee of a draw, as its trigger sees it: who sets it up, and what has come of it (SEP2P §3.5 steps 2 and 9).

use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId, Outbox};
use community::Contact;
use overlay::NodeCache;

use crate::context::{Context, SETTER};
use crate::limit::SKIPPED_MAX;
use crate::list::ActorList;
use crate::message::{Message, SetterRequest};
use crate::protocol::{Event, Selection};
use crate::random::VerifiableRandom;
use crate::relocation::Sparse;
use crate::site::Site;

/// How long the nodes around a far point may take to find. Guess: some twenty steps of a lookup.
const FIND: Duration = Duration::from_millis(6000);
/// Most nodes remembered around a far point: the one sought, those that may stand in for it, and nearer ones told of.
const AROUND_MAX: usize = 32;

/// One committee's site and setter.
pub struct Setting {
    /// Where.
    pub site: Site,
    /// Nodes around a point that our own cache does not oversee.
    around: NodeCache,
    /// Whom we have asked; nobody while we look for somebody.
    pub setter: Option<NodeId>,
    skipped: Vec<NodeId>,
    moves: Vec<Sparse>,
    /// When we give the setter, or the search for one, up.
    pub until: Instant,
    /// The result.
    pub list: Option<Box<ActorList>>,
}

/// What is drawn.
pub struct Drawing<'a> {
    /// Evidence for RND_T.
    pub random: &'a VerifiableRandom,
    /// RND_T.
    pub value: Digest,
    /// Seats of each committee.
    pub seats: u32,
}

/// There is nobody else to ask.
pub struct NoSetter;

impl Setting {
    /// Nobody is asked yet.
    pub fn new(site: Site, now: Instant) -> Self {
        Self {
            site,
            around: NodeCache::new(),
            setter: None,
            skipped: Vec::new(),
            moves: Vec::new(),
            until: now,
            list: None,
        }
    }

    /// Asks the nearest node that we know, or looks for it where we know nobody.
    ///
    /// # Errors
    ///
    /// Nobody is left.
    pub fn ask(
        &mut self,
        context: &Context,
        now: Instant,
        drawing: &Drawing<'_>,
        out: &mut Outbox<Selection>,
    ) -> Result<(), NoSetter> {
        let point = self.site.point(&drawing.value);
        let trigger = drawing.random.draw.trigger;
        let far = !context.oversees(point);
        if far && self.around.is_empty() {
            self.setter = None;
            self.until = now + FIND;
            out.emit(Event::Find(point));
            return Ok(());
        }
        let keep = |node| node != trigger && !self.skipped.contains(&node);
        let known = if far { &self.around } else { &context.cache };
        let setter = known.nearest(point, keep).ok_or(NoSetter)?.node();
        let request = SetterRequest {
            random: drawing.random.clone(),
            seats: drawing.seats,
            skipped: self.skipped.clone(),
            site: self.site,
            moves: self.moves.clone(),
        };
        out.send(setter, Message::Setter(Box::new(request)));
        self.setter = Some(setter);
        self.until = now + SETTER;
        Ok(())
    }

    /// Takes checked contacts of nodes around the point.
    pub fn learn(&mut self, contacts: impl IntoIterator<Item = Arc<Contact>>) {
        for contact in contacts {
            if self.around.len() < AROUND_MAX {
                self.around.insert(contact);
            }
        }
    }

    /// Whether we wait for the nodes around a point.
    pub fn is_looking(&self) -> bool {
        self.setter.is_none() && self.list.is_none()
    }

    /// Passes the present setter over.
    ///
    /// # Errors
    ///
    /// Too many were.
    pub fn skip(&mut self) -> Result<(), NoSetter> {
        let setter = self.setter.take().ok_or(NoSetter)?;
        if self.skipped.len() >= SKIPPED_MAX {
            return Err(NoSetter);
        }
        self.skipped.push(setter);
        Ok(())
    }

    /// Moves on to the next point.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn relocate(&mut self, sparse: Sparse, now: Instant) -> Result<(), NoSetter> {
        let site = self.site.next().ok_or(NoSetter)?;
        let mut moves = std::mem::take(&mut self.moves);
        moves.push(sparse);
        *self = Self {
            moves,
            ..Self::new(site, now)
        };
        Ok(())
    }
}
