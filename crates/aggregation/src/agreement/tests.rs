//! A committee on a hostile network: every replica, disk, delay, loss, crash and lie from one seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol as _, Rng, decode};
use crypto::{BadSignature, FirstBad, Signature, SigningKey};

use super::certificate::{Phase, sign};

use super::*;

mod liar;
mod scenarios;
mod schedules;
mod single;

thread_local! {
    static VERIFIED: RefCell<BTreeSet<Digest>> = const { RefCell::new(BTreeSet::new()) };
}

/// `crypto::verify`, which remembers what it has found valid: the schedules repeat the same few signatures thousands of
/// times.
pub(super) fn verify_once(
    node: NodeId,
    domain: &str,
    message: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    let parts = [node.as_bytes(), domain.as_bytes(), message, &signature.0];
    let digest = Digest::of("verified", &parts);
    if VERIFIED.with_borrow(|verified| verified.contains(&digest)) {
        return Ok(());
    }
    crypto::verify(node, domain, message, signature)?;
    VERIFIED.with_borrow_mut(|verified| verified.insert(digest));
    Ok(())
}

/// The same for several under one message.
pub(super) fn verify_all_once<'a>(
    domain: &str,
    message: &[u8],
    votes: impl Iterator<Item = (NodeId, &'a Signature)>,
) -> Result<(), FirstBad> {
    for (place, (node, signature)) in votes.enumerate() {
        verify_once(node, domain, message, signature).map_err(|_| FirstBad(place))?;
    }
    Ok(())
}

/// The keys and names of `n` seats.
pub(super) fn keys(n: usize) -> (Vec<SigningKey>, Vec<NodeId>) {
    let keys: Vec<_> = (0..n)
        .map(|seat| SigningKey::from_seed([seat as u8 + 1; 32]))
        .collect();
    let nodes = keys.iter().map(SigningKey::node).collect();
    (keys, nodes)
}

const SECOND: Duration = Duration::from_secs(1);

fn config(n: usize, quorum: usize) -> Config {
    Config {
        instance: Digest::of("test instance", &[]),
        replicas: keys(n).1,
        quorum,
        max_value: 100,
        name: value_digest,
        first_timeout: SECOND,
        longest_timeout: 8 * SECOND,
    }
}

/// What an honest application finds valid.
fn is_good(value: &[u8]) -> bool {
    value.starts_with(b"good")
}

/// A replica, its disk and its application.
struct Host {
    seat: usize,
    agreement: Option<Agreement>,
    /// Counts restarts: timers and answers of an earlier life are dropped.
    life: u32,
    disk: Option<Vec<u8>>,
    candidate: Vec<u8>,
    /// Whether it believes everything and forgets everything: one of a liar's faces.
    liar: bool,
    decision: Option<Decision>,
}

/// Who: a seat, and which of its faces. Honest seats have one.
type Face = (usize, usize);

enum Delivery {
    Message {
        from: usize,
        to: Face,
        message: Message,
    },
    Timer {
        to: Face,
        life: u32,
    },
    Command {
        to: Face,
        life: u32,
        command: Command,
    },
    DiskWrite {
        to: Face,
        life: u32,
        number: u64,
        state: Vec<u8>,
    },
    Restart(Face),
}

/// What the network and the disks do.
#[derive(Clone)]
struct Weather {
    /// Longest delay of a message, in milliseconds.
    delay_ms: u64,
    /// Lost messages in a thousand.
    loss: u64,
    /// Longest time to write to the disk, in milliseconds.
    disk_ms: u64,
    /// Crashes in a thousand deliveries.
    crashes: u64,
    /// In how many of a thousand deliveries to a liar it does something wicked. Always: then it does nothing else.
    mischief: u64,
    /// Honest seats that only liars can talk with.
    cut: Vec<usize>,
    /// Whether the liars may choose who is cut off.
    treacherous: bool,
}

const CALM: Weather = Weather {
    delay_ms: 20,
    loss: 0,
    disk_ms: 5,
    crashes: 0,
    mischief: 0,
    cut: Vec::new(),
    treacherous: false,
};

/// Says of a message from one seat to another whether the network loses it.
type Filter = Box<dyn Fn(usize, usize, &Message) -> bool>;

struct World {
    config: Config,
    keys: Vec<SigningKey>,
    hosts: BTreeMap<Face, Host>,
    queue: BTreeMap<(Instant, u64), Delivery>,
    queued: u64,
    now: Instant,
    rng: Rng,
    weather: Weather,
    loses: Filter,
    memory: liar::Memory,
    /// What replicas decided before they decided something else: more lie than the agreement bears.
    dropped: Vec<(Vec<u8>, usize)>,
    faults: Vec<(usize, NodeId, Misbehaviour)>,
    sent: usize,
}

