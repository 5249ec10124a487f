//! What liars make of what they hear and say.

use aggregation::agreement::{self, value_digest};
use aggregation::committee::{Bundle, LaneCount, LaneSum, Message, Seed, Signed};
use base::{Digest, NodeId};

use super::liar::Liar;
use super::player::Player;
use super::setting::NUMBER_MAX;

/// Most messages that a liar remembers.
const MEMORY_MAX: usize = 64;
/// Most proposals of one leader that its friends remember: more than it leads views.
const PROPOSALS_MAX: usize = 64;
/// Of so many messages a liar that says everything again adds one.
const REPLAYS: u64 = 3;

/// What is heard.
impl Player {
    pub(super) fn remember(&mut self, message: &Message) {
        if self.lies == Some(Liar::Replays) && !matches!(message, Message::LaneSecret(..)) {
            if self.state.memory.len() >= MEMORY_MAX {
                self.state.memory.remove(0);
            }
            self.state.memory.push(message.clone());
        }
    }

    /// What this face hears of a message.
    pub(super) fn heard_by(
        &mut self,
        face: usize,
        from: NodeId,
        message: &Message,
    ) -> Option<Message> {
        let two_faced = self.faces.len() > 1;
        if two_faced && self.friends.contains(&from) && !self.is_meant(face, from, message) {
            return None;
        }
        let leaves_out = match self.lies {
            Some(Liar::TwoSets) => face == 1,
            Some(Liar::LeavesOut) => true,
            _ => false,
        };
        if leaves_out {
            self.without_victim(from, message)
        } else {
            Some(message.clone())
        }
    }

    /// Each of two faces votes for one of the two sets that a friend proposes.
    fn is_meant(&mut self, face: usize, from: NodeId, message: &Message) -> bool {
        use agreement::Message as Agreement;
        let value = match message {
            Message::Support(support) => Some(support.set),
            Message::Agreement(_, message) => match &**message {
                Agreement::Proposal { value, .. } => Some(value_digest(value)),
                Agreement::Decided(decision) => Some(value_digest(&decision.value)),
                // Votes go to all: each face hears those for its own set.
                Agreement::Prevote(vote) | Agreement::Commit(vote) => {
                    let mut known = self.state.proposals.values();
                    let place = known.find_map(|of| of.iter().position(|one| *one == vote.value));
                    return place.is_none_or(|at| at % 2 == face);
                }
                Agreement::NewView { .. } => None,
            },
            _ => None,
        };
        value.is_none_or(|value| self.place_of(from, value).is_none_or(|at| at % 2 == face))
    }

    /// Notes which set a face of this node proposes.
    fn note_own(&mut self, face: usize, message: &Message) {
        if let Message::Agreement(_, message) = message
            && let agreement::Message::Proposal { value, .. } = &**message
        {
            let (own, value) = (self.node(), value_digest(value));
            let known = self.state.proposals.entry(own).or_default();
            if known.len() == face && !known.contains(&value) {
                known.push(value);
            }
        }
    }

    fn place_of(&mut self, leader: NodeId, value: Digest) -> Option<usize> {
        let known = self.state.proposals.entry(leader).or_default();
        let place = known.iter().position(|one| *one == value);
        if place.is_none() && known.len() < PROPOSALS_MAX {
            known.push(value);
            return Some(known.len() - 1);
        }
        place
    }

    /// Nothing of the victim, nor of lane mates that would be enough to have it in.
    fn without_victim(&self, from: NodeId, message: &Message) -> Option<Message> {
        match message {
            Message::Bundle(..) if Some(from) == self.victim => None,
            Message::Forward(round, items, way) => {
                let mut items = items.clone();
                items.retain(|item| Some(item.header.node()) != self.victim);
                Some(Message::Forward(*round, items, *way))
            }
            Message::Holdings(_) if self.is_one_mate_too_many(from) => None,
            message => Some(message.clone()),
        }
    }

    fn is_one_mate_too_many(&self, from: NodeId) -> bool {
        let sizes = self.terms.sizes;
        let own = self.terms.seat(self.node()).map(|seat| sizes.lane_of(seat));
        let Some(lane) = own else { return false };
        let mates = self.terms.replicas(lane).iter();
        let others = mates.filter(|mate| **mate != self.node());
        // With this one's own word they are as many as a leader must use.
        let place = others.into_iter().position(|mate| *mate == from);
        let used = (2 * sizes.signers - 1).min(sizes.replicas);
        place.is_some_and(|place| place + 1 >= usize::from(used))
    }
}

