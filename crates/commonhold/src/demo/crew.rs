//! The nodes' processes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Stdio;

use base::NodeId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

use crate::demo::DemoError;
use crate::home::Home;
use crate::lines::{Order, Word};

/// Words that wait to be heard.
const WAITING: usize = 1024;

/// All processes. They end when this is dropped, or, were this process killed, when their standard input ends.
pub struct Crew {
    members: BTreeMap<NodeId, Member>,
    words: mpsc::Receiver<(NodeId, Word)>,
    sender: mpsc::Sender<(NodeId, Word)>,
}

struct Member {
    process: Child,
    orders: Option<ChildStdin>,
    home: Home,
}

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        let (sender, words) = mpsc::channel(WAITING);
        Self {
            members: BTreeMap::new(),
            words,
            sender,
        }
    }

    /// Starts the process of a node.
    pub fn start(&mut self, node: NodeId, home: Home) -> Result<(), DemoError> {
        let failed = |why: std::io::Error| {
            DemoError::Machine(format!("cannot start a node's process: {why}"))
        };
        let program = std::env::current_exe().map_err(failed)?;
        let log = File::create(home.log()).map_err(failed)?;
        let mut process = Command::new(program)
            .arg("demo-node")
            .arg(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C on a terminal reaches a whole group: it must not end the nodes before the demo has heard of it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let orders = process.stdin.take();
        if let Some(words) = process.stdout.take() {
            let sender = self.sender.clone();
            tokio::spawn(async move {
                let mut lines = BufReader::new(words).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let word = serde_json::from_str(&line)
                        .unwrap_or_else(|_| Word::Failed(format!("says \"{line}\"")));
                    if sender.send((node, word)).await.is_err() {
                        return;
                    }
                }
                // Not heard when the process was killed on purpose.
                let gone = Word::Failed("its process has ended".into());
                drop(sender.send((node, gone)).await);
            });
        }
        let member = Member {
            process,
            orders,
            home,
        };
        self.members.insert(node, member);
        Ok(())
    }

    /// How many processes there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Gives an order.
    pub async fn order(&mut self, node: NodeId, order: &Order) -> Result<(), DemoError> {
        let line = serde_json::to_string(order).expect("orders are plain data") + "\n";
        let member = self.members.get_mut(&node);
        let written = match member.and_then(|member| member.orders.as_mut()) {
            Some(orders) => orders.write_all(line.as_bytes()).await.is_ok(),
            None => false,
        };
        if written {
            Ok(())
        } else {
            Err(self.failed(node, "does not listen"))
        }
    }

    /// Gives everybody an order.
    pub async fn order_all(&mut self, order: &Order) -> Result<(), DemoError> {
        let all: Vec<_> = self.members.keys().copied().collect();
        for node in all {
            self.order(node, order).await?;
        }
        Ok(())
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

    /// Kills a process, as `kill -9` does.
    pub async fn kill(&mut self, node: NodeId) {
        if let Some(mut member) = self.members.remove(&node) {
            drop(member.process.kill().await);
        }
    }

    /// Ends all processes and waits for their end.
    pub async fn dismiss(&mut self) {
        for (_, mut member) in std::mem::take(&mut self.members) {
            drop(member.process.kill().await);
        }
    }

    fn failed(&self, node: NodeId, why: &str) -> DemoError {
        let log = self.members.get(&node).map(|member| member.home.log());
        let log = log.and_then(|path| fs::read_to_string(path).ok());
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
