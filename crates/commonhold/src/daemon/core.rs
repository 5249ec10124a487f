//! The daemon's one loop: requests of the owner's programs, events of the node, what the vault has done.

mod amending;
mod consenting;
pub mod holding;
mod looking;
mod namesake;
mod news;
mod publishing;
mod requests;
mod words;

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use api::{Api, Event, EventKind, Fault, Kind, NewQuestion, Question, Reply, Request};
use base::{Duration, Instant, NodeId};
use community::{Community, Identity};
use net::{Door, HELPERS_MAX, HostHandle, Limits, Mapping, Reachability};
use node::Node;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::consenting::Revoking;
use crate::cli::{FAILED, REFUSED};
use crate::community_command::{Received, Reception, members};
use crate::config::{Config, Peer};
use crate::daemon::beginning::Beginning;
use crate::daemon::contacts::Contacts;
use crate::daemon::core::namesake::Namesake;
use crate::daemon::folder::{Claimed, FolderError};
use crate::daemon::hearing;
use crate::daemon::ledger::Ledger;
use crate::daemon::reach::{self, Reaching};
use crate::daemon::short;
use crate::home::{Home, system_rng};
use crate::keeper::{Broken, Errand, Keeper, Kept};
use crate::live::{self, Live, LiveError, Place};
use crate::log::{Level, Log};
use crate::standing::Standing;
use crate::witness::{ConsentLogError, Witness};

/// Requests that wait.
const REQUESTS: usize = 64;
/// Newcomers who wait for a line in the log.
const NOTES: usize = 16;
/// Events that wait for one who listens; who is slower misses some.
const EVENTS: usize = 1024;

/// How often the node is looked after.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// For the node to say whom it knows before it stops.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
    /// The same node runs somewhere else.
    #[error(
        "this node runs at {0} already, and one node must not run twice: stop it there for good, and start it here a minute later"
    )]
    Elsewhere(String),
}

impl UpError {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Elsewhere(_) => REFUSED,
            _ => FAILED,
        }
    }
}

/// Runs the node of this folder until `stop` or a program says so.
pub async fn run(
    home: Home,
    config: Config,
    mut log: Log,
    reception: Option<Reception>,
    record: Option<PathBuf>,
    stop: impl Future<Output = ()>,
) -> Result<(), UpError> {
    let claimed = Claimed::claim(&config.folder)?;
    let token = claimed.token(&mut system_rng())?;
    let (notes, noted) = mpsc::channel(NOTES);
    let reception = reception.map(Arc::new);
    let records = record.is_some();
    let record = record.map(|path| (path, notes.clone()));
    let place = place(&config, welcome(&reception, &notes), record);
    let unheard = |why| UpError::Api(config.api, why);
    let listener = TcpListener::bind(config.api).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    let (requests, mut orders) = mpsc::channel(REQUESTS);
    let (events, _) = broadcast::channel(EVENTS);
    let api = Api {
        token,
        port: address.port(),
        requests,
        events: events.clone(),
    };
    let (serves, served) = oneshot::channel::<()>();
    let served = async { drop(served.await) };
    let serving = tokio::spawn(api::serve(listener, api.router(), served));
    let end_serving = async {
        drop(serves);
        // Who told the node to stop has heard that it does.
        drop(serving.await);
    };
    tokio::pin!(stop);
    if home.is_begun() {
        claimed.publish(address)?;
        let mut beginning = Beginning {
            home: &home,
            config: &config,
            log: &mut log,
            events: &events,
            orders: &mut orders,
        };
        if !beginning.run(stop.as_mut()).await? {
            end_serving.await;
            return Ok(());
        }
    }
    let written_at = home.written_at();
    let live = live::start(&home, place).await?;
    let ledger = Ledger::read(&live.vault, config.questions_kept_max).map_err(LiveError::from)?;
    let ran_at = namesake::ran_at(&live.vault).map_err(LiveError::from)?;
    let contacts = Contacts::read(&live.vault, live.since.as_secs()).map_err(LiveError::from)?;
    let Live {
        host,
        events: mut said,
        mut vault,
        identity,
        community,
        announced,
        standing,
        mapping,
        since,
    } = live;
    let inbox = ledger.inbox(since.as_secs());
    let witness = Witness::at(&config.folder);
    let witness = consenting::begin(&mut vault, witness, &inbox, since.as_secs());
    let witness = witness.map_err(LiveError::from)?;
    let (keeper, done) = Keeper::start(vault, witness.as_ref().ok().cloned());
    let (reached, answers) = mpsc::channel(1);
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
        standing,
        spent: Vec::new(),
        budgeting: VecDeque::new(),
        mapping,
        since,
        known: 1,
        contacts,
        reaching: Reaching::default(),
        reached,
        other_versions: BTreeSet::new(),
        at_relay: false,
        relay_missed: false,
        asking: VecDeque::new(),
        publishing: Vec::new(),
        unwritten: None,
        leaving: None,
        left: false,
        reception,
        notes,
        written_at,
        old_since: None,
        records,
        contradiction: None,
        witness,
        revoking: VecDeque::new(),
        config,
        home,
        namesake: Namesake::of(since),
    };
    if let Err(why) = &core.witness {
        let why = format!("the consent log is not as it was: {why}");
        core.say(Level::Error, &why);
    }
    core.look_where_it_ran(&ran_at).await?;
    core.join().await?;
    claimed.publish(address)?;
    core.keeper.send(Errand::Started)?;
    core.say(
        Level::Info,
        &format!(
            "{:?} listens on {}, its API on {address}",
            core.host.node(),
            core.host.local_addr()
        ),
    );
    let result = core
        .turn(&mut said, done, orders, noted, answers, stop.as_mut())
        .await;
    if let Err(why) = &result {
        core.say(Level::Error, &why.to_string());
    }
    core.tell(EventKind::Stopping, None, "the node is stopping");
    if result.is_ok() {
        // What comes too late for the vault is known from the batch before.
        drop(timeout(LAST_WORDS, core.keep_contacts(&mut said)).await);
    }
    core.host.shutdown().await;
    // Nothing more is said to the vault; what was is written.
    let finished = tokio::task::spawn_blocking(|| core.keeper.finish()).await;
    end_serving.await;
    core.log.say(core.host.now(), Level::Info, "stopped");
    result.and(
        finished
            .map_err(|_| UpError::Stopped)?
            .map_err(UpError::from),
    )
}

