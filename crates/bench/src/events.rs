//! How many things happen per second in a simulation.

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Protocol};
use sim::{NetworkModel, Simulation};

use crate::report::{Goal, Row};
use crate::timing::{median, time};

const NODES: u64 = 10_000;
const EVENTS: u64 = 2_000_000;
const RUNS: usize = 5;

/// A crowd that passes numbers on. Each node begins with one; whoever is sent a number sends the next one to the node
/// that follows from it.
struct Passer {
    everybody: std::rc::Rc<[NodeId]>,
}

impl Protocol for Passer {
    type Message = u64;
    type Command = u64;
    type Event = ();
    type Timer = ();

    fn handle(&mut self, _: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        if let Input::Command(number)
        | Input::Message {
            message: number, ..
        } = input
        {
            let next = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let place = (next >> 32) % self.everybody.len() as u64;
            out.send(self.everybody[place as usize], next);
        }
    }
}

/// Messages of up to ten bytes between 10,000 nodes on the internet.
pub fn run() -> Vec<Row> {
    let everybody: std::rc::Rc<[NodeId]> = (0..NODES)
        .map(|number| NodeId(Digest::of("passer", &[&number.to_be_bytes()]).0))
        .collect();
    let rates = (0..RUNS).map(|_| {
        let mut simulation = Simulation::new(1, NetworkModel::INTERNET);
        for (number, node) in everybody.iter().enumerate() {
            let everybody = std::rc::Rc::clone(&everybody);
            simulation.add(*node, Passer { everybody });
            simulation.command(*node, number as u64);
        }
        let (took, ()) = time(|| {
            while simulation.steps() < EVENTS {
                let until = simulation.now() + Duration::from_millis(10);
                simulation.run_until(until);
            }
        });
        simulation.steps() as f64 / took.as_secs_f64() / 1e6
    });
    vec![Row {
        what: format!("simulated events, {NODES} nodes, small messages"),
        value: median(rates.collect()),
        unit: "M/s",
        goal: Some(Goal::AtLeast(1.0)),
    }]
}
