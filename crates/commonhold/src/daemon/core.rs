//! The daemon's one loop: requests of the owner's programs, events of the node, what the vault has done.

mod news;
mod requests;

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use api::{Api, Event, EventKind, NewQuestion, Question, Reply, Request};
use base::Instant;
use community::{Community, Identity};
use net::{Door, HostHandle, Limits};
use node::Node;
use question::ConsentRule;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};

use crate::community_command::{Received, Reception, members};
use crate::config::{Config, Peer};
use crate::daemon::folder::{Claimed, FolderError};
use crate::daemon::hearing;
use crate::daemon::ledger::Ledger;
use crate::home::{Home, system_rng};
use crate::keeper::{Broken, Errand, Keeper, Kept};
use crate::live::{self, Live, LiveError, Place};
use crate::log::{Level, Log};

/// Requests that wait.
const REQUESTS: usize = 64;
/// Newcomers who wait for a line in the log.
const NOTES: usize = 16;
/// Events that wait for one who listens; who is slower misses some.
const EVENTS: usize = 1024;

/// Why the daemon could not start, or had to stop.
#[derive(Debug, Error)]
pub enum UpError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its node.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The API's port.
    #[error(
        "the API cannot listen on {0}: {1}; free that port, or set the key api of config.toml to 127.0.0.1:0"
    )]
    Api(SocketAddr, std::io::Error),
    /// The node itself.
    #[error("the node has stopped by itself; see the log, and start it again")]
    Stopped,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] Broken),
}

/// Runs the node of this folder until `stop` or a program says so.
pub async fn run(
    config: Config,
    mut log: Log,
    reception: Option<Reception>,
    stop: impl Future<Output = ()>,
) -> Result<(), UpError> {
    let claimed = Claimed::claim(&config.folder)?;
    let token = claimed.token(&mut system_rng())?;
    let (notes, noted) = mpsc::channel(NOTES);
    let door = reception.map(|reception| welcome(reception, notes));
    let place = Place {
        listen: config.listen,
        announce: config.announce.clone(),
        limits: Limits {
            max_connections: config.connections_max,
            inbox_messages: config.inbox_messages_max,
            ..Limits::default()
        },
        door,
        rule: config.rule,
    };
    let live = live::start(&Home::at(&config.folder), place).await?;
    let ledger = Ledger::read(&live.vault, config.questions_kept_max).map_err(LiveError::from)?;
    let unheard = |why| UpError::Api(config.api, why);
    let listener = TcpListener::bind(config.api).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    let (requests, orders) = mpsc::channel(REQUESTS);
    let (events, _) = broadcast::channel(EVENTS);
    let api = Api {
        token,
        port: address.port(),
        requests,
        events: events.clone(),
    };
    let serving = tokio::spawn(api::serve(listener, api.router()));
    let Live {
        host,
        events: said,
        vault,
        identity,
        community,
        announced,
        rule,
        since,
    } = live;
    let (keeper, done) = Keeper::start(vault);
    let named = members(&config.folder).into_iter();
    let named = named.flat_map(|member| {
        let at = member.addresses.into_iter();
        at.map(move |address| Peer {
            node: member.node,
            address,
        })
    });
    let peers: Vec<_> = config.peers.iter().cloned().chain(named).collect();
    let join = hearing::join(&peers, host.node());
    host.command(join).await.map_err(|_| UpError::Stopped)?;
    claimed.publish(address)?;
    log.say(
        host.now(),
        Level::Info,
        &format!(
            "{:?} listens on {}, its API on {address}",
            host.node(),
            host.local_addr()
        ),
    );
    let mut core = Core {
        host,
        keeper,
        ledger,
        log,
        events,
        number: 0,
        identity,
        community,
        announced,
        rule,
        since,
        known: 1,
        asking: VecDeque::new(),
        config,
    };
    let result = core.turn(said, done, orders, noted, stop).await;
    if let Err(why) = &result {
        core.say(Level::Error, &why.to_string());
    }
    core.tell(EventKind::Stopping, None, "the node is stopping");
    core.host.shutdown().await;
    // Nothing more is said to the vault; what was is written.
    let finished = tokio::task::spawn_blocking(|| core.keeper.finish()).await;
    serving.abort();
    core.log.say(core.host.now(), Level::Info, "stopped");
    result.and(
        finished
            .map_err(|_| UpError::Stopped)?
            .map_err(UpError::from),
    )
}

/// Lets people in as long as the node runs. The disk and the elliptic curve have a thread of their own.
fn welcome(reception: Reception, notes: mpsc::Sender<String>) -> Door {
    let (door, mut knocks) = Door::new();
    std::thread::spawn(move || {
        while let Some(knock) = knocks.blocking_recv() {
            let note = match reception.answer(knock.from, &knock.request) {
                Ok(None) => continue,
                Ok(Some(Received { answer, note })) => {
                    // Who has gone asks again, and gets the same.
                    drop(knock.answer.send(answer));
                    note
                }
                Err(why) => format!("cannot let anybody in: {why}"),
            };
            drop(notes.blocking_send(note));
        }
    });
    door
}

struct Core {
    host: HostHandle<Node>,
    keeper: Keeper,
    ledger: Ledger,
    log: Log,
    events: broadcast::Sender<Event>,
    /// Of the last event.
    number: u64,
    identity: Arc<Identity>,
    community: Arc<Community>,
    announced: Vec<SocketAddr>,
    rule: ConsentRule,
    since: Instant,
    /// Nodes, this one included.
    known: usize,
    /// Questions that the node was asked to put; it announces or refuses them in this order.
    asking: VecDeque<(NewQuestion, Reply<Question>)>,
    config: Config,
}

/// The loop.
impl Core {
    async fn turn(
        &mut self,
        mut said: mpsc::Receiver<node::Event>,
        mut done: mpsc::UnboundedReceiver<Kept>,
        mut orders: mpsc::Receiver<Request>,
        mut noted: mpsc::Receiver<String>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), UpError> {
        tokio::pin!(stop);
        loop {
            self.write()?;
            tokio::select! {
                () = &mut stop => return Ok(()),
                event = said.recv() => self.heard(event.ok_or(UpError::Stopped)?).await?,
                kept = done.recv() => match kept.ok_or(Broken)? {
                    Kept::Tell(command) => self.command(command).await?,
                    Kept::Note(why) => self.say(Level::Warn, &why),
                },
                Some(note) = noted.recv() => self.say(Level::Info, &note),
                Some(request) = orders.recv() => {
                    if let Request::Shutdown(reply) = request {
                        drop(reply.send(Ok(())));
                        return Ok(());
                    }
                    self.request(request).await?;
                }
            }
        }
    }

    /// Writes what has changed on the lists.
    fn write(&mut self) -> Result<(), UpError> {
        for (key, value) in self.ledger.take_writes() {
            self.keeper.send(Errand::Remember(key, value))?;
        }
        Ok(())
    }

    async fn command(&self, command: node::Command) -> Result<(), UpError> {
        self.host
            .command(command)
            .await
            .map_err(|_| UpError::Stopped)
    }

    fn now(&self) -> u64 {
        self.host.now().as_secs()
    }

    fn say(&mut self, level: Level, text: &str) {
        self.log.say(self.host.now(), level, text);
    }

    /// Tells who listens.
    fn tell(&mut self, kind: EventKind, question: Option<&str>, text: impl Into<String>) {
        self.number += 1;
        let event = Event {
            number: self.number,
            at: self.now(),
            kind,
            question: question.map(Into::into),
            text: text.into(),
        };
        // Usually nobody does.
        drop(self.events.send(event));
    }
}

/// The first digits of a question's name.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
