//! One node's process, as the demo runs it: the node on the network, its vault on a thread of its own, orders on standard
//! input and words on standard output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;

use base::{Digest, Duration};
use net::{Bound, HostConfig, HostHandle, Limits, MemberAdmission};
use node::{Answer, Ask, Command, Event, Node, Setup, Stage};
use question::{ConsentRule, ConsentRuleError, LocalRow, Question};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::mpsc as channel;
use vault::{Vault, VaultError};

use crate::cli::{ANSWERED, FAILED};
use crate::home::{CONSENT, Home, node_of, system_rng};
use crate::lines::{Draw, Order, Word};
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
    let (identity, community, vault) = home.open().map_err(|why| why.to_string())?;
    let identity = Arc::new(identity);
    let config = HostConfig {
        key: identity.key.clone(),
        bind: ([127, 0, 0, 1], 0).into(),
        limits: Limits::default(),
    };
    let bound = Bound::bind(config).await.map_err(|why| why.to_string())?;
    let setup = Setup {
        identity: Arc::clone(&identity),
        community: Arc::clone(&community),
        addresses: vec![bound.local_addr()],
        consent: consent(&vault)?,
        journal: vault.journal_all().map_err(|why| why.to_string())?,
        rng: system_rng(),
    };
    let node = Node::new(bound.now(), setup).map_err(|why| why.to_string())?;
    let admission = MemberAdmission::new(community, identity.certificate.clone());
    let (host, mut events) = bound.run(node, admission);
    let (errands, mut done) = keep(vault);
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
            event = events.recv() => {
                let event = event.ok_or("the node has stopped")?;
                if let Some(errand) = hear(event, proof.as_deref())? {
                    errands.send(errand).map_err(|_| "the vault has stopped")?;
                }
            },
            command = done.recv() => {
                let command = command.ok_or("the vault cannot be written")?;
                host.command(command).await.map_err(|why| why.to_string())?;
            },
        }
    }
}

/// The owner's standing answer; who never gave one is asked each time.
fn consent(vault: &Vault) -> Result<ConsentRule, String> {
    let rule = vault.setting(CONSENT).map_err(|why| why.to_string())?;
    let rule = rule.map(|rule| rule.parse()).transpose();
    let rule = rule.map_err(|why: ConsentRuleError| why.to_string())?;
    Ok(rule.unwrap_or_default())
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

/// What the vault is to do.
enum Errand {
    Measure(Digest, Box<Question>),
    Store(u64, Vec<u8>, Vec<u8>),
}

/// Says what the demo wants to know; gives what the vault must do.
fn hear(event: Event, proof: Option<&Path>) -> Result<Option<Errand>, String> {
    match event {
        Event::Measure { question, parsed } => return Ok(Some(Errand::Measure(question, parsed))),
        Event::Store { number, key, value } => return Ok(Some(Errand::Store(number, key, value))),
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
        // Nobody sits before a demo's node to be asked.
        Event::AskOwner(_) | Event::Contributed(_) | Event::Stage(_, Stage::Announced { .. }) => {}
    }
    Ok(None)
}

fn answered(answer: &Answer, proof: Option<&Path>) -> Result<Word, String> {
    if let Some(path) = proof {
        fs::write(path, &answer.proof)
            .map_err(|why| format!("cannot write {}: {why}", path.display()))?;
    }
    Ok(Word::Answered(Box::new(Report::of(&answer.verified))))
}

/// Runs the vault on a thread: disks are slow, and the network must not wait for them.
fn keep(mut vault: Vault) -> (mpsc::Sender<Errand>, channel::UnboundedReceiver<Command>) {
    let (errands, orders) = mpsc::channel();
    let (sender, done) = channel::unbounded_channel();
    thread::spawn(move || {
        for errand in orders {
            let command = match errand {
                Errand::Measure(question, parsed) => {
                    let row = match vault.answer(&parsed) {
                        Ok(row) => row,
                        // Who has no such table does not match, like everybody else who does not.
                        Err(VaultError::NoTable(_)) => LocalRow::NoRow,
                        // A made-up answer would be wrong: the owner counts as away.
                        Err(why) => {
                            eprintln!("question {question:?} is left alone: {why}");
                            continue;
                        }
                    };
                    Command::Measured { question, row }
                }
                Errand::Store(number, key, value) => match vault.journal_put(&key, &value) {
                    Ok(()) => Command::Stored(number),
                    Err(why) => {
                        eprintln!("{why}");
                        return;
                    }
                },
            };
            if sender.send(command).is_err() {
                return;
            }
        }
    });
    (errands, done)
}

/// One line on standard output. When nobody listens any more, standard input has ended as well.
fn say(word: &Word) {
    let line = serde_json::to_string(word).expect("words are plain data");
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(written);
}
