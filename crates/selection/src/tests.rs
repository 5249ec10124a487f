//! Whole draws between nodes in memory, honest and not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{
    Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol, Rng, decode, encode,
};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use overlay::NodeCache;

use crate::fault::Refusal;
use crate::message::Message;
use crate::protocol::Timer;
use crate::random::point_of;
use crate::{ActorList, Announced, Command, Event, Failure, Misbehaviour, Rules, Selection};

const START: Instant = Instant::from_secs(1_800_000_000);
const LATENCY: Duration = Duration::from_millis(20);

type Tamper = Box<dyn FnMut(NodeId, NodeId, &mut Message)>;

/// Nodes of one community and the network between them.
struct Net {
    now: Instant,
    rules: Rules,
    contacts: BTreeMap<NodeId, Arc<Contact>>,
    identities: BTreeMap<NodeId, Arc<Identity>>,
    nodes: BTreeMap<NodeId, Selection>,
    dead: BTreeSet<NodeId>,
    queue: BTreeMap<(Instant, u64), (NodeId, Input<Selection>)>,
    sent: u64,
    tamper: Tamper,
    events: Vec<(NodeId, Event)>,
}

fn digest(number: u8) -> Digest {
    Digest([number; 32])
}

impl Net {
    /// `nodes` members of a community with three colluders who all know each other.
    fn new(nodes: u64) -> Self {
        Self::with(nodes, |_| {})
    }

