//! What this node wants to put or get.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Duration, Instant, Location, NodeId, Outbox};
use community::Contact;
use thiserror::Error;

use super::holders::COPIES;
use super::{Message, Record, Records, send};
use crate::near::{all_near, nearest};
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::{Event, Spreading, Timer};
use crate::{NodeCache, View};

/// Most requests of this node at a time.
pub const REQUESTS_MAX: usize = 256;
/// Time in which somebody near a place is to be found. Guess: a lookup of some hops, each tried twice.
const FOUND_WITHIN: Duration = Duration::from_secs(20);
/// Time in which nodes near a place answer. Guess.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// Why nothing was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordError {
    /// This node is no member yet: it knows nobody to ask.
    #[error("this node has not joined yet; try again when it has")]
    Newcomer,
    /// Others would refuse the record.
    #[error("the record would be refused: {0}")]
    Invalid(#[from] SpreadingBreach),
    /// Too many requests are under way.
    #[error("{REQUESTS_MAX} requests for records are under way; try again later")]
    Busy,
}

/// One record on its way out or in.
#[derive(Debug)]
pub struct Request {
    pub(super) location: Location,
    task: Task,
    pub(super) stage: Stage,
    /// When this stage ends with what there is.
    pub(super) until: Instant,
}

#[derive(Debug, Clone)]
enum Task {
    Put(Box<Record>),
    Get,
}

/// How far a request is.
#[derive(Debug)]
pub enum Stage {
    /// Somebody near the place is being looked for.
    Finding,
    /// These nodes are asked who is nearest; who is known so far.
    Asking(BTreeSet<NodeId>, NodeCache),
    /// The keepers are asked.
    Acting {
        /// Who has not answered.
        waiting: BTreeSet<NodeId>,
        /// Keepers that have answered or, of a put, keep it now.
        answered: usize,
        /// The latest record that came, of a get.
        best: Option<Box<Record>>,
    },
}

impl Records {
    /// Puts a record at its place: ends with [`Event::Stored`].
    ///
    /// # Errors
    ///
    /// See [`RecordError`].
    pub fn put(
        &mut self,
        now: Instant,
        record: Record,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) -> Result<(), RecordError> {
        record.verify(self.community.descriptor(), now)?;
        let location = self.location(&record);
        self.start(now, location, Task::Put(Box::new(record)), view, out)
    }

    /// Gets the record at a place: ends with [`Event::Got`].
    ///
    /// # Errors
    ///
    /// [`RecordError::Busy`].
    pub fn get(
        &mut self,
        now: Instant,
        location: Location,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) -> Result<(), RecordError> {
        self.start(now, location, Task::Get, view, out)
    }

    fn start(
        &mut self,
        now: Instant,
        location: Location,
        task: Task,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) -> Result<(), RecordError> {
        if self.requests.len() >= REQUESTS_MAX {
            return Err(RecordError::Busy);
        }
        self.requested += 1;
        let number = self.requested;
        let until = now + FOUND_WITHIN;
        let request = Request {
            location,
            task,
            stage: Stage::Finding,
            until,
        };
        self.requests.insert(number, request);
        match all_near(view, location, COPIES, |node| self.away.is_there(node, now)) {
            Some(found) => self.act(now, number, found, out),
            None => {
                out.emit(Event::Find(location));
                out.wake(until, Timer::Request(number));
            }
        }
        Ok(())
    }

    /// The keepers are known: asks them.
    fn act(
        &mut self,
        now: Instant,
        number: u64,
        keepers: Vec<Arc<Contact>>,
        out: &mut Outbox<Spreading>,
    ) {
        let Some(mut request) = self.requests.remove(&number) else {
            return;
        };
        let location = request.location;
        let mut waiting: BTreeSet<_> = keepers.iter().map(|keeper| keeper.node()).collect();
        let is_here = waiting.remove(&self.own);
        let mut best = None;
        if is_here {
            match &request.task {
                Task::Put(record) => {
                    self.shelf.insert(location, (**record).clone(), now);
                }
                Task::Get => best = self.shelf.get(location, now).cloned().map(Box::new),
            }
        }
        for keeper in keepers
            .iter()
            .filter(|keeper| waiting.contains(&keeper.node()))
        {
            out.emit(Event::Met(Arc::clone(keeper)));
            let message = match &request.task {
                Task::Put(record) => Message::Store(record.clone()),
                Task::Get => Message::Fetch(location),
            };
            send(out, keeper.node(), message);
        }
        let answered = usize::from(is_here);
        request.stage = Stage::Acting {
            waiting,
            answered,
            best,
        };
        request.until = now + ANSWERED_WITHIN;
        out.wake(request.until, Timer::Request(number));
        self.requests.insert(number, request);
        self.end_if_done(number, out);
    }

