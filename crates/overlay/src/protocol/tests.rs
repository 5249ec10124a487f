//! Ring, broadcast and records as one: each uses what the others know.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    Duration, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode,
};

use super::{Command, Event, Message, Overlay, SEARCHES_MAX, Timer};
use crate::broadcast::BroadcastError;
use crate::records::{COPIES, Entry, Owner, Record, RecordError};
use crate::tests::world::{START, World};

const SECOND: Duration = Duration::from_secs(1);

enum Happening {
    Message(NodeId, NodeId, Vec<u8>),
    Wake(NodeId, Timer),
}

/// Nodes of a [`World`] who can send only to whom they can reach.
struct Network {
    world: World,
    now: Instant,
    nodes: BTreeMap<NodeId, Overlay>,
    down: BTreeSet<NodeId>,
    /// Who has sent to whom, and so holds a connection.
    connected: BTreeSet<(NodeId, NodeId)>,
    /// Who sends contacts that do not hold when asked where somebody is.
    lies_about_places: Option<NodeId>,
    queue: BTreeMap<(Instant, u64), Happening>,
    caused: u64,
    events: Vec<(NodeId, Event)>,
}

impl Network {
    /// They have joined, ten per second, and know each other.
    fn new(world: World) -> Self {
        let mut network = Self::empty(world);
        for person in 0..network.world.people.len() {
            network.add(person);
            let told = [person / 2, person / 3].map(|other| network.told(other));
            network.command(person, Command::Join(told.to_vec()));
            if person % 10 == 9 {
                network.run_for(SECOND);
            }
        }
        network.run_for(30 * SECOND);
        assert!(network.nodes.values().all(|node| node.standing().is_some()));
        network.events.clear();
        network
    }

    fn empty(world: World) -> Self {
        Self {
            world,
            now: START,
            nodes: BTreeMap::new(),
            down: BTreeSet::new(),
            connected: BTreeSet::new(),
            lies_about_places: None,
            queue: BTreeMap::new(),
            caused: 0,
            events: Vec::new(),
        }
    }

    fn told(&self, person: usize) -> (NodeId, std::net::SocketAddr) {
        (self.world.node(person), World::address(person))
    }

    fn add(&mut self, person: usize) {
        let identity = self.world.people[person].clone();
        let own = self.world.contact(person, self.now);
        let rng = Rng::from_number(person as u64);
        let overlay = Overlay::new(self.world.community(), identity, own, rng).unwrap();
        self.nodes.insert(self.world.node(person), overlay);
    }

    fn node(&self, person: usize) -> &Overlay {
        &self.nodes[&self.world.node(person)]
    }

    fn command(&mut self, person: usize, command: Command) {
        self.input(self.world.node(person), Input::Command(command));
    }

