//! The programs that colluders run instead. They know each other, share what each hears, and leave no trace that an honest
//! node could tell from chance: covert, as SEP2P §2.3 has them.

use std::fmt;
use std::str::FromStr;

use base::{Input, Instant, NodeId, Outbox};
use overlay::Binomial;
use thiserror::Error;

use super::contender::Contender;
use super::crowd::Crowd;

mod compared;
mod hardened;

/// What colluders do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adversary {
    /// As told.
    None,
    /// Whoever chooses actors freely (T when cost-optimal, S in ES.NAV and ES.AV) chooses colluders.
    Friends,
    /// M.Hash: T seats the colluders that are near enough to the actors' points.
    Near,
    /// T draws again until it likes the actors, as often as its witnesses let it.
    Restart,
    /// S lets a colluding list builder stay silent when all others have opened and the outcome is not liked.
    Abort,
    /// S begins again with its builders when it does not like what they opened.
    Reroll,
    /// S keeps a list to itself that it does not like.
    Withhold,
    /// List builders name colluders only.
    Hide,
    /// Colluders who sit close together sign a list of their own, for a random that they make up.
    Forge,
}

impl Adversary {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Friends,
        Self::Near,
        Self::Restart,
        Self::Abort,
        Self::Reroll,
        Self::Withhold,
        Self::Hide,
        Self::Forge,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Friends => "friends",
            Self::Near => "near",
            Self::Restart => "restart",
            Self::Abort => "abort",
            Self::Reroll => "reroll",
            Self::Withhold => "withhold",
            Self::Hide => "hide",
            Self::Forge => "forge",
        }
    }
}

impl fmt::Display for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of an adversary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("give one of none, friends, near, restart, abort, reroll, withhold, hide, forge")]
pub struct UnknownAdversary;

impl FromStr for Adversary {
    type Err = UnknownAdversary;

    fn from_str(name: &str) -> Result<Self, UnknownAdversary> {
        let named = |adversary: &Self| adversary.name() == name;
        Self::ALL.into_iter().find(named).ok_or(UnknownAdversary)
    }
}

/// What the colluders of one draw share.
pub struct Gang<P: Contender> {
    /// What they do.
    pub adversary: Adversary,
    /// So many colluders among the actors are liked.
    pub likes: usize,
    /// How often they have spoilt an outcome, and how often they may before they take what comes.
    pub spoilt: u32,
    /// See [`spoilt`](Self::spoilt).
    pub patience: u32,
    /// What S was asked.
    request: Option<(NodeId, P::Message)>,
    /// Openings that S has and has not used yet, of colluders and of others.
    held: Vec<(NodeId, P::Message)>,
    heard: Vec<(NodeId, P::Message)>,
    /// Builders of the round in hand, in order.
    chosen: Vec<NodeId>,
    /// What colluding builders have committed to, and what their programs would have.
    pledges: Vec<hardened::Pledge>,
    /// The same, in the paper's form.
    drafts: Vec<compared::Draft>,
}

impl<P: Contender> Gang<P> {
    /// A gang that likes what one try in `patience` brings by luck.
    pub fn new(adversary: Adversary, crowd: &Crowd, seats: usize, patience: u32) -> Self {
        let share = crowd.colluders().count() as f64 / crowd.len() as f64;
        let luck = |likes: u32| Binomial::new(seats as u64, share).tails(likes).at_least;
        let rare = |likes: &u32| luck(*likes) < 1.0 / f64::from(patience.max(1));
        let likes = (1..=seats as u32 + 1).find(rare).unwrap_or(1);
        Self {
            adversary,
            likes: (likes as usize - 1).max(1),
            spoilt: 0,
            patience,
            request: None,
            held: Vec::new(),
            heard: Vec::new(),
            chosen: Vec::new(),
            pledges: Vec::new(),
            drafts: Vec::new(),
        }
    }

    /// Whether such actors are worth taking, or there is no patience left.
    fn takes(&mut self, crowd: &Crowd, actors: &[NodeId]) -> bool {
        let friends = actors
            .iter()
            .filter(|actor| crowd.colludes(**actor))
            .count();
        if friends >= self.likes || self.spoilt >= self.patience {
            return true;
        }
        self.spoilt += 1;
        false
    }

    /// How often T may want to draw again.
    pub fn again(&self) -> u32 {
        match self.adversary {
            Adversary::Restart => self.patience,
            _ => 0,
        }
    }

    /// Whether a colluder has been S.
    pub fn has_set_up(&self) -> bool {
        self.request.is_some()
    }

    /// Whether T draws again.
    pub fn restarts(&mut self, crowd: &Crowd, actors: &[NodeId]) -> bool {
        self.adversary == Adversary::Restart && !self.takes(crowd, actors)
    }

    fn forget_round(&mut self) {
        self.held.clear();
        self.heard.clear();
        self.chosen.clear();
    }
}

/// A protocol with its dishonest programs.
pub trait Colluding: Contender {
    /// Handles an input as the gang wants it. When this gives an input back, the program is to start afresh with it.
    fn collude(
        &mut self,
        gang: &mut Gang<Self>,
        crowd: &Crowd,
        at: (NodeId, Instant),
        input: Input<Self>,
        out: &mut Outbox<Self>,
    ) -> Option<Input<Self>>;
}

/// Lets the honest program run, and looks at each message that it would send: `None` keeps it back.
fn run<P: Contender>(
    player: &mut P,
    now: Instant,
    input: Input<P>,
    out: &mut Outbox<P>,
    look: impl FnMut(NodeId, P::Message) -> Option<P::Message>,
) {
    let mut said = Outbox::new();
    player.handle(now, input, &mut said);
    out.take_from(&mut said, look);
}