    fn with(nodes: u64, change: impl FnOnce(&mut Descriptor)) -> Self {
        let mut rng = Rng::from_number(nodes);
        let authority = SigningKey::generate(&mut rng);
        let mut descriptor = Descriptor {
            epoch: 1,
            name: "test".into(),
            community: Descriptor::community_of("test", authority.node()),
            authority: authority.node(),
            enrolment: vec![],
            nodes,
            colluders: 3,
            alpha: 1e-6,
            offline_permille: 50,
            min_crowd: 1,
            padding_allowance: 0,
            draws_per_period: 16,
            period_secs: 3600,
            vocabulary: vec![],
            revoked: vec![],
        };
        change(&mut descriptor);
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("a possible community");
        let community = Arc::new(Community::open(signed).expect("it was just signed"));
        let rules = Rules::new(community).expect("a table exists");
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: START - Duration::from_secs(60),
            valid_until: START + Duration::from_secs(86_400),
        };
        let mut contacts = BTreeMap::new();
        let mut identities = BTreeMap::new();
        for _ in 0..nodes {
            let (key, vrf, request) = draw_keys(&descriptor.community, &mut rng);
            let certificate = enrol(&authority, &descriptor, &request, terms, &mut rng)
                .expect("the request proves possession");
            let contact = Contact::new(&key, certificate.clone(), vec![], START);
            contacts.insert(key.node(), Arc::new(contact));
            let identity = Arc::new(Identity {
                key,
                vrf,
                certificate,
            });
            identities.insert(identity.node(), identity);
        }
        let new = |identity: &Arc<Identity>| Selection::new(Arc::clone(identity), rules.clone());
        let nodes = identities
            .iter()
            .map(|(node, identity)| (*node, new(identity)))
            .collect();
        let mut net = Self {
            now: START,
            rules,
            contacts,
            nodes,
            identities,
            dead: BTreeSet::new(),
            queue: BTreeMap::new(),
            sent: 0,
            tamper: Box::new(|_, _, _| {}),
            events: Vec::new(),
        };
        let everybody: Vec<_> = net.contacts.values().cloned().collect();
        for node in net.names() {
            for contact in &everybody {
                net.give(node, Command::Know(Arc::clone(contact)));
            }
        }
        net
    }

    fn names(&self) -> Vec<NodeId> {
        self.nodes.keys().copied().collect()
    }

    fn trigger(&self) -> NodeId {
        self.names()[0]
    }

    fn cache(&self) -> NodeCache {
        let mut cache = NodeCache::new();
        for contact in self.contacts.values() {
            cache.insert(Arc::clone(contact));
        }
        cache
    }

    /// The k nodes that must witness the trigger's draw.
    fn witnesses(&self) -> Vec<NodeId> {
        let trigger = self.trigger();
        let centre = self.contacts[&trigger].location();
        let found = self
            .rules
            .legitimate(&self.cache(), centre, |node| node != trigger);
        let found = found.expect("enough nodes");
        found.iter().map(|contact| contact.node()).collect()
    }

    fn give(&mut self, node: NodeId, command: Command) {
        self.handle(node, Input::Command(command));
    }

    fn announce_to(&mut self, node: NodeId, question: Digest, seats: u32, opens_at: Instant) {
        let announced = Announced {
            trigger: self.trigger(),
            seats,
            opens_at,
        };
        self.give(node, Command::Announce(question, announced));
    }

    fn announce(&mut self, question: Digest, seats: u32) {
        for node in self.names() {
            self.announce_to(node, question, seats, START);
        }
    }

    /// Draws and runs to the end; how it ended at the trigger.
    fn draw(&mut self, question: Digest, seats: u32) -> Result<ActorList, Failure> {
        self.give(self.trigger(), Command::Draw(question, seats));
        let limit = self.now + Duration::from_secs(120);
        while let Some(((at, _), (node, input))) = self.queue.pop_first() {
            assert!(at < limit, "a draw ends within two minutes");
            self.now = self.now.max(at);
            self.handle(node, input);
            let place = self.events.iter().position(|(_, event)| {
                matches!(event, Event::Drawn(_)) || matches!(event, Event::Failed(..))
            });
            match place.map(|place| self.events.remove(place).1) {
                Some(Event::Drawn(list)) => return Ok(*list),
                Some(Event::Failed(of, why)) => {
                    assert_eq!(of, question);
                    return Err(why);
                }
                _ => {}
            }
        }
        panic!("the draw neither ends nor goes on");
    }

    fn handle(&mut self, node: NodeId, input: Input<Selection>) {
        if self.dead.contains(&node) {
            return;
        }
        let mut out = Outbox::new();
        let selection = self.nodes.get_mut(&node).expect("a member");
        selection.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, mut message } => {
                    (self.tamper)(node, to, &mut message);
                    let bytes = encode(&message);
                    let message = decode(&bytes, 1 << 22).expect("what is sent can be read");
                    self.push(
                        to,
                        LATENCY,
                        Input::Message {
                            from: node,
                            message,
                        },
                    );
                }
                Output::Wake { at, timer } => {
                    let wait = at.since(self.now);
                    self.push(node, wait, Input::Timer(timer));
                }
                Output::Event(event) => self.events.push((node, event)),
            }
        }
    }

    fn push(&mut self, to: NodeId, wait: Duration, input: Input<Selection>) {
        self.sent += 1;
        self.queue.insert((self.now + wait, self.sent), (to, input));
    }

    fn accused(&self) -> Vec<(NodeId, NodeId, Misbehaviour)> {
        let accusation = |(by, event): &(NodeId, Event)| match event {
            Event::Misbehaved { node, what } => Some((*by, *node, *what)),
            _ => None,
        };
        self.events.iter().filter_map(accusation).collect()
    }

    fn check(&self, list: &ActorList, question: Digest, seats: usize) {
        list.verify(&self.rules, self.now, question)
            .expect("the list holds");
        let distinct: BTreeSet<_> = list.actors().iter().collect();
        assert_eq!(distinct.len(), seats);
        assert!(!distinct.contains(&self.trigger()));
        assert_eq!(list.checks(), 2 * list.builders.len());
        assert_eq!(list.body.draw.trigger, self.trigger());
    }
}

#[test]
fn honest_nodes_draw_a_list_that_anyone_can_check() {
    for nodes in [13, 40, 200] {
        let mut net = Net::new(nodes);
        net.announce(digest(1), 12);
        let list = net.draw(digest(1), 12).unwrap();
        net.check(&list, digest(1), 12);
        assert_eq!(list.body.draw.attempt, 0);
        assert!(net.accused().is_empty());
    }
}

#[test]
fn the_same_nodes_draw_the_same_list_for_the_same_question_only() {
    let drawn = |question| {
        let mut net = Net::new(40);
        net.announce(question, 12);
        net.draw(question, 12).unwrap()
    };
    assert_eq!(drawn(digest(1)), drawn(digest(1)));
    assert_ne!(drawn(digest(1)).body.actors, drawn(digest(2)).body.actors);
}

/// Draws from 40 once as a rehearsal, then again with one of those who took part dead.
fn draw_without(chosen: impl Fn(&Net, &ActorList) -> NodeId) -> (NodeId, ActorList) {
    let mut rehearsal = Net::new(40);
    rehearsal.announce(digest(1), 12);
    let list = rehearsal.draw(digest(1), 12).unwrap();
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let dead = chosen(&net, &list);
    net.dead.insert(dead);
    let list = net.draw(digest(1), 12).unwrap();
    net.check(&list, digest(1), 12);
    assert!(net.accused().is_empty(), "silence is no fault");
    (dead, list)
}

