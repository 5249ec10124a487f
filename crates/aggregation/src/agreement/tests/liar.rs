//! Liars who share all that any of them knows, and sign, mix and withhold as they like.

use super::*;

/// What the liars propose to seats 0, 1, 4, 5 and what they propose to seats 2, 3, 6.
const SIDES: [&str; 2] = ["good one", "good two"];

/// What the liars have seen, by what it can be used for.
#[derive(Default)]
pub(super) struct Memory {
    values: BTreeMap<Digest, Vec<u8>>,
    /// By phase (whether commit), view and value.
    votes: BTreeMap<(bool, u64, Digest), BTreeMap<u16, Signature>>,
    statements: BTreeMap<u64, BTreeMap<u16, NewView>>,
    /// Prevotes of a quorum.
    certificates: Vec<(Digest, QuorumCertificate)>,
    messages: Vec<Message>,
    /// The vote that an honest leader last asked for: whether commit, view and value.
    asked: Option<(bool, u64, Digest)>,
}

impl Memory {
    pub(super) fn learn(&mut self, from: usize, message: &Message) {
        let seat = from as u16;
        match message {
            Message::Proposal {
                view,
                value,
                justification,
            } => {
                self.asked = Some((false, *view, value_digest(value)));
                self.learn_value(value);
                for (seat, statement) in justification.iter().flat_map(|j| &j.statements) {
                    self.learn_statement(*seat, statement);
                }
                if let Some(certificate) =
                    justification.as_ref().and_then(|j| j.certificate.as_ref())
                {
                    self.certificates
                        .push((value_digest(value), certificate.clone()));
                }
            }
            Message::Prevote(vote) => self.learn_vote(seat, false, vote),
            Message::Commit(vote) => self.learn_vote(seat, true, vote),
            Message::NewView { statement, lock } => {
                self.learn_statement(seat, statement);
                if let Some(lock) = lock {
                    self.learn_value(&lock.value);
                    let name = value_digest(&lock.value);
                    self.certificates.push((name, lock.certificate.clone()));
                }
            }
            Message::Decided(decision) => self.learn_value(&decision.value),
        }
        self.messages.push(message.clone());
    }

    fn learn_value(&mut self, value: &[u8]) {
        self.values.insert(value_digest(value), value.to_vec());
    }

    fn learn_vote(&mut self, seat: u16, commit: bool, vote: &Vote) {
        if !commit {
            self.asked = Some((true, vote.view, vote.value));
        }
        let votes = self
            .votes
            .entry((commit, vote.view, vote.value))
            .or_default();
        votes.insert(seat, vote.signature);
    }

    fn learn_statement(&mut self, seat: u16, statement: &NewView) {
        self.statements
            .entry(statement.view)
            .or_default()
            .insert(seat, statement.clone());
    }
}

impl World {
    fn liars(&self) -> Vec<usize> {
        let liars: BTreeSet<_> = self
            .hosts
            .iter()
            .filter(|(_, host)| host.liar)
            .map(|(face, _)| face.0)
            .collect();
        liars.into_iter().collect()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let bound = u64::try_from(from.len()).unwrap();
        (bound > 0).then(|| from[self.rng.below(bound) as usize].clone())
    }

    /// Something wicked by the liar in `seat` that has heard `message`: half the time what serves a plan, else anything.
    pub(super) fn mischief(&mut self, seat: usize, message: &Message) {
        let next = match message {
            Message::NewView { .. } | Message::Decided(_) => 3,
            Message::Prevote(_) => 4,
            Message::Commit(_) => 5,
            Message::Proposal { .. } => 1,
        };
        let any = self.rng.below(6);
        match if self.chance(500) { next } else { any } {
            0 => self.repeat_something(seat),
            1 => self.vote_for_anything(seat),
            2 => self.claim_anything(seat),
            3 => self.propose_two_values(),
            4 => self.use_votes(false),
            _ => self.use_votes(true),
        }
    }

    /// To some of the honest replicas.
    fn send_some(&mut self, from: usize, message: &Message) {
        for to in 0..self.config.replicas.len() {
            if !self.hosts[&(to, 0)].liar && self.chance(600) {
                self.send(from, to, message.clone());
            }
        }
    }

    /// To the honest replicas who are to believe in this value: the liars show two values to two sides.
    fn send_side(&mut self, from: usize, value: Digest, message: &Message) {
        let side = SIDES
            .iter()
            .position(|bytes| value_digest(bytes.as_bytes()) == value);
        for to in 0..self.config.replicas.len() {
            if !self.hosts[&(to, 0)].liar && side.is_none_or(|side| to / 2 % 2 == side) {
                self.send(from, to, message.clone());
            }
        }
    }

    fn repeat_something(&mut self, seat: usize) {
        let from = self.memory.messages.len().saturating_sub(30);
        let recent = self.memory.messages[from..].to_vec();
        if let Some(message) = self.pick(&recent) {
            self.send_some(seat, &message);
        }
    }

    fn some_value(&mut self) -> Option<(Digest, Vec<u8>)> {
        let values: Vec<_> = self.memory.values.clone().into_iter().collect();
        self.pick(&values)
    }

    fn some_view(&mut self) -> u64 {
        let honest = self.hosts.values().filter(|host| !host.liar);
        let view = honest
            .filter_map(|host| host.agreement.as_ref())
            .map(Agreement::view)
            .max();
        (view.unwrap_or(0) + self.rng.below(3)).saturating_sub(1)
    }

