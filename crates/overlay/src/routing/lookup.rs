//! One search for the nodes around a point.
//!
//! The search asks the nearest nodes that it has heard of, on both sides of the point, whom they know still nearer, until
//! the nearest ones on each side have all answered. A node is asked only while it is among the nearest, so every question
//! gets nearer. One that is silent, or whose contact does not hold, is passed over for the next; one that answers but hides
//! who is nearer cannot end the search, as long as another of the nearest on either side tells.

use std::sync::Arc;

use base::{Duration, Instant, Location, NodeId};
use community::{Contact, ContactError, Descriptor};

use super::checked::Checked;

/// How long an answer may take. Guess: several round trips.
pub const ANSWER_WAIT: Duration = Duration::from_millis(1000);
/// How often a silent node is asked. Guess: three questions are lost on a node that is up only where hardly anything works.
const TRIES: u8 = 3;
/// Questions of one search that are under way at a time.
const PARALLEL: usize = 3;
/// Most questions of one search. Chord needs log2 N hops: 24 for ten million nodes, each asked at most twice as often when
/// some are silent or lie.
const QUESTIONS_MAX: usize = 64;
/// Most nodes that one search remembers.
const CANDIDATES_MAX: usize = 256;

/// What a search is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The application wants the nearest node.
    Find,
    /// A newcomer wants its neighbours.
    Join,
    /// A finger is refreshed.
    Finger,
}

/// A search under way.
pub struct Lookup {
    /// What it is for.
    pub purpose: Purpose,
    /// Around which point.
    pub target: Location,
    /// Who among those asked are newcomers as well.
    pub newcomers: Vec<NodeId>,
    width: usize,
    candidates: Vec<Candidate>,
    asked: usize,
}

struct Candidate {
    node: NodeId,
    /// Absent for a bootstrap node of which only the address is known.
    contact: Option<Arc<Contact>>,
    checked: bool,
    /// Who told of it, if not ourselves.
    told_by: Option<NodeId>,
    tries: u8,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Asked { due: Instant },
    Answered,
    Failed,
}

/// What a search does next.
pub enum Next {
    /// Ask this node, and come back after [`ANSWER_WAIT`].
    Ask(NodeId),
    /// The first node told of a contact that does not hold.
    Blame(NodeId, ContactError),
    /// Wait for answers.
    Wait,
    /// It is over.
    Done,
}

impl Lookup {
    /// A search for the `width` nearest nodes on each side of `target`, starting from those of whom at least the name is
    /// known.
    pub fn new(purpose: Purpose, target: Location, width: usize) -> Self {
        Self {
            purpose,
            target,
            newcomers: Vec::new(),
            width,
            candidates: Vec::new(),
            asked: 0,
        }
    }

    /// Begins with this node; its contact, if any, is checked.
    pub fn seed(&mut self, node: NodeId, contact: Option<Arc<Contact>>) {
        self.add(node, contact, true, None);
    }

    /// `from` told of this contact. `checked`: it is one that we hold ourselves.
    pub fn hear(&mut self, from: NodeId, contact: Arc<Contact>, checked: bool) {
        self.add(contact.node(), Some(contact), checked, Some(from));
    }

    fn add(
        &mut self,
        node: NodeId,
        contact: Option<Arc<Contact>>,
        checked: bool,
        told_by: Option<NodeId>,
    ) {
        let known = self.candidates.iter_mut().find(|known| known.node == node);
        if let Some(known) = known {
            if known.contact.is_none() && contact.is_some() {
                (known.contact, known.checked) = (contact, checked);
                known.told_by = told_by;
            }
        } else if self.candidates.len() < CANDIDATES_MAX {
            self.candidates.push(Candidate {
                node,
                contact,
                checked,
                told_by,
                tries: 0,
                state: State::New,
            });
        }
    }

    /// Whether this node was asked and has not answered; if so, it has now, or has failed.
    pub fn on_answer(&mut self, from: NodeId, failed: bool) -> bool {
        let asked = |known: &&mut Candidate| {
            known.node == from && matches!(known.state, State::Asked { .. })
        };
        let Some(known) = self.candidates.iter_mut().find(asked) else {
            return false;
        };
        known.state = if failed {
            State::Failed
        } else {
            State::Answered
        };
        true
    }

    /// Asks those once more whose time is over, or gives up on them; says on whom.
    pub fn expire(&mut self, now: Instant) -> Vec<NodeId> {
        let late =
            |known: &&mut Candidate| matches!(known.state, State::Asked { due } if due <= now);
        let late = self.candidates.iter_mut().filter(late);
        let failed = late.filter_map(|known| {
            let last = known.tries >= TRIES;
            known.state = if last { State::Failed } else { State::New };
            last.then_some(known.node)
        });
        failed.collect()
    }