#[test]
fn a_dead_witness_of_the_trigger_costs_an_attempt() {
    let (_, list) = draw_without(|net, _| net.witnesses()[0]);
    assert_eq!(list.body.draw.attempt, 1);
}

#[test]
fn a_dead_setter_is_replaced_by_the_next_nearest() {
    let (dead, list) = draw_without(|_, list| list.body.setter);
    assert_ne!(list.body.setter, dead);
    assert_eq!(list.body.draw.attempt, 0, "the same random still holds");
}

#[test]
fn a_dead_builder_is_replaced() {
    let (dead, list) = draw_without(|_, list| list.builders[1].certificate.node());
    let builders = list.builders.iter();
    assert!(
        builders
            .map(|builder| builder.certificate.node())
            .all(|node| node != dead)
    );
    assert_eq!(list.body.draw.attempt, 0);
}

#[test]
fn nobody_helps_before_the_time_for_consent_has_passed() {
    let mut net = Net::new(13);
    for node in net.names() {
        net.announce_to(node, digest(1), 12, START + Duration::from_secs(600));
    }
    assert_eq!(net.draw(digest(1), 12), Err(Failure::TooManyAttempts));
}

#[test]
fn who_has_not_heard_of_a_question_is_told_and_then_helps() {
    let mut net = Net::new(13);
    let silent = net.draw(digest(1), 12);
    assert_eq!(silent, Err(Failure::TooManyAttempts));
    let unheard = |event: &Event| matches!(event, Event::Unheard(of, _) if *of == digest(1));
    assert!(net.events.iter().any(|(_, event)| unheard(event)));
    net.announce(digest(2), 12);
    net.draw(digest(2), 12).unwrap();
}

#[test]
fn draws_are_limited_whatever_they_are_for() {
    let mut net = Net::with(13, |descriptor| descriptor.draws_per_period = 3);
    for number in 1..=3 {
        net.announce(digest(number), 12);
        net.draw(digest(number), 12).unwrap();
    }
    net.announce(digest(4), 12);
    assert_eq!(net.draw(digest(4), 12), Err(Failure::TooManyDraws));
    net.now = net.now + Duration::from_secs(3600);
    net.announce(digest(5), 12);
    net.draw(digest(5), 12).unwrap();
}

#[test]
fn too_few_nodes_end_a_draw_at_once() {
    let mut net = Net::new(13);
    net.announce(digest(1), 13);
    assert_eq!(net.draw(digest(1), 13), Err(Failure::TooFewCandidates));

    // Everybody else is away.
    let mut lonely = Net::new(13);
    lonely.dead.extend(lonely.names().into_iter().skip(1));
    lonely.announce(digest(1), 12);
    let ended = lonely.draw(digest(1), 12).unwrap_err();
    assert!(matches!(
        ended,
        Failure::TooFewWitnesses | Failure::TooManyAttempts
    ));
}

#[test]
fn one_who_lacks_a_member_learns_of_it_in_the_draw() {
    let mut net = Net::new(13);
    let names = net.names();
    let unknown = *names.last().unwrap();
    // One builder (all but the setter and the trigger are candidates for it) starts without knowing the last node.
    let everybody: Vec<_> = net.contacts.values().cloned().collect();
    let mut forgetful = Selection::new(Arc::clone(&net.identities[&names[5]]), net.rules.clone());
    for contact in everybody.iter().filter(|contact| contact.node() != unknown) {
        let know = Command::Know(Arc::clone(contact));
        forgetful.handle(START, Input::Command(know), &mut Outbox::new());
    }
    net.nodes.insert(names[5], forgetful);
    for question in 1..6 {
        net.announce(digest(question), 12);
        let list = net.draw(digest(question), 12).unwrap();
        net.check(&list, digest(question), 12);
        let heard: Vec<_> = net
            .events
            .drain(..)
            .filter_map(|(node, event)| match event {
                Event::Heard(contact) => Some((node, *contact)),
                _ => None,
            })
            .collect();
        for (node, contact) in heard {
            net.give(node, Command::Know(Arc::new(contact)));
        }
    }
}

fn refusals(net: &mut Net, tamper: Tamper) -> (Result<ActorList, Failure>, Vec<Refusal>) {
    use std::cell::RefCell;
    use std::rc::Rc;
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let mut tamper = tamper;
    net.tamper = Box::new(move |from, to, message| {
        tamper(from, to, message);
        if let Message::Refused(_, why) = message {
            log.borrow_mut().push(why.clone());
        }
    });
    let result = net.draw(digest(1), 12);
    let refusals = seen.borrow().clone();
    (result, refusals)
}

