//! The trigger's side (T): obtain a verifiable random, hand it to the setter it points to, receive the list.

use std::collections::BTreeMap;

use base::{Digest, Instant, NodeId, Outbox};

use crate::context::{Context, SETTER, STEP, names};
use crate::fault::{Misbehaviour, Refusal};
use crate::list::ActorList;
use crate::message::{Message, SKIPPED_MAX, SetterRequest, TriggerRequest};
use crate::protocol::{Event, Failure, Selection, Timer};
use crate::random::{Draw, TriggerPart, VerifiableRandom, point_of};

/// Tries at one plan before the trigger gives up. The descriptor's limit per period holds besides.
const ATTEMPTS_MAX: u32 = 8;

/// One draw that this node has started.
pub struct Trigger {
    draw: Draw,
    seats: u32,
    /// Witnesses and setters that did not answer in some attempt.
    away: Vec<NodeId>,
    stage: Stage,
    deadline: Instant,
}

enum Stage {
    Random {
        chosen: Vec<NodeId>,
        skipped: Vec<NodeId>,
        parts: BTreeMap<NodeId, TriggerPart>,
    },
    Setting {
        random: Box<VerifiableRandom>,
        value: Digest,
        setter: NodeId,
        skipped: Vec<NodeId>,
    },
    /// Waits a moment before the next attempt, so that caches can settle.
    Pause,
}

/// Whether a draw goes on.
pub type Progress = Result<(), Failure>;

impl Trigger {
    /// Starts at attempt 0.
    pub fn start(
        context: &Context,
        now: Instant,
        digest: Digest,
        seats: u32,
        out: &mut Outbox<Selection>,
    ) -> Result<Self, Failure> {
        let draw = Draw {
            trigger: context.own(),
            digest,
            attempt: 0,
        };
        let mut new = Self {
            draw,
            seats,
            away: Vec::new(),
            stage: Stage::Pause,
            deadline: now,
        };
        new.ask_witnesses(context, now, out)?;
        Ok(new)
    }

    fn ask_witnesses(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let centre = context.identity.certificate.location();
        let own = [self.draw.trigger];
        let mut skipped = self.away.clone();
        skipped.truncate(SKIPPED_MAX);
        let chosen = context
            .witnesses(centre, &own, &skipped)
            .ok_or(Failure::TooFewWitnesses)?;
        let chosen = names(&chosen);
        for &node in &chosen {
            let request = TriggerRequest {
                draw: self.draw,
                chosen: chosen.clone(),
                skipped: skipped.clone(),
            };
            out.send(node, Message::Trigger(request));
        }
        self.stage = Stage::Random {
            chosen,
            skipped,
            parts: BTreeMap::new(),
        };
        self.wait(now, now + STEP, out);
        Ok(())
    }

    fn wait(&mut self, now: Instant, until: Instant, out: &mut Outbox<Selection>) {
        self.deadline = until.max(now);
        out.wake(until, Timer::Trigger(self.draw.digest));
    }

    /// A witness gave its part.
    pub fn on_part(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        attempt: u32,
        part: TriggerPart,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let Stage::Random {
            chosen,
            skipped,
            parts,
        } = &mut self.stage
        else {
            return Ok(());
        };
        if attempt != self.draw.attempt
            || part.certificate.node() != from
            || !chosen.contains(&from)
        {
            return Ok(());
        }
        parts.insert(from, part);
        if parts.len() < chosen.len() {
            return Ok(());
        }
        let parts = chosen
            .iter()
            .filter_map(|node| parts.remove(node))
            .collect();
        let random = VerifiableRandom {
            draw: self.draw,
            trigger: context.identity.certificate.clone(),
            skipped: skipped.clone(),
            parts,
        };
        match random.verify(&context.rules, now) {
            Ok(value) => self.ask_setter(context, now, random, value, Vec::new(), out),
            Err(why) => {
                self.blame_parts(context, now, &random, why, out);
                self.next_attempt(now, out)
            }
        }
    }

    fn blame_parts(
        &mut self,
        context: &Context,
        now: Instant,
        random: &VerifiableRandom,
        why: Misbehaviour,
        out: &mut Outbox<Selection>,
    ) {
        let descriptor = context.rules.community().descriptor();
        let chosen: Vec<_> = random
            .parts
            .iter()
            .map(|part| part.certificate.node())
            .collect();
        for part in &random.parts {
            if random.verify_part(part, descriptor, &chosen, now).is_err() {
                let node = part.certificate.node();
                out.emit(Event::Misbehaved { node, what: why });
                self.skip(node);
            }
        }
    }

    fn ask_setter(
        &mut self,
        context: &Context,
        now: Instant,
        random: VerifiableRandom,
        value: Digest,
        skipped: Vec<NodeId>,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let keep = |node| node != self.draw.trigger && !skipped.contains(&node);
        let setter = context
            .cache
            .nearest(point_of(&value), keep)
            .ok_or(Failure::TooFewWitnesses)?;
        let setter = setter.node();
        let request = SetterRequest {
            random: random.clone(),
            seats: self.seats,
            skipped: skipped.clone(),
        };
        out.send(setter, Message::Setter(Box::new(request)));
        self.stage = Stage::Setting {
            random: Box::new(random),
            value,
            setter,
            skipped,
        };
        self.wait(now, now + SETTER, out);
        Ok(())
    }

