//! One draw, among members who are woken when something reaches them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use base::{Duration, Input, Instant, NodeId, Outbox, Protocol, Rng};
use crypto::Operations;

use super::contender::{Contender, Outcome, Question, Said};
use super::crowd::Crowd;
use super::gang::{Colluding, Gang};
use crate::{Latency, NetworkModel, Simulation};

/// Longer than any draw lasts.
const LONGEST: Duration = Duration::from_secs(600);
/// Nodes told of around a point: the one sought, and those that may stand in for it.
const NEAREST: usize = 9;

/// A member: asleep until something reaches it, so that a million of them cost nothing.
struct Seat<P: Contender> {
    crowd: Arc<Crowd>,
    setup: P::Setup,
    question: Question,
    /// How often T may ask it again under another name.
    again: u32,
    place: usize,
    rng: Rng,
    player: Option<P>,
    /// The others whom it works with, if it colludes.
    gang: Option<Rc<RefCell<Gang<P>>>>,
    listener: Option<Listener<P>>,
}

impl<P: Contender> Seat<P> {
    fn wake(&mut self, now: Instant) -> P {
        let cache = self.crowd.cache(self.place);
        let rng = self.rng.fork("player");
        let mut player = P::member(&self.crowd, self.place, &self.setup, cache, rng);
        for number in 0..=self.again {
            if let Some(announcement) = P::announcement(&self.question.again(number)) {
                player.handle(now, Input::Command(announcement), &mut Outbox::new());
            }
        }
        player
    }
}

impl<P: Colluding> Protocol for Seat<P> {
    type Message = P::Message;
    type Command = P::Command;
    type Event = P::Event;
    type Timer = P::Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        let mut player = match self.player.take() {
            Some(player) => player,
            None => self.wake(now),
        };
        let input = input.into_wrapped();
        let mut said = Outbox::new();
        match self.gang.clone() {
            Some(gang) => {
                let mut gang = gang.borrow_mut();
                let own = self.crowd.contact(self.place).node();
                let at = (own, now);
                let mut again = player.collude(&mut gang, &self.crowd, at, input, &mut said);
                while let Some(input) = again {
                    player = self.wake(now);
                    again = player.collude(&mut gang, &self.crowd, at, input, &mut said);
                }
            }
            None => player.handle(now, input, &mut said),
        }
        self.player = Some(player);
        out.take_from(&mut said, |_, message| {
            if let Some(listener) = &self.listener {
                listener(&message);
            }
            Some(message)
        });
    }
}

/// What came of one draw.
pub struct Played<P: Contender> {
    /// How it ended.
    pub outcome: Outcome<P>,
    /// When it did.
    pub at: Instant,
    /// How long it took, on a simulated internet.
    pub took: Duration,
    /// Messages, those of lookups included.
    pub messages: u64,
    /// Bytes of the messages of the draw itself.
    pub bytes: u64,
    /// The same, in operations and messages that waited for each other.
    pub latency: Latency,
    /// Asymmetric operations of all nodes together.
    pub work: Operations,
    /// Breaches that nodes noticed.
    pub breaches: u64,
}

/// How a draw is played.
pub struct Scene<P: Contender> {
    /// The community.
    pub crowd: Arc<Crowd>,
    /// How it draws.
    pub setup: P::Setup,
    /// What its colluders do.
    pub gang: Option<Rc<RefCell<Gang<P>>>>,
    /// Nodes that do not answer, in a million.
    pub away_per_million: u64,
    /// Decides everything that chance does.
    pub seed: u64,
    /// Told of each message when it is sent.
    pub listener: Option<Listener<P>>,
}

impl<P: Contender> Clone for Scene<P> {
    fn clone(&self) -> Self {
        Self {
            crowd: Arc::clone(&self.crowd),
            setup: self.setup.clone(),
            gang: self.gang.clone(),
            away_per_million: self.away_per_million,
            seed: self.seed,
            listener: self.listener.clone(),
        }
    }
}

/// Hears what all nodes say.
pub type Listener<P> = Rc<dyn Fn(&<P as Protocol>::Message)>;

