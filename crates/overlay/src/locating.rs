//! Learning where named nodes are that sit around one point, however far away: a search finds who is next to the point, and
//! they are asked, since their caches hold everybody around it.
//!
//! What they answer is checked, so a liar can only keep silent; who is still lacking is asked for elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Duration, Instant, Location, NodeId, Outbox, Rng};
use community::{Community, Contact};
use minicbor::{Decode, Encode};

use crate::at_most::AtMost;
use crate::breach::RingBreach;
use crate::distrust::Distrust;
use crate::protocol::{self, Event, Overlay, Timer};

/// Most nodes that one message asks for, so that an answer has some 25 kB.
pub const NAMES_MAX: usize = 64;
/// Most nodes of one request: the seats of a committee.
pub const LOCATED_MAX: usize = 300;
/// Most requests under way at a time.
const REQUESTS_MAX: usize = 64;
/// How many of those next to the point are asked in turn: a search also meets nodes farther away, who know fewer.
const AROUND_MAX: usize = 5;
/// How often it is asked for whom the last round did not tell of, each time somebody else. Guess.
const ROUNDS_MAX: usize = 3;
/// How long a round may take. Guess: several round trips.
const ROUND: Duration = Duration::from_millis(1500);

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Where are these?
    #[n(0)]
    Where(#[n(0)] AtMost<NodeId, NAMES_MAX>),
    /// Here, as far as the sender knows them.
    #[n(1)]
    There(#[n(0)] AtMost<Contact, NAMES_MAX>),
}

/// One node's requests.
pub struct Locating {
    community: Arc<Community>,
    requests: BTreeMap<u64, Request>,
    distrust: Distrust,
    rng: Rng,
}

struct Request {
    near: Location,
    lacking: BTreeSet<NodeId>,
    /// Who sits around the point, in the order in which they are asked; nobody before the search is over.
    around: Vec<NodeId>,
    /// Who was asked in this round, and how many answers are to come.
    asked: BTreeMap<NodeId, usize>,
    rounds: usize,
    until: Instant,
}

impl Locating {
    /// Nothing is looked for.
    pub fn new(community: Arc<Community>, rng: Rng) -> Self {
        Self {
            community,
            requests: BTreeMap::new(),
            distrust: Distrust::default(),
            rng,
        }
    }

    /// Begins to look for these nodes around a point, of which a search is to be made. Whether there is room.
    pub fn start(&mut self, number: u64, near: Location, lacking: BTreeSet<NodeId>) -> bool {
        if self.requests.len() >= REQUESTS_MAX || lacking.len() > LOCATED_MAX {
            return false;
        }
        let request = Request {
            near,
            lacking,
            around: Vec::new(),
            asked: BTreeMap::new(),
            rounds: 0,
            until: Instant(u64::MAX),
        };
        self.requests.insert(number, request);
        true
    }

    /// The search for a point is over: these sit around it, nearest first. Says which requests are over.
    pub fn on_found(
        &mut self,
        now: Instant,
        near: Location,
        found: &[NodeId],
        out: &mut Outbox<Overlay>,
    ) -> Vec<u64> {
        let searched = |request: &Request| request.near == near && request.rounds == 0;
        let all = self.requests.iter();
        let searched = all.filter_map(|(number, request)| searched(request).then_some(*number));
        let searched: Vec<_> = searched.collect();
        let over = searched.into_iter().filter(|number| {
            let request = self.requests.get_mut(number).expect("it was just there");
            // In an order of this node's own, so that not all ask the nearest one.
            let mut left = found[..found.len().min(AROUND_MAX)].to_vec();
            while !left.is_empty() {
                let next = self.rng.below(left.len() as u64) as usize;
                request.around.push(left.swap_remove(next));
            }
            !request.ask(now, *number, out)
        });
        let over: Vec<_> = over.collect();
        self.end(&over);
        over
    }

    /// Contacts of a peer who was asked: two signature checks for each that is lacking. Gives those that hold, and says which
    /// requests are over.
    pub fn on_there(
        &mut self,
        now: Instant,
        from: NodeId,
        contacts: Vec<Contact>,
        out: &mut Outbox<Overlay>,
    ) -> (Vec<Arc<Contact>>, Vec<u64>) {
        let mut met = Vec::new();
        let is_asked = |request: &Request| request.asked.contains_key(&from);
        if !self.requests.values().any(is_asked) || self.distrust.contains(from, now) {
            return (met, Vec::new());
        }
        for contact in contacts {
            let node = contact.node();
            let lacks = |request: &Request| is_asked(request) && request.lacking.contains(&node);
            if !self.requests.values().any(lacks) {
                continue;
            }
            if let Err(why) = contact.verify(self.community.descriptor(), now) {
                if why.is_forgery() {
                    self.distrust.insert(from, now);
                }
                let what = RingBreach::Contact(why).into();
                out.emit(Event::Misbehaved { node: from, what });
                break;
            }
            for request in self.requests.values_mut() {
                request.lacking.remove(&node);
            }
            met.push(Arc::new(contact));
        }
        (met, self.answered(now, from, out))
    }

    /// A message to `node` could not be delivered. Says which requests are over.
    pub fn on_unreachable(
        &mut self,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Overlay>,
    ) -> Vec<u64> {
        self.answered(now, node, out)
    }

    fn answered(&mut self, now: Instant, from: NodeId, out: &mut Outbox<Overlay>) -> Vec<u64> {
        let over = self.requests.iter_mut().filter_map(|(number, request)| {
            let left = request.asked.get_mut(&from)?;
            *left -= 1;
            if *left == 0 {
                request.asked.remove(&from);
            }
            let is_over = request.asked.is_empty() && !request.ask(now, *number, out);
            is_over.then_some(*number)
        });
        let over: Vec<_> = over.collect();
        self.end(&over);
        over
    }

    /// A round's time may be over. Whether the request is.
    pub fn handle_timer(&mut self, now: Instant, number: u64, out: &mut Outbox<Overlay>) -> bool {
        let request = self.requests.get_mut(&number);
        let is_over =
            request.is_some_and(|request| now >= request.until && !request.ask(now, number, out));
        if is_over {
            self.requests.remove(&number);
        }
        is_over
    }

    fn end(&mut self, over: &[u64]) {
        self.requests.retain(|number, _| !over.contains(number));
    }
}

impl Request {
    /// Asks for those who are lacking, some from each of those who sit around the point. `false` if there is nobody to ask for,
    /// or to ask.
    fn ask(&mut self, now: Instant, number: u64, out: &mut Outbox<Overlay>) -> bool {
        self.asked.clear();
        if self.lacking.is_empty() || self.around.is_empty() || self.rounds >= ROUNDS_MAX {
            return false;
        }
        let lacking: Vec<_> = self.lacking.iter().copied().collect();
        for names in lacking.chunks(NAMES_MAX) {
            let to = self.around[0];
            self.around.rotate_left(1);
            *self.asked.entry(to).or_default() += 1;
            let names = AtMost::first_of(names.to_vec());
            out.send(to, protocol::Message::Locating(Message::Where(names)));
        }
        self.rounds += 1;
        self.until = now + ROUND;
        out.wake(self.until, Timer::Locate(number));
        true
    }
}
