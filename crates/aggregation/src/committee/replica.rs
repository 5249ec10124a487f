//! A replica's part: hold one lane's shares, agree on the set, add up, and give or refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol, decode};
use crypto::{SealingKey, SealingPublicKey, Vector};

use crate::agreement::{
    self, Agreement, Config, Deadline, Decision, QuorumCertificate, value_digest,
};
use crate::committee::contribution::{Bundle, Item, longest_sealed, open_share};
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::{
    CONTRIBUTORS_MAX, Entry, Holdings, Inclusion, SetBody, Support, check_holdings, covers_lanes,
};
use crate::committee::message::{Message, Sum};
use crate::committee::opening::Tally;
use crate::committee::protocol::{Committee, Context, Event, Timer};
use crate::committee::statement::{Denial, Denied, LaneCount, LaneKey, LaneSum, LaneTotal, Signed};
use crate::committee::terms::Terms;

/// How often what may be lost is sent again, and how long a lane waits for its next member to make a key.
const REPEAT: Duration = Duration::from_secs(1);
/// How long contributions wait for others before they are passed on together.
const BATCH: Duration = Duration::from_millis(25);
/// How long to wait for the others' word once a majority of every lane has spoken.
const GRACE: Duration = Duration::from_millis(300);
/// How far a proposed set's time may be from ours.
const TOLERANCE: Duration = Duration::from_secs(120);
/// First view of the agreement. Guess: several round trips and the waiting for stragglers.
const FIRST_VIEW: Duration = Duration::from_millis(1500);
/// Longest view.
const LONGEST_VIEW: Duration = Duration::from_secs(6);
/// Longest encoding of a [`SetBody`].
const SET_BYTES: usize = 256;
/// Contributions in one message.
const BATCH_MAX: usize = 256;

/// One computation at one of its replicas.
pub struct Replica {
    terms: Arc<Terms>,
    seat: usize,
    lane: usize,
    members: BTreeSet<NodeId>,
    served_at: Instant,
    secrets: BTreeMap<SealingPublicKey, SealingKey>,
    /// Seats of the lane that gave a secret: one each.
    givers: BTreeSet<usize>,
    signed_keys: Vec<Signed<LaneKey>>,
    /// The lane's key, once the querier calls for contributions.
    chosen: Option<SealingPublicKey>,
    held: BTreeMap<NodeId, Held>,
    /// What the next batch takes along.
    batch: Vec<Bundle>,
    flush_at: Option<Instant>,
    closed: Option<Signed<Holdings>>,
    /// By seat: what others hold, for when this replica leads.
    heard: BTreeMap<u16, Signed<Holdings>>,
    propose_at: Option<Instant>,
    proposed_in: Option<u64>,
    told_in: Option<u64>,
    /// By seat of who sent it.
    supports: BTreeMap<usize, (Support, Inclusion)>,
    agreement: Agreement,
    asked_valid: Option<(u64, Digest, SetBody)>,
    decided: Option<Decided>,
    counts: Tally<LaneCount>,
    count_at: Option<Instant>,
    outcome: Option<Message>,
    next_repeat: Instant,
    over: bool,
}

/// One contribution at this replica.
struct Held {
    item: Item,
    digest: Digest,
    /// Once opened; zeros are not told from values.
    share: Option<Vector>,
}

impl Held {
    fn is_complete(&self) -> bool {
        self.share.is_some() || self.item.header.declines()
    }

    fn entry(&self) -> Entry {
        Entry {
            contributor: self.item.header.node(),
            header: self.digest,
            declines: self.item.header.declines(),
        }
    }
}

/// After the agreement.
struct Decided {
    body: SetBody,
    digest: Digest,
    certificate: QuorumCertificate,
    entries: Option<Vec<Entry>>,
    total: Option<Vec<u64>>,
}