#[test]
fn a_trigger_that_chooses_its_witnesses_is_refused() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let nearest = net.witnesses();
    let trigger = net.trigger();
    // Friends: the nodes farthest from where they should be.
    let mut friends = net.names();
    friends.retain(|node| *node != trigger && !nearest.contains(node));
    friends.truncate(nearest.len());
    let nearest_for_tamper = nearest.clone();
    let (result, refusals) = refusals(
        &mut net,
        Box::new(move |_, _, message| {
            if let Message::Trigger(request) = message {
                request.chosen.clone_from(&nearest_for_tamper);
                request.chosen[0] = friends[0];
            }
        }),
    );
    assert_eq!(result, Err(Failure::TooManyAttempts));
    let named = |why: &Refusal| matches!(why, Refusal::Nearer(c) if c.node() == nearest[0]);
    assert!(refusals.iter().any(named));
}

#[test]
fn a_trigger_that_says_a_living_witness_is_away_is_refused() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let nearest = net.witnesses();
    let alive = nearest[0];
    let trigger = net.trigger();
    let centre = net.contacts[&trigger].location();
    let keep = |node| node != trigger && node != alive;
    let chosen = net.rules.legitimate(&net.cache(), centre, keep).unwrap();
    let chosen: Vec<_> = chosen.iter().map(|contact| contact.node()).collect();
    let (result, refusals) = refusals(
        &mut net,
        Box::new(move |_, _, message| {
            if let Message::Trigger(request) = message {
                request.chosen.clone_from(&chosen);
                request.skipped = vec![alive];
            }
        }),
    );
    assert_eq!(result, Err(Failure::TooManyAttempts));
    assert!(refusals.contains(&Refusal::SkippedIsAlive(alive)));
}

#[test]
fn a_witness_cannot_choose_its_value() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let liar = net.witnesses()[0];
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Part(_, _, part) = message
            && from == liar
        {
            part.proof.0[40] ^= 1;
        }
    });
    let result = net.draw(digest(1), 12);
    assert!(result.is_err());
    let accused = net.accused();
    assert!(!accused.is_empty());
    let expected = (net.trigger(), liar, Misbehaviour::RandomProof);
    assert!(
        accused.iter().all(|accusation| *accusation == expected),
        "{accused:?}"
    );
}

#[test]
fn a_setter_cannot_leave_candidates_out() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    net.tamper = Box::new(|_, _, message| {
        if let Message::Opens(_, opened) = message {
            opened.openings[0].candidates.pop();
        }
    });
    assert!(net.draw(digest(1), 12).is_err());
    let accused = net.accused();
    assert!(!accused.is_empty());
    assert!(
        accused
            .iter()
            .all(|(_, _, what)| *what == Misbehaviour::Commitment)
    );
}

#[test]
fn a_builder_cannot_open_another_list_than_it_committed_to() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let liar = {
        let mut rehearsal = Net::new(40);
        rehearsal.announce(digest(1), 12);
        let list = rehearsal.draw(digest(1), 12).unwrap();
        list.builders[0].certificate.node()
    };
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Open(_, opening) = message
            && from == liar
        {
            opening.candidates.pop();
        }
    });
    let result = net.draw(digest(1), 12);
    let accused = net.accused();
    assert!(
        accused
            .iter()
            .any(|(_, node, what)| (*node, *what) == (liar, Misbehaviour::Commitment))
    );
    assert!(
        accused.iter().all(|(_, node, _)| *node == liar),
        "{accused:?}"
    );
    if let Ok(list) = result {
        net.check(&list, digest(1), 12);
    }
}

