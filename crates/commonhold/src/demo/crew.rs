//! The nodes and their processes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use base::NodeId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use crate::demo::DemoError;
use crate::home::Home;
use crate::lines::{Line, Order, Word};

/// Words that wait to be heard.
const WAITING: usize = 1024;

/// All processes. They end when this is dropped, or, were this process killed, when their standard input ends.
pub struct Crew {
    processes: Vec<Process>,
    /// Of those who live: in which process, which of its nodes.
    members: BTreeMap<NodeId, (usize, usize)>,
    words: mpsc::Receiver<(NodeId, Word)>,
    sender: mpsc::Sender<(NodeId, Word)>,
}

struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    /// Of its first node, where it logs.
    home: Home,
}

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        let (sender, words) = mpsc::channel(WAITING);
        Self {
            processes: Vec::new(),
            members: BTreeMap::new(),
            words,
            sender,
        }
    }

    /// Starts a process with these nodes; one at least.
    pub fn start(&mut self, nodes: &[(NodeId, Home)]) -> Result<(), DemoError> {
        let failed = |why: std::io::Error| {
            DemoError::Machine(format!("cannot start a node's process: {why}"))
        };
        let home = nodes.first().map(|(_, home)| home.clone());
        let home = home.expect("a process runs a node");
        let program = std::env::current_exe().map_err(failed)?;
        let log = File::create(home.log()).map_err(failed)?;
        let mut child = Command::new(program)
            .arg("demo-node")
            .args(nodes.iter().map(|(_, home)| home.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C on a terminal reaches a whole group: it must not end the nodes before the demo has heard of it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let orders = child.stdin.take();
        let names: Vec<_> = nodes.iter().map(|(node, _)| *node).collect();
        for (of, node) in names.iter().enumerate() {
            self.members.insert(*node, (self.processes.len(), of));
        }
        if let Some(words) = child.stdout.take() {
            tokio::spawn(relay(words, names, self.sender.clone()));
        }
        self.processes.push(Process {
            child,
            orders,
            home,
        });
        Ok(())
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The most memory that the processes have held, in bytes; `None` where the system does not say.
    pub fn memory(&self) -> Option<u64> {
        let of = |process: &Process| peak(process.child.id()?);
        self.processes.iter().map(of).sum()
    }

    /// Gives an order.
    pub async fn order(&mut self, node: NodeId, order: &Order) -> Result<(), DemoError> {
        let place = self.members.get(&node).copied();
        let written = match place.and_then(|(at, of)| Some((self.processes.get_mut(at)?, of))) {
            Some((process, of)) => process.order(of, order).await,
            None => false,
        };
        if written {
            Ok(())
        } else {
            Err(self.failed(node, "does not listen"))
        }
    }

    /// The next word of anybody who lives.
    pub async fn hear(&mut self) -> Result<(NodeId, Word), DemoError> {
        loop {
            let heard = self.words.recv().await;
            let (node, word) = heard.expect("the crew itself can still speak");
            match word {
                _ if !self.members.contains_key(&node) => {}
                Word::Failed(why) => return Err(self.failed(node, &why)),
                word => return Ok((node, word)),
            }
        }
    }

    /// Kills a node's process, as `kill -9` does.
    pub async fn kill(&mut self, node: NodeId) {
        if let Some((at, _)) = self.members.remove(&node) {
            self.members.retain(|_, (process, _)| *process != at);
            drop(self.processes[at].child.kill().await);
        }
    }

    /// Ends all processes and waits for their end.
    pub async fn dismiss(&mut self) {
        self.members.clear();
        for mut process in std::mem::take(&mut self.processes) {
            drop(process.child.kill().await);
        }
    }

    fn failed(&self, node: NodeId, why: &str) -> DemoError {
        let process = self.members.get(&node).map(|(at, _)| &self.processes[*at]);
        let log = process.and_then(|process| fs::read_to_string(process.home.log()).ok());
        let last: Vec<_> = log
            .iter()
            .flat_map(|log| log.lines().rev().take(5))
            .collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        let last = if last.is_empty() {
            String::new()
        } else {
            format!("; its last words: {}", last.join(" / "))
        };
        DemoError::Machine(format!("the node {node:?} failed: {why}{last}"))
    }
}

impl Process {
    /// Whether the order was given.
    async fn order(&mut self, of: usize, order: &Order) -> bool {
        let says = order.clone();
        let line = serde_json::to_string(&Line { of, says }).expect("orders are plain data");
        match &mut self.orders {
            Some(orders) => orders.write_all((line + "\n").as_bytes()).await.is_ok(),
            None => false,
        }
    }
}

/// Passes on what the nodes of a process say, until it ends.
async fn relay(words: ChildStdout, names: Vec<NodeId>, sender: mpsc::Sender<(NodeId, Word)>) {
    let mut lines = BufReader::new(words).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said: Result<Line<Word>, _> = serde_json::from_str(&line);
        let known = said
            .ok()
            .and_then(|said| Some((*names.get(said.of)?, said.says)));
        let garbled = || (names[0], Word::Failed(format!("says \"{line}\"")));
        if sender.send(known.unwrap_or_else(garbled)).await.is_err() {
            return;
        }
    }
    // Not heard when the process was killed on purpose.
    let gone = Word::Failed("its process has ended".into());
    drop(sender.send((names[0], gone)).await);
}

/// The most memory that a process has held, in bytes.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    let status = status.ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