/// Start and end.
impl Replica {
    /// Takes this node's seat. `None` when it has none, or the terms cannot work.
    pub fn start(
        context: &mut Context,
        now: Instant,
        terms: Arc<Terms>,
        members: BTreeSet<NodeId>,
        out: &mut Outbox<Committee>,
    ) -> Option<Self> {
        let own = context.identity.node();
        let seat = terms.seat(own).filter(|_| terms.are_possible())?;
        let config = Config {
            instance: terms.round(),
            replicas: terms.seats.clone(),
            quorum: terms.quorum(),
            max_value: SET_BYTES,
            name: value_digest,
            first_timeout: FIRST_VIEW,
            longest_timeout: LONGEST_VIEW,
        };
        let agreement = Agreement::new(config, own, context.identity.key.clone(), None).ok()?;
        let round = terms.round();
        out.wake(terms.closes_at, Timer::Replica(round));
        out.wake(terms.ends_at(), Timer::Replica(round));
        let mut replica = Self {
            lane: terms.sizes.lane_of(seat),
            seat,
            members,
            served_at: now,
            secrets: BTreeMap::new(),
            givers: BTreeSet::new(),
            signed_keys: Vec::new(),
            chosen: None,
            held: BTreeMap::new(),
            batch: Vec::new(),
            flush_at: None,
            closed: None,
            heard: BTreeMap::new(),
            propose_at: None,
            proposed_in: None,
            told_in: None,
            supports: BTreeMap::new(),
            agreement,
            asked_valid: None,
            decided: None,
            counts: Tally::default(),
            count_at: None,
            outcome: None,
            next_repeat: now,
            over: false,
            terms,
        };
        replica.repeat(context, now, out);
        Some(replica)
    }

    /// Whether everything can be forgotten.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn round(&self) -> Digest {
        self.terms.round()
    }

    fn mates(&self) -> impl Iterator<Item = NodeId> + '_ {
        let own = self.terms.seats[self.seat];
        let lane = self.terms.replicas(self.lane).iter().copied();
        lane.filter(move |mate| *mate != own)
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + '_ {
        let own = self.terms.seats[self.seat];
        let seats = self.terms.seats.iter().copied();
        seats.filter(move |seat| *seat != own)
    }

    /// What is due at `now`.
    pub fn handle_timer(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if now >= self.terms.ends_at() {
            self.over = true;
            return;
        }
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush(context, now, out);
        }
        if self.propose_at.is_some_and(|at| now >= at) {
            self.propose(context, now, out);
        }
        if self.count_at.is_some_and(|at| now >= at) {
            self.conclude(context, out);
        }
        if now >= self.terms.closes_at {
            self.close(context, now, out);
        } else {
            self.close_if_complete(context, now, out);
        }
        if now >= self.next_repeat {
            self.repeat(context, now, out);
        }
    }

    /// Sends again what the others may have missed.
    fn repeat(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        self.next_repeat = now + REPEAT;
        out.wake(self.next_repeat, Timer::Replica(self.round()));
        if self.decided.is_some() {
            self.advance(context, now, out);
            self.give_outcome(out);
        } else if self.closed.is_some() {
            self.told_in = None;
            self.follow_leader(context, now, out);
            self.want_support(out);
        } else if self.chosen.is_none() {
            self.offer_keys(context, now, out);
        }
        self.want_secret(out);
    }

    /// Takes a message of the querier, a contributor or another replica.
    ///
    /// # Errors
    ///
    /// The check that it failed.
    pub fn receive(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        match message {
            Message::Bundle(_, bundle) => return self.on_bundle(context, now, from, *bundle, out),
            Message::Done(_) if from == self.terms.querier => {
                self.over = true;
                return Ok(());
            }
            _ => {}
        }
        let seat = self.terms.seat(from).ok_or(Misbehaviour::Seat)?;
        match message {
            Message::LaneSecret(_, secret) => self.on_secret(context, now, seat, secret, out),
            Message::SecretWanted(_) => self.on_secret_wanted(seat, from, out),
            Message::Forward(_, items) => self.on_forward(context, now, items, out),
            Message::Holdings(holdings) => self.on_holdings(context, now, seat, *holdings, out),
            Message::Support(support) => self.on_support(context, now, seat, *support, out),
            Message::SupportWanted(_) => {
                self.on_support_wanted(from, out);
                Ok(())
            }
            Message::Agreement(_, message) => {
                let message = *message;
                self.drive(context, now, Input::Message { from, message }, out);
                Ok(())
            }
            Message::SharesWanted(_, names) => self.on_shares_wanted(seat, from, &names, out),
            Message::Count(count) => self.on_count(context, now, seat, *count, out),
            _ => Err(Misbehaviour::Seat),
        }
    }
}