/// What is said.
impl Player {
    /// What leaves this node instead of `message` to `to`.
    pub(super) fn said_by(
        &mut self,
        face: usize,
        to: NodeId,
        message: Message,
    ) -> Vec<(NodeId, Message)> {
        let Some(liar) = self.lies else {
            return vec![(to, message)];
        };
        if liar == Liar::TwoSets {
            self.note_own(face, &message);
        }
        let even = to.0[0].is_multiple_of(2);
        let said = match (liar, message) {
            (Liar::Mute, _) | (Liar::Keeps, Message::Forward(..)) => None,
            (Liar::HalfPasses, Message::Forward(..)) if even => None,
            (Liar::WrongSum, Message::Sum(mut sum)) => {
                self.missum(&mut sum.sum);
                Some(Message::Sum(sum))
            }
            (Liar::WrongPart, Message::Part(round, mut sum)) => {
                self.missum(&mut sum.sum);
                Some(Message::Part(round, sum))
            }
            (Liar::FalseCry, Message::Checked(checked)) => {
                let mut body = checked.body.clone();
                body.parts.iter_mut().for_each(|part| part.0[0] ^= 1);
                let checked = Signed::new(&self.key, checked.index(), body);
                Some(Message::Checked(Box::new(checked)))
            }
            (Liar::FalseCry, Message::Verifiers(round, part, mut verifiers)) => {
                verifiers[0] = None;
                Some(Message::Verifiers(round, part, verifiers))
            }
            (Liar::TellsSeed, Message::LaneSecret(round, secret)) => {
                let seed = Seed::of(round, &secret);
                let all = self.terms.seats.iter().chain(self.victim.as_ref());
                let told = all.map(|node| (*node, Message::Seed(round, seed.clone())));
                let mut said: Vec<_> = told.filter(|(node, _)| *node != self.node()).collect();
                said.push((to, Message::LaneSecret(round, secret)));
                return said;
            }
            (Liar::OutOfRange, Message::Bundle(round, bundle)) => {
                let bundle = self.out_of_range().unwrap_or(*bundle);
                Some(Message::Bundle(round, Box::new(bundle)))
            }
            (Liar::WrongCount, Message::Count(count)) => Some(self.miscount(*count)),
            (Liar::TwoCounts, Message::Count(count)) if even => Some(self.miscount(*count)),
            (Liar::TwoSets, message) => self.for_one_half(face, to, message),
            (Liar::Replays, message) => return self.with_replay(to, message),
            (liar, Message::Bundle(round, bundle)) if liar.contributes() => {
                return self.mangled(to, round, bundle);
            }
            (_, message) => Some(message),
        };
        said.map(|message| (to, message)).into_iter().collect()
    }

    fn missum(&self, sum: &mut Signed<LaneSum>) {
        let mut body = sum.body.clone();
        bend(&mut body.0.sums);
        *sum = Signed::new(&self.key, sum.index(), body);
    }

    fn miscount(&self, count: Signed<LaneCount>) -> Message {
        let mut body = count.body.clone();
        bend(&mut body.0.sums);
        Message::Count(Box::new(Signed::new(&self.key, count.index(), body)))
    }

    /// Each face speaks to its half of the honest helpers, and to all friends, of what depends on the set; of all else one of
    /// them speaks.
    fn for_one_half(&self, face: usize, to: NodeId, message: Message) -> Option<Message> {
        let half = match message {
            Message::Holdings(_)
            | Message::Support(_)
            | Message::Agreement(..)
            | Message::Settlement(..)
            | Message::Checked(_)
            | Message::Count(_) => self.terms.seat(to).map(|seat| seat % 2),
            Message::Sum(_) | Message::Denied(_) => None,
            Message::SharesWanted(..)
            | Message::SecretWanted(_)
            | Message::SupportWanted(..)
            | Message::ReasonsWanted(..)
            | Message::Supplement(..)
            | Message::ListWanted(_)
            | Message::List(_) => None,
            _ => Some(0),
        };
        let is_spoken_to = half.is_none_or(|half| half == face) || self.friends.contains(&to);
        is_spoken_to.then_some(message)
    }

    /// Something old besides, sometimes: as it was, or in another computation.
    fn with_replay(&mut self, to: NodeId, message: Message) -> Vec<(NodeId, Message)> {
        self.remember(&message);
        let memory = &self.state.memory;
        let mut said = vec![(to, message)];
        if self.rng.below(REPLAYS) == 0 && !memory.is_empty() {
            let old = memory[self.rng.below(memory.len() as u64) as usize].clone();
            let old = match old {
                Message::Agreement(_, message) if self.rng.below(2) == 0 => {
                    Message::Agreement(Digest::of("another computation", &[]), message)
                }
                old => old,
            };
            said.push((to, old));
        }
        said
    }

    /// One who matches with five times the greatest number, where that has to be proved.
    fn out_of_range(&mut self) -> Option<Bundle> {
        let (terms, keys) = self.state.contributing.clone()?;
        terms.proof.as_ref()?;
        let numbers = [1, 5 * NUMBER_MAX];
        let bundle = Bundle::lying(&self.identity, &terms, &keys, &numbers, &mut self.rng);
        Some(bundle)
    }

    /// A contribution as a lying contributor hands it over.
    fn mangled(
        &mut self,
        to: NodeId,
        round: Digest,
        bundle: Box<Bundle>,
    ) -> Vec<(NodeId, Message)> {
        let (mut first, mut second) = (bundle.clone(), None);
        let lanes = bundle.sealed.len();
        for lane in 0..lanes {
            match self.lies {
                Some(Liar::HalfSent) if lane >= lanes / 2 => {
                    first.sealed[lane] = Vec::new().into();
                }
                Some(Liar::BrokenShare) if lane == 0 => flip(&mut first.sealed[lane]),
                Some(Liar::Garbage) => {
                    let mut random = vec![0; bundle.sealed[lane].len()];
                    let bytes = random.iter_mut();
                    bytes.for_each(|byte| *byte = self.rng.below(256) as u8);
                    first.sealed[lane] = random.into();
                }
                Some(Liar::Halves) => {
                    let second = second.get_or_insert_with(|| bundle.clone());
                    let broken = if lane < lanes / 2 { second } else { &mut first };
                    flip(&mut broken.sealed[lane]);
                }
                _ => {}
            }
        }
        let others: Vec<_> = self
            .terms
            .seats
            .iter()
            .filter(|seat| **seat != to)
            .collect();
        let other = *others[self.rng.below(others.len() as u64) as usize];
        let mut said = vec![(to, Message::Bundle(round, first))];
        said.extend(second.map(|second| (other, Message::Bundle(round, second))));
        said
    }
}

fn flip(sealed: &mut [u8]) {
    if let Some(last) = sealed.last_mut() {
        *last ^= 1;
    }
}

/// Another element of the field.
fn bend(sums: &mut [u64]) {
    let last = sums.last_mut().expect("a total has numbers");
    *last = if *last == 0 { 1 } else { *last - 1 };
}
