use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use base::Input;
use minicbor::{Decode, Encode};

use super::*;
use crate::{Direction, PER_MILLION, Skew};

mod population;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn node(number: u64) -> NodeId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    NodeId(bytes)
}

/// Pings on command, answers pings, keeps count, and tells what it sees.
#[derive(Default)]
struct Pinger {
    answered: u64,
    woken_at: Vec<Instant>,
}

#[derive(Encode, Decode)]
enum Ping {
    #[n(0)]
    Ping(#[n(0)] u64),
    #[n(1)]
    Pong(#[n(0)] u64),
}

enum Do {
    Ping(NodeId, u64),
    WakeAfter(Duration),
}

#[derive(Debug, PartialEq, Eq)]
enum Saw {
    Ping(u64),
    Pong(u64),
    Unreachable(NodeId),
    Woken(Instant),
}

impl Protocol for Pinger {
    type Message = Ping;
    type Command = Do;
    type Event = Saw;
    type Timer = u8;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(Do::Ping(to, number)) => out.send(to, Ping::Ping(number)),
            Input::Command(Do::WakeAfter(after)) => out.wake(now + after, 0),
            Input::Message {
                from,
                message: Ping::Ping(number),
            } => {
                self.answered += 1;
                out.send(from, Ping::Pong(number));
                out.emit(Saw::Ping(number));
            }
            Input::Message {
                message: Ping::Pong(number),
                ..
            } => out.emit(Saw::Pong(number)),
            Input::Timer(_) => {
                self.woken_at.push(now);
                out.emit(Saw::Woken(now));
            }
            Input::Unreachable(of) => out.emit(Saw::Unreachable(of)),
        }
    }
}

/// A simulation of `n` pingers, named 0 to n − 1.
fn pingers(n: u64, seed: u64, network: NetworkModel) -> Simulation<Pinger> {
    let mut simulation = Simulation::new(seed, network);
    for number in 0..n {
        simulation.add(node(number), Pinger::default());
    }
    simulation
}

/// What the nodes saw, with the true time since the start in milliseconds.
fn seen(simulation: &mut Simulation<Pinger>) -> Vec<(u64, NodeId, Saw)> {
    let ms = |at: Instant| at.since(START).as_millis() as u64;
    simulation
        .drain_events()
        .map(|(at, node, saw)| (ms(at), node, saw))
        .collect()
}

fn fixed() -> NetworkModel {
    NetworkModel::fixed(100 * MS)
}

#[test]
fn messages_take_their_latency() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.command(node(0), Do::Ping(node(1), 7));
    simulation.run_until(START + 100 * MS - Duration::from_micros(1));
    assert_eq!(seen(&mut simulation), []);
    simulation.run_until(START + 200 * MS);
    let expected = [(100, node(1), Saw::Ping(7)), (200, node(0), Saw::Pong(7))];
    assert_eq!(seen(&mut simulation), expected);
    assert_eq!(simulation.now(), START + 200 * MS);
    assert!(simulation.run_until_idle(simulation.now()));
    assert_eq!(simulation.steps(), 3);
}

#[test]
fn what_is_due_at_once_happens_in_the_order_in_which_it_was_caused() {
    let mut simulation = pingers(2, 1, fixed());
    for number in 0..5 {
        simulation.command(node(0), Do::Ping(node(1), number));
    }
    simulation.run_until_idle(START + SECOND);
    let pongs: Vec<_> = seen(&mut simulation)
        .into_iter()
        .filter(|saw| saw.0 == 200)
        .collect();
    assert_eq!(
        pongs,
        [0, 1, 2, 3, 4].map(|number| (200, node(0), Saw::Pong(number)))
    );
}

