//! A process of the demo: nodes on the network, usually one, with their vaults; orders on standard input and words on standard
//! output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::{Duration, NodeId};
use net::{HostHandle, Limits};
use node::{Answer, Ask, Command, Event, Node, Stage};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::cli::{ANSWERED, FAILED};
use crate::home::Home;
use crate::keeper::{Keeper, Kept, errand_of};
use crate::lines::{Draw, Line, Order, Word};
use crate::live::{self, Live, Place};
use crate::output::warn;
use crate::report::Report;
use crate::standing::Standing;

/// Orders that wait for one node.
const ORDERS: usize = 16;

/// Runs the nodes that live in `folders` until standard input ends.
pub fn main(folders: &[PathBuf]) -> ExitCode {
    let mut builder = match folders {
        [_] => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let result = match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(run_all(folders)),
        Err(why) => Err((0, format!("cannot start: {why}"))),
    };
    match result {
        Ok(()) => ExitCode::from(ANSWERED),
        Err((of, why)) => {
            say(of, Word::Failed(why));
            ExitCode::from(FAILED)
        }
    }
}

/// Hands orders to the nodes. Fails with the first that does, by its number.
async fn run_all(folders: &[PathBuf]) -> Result<(), (usize, String)> {
    let mut nodes = JoinSet::new();
    let mut orders = Vec::new();
    for (of, folder) in folders.iter().enumerate() {
        let (sender, receiver) = mpsc::channel(ORDERS);
        let home = Home::at(folder);
        nodes.spawn(async move { run(of, &home, receiver).await.map_err(|why| (of, why)) });
        orders.push(sender);
    }
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => {
                // Without one the demo has ended, however it did.
                let Ok(Some(line)) = line else { return Ok(()) };
                let Line { of, says } = serde_json::from_str(&line)
                    .map_err(|why| (0, format!("not an order: {why}")))?;
                let node = orders.get(of).ok_or((0, "an order for nobody".into()))?;
                node.send(says).await.map_err(|_| (of, "the node has stopped".into()))?;
            }
            Some(ended) = nodes.join_next() => {
                ended.unwrap_or_else(|why| Err((0, why.to_string())))?;
            }
        }
    }
}

async fn run(of: usize, home: &Home, mut orders: mpsc::Receiver<Order>) -> Result<(), String> {
    let place = Place {
        listen: ([127, 0, 0, 1], 0).into(),
        announce: Vec::new(),
        limits: Limits::default(),
        door: None,
        standing: Standing::default(),
        record: None,
        relays: Vec::new(),
        map_port: false,
    };
    let live = live::start(home, place).await;
    let Live {
        host,
        mut events,
        vault,
        ..
    } = live.map_err(|why| why.to_string())?;
    let (keeper, mut done) = Keeper::start(vault, None);
    say(
        of,
        Word::Ready {
            node: host.node().to_string(),
            address: host.local_addr(),
        },
    );
    let mut proof = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => follow(&host, order, &mut proof).await?,
                None => return Ok(()),
            },
            event = events.recv() => match errand_of(event.ok_or("the node has stopped")?) {
                Ok(errand) => keeper.send(errand).map_err(|why| why.to_string())?,
                Err(event) => hear(of, event, proof.as_deref())?,
            },
            kept = done.recv() => match kept.ok_or("the vault cannot be written")? {
                Kept::Tell(command) => host.command(command).await.map_err(|why| why.to_string())?,
                Kept::Unproved(_) | Kept::Written => {}
                Kept::Note(why) | Kept::Unwritten(why) | Kept::LeftAlone(_, why) => warn(why),
            },
        }
    }
}

async fn follow(
    host: &HostHandle<Node>,
    order: Order,
    proof_path: &mut Option<PathBuf>,
) -> Result<(), String> {
    let command = match order {
        Order::Join { node, address } => {
            let node: NodeId = node.parse().map_err(|_| "an order names no node")?;
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
            consent_ms,
            collect_ms,
            proof,
        } => {
            *proof_path = Some(proof);
            Command::Ask(Ask {
                sql,
                purpose,
                consent_for: Duration::from_millis(consent_ms),
                collect_for: Duration::from_millis(collect_ms),
            })
        }
        Order::Consent { question, yes } => {
            let question = question.parse();
            let question = question.map_err(|_| "an order names no question")?;
            Command::Consent { question, yes }
        }
    };
    host.command(command).await.map_err(|why| why.to_string())
}

/// Says what the demo wants to know.
fn hear(of: usize, event: Event, proof: Option<&Path>) -> Result<(), String> {
    let word = match event {
        Event::Known(nodes) => Word::Known(nodes),
        Event::Stage(
            _,
            Stage::Drawn {
                k,
                checks,
                setter,
                seats,
            },
        ) => Word::Drawn(Draw {
            k,
            checks,
            setter: setter.to_string(),
            seats: seats.iter().map(ToString::to_string).collect(),
        }),
        Event::Stage(_, Stage::Collecting) => Word::Collecting,
        Event::SetAgreed(_, members) => {
            Word::Set(members.iter().map(ToString::to_string).collect())
        }
        Event::Answered(answer) => answered(&answer, proof)?,
        Event::Ended(_, why) => Word::Ended {
            refused: why.is_refusal(),
            why: why.to_string(),
        },
        Event::NotAsked(why) => Word::Ended {
            refused: true,
            why: why.to_string(),
        },
        Event::Misbehaved { node, what } => {
            warn(format_args!("{node:?} misbehaved: {what}"));
            return Ok(());
        }
        Event::AskOwner(asked) => Word::Asked(asked.question.to_string()),
        // The vault hears of the last three.
        Event::ByRule { .. }
        | Event::Budget(_)
        | Event::Published(_)
        | Event::Left
        | Event::NotPublished(..)
        | Event::Contributed(_)
        | Event::Helps { .. }
        | Event::Stage(_, Stage::Announced { .. })
        | Event::CalledOff(_)
        | Event::BudgetSpent(_)
        // A demo's community is founded once.
        | Event::Amended(_)
        | Event::NotAmended(_)
        | Event::Contradicted(_)
        // Nor does a demo's node run twice.
        | Event::Namesake(_)
        | Event::Measure { .. }
        | Event::Store { .. }
        | Event::Contacts(_)
        | Event::Echo
        | Event::Forget { .. } => return Ok(()),
    };
    say(of, word);
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
fn say(of: usize, says: Word) {
    let line = serde_json::to_string(&Line { of, says }).expect("words are plain data");
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(written);
}