    fn input(&mut self, node: NodeId, input: Input<Overlay>) {
        let mut out = Outbox::new();
        let overlay = self.nodes.get_mut(&node).unwrap();
        overlay.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, mut message } => {
                    if self.lies_about_places == Some(node)
                        && let Message::Locating(crate::locating::Message::There(there)) =
                            &mut message
                    {
                        let forged = there.iter().map(crate::tests::peers::forged).collect();
                        *there = crate::AtMost::first_of(forged);
                    }
                    let reached = self.connected.contains(&(to, node));
                    let known = !self.nodes[&node].addresses(to).is_empty();
                    assert!(reached || known, "no address for {message:?}");
                    self.connected.insert((node, to));
                    let later = self.now + Duration::from_millis(20);
                    self.push(later, Happening::Message(node, to, encode(&message)));
                }
                Output::Wake { at, timer } => self.push(at, Happening::Wake(node, timer)),
                Output::Event(event) => self.events.push((node, event)),
            }
        }
    }

    fn push(&mut self, at: Instant, happening: Happening) {
        self.caused += 1;
        let at = at.max(self.now);
        self.queue.insert((at, self.caused), happening);
    }

    fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(entry) = self.queue.first_entry().filter(|e| e.key().0 <= until) {
            self.now = entry.key().0;
            let is_up = |node| self.nodes.contains_key(&node) && !self.down.contains(&node);
            match entry.remove() {
                Happening::Message(from, to, bytes) if is_up(to) => {
                    let message: Message = decode(&bytes, 1 << 20).unwrap();
                    self.input(to, Input::Message { from, message });
                }
                Happening::Message(from, to, _) if is_up(from) => {
                    self.input(from, Input::Unreachable(to));
                }
                Happening::Wake(node, timer) if is_up(node) => {
                    self.input(node, Input::Timer(timer));
                }
                _ => {}
            }
        }
        self.now = until;
    }

    fn take_events(&mut self) -> Vec<(NodeId, Event)> {
        std::mem::take(&mut self.events)
    }

    /// Who heard this, each as often as it did.
    fn take_heard(&mut self, said: &[u8]) -> Vec<NodeId> {
        let events = self.take_events().into_iter();
        let heard = events.filter_map(|(node, event)| match event {
            Event::Heard { payload, .. } if payload == said => Some(node),
            Event::Heard { .. } | Event::Known(_) | Event::Gone(_) | Event::Joined(_) => None,
            other => panic!("{other:?}"),
        });
        let mut heard: Vec<_> = heard.collect();
        heard.sort_unstable();
        heard
    }

    /// The node that is up nearest to a place.
    fn nearest(&self, place: Location) -> NodeId {
        let up = self
            .nodes
            .iter()
            .filter(|(node, _)| !self.down.contains(node));
        let ranks = up.map(|(node, overlay)| place.rank(*node, overlay.own().location()));
        ranks.min().unwrap().1
    }

    /// What the first of the people says, at a place outside of the region of everybody in `of`.
    fn record_far_from(&self, of: &[usize]) -> (Record, Location) {
        let community = self.world.descriptor.community;
        let identity = &self.world.people[0];
        let records = (0..100u8).map(|key| {
            let entry = Entry {
                key: &[key],
                value: b"said",
                issued: self.now,
                expires: self.now + 3600 * SECOND,
            };
            let owner = Owner::Member(identity.certificate.clone());
            let record = Record::new(owner, &identity.key, &community, entry);
            let place = record.location(&community);
            (record, place)
        });
        let is_far = |place| {
            let mut views = of.iter().map(|person| self.node(*person).view());
            views.all(|view| !view.region().contains(place))
        };
        let mut far = records.filter(|(_, place)| is_far(*place));
        far.next().unwrap()
    }
}

#[test]
fn all_who_joined_hear_everything_once() {
    for world in [World::new(1), World::new(5), World::with_regions(40)] {
        let size = world.people.len();
        let mut network = Network::new(world);
        for speaker in [0, size - 1] {
            let said = format!("said by {speaker}").into_bytes();
            network.command(speaker, Command::Broadcast(said.clone()));
            network.run_for(20 * SECOND);
            let speaker = network.world.node(speaker);
            let others = network.nodes.keys().copied();
            let others: Vec<_> = others.filter(|node| *node != speaker).collect();
            assert_eq!(network.take_heard(&said), others);
        }
    }
}

#[test]
fn who_joins_later_catches_up() {
    let mut network = Network::empty(World::with_regions(21));
    for person in 0..20 {
        network.add(person);
        let told = [network.told(person / 2)];
        network.command(person, Command::Join(told.to_vec()));
        network.run_for(SECOND);
    }
    network.command(3, Command::Broadcast(b"early".to_vec()));
    network.run_for(20 * SECOND);
    assert_eq!(network.take_heard(b"early").len(), 19);
    network.add(20);
    network.command(20, Command::Join(vec![network.told(7)]));
    network.run_for(60 * SECOND);
    assert_eq!(network.take_heard(b"early"), [network.world.node(20)]);
}

/// Neither who puts nor who gets knows the keepers: the ring finds them.
#[test]
fn records_are_put_and_got_far_away() {
    let mut network = Network::new(World::with_regions(40));
    let (record, place) = network.record_far_from(&[0, 31]);
    network.command(0, Command::Put(Box::new(record.clone())));
    network.run_for(10 * SECOND);
    let stored = network.take_events();
    assert!(stored.iter().any(|(_, event)| matches!(
        event,
        Event::Stored { location, copies: COPIES } if *location == place
    )));
    network.command(31, Command::Get(place));
    network.run_for(10 * SECOND);
    let events = network.take_events();
    let got = events.iter().find_map(|(node, event)| match event {
        Event::Got(at, got) if *at == place => Some((*node, got.as_deref())),
        _ => None,
    });
    assert_eq!(got, Some((network.world.node(31), Some(&record))));
    // Searches of records are not the application's.
    let found = |(_, event): &(NodeId, Event)| matches!(event, Event::Found(..));
    assert!(!events.iter().any(found));
}