/// Step 1: the lane's key.
impl Replica {
    /// The querier has these keys and calls for contributions.
    pub fn collecting(
        &mut self,
        now: Instant,
        keys: &[SealingPublicKey],
        out: &mut Outbox<Committee>,
    ) {
        if self.chosen.is_none() {
            self.chosen = keys.get(self.lane).copied();
            self.want_secret(out);
            self.open_waiting();
            // All may have answered already.
            out.wake(now, Timer::Replica(self.round()));
        }
    }

    fn offer_keys(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        let place = self.seat - self.terms.lane(self.lane).start;
        let patience = REPEAT.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
        if !self.givers.contains(&self.seat) && now.since(self.served_at) >= patience {
            let secret = SealingKey::generate(&mut context.rng);
            for mate in self.mates() {
                out.send(mate, Message::LaneSecret(self.round(), secret.clone()));
            }
            self.keep_secret(context, self.seat, secret);
        }
        for signed in &self.signed_keys {
            out.send(self.terms.querier, Message::LaneKey(signed.clone()));
        }
    }

    fn keep_secret(&mut self, context: &Context, giver: usize, secret: SealingKey) {
        let public = secret.public();
        let round = self.round();
        let key = Signed::new(&context.identity.key, self.seat, LaneKey { round, public });
        self.givers.insert(giver);
        self.signed_keys.push(key);
        self.secrets.insert(public, secret);
    }

    fn chosen_secret(&self) -> Option<&SealingKey> {
        self.secrets.get(&self.chosen?)
    }

    fn want_secret(&self, out: &mut Outbox<Committee>) {
        if self.chosen.is_some() && self.chosen_secret().is_none() {
            for mate in self.mates() {
                out.send(mate, Message::SecretWanted(self.round()));
            }
        }
    }

    fn on_secret_wanted(
        &self,
        seat: usize,
        from: NodeId,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.lane(self.lane).contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        if let Some(secret) = self.chosen_secret() {
            out.send(from, Message::LaneSecret(self.round(), secret.clone()));
        }
        Ok(())
    }

    /// Holding the secret from which the public key follows shows more than opening a test message would.
    fn on_secret(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        secret: SealingKey,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.lane(self.lane).contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        let public = secret.public();
        let is_chosen = self.chosen == Some(public);
        let is_offer = self.chosen.is_none() && !self.givers.contains(&seat);
        if self.secrets.contains_key(&public) || !(is_chosen || is_offer) {
            return Ok(());
        }
        self.keep_secret(context, seat, secret);
        if let Some(signed) = self.signed_keys.last().filter(|_| is_offer) {
            out.send(self.terms.querier, Message::LaneKey(signed.clone()));
        }
        self.open_waiting();
        self.close_if_complete(context, now, out);
        Ok(())
    }
}