/// As the configuration says.
fn place(
    config: &Config,
    door: Option<Door>,
    record: Option<(PathBuf, mpsc::Sender<String>)>,
) -> Place {
    Place {
        listen: config.listen,
        announce: config.announce.clone(),
        limits: Limits {
            max_connections: config.connections_max,
            inbox_messages: config.inbox_messages_max,
            ..Limits::default()
        },
        door,
        standing: Standing {
            rules: config.rule.into(),
            budget: config.budget,
        },
        record,
        relays: config.relays.clone(),
        map_port: config.map_port,
    }
}

/// Lets people in as long as the node runs. The disk and the elliptic curve have a thread of their own.
fn welcome(reception: &Option<Arc<Reception>>, notes: &mpsc::Sender<String>) -> Option<Door> {
    let (reception, notes) = (Arc::clone(reception.as_ref()?), notes.clone());
    let (door, mut knocks) = Door::new();
    std::thread::spawn(move || {
        while let Some(knock) = knocks.blocking_recv() {
            if let Some(note) = reception.keep_up() {
                drop(notes.blocking_send(note));
            }
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
    Some(door)
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
    standing: Standing,
    /// When the contributions that count towards the budget were made.
    spent: Vec<Instant>,
    /// Who has set a budget, and waits for what is spent of it; no more than there can be requests.
    budgeting: VecDeque<Reply<api::Budget>>,
    mapping: Option<Mapping>,
    since: Instant,
    /// Nodes, this one included.
    known: usize,
    contacts: Contacts,
    reaching: Reaching,
    /// For those who ask others whether they reach us: how many were asked, and what came of it.
    reached: mpsc::Sender<(usize, Reachability)>,
    /// Members who speak another version of the protocol, as far as the log says.
    other_versions: BTreeSet<NodeId>,
    /// Whether a relay serves it, as far as the log says.
    at_relay: bool,
    /// Whether none did at the last look, of which the log does not say so yet.
    relay_missed: bool,
    /// Questions that the node was asked to put; it announces or refuses them in this order.
    asking: VecDeque<(NewQuestion, Reply<Question>)>,
    /// Who waits for the answer to which question to be published.
    publishing: Vec<(String, Reply<Question>)>,
    /// Why the vault cannot be written, if it cannot.
    unwritten: Option<String>,
    /// Who wants this node to leave.
    leaving: Option<Reply<()>>,
    /// Whether it has.
    left: bool,
    /// Lets people in.
    reception: Option<Arc<Reception>>,
    /// Where it and the recording say what they have done.
    notes: mpsc::Sender<String>,
    /// Whether what this node is told is recorded.
    records: bool,
    /// When certificate and community were written with which the node started.
    written_at: [Option<SystemTime>; 2],
    /// Since when there are later ones, so that it has to start again.
    old_since: Option<u64>,
    /// The epoch of which the authority signed two descriptors.
    contradiction: Option<u64>,
    /// Knows where the consent log ends; or what is wrong with it, so that what is wrong stays to be seen.
    witness: Result<Witness, ConsentLogError>,
    /// Who takes consent back, the oldest first.
    revoking: VecDeque<Revoking>,
    config: Config,
    /// Where it lives; knows the vault's key.
    home: Home,
    /// Another node under this one's name.
    namesake: Namesake,
}

/// The loop.
impl Core {
    async fn turn(
        &mut self,
        said: &mut mpsc::Receiver<node::Event>,
        mut done: mpsc::UnboundedReceiver<Kept>,
        mut orders: mpsc::Receiver<Request>,
        mut noted: mpsc::Receiver<String>,
        mut answers: mpsc::Receiver<(usize, Reachability)>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), UpError> {
        let mut looks = interval(LOOK_AFTER);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.write()?;
            if let Some(reply) = self.leaving.take_if(|_| self.left) {
                drop(reply.send(Ok(())));
                return Ok(());
            }
            tokio::select! {
                () = &mut stop => return Ok(()),
                event = said.recv() => self.heard(event.ok_or(UpError::Stopped)?).await?,
                kept = done.recv() => match kept.ok_or(Broken)? {
                    Kept::Tell(command) => self.command(command).await?,
                    Kept::Unproved(question) => {
                        let fault = Fault::new(Kind::Failed, "the proof is not in the vault any more", "ask again");
                        self.not_published(&question.to_string(), fault);
                    }
                    Kept::LeftAlone(question, why) => self.left_alone(&question.to_string(), &why)?,
                    Kept::Note(why) => self.say(Level::Warn, &why),
                    Kept::Unwritten(why) => {
                        self.say(Level::Error, &why);
                        self.unwritten = Some(why);
                    }
                    Kept::Written => {
                        self.say(Level::Info, "the vault can be written again");
                        self.unwritten = None;
                    }
                },
                _ = looks.tick() => {
                    self.look_after().await?;
                    if self.is_to_start_again() {
                        done = self.start_again(said).await?;
                    }
                }
                Some((asked, answer)) = answers.recv() => self.hear_of_reach(asked, answer),
                found = self.namesake.found() => self.know_namesake(found)?,
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

    /// What is done from time to time.
    async fn look_after(&mut self) -> Result<(), UpError> {
        self.look_for_later().await?;
        let now = self.now();
        if self.contacts.is_batch_due(now) {
            self.command(node::Command::Contacts).await?;
        }
        let helpers = self.contacts.some(HELPERS_MAX, &mut system_rng());
        if self.reaching.is_due(now, helpers.len()) {
            let (host, announced) = (self.host.clone(), self.announced.clone());
            let (reached, asked) = (self.reached.clone(), helpers.len());
            tokio::spawn(async move {
                // A node that is stopping wants no answer.
                if let Ok(answer) = host.reachability(&announced, helpers).await {
                    drop(reached.send((asked, answer)).await);
                }
            });
        }
        let others: BTreeSet<_> = self.host.other_versions().into_iter().collect();
        for node in others.difference(&self.other_versions.clone()) {
            let text =
                format!("{node:?} speaks another version of the protocol and is not reached");
            self.say(Level::Warn, &text);
        }
        self.other_versions = others;
        self.look_at_relay();
        Ok(())
    }

    fn look_at_relay(&mut self) {
        let is_served = self.host.is_at_relay();
        // A node that starts again has to find its relay first.
        let missed = std::mem::replace(&mut self.relay_missed, !is_served);
        match (self.at_relay, is_served) {
            (false, true) => self.say(Level::Info, "a relay serves this node"),
            (true, false) if missed => self.say(
                Level::Warn,
                "no relay serves this node any more: only members who reach it directly, or whom it reaches, hear it",
            ),
            _ => return,
        }
        self.at_relay = is_served;
    }

    fn hear_of_reach(&mut self, asked: usize, answer: Reachability) {
        let now = self.now();
        if self.reaching.hear(now, asked, answer) {
            let text = reach::words(&self.reaching.shown());
            self.say(Level::Info, &format!("reached by others: {text}"));
        }
    }

    /// Keeps whom the node knows now.
    async fn keep_contacts(
        &mut self,
        said: &mut mpsc::Receiver<node::Event>,
    ) -> Result<(), UpError> {
        self.command(node::Command::Contacts).await?;
        while let Some(event) = said.recv().await {
            let last = matches!(event, node::Event::Contacts(_));
            self.heard(event).await?;
            if last {
                break;
            }
        }
        Ok(())
    }

    /// Those to join through: named in the configuration, by the ticket, and met before.
    fn peers(&self) -> Vec<Peer> {
        let named = members(&self.config.folder).into_iter();
        let named = named.flat_map(|member| {
            let at = member.addresses.into_iter();
            at.map(move |address| Peer {
                node: member.node,
                address,
            })
        });
        let peers = self.config.peers.iter().copied();
        let mut peers: Vec<_> = peers.chain(named).chain(self.contacts.peers()).collect();
        let own = self.host.node();
        let mut told = BTreeSet::new();
        peers.retain(|peer| peer.node != own && told.insert((peer.node, peer.address)));
        peers
    }

    /// Starts, or starts again once nobody is known any more.
    async fn join(&self) -> Result<(), UpError> {
        self.command(hearing::join(&self.peers())).await
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
