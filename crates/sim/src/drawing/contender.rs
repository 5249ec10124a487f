//! What a simulated draw needs to know of a protocol: the same for the hardened one and for those of the paper.

use std::sync::Arc;

use base::{Digest, Duration, Instant, Location, NodeId, Protocol, Rng};
use community::Contact;
use overlay::NodeCache;
use selection::strategy::{self, Selected, Setup, StrategyNode};
use selection::{ActorList, Announced, Selection, Wanted};

use super::crowd::Crowd;
use crate::START;

/// What is to be drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Names the plan.
    pub digest: Digest,
    /// T.
    pub trigger: NodeId,
    /// A.
    pub seats: u32,
}

impl Question {
    /// The same question under another name: a plan with another nonce.
    pub fn again(&self, number: u32) -> Self {
        match number {
            0 => *self,
            number => Self {
                digest: Digest::of("again", &[&self.digest.0, &number.to_be_bytes()]),
                ..*self
            },
        }
    }
}

/// What a node tells its application.
pub enum Said<P: Contender> {
    /// Who is nearest to this point, apart from these?
    Find(Location, Vec<NodeId>),
    /// The end of a draw.
    Ended(Outcome<P>),
    /// A peer broke the rules.
    Breach,
    /// Something else.
    Other,
}

/// How a draw ended.
pub enum Outcome<P: Contender> {
    /// With actors.
    Drawn(P::Selected),
    /// Without.
    Failed(String),
}

/// A protocol that draws actors.
pub trait Contender: Protocol + Sized + 'static {
    /// What all nodes agree on besides the rules.
    type Setup: Clone;
    /// Actors with their evidence.
    type Selected: Clone;

    /// The member at `place`, as it starts, knowing `cache`.
    fn member(crowd: &Crowd, place: usize, setup: &Self::Setup, cache: NodeCache, rng: Rng)
    -> Self;

    /// What tells a node of a question before it is drawn for, where nodes must know.
    fn announcement(question: &Question) -> Option<Self::Command>;

    /// What begins a draw.
    fn draw(question: &Question) -> Self::Command;

    /// Answers [`Said::Find`].
    fn found(point: Location, nearest: Vec<Arc<Contact>>) -> Option<Self::Command>;

    /// What an event says.
    fn said(event: Self::Event) -> Said<Self>;

    /// Whether a verifier is convinced, for the plan that they are said to be for.
    fn verify(selected: &Self::Selected, crowd: &Crowd, at: Instant) -> Result<(), String>;

    /// The actors.
    fn actors(selected: &Self::Selected) -> Vec<NodeId>;

    /// Attempts of T that this took, and moves to another point, as far as the evidence says.
    fn course(selected: &Self::Selected) -> (u32, u32);
}

impl Contender for Selection {
    type Setup = ();
    type Selected = Box<ActorList>;

    fn member(crowd: &Crowd, place: usize, (): &(), cache: NodeCache, _: Rng) -> Self {
        let identity = Arc::clone(crowd.identity(place));
        Self::knowing(identity, crowd.rules().clone(), cache)
    }

    fn announcement(question: &Question) -> Option<Self::Command> {
        let announced = Announced {
            trigger: question.trigger,
            seats: question.seats,
            committees: 1,
            // Before any clock that is slow.
            opens_at: START - Duration::from_secs(60),
        };
        let command = selection::Command::Announce(question.digest, announced);
        Some(command)
    }

    fn draw(question: &Question) -> Self::Command {
        selection::Command::Draw(Wanted {
            digest: question.digest,
            seats: question.seats,
            committees: 1,
        })
    }

    fn found(point: Location, nearest: Vec<Arc<Contact>>) -> Option<Self::Command> {
        Some(selection::Command::Found(point, nearest))
    }

    fn said(event: Self::Event) -> Said<Self> {
        match event {
            selection::Event::Find(point) => Said::Find(point, Vec::new()),
            selection::Event::Drawn(lists) => match lists.into_iter().next() {
                Some(list) => Said::Ended(Outcome::Drawn(Box::new(list))),
                None => Said::Other,
            },
            selection::Event::Failed(_, why) => Said::Ended(Outcome::Failed(why.to_string())),
            selection::Event::Misbehaved { .. } => Said::Breach,
            selection::Event::Heard(_)
            | selection::Event::Unheard(..)
            | selection::Event::Helps(..) => Said::Other,
        }
    }

    fn verify(selected: &Self::Selected, crowd: &Crowd, at: Instant) -> Result<(), String> {
        let verified = selected.verify(crowd.rules(), at, selected.body.draw.digest);
        verified.map_err(|why| why.to_string())
    }

    fn actors(selected: &Self::Selected) -> Vec<NodeId> {
        selected.actors().to_vec()
    }

    fn course(selected: &Self::Selected) -> (u32, u32) {
        (selected.body.draw.attempt + 1, selected.body.site.moves)
    }
}

impl Contender for StrategyNode {
    type Setup = Setup;
    type Selected = Box<Selected>;

    fn member(crowd: &Crowd, place: usize, setup: &Setup, cache: NodeCache, rng: Rng) -> Self {
        let identity = Arc::clone(crowd.identity(place));
        Self::new(identity, crowd.rules().clone(), *setup, cache, rng)
    }

    fn announcement(_: &Question) -> Option<Self::Command> {
        None
    }

    fn draw(question: &Question) -> Self::Command {
        strategy::Command::Draw {
            digest: question.digest,
            seats: question.seats,
        }
    }

    fn found(point: Location, nearest: Vec<Arc<Contact>>) -> Option<Self::Command> {
        let contact = nearest.into_iter().next()?;
        Some(strategy::Command::Found { point, contact })
    }

    fn said(event: Self::Event) -> Said<Self> {
        match event {
            strategy::Event::Lookup { point, without } => Said::Find(point, without),
            strategy::Event::Drawn(selected) => Said::Ended(Outcome::Drawn(selected)),
            strategy::Event::Failed(_, why) => Said::Ended(Outcome::Failed(why.to_string())),
            strategy::Event::Misbehaved { .. } => Said::Breach,
        }
    }

    fn verify(selected: &Self::Selected, crowd: &Crowd, at: Instant) -> Result<(), String> {
        let verified = selected.verify(crowd.rules(), at, selected.draw.digest);
        verified.map(|_| ()).map_err(|why| why.to_string())
    }

    fn actors(selected: &Self::Selected) -> Vec<NodeId> {
        selected.actors()
    }

    fn course(selected: &Self::Selected) -> (u32, u32) {
        (selected.draw.attempt + 1, 0)
    }
}
