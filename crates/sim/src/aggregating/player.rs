//! The programs that nodes run: the committee engine, and what liars make of it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use aggregation::committee::{Committee, Message, Signed};
use base::{Digest, Input, Instant, Outbox, Protocol};
use crypto::SigningKey;
use thiserror::Error;

/// What a lying helper does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liar {
    /// Gives a wrong sum of its lane.
    WrongSum,
    /// Tells the other helpers a wrong count of its lane.
    WrongCount,
    /// Tells some helpers the right count and others a wrong one.
    TwoCounts,
    /// Acknowledges contributions and passes none of them on.
    Keeps,
    /// Passes contributions on to some lanes only.
    HalfPasses,
    /// Hears everything and says nothing.
    Mute,
}

impl Liar {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::WrongSum,
        Self::WrongCount,
        Self::TwoCounts,
        Self::Keeps,
        Self::HalfPasses,
        Self::Mute,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::WrongSum => "wrong-sum",
            Self::WrongCount => "wrong-count",
            Self::TwoCounts => "two-counts",
            Self::Keeps => "keeps",
            Self::HalfPasses => "half-passes",
            Self::Mute => "mute",
        }
    }
}

impl fmt::Display for Liar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a liar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("give one of wrong-sum, wrong-count, two-counts, keeps, half-passes, mute")]
pub struct UnknownLiar;

impl FromStr for Liar {
    type Err = UnknownLiar;

    fn from_str(name: &str) -> Result<Self, UnknownLiar> {
        let named = |liar: &Self| liar.name() == name;
        Self::ALL.into_iter().find(named).ok_or(UnknownLiar)
    }
}

/// Sets over which honest helpers have given a sum: never two.
pub type Opened = Rc<RefCell<BTreeSet<Digest>>>;

/// One node.
pub struct Player {
    pub(super) committee: Committee,
    pub(super) key: SigningKey,
    pub(super) lies: Option<Liar>,
    pub(super) opened: Opened,
}

impl Player {
    /// What leaves this node instead of `message` to the node with this number.
    fn said(&self, to: u8, message: Message) -> Option<Message> {
        let Some(liar) = self.lies else {
            if let Message::Sum(sum) = &message {
                self.opened.borrow_mut().insert(sum.set.digest());
            }
            return Some(message);
        };
        match (liar, message) {
            (Liar::Mute, _) | (Liar::Keeps, Message::Forward(..)) => None,
            (Liar::HalfPasses, Message::Forward(..)) if to.is_multiple_of(2) => None,
            (Liar::WrongSum, Message::Sum(mut sum)) => {
                let mut body = sum.sum.body.clone();
                bend(&mut body.0.sums);
                sum.sum = Signed::new(&self.key, sum.sum.index(), body);
                Some(Message::Sum(sum))
            }
            (Liar::WrongCount, Message::Count(count)) => Some(self.miscount(*count)),
            (Liar::TwoCounts, Message::Count(count)) if to.is_multiple_of(2) => {
                Some(self.miscount(*count))
            }
            (_, message) => Some(message),
        }
    }

    fn miscount(&self, count: Signed<aggregation::committee::LaneCount>) -> Message {
        let mut body = count.body.clone();
        bend(&mut body.0.sums);
        Message::Count(Box::new(Signed::new(&self.key, count.index(), body)))
    }
}

/// Another element of the field.
fn bend(sums: &mut [u64]) {
    let last = sums.last_mut().expect("a total has numbers");
    *last = if *last == 0 { 1 } else { *last - 1 };
}

impl Protocol for Player {
    type Message = Message;
    type Command = <Committee as Protocol>::Command;
    type Event = <Committee as Protocol>::Event;
    type Timer = <Committee as Protocol>::Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        let mut outputs = Outbox::new();
        self.committee
            .handle(now, input.into_wrapped(), &mut outputs);
        out.take_from(&mut outputs, |to, message| self.said(to.0[0], message));
    }
}
