//! The trigger's side (T): obtain a verifiable random, hand it to the setter it points to, receive the list.

mod setters;

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Instant, NodeId, Outbox};

use crate::context::{Context, STEP, names};
use crate::fault::{Misbehaviour, Refusal};
use crate::limit::{SEATS_MAX, SKIPPED_MAX};
use crate::message::{Message, Step, TriggerRequest};
use crate::protocol::{Event, Failure, Selection, Timer, Wanted};
use crate::random::{Draw, TriggerPart, VerifiableRandom, random_of};
use crate::setting::Setting;
use crate::site::COMMITTEES_MAX;
use crate::tally::DrawLimit;

/// Tries at one plan before the trigger gives up. The descriptor's limit per period holds besides.
const ATTEMPTS_MAX: u32 = 8;
/// How long the trigger tries. Guess: as long as a person waits.
const TRY_FOR: Duration = Duration::from_secs(60);
/// Between two attempts, so that caches can settle.
const PAUSE: Duration = Duration::from_millis(500);

/// One draw that this node has started.
pub struct Trigger {
    draw: Draw,
    seats: u32,
    committees: u32,
    /// Witnesses that did not answer in some attempt.
    away: Vec<NodeId>,
    stage: Stage,
    deadline: Instant,
    /// When no more is tried.
    ends: Instant,
    /// What went wrong last.
    why: Failure,
}

enum Stage {
    Random {
        /// Without its parts.
        random: Box<VerifiableRandom>,
        chosen: Vec<NodeId>,
        /// With the value that each proves.
        parts: BTreeMap<NodeId, (TriggerPart, Digest)>,
        /// Witnesses that cannot be reached.
        gone: BTreeSet<NodeId>,
    },
    Setting {
        random: Box<VerifiableRandom>,
        value: Digest,
        settings: Vec<Setting>,
    },
    /// Waits a moment before the next attempt.
    Pause,
}

/// Whether a draw goes on.
pub type Progress = Result<(), Failure>;

/// What T does.
impl Trigger {
    /// Starts at attempt 0.
    ///
    /// # Errors
    ///
    /// When no list with so many seats is possible, as far as we know.
    pub fn start(
        context: &Context,
        now: Instant,
        wanted: Wanted,
        out: &mut Outbox<Selection>,
    ) -> Result<Self, Failure> {
        let trigger = context.own();
        let Wanted {
            digest,
            seats,
            committees,
        } = wanted;
        if !(1..=SEATS_MAX).contains(&(seats as usize)) {
            return Err(Failure::Seats);
        }
        if !(1..=COMMITTEES_MAX).contains(&committees) {
            return Err(Failure::Committees);
        }
        let rules = &context.rules;
        if f64::from(seats) > rules.candidates_expected(committees) {
            return Err(Failure::RegionTooSmall);
        }
        if rules.is_small() && context.cache.len() <= seats as usize {
            return Err(Failure::TooFewCandidates);
        }
        let draw = Draw {
            trigger,
            digest,
            attempt: 0,
        };
        let mut new = Self {
            draw,
            seats,
            committees,
            away: Vec::new(),
            stage: Stage::Pause,
            deadline: now,
            ends: now + TRY_FOR,
            why: Failure::TooManyAttempts,
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
        let certificate = &context.identity.certificate;
        let own = [self.draw.trigger];
        let chosen = context
            .witnesses(certificate.location(), &own, &self.away)
            .ok_or(Failure::TooFewWitnesses)?;
        let request = TriggerRequest {
            draw: self.draw,
            chosen: names(&chosen),
            skipped: self.away.clone(),
        };
        for &node in &request.chosen {
            out.send(node, Message::Trigger(request.clone()));
        }
        let random = VerifiableRandom {
            draw: self.draw,
            trigger: certificate.clone(),
            skipped: request.skipped,
            parts: Vec::new(),
        };
        self.stage = Stage::Random {
            random: Box::new(random),
            chosen: request.chosen,
            parts: BTreeMap::new(),
            gone: BTreeSet::new(),
        };
        self.wait(now + STEP, out);
        Ok(())
    }

    fn wait(&mut self, until: Instant, out: &mut Outbox<Selection>) {
        self.deadline = until;
        out.wake(until, Timer::Trigger(self.draw.digest));
    }

    /// Tries again a little later.
    fn next_attempt(
        &mut self,
        now: Instant,
        why: Failure,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        self.count_attempt(now, why)?;
        self.stage = Stage::Pause;
        self.wait(now + PAUSE, out);
        Ok(())
    }

    fn count_attempt(&mut self, now: Instant, why: Failure) -> Progress {
        self.draw.attempt += 1;
        self.why = why;
        if self.draw.attempt < ATTEMPTS_MAX {
            self.check_time(now)
        } else {
            Err(self.why)
        }
    }

    fn check_time(&self, now: Instant) -> Progress {
        if now < self.ends {
            Ok(())
        } else {
            Err(self.why)
        }
    }
}

/// What peers say.
impl Trigger {
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
            random,
            chosen,
            parts,
            ..
        } = &mut self.stage
        else {
            return Ok(());
        };
        if attempt != self.draw.attempt || !chosen.contains(&from) || parts.contains_key(&from) {
            return Ok(());
        }
        match check_part(context, now, from, random, chosen, &part) {
            Ok(value) => {
                parts.insert(from, (part, value));
                self.advance(context, now, out)
            }
            Err(what) => {
                out.emit(Event::Misbehaved { node: from, what });
                self.next_attempt(now, Failure::TooManyAttempts, out)
            }
        }
    }

    /// A witness or a setter declined. One that lies can cost an attempt, never the draw.
    pub fn on_refused(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        step: Step,
        why: Refusal,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let set_by = |setting: &Setting| (setting.site, setting.setter) == (step.site, Some(from));
        let settings = self.settings(set_by);
        let asked = match &self.stage {
            Stage::Random { chosen, .. } => chosen.contains(&from),
            Stage::Setting { .. } => !settings.is_empty(),
            Stage::Pause => false,
        };
        if step.draw != self.draw || !asked {
            return Ok(());
        }
        let mut reason = Failure::TooManyAttempts;
        match why {
            Refusal::TooManyDraws => {
                let descriptor = context.rules.community().descriptor();
                reason = Failure::TooManyDraws(DrawLimit::of(descriptor, now));
            }
            Refusal::SkippedIsAlive(node) => self.away.retain(|away| *away != node),
            Refusal::Nearer(contact) => context.hear(now, from, *contact, out),
            Refusal::Unknown(node) => context.introduce(from, node, out),
            Refusal::NotAnnounced => out.emit(Event::Unheard(self.draw.digest, from)),
            Refusal::TooEarly | Refusal::Busy | Refusal::Invalid => {}
        }
        self.next_attempt(now, reason, out)
    }
}