/// Step 2: contributions.
impl Replica {
    fn on_bundle(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        bundle: Bundle,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if bundle.header.node() != from {
            return Err(Misbehaviour::Signature);
        }
        if !bundle.has_shape(&self.terms) {
            return Err(Misbehaviour::Shape);
        }
        if self.closed.is_some() || self.batch.iter().any(|b| b.header.node() == from) {
            return Ok(());
        }
        let item = bundle.item(self.lane);
        if let Some(held) = self.held.get(&from) {
            // Passed on by another replica, whose word may not have reached the contributor.
            if held.item.header == item.header {
                out.send(from, Message::Accepted(self.round()));
            }
            return Ok(());
        }
        self.hold(context, now, item)?;
        self.batch.push(bundle);
        if self.batch.len() >= BATCH_MAX {
            self.flush(context, now, out);
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now + BATCH);
            out.wake(now + BATCH, Timer::Replica(self.round()));
        }
        Ok(())
    }

    fn flush(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        self.flush_at = None;
        let batch = std::mem::take(&mut self.batch);
        let round = self.round();
        for (seat, node) in self.terms.seats.iter().enumerate() {
            if seat != self.seat {
                let lane = self.terms.sizes.lane_of(seat);
                let items = batch.iter().map(|bundle| bundle.item(lane)).collect();
                out.send(*node, Message::Forward(round, items));
            }
        }
        for bundle in &batch {
            out.send(bundle.header.node(), Message::Accepted(round));
        }
        self.close_if_complete(context, now, out);
    }

    fn on_forward(
        &mut self,
        context: &mut Context,
        now: Instant,
        items: Vec<Item>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if items.len() > BATCH_MAX {
            return Err(Misbehaviour::Shape);
        }
        let mut result = Ok(());
        for item in items {
            result = result.and(self.hold(context, now, item));
        }
        self.close_if_complete(context, now, out);
        if self.decided.is_some() {
            self.advance(context, now, out);
        }
        result
    }

    /// Keeps a contribution: the first header of each contributor, or the one that was agreed on.
    fn hold(&mut self, context: &Context, now: Instant, item: Item) -> Result<(), Misbehaviour> {
        let node = item.header.node();
        let digest = item.header.digest(self.round());
        let agreed = self.agreed_header(node);
        if let Some(held) = self.held.get(&node) {
            let replaces = agreed == Some(digest) && held.digest != digest;
            if held.is_complete() && !replaces {
                return Ok(());
            }
            if held.digest != digest && !replaces {
                return Ok(());
            }
        }
        if self.closed.is_some() && agreed.is_some_and(|agreed| agreed != digest) {
            return Ok(());
        }
        if self.held.len() >= CONTRIBUTORS_MAX || item.sealed.len() > longest_sealed(&self.terms) {
            return Err(Misbehaviour::Shape);
        }
        item.header.check(&self.terms, &context.community, now)?;
        let share = if item.header.declines() {
            None
        } else {
            // The lane's secret may still be on its way.
            let open = |secret| open_share(&self.terms, self.lane, &item, secret);
            self.chosen_secret().map(open).transpose()?
        };
        self.held.insert(
            node,
            Held {
                item,
                digest,
                share,
            },
        );
        Ok(())
    }

    fn open_waiting(&mut self) {
        let Some(secret) = self.chosen_secret().cloned() else {
            return;
        };
        for held in self.held.values_mut().filter(|held| !held.is_complete()) {
            held.share = open_share(&self.terms, self.lane, &held.item, &secret).ok();
        }
    }

    fn agreed_header(&self, node: NodeId) -> Option<Digest> {
        let entries = self.decided.as_ref()?.entries.as_ref()?;
        let at = entries
            .binary_search_by(|entry| entry.contributor.cmp(&node))
            .ok()?;
        Some(entries[at].header)
    }
}

/// Step 3: close and agree.
impl Replica {
    fn close_if_complete(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let answered = |node: &NodeId| self.held.get(node).is_some_and(Held::is_complete);
        if self.chosen.is_some() && self.batch.is_empty() && self.members.iter().all(answered) {
            self.close(context, now, out);
        }
    }

    fn close(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        if self.closed.is_some() {
            return;
        }
        let held = self.held.values().filter(|held| held.is_complete());
        let holdings = Holdings {
            round: self.round(),
            asked: self.members.len() as u64,
            entries: held.map(Held::entry).collect(),
        };
        self.closed = Some(Signed::new(&context.identity.key, self.seat, holdings));
        self.drive(context, now, Input::Command(agreement::Command::Start), out);
    }

    fn leader(&self) -> usize {
        (self.agreement.view() % self.terms.seats.len() as u64) as usize
    }

    /// Tells the leader of the current view what this replica holds.
    fn follow_leader(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        let view = self.agreement.view();
        let Some(closed) = self.closed.clone() else {
            return;
        };
        if self.told_in == Some(view) || self.decided.is_some() {
            return;
        }
        self.told_in = Some(view);
        let leader = self.leader();
        if leader == self.seat {
            self.heard.insert(closed.seat, closed);
            self.consider_proposal(context, now, out);
        } else {
            out.send(
                self.terms.seats[leader],
                Message::Holdings(Box::new(closed)),
            );
        }
    }

