//! The legitimate nodes' side: TL (gives a part of the trigger's random), and how both TL and SL judge a request.
//!
//! A witness answers only for a question that it has heard of, after its consent phase, at most so often per trigger and
//! period, and only when the nodes chosen are those that it would have chosen itself. Nodes named as away it asks itself.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, NodeId, Outbox};
use community::Contact;

use crate::builder::Builder;
use crate::context::{Context, PROBE};
use crate::fault::Refusal;
use crate::message::{BuildRequest, Message, Step, TriggerRequest};
use crate::opened::Opened;
use crate::protocol::{Event, Help, Selection, Timer};
use crate::random::{DRAW_TOLERANCE, TriggerPart};
use crate::tally::Tally;

/// Most requests that wait for probes at a time.
pub const PROBING_MAX: usize = 64;
/// Most of these of one peer: one that asks more is slow or means harm.
pub const PROBING_PER_PEER: usize = 4;

/// Most peers from which we wait for an introduction.
pub const LACKING_MAX: usize = 64;

/// One node's witnessing for others.
#[derive(Default)]
pub struct Witness {
    probing: Vec<Probing>,
    builder: Builder,
    tally: Tally,
    /// Whom we did not know, by who named it.
    lacking: BTreeMap<NodeId, NodeId>,
}

/// A request whose skipped nodes are being asked.
struct Probing {
    from: NodeId,
    request: Request,
    waiting: BTreeSet<NodeId>,
    until: Instant,
}

/// A request that is in order, but for the nodes that it says are away.
enum Request {
    Trigger(TriggerRequest),
    /// With RND_T, verified.
    Build(Box<BuildRequest>, Digest),
}

impl Request {
    fn step(&self) -> Step {
        match self {
            Self::Trigger(request) => Step::of_trigger(request.draw),
            Self::Build(request, _) => request.step(),
        }
    }

    fn skipped(&self) -> BTreeSet<NodeId> {
        match self {
            Self::Trigger(request) => request.skipped.iter().copied().collect(),
            Self::Build(request, _) => {
                let by_trigger = &request.request.skipped;
                request.skipped.iter().chain(by_trigger).copied().collect()
            }
        }
    }
}

/// Requests, judged.
impl Witness {
    /// T asks for our part.
    pub fn on_trigger(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: TriggerRequest,
        out: &mut Outbox<Selection>,
    ) {
        match self.check_trigger(context, now, from, &request) {
            Ok(()) => self.probe_then(context, now, from, Request::Trigger(request), out),
            Err(why) => self.refuse(from, Step::of_trigger(request.draw), why, out),
        }
    }

    fn check_trigger(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: &TriggerRequest,
    ) -> Result<(), Refusal> {
        if request.draw.trigger != from {
            return Err(Refusal::Invalid);
        }
        context.open_question(now, request.draw.digest, from)?;
        let trigger = context.cache.get(from).ok_or(Refusal::Unknown(from))?;
        let centre = trigger.location();
        context.check_witnesses(centre, &request.chosen, &[from], &request.skipped)?;
        let descriptor = context.rules.community().descriptor();
        self.tally.count_attempt(now, descriptor, request)
    }

    /// S asks us to build (step 3).
    pub fn on_build(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: Box<BuildRequest>,
        out: &mut Outbox<Selection>,
    ) {
        match self.check_build(context, now, from, &request, out) {
            Ok(random) => {
                self.probe_then(context, now, from, Request::Build(request, random), out);
            }
            Err(why) => self.refuse(from, request.step(), why, out),
        }
    }

    /// Gives RND_T: this is the one place where a builder verifies it.
    fn check_build(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: &BuildRequest,
        out: &mut Outbox<Selection>,
    ) -> Result<Digest, Refusal> {
        let setting = &request.request;
        if request.at.distance(now) > DRAW_TOLERANCE {
            return Err(Refusal::Invalid);
        }
        if !context.cache.contains(from) {
            return Err(Refusal::Unknown(from));
        }
        let random = context.check_setting(now, from, from, setting, out)?;
        let point = setting.site.point(&random);
        let excluded = [setting.random.draw.trigger, from];
        let (chosen, skipped) = (&request.chosen, &request.skipped);
        context.check_witnesses(point, chosen, &excluded, skipped)?;
        self.tally.count_round(now, request.step(), from)?;
        Ok(random)
    }
}

/// Nodes that we do not know.
impl Witness {
    fn refuse(&mut self, to: NodeId, step: Step, why: Refusal, out: &mut Outbox<Selection>) {
        if let Refusal::Unknown(node) = why {
            if self.lacking.len() >= LACKING_MAX {
                self.lacking.pop_first();
            }
            self.lacking.insert(to, node);
        }
        refuse(to, step, why, out);
    }