    /// The setter gave a list: `Some` when it holds.
    pub fn on_list(
        &self,
        context: &Context,
        now: Instant,
        from: NodeId,
        list: &ActorList,
        out: &mut Outbox<Selection>,
    ) -> bool {
        let Stage::Setting { value, setter, .. } = &self.stage else {
            return false;
        };
        if from != *setter {
            return false;
        }
        let body = &list.body;
        let checked = list
            .verify(&context.rules, now, self.draw.digest)
            .and_then(|()| {
                let own = body.draw == self.draw && body.random == *value && body.setter == from;
                let seats = body.actors.len() == self.seats as usize;
                if own && seats {
                    Ok(())
                } else {
                    Err(Misbehaviour::Seats)
                }
            });
        if let Err(what) = checked {
            out.emit(Event::Misbehaved { node: from, what });
        }
        checked.is_ok()
    }

    /// A witness or the setter declined.
    pub fn on_refused(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        draw: Draw,
        why: Refusal,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let asked = match &self.stage {
            Stage::Random { chosen, .. } => chosen.contains(&from),
            Stage::Setting { setter, .. } => *setter == from,
            Stage::Pause => false,
        };
        if draw != self.draw || !asked {
            return Ok(());
        }
        match why {
            Refusal::TooManyDraws => return Err(Failure::TooManyDraws),
            Refusal::TooFewCandidates => return Err(Failure::TooFewCandidates),
            Refusal::SkippedIsAlive(node) => self.away.retain(|away| *away != node),
            Refusal::Nearer(contact) if !context.cache.contains(contact.node()) => {
                out.emit(Event::Heard(contact));
            }
            Refusal::NotAnnounced => out.emit(Event::Unheard(draw.digest, from)),
            Refusal::Nearer(_) | Refusal::TooEarly => {}
            Refusal::Unknown(_) | Refusal::Invalid => {}
        }
        self.next_attempt(now, out)
    }

    /// The setter could not complete the draw.
    pub fn on_setter_gave_up(
        &mut self,
        now: Instant,
        from: NodeId,
        draw: Draw,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        match &self.stage {
            Stage::Setting { setter, .. } if *setter == from && draw == self.draw => {
                self.next_attempt(now, out)
            }
            _ => Ok(()),
        }
    }

    /// `node` cannot be reached.
    pub fn on_unreachable(
        &mut self,
        context: &Context,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let waiting = match &self.stage {
            Stage::Random { chosen, parts, .. } => {
                chosen.contains(&node) && !parts.contains_key(&node)
            }
            Stage::Setting { setter, .. } => *setter == node,
            Stage::Pause => false,
        };
        if waiting {
            self.gone(context, now, &[node], out)
        } else {
            Ok(())
        }
    }

    /// A deadline may have passed.
    pub fn handle_timer(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        if now < self.deadline {
            return Ok(());
        }
        let silent = match &self.stage {
            Stage::Random { chosen, parts, .. } => chosen
                .iter()
                .copied()
                .filter(|node| !parts.contains_key(node))
                .collect(),
            Stage::Setting { setter, .. } => vec![*setter],
            Stage::Pause => return self.ask_witnesses(context, now, out),
        };
        self.gone(context, now, &silent, out)
    }

    /// Goes on without these nodes: the next witnesses in a new attempt, or the next setter for the same random.
    fn gone(
        &mut self,
        context: &Context,
        now: Instant,
        silent: &[NodeId],
        out: &mut Outbox<Selection>,
    ) -> Progress {
        match std::mem::replace(&mut self.stage, Stage::Pause) {
            Stage::Setting {
                random,
                value,
                setter,
                mut skipped,
            } => {
                skipped.push(setter);
                if skipped.len() > SKIPPED_MAX {
                    return self.next_attempt(now, out);
                }
                self.ask_setter(context, now, *random, value, skipped, out)
            }
            Stage::Random { .. } | Stage::Pause => {
                silent.iter().for_each(|node| self.skip(*node));
                self.draw.attempt += 1;
                self.check_attempts()?;
                self.ask_witnesses(context, now, out)
            }
        }
    }

    fn skip(&mut self, node: NodeId) {
        if !self.away.contains(&node) && self.away.len() < SKIPPED_MAX {
            self.away.push(node);
        }
    }

    fn next_attempt(&mut self, now: Instant, out: &mut Outbox<Selection>) -> Progress {
        self.draw.attempt += 1;
        self.check_attempts()?;
        self.stage = Stage::Pause;
        self.wait(now, now + STEP / 4, out);
        Ok(())
    }

    fn check_attempts(&self) -> Progress {
        if self.draw.attempt < ATTEMPTS_MAX {
            Ok(())
        } else {
            Err(Failure::TooManyAttempts)
        }
    }
}
