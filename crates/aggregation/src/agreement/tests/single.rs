//! One replica, and what it says to each thing that an honest peer does not send.

use super::*;

const NOW: Instant = Instant::from_secs(1_000_000);

/// A replica under test, with everybody's keys.
struct Bench {
    replica: Agreement,
    keys: Vec<SigningKey>,
    config: Config,
    disk: Vec<u8>,
}

impl Bench {
    /// Replica `seat` of four, quorum three.
    fn new(seat: usize) -> Self {
        let config = config(4, 3);
        let keys = keys(4).0;
        let key = keys[seat].clone();
        let replica = Agreement::new(config.clone(), key.node(), key, None).unwrap();
        Self {
            replica,
            keys,
            config,
            disk: Vec::new(),
        }
    }

    fn restart(&mut self) {
        let (me, key) = (self.replica.me, self.replica.key.clone());
        let state = (!self.disk.is_empty()).then_some(&self.disk[..]);
        self.replica = Agreement::new(self.config.clone(), me, key, state).unwrap();
    }

    fn input(&mut self, now: Instant, input: Input<Agreement>) -> Vec<Output<Agreement>> {
        let mut out = Outbox::new();
        self.replica.handle(now, input, &mut out);
        out.drain().collect()
    }

    fn command(&mut self, command: Command) -> Vec<Output<Agreement>> {
        self.input(NOW, Input::Command(command))
    }

    fn hear(&mut self, from: usize, message: Message) -> Vec<Output<Agreement>> {
        let from = self.config.replicas[from];
        self.input(NOW, Input::Message { from, message })
    }

    /// What is sent once the last state that `outputs` ask to store is stored.
    fn stored(&mut self, outputs: &[Output<Agreement>]) -> Vec<Message> {
        let last = outputs.iter().rev().find_map(|output| match output {
            Output::Event(Event::Persist { number, state }) => Some((*number, state.clone())),
            _ => None,
        });
        let Some((number, state)) = last else {
            return Vec::new();
        };
        self.disk = state;
        sent(&self.command(Command::Persisted(number)))
    }

    fn vote(&self, seat: usize, phase: Phase, view: u64, value: &[u8]) -> Vote {
        let value = value_digest(value);
        let signature = sign(&self.keys[seat], phase, self.config.instance, view, value);
        Vote {
            view,
            value,
            signature,
        }
    }

    fn prevotes(&self, view: u64, value: &[u8]) -> QuorumCertificate {
        let vote = |seat| {
            (
                seat as u16,
                self.vote(seat, Phase::Prevote, view, value).signature,
            )
        };
        QuorumCertificate {
            view,
            votes: [0, 1, 3].map(vote).to_vec(),
        }
    }

    /// A quorum's prevotes come in. What follows from the last of them.
    fn hear_prevotes(&mut self, view: u64, value: &[u8]) -> Vec<Output<Agreement>> {
        let voters = [0, 1, 3].map(|seat| (seat, self.vote(seat, Phase::Prevote, view, value)));
        let heard = voters.map(|(seat, vote)| self.hear(seat, Message::Prevote(vote)));
        heard.into_iter().flatten().collect()
    }

    fn statement(&self, seat: usize, view: u64, claim: Option<Claim>) -> NewView {
        NewView::sign(&self.keys[seat], self.config.instance, view, claim)
    }

    fn justification(&self, view: u64, claim: Option<Claim>) -> Justification {
        let statement = |seat| (seat as u16, self.statement(seat, view, claim));
        Justification {
            statements: (0..3).map(statement).collect(),
            certificate: None,
        }
    }

    #[track_caller]
    fn refuses(&mut self, from: usize, message: Message, fault: Misbehaviour) {
        let before = encode(&self.replica.state);
        let outputs = self.hear(from, message);
        assert_eq!(faults(&outputs), [(self.config.replicas[from], fault)]);
        assert_eq!(
            encode(&self.replica.state),
            before,
            "a refused message changes nothing"
        );
    }
}