    /// The answer to our not knowing a node. Nobody else's word is worth two signature checks.
    pub fn on_introduction(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        contact: Contact,
        out: &mut Outbox<Selection>,
    ) {
        if self.lacking.get(&from) == Some(&contact.node()) {
            self.lacking.remove(&from);
            context.hear(now, from, contact, out);
        }
    }
}

/// Nodes that are said to be away.
impl Witness {
    fn probe_then(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: Request,
        out: &mut Outbox<Selection>,
    ) {
        let mut waiting = request.skipped();
        // Whom we do not know, we would not have chosen, here or away.
        waiting.retain(|node| context.cache.contains(*node));
        if waiting.is_empty() {
            self.go_on(context, now, from, request, out);
            return;
        }
        let of_peer = self.probing.iter().filter(|probing| probing.from == from);
        if of_peer.count() >= PROBING_PER_PEER || self.probing.len() >= PROBING_MAX {
            refuse(from, request.step(), Refusal::Busy, out);
            return;
        }
        for node in &waiting {
            out.send(*node, Message::Probe);
        }
        let until = now + PROBE;
        out.wake(until, Timer::Probe);
        self.probing.push(Probing {
            from,
            request,
            waiting,
            until,
        });
    }

    fn go_on(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        request: Request,
        out: &mut Outbox<Selection>,
    ) {
        match request {
            Request::Trigger(request) => give_part(context, now, from, &request, out),
            Request::Build(request, random) => {
                self.builder
                    .commit(context, now, from, *request, random, out);
            }
        }
    }

    /// A probed node answers: whoever said that it was away is refused.
    pub fn on_alive(&mut self, from: NodeId, out: &mut Outbox<Selection>) {
        self.probing.retain(|probing| {
            let wrong = probing.waiting.contains(&from);
            if wrong {
                let why = Refusal::SkippedIsAlive(from);
                refuse(probing.from, probing.request.step(), why, out);
            }
            !wrong
        });
    }

    /// A probed node cannot be reached: no need to wait for it.
    pub fn on_unreachable(
        &mut self,
        context: &Context,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Selection>,
    ) {
        for probing in &mut self.probing {
            probing.waiting.remove(&node);
        }
        self.resume(context, now, out);
    }

    /// Whether no request waits.
    #[cfg(test)]
    pub fn is_at_rest(&self) -> bool {
        self.probing.is_empty()
    }

    /// Goes on with the requests whose skipped nodes have stayed silent.
    pub fn resume(&mut self, context: &Context, now: Instant, out: &mut Outbox<Selection>) {
        let ready = |probing: &Probing| probing.waiting.is_empty() || probing.until <= now;
        let (go, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.probing)
            .into_iter()
            .partition(ready);
        self.probing = stay;
        for probing in go {
            self.go_on(context, now, probing.from, probing.request, out);
        }
    }
}

/// What a setter sends to its builders after its request.
impl Witness {
    /// Step 5 arrived.
    pub fn on_commits(
        &mut self,
        context: &Context,
        from: NodeId,
        step: Step,
        commitments: Vec<Digest>,
        out: &mut Outbox<Selection>,
    ) {
        self.builder
            .on_commits(context, from, step, commitments, out);
    }

    /// Step 7 arrived.
    pub fn on_opens(
        &mut self,
        context: &Context,
        now: Instant,
        from: NodeId,
        step: Step,
        opened: &Opened,
        out: &mut Outbox<Selection>,
    ) {
        self.builder.on_opens(context, now, from, step, opened, out);
    }
}

fn refuse(to: NodeId, step: Step, why: Refusal, out: &mut Outbox<Selection>) {
    out.send(to, Message::Refused(step, why));
}

fn give_part(
    context: &Context,
    now: Instant,
    from: NodeId,
    request: &TriggerRequest,
    out: &mut Outbox<Selection>,
) {
    let draw = request.draw;
    let identity = &context.identity;
    let bytes = draw.part_bytes(now, &request.chosen, &request.skipped);
    let part = TriggerPart {
        certificate: identity.certificate.clone(),
        proof: identity.vrf.prove(&draw.random_input(context.own())),
        at: now,
        signature: identity.key.sign(TriggerPart::DOMAIN, &bytes),
    };
    out.send(
        from,
        Message::Part(draw.digest, draw.attempt, Box::new(part)),
    );
    out.emit(Event::Helps(draw.digest, Help::GavePart));
}
