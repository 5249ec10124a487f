//! One question to a simulated community on the internet: what it takes.
//!
//! `cargo run --release -p sim --example question -- 200` (people; 12 when not given)

use base::Duration;
use sim::START;
use sim::community::{Settings, World};

fn main() {
    let people = std::env::args().nth(1);
    let people = people.map_or(12, |text| text.parse().expect("a number of people"));
    let mut world = World::new(1, &Settings::of(people));
    world.meet();
    let met = world.simulation.total();
    let asked = world.simulation.now();
    println!(
        "meeting:  {:>8} messages {:>10.1} kB  {:.1} s",
        met.sent,
        met.sent_bytes as f64 / 1e3,
        asked.since(START).as_secs_f64()
    );
    let outcome = world.ask("SELECT AVG(hours) FROM sleep", Duration::from_secs(10));
    let total = world.simulation.total();
    let answered = outcome.answers.first().expect("an answer");
    println!(
        "question: {:>8} messages {:>10.1} kB  {} included",
        total.sent - met.sent,
        (total.sent_bytes - met.sent_bytes) as f64 / 1e3,
        answered.verified.included
    );
    for (at, stage) in &outcome.stages {
        let name = match stage {
            node::Stage::Announced { sizes, .. } => {
                format!("announced: {} lanes of {}", sizes.lanes, sizes.replicas)
            }
            node::Stage::Drawn { k, .. } => format!("drawn: k = {k}"),
            node::Stage::Collecting => "collecting".into(),
        };
        println!("  after {:>5.2} s  {name}", at.since(asked).as_secs_f64());
    }
    let [at, ..] = outcome.ended_at[..] else {
        return;
    };
    println!("  after {:>5.2} s  answered", at.since(asked).as_secs_f64());
    println!("proof:    {} bytes", answered.proof.len());
}