#[test]
fn jitter_lets_messages_overtake_each_other_within_its_bounds() {
    let mut simulation = pingers(
        2,
        1,
        NetworkModel {
            jitter: 50 * MS,
            ..fixed()
        },
    );
    for number in 0..50 {
        simulation.command(node(0), Do::Ping(node(1), number));
    }
    simulation.run_until_idle(START + SECOND);
    let pings: Vec<_> = seen(&mut simulation)
        .into_iter()
        .filter_map(|(at, _, saw)| {
            if let Saw::Ping(number) = saw {
                Some((at, number))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(pings.len(), 50);
    assert!(pings.iter().all(|(at, _)| (100..=150).contains(at)));
    assert!(!pings.is_sorted_by_key(|(_, number)| *number));
}

#[test]
fn a_narrow_link_sends_one_message_after_the_other() {
    let mut simulation = pingers(
        2,
        1,
        NetworkModel {
            bytes_per_second: Some(100),
            ..fixed()
        },
    );
    for number in 0..3 {
        simulation.command(node(0), Do::Ping(node(1), number));
    }
    simulation.run_until_idle(START + SECOND);
    let bytes = simulation.counters(node(0)).sent_bytes;
    assert_eq!(bytes, 3 * encode(&Ping::Ping(0)).len() as u64);
    let each = bytes * 10 / 3;
    let arrivals: Vec<_> = seen(&mut simulation)
        .into_iter()
        .filter_map(|(at, to, _)| (to == node(1)).then_some(at))
        .collect();
    assert_eq!(arrivals, [100 + each, 100 + 2 * each, 100 + 3 * each]);
}

#[test]
fn bytes_are_counted_at_both_ends() {
    let mut simulation = pingers(3, 1, fixed());
    simulation.command(node(0), Do::Ping(node(1), 1_000_000));
    simulation.run_until_idle(START + SECOND);
    let bytes = encode(&Ping::Ping(1_000_000)).len() as u64;
    let one = Counters {
        sent: 1,
        sent_bytes: bytes,
        received: 1,
        received_bytes: bytes,
        lost: 0,
        unreachable: 0,
    };
    assert_eq!(simulation.counters(node(0)), one);
    assert_eq!(simulation.counters(node(1)), one);
    assert_eq!(simulation.counters(node(2)), Counters::default());
    assert_eq!(
        (simulation.total().sent, simulation.total().received_bytes),
        (2, 2 * bytes)
    );
}

#[test]
fn a_crash_takes_timers_and_messages_under_way_with_it() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.command(node(1), Do::WakeAfter(500 * MS));
    simulation.command(node(0), Do::Ping(node(1), 1));
    simulation.at(START + 50 * MS, Action::Crash(node(1)));
    // Back before the message arrives: it was meant for the process that died.
    simulation.at(
        START + 60 * MS,
        Action::Restart(node(1), Box::new(|_| Pinger::default())),
    );
    simulation.run_until(START + 70 * MS);
    simulation.command(node(0), Do::Ping(node(1), 2));
    assert!(simulation.run_until_idle(START + 10 * SECOND));
    let expected = [
        (170, node(1), Saw::Ping(2)),
        (270, node(0), Saw::Pong(2)),
        (1100, node(0), Saw::Unreachable(node(1))),
    ];
    assert_eq!(seen(&mut simulation), expected);
    assert_eq!(simulation.node(&node(1)).woken_at, []);
    assert_eq!(simulation.counters(node(0)).lost, 1);
    assert_eq!(simulation.counters(node(0)).unreachable, 1);
}

#[test]
fn a_node_that_is_down_or_unknown_is_unreachable_and_does_nothing() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.crash(node(1));
    assert!(!simulation.is_up(&node(1)));
    assert_eq!(simulation.running().count(), 1);
    simulation.command(node(1), Do::Ping(node(0), 1));
    simulation.command(node(0), Do::Ping(node(1), 2));
    simulation.command(node(0), Do::Ping(node(9), 3));
    simulation.run_until_idle(START + 10 * SECOND);
    let expected = [
        (1100, node(0), Saw::Unreachable(node(1))),
        (1100, node(0), Saw::Unreachable(node(9))),
    ];
    assert_eq!(seen(&mut simulation), expected);
}

#[test]
fn a_process_does_not_hear_what_its_predecessor_lost() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.crash(node(1));
    simulation.command(node(0), Do::Ping(node(1), 2));
    simulation.run_until(START + 500 * MS);
    simulation.restart(node(0), Pinger::default());
    simulation.run_until_idle(START + 10 * SECOND);
    assert_eq!(seen(&mut simulation), []);
}

#[test]
fn a_restart_begins_from_what_was_stored() {
    let mut simulation = pingers(1, 1, fixed());
    let disk = Rc::new(RefCell::new(0));
    let stored = Rc::clone(&disk);
    let make = move |_| Pinger {
        answered: *stored.borrow(),
        ..Pinger::default()
    };
    simulation.at(START + SECOND, Action::Restart(node(0), Box::new(make)));
    *disk.borrow_mut() = 41;
    simulation.run_until(START + SECOND);
    assert_eq!(simulation.node(&node(0)).answered, 41);
}