/// What does not come in time.
impl Trigger {
    /// `node` cannot be reached.
    pub fn on_unreachable(
        &mut self,
        context: &Context,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        match &mut self.stage {
            Stage::Random { chosen, gone, .. } if chosen.contains(&node) => {
                gone.insert(node);
                self.advance(context, now, out)
            }
            Stage::Setting { .. } => {
                let which = self.settings(|setting| setting.setter == Some(node));
                self.replace_setters(context, now, which, out)
            }
            _ => Ok(()),
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
        match &self.stage {
            Stage::Random { .. } => self.replace_witnesses(context, now, out),
            Stage::Setting { .. } => {
                let which = self.settings(|setting| setting.until <= now);
                self.replace_setters(context, now, which, out)
            }
            Stage::Pause => self.ask_witnesses(context, now, out),
        }
    }

    /// Goes on when all witnesses have answered, and without those that cannot when all others have.
    fn advance(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        let Stage::Random {
            random,
            chosen,
            parts,
            gone,
        } = &mut self.stage
        else {
            return Ok(());
        };
        if parts.len() == chosen.len() {
            let mut random = random.clone();
            let in_order: Vec<_> = chosen
                .iter()
                .filter_map(|node| parts.remove(node))
                .collect();
            let (parts, values): (Vec<_>, Vec<_>) = in_order.into_iter().unzip();
            random.parts = parts;
            return self.ask_setters(context, now, random, random_of(&values), out);
        }
        let answered = |node| parts.contains_key(node) || gone.contains(node);
        if chosen.iter().all(answered) {
            self.replace_witnesses(context, now, out)
        } else {
            Ok(())
        }
    }

    /// Without the silent ones, in a new attempt.
    fn replace_witnesses(
        &mut self,
        context: &Context,
        now: Instant,
        out: &mut Outbox<Selection>,
    ) -> Progress {
        if let Stage::Random { chosen, parts, .. } = &self.stage {
            let silent = chosen.iter().filter(|node| !parts.contains_key(node));
            self.away.extend(silent);
        }
        if self.away.len() > SKIPPED_MAX {
            return Err(Failure::TooManyAttempts);
        }
        self.count_attempt(now, Failure::TooManyAttempts)?;
        self.ask_witnesses(context, now, out)
    }
}

/// Gives the value that a part proves.
fn check_part(
    context: &Context,
    now: Instant,
    from: NodeId,
    random: &VerifiableRandom,
    chosen: &[NodeId],
    part: &TriggerPart,
) -> Result<Digest, Misbehaviour> {
    let descriptor = context.rules.community().descriptor();
    if part.certificate.node() != from {
        return Err(Misbehaviour::Signature);
    }
    // A second certificate would put it elsewhere, and the nearest would not be the nearest.
    let known = context.cache.get(from).map(|contact| contact.location());
    if known != Some(part.certificate.location()) {
        return Err(Misbehaviour::NotLegitimate);
    }
    random.verify_part(part, descriptor, chosen, now)
}
