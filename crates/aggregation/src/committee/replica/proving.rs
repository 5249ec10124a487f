//! Between the steps 3 and 4, where contributions come with a proof: check the candidates, and agree on those who remain.
//!
//! 1. The candidates are agreed on. Only now each lane shows its seed; together they are the key.
//! 2. Every replica checks its lane's shares and signs the verifier shares. It gives them to the replicas of the same place
//!    in the other lanes; who lacks some asks another that signed the same.
//! 3. With those of all lanes, each signed by enough of its lane, it follows who remains. All who are told the truth find
//!    the same; since liars could tell it to some and something else to others, the replicas agree on it as well.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Input, Instant, NodeId, Outbox};
use crypto::Vector;

use super::{Answered, BATCH_BYTES, GRACE, Matter, REPEAT, Replica};
use crate::agreement;
use crate::committee::contribution::LaneShare;
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::{CONTRIBUTORS_MAX, Entry, SetBody};
use crate::committee::lanes::Seed;
use crate::committee::message::Message;
use crate::committee::opening::Tally;
use crate::committee::proofs::{self, Checked, Verifiers};
use crate::committee::protocol::{Committee, Context, Timer};
use crate::committee::statement::{Endorsed, Signed};
use crate::validity::{Binding, Challenge, Prepared, Validity, VerifierShare};

/// The checking of one computation's proofs.
pub(super) struct Proving {
    validity: Validity,
    /// By lane, as far as they are known.
    seeds: Vec<Option<Seed>>,
    /// By candidate, once the own shares are checked.
    prepared: Option<Vec<Option<Prepared>>>,
    /// The own lane's verifier shares, part by part, with their digests.
    own: Vec<(Digest, Verifiers)>,
    said: Tally<Checked>,
    /// By seat and part, with its digest.
    offered: BTreeMap<(usize, usize), (Digest, Verifiers)>,
    /// By lane: whom this replica asked last for what it lacks.
    asked: BTreeMap<usize, usize>,
    /// Everybody whom it asked: their answers may be late.
    may_answer: BTreeSet<usize>,
    ask_at: Option<Instant>,
    /// When each seat was last given verifier shares on demand.
    answered: Answered,
    remaining: Option<Remaining>,
    /// A proposal that waits for this replica to know better.
    asked_valid: Option<(u64, Digest, SetBody)>,
}

/// A lane, and the parts of its verifier shares that are not here.
type Lacking = (usize, Vec<u32>);

/// The candidates whose proofs hold.
struct Remaining {
    body: SetBody,
    entries: Vec<Entry>,
    /// This lane's shares of their vectors.
    vectors: BTreeMap<NodeId, Vector>,
}

impl Proving {
    pub(super) fn new(validity: Validity) -> Self {
        Self {
            seeds: vec![None; validity.lanes()],
            validity,
            prepared: None,
            own: Vec::new(),
            said: Tally::default(),
            offered: BTreeMap::new(),
            asked: BTreeMap::new(),
            may_answer: BTreeSet::new(),
            ask_at: None,
            answered: Answered::default(),
            remaining: None,
            asked_valid: None,
        }
    }

    /// Candidates in one message.
    fn part_len(&self) -> usize {
        (BATCH_BYTES / (self.validity.verifier_share_len() + 8)).clamp(1, CONTRIBUTORS_MAX)
    }

    fn parts_of(&self, candidates: usize) -> usize {
        candidates.div_ceil(self.part_len())
    }

