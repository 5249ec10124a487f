//! One node's process, as the demo runs it: the node on the network, its vault, orders on standard
//! input and words on standard output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::Duration;
use net::{HostHandle, Limits};
use node::{Answer, Ask, Command, Event, Node, Stage};
use question::ConsentRule;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::cli::{ANSWERED, FAILED};
use crate::home::{Home, node_of};
use crate::keeper::{Keeper, Kept, errand_of};
use crate::lines::{Draw, Order, Word};
use crate::live::{self, Live, Place};
use crate::report::Report;

/// Runs the node that lives in `folder` until standard input ends.
pub fn main(folder: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(&Home::at(folder))),
        Err(why) => Err(format!("cannot start: {why}")),
    };
    match result {
        Ok(()) => ExitCode::from(ANSWERED),
        Err(why) => {
            say(&Word::Failed(why));
            ExitCode::from(FAILED)
        }
    }
}

async fn run(home: &Home) -> Result<(), String> {
    let place = Place {
        listen: ([127, 0, 0, 1], 0).into(),
        announce: Vec::new(),
        limits: Limits::default(),
        door: None,
        rule: ConsentRule::default(),
    };
    let live = live::start(home, place).await;
    let Live {
        host,
        mut events,
        vault,
        ..
    } = live.map_err(|why| why.to_string())?;
    let (keeper, mut done) = Keeper::start(vault);
    say(&Word::Ready {
        node: host.node().to_string(),
        address: host.local_addr(),
    });
    let mut orders = BufReader::new(stdin()).lines();
    let mut proof = None;
    loop {
        tokio::select! {
            line = orders.next_line() => match line {
                Ok(Some(line)) => follow(&host, &line, &mut proof).await?,
                // The demo has ended, however it did.
                Ok(None) | Err(_) => return Ok(()),
            },
            event = events.recv() => match errand_of(event.ok_or("the node has stopped")?) {
                Ok(errand) => keeper.send(errand).map_err(|why| why.to_string())?,
                Err(event) => hear(event, proof.as_deref())?,
            },
            kept = done.recv() => match kept.ok_or("the vault cannot be written")? {
                Kept::Tell(command) => host.command(command).await.map_err(|why| why.to_string())?,
                Kept::Note(why) => eprintln!("{why}"),
            },
        }
    }
}

async fn follow(
    host: &HostHandle<Node>,
    line: &str,
    proof_path: &mut Option<PathBuf>,
) -> Result<(), String> {
    let order = serde_json::from_str(line).map_err(|why| format!("not an order: {why}"))?;
    let command = match order {
        Order::Join { node, address } => {
            let node = node_of(&node).ok_or("an order names no node")?;
            let told = if node == host.node() {
                Vec::new()
            } else {
                vec![(node, address)]
            };
            Command::Join(told)
        }
        Order::Ask {
            sql,
            purpose,
            collect_ms,
            proof,
        } => {
            *proof_path = Some(proof);
            Command::Ask(Ask {
                sql,
                purpose,
                consent_for: Duration::ZERO,
                collect_for: Duration::from_millis(collect_ms),
            })
        }
    };
    host.command(command).await.map_err(|why| why.to_string())
}

/// Says what the demo wants to know.
fn hear(event: Event, proof: Option<&Path>) -> Result<(), String> {
    match event {
        Event::Known(nodes) => say(&Word::Known(nodes)),
        Event::Stage(
            _,
            Stage::Drawn {
                k,
                checks,
                setter,
                seats,
            },
        ) => say(&Word::Drawn(Draw {
            k,
            checks,
            setter: setter.to_string(),
            seats: seats.iter().map(ToString::to_string).collect(),
        })),
        Event::Stage(_, Stage::Collecting) => say(&Word::Collecting),
        Event::SetAgreed(_, members) => {
            say(&Word::Set(
                members.iter().map(ToString::to_string).collect(),
            ));
        }
        Event::Answered(answer) => say(&answered(&answer, proof)?),
        Event::Ended(_, why) => say(&Word::Ended {
            refused: why.is_refusal(),
            why: why.to_string(),
        }),
        Event::NotAsked(why) => say(&Word::Ended {
            refused: true,
            why: why.to_string(),
        }),
        Event::Misbehaved { node, what } => eprintln!("{node:?} misbehaved: {what}"),
        // Nobody sits before a demo's node to be asked; the vault hears of the last three.
        Event::AskOwner(_)
        | Event::ByRule(..)
        | Event::Contributed(_)
        | Event::Stage(_, Stage::Announced { .. })
        | Event::CalledOff(_)
        | Event::BudgetSpent(_)
        | Event::Measure { .. }
        | Event::Store { .. }
        | Event::Forget { .. } => {}
    }
    Ok(())
}

fn answered(answer: &Answer, proof: Option<&Path>) -> Result<Word, String> {
    if let Some(path) = proof {
        fs::write(path, &answer.proof)
            .map_err(|why| format!("cannot write {}: {why}", path.display()))?;
    }
    Ok(Word::Answered(Box::new(Report::of(&answer.verified))))
}

/// One line on standard output. When nobody listens any more, standard input has ended as well.
fn say(word: &Word) {
    let line = serde_json::to_string(word).expect("words are plain data");
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(written);
}