/// What is sent to all three others, each once.
fn to_all(sent: &[Message]) -> Vec<Message> {
    let times = |message: &Message| sent.iter().filter(|other| **other == *message).count();
    let mut all: Vec<_> = sent
        .iter()
        .filter(|message| times(message) == 3)
        .cloned()
        .collect();
    all.dedup();
    assert_eq!(all.len() * 3, sent.len(), "{sent:?}");
    all
}

fn sent(outputs: &[Output<Agreement>]) -> Vec<Message> {
    let message = |output: &Output<Agreement>| match output {
        Output::Send { message, .. } => Some(message.clone()),
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

fn faults(outputs: &[Output<Agreement>]) -> Vec<(NodeId, Misbehaviour)> {
    let fault = |output: &Output<Agreement>| match output {
        Output::Event(Event::Misbehaved { node, fault }) => Some((*node, *fault)),
        _ => None,
    };
    outputs.iter().filter_map(fault).collect()
}

fn asked(outputs: &[Output<Agreement>]) -> bool {
    outputs
        .iter()
        .any(|output| matches!(output, Output::Event(Event::Validate { .. })))
}

fn claim(view: u64, value: &[u8]) -> Option<Claim> {
    Some(Claim {
        view,
        value: value_digest(value),
    })
}

fn proposal(view: u64, value: &[u8], justification: Option<Justification>) -> Message {
    Message::Proposal {
        view,
        value: value.to_vec(),
        justification,
    }
}

fn valid(view: u64, value: &[u8]) -> Command {
    Command::Valid {
        view,
        value: value_digest(value),
    }
}

#[test]
fn no_vote_leaves_before_it_is_stored() {
    let mut bench = Bench::new(1);
    assert!(asked(&bench.hear(0, proposal(0, b"good", None))));
    let outputs = bench.command(valid(0, b"good"));
    assert_eq!(sent(&outputs), []);
    let prevote = bench.vote(1, Phase::Prevote, 0, b"good");
    assert_eq!(to_all(&bench.stored(&outputs)), [Message::Prevote(prevote)]);
    let outputs = bench.hear_prevotes(0, b"good");
    assert_eq!(sent(&outputs), []);
    let commit = bench.vote(1, Phase::Commit, 0, b"good");
    assert_eq!(to_all(&bench.stored(&outputs)), [Message::Commit(commit)]);
    let outputs = bench.input(NOW + SECOND, Input::Timer(Deadline));
    assert_eq!(sent(&outputs), []);
}

#[test]
fn a_restart_between_store_and_send_does_not_free_the_vote() {
    let mut bench = Bench::new(1);
    bench.hear(0, proposal(0, b"good one", None));
    let outputs = bench.command(valid(0, b"good one"));
    assert_eq!(to_all(&bench.stored(&outputs)).len(), 1);
    bench.restart();
    // The leader tries another value on the replica that may have forgotten.
    bench.hear(0, proposal(0, b"good two", None));
    let outputs = bench.command(valid(0, b"good two"));
    assert_eq!(bench.stored(&outputs), []);
    // The same value again is welcome.
    bench.restart();
    bench.hear(0, proposal(0, b"good one", None));
    let outputs = bench.command(valid(0, b"good one"));
    let prevote = bench.vote(1, Phase::Prevote, 0, b"good one");
    assert_eq!(to_all(&bench.stored(&outputs)), [Message::Prevote(prevote)]);
}

#[test]
fn a_restart_keeps_the_lock() {
    let mut bench = Bench::new(2);
    bench.hear(0, proposal(0, b"good", None));
    let certificate = bench.prevotes(0, b"good");
    let outputs = bench.hear_prevotes(0, b"good");
    bench.stored(&outputs);
    bench.restart();
    bench.command(Command::Start);
    let outputs = bench.input(NOW + SECOND, Input::Timer(Deadline));
    let statement = bench.statement(2, 1, claim(0, b"good"));
    let plain = Message::NewView {
        statement: statement.clone(),
        lock: None,
    };
    let lock = Some(Lock {
        value: b"good".to_vec(),
        certificate,
    });
    let proven = Message::NewView { statement, lock };
    assert_eq!(bench.stored(&outputs), [plain.clone(), proven, plain]);
}

#[test]
fn a_restart_keeps_the_view_it_promised() {
    let mut bench = Bench::new(1);
    bench.command(Command::Start);
    let outputs = bench.input(NOW + SECOND, Input::Timer(Deadline));
    assert_eq!(bench.stored(&outputs).len(), 3);
    bench.restart();
    let outputs = bench.hear(0, proposal(0, b"good", None));
    assert!(outputs.is_empty());
    // It repeats itself, now and later, until others have moved too.
    for now in [NOW, NOW + SECOND] {
        let input = if now == NOW {
            Input::Command(Command::Start)
        } else {
            Input::Timer(Deadline)
        };
        let outputs = bench.input(now, input);
        assert_eq!(bench.stored(&outputs).len(), 3);
    }
}

#[test]
fn a_leader_does_not_propose_twice_across_a_restart() {
    let mut bench = Bench::new(0);
    let outputs = bench.command(Command::Propose(b"good one".to_vec()));
    assert_eq!(sent(&outputs), []);
    let sent = to_all(&bench.stored(&outputs));
    assert!(matches!(
        &sent[..],
        [Message::Proposal { .. }, Message::Prevote(_)]
    ));
    bench.restart();
    let outputs = bench.command(Command::Propose(b"good two".to_vec()));
    assert!(outputs.is_empty());
}

#[test]
fn an_answer_about_another_value_or_view_is_not_a_vote() {
    let mut bench = Bench::new(1);
    bench.hear(0, proposal(0, b"good", None));
    for answer in [valid(0, b"other"), valid(1, b"good")] {
        assert!(bench.command(answer).is_empty());
    }
    let stale = Command::Invalid {
        view: 1,
        value: value_digest(b"good"),
    };
    assert!(bench.command(stale).is_empty());
}

#[test]
fn prevotes_may_overtake_their_proposal() {
    let mut bench = Bench::new(1);
    let outputs = bench.hear_prevotes(0, b"good");
    assert!(outputs.is_empty());
    let outputs = bench.hear(0, proposal(0, b"good", None));
    let commit = bench.vote(1, Phase::Commit, 0, b"good");
    assert_eq!(to_all(&bench.stored(&outputs)), [Message::Commit(commit)]);
}

#[test]
fn after_the_commit_vote_there_is_no_prevote() {
    let mut bench = Bench::new(2);
    bench.hear(0, proposal(0, b"good", None));
    assert!(!bench.hear_prevotes(0, b"good").is_empty());
    assert!(bench.command(valid(0, b"good")).is_empty());
    assert!(bench.hear_prevotes(0, b"good").is_empty());
}

/// Others may lack just this vote, although this replica has seen enough without it.
#[test]
fn a_vote_that_waits_for_the_disk_leaves_although_its_phase_is_over() {
    let mut bench = Bench::new(2);
    bench.hear(0, proposal(0, b"good", None));
    bench.command(valid(0, b"good"));
    bench.hear_prevotes(0, b"good");
    let commits = [0, 1, 3].map(|seat| (seat, bench.vote(seat, Phase::Commit, 0, b"good")));
    let outputs = commits.map(|(seat, vote)| bench.hear(seat, Message::Commit(vote)));
    let decided = |output: &Output<Agreement>| matches!(output, Output::Event(Event::Decided(_)));
    assert!(outputs[2].iter().any(decided));
    let own = |phase| bench.vote(2, phase, 0, b"good");
    let votes = [own(Phase::Prevote), own(Phase::Commit)];
    let [prevote, commit] = votes;
    assert_eq!(
        to_all(&bench.stored(&outputs[2])),
        [Message::Prevote(prevote), Message::Commit(commit)]
    );
}

#[test]
fn commit_votes_may_overtake_the_proposal() {
    let mut bench = Bench::new(2);
    for seat in [0, 1, 3] {
        let vote = bench.vote(seat, Phase::Commit, 0, b"good");
        assert!(bench.hear(seat, Message::Commit(vote)).is_empty());
    }
    bench.hear(0, proposal(0, b"good", None));
    let decision = bench.replica.decision().expect("a quorum committed");
    assert_eq!(decision.value, b"good");
    assert_eq!(bench.config.check_decision(decision), Ok(()));
}

#[test]
fn an_earlier_certificate_does_not_replace_a_later_lock() {
    // Seat 1 leads view 5 and learns there of a lock of view 3, while it is still in view 0.
    let mut bench = Bench::new(1);
    bench.hear_prevotes(0, b"good");
    let lock = Lock {
        value: b"later".to_vec(),
        certificate: bench.prevotes(3, b"later"),
    };
    let statement = bench.statement(2, 5, claim(3, b"later"));
    bench.hear(
        2,
        Message::NewView {
            statement,
            lock: Some(lock),
        },
    );
    assert!(bench.hear(0, proposal(0, b"good", None)).is_empty());
    // Nor does it go back to a view that the lock proves to be over.
    bench.command(Command::Start);
    let outputs = bench.input(NOW + SECOND, Input::Timer(Deadline));
    let statement = bench.statement(1, 4, claim(3, b"later"));
    let plain = Message::NewView {
        statement,
        lock: None,
    };
    assert!(bench.stored(&outputs).contains(&plain));
}

#[test]
fn strangers_and_usurpers_are_refused() {
    let mut bench = Bench::new(1);
    let stranger = NodeId([9; 32]);
    let input = Input::Message {
        from: stranger,
        message: proposal(0, b"good", None),
    };
    let outputs = bench.input(NOW, input);
    assert_eq!(faults(&outputs), [(stranger, Misbehaviour::NotAReplica)]);
    bench.refuses(2, proposal(0, b"good", None), Misbehaviour::NotTheLeader);
}

#[test]
fn a_leader_is_held_to_one_short_value() {
    let mut bench = Bench::new(1);
    let long = Misbehaviour::TooLong {
        len: 101,
        limit: 100,
    };
    bench.refuses(0, proposal(0, &[b'g'; 101], None), long);
    bench.hear(0, proposal(0, b"good one", None));
    assert!(bench.hear(0, proposal(0, b"good one", None)).is_empty());
    bench.refuses(
        0,
        proposal(0, b"good two", None),
        Misbehaviour::Equivocation,
    );
    // Nor does anybody lock on what was not proposed to it.
    assert!(bench.hear_prevotes(0, b"good two").is_empty());
}

#[test]
fn votes_must_be_the_voters_own_and_for_the_proposal() {
    let mut bench = Bench::new(0);
    let outputs = bench.command(Command::Propose(b"good".to_vec()));
    bench.stored(&outputs);
    let other = bench.vote(1, Phase::Prevote, 0, b"other");
    bench.refuses(1, Message::Prevote(other), Misbehaviour::UnknownValue);
    let stolen = bench.vote(2, Phase::Prevote, 0, b"good");
    bench.refuses(1, Message::Prevote(stolen.clone()), Misbehaviour::Signature);
    let wrong_phase = bench.vote(1, Phase::Commit, 0, b"good");
    bench.refuses(1, Message::Prevote(wrong_phase), Misbehaviour::Signature);
    bench.refuses(2, Message::Commit(stolen), Misbehaviour::Signature);
    let elsewhere = Vote {
        signature: sign(
            &bench.keys[1],
            Phase::Prevote,
            Digest::of("another instance", &[]),
            0,
            value_digest(b"good"),
        ),
        ..bench.vote(1, Phase::Prevote, 0, b"good")
    };
    bench.refuses(1, Message::Prevote(elsewhere), Misbehaviour::Signature);
    let earlier = bench.vote(1, Phase::Prevote, 7, b"good");
    let relabelled = Vote { view: 0, ..earlier };
    bench.refuses(1, Message::Prevote(relabelled), Misbehaviour::Signature);
}

#[test]
fn one_vote_counts_once() {
    let mut bench = Bench::new(0);
    let outputs = bench.command(Command::Propose(b"good".to_vec()));
    bench.stored(&outputs);
    let vote = bench.vote(1, Phase::Prevote, 0, b"good");
    for _ in 0..5 {
        assert!(bench.hear(1, Message::Prevote(vote.clone())).is_empty());
    }
    let vote = bench.vote(2, Phase::Prevote, 0, b"good");
    let outputs = bench.hear(2, Message::Prevote(vote));
    let sent = to_all(&bench.stored(&outputs));
    assert!(matches!(&sent[..], [Message::Commit(_)]), "{sent:?}");
}

#[test]
fn certificates_must_prove_what_they_come_with() {
    let mut bench = Bench::new(1);
    let certificate = bench.prevotes(0, b"good");
    let decided = |value: &[u8], certificate| {
        let value = value.to_vec();
        Message::Decided(Decision { value, certificate })
    };
    let short = QuorumCertificate {
        view: 0,
        votes: certificate.votes.iter().take(2).cloned().collect(),
    };
    let count = CertificateError::Count {
        votes: 2,
        quorum: 3,
    };
    let fault = Misbehaviour::Certificate(count);
    bench.refuses(3, decided(b"good", short), fault);
    // Prevotes are not commit votes.
    let signature = Misbehaviour::Certificate(CertificateError::Signature(0));
    bench.refuses(3, decided(b"good", certificate), signature);
    let fault = Misbehaviour::TooLong {
        len: 101,
        limit: 100,
    };
    let long = bench.prevotes(0, &[0; 101]);
    bench.refuses(3, decided(&[0; 101], long), fault);
}

#[test]
fn later_views_need_a_quorum_that_moved_there() {
    let mut bench = Bench::new(2);
    let unjustified = Misbehaviour::Unjustified;
    bench.refuses(1, proposal(1, b"good", None), unjustified);
    let good = bench.justification(1, None);
    let other_view = bench.justification(5, None);
    bench.refuses(1, proposal(1, b"good", Some(other_view)), unjustified);
    let mut few = good.clone();
    few.statements.pop();
    let count = CertificateError::Count {
        votes: 2,
        quorum: 3,
    };
    bench.refuses(
        1,
        proposal(1, b"good", Some(few)),
        Misbehaviour::Certificate(count),
    );
    let mut twice = good.clone();
    twice.statements[1] = twice.statements[0].clone();
    let order = Misbehaviour::Certificate(CertificateError::Order);
    bench.refuses(1, proposal(1, b"good", Some(twice)), order);
    let mut forged = good.clone();
    forged.statements[1].1 = bench.statement(3, 1, None);
    bench.refuses(
        1,
        proposal(1, b"good", Some(forged)),
        Misbehaviour::Signature,
    );
    bench.refuses(0, proposal(0, b"good", Some(good.clone())), unjustified);
    assert!(asked(&bench.hear(1, proposal(1, b"good", Some(good)))));
}

/// The leader of a later view need not repeat what all have heard; and cannot use what they have not.
#[test]
fn statements_that_were_heard_justify_a_proposal() {
    let brief = |certificate| {
        let statements = Vec::new();
        Some(Justification {
            statements,
            certificate,
        })
    };
    let new_view = |statement| Message::NewView {
        statement,
        lock: None,
    };
    for locked in [false, true] {
        let mut bench = Bench::new(2);
        bench.command(Command::Start);
        assert!(!asked(&bench.hear(1, proposal(1, b"good", brief(None)))));
        for seat in [0, 1] {
            let claim = claim(0, b"other").filter(|_| locked && seat == 0);
            let statement = bench.statement(seat, 1, claim);
            assert!(!asked(&bench.hear(seat, new_view(statement))));
        }
        // A claim that the proposal passes over does not count for it.
        let statement = bench.statement(2, 1, None);
        assert_eq!(asked(&bench.hear(2, new_view(statement))), !locked);
        let statement = bench.statement(3, 1, None);
        assert_eq!(asked(&bench.hear(3, new_view(statement))), locked);
    }
    let mut bench = Bench::new(2);
    let passes = Misbehaviour::PassesOverLock;
    let future = bench.prevotes(1, b"good");
    bench.refuses(1, proposal(1, b"good", brief(Some(future))), passes);
    let other = bench.prevotes(0, b"other");
    let signature = Misbehaviour::Certificate(CertificateError::Signature(0));
    bench.refuses(1, proposal(1, b"good", brief(Some(other))), signature);
    let none = CertificateError::Count {
        votes: 0,
        quorum: 3,
    };
    let none = Misbehaviour::Certificate(none);
    bench.refuses(0, proposal(0, b"good", brief(None)), none);
    // Proposals that wait are few, and those of the next views.
    for view in [101, 97, 9, 41, 5, 33, 13, 1] {
        bench.hear(1, proposal(view, b"good", brief(None)));
    }
    let waiting: Vec<_> = bench.replica.unjustified.keys().copied().collect();
    assert_eq!(waiting, [1, 5, 9, 13]);
}

#[test]
fn a_leader_gives_its_statements_to_who_lacks_them() {
    let mut late = Bench::new(2);
    late.command(Command::Start);
    let outputs = late.input(NOW + SECOND, Input::Timer(Deadline));
    late.stored(&outputs);
    let mut leader = Bench::new(1);
    leader.command(Command::Propose(b"good".to_vec()));
    let mut said = Vec::new();
    for seat in [0, 1, 3] {
        let statement = leader.statement(seat, 1, None);
        let lock = None;
        let outputs = leader.hear(seat, Message::NewView { statement, lock });
        said.extend(leader.stored(&outputs));
    }
    let is_proposal = |m: &&Message| matches!(m, Message::Proposal { .. });
    let brief = said
        .iter()
        .find(is_proposal)
        .expect("a quorum moved")
        .clone();
    assert!(!asked(&late.hear(1, brief)));
    // What it has not heard in time it asks for, once, and is told.
    let at = NOW + SECOND / 4;
    let asks = sent(&late.input(at, Input::Timer(Deadline)));
    assert_eq!(asks.len(), 1);
    assert!(sent(&late.input(at, Input::Timer(Deadline))).is_empty());
    // Its first statement may have been lost as well.
    leader.hear(2, asks[0].clone());
    let answer = sent(&leader.hear(2, asks[0].clone()));
    assert_eq!(answer.len(), 1);
    assert!(asked(&late.hear(1, answer[0].clone())));
    assert!(
        sent(&leader.hear(2, asks[0].clone())).is_empty(),
        "not for the asking"
    );
}

#[test]
fn a_leader_cannot_pass_over_a_lock() {
    let mut bench = Bench::new(2);
    let passes = Misbehaviour::PassesOverLock;
    let mut claimed = bench.justification(5, None);
    claimed.statements[1].1 = bench.statement(1, 5, claim(2, b"locked"));
    bench.refuses(1, proposal(5, b"good", Some(claimed.clone())), passes);
    let older = Some(bench.prevotes(1, b"good"));
    let message = proposal(
        5,
        b"good",
        Some(Justification {
            certificate: older,
            ..claimed.clone()
        }),
    );
    bench.refuses(1, message, passes);
    let future = Some(bench.prevotes(5, b"good"));
    let message = proposal(
        5,
        b"good",
        Some(Justification {
            certificate: future,
            ..claimed.clone()
        }),
    );
    bench.refuses(1, message, passes);
    let other = Some(bench.prevotes(2, b"locked"));
    let message = proposal(
        5,
        b"good",
        Some(Justification {
            certificate: other,
            ..claimed.clone()
        }),
    );
    let signature = Misbehaviour::Certificate(CertificateError::Signature(0));
    bench.refuses(1, message, signature);
    // The locked value itself is accepted without asking: a quorum has found it valid.
    let proof = Some(bench.prevotes(2, b"locked"));
    let message = proposal(
        5,
        b"locked",
        Some(Justification {
            certificate: proof,
            ..claimed
        }),
    );
    let outputs = bench.hear(1, message);
    assert!(!asked(&outputs));
    let prevote = bench.vote(2, Phase::Prevote, 5, b"locked");
    assert_eq!(to_all(&bench.stored(&outputs)), [Message::Prevote(prevote)]);
}

#[test]
fn claims_must_be_possible_and_proven_to_the_leader() {
    // Seat 1 leads view 1, 5 and 9.
    let mut bench = Bench::new(1);
    let new_view = |statement: NewView, lock| Message::NewView { statement, lock };
    let impossible = Misbehaviour::ImpossibleClaim;
    bench.refuses(2, new_view(bench.statement(2, 0, None), None), impossible);
    bench.refuses(
        2,
        new_view(bench.statement(2, 5, claim(5, b"good")), None),
        impossible,
    );
    let statement = bench.statement(2, 5, claim(3, b"good"));
    bench.refuses(
        2,
        new_view(statement.clone(), None),
        Misbehaviour::UnprovenClaim,
    );
    let older = Lock {
        value: b"good".to_vec(),
        certificate: bench.prevotes(2, b"good"),
    };
    bench.refuses(
        2,
        new_view(statement.clone(), Some(older)),
        Misbehaviour::UnprovenClaim,
    );
    let other = Lock {
        value: b"other".to_vec(),
        certificate: bench.prevotes(3, b"good"),
    };
    let signature = Misbehaviour::Certificate(CertificateError::Signature(0));
    bench.refuses(2, new_view(statement.clone(), Some(other)), signature);
    bench.refuses(
        3,
        new_view(statement.clone(), None),
        Misbehaviour::Signature,
    );
    let proof = Lock {
        value: b"good".to_vec(),
        certificate: bench.prevotes(3, b"good"),
    };
    assert!(faults(&bench.hear(2, new_view(statement, Some(proof)))).is_empty());
    let second = bench.statement(2, 5, None);
    bench.refuses(2, new_view(second, None), Misbehaviour::Equivocation);
}

#[test]
fn one_liar_moves_nobody_and_fills_nothing() {
    let mut bench = Bench::new(2);
    bench.command(Command::Start);
    for view in (1..1000).chain([u64::MAX - 1, u64::MAX]) {
        let statement = bench.statement(3, view, None);
        assert!(
            sent(&bench.hear(
                3,
                Message::NewView {
                    statement,
                    lock: None
                }
            ))
            .is_empty()
        );
    }
    assert_eq!(
        (bench.replica.view(), bench.replica.statements.len()),
        (0, 1)
    );
    // With one honest statement it is two, so one of them is honest.
    let statement = bench.statement(0, 6, None);
    bench.hear(
        0,
        Message::NewView {
            statement,
            lock: None,
        },
    );
    assert_eq!(bench.replica.view(), 6);
}

#[test]
fn the_end_of_all_views_is_no_panic() {
    let mut bench = Bench::new(2);
    bench.command(Command::Start);
    for seat in [0, 1, 3] {
        let statement = bench.statement(seat, u64::MAX, None);
        let outputs = bench.hear(
            seat,
            Message::NewView {
                statement,
                lock: None,
            },
        );
        bench.stored(&outputs);
    }
    for hour in 1..5 {
        bench.input(
            NOW + Duration::from_secs(3600 * hour),
            Input::Timer(Deadline),
        );
    }
    assert_eq!(bench.replica.view(), u64::MAX);
}

#[test]
fn the_late_are_told_the_decision_but_not_for_the_asking() {
    let mut bench = Bench::new(1);
    let vote = |seat| {
        (
            seat as u16,
            bench.vote(seat, Phase::Commit, 0, b"good").signature,
        )
    };
    let certificate = QuorumCertificate {
        view: 0,
        votes: (0..3).map(vote).collect(),
    };
    let decision = Decision {
        value: b"good".to_vec(),
        certificate,
    };
    bench.hear(3, Message::Decided(decision.clone()));
    let statement = bench.statement(2, 4, None);
    let late = Message::NewView {
        statement,
        lock: None,
    };
    assert_eq!(
        sent(&bench.hear(2, late.clone())),
        [Message::Decided(decision.clone())]
    );
    assert_eq!(sent(&bench.hear(2, late.clone())), []);
    let from = bench.config.replicas[2];
    let outputs = bench.input(
        NOW + SECOND,
        Input::Message {
            from,
            message: late,
        },
    );
    assert_eq!(sent(&outputs), [Message::Decided(decision)]);
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let (keys, nodes) = keys(4);
    let start = |config: Config, state: Option<&[u8]>| {
        Agreement::new(config, nodes[0], keys[0].clone(), state).err()
    };
    for quorum in [0, 2, 5] {
        let error = ConfigError::Quorum { n: 4, quorum };
        assert_eq!(start(config(4, quorum), None), Some(error));
    }
    let mut repeated = config(4, 3);
    repeated.replicas[2] = repeated.replicas[1];
    assert_eq!(start(repeated, None), Some(ConfigError::Repeated));
    let mut without = config(4, 3);
    without.replicas.remove(0);
    assert_eq!(start(without, None), Some(ConfigError::NoSeat));
    assert_eq!(
        start(config(4, 3), Some(b"noise")),
        Some(ConfigError::State)
    );
    assert_eq!(start(config(4, 3), Some(&[])), Some(ConfigError::State));
}

#[test]
fn a_damaged_or_foreign_state_is_refused() {
    let mut bench = Bench::new(2);
    bench.hear(0, proposal(0, b"good", None));
    let outputs = bench.hear_prevotes(0, b"good");
    bench.stored(&outputs);
    bench.command(Command::Start);
    let outputs = bench.input(NOW + SECOND, Input::Timer(Deadline));
    bench.stored(&outputs);
    let restore = |config: Config, state: &State| {
        let key = keys(4).0[2].clone();
        Agreement::new(config, key.node(), key, Some(&encode(state))).err()
    };
    let good: State = decode(&bench.disk, bench.disk.len()).unwrap();
    assert_eq!(restore(config(4, 3), &good), None);
    let foreign = Config {
        instance: Digest([0; 32]),
        ..config(4, 3)
    };
    assert_eq!(restore(foreign, &good), Some(ConfigError::State));
    let mut other_view = good.clone();
    other_view.view += 1;
    let mut no_statement = good.clone();
    no_statement.statement = None;
    let mut other_value = good.clone();
    other_value.lock.as_mut().unwrap().value = b"other".to_vec();
    let mut undecided = good.clone();
    undecided.decision = good.lock.map(|lock| Decision {
        value: lock.value,
        certificate: lock.certificate,
    });
    for bad in [other_view, no_statement, other_value, undecided] {
        assert_eq!(restore(config(4, 3), &bad), Some(ConfigError::State));
    }
}