#[test]
fn partitions_block_for_their_time_and_direction() {
    let mut simulation = pingers(3, 1, fixed());
    let one_way = Action::Partition {
        a: BTreeSet::from([node(0)]),
        b: BTreeSet::from([node(1)]),
        direction: Direction::OneWay,
        lasting: SECOND,
    };
    simulation.at(START, one_way);
    simulation.run_until(START);
    // Lost on the way there, lost on the way back, and not concerned.
    simulation.command(node(0), Do::Ping(node(1), 1));
    simulation.command(node(1), Do::Ping(node(0), 2));
    simulation.command(node(2), Do::Ping(node(1), 3));
    simulation.command_after(SECOND, node(0), Do::Ping(node(1), 4));
    simulation.run_until_idle(START + 10 * SECOND);
    let expected = [
        (100, node(0), Saw::Ping(2)),
        (100, node(1), Saw::Ping(3)),
        (200, node(2), Saw::Pong(3)),
        (1100, node(0), Saw::Unreachable(node(1))),
        (1100, node(1), Saw::Ping(4)),
        (1200, node(0), Saw::Unreachable(node(1))),
        (1200, node(0), Saw::Pong(4)),
    ];
    assert_eq!(seen(&mut simulation), expected);
}

#[test]
fn a_paused_node_finds_everything_afterwards_in_order() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.command(node(1), Do::WakeAfter(150 * MS));
    simulation.command(node(0), Do::Ping(node(1), 1));
    simulation.command_after(100 * MS, node(0), Do::Ping(node(1), 2));
    simulation.at(START + 10 * MS, Action::Pause(node(1), SECOND));
    simulation.run_until_idle(START + 10 * SECOND);
    let late = START + 1010 * MS;
    let expected = [
        (1010, node(1), Saw::Ping(1)),
        (1010, node(1), Saw::Woken(late)),
        (1010, node(1), Saw::Ping(2)),
        (1110, node(0), Saw::Pong(1)),
        (1110, node(0), Saw::Pong(2)),
    ];
    assert_eq!(seen(&mut simulation), expected);
}

#[test]
fn a_wrong_clock_shows_another_time_but_measures_as_well() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.at(START, Action::Skew(node(0), Skew::Ahead(60 * SECOND)));
    simulation.at(START, Action::Skew(node(1), Skew::Behind(60 * SECOND)));
    for number in 0..2 {
        let wake = Action::Command(node(number), Do::WakeAfter(SECOND));
        simulation.at(START, wake);
    }
    simulation.run_until_idle(START + 10 * SECOND);
    let expected = [
        (1000, node(0), Saw::Woken(START + 61 * SECOND)),
        (1000, node(1), Saw::Woken(START + SECOND - 60 * SECOND)),
    ];
    assert_eq!(seen(&mut simulation), expected);
}

#[test]
fn clocks_differ_by_the_models_skew() {
    let simulation = pingers(100, 1, NetworkModel::INTERNET);
    let off = |number| simulation.local_time(node(number)).distance(START);
    assert!((0..100).all(|number| off(number) <= SECOND));
    assert!((0..100).filter(|&number| off(number) > SECOND / 2).count() > 20);
}

#[test]
fn losses_and_notices_come_as_often_as_stated() {
    let model = NetworkModel {
        losses: 200_000,
        noticed: 500_000,
        ..fixed()
    };
    let mut simulation = pingers(2, 1, model);
    for _ in 0..10_000 {
        simulation.command(node(0), Do::Ping(node(1), 1));
    }
    simulation.run_until_idle(START + 10 * SECOND);
    let pinger = simulation.counters(node(0));
    // Standard deviations of 40 and 32.
    assert!((1840..2160).contains(&pinger.lost), "{pinger:?}");
    let noticed = pinger.unreachable * 1000 / pinger.lost;
    assert!((450..550).contains(&noticed), "{pinger:?}");
    let ponger = simulation.counters(node(1));
    assert_eq!(ponger.received, 10_000 - pinger.lost);
    assert_eq!(simulation.total().lost, pinger.lost + ponger.lost);
}

#[test]
fn the_weather_can_change() {
    let mut simulation = pingers(2, 1, fixed());
    let storm = NetworkModel {
        losses: PER_MILLION,
        ..fixed()
    };
    simulation.at(START + SECOND, Action::Network(storm));
    simulation.command(node(0), Do::Ping(node(1), 1));
    simulation.command_after(SECOND, node(0), Do::Ping(node(1), 2));
    simulation.run_until_idle(START + 10 * SECOND);
    assert_eq!(simulation.total().received, 2);
    assert_eq!(simulation.counters(node(0)).lost, 1);
}

#[test]
fn a_node_reaches_itself_whatever_the_weather() {
    let storm = NetworkModel {
        losses: PER_MILLION,
        ..fixed()
    };
    let mut simulation = pingers(1, 1, storm);
    simulation.command(node(0), Do::Ping(node(0), 5));
    simulation.run_until_idle(START);
    assert_eq!(
        seen(&mut simulation),
        [(0, node(0), Saw::Ping(5)), (0, node(0), Saw::Pong(5))]
    );
}

