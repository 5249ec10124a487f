//! `--open`: after the answer one person's node becomes a real one, with a page, among all others, until Ctrl-C.
//!
//! The node that asked puts one more question, which waits on the page for the person's word; the person asks the others two,
//! whose answers and proofs are there to look at.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use api::{Client, ClientError, ConsentRule, NewQuestion};
use base::NodeId;
use community::{Kind, Table};
use question::quoted;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::daemon::client;
use crate::demo::DemoError;
use crate::demo::crew::Crew;
use crate::demo::owners::Owner;
use crate::home::Home;
use crate::lines::{Order, Word};

/// How often the node is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// For it to start.
const STARTING: Duration = Duration::from_secs(30);
/// For an answer, with all its attempts.
const ANSWER: Duration = Duration::from_secs(90);
/// How long the question waits that is there to be decided.
const WAITS: Duration = Duration::from_secs(3600);
/// How long owners have to decide who are not asked by a rule.
const DECIDE_SECS: u64 = 3;
/// Groups that a picture of them still shows well.
const GROUPS_MAX: usize = 12;

/// A person's node with a page. It ends when this is dropped, or, were this process killed, when its standard input ends.
pub struct Shown {
    _process: Child,
    _orders: Option<ChildStdin>,
    client: Client,
}

/// What is there when everybody has met, and one of them is to be shown.
pub struct Scene<'a> {
    /// All processes.
    pub crew: &'a mut Crew,
    /// Whose node it is.
    pub person: &'a (NodeId, Home),
    /// Who asked.
    pub asker: NodeId,
    /// What each owner does when asked.
    pub says: &'a BTreeMap<NodeId, Owner>,
    /// Where another node listens.
    pub peer: (NodeId, SocketAddr),
    /// How many others the person's node is to know.
    pub others: u64,
    /// What questions are about.
    pub table: &'a Table,
    /// The demo's question.
    pub sql: &'a str,
    /// Longest time for contributions.
    pub collect: Duration,
}

impl Scene<'_> {
    /// Ends the person's demo node, and starts a real one in its folder.
    pub async fn begin(&mut self) -> Result<Shown, DemoError> {
        let (node, home) = self.person;
        self.crew.kill(*node).await;
        let folder = home.path();
        let shown = start(folder, self.peer, self.collect).map_err(|why| {
            DemoError::Machine(format!("cannot start the node with the page: {why}"))
        })?;
        let (mut process, orders) = shown;
        let began = Instant::now();
        let client = loop {
            if let Ok(client) = client(folder)
                && let Ok(status) = client.status().await
                && status.peers_known >= self.others
            {
                break client;
            }
            let gone = matches!(process.try_wait(), Ok(Some(_)));
            if gone || began.elapsed() > STARTING {
                let log = fs::read_to_string(home.log()).unwrap_or_default();
                let last = log.lines().last().unwrap_or("it says nothing");
                return Err(DemoError::Machine(format!(
                    "the node with the page did not meet the others: {last}"
                )));
            }
            sleep(LOOK).await;
        };
        client.set_default(ConsentRule::Ask).await.map_err(failed)?;
        Ok(Shown {
            _process: process,
            _orders: orders,
            client,
        })
    }

    /// Puts the questions that are to be seen.
    pub async fn ask(&mut self, shown: &Shown) -> Result<(), DemoError> {
        let waiting = Order::Ask {
            sql: self.count(),
            purpose: "To see whether anybody has anything to say".into(),
            consent_ms: WAITS.as_millis() as u64,
            collect_ms: self.collect.as_millis() as u64,
            proof: self.person.1.path().join("another.proof"),
        };
        self.crew.order(self.asker, &waiting).await?;
        let asked = [
            (self.sql.to_owned(), "To compare myself with the others"),
            (self.grouped(), "To see how we differ"),
        ];
        for (sql, purpose) in asked {
            let new = NewQuestion {
                sql,
                purpose: purpose.into(),
                consent_secs: DECIDE_SECS,
                collect_secs: Some(self.collect.as_secs().max(1)),
            };
            let over = answered(&shown.client, &new);
            tokio::select! {
                over = timeout(ANSWER, over) => match over {
                    // One without an answer is there to look at as well.
                    Ok(over) => over.map_err(failed)?,
                    Err(_) => return Err(DemoError::TimedOut("no answer in time: too many helpers are away".into())),
                },
                failed = attend(self.crew, self.says) => return Err(failed),
            }
        }
        Ok(())
    }

    /// Lets the others answer for as long as somebody looks.
    pub async fn attend(&mut self) -> DemoError {
        attend(self.crew, self.says).await
    }

    fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", quoted(&self.table.name))
    }

    /// How many there are of each kind, by the first column that has a few kinds.
    fn grouped(&self) -> String {
        let few = self.table.columns.iter().find(
            |column| matches!(&column.kind, Kind::Category(words) if (2..=GROUPS_MAX).contains(&words.len())),
        );
        match few {
            Some(column) => format!("{} GROUP BY {}", self.count(), quoted(&column.name)),
            None => self.count(),
        }
    }
}

impl Shown {
    /// The address that opens the page, once.
    pub async fn page(&self) -> Result<String, DemoError> {
        self.client
            .page()
            .await
            .map(|(page, _)| page)
            .map_err(failed)
    }
}

fn failed(why: ClientError) -> DemoError {
    DemoError::Machine(format!("the node with the page failed: {why}"))
}

fn start(
    folder: &Path,
    (node, address): (NodeId, SocketAddr),
    collect: Duration,
) -> std::io::Result<(Child, Option<ChildStdin>)> {
    // Not the owner's: what holds for their own node is not meant here.
    let config = folder.join("config.toml");
    let collect = collect.as_secs().max(1);
    fs::write(
        &config,
        format!(
            "listen = \"127.0.0.1:0\"\napi = \"127.0.0.1:0\"\npeers = [\"{node}@{address}\"]\ncollect_secs = {collect}\n"
        ),
    )?;
    let log = File::create(Home::at(folder).log())?;
    let mut command = Command::new(std::env::current_exe()?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COMMONHOLD_") {
            command.env_remove(name);
        }
    }
    let mut process = command
        .arg("demo-node")
        .arg("--config")
        .arg(config)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let orders = process.stdin.take();
    Ok((process, orders))
}

/// Puts a question and waits until it is over.
async fn answered(client: &Client, new: &NewQuestion) -> Result<(), ClientError> {
    let mut question = client.ask(new).await?;
    while !question.state.is_over() {
        sleep(LOOK).await;
        question = client.question(&question.id).await?;
    }
    Ok(())
}

/// Has owners answer who are asked; ends only when a process does.
async fn attend(crew: &mut Crew, says: &BTreeMap<NodeId, Owner>) -> DemoError {
    loop {
        let asked = match crew.hear().await {
            Ok((node, Word::Asked(question))) => Some((node, question)),
            Ok(_) => None,
            Err(why) => return why,
        };
        let Some((node, question)) = asked else {
            continue;
        };
        let yes = match says.get(&node) {
            Some(Owner::Yes) => true,
            Some(Owner::No) => false,
            Some(Owner::Away) | None => continue,
        };
        if let Err(why) = crew.order(node, &Order::Consent { question, yes }).await {
            return why;
        }
    }
}