    /// What to do next; call until it says `Wait` or `Done`.
    pub fn next(&mut self, now: Instant, descriptor: &Descriptor, met: &mut Checked) -> Next {
        if let Some((from, why)) = self.check_answered(now, descriptor, met) {
            return Next::Blame(from, why);
        }
        let pending = |known: &&Candidate| matches!(known.state, State::Asked { .. });
        let pending = self.candidates.iter().filter(pending).count();
        let chosen = self.choose().filter(|_| self.asked < QUESTIONS_MAX);
        let Some(chosen) = chosen else {
            return if pending == 0 { Next::Done } else { Next::Wait };
        };
        if pending >= PARALLEL {
            return Next::Wait;
        }
        if let Err((from, why)) = self.check(chosen, now, descriptor, met) {
            self.candidates[chosen].state = State::Failed;
            return Next::Blame(from, why);
        }
        self.asked += 1;
        let due = now + ANSWER_WAIT;
        let chosen = &mut self.candidates[chosen];
        chosen.tries += 1;
        chosen.state = State::Asked { due };
        Next::Ask(chosen.node)
    }

    /// Bootstrap nodes may have answered before their contacts were there.
    fn check_answered(
        &mut self,
        now: Instant,
        descriptor: &Descriptor,
        met: &mut Checked,
    ) -> Option<(NodeId, ContactError)> {
        (0..self.candidates.len()).find_map(|at| {
            let answered = self.candidates[at].state == State::Answered;
            let blamed = answered.then(|| self.check(at, now, descriptor, met).err())??;
            self.candidates[at].state = State::Failed;
            Some(blamed)
        })
    }

    /// Checks a contact before it is used: two signature checks, unless it is one of ours or was met before.
    fn check(
        &mut self,
        at: usize,
        now: Instant,
        descriptor: &Descriptor,
        met: &mut Checked,
    ) -> Result<(), (NodeId, ContactError)> {
        let known = &mut self.candidates[at];
        if let (false, Some(contact)) = (known.checked, &known.contact) {
            let blamed = known.told_by.unwrap_or(known.node);
            let checked = met.verify(contact, descriptor, now);
            checked.map_err(|why| (blamed, why))?;
            known.checked = true;
        }
        Ok(())
    }

    /// The next to ask: a bootstrap node of unknown place, or the nearest that is among the nearest of its side.
    fn choose(&self) -> Option<usize> {
        let new = |at: &usize| self.candidates[*at].state == State::New;
        let all = 0..self.candidates.len();
        let seed = all.filter(new);
        let mut seed = seed.filter(|at| self.candidates[*at].contact.is_none());
        if let Some(seed) = seed.next() {
            return Some(seed);
        }
        let nearest = self.nearest_of_each_side().into_iter().filter(new);
        nearest.min_by_key(|at| self.rank(*at))
    }

    fn rank(&self, at: usize) -> (u64, NodeId) {
        let known = &self.candidates[at];
        let place = known.contact.as_ref().map(|contact| contact.location());
        self.target.rank(known.node, place.unwrap_or(self.target))
    }

    fn nearest_of_each_side(&self) -> Vec<usize> {
        let placed = self.candidates.iter().enumerate();
        let placed = placed.filter(|(_, known)| known.state != State::Failed);
        let mut placed: Vec<_> = placed
            .filter_map(|(at, known)| {
                let place = known.contact.as_ref()?.location();
                Some((place.0.wrapping_sub(self.target.0), known.node, at))
            })
            .collect();
        placed.sort_unstable();
        let after = placed.iter().take(self.width);
        let before = placed.iter().rev().take(self.width);
        after.chain(before).map(|(_, _, at)| *at).collect()
    }

    /// The contact of a node that is being asked, for its address.
    pub fn contact(&self, node: NodeId) -> Option<&Arc<Contact>> {
        let known = self.candidates.iter().find(|known| known.node == node)?;
        known.contact.as_ref()
    }

    /// Who answered, nearest first: their contacts hold and they are up.
    pub fn answered(&self) -> Vec<Arc<Contact>> {
        let all = 0..self.candidates.len();
        let answered = all.filter(|at| self.candidates[*at].state == State::Answered);
        let mut answered: Vec<_> = answered.collect();
        answered.sort_by_key(|at| self.rank(*at));
        let contacts = answered.into_iter();
        let checked = contacts.filter(|at| self.candidates[*at].checked);
        checked
            .filter_map(|at| self.candidates[at].contact.clone())
            .collect()
    }

    /// Whether this node was asked and does not answer, or its contact does not hold.
    pub fn has_failed(&self, node: NodeId) -> bool {
        let mut all = self.candidates.iter();
        all.any(|known| known.node == node && known.state == State::Failed)
    }

    /// Whether anybody answered.
    pub fn was_answered(&self) -> bool {
        let mut states = self.candidates.iter().map(|known| known.state);
        states.any(|state| state == State::Answered)
    }
}