#[test]
fn finds_the_nearest_and_who_may_stand_in() {
    let mut network = Network::new(World::with_regions(40));
    let mut rng = Rng::from_number(1);
    for person in 0..12 {
        let point = Location(rng.number());
        network.command(person, Command::Find(point));
        network.run_for(2 * SECOND);
        let found = network
            .take_events()
            .into_iter()
            .find_map(|(_, e)| match e {
                Event::Found(at, found) if at == point => Some(found),
                _ => None,
            });
        let found = found.unwrap();
        assert_eq!(found[0].node(), network.nearest(point));
        assert!((4..=9).contains(&found.len()));
        let rank = |contact: &community::Contact| point.rank(contact.node(), contact.location());
        assert!(found.windows(2).all(|pair| rank(&pair[0]) < rank(&pair[1])));
        // And the host can reach them.
        let overlay = network.node(person);
        let mut others = found.iter().filter(|c| c.node() != overlay.own().node());
        assert!(others.all(|contact| overlay.addresses(contact.node()) == contact.addresses()));
    }
}

/// A point outside of the region of the first of the people, and the dozen nodes around it whom that one does not know.
fn far_crowd(network: &Network) -> (Location, Vec<NodeId>) {
    let point = network.record_far_from(&[0]).1;
    let stranger = |node: &NodeId| network.node(0).contact(*node).is_none();
    let mut crowd: Vec<_> = network.nodes.keys().copied().filter(stranger).collect();
    crowd.sort_by_key(|node| point.rank(*node, network.nodes[node].own().location()));
    crowd.truncate(12);
    (point, crowd)
}

fn located(network: &mut Network) -> Vec<u64> {
    let events = network.take_events().into_iter();
    let located = events.filter_map(|(_, event)| match event {
        Event::Located(number) => Some(number),
        _ => None,
    });
    located.collect()
}

#[test]
fn named_nodes_are_located_far_away_and_at_once_where_known() {
    let mut network = Network::new(World::with_regions(100));
    let (point, crowd) = far_crowd(&network);
    assert!(crowd.len() == 12);
    for number in [1, 2] {
        // Two who want the same do not search twice, and a third time all is known.
        network.command(0, Command::Locate(number, point, crowd.clone()));
    }
    assert!(located(&mut network).is_empty());
    network.run_for(2 * SECOND);
    assert_eq!(located(&mut network), [1, 2]);
    for node in &crowd {
        let own = network.nodes[node].own().addresses();
        assert_eq!(network.node(0).addresses(*node), own);
    }
    network.command(0, Command::Locate(3, point, crowd));
    assert_eq!(located(&mut network), [3]);
}

#[test]
fn whom_nobody_knows_is_not_located() {
    let mut network = Network::new(World::with_regions(60));
    let (point, crowd) = far_crowd(&network);
    let nobody = NodeId([7; 32]);
    let wanted = [&[nobody], &crowd[..]].concat();
    network.command(0, Command::Locate(1, point, wanted));
    network.run_for(10 * SECOND);
    assert_eq!(located(&mut network), [1]);
    assert!(network.node(0).contact(nobody).is_none());
    assert!(network.node(0).contact(crowd[0]).is_some());
}

/// Of those who are asked some are gone or say nothing, and one sends what does not hold: the others tell.
#[test]
fn liars_and_the_dead_do_not_hide_anybody() {
    let mut network = Network::new(World::with_regions(100));
    let (point, crowd) = far_crowd(&network);
    network.down = BTreeSet::from([network.nearest(point)]);
    let liar = network.nearest(point);
    network.lies_about_places = Some(liar);
    let wanted = crowd.into_iter();
    let wanted: Vec<_> = wanted
        .filter(|node| *node != liar && !network.down.contains(node))
        .collect();
    for (number, node) in (0..).zip(&wanted) {
        network.command(0, Command::Locate(number, point, vec![*node]));
        network.run_for(5 * SECOND);
    }
    let events = network.take_events();
    let located = events.iter().filter(|e| matches!(e.1, Event::Located(_)));
    assert_eq!(located.count(), wanted.len());
    let node = network.node(0);
    for there in &wanted {
        let own = network.nodes[there].own();
        assert_eq!(node.contact(*there).map(|c| &**c), Some(own));
    }
    let blamed: BTreeSet<_> = events
        .iter()
        .filter_map(|(by, event)| match event {
            Event::Misbehaved { node, .. } if *by == network.world.node(0) => Some(*node),
            _ => None,
        })
        .collect();
    assert_eq!(blamed, BTreeSet::from([liar]));
}