    /// Checks this lane's shares of all candidates, once every seed is known.
    fn prepare<'a>(
        &mut self,
        round: Digest,
        lane: usize,
        candidates: impl Iterator<Item = (&'a Entry, &'a super::Held)>,
    ) {
        let key = Seed::together(self.seeds.iter().flatten());
        let mut verifiers: Verifiers = Vec::new();
        let mut prepared = Vec::new();
        for (entry, held) in candidates {
            let challenge = Challenge::new(&key, &entry.header);
            let binding = Binding::new(&round, entry.contributor);
            let public = held
                .item
                .as_ref()
                .and_then(|item| item.header.public.as_ref());
            let found = match (&held.share, public) {
                (Some(LaneShare::Proved(share)), Some(public)) => {
                    let checked = self
                        .validity
                        .prepare(lane, &challenge, &binding, public, share);
                    checked.ok()
                }
                _ => None,
            };
            let (state, verifier) = found.unzip();
            prepared.push(state);
            verifiers.push(verifier);
        }
        self.own = verifiers
            .chunks(self.part_len())
            .map(|part| (proofs::digest(part), part.to_vec()))
            .collect();
        self.prepared = Some(prepared);
    }

    /// Which parts of each lane's verifier shares are here as signed; the lanes of which some are missing.
    fn gathered(
        &self,
        own_lane: usize,
        said: &[Endorsed<Checked>],
        lane_of: impl Fn(usize) -> usize,
    ) -> Result<Vec<Vec<&Verifiers>>, Vec<Lacking>> {
        let mut gathered = Vec::new();
        let mut missing = Vec::new();
        for (lane, endorsed) in said.iter().enumerate() {
            let mut parts = Vec::new();
            let mut lacking = Vec::new();
            for (part, digest) in endorsed.body.parts.iter().enumerate() {
                let own = self.own.get(part).filter(|_| lane == own_lane);
                let offers = self.offered.iter();
                let offers = offers.filter(|((seat, of), _)| *of == part && lane_of(*seat) == lane);
                let mut known = own.into_iter().chain(offers.map(|(_, offer)| offer));
                match known.find(|(named, _)| named == digest) {
                    Some((_, verifiers)) => parts.push(verifiers),
                    None => lacking.push(u32::try_from(part).unwrap_or(u32::MAX)),
                }
            }
            gathered.push(parts);
            if !lacking.is_empty() {
                missing.push((lane, lacking));
            }
        }
        if missing.is_empty() {
            Ok(gathered)
        } else {
            Err(missing)
        }
    }

    /// This lane's shares of the vectors whose proofs hold, by candidate.
    fn judge<'a>(
        &self,
        states: Vec<Option<Prepared>>,
        lanes: &[Vec<&'a Verifiers>],
    ) -> Vec<Option<Vector>> {
        let len = self.part_len();
        let of = |lane: &[&'a Verifiers], candidate: usize| -> Option<&'a VerifierShare> {
            let part = lane.get(candidate / len)?;
            part.get(candidate % len)?.as_ref()
        };
        let states = states.into_iter().enumerate();
        states
            .map(|(candidate, state)| {
                let state = state?;
                let verifiers: Option<Vec<_>> = lanes.iter().map(|l| of(l, candidate)).collect();
                let decision = self.validity.combine(&state, &verifiers?).ok()?;
                self.validity.finish(state, &decision).ok()
            })
            .collect()
    }
}

impl Replica {
    /// Goes as far with the proofs as what is here allows.
    pub(super) fn prove(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let Some(mut proving) = self.proving.take() else {
            return;
        };
        self.keep_own_seed(&mut proving, out);
        self.check_shares(context, &mut proving, out);
        let news = self.find_remaining(now, &mut proving, out);
        let asked = proving.asked_valid.take();
        self.proving = Some(proving);
        if news {
            self.settle(context, now, out);
        }
        if let Some((view, value, body)) = asked {
            self.validate_remaining(context, now, view, value, body, out);
        }
    }

    fn keep_own_seed(&self, proving: &mut Proving, out: &mut Outbox<Committee>) {
        if self.candidates.is_none() || proving.seeds[self.lane].is_some() {
            return;
        }
        if let Some(secret) = self.chosen_secret() {
            proving.seeds[self.lane] = Some(Seed::of(self.round(), secret));
            self.tell_seed(proving, out);
        }
    }

    fn tell_seed(&self, proving: &Proving, out: &mut Outbox<Committee>) {
        if let Some(seed) = proving.seeds[self.lane]
            .as_ref()
            .filter(|_| self.candidates.is_some())
        {
            for other in self.others() {
                out.send(other, Message::Seed(self.round(), seed.clone()));
            }
        }
    }

    fn check_shares(&self, context: &Context, proving: &mut Proving, out: &mut Outbox<Committee>) {
        let Some(candidates) = &self.candidates else {
            return;
        };
        let Some(entries) = &candidates.entries else {
            return;
        };
        if proving.prepared.is_some()
            || proving.seeds.contains(&None)
            || self.missing().is_none_or(|missing| !missing.is_empty())
        {
            return;
        }
        let held = |entry| self.held.get(entry).expect("none is missing");
        let with_shares = entries.iter().map(|e| (e, held(&e.contributor)));
        proving.prepare(self.round(), self.lane, with_shares);
        let checked = Checked {
            round: self.round(),
            set: candidates.digest,
            parts: proving.own.iter().map(|(digest, _)| *digest).collect(),
        };
        let mates = self.terms.lane(self.lane);
        let liars = proving.said.others_than(&checked, mates);
        self.accuse(liars, Misbehaviour::Checked, out);
        let signed = Signed::new(&context.identity.key, self.seat, checked);
        proving.said.insert(signed);
        self.tell_checked(proving, out);
        for mate in (0..self.terms.seats.len()).filter(|seat| self.shares_place(*seat)) {
            self.give_verifiers(proving, self.terms.seats[mate], 0..proving.own.len(), out);
        }
    }