impl World {
    /// `n` seats with the given quorum, of which those in `liars` lie. Everybody has a candidate and has started.
    fn new(n: usize, quorum: usize, liars: &[usize], seed: u64) -> Self {
        let mut world = Self {
            config: config(n, quorum),
            keys: keys(n).0,
            hosts: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            now: Instant::from_secs(1_000_000),
            rng: Rng::from_number(seed),
            weather: CALM,
            loses: Box::new(|_, _, _| false),
            memory: liar::Memory::default(),
            dropped: Vec::new(),
            faults: Vec::new(),
            sent: 0,
        };
        for seat in 0..n {
            let liar = liars.contains(&seat);
            for face in 0..=usize::from(liar) {
                world.add(seat, face, liar);
            }
        }
        world
    }

    fn add(&mut self, seat: usize, face: usize, liar: bool) {
        let candidate = match (liar, face) {
            (false, _) => format!("good {seat}"),
            (true, 0) => "good lie".to_owned(),
            (true, _) => "bad lie".to_owned(),
        };
        let host = Host {
            seat,
            agreement: None,
            life: 0,
            disk: None,
            candidate: candidate.into_bytes(),
            liar,
            decision: None,
        };
        self.hosts.insert((seat, face), host);
        self.start((seat, face));
    }

    fn start(&mut self, face: Face) {
        let host = self.hosts.get_mut(&face).unwrap();
        host.life += 1;
        let key = self.keys[host.seat].clone();
        let agreement = Agreement::new(self.config.clone(), key.node(), key, host.disk.as_deref());
        host.agreement = Some(agreement.unwrap());
        let (life, candidate) = (host.life, host.candidate.clone());
        for command in [Command::Start, Command::Propose(candidate)] {
            self.push(
                Duration::ZERO,
                Delivery::Command {
                    to: face,
                    life,
                    command,
                },
            );
        }
    }

    fn crash(&mut self, seat: usize) {
        let host = self.hosts.get_mut(&(seat, 0)).unwrap();
        host.agreement = None;
        host.life += 1;
    }

    fn push(&mut self, after: Duration, delivery: Delivery) {
        self.queued += 1;
        self.queue.insert((self.now + after, self.queued), delivery);
    }

    fn chance(&mut self, in_a_thousand: u64) -> bool {
        self.rng.below(1000) < in_a_thousand
    }

    fn some_ms(&mut self, longest: u64) -> Duration {
        Duration::from_millis(1 + self.rng.below(longest))
    }

    fn run_until(&mut self, end: Instant) {
        while let Some(entry) = self
            .queue
            .first_entry()
            .filter(|entry| entry.key().0 <= end)
        {
            self.now = entry.key().0;
            let delivery = entry.remove();
            self.deliver(delivery);
        }
        self.now = end;
    }

    fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Restart(face) => self.start(face),
            Delivery::Message { from, to, .. } if self.is_cut(from, to.0) => {}
            Delivery::Message { from, to, message } => {
                self.crash_perhaps(to);
                if self.hosts[&to].liar {
                    self.memory.learn(from, &message);
                    if self.chance(self.weather.mischief) {
                        self.mischief(to.0, &message);
                    }
                }
                let from = self.config.replicas[from];
                self.input(to, Input::Message { from, message });
            }
            Delivery::Timer { to, life } if self.hosts[&to].life == life => {
                self.input(to, Input::Timer(Deadline));
            }
            Delivery::Command { to, life, command } if self.hosts[&to].life == life => {
                self.input(to, Input::Command(command));
            }
            Delivery::DiskWrite {
                to,
                life,
                number,
                state,
            } if self.hosts[&to].life == life => {
                self.hosts.get_mut(&to).unwrap().disk = Some(state);
                // A crash may come between the disk and its answer.
                self.crash_perhaps(to);
                if self.hosts[&to].life == life {
                    self.input(to, Input::Command(Command::Persisted(number)));
                }
            }
            _ => {}
        }
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        let honest = !self.hosts[&(from, 0)].liar && !self.hosts[&(to, 0)].liar;
        honest && (self.weather.cut.contains(&from) || self.weather.cut.contains(&to))
    }

    fn crash_perhaps(&mut self, face: Face) {
        let up = self.hosts[&face].agreement.is_some();
        if up && !self.hosts[&face].liar && self.chance(self.weather.crashes) {
            self.crash(face.0);
            let after = self.some_ms(4000);
            self.push(after, Delivery::Restart(face));
        }
    }

    fn input(&mut self, face: Face, input: Input<Agreement>) {
        let mut out = Outbox::new();
        let host = self.hosts.get_mut(&face).unwrap();
        let Some(agreement) = &mut host.agreement else {
            return;
        };
        agreement.handle(self.now, input, &mut out);
        let outputs: Vec<_> = out.drain().collect();
        for output in outputs {
            self.output(face, output);
        }
    }

    fn output(&mut self, from: Face, output: Output<Agreement>) {
        let life = self.hosts[&from].life;
        match output {
            Output::Send { .. } if self.hosts[&from].liar && self.weather.mischief == 1000 => {}
            Output::Send { to, message } => {
                let to = self
                    .config
                    .replicas
                    .iter()
                    .position(|&node| node == to)
                    .unwrap();
                assert_ne!(to, from.0, "a replica sends nothing to itself");
                self.send(from.0, to, message);
            }
            Output::Wake { at, .. } => {
                let after = at.since(self.now);
                self.push(after, Delivery::Timer { to: from, life });
            }
            Output::Event(event) => self.event(from, life, event),
        }
    }

    /// Over the network, in its one encoding.
    fn send(&mut self, from: usize, to: usize, message: Message) {
        let bytes = encode(&message);
        assert_eq!(
            decode::<Message>(&bytes, bytes.len()).as_ref(),
            Ok(&message)
        );
        self.sent += 1;
        let blocked = self.is_cut(from, to) || (self.loses)(from, to, &message);
        for face in 0..2 {
            let lost = blocked || self.chance(self.weather.loss);
            if !lost && self.hosts.contains_key(&(to, face)) {
                let after = self.some_ms(self.weather.delay_ms);
                let message = message.clone();
                self.push(
                    after,
                    Delivery::Message {
                        from,
                        to: (to, face),
                        message,
                    },
                );
            }
        }
    }

    fn event(&mut self, of: Face, life: u32, event: Event) {
        let host = self.hosts.get_mut(&of).unwrap();
        let liar = host.liar;
        match event {
            Event::Validate { view, value, bytes } => {
                assert_eq!(value, value_digest(&bytes));
                let command = if liar || is_good(&bytes) {
                    Command::Valid { view, value }
                } else {
                    Command::Invalid { view, value }
                };
                self.push(
                    Duration::from_millis(1),
                    Delivery::Command {
                        to: of,
                        life,
                        command,
                    },
                );
            }
            Event::Persist { number, .. } if liar => {
                let command = Command::Persisted(number);
                self.push(
                    Duration::ZERO,
                    Delivery::Command {
                        to: of,
                        life,
                        command,
                    },
                );
            }
            Event::Persist { number, state } => {
                let after = self.some_ms(self.weather.disk_ms);
                self.push(
                    after,
                    Delivery::DiskWrite {
                        to: of,
                        life,
                        number,
                        state,
                    },
                );
            }
            Event::Decided(decision) => {
                let earlier = host.decision.replace(decision);
                let earlier = earlier.filter(|earlier| {
                    !liar && Some(&earlier.value) != host.decision.as_ref().map(|now| &now.value)
                });
                self.dropped
                    .extend(earlier.map(|earlier| (earlier.value, host.seat)));
            }
            Event::Misbehaved { node, fault } => {
                if !liar {
                    self.faults.push((of.0, node, fault));
                }
            }
        }
    }

    /// What the honest replicas decided, also if they changed their minds: each value, with who decided it.
    fn decisions(&self) -> BTreeMap<Vec<u8>, Vec<usize>> {
        let mut decisions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for host in self.hosts.values().filter(|host| !host.liar) {
            if let Some(decision) = &host.decision {
                decisions
                    .entry(decision.value.clone())
                    .or_default()
                    .push(host.seat);
            }
        }
        for (value, seat) in &self.dropped {
            decisions.entry(value.clone()).or_default().push(*seat);
        }
        decisions
    }

    /// Asserts that all these seats decided this value and nobody another one, with certificates for outsiders.
    fn assert_decided(&self, value: &str, seats: &[usize]) {
        let expected = BTreeMap::from([(value.as_bytes().to_vec(), seats.to_vec())]);
        assert_eq!(self.decisions(), expected);
        for seat in seats {
            let decision = self.hosts[&(*seat, 0)].decision.as_ref().unwrap();
            let name = value_digest(&decision.value);
            let Config {
                instance,
                replicas,
                quorum,
                ..
            } = &self.config;
            let verdict = decision
                .certificate
                .verify(*instance, name, replicas, *quorum);
            assert_eq!(verdict, Ok(()));
        }
    }

    fn highest_view(&self) -> u64 {
        self.hosts
            .values()
            .filter_map(|host| host.agreement.as_ref())
            .map(Agreement::view)
            .max()
            .unwrap()
    }
}