    fn vote_for_anything(&mut self, seat: usize) {
        let Some((value, _)) = self.some_value() else {
            return;
        };
        let anything = (self.chance(500), self.some_view(), value);
        let asked = self.memory.asked.filter(|_| self.rng.below(3) > 0);
        let (commit, view, value) = asked.unwrap_or(anything);
        let phase = if commit {
            Phase::Commit
        } else {
            Phase::Prevote
        };
        let signature = sign(&self.keys[seat], phase, self.config.instance, view, value);
        let vote = Vote {
            view,
            value,
            signature,
        };
        let message = if commit {
            Message::Commit(vote)
        } else {
            Message::Prevote(vote)
        };
        self.send_some(seat, &message);
    }

    fn claim_anything(&mut self, seat: usize) {
        let view = self.some_view() + 1;
        let certificates = self.memory.certificates.clone();
        let known = self.pick(&certificates);
        let claim = match (self.rng.below(3), &known) {
            (0, _) | (_, None) => None,
            (_, Some((value, c))) => Some(Claim {
                view: c.view,
                value: *value,
            }),
        };
        let statement = NewView::sign(&self.keys[seat], self.config.instance, view, claim);
        let lock = known.and_then(|(value, certificate)| {
            let value = self.memory.values.get(&value)?.clone();
            Some(Lock { value, certificate })
        });
        let lock = lock.filter(|_| self.chance(700));
        self.memory.learn_statement(seat as u16, &statement);
        self.send_some(seat, &Message::NewView { statement, lock });
    }

    /// As the leader of some view that a liar leads: each side gets its own value, and some get another one, each with the
    /// justification that the liars can make up for it.
    fn propose_two_values(&mut self) {
        let view = self.some_view();
        let n = self.config.replicas.len();
        let leader = (view % n as u64) as usize;
        if !self.liars().contains(&leader) {
            return;
        }
        for value in SIDES {
            self.memory.learn_value(value.as_bytes());
        }
        let mut values = SIDES.map(|value| value.as_bytes().to_vec()).to_vec();
        if self.chance(300) {
            values.extend(self.some_value().map(|(_, value)| value));
        }
        for value in values {
            let name = value_digest(&value);
            let justification = if view == 0 {
                None
            } else {
                self.make_up(view, name)
            };
            let message = Message::Proposal {
                view,
                value,
                justification,
            };
            self.send_side(leader, name, &message);
        }
    }

    fn make_up(&mut self, view: u64, value: Digest) -> Option<Justification> {
        let mut statements = self
            .memory
            .statements
            .get(&view)
            .cloned()
            .unwrap_or_default();
        for seat in self.liars() {
            let statement = NewView::sign(&self.keys[seat], self.config.instance, view, None);
            statements.insert(seat as u16, statement);
        }
        let mut statements: Vec<_> = statements.into_iter().collect();
        // Those without a claim are the ones that let a leader choose.
        statements.sort_by_key(|(_, statement)| statement.claim.map(|claim| claim.view));
        statements.truncate(self.config.quorum);
        statements.sort_by_key(|(seat, _)| *seat);
        let known = self.memory.certificates.iter();
        let certificates = known.filter(|(name, c)| *name == value && c.view < view);
        let certificate = certificates
            .map(|(_, certificate)| certificate.clone())
            .next_back();
        Some(Justification {
            statements,
            certificate,
        })
    }

    /// Completes votes seen with the liars' own, and shows the votes or the decision to some.
    fn use_votes(&mut self, commit: bool) {
        let votes = self
            .memory
            .votes
            .iter()
            .rev()
            .filter(|(key, _)| key.0 == commit);
        let recent: Vec<_> = votes
            .take(4)
            .map(|(key, votes)| (*key, votes.clone()))
            .collect();
        for ((_, view, value), votes) in recent {
            if let Some(certificate) = self.complete(commit, view, value, votes) {
                self.show(commit, value, certificate);
            }
        }
    }

    fn complete(
        &self,
        commit: bool,
        view: u64,
        value: Digest,
        mut votes: BTreeMap<u16, Signature>,
    ) -> Option<QuorumCertificate> {
        let phase = if commit {
            Phase::Commit
        } else {
            Phase::Prevote
        };
        for seat in self.liars() {
            let signature = sign(&self.keys[seat], phase, self.config.instance, view, value);
            votes.insert(seat as u16, signature);
        }
        let quorum = self.config.quorum;
        let votes: Vec<_> = votes.into_iter().take(quorum).collect();
        (votes.len() == quorum).then_some(QuorumCertificate { view, votes })
    }

    fn show(&mut self, commit: bool, value: Digest, certificate: QuorumCertificate) {
        if !commit {
            self.memory.certificates.push((value, certificate.clone()));
            let view = certificate.view;
            for liar in self.liars() {
                let seat = liar as u16;
                let own = certificate.votes.iter().find(|(of, _)| *of == seat);
                if let Some((_, signature)) = own.copied() {
                    let vote = Vote {
                        view,
                        value,
                        signature,
                    };
                    self.send_side(liar, value, &Message::Prevote(vote));
                }
            }
        } else if let Some(value) = self.memory.values.get(&value).cloned() {
            self.decide_for_one(Decision { value, certificate });
        }
    }

    /// Shows a decision to one replica, which then, if the network is on the liars' side, nobody hears any more.
    fn decide_for_one(&mut self, decision: Decision) {
        let waiting = self
            .hosts
            .values()
            .filter(|host| !host.liar && host.decision.is_none());
        let waiting: Vec<_> = waiting.map(|host| host.seat).collect();
        if let Some(victim) = self.pick(&waiting) {
            self.send(self.liars()[0], victim, Message::Decided(decision));
            if self.weather.treacherous {
                self.weather.cut = vec![victim];
            }
        }
    }
}