/// Plays one draw to its end.
pub fn play<P: Colluding>(scene: &Scene<P>, question: Question) -> Played<P> {
    let Scene { crowd, seed, .. } = scene;
    let seed = *seed;
    let mut simulation = Simulation::new(seed, NetworkModel::INTERNET);
    let began = simulation.now();
    let before = Operations::so_far();
    let up = {
        let (away, trigger) = (scene.away_per_million, question.trigger);
        move |node: NodeId| {
            let mut rng = Rng::from_number(seed).fork(&format!("{node}"));
            away == 0 || node == trigger || rng.below(1_000_000) >= away
        }
    };
    // Whoever is spoken to is there.
    let cast = scene.clone();
    let make = move |node, _| up(node).then(|| seat(&cast, question, node));
    simulation.populate(usize::MAX, make);
    simulation.command(question.trigger, P::draw(&question));
    let (mut messages, mut breaches, mut outcome) = (0, 0, None);
    let mut best = Best {
        outcome: None,
        friends: 0,
        draws: 0,
    };
    let limit = began + LONGEST;
    while outcome.is_none() && simulation.now() < limit && simulation.step() {
        let events: Vec<_> = simulation.drain_events().collect();
        for (_, node, event) in events {
            match P::said(event) {
                Said::Find(point, without) => {
                    let keep = |node| up(node) && !without.contains(&node);
                    let nearest = crowd.nearest(point, NEAREST, keep);
                    let hops = crowd.hops(crowd.place(node).unwrap_or(0), point);
                    messages += 2 * u64::from(hops);
                    if let Some(found) = P::found(point, nearest) {
                        let takes = ROUND_TRIP.saturating_mul(hops);
                        let sent = simulation.latency(node).then(0, 2 * u64::from(hops));
                        simulation.answer_after(takes, node, found, sent);
                    }
                }
                Said::Ended(end) if node == question.trigger => {
                    let again = best.ends(scene, end);
                    match again {
                        Some(number) => {
                            simulation.command(node, P::draw(&question.again(number)));
                        }
                        None => outcome = best.outcome.take(),
                    }
                }
                Said::Breach => breaches += 1,
                Said::Ended(_) | Said::Other => {}
            }
        }
    }
    Played {
        outcome: outcome.unwrap_or_else(|| Outcome::Failed("it did not end".into())),
        at: simulation.now(),
        took: simulation.now().since(began),
        latency: simulation.latency(question.trigger),
        messages: messages + simulation.total().sent,
        bytes: simulation.total().sent_bytes,
        work: Operations::so_far() - before,
        breaches,
    }
}

/// The best that T has drawn so far, in its own eyes.
struct Best<P: Contender> {
    outcome: Option<Outcome<P>>,
    friends: usize,
    draws: u32,
}

impl<P: Contender> Best<P> {
    /// A draw has ended: the number of the next one, if T wants another.
    fn ends(&mut self, scene: &Scene<P>, end: Outcome<P>) -> Option<u32> {
        self.draws += 1;
        let Outcome::Drawn(selected) = &end else {
            // The witnesses allow no more.
            self.outcome.get_or_insert(end);
            return None;
        };
        let actors = P::actors(selected);
        let friends = actors
            .iter()
            .filter(|actor| scene.crowd.colludes(**actor))
            .count();
        if friends > self.friends || self.outcome.is_none() {
            (self.outcome, self.friends) = (Some(end), friends);
        }
        let mut gang = scene.gang.as_ref()?.borrow_mut();
        gang.restarts(&scene.crowd, &actors).then_some(self.draws)
    }
}

/// Median of the simulated internet, there and back.
const ROUND_TRIP: Duration = Duration::from_millis(80);

fn seat<P: Contender>(scene: &Scene<P>, question: Question, node: NodeId) -> Seat<P> {
    let place = scene.crowd.place(node).expect("a member");
    let gang = scene.gang.as_ref().filter(|_| scene.crowd.colludes(node));
    let again = match &scene.gang {
        Some(gang) => gang.borrow().again(),
        None => 0,
    };
    Seat {
        again,
        crowd: Arc::clone(&scene.crowd),
        setup: scene.setup.clone(),
        question,
        place,
        rng: Rng::from_number(scene.seed ^ (place as u64).rotate_left(40)),
        player: None,
        gang: gang.cloned(),
        listener: scene.listener.clone(),
    }
}