    fn on_holdings(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        holdings: Signed<Holdings>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if holdings.index() != seat {
            return Err(Misbehaviour::Seat);
        }
        if self.heard.contains_key(&holdings.seat) || self.decided.is_some() {
            return Ok(());
        }
        if holdings.body.entries.len() > CONTRIBUTORS_MAX {
            return Err(Misbehaviour::Shape);
        }
        check_holdings(&self.terms, &holdings)?;
        self.heard.insert(holdings.seat, holdings);
        self.consider_proposal(context, now, out);
        Ok(())
    }

    fn consider_proposal(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let seats = self.heard.keys().map(|seat| usize::from(*seat));
        if self.leader() != self.seat || !covers_lanes(&self.terms, seats) {
            return;
        }
        if self.heard.len() == self.terms.seats.len() {
            self.propose(context, now, out);
        } else if self.propose_at.is_none() {
            self.propose_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    /// Proposes the set that follows from what was heard, once per view.
    fn propose(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        self.propose_at = None;
        let view = self.agreement.view();
        if self.proposed_in == Some(view) || self.decided.is_some() || self.leader() != self.seat {
            return;
        }
        self.proposed_in = Some(view);
        let salt = context.rng.bytes32();
        let (support, inclusion) = Support::new(&self.terms, salt, now, &self.heard);
        let value = inclusion.body.bytes();
        for other in self.others() {
            out.send(other, Message::Support(Box::new(support.clone())));
        }
        self.supports.insert(self.seat, (support, inclusion));
        let propose = agreement::Command::Propose(value);
        self.drive(context, now, Input::Command(propose), out);
    }

    fn on_support(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        support: Support,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let known = |(known, _): &(Support, Inclusion)| *known == support;
        if self.supports.get(&seat).is_some_and(known) {
            return Ok(());
        }
        let inclusion = support.derive(&self.terms)?;
        self.supports.insert(seat, (support, inclusion));
        if let Some((view, value, body)) = self.asked_valid.take() {
            self.validate(context, now, view, value, body, out);
        }
        if self.decided.is_some() {
            self.advance(context, now, out);
        }
        Ok(())
    }

    fn on_support_wanted(&self, from: NodeId, out: &mut Outbox<Committee>) {
        let decided = self.decided.as_ref().map(|decided| &decided.body);
        let fits = |inclusion: &Inclusion| decided.is_none_or(|body| inclusion.body == *body);
        let own = self.supports.get(&self.seat);
        let any = own.into_iter().chain(self.supports.values());
        if let Some((support, _)) = any.clone().find(|(_, inclusion)| fits(inclusion)) {
            out.send(from, Message::Support(Box::new(support.clone())));
        }
    }

    fn supported(&self, body: &SetBody) -> Option<&Inclusion> {
        let inclusions = self.supports.values().map(|(_, inclusion)| inclusion);
        inclusions.into_iter().find(|known| known.body == *body)
    }

    fn want_support(&self, out: &mut Outbox<Committee>) {
        if self.asked_valid.is_some() {
            let leader = self.terms.seats[self.leader()];
            out.send(leader, Message::SupportWanted(self.round()));
        }
    }

    /// Answers the agreement, now or when the support arrives.
    fn validate(
        &mut self,
        context: &mut Context,
        now: Instant,
        view: u64,
        value: Digest,
        body: SetBody,
        out: &mut Outbox<Committee>,
    ) {
        let answer = if body.at.distance(now) > TOLERANCE {
            agreement::Command::Invalid { view, value }
        } else if self.supported(&body).is_some() {
            agreement::Command::Valid { view, value }
        } else {
            self.asked_valid = Some((view, value, body));
            return;
        };
        self.drive(context, now, Input::Command(answer), out);
    }

    /// The state with this number is on the disk.
    pub fn persisted(
        &mut self,
        context: &mut Context,
        now: Instant,
        number: u64,
        out: &mut Outbox<Committee>,
    ) {
        let persisted = agreement::Command::Persisted(number);
        self.drive(context, now, Input::Command(persisted), out);
    }

    /// A deadline of the agreement is due.
    pub fn agreement_timer(
        &mut self,
        context: &mut Context,
        now: Instant,
        deadline: Deadline,
        out: &mut Outbox<Committee>,
    ) {
        self.drive(context, now, Input::Timer(deadline), out);
    }

    fn drive(
        &mut self,
        context: &mut Context,
        now: Instant,
        input: Input<Agreement>,
        out: &mut Outbox<Committee>,
    ) {
        let round = self.round();
        let mut said = Outbox::new();
        self.agreement.handle(now, input, &mut said);
        let said: Vec<_> = said.drain().collect();
        for output in said {
            match output {
                Output::Send { to, message } => {
                    out.send(to, Message::Agreement(round, Box::new(message)));
                }
                Output::Wake { at, timer } => out.wake(at, Timer::Agreement(round, timer)),
                Output::Event(event) => self.on_agreement(context, now, event, out),
            }
        }
        self.follow_leader(context, now, out);
    }

    fn on_agreement(
        &mut self,
        context: &mut Context,
        now: Instant,
        event: agreement::Event,
        out: &mut Outbox<Committee>,
    ) {
        match event {
            agreement::Event::Validate { view, value, bytes } => {
                match decode::<SetBody>(&bytes, SET_BYTES) {
                    Ok(body) if body.round == self.round() => {
                        self.validate(context, now, view, value, body, out);
                        self.want_support(out);
                    }
                    _ => {
                        let invalid = agreement::Command::Invalid { view, value };
                        self.drive(context, now, Input::Command(invalid), out);
                    }
                }
            }
            agreement::Event::Persist { number, state } => out.emit(Event::Persist {
                round: self.round(),
                number,
                state,
            }),
            agreement::Event::Decided(decision) => self.on_decided(context, now, decision, out),
            agreement::Event::Misbehaved { node, .. } => out.emit(Event::Misbehaved {
                node,
                what: Misbehaviour::Quorum,
            }),
        }
    }
}

/// Steps 4 and 5: count, then give or refuse.
impl Replica {
    fn on_decided(
        &mut self,
        context: &mut Context,
        now: Instant,
        decision: Decision,
        out: &mut Outbox<Committee>,
    ) {
        if self.decided.is_some() {
            return;
        }
        // A quorum, and so an honest replica, found it valid.
        let Ok(body) = decode::<SetBody>(&decision.value, SET_BYTES) else {
            return;
        };
        let digest = body.digest();
        self.counts.retain(|count| count.0.set == digest);
        self.decided = Some(Decided {
            body,
            digest,
            certificate: decision.certificate,
            entries: None,
            total: None,
        });
        self.advance(context, now, out);
    }

    /// Goes as far towards this lane's total as what is here allows, and asks for what is missing.
    fn advance(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        let round = self.round();
        let Some(decided) = &self.decided else {
            return;
        };
        if decided.entries.is_none() {
            let Some(inclusion) = self.supported(&decided.body).cloned() else {
                for other in self.others() {
                    out.send(other, Message::SupportWanted(round));
                }
                return;
            };
            out.emit(Event::SetAgreed(round, inclusion.members()));
            if let Some(decided) = &mut self.decided {
                decided.entries = Some(inclusion.entries);
            }
        }
        if self.own_count().is_none() {
            match self.add_up() {
                Ok(total) => self.count(context, total),
                Err(missing) => {
                    for part in missing.chunks(BATCH_MAX) {
                        for mate in self.mates() {
                            out.send(mate, Message::SharesWanted(round, part.to_vec()));
                        }
                    }
                    return;
                }
            }
        }
        if let Some(count) = self.own_count() {
            for other in self.others() {
                out.send(other, Message::Count(Box::new(count.clone())));
            }
        }
        self.consider_outcome(context, now, out);
    }

    fn own_count(&self) -> Option<&Signed<LaneCount>> {
        self.counts.of(self.seat)
    }

    /// The sum of the included shares, or whose are missing.
    fn add_up(&self) -> Result<Vec<u64>, Vec<NodeId>> {
        let entries = self
            .decided
            .as_ref()
            .and_then(|decided| decided.entries.as_ref());
        let mut total = Vector::zeros(self.terms.vector_len);
        let mut missing = Vec::new();
        for entry in entries.into_iter().flatten() {
            let held = self.held.get(&entry.contributor);
            let share = held
                .filter(|held| held.digest == entry.header)
                .and_then(|held| held.share.as_ref());
            match share {
                Some(share) => total
                    .add(share)
                    .expect("shares are opened to the length of the terms"),
                None => missing.push(entry.contributor),
            }
        }
        if missing.is_empty() {
            Ok(total.to_u64s())
        } else {
            Err(missing)
        }
    }

    fn count(&mut self, context: &Context, total: Vec<u64>) {
        let Some(decided) = &mut self.decided else {
            return;
        };
        let count = LaneCount(LaneTotal {
            round: decided.body.round,
            set: decided.digest,
            sums: total[..1].to_vec(),
        });
        decided.total = Some(total);
        self.counts
            .insert(Signed::new(&context.identity.key, self.seat, count));
    }

    fn on_shares_wanted(
        &self,
        seat: usize,
        from: NodeId,
        names: &[NodeId],
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if !self.terms.lane(self.lane).contains(&seat) || names.len() > BATCH_MAX {
            return Err(Misbehaviour::Seat);
        }
        let items: Vec<_> = names
            .iter()
            .filter_map(|name| self.held.get(name))
            .map(|held| held.item.clone())
            .collect();
        if !items.is_empty() {
            out.send(from, Message::Forward(self.round(), items));
        }
        Ok(())
    }

    fn on_count(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        count: Signed<LaneCount>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if count.index() != seat {
            return Err(Misbehaviour::Seat);
        }
        if self.counts.has(count.seat) {
            return Ok(());
        }
        if count.body.0.sums.len() != 1 {
            return Err(Misbehaviour::Shape);
        }
        if let Some(decided) = &self.decided
            && decided.digest != count.body.0.set
        {
            return Err(Misbehaviour::OtherSet);
        }
        count.check(&self.terms)?;
        self.counts.insert(count);
        self.consider_outcome(context, now, out);
        Ok(())
    }

    fn consider_outcome(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if self.outcome.is_some() || self.own_count().is_none() {
            return;
        }
        if self.counts.is_full(&self.terms) {
            self.conclude(context, out);
        } else if self.count_at.is_none() && self.counts.endorsed(&self.terms).is_some() {
            self.count_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    /// Decides what the querier gets.
    fn conclude(&mut self, context: &Context, out: &mut Outbox<Committee>) {
        self.count_at = None;
        if self.outcome.is_some() {
            return;
        }
        let denied = if self.counts.conflicts(&self.terms) {
            Some(Denied::Conflict)
        } else {
            match self.crowd() {
                None => return,
                Some(crowd) => (crowd < self.terms.threshold).then_some(Denied::SmallCrowd),
            }
        };
        let key = &context.identity.key;
        self.outcome = match (denied, &self.decided) {
            (Some(why), _) => {
                let round = self.round();
                let denial = Signed::new(key, self.seat, Denial { round, why });
                Some(Message::Denied(denial))
            }
            (
                None,
                Some(Decided {
                    body,
                    digest,
                    certificate,
                    total: Some(total),
                    ..
                }),
            ) => {
                let sum = LaneSum(LaneTotal {
                    round: body.round,
                    set: *digest,
                    sums: total.clone(),
                });
                Some(Message::Sum(Box::new(Sum {
                    set: body.clone(),
                    certificate: certificate.clone(),
                    sum: Signed::new(key, self.seat, sum),
                })))
            }
            _ => None,
        };
        self.give_outcome(out);
    }

    /// How many match, once every lane has a majority's word.
    fn crowd(&self) -> Option<u64> {
        let mut crowd = Vector::zeros(1);
        for lane in self.counts.endorsed(&self.terms)? {
            let part = Vector::from_u64s(&lane.body.0.sums).ok()?;
            crowd.add(&part).ok()?;
        }
        crowd.to_u64s().first().copied()
    }

    fn give_outcome(&self, out: &mut Outbox<Committee>) {
        if let Some(outcome) = &self.outcome {
            out.send(self.terms.querier, outcome.clone());
        }
    }
}