    /// Whether a seat has this replica's place in another lane.
    fn shares_place(&self, seat: usize) -> bool {
        let place = |seat: usize| seat % usize::from(self.terms.sizes.replicas);
        seat != self.seat && place(seat) == place(self.seat)
    }

    fn tell_checked(&self, proving: &Proving, out: &mut Outbox<Committee>) {
        if let Some(own) = proving.said.of(self.seat) {
            for other in self.others() {
                out.send(other, Message::Checked(Box::new(own.clone())));
            }
        }
    }

    fn give_verifiers(
        &self,
        proving: &Proving,
        to: NodeId,
        parts: impl Iterator<Item = usize>,
        out: &mut Outbox<Committee>,
    ) {
        for part in parts {
            if let Some((_, verifiers)) = proving.own.get(part) {
                let number = u32::try_from(part).unwrap_or(u32::MAX);
                out.send(
                    to,
                    Message::Verifiers(self.round(), number, verifiers.clone()),
                );
            }
        }
    }

    /// Works out who remains, or asks for what is missing. Whether it is known now.
    fn find_remaining(
        &self,
        now: Instant,
        proving: &mut Proving,
        out: &mut Outbox<Committee>,
    ) -> bool {
        let known = self.candidates.as_ref();
        let Some((candidates, entries)) = known.and_then(|c| Some((c, c.entries.as_ref()?))) else {
            return false;
        };
        if proving.remaining.is_some() || proving.prepared.is_none() {
            return false;
        }
        let Some(said) = proving.said.endorsed(&self.terms) else {
            return false;
        };
        let Some(supported) = self.supported(&candidates.body) else {
            return false;
        };
        let lane_of = |seat| self.terms.sizes.lane_of(seat);
        let states = proving.prepared.take();
        let lanes = match proving.gathered(self.lane, &said, lane_of) {
            Ok(lanes) => lanes,
            Err(missing) => {
                proving.prepared = states;
                self.want_verifiers(now, proving, &said, missing, out);
                return false;
            }
        };
        let vectors = proving.judge(states.unwrap_or_default(), &lanes);
        let kept = entries.iter().zip(vectors);
        let kept = kept.filter_map(|(entry, vector)| Some((*entry, vector?)));
        let (entries, vectors): (Vec<_>, BTreeMap<_, _>) = kept
            .map(|(entry, vector)| (entry, (entry.contributor, vector)))
            .unzip();
        let body = supported
            .support
            .without_refused(&candidates.body, &entries);
        proving.offered.clear();
        proving.prepared = Some(Vec::new());
        proving.remaining = Some(Remaining {
            body,
            entries,
            vectors,
        });
        true
    }

    /// Asks for verifier shares that do not come by themselves: of those who signed them, another each time.
    fn want_verifiers(
        &self,
        now: Instant,
        proving: &mut Proving,
        said: &[Endorsed<Checked>],
        missing: Vec<Lacking>,
        out: &mut Outbox<Committee>,
    ) {
        let Some(at) = proving.ask_at else {
            // They may be on their way.
            proving.ask_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
            return;
        };
        if now < at {
            return;
        }
        proving.ask_at = Some(now + REPEAT);
        for (lane, parts) in missing {
            let turn = proving.asked.get(&lane).copied();
            let after = |seat: usize| turn.is_none_or(|last| seat > last);
            let voters = said[lane].votes.iter();
            let mut seats = voters.map(|(seat, _)| usize::from(*seat));
            let first = seats.clone().next();
            if let Some(seat) = seats.find(|s| after(*s)).or(first) {
                proving.asked.insert(lane, seat);
                proving.may_answer.insert(seat);
                let wanted = Message::VerifiersWanted(self.round(), parts);
                out.send(self.terms.seats[seat], wanted);
            }
        }
    }

    /// Begins the second agreement with what this replica has found.
    fn settle(&mut self, context: &mut Context, now: Instant, out: &mut Outbox<Committee>) {
        let remaining = self.proving.as_ref().and_then(|p| p.remaining.as_ref());
        if let Some(remaining) = remaining {
            let propose = agreement::Command::Propose(remaining.body.bytes());
            for command in [propose, agreement::Command::Start] {
                self.drive(context, now, Matter::Proved, Input::Command(command), out);
            }
        }
    }

    /// Answers the second agreement, now or when this replica has found out for itself.
    pub(super) fn validate_remaining(
        &mut self,
        context: &mut Context,
        now: Instant,
        view: u64,
        value: Digest,
        body: SetBody,
        out: &mut Outbox<Committee>,
    ) {
        let Some(proving) = &mut self.proving else {
            return;
        };
        let answer = match &proving.remaining {
            None => {
                proving.asked_valid = Some((view, value, body));
                return;
            }
            Some(own) if own.body == body => agreement::Command::Valid { view, value },
            Some(_) => agreement::Command::Invalid { view, value },
        };
        self.drive(context, now, Matter::Proved, Input::Command(answer), out);
    }