    pub(super) fn on_stored(
        &mut self,
        from: NodeId,
        location: Location,
        issued: Instant,
        out: &mut Outbox<Spreading>,
    ) {
        let numbers: Vec<_> = self.requests.keys().copied().collect();
        for number in numbers {
            if let Some(request) = self.requests.get_mut(&number)
                && let Task::Put(record) = &request.task
                && request.location == location
                && record.issued() == issued
                && let Stage::Acting {
                    waiting, answered, ..
                } = &mut request.stage
                && waiting.remove(&from)
            {
                *answered += 1;
                self.end_if_done(number, out);
            }
        }
    }

    pub(super) fn on_fetched(
        &mut self,
        now: Instant,
        from: NodeId,
        location: Location,
        record: Option<Box<Record>>,
        out: &mut Outbox<Spreading>,
    ) {
        let mut requests = std::mem::take(&mut self.requests);
        let mut touched = Vec::new();
        for (number, request) in &mut requests {
            if let Stage::Acting {
                waiting,
                answered,
                best,
            } = &mut request.stage
                && matches!(request.task, Task::Get)
                && request.location == location
                && waiting.remove(&from)
            {
                *answered += 1;
                touched.push(*number);
                if let Some(record) = &record {
                    self.compare(now, from, location, record, best, out);
                }
            }
        }
        self.requests = requests;
        for number in touched {
            self.end_if_done(number, out);
        }
    }

    /// Takes the record of `from` if it is later than the best one so far. Checked only if so.
    fn compare(
        &mut self,
        now: Instant,
        from: NodeId,
        location: Location,
        record: &Record,
        best: &mut Option<Box<Record>>,
        out: &mut Outbox<Spreading>,
    ) {
        if self.location(record) != location {
            self.blame(now, from, SpreadingBreach::OtherRecord, out);
            return;
        }
        let known = best.as_ref();
        let is_later = known.is_none_or(|best| **best != *record && record.is_later_than(best));
        if is_later && self.check(now, from, record, out) && now <= record.expires() {
            *best = Some(Box::new(record.clone()));
        }
    }

    /// Nobody waits for a node that cannot be reached.
    pub(super) fn give_up_on(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Spreading>) {
        let numbers: Vec<_> = self.requests.keys().copied().collect();
        for number in numbers {
            let stage = self.requests.get_mut(&number);
            match stage.map(|request| &mut request.stage) {
                Some(Stage::Asking(asked, _)) => {
                    if asked.remove(&node) && asked.is_empty() {
                        self.end_stage(now, number, out);
                    }
                }
                Some(Stage::Acting { waiting, .. }) => {
                    waiting.remove(&node);
                    self.end_if_done(number, out);
                }
                Some(Stage::Finding) | None => {}
            }
        }
    }

    /// A stage has had its time.
    pub fn handle_request_due(&mut self, now: Instant, number: u64, out: &mut Outbox<Spreading>) {
        let request = self.requests.get(&number);
        if request.is_some_and(|request| request.until <= now) {
            self.end_stage(now, number, out);
        }
    }

    /// Goes on with what there is.
    pub(super) fn end_stage(&mut self, now: Instant, number: u64, out: &mut Outbox<Spreading>) {
        let Some(request) = self.requests.get(&number) else {
            return;
        };
        match &request.stage {
            Stage::Asking(_, cache) => {
                let keepers = nearest(cache, request.location, COPIES, |node| {
                    self.away.is_there(node, now)
                });
                self.act(now, number, keepers, out);
            }
            Stage::Finding | Stage::Acting { .. } => self.end(number, out),
        }
    }

    /// Ends when all have answered, and a get when more than half have and somebody had it.
    fn end_if_done(&mut self, number: u64, out: &mut Outbox<Spreading>) {
        let Some(Request { task, stage, .. }) = self.requests.get(&number) else {
            return;
        };
        if let Stage::Acting {
            waiting,
            answered,
            best,
        } = stage
        {
            let enough = matches!(task, Task::Get) && best.is_some() && *answered > waiting.len();
            if waiting.is_empty() || enough {
                self.end(number, out);
            }
        }
    }

    fn end(&mut self, number: u64, out: &mut Outbox<Spreading>) {
        let Some(Request {
            location,
            task,
            stage,
            ..
        }) = self.requests.remove(&number)
        else {
            return;
        };
        let (copies, best) = match stage {
            Stage::Acting { answered, best, .. } => (answered, best),
            Stage::Finding | Stage::Asking(..) => (0, None),
        };
        out.emit(match task {
            Task::Put(_) => Event::Stored { location, copies },
            Task::Get => Event::Got(location, best),
        });
    }
}