#[test]
fn every_field_of_a_list_is_checked() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let list = net.draw(digest(1), 12).unwrap();
    let outsider = net
        .names()
        .into_iter()
        .find(|node| {
            let builders = list.builders.iter();
            *node != net.trigger()
                && list.seat(*node).is_none()
                && builders
                    .map(|b| b.certificate.node())
                    .all(|builder| builder != *node)
        })
        .unwrap();
    let trigger = net.trigger();
    let changed = |change: &dyn Fn(&mut ActorList)| {
        let mut changed = list.clone();
        change(&mut changed);
        changed.verify(&net.rules, net.now, digest(1)).unwrap_err()
    };
    use Misbehaviour as M;
    assert_eq!(changed(&|l| l.body.draw.digest = digest(2)), M::OtherDigest);
    assert_eq!(
        changed(&|l| l.body.descriptor = digest(2)),
        M::OtherDescriptor
    );
    assert_eq!(changed(&|l| l.body.draw.attempt += 1), M::Signature);
    assert_eq!(changed(&|l| l.body.draw.trigger = outsider), M::Signature);
    assert_eq!(changed(&|l| l.body.setter = outsider), M::Signature);
    assert_eq!(
        changed(&|l| l.body.at = l.body.at + Duration::from_secs(1)),
        M::Signature
    );
    assert_eq!(
        changed(&|l| l.body.at = l.body.at + Duration::from_secs(300)),
        M::Time
    );
    assert_eq!(changed(&|l| l.body.actors[3] = outsider), M::Signature);
    assert_eq!(changed(&|l| l.body.actors.swap(0, 1)), M::Signature);
    assert_eq!(changed(&|l| l.body.actors.truncate(11)), M::Signature);
    assert_eq!(
        changed(&|l| l.body.actors[1] = l.body.actors[0]),
        M::DoubleSeat
    );
    assert_eq!(changed(&|l| l.body.actors[0] = trigger), M::DoubleSeat);
    assert_eq!(changed(&|l| l.body.actors.clear()), M::Seats);
    assert_eq!(
        changed(&|l| l.builders[0].signature.0[5] ^= 1),
        M::Signature
    );
    assert_eq!(changed(&|l| l.builders.swap(0, 1)), M::Order);
    assert_eq!(
        changed(&|l| l.builders[1] = l.builders[0].clone()),
        M::Order
    );
    assert_eq!(changed(&|l| l.builders.clear()), M::NoSuchRow);
    assert_eq!(
        changed(&|l| l.body.setter = l.builders[0].certificate.node()),
        M::OwnWitness
    );
    // Another point: the builders are then in the wrong order, or too far away, or sign something else.
    let moved = changed(&|l| l.body.random = digest(9));
    assert!(matches!(moved, M::Order | M::NotLegitimate | M::Signature));
    let fewer = changed(&|l| l.builders.truncate(1));
    assert!(matches!(fewer, M::NotLegitimate | M::NoSuchRow));
}

#[test]
fn a_list_is_for_its_time_and_its_question() {
    let mut net = Net::new(40);
    net.announce(digest(1), 12);
    let list = net.draw(digest(1), 12).unwrap();
    let at = |at, question| list.verify(&net.rules, at, question);
    let minutes = Duration::from_secs(121);
    assert_eq!(at(list.body.at, digest(1)), Ok(()));
    assert_eq!(
        at(list.body.at + minutes, digest(1)),
        Err(Misbehaviour::Time)
    );
    assert_eq!(
        at(list.body.at - minutes, digest(1)),
        Err(Misbehaviour::Time)
    );
    assert_eq!(at(list.body.at, digest(2)), Err(Misbehaviour::OtherDigest));
}

#[test]
fn builders_sit_around_the_drawn_point() {
    let mut net = Net::new(200);
    net.announce(digest(1), 12);
    let list = net.draw(digest(1), 12).unwrap();
    let point = point_of(&list.body.random);
    let distance = |node: NodeId| point.distance(net.contacts[&node].location());
    let farthest = list
        .builders
        .iter()
        .map(|b| distance(b.certificate.node()))
        .max();
    let nearer = net
        .names()
        .into_iter()
        .filter(|node| Some(distance(*node)) <= farthest);
    // The builders, the setter, and perhaps the trigger.
    assert!(nearer.count() <= list.builders.len() + 2);
}

#[test]
fn garbage_from_members_changes_nothing() {
    let mut net = Net::new(13);
    net.announce(digest(1), 12);
    let names = net.names();
    let mut rehearsal = Net::new(13);
    rehearsal.announce(digest(1), 12);
    let list = rehearsal.draw(digest(1), 12).unwrap();
    let draw = list.body.draw;
    for from in names.iter().copied().skip(1) {
        for to in &names {
            for message in [
                Message::List(Box::new(list.clone())),
                Message::SetterGaveUp(draw),
                Message::Refused(draw, Refusal::TooManyDraws),
                Message::Alive,
                Message::Commit(crate::message::Step { draw, round: 0 }, digest(1)),
            ] {
                net.handle(*to, Input::Message { from, message });
            }
        }
        net.handle(from, Input::Timer(Timer::Trigger(digest(1))));
    }
    let drawn = net.draw(digest(1), 12).unwrap();
    assert_eq!(drawn.body.actors, list.body.actors);
}