    /// Who remains, if it is what this body says and known here.
    pub(super) fn remaining(&self, body: &SetBody) -> Option<&[Entry]> {
        let remaining = self.proving.as_ref()?.remaining.as_ref()?;
        (remaining.body == *body).then_some(&remaining.entries)
    }

    /// This lane's share of the vector of one whose proof holds.
    pub(super) fn proved_vector(&self, contributor: NodeId) -> Option<&Vector> {
        let remaining = self.proving.as_ref()?.remaining.as_ref()?;
        remaining.vectors.get(&contributor)
    }

    /// Sends again what the others may have missed of it.
    pub(super) fn prove_again(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if let Some(proving) = &self.proving
            && self.outcome.is_none()
        {
            self.tell_seed(proving, out);
            self.tell_checked(proving, out);
        }
        self.prove(context, now, out);
    }

    /// The seed of the sender's lane.
    pub(super) fn on_seed(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        seed: Seed,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let lane = self.terms.sizes.lane_of(seat);
        let (Some(proving), Some(lanes)) = (&mut self.proving, &self.lanes) else {
            return Ok(());
        };
        let committed = lanes.get(lane).map(|signed| signed.body.seed);
        if committed != Some(seed.commitment()) {
            return Err(Misbehaviour::Seed);
        }
        if proving.seeds[lane].is_none() {
            proving.seeds[lane] = Some(seed);
            self.prove(context, now, out);
        }
        Ok(())
    }

    pub(super) fn on_checked(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        checked: Signed<Checked>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let Some(proving) = &self.proving else {
            return Err(Misbehaviour::Shape);
        };
        if checked.index() != seat {
            return Err(Misbehaviour::Seat);
        }
        if proving.said.has(checked.seat) {
            return Ok(());
        }
        let parts = checked.body.parts.len();
        if parts > proving.parts_of(CONTRIBUTORS_MAX) {
            return Err(Misbehaviour::Shape);
        }
        if let Some(candidates) = &self.candidates {
            if candidates.digest != checked.body.set {
                return Err(Misbehaviour::OtherSet);
            }
            if parts != proving.parts_of(candidates.body.included as usize) {
                return Err(Misbehaviour::Shape);
            }
        }
        checked.check(&self.terms)?;
        let lies = self
            .proving
            .as_ref()
            .is_some_and(|proving| self.is_contradicted(&proving.said, &checked));
        if let Some(proving) = &mut self.proving {
            proving.said.insert(checked);
        }
        self.prove(context, now, out);
        if lies {
            Err(Misbehaviour::Checked)
        } else {
            Ok(())
        }
    }

    /// Forgets what was said of other candidates than those agreed on.
    pub(super) fn forget_other_candidates(&mut self, set: Digest, included: u64) {
        if let Some(proving) = &mut self.proving {
            let parts = proving.parts_of(included as usize);
            proving
                .said
                .retain(|checked| checked.set == set && checked.parts.len() == parts);
        }
    }

    pub(super) fn on_verifiers(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        part: u32,
        verifiers: Verifiers,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let expected = self.shares_place(seat);
        let Some(proving) = &mut self.proving else {
            return Err(Misbehaviour::Shape);
        };
        let part = part as usize;
        if part >= proving.parts_of(CONTRIBUTORS_MAX) || verifiers.len() > proving.part_len() {
            return Err(Misbehaviour::Shape);
        }
        if !expected && !proving.may_answer.contains(&seat) {
            return Err(Misbehaviour::Seat);
        }
        if proving.remaining.is_none() {
            let named = (proofs::digest(&verifiers), verifiers);
            proving.offered.insert((seat, part), named);
            self.prove(context, now, out);
        }
        Ok(())
    }

    pub(super) fn on_verifiers_wanted(
        &mut self,
        now: Instant,
        seat: usize,
        parts: &[u32],
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let Some(mut proving) = self.proving.take() else {
            return Err(Misbehaviour::Shape);
        };
        if proving.answered.is_due(seat, now) {
            let mut parts: Vec<_> = parts.iter().map(|part| *part as usize).collect();
            parts.sort_unstable();
            parts.dedup();
            self.give_verifiers(&proving, self.terms.seats[seat], parts.into_iter(), out);
        }
        self.proving = Some(proving);
        Ok(())
    }
}

#[cfg(test)]
impl Replica {
    /// How many entries the checking of proofs keeps.
    pub(super) fn proving_footprint_for_tests(&self) -> usize {
        self.proving.as_ref().map_or(0, |p| p.offered.len())
    }
}