#[test]
fn what_was_not_asked_for_is_not_taken() {
    let mut network = Network::new(World::with_regions(60));
    let (_, crowd) = far_crowd(&network);
    let contact = network.nodes[&crowd[0]].own().clone();
    let there = || {
        let contacts = crate::AtMost::first_of(vec![contact.clone()]);
        Message::Locating(crate::locating::Message::There(contacts))
    };
    let (from, to) = (crowd[1], network.world.node(0));
    network.input(
        to,
        Input::Message {
            from,
            message: there(),
        },
    );
    assert!(network.node(0).contact(crowd[0]).is_none());
    // The host may say where a node is, if its contact holds.
    let forged = crate::tests::peers::forged(&contact);
    network.command(0, Command::Meet(Box::new(forged)));
    assert!(network.node(0).contact(crowd[0]).is_none());
    network.command(0, Command::Meet(Box::new(contact)));
    assert!(network.node(0).contact(crowd[0]).is_some());
}

#[test]
fn what_is_looked_for_at_a_time_is_limited() {
    let mut network = Network::new(World::with_regions(20));
    let far = network.record_far_from(&[1]).1;
    let nobody = |number: u64| NodeId([number as u8; 32]);
    for number in 0..200 {
        let point = Location(far.0 + number);
        network.command(1, Command::Locate(number, point, vec![nobody(number)]));
    }
    network.run_for(20 * SECOND);
    let mut all = located(&mut network);
    all.sort_unstable();
    assert!(all.into_iter().eq(0..200));
}

#[test]
fn searches_under_way_are_limited() {
    let mut network = Network::new(World::with_regions(20));
    let far = network.record_far_from(&[1]).1;
    for step in 0..2 * SEARCHES_MAX as u64 {
        network.command(1, Command::Find(Location(far.0 + step)));
    }
    network.run_for(10 * SECOND);
    let answers = network.take_events().into_iter();
    let answers = answers.filter(|(_, e)| matches!(e, Event::Found(..) | Event::NotFound(_)));
    assert_eq!(answers.count(), 2 * SEARCHES_MAX);
}

#[test]
fn who_has_left_is_silent() {
    let mut network = Network::new(World::new(5));
    network.command(2, Command::Leave);
    network.run_for(SECOND);
    network.take_events();
    let left = network.world.node(2);
    network.connected.clear();
    network.command(2, Command::Broadcast(b"still here".to_vec()));
    network.command(2, Command::Find(Location(0)));
    network.command(0, Command::Broadcast(b"bye".to_vec()));
    network.run_for(120 * SECOND);
    assert!(!network.connected.iter().any(|(from, _)| *from == left));
    assert_eq!(network.take_heard(b"bye").len(), 3);
}

/// Broadcast and records look at the same nodes as the ring.
#[test]
fn who_is_gone_is_asked_no_more() {
    let mut world = World::new(6);
    world.people[5] = world.enrol(START + 300 * SECOND).into();
    let mut network = Network::new(world);
    let [crashed, expired] = [4, 5].map(|person| network.world.node(person));
    network.down = [crashed].into();
    network.run_for(400 * SECOND);
    for (_, overlay) in network.nodes.iter().filter(|(node, _)| **node != crashed) {
        let of_spreading = overlay.spreading.view();
        assert!(!of_spreading.cache.contains(crashed));
        if overlay.own().node() != expired {
            assert!(of_spreading.cache.iter().eq(overlay.cache().iter()));
            assert!(!of_spreading.cache.contains(expired));
        }
    }
}

#[test]
fn newcomers_neither_tell_nor_keep() {
    let mut network = Network::empty(World::new(2));
    network.add(0);
    network.command(0, Command::Broadcast(b"hello".to_vec()));
    let community = network.world.descriptor.community;
    let identity = &network.world.people[0];
    let entry = Entry {
        key: b"key",
        value: b"value",
        issued: START,
        expires: START + 60 * SECOND,
    };
    let owner = Owner::Member(identity.certificate.clone());
    let record = Record::new(owner, &identity.key, &community, entry);
    let place = record.location(&community);
    network.command(0, Command::Put(Box::new(record.clone())));
    network.command(0, Command::Get(place));
    let refused: Vec<_> = network.take_events().into_iter().map(|(_, e)| e).collect();
    assert!(matches!(
        refused[..],
        [
            Event::BroadcastFailed(BroadcastError::Newcomer),
            Event::RecordFailed(RecordError::Newcomer),
            Event::RecordFailed(RecordError::Newcomer)
        ]
    ));
    let message = crate::records::Message::Store(Box::new(record));
    let message = Message::Spreading(crate::spreading::Message::Records(message));
    let (from, to) = (network.world.node(1), network.world.node(0));
    network.input(to, Input::Message { from, message });
    assert_eq!(network.node(0).spreading.kept(), 0);
    assert!(network.queue.is_empty() && network.connected.is_empty());
}