#[test]
fn an_application_answers_events_after_its_own_time() {
    let mut simulation = pingers(2, 1, fixed());
    simulation.command(node(0), Do::Ping(node(1), 3));
    let mut pongs = Vec::new();
    simulation.run_with(START + 10 * SECOND, &mut |at, _, saw| match saw {
        Saw::Pong(number) => {
            pongs.push((at.since(START), number));
            let again = Do::Ping(node(1), number.saturating_sub(1));
            if number == 0 {
                Vec::new()
            } else {
                vec![(50 * MS, again)]
            }
        }
        _ => Vec::new(),
    });
    assert_eq!(
        pongs,
        [(200, 3), (450, 2), (700, 1), (950, 0)].map(|(at, n)| (at * MS, n))
    );
    assert_eq!(simulation.now(), START + 10 * SECOND);
    assert_eq!(simulation.drain_events().count(), 0);
}

#[test]
#[should_panic(expected = "does not round-trip")]
fn a_message_that_cannot_be_read_back_is_our_bug() {
    struct Mute;
    impl Protocol for Mute {
        type Message = Lossy;
        type Command = NodeId;
        type Event = ();
        type Timer = ();
        fn handle(&mut self, _: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
            if let Input::Command(to) = input {
                out.send(to, Lossy);
            }
        }
    }
    struct Lossy;
    impl<C> Encode<C> for Lossy {
        fn encode<W: minicbor::encode::Write>(
            &self,
            e: &mut minicbor::Encoder<W>,
            _: &mut C,
        ) -> Result<(), minicbor::encode::Error<W::Error>> {
            e.u8(1)?.ok()
        }
    }
    impl<'b, C> Decode<'b, C> for Lossy {
        fn decode(
            d: &mut minicbor::Decoder<'b>,
            _: &mut C,
        ) -> Result<Self, minicbor::decode::Error> {
            d.str().map(|_| Self)
        }
    }
    let mut simulation = Simulation::new(1, fixed());
    simulation.add(node(0), Mute);
    simulation.add(node(1), Mute);
    simulation.command(node(0), node(1));
    simulation.run_until_idle(START + SECOND);
}

/// Passes a rumour on to a few others, chosen from its own seed, in each of five rounds after it has heard it.
struct Gossiper {
    rng: Rng,
    n: u64,
    heard: bool,
    rounds: u8,
}

impl Protocol for Gossiper {
    type Message = u64;
    type Command = ();
    type Event = ();
    type Timer = ();

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(()) | Input::Message { .. } => {
                if !self.heard {
                    self.heard = true;
                    out.wake(now + SECOND, ());
                }
            }
            Input::Timer(()) if self.rounds < 5 => {
                self.rounds += 1;
                for _ in 0..3 {
                    out.send(node(self.rng.below(self.n)), now.0);
                }
                out.wake(now + SECOND, ());
            }
            Input::Timer(()) | Input::Unreachable(_) => {}
        }
    }
}

/// A rumour among `n` nodes.
fn gossip(n: u64, seed: u64) -> Simulation<Gossiper> {
    let model = NetworkModel {
        losses: 10_000,
        ..NetworkModel::INTERNET
    };
    let mut simulation = Simulation::new(seed, model);
    for number in 0..n {
        let rng = simulation.fork("node");
        simulation.add(
            node(number),
            Gossiper {
                rng,
                n,
                heard: false,
                rounds: 0,
            },
        );
    }
    simulation.command(node(0), ());
    simulation.at(START + 3 * SECOND, Action::Crash(node(1)));
    simulation.at(START + 4 * SECOND, Action::Pause(node(2), SECOND));
    assert!(simulation.run_until_idle(START + 600 * SECOND));
    simulation
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let run = |seed| (gossip(100, seed).fingerprint(), gossip(100, seed).total());
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
    assert_ne!(
        Simulation::<Pinger>::new(1, fixed()).fingerprint(),
        run(1).0
    );
}

#[test]
fn the_fingerprint_covers_the_bytes_of_messages() {
    let run = |number| {
        let mut simulation = pingers(2, 1, fixed());
        simulation.command(node(0), Do::Ping(node(1), number));
        simulation.run_until_idle(START + SECOND);
        (
            simulation.fingerprint(),
            simulation.steps(),
            simulation.total(),
        )
    };
    let (one, two) = (run(1), run(2));
    assert_eq!((one.1, one.2), (two.1, two.2));
    assert_ne!(one.0, two.0);
}

#[test]
fn ten_thousand_nodes_hear_a_rumour() {
    let simulation = gossip(10_000, 1);
    let heard = simulation
        .running()
        .filter(|(_, gossiper)| gossiper.heard)
        .count();
    assert!(heard > 9_950, "{heard}");
    assert!(simulation.total().sent > 149_000);
}
