//! The daemon's one loop: requests of the owner's programs, events of the node, what the vault has done.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use api::{
    Api, Consent, Doctor, Event, EventKind, Fault, InboxEntry, InboxState, Kind, NewQuestion,
    Problem, Question, QuestionState, Reply, Request, Status, Traffic, Verdict, Word,
};
use base::Instant;
use community::{Community, Identity};
use net::{HostHandle, Limits};
use node::Node;
use question::ConsentRule;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};

use crate::config::Config;
use crate::daemon::checks;
use crate::daemon::folder::{Claimed, FolderError, disk_free};
use crate::daemon::hearing::{self, News, news};
use crate::daemon::ledger::{Ledger, state_of};
use crate::home::{CONSENT, Home, system_rng};
use crate::keeper::{Broken, Errand, Keeper, Kept, errand_of};
use crate::live::{self, Live, LiveError, Place};
use crate::log::{Level, Log};

/// Requests that wait.
const REQUESTS: usize = 64;
/// Events that wait for one who listens; who is slower misses some.
const EVENTS: usize = 1024;
/// Questions that wait to be announced.
const ASKING_MAX: usize = 64;
/// Longest waits that an asker may want, in seconds: the node's own limits are lower and say why.
const SECS_MAX: u64 = 366 * 86_400;

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
    stop: impl Future<Output = ()>,
) -> Result<(), UpError> {
    let claimed = Claimed::claim(&config.folder)?;
    let token = claimed.token(&mut system_rng())?;
    let place = Place {
        listen: config.listen,
        announce: config.announce.clone(),
        limits: Limits {
            max_connections: config.connections_max,
            inbox_messages: config.inbox_messages_max,
            ..Limits::default()
        },
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
    let join = hearing::join(&config.peers, host.node());
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
    let result = core.turn(said, done, orders, stop).await;
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

/// The node has said something.
impl Core {
    async fn heard(&mut self, event: node::Event) -> Result<(), UpError> {
        if let Some((id, sql)) = hearing::measured(&event) {
            self.measured(id, sql);
        }
        match errand_of(event) {
            Ok(errand) => self.keeper.send(errand)?,
            Err(event) => {
                if let Some(news) = news(event) {
                    self.news(news).await?;
                }
            }
        }
        Ok(())
    }

    async fn news(&mut self, news: News) -> Result<(), UpError> {
        match news {
            News::Known(nodes) => {
                self.known = nodes;
                let others = nodes.saturating_sub(1);
                self.say(Level::Debug, &format!("{others} other members are known"));
                self.tell(
                    EventKind::Peers,
                    None,
                    format!("{others} other members are known"),
                );
            }
            News::NotAsked(fault) => {
                if let Some((_, reply)) = self.asking.pop_front() {
                    drop(reply.send(Err(fault)));
                }
                self.say(Level::Info, "a question of this node was not put");
            }
            News::Announced(id, note) => self.announced(&id, note),
            News::Further(id, state, note) => self.further(&id, state, note),
            News::Answered(id, answer, proof) => {
                let text = answer.summary.clone();
                self.ledger.answered(&id, answer, proof);
                self.say(Level::Info, &format!("question {}: answered", short(&id)));
                self.tell(EventKind::Question, Some(&id), format!("answered: {text}"));
            }
            News::Wanted {
                id,
                asker,
                sql,
                purpose,
                until,
            } => {
                let standing = self.ledger.standing_word(&asker, &sql);
                let (state, by_rule) = state_of(hearing::rule(self.rule), standing);
                let received_at = self.now();
                self.receive(InboxEntry {
                    id: id.clone(),
                    asker,
                    sql,
                    purpose,
                    received_at,
                    until,
                    state,
                    by_rule,
                });
                if by_rule && let Some(command) = hearing::consent(&id, state == InboxState::Yes) {
                    self.command(command).await?;
                }
            }
            News::Noted(text, true) => self.say(Level::Warn, &text),
            News::Noted(text, false) => self.say(Level::Debug, &text),
        }
        Ok(())
    }

    fn announced(&mut self, id: &str, note: String) {
        if !self
            .ledger
            .further(id, QuestionState::Announced, note.clone())
            && let Some((new, reply)) = self.asking.pop_front()
        {
            let now = self.now();
            let question = Question {
                id: id.to_owned(),
                sql: new.sql,
                purpose: new.purpose,
                asked_at: now,
                consent_until: now + new.consent_secs,
                state: QuestionState::Announced,
                note: note.clone(),
                answer: None,
            };
            self.ledger.ask(question.clone());
            drop(reply.send(Ok(question)));
        }
        self.say(Level::Info, &format!("question {}: {note}", short(id)));
        self.tell(EventKind::Question, Some(id), note);
    }

    fn further(&mut self, id: &str, state: QuestionState, note: String) {
        self.ledger.further(id, state, note.clone());
        self.say(Level::Info, &format!("question {}: {note}", short(id)));
        self.tell(EventKind::Question, Some(id), note);
    }

    /// A question that the owner's rule let through without a word: the list says so all the same.
    fn measured(&mut self, id: String, sql: String) {
        let now = self.now();
        let (asker, purpose) = (String::new(), String::new());
        self.receive(InboxEntry {
            id,
            asker,
            sql,
            purpose,
            received_at: now,
            until: now,
            state: InboxState::Yes,
            by_rule: true,
        });
    }

    fn receive(&mut self, entry: InboxEntry) {
        let (id, state) = (entry.id.clone(), entry.state);
        if self.ledger.receive(entry) {
            let text = match state {
                InboxState::Waiting => "came, and waits for the owner's word",
                InboxState::Yes => "came, and the owner's rule says yes",
                InboxState::No | InboxState::Missed => "came, and the owner's rule says no",
            };
            self.say(Level::Info, &format!("question {} {text}", short(&id)));
            self.tell(EventKind::Inbox, Some(&id), text);
        }
    }
}

/// A program wants something.
impl Core {
    async fn request(&mut self, request: Request) -> Result<(), UpError> {
        match request {
            Request::Status(reply) => drop(reply.send(Ok(self.status()))),
            Request::Doctor(reply) => drop(reply.send(Ok(Doctor {
                checks: self.checks(),
            }))),
            // The loop ends on it.
            Request::Shutdown(reply) => drop(reply.send(Ok(()))),
            Request::Ask(new, reply) => self.ask(new, reply).await?,
            Request::Questions(reply) => drop(reply.send(Ok(self.ledger.asked()))),
            Request::Question(id, reply) => drop(reply.send(self.ledger.question(&id).cloned())),
            Request::Cancel(id, reply) => drop(reply.send(self.cancel(&id))),
            Request::Proof(id, reply) => self.proof(&id, reply)?,
            Request::Inbox(reply) => drop(reply.send(Ok(self.ledger.inbox(self.now())))),
            Request::Decide(id, decision, reply) => {
                let decided = self.decide(&id, decision.answer).await?;
                drop(reply.send(decided));
            }
            Request::Consent(reply) => drop(reply.send(Ok(self.consent()))),
            Request::SetConsent(new, reply) => {
                let (command, rule) = hearing::set_rule(new.rule);
                self.rule = rule;
                if new.forget_standing {
                    self.ledger.forget_standing();
                }
                self.keeper.send(Errand::Set(CONSENT, rule.to_string()))?;
                self.command(command).await?;
                self.say(Level::Info, &format!("the rule is {rule} now"));
                drop(reply.send(Ok(self.consent())));
            }
        }
        Ok(())
    }

    async fn ask(&mut self, new: NewQuestion, reply: Reply<Question>) -> Result<(), UpError> {
        let longest = new.consent_secs.max(new.collect_secs.unwrap_or(0));
        if longest > SECS_MAX {
            let fault = Fault::new(
                Kind::Request,
                "no question may take so long",
                "give at most 30 days",
            );
            drop(reply.send(Err(fault)));
        } else if self.asking.len() >= ASKING_MAX {
            let fault = Fault::new(
                Kind::Busy,
                "too many questions wait to be announced",
                "try again",
            );
            drop(reply.send(Err(fault)));
        } else {
            let command = hearing::ask(&new, self.config.collect_secs);
            self.asking.push_back((new, reply));
            self.command(command).await?;
        }
        Ok(())
    }

    /// A node cannot take back what others already act on.
    fn cancel(&self, id: &str) -> Result<Question, Fault> {
        let question = self.ledger.question(id)?;
        let error = if question.state.is_over() {
            "this question is over"
        } else {
            "a question that is announced cannot be taken back"
        };
        Err(Fault::new(
            Kind::Late,
            error,
            "leave it; nobody but you sees its answer",
        ))
    }

    fn proof(&self, id: &str, reply: Reply<Vec<u8>>) -> Result<(), UpError> {
        let question = match self.ledger.question(id) {
            Ok(question) if question.state == QuestionState::Answered => question,
            Ok(_) => {
                let fault = Fault::new(
                    Kind::Unknown,
                    "this question has no answer",
                    "see how far it is",
                );
                drop(reply.send(Err(fault)));
                return Ok(());
            }
            Err(fault) => {
                drop(reply.send(Err(fault)));
                return Ok(());
            }
        };
        let (recalled, proof) = tokio::sync::oneshot::channel();
        self.keeper
            .send(Errand::Recall(Ledger::proof_key(&question.id), recalled))?;
        tokio::spawn(async move {
            let lost = || {
                Fault::new(
                    Kind::Failed,
                    "the proof cannot be read",
                    "see the node's log",
                )
            };
            let proof = proof.await.ok().flatten();
            drop(reply.send(proof.ok_or_else(lost)));
        });
        Ok(())
    }

    async fn decide(&mut self, id: &str, word: Word) -> Result<Result<InboxEntry, Fault>, UpError> {
        let decided = match self.ledger.decide(id, word, self.now()) {
            Ok(decided) => decided,
            Err(fault) => return Ok(Err(fault)),
        };
        let yes = decided.state == InboxState::Yes;
        if let Some(command) = hearing::consent(&decided.id, yes) {
            self.command(command).await?;
        }
        let text = if yes {
            "the owner takes part"
        } else {
            "the owner stays out"
        };
        self.say(
            Level::Info,
            &format!("question {}: {text}", short(&decided.id)),
        );
        self.tell(EventKind::Inbox, Some(&decided.id), text);
        Ok(Ok(decided))
    }

    fn consent(&self) -> Consent {
        Consent {
            rule: hearing::rule(self.rule),
            standing: self.ledger.standing().to_vec(),
        }
    }

    fn checks(&self) -> Vec<api::Check> {
        let Config {
            folder,
            disk_free_min_mib,
            peers,
            ..
        } = &self.config;
        let others = self.known.saturating_sub(1) as u64;
        let nodes = self.community.descriptor().nodes;
        let listens = format!("the node listens on {}", self.host.local_addr());
        vec![
            checks::clock(
                self.host.now(),
                net::Clock::start().now(),
                &self.identity.certificate,
            ),
            checks::disk(folder, *disk_free_min_mib),
            checks::permissions(folder),
            checks::works("vault", "it is open"),
            checks::works("port", &listens),
            checks::reach(&self.announced),
            checks::peers(others, nodes, !peers.is_empty()),
        ]
    }

    fn status(&self) -> Status {
        let problems = self
            .checks()
            .into_iter()
            .filter(|check| check.verdict != Verdict::Ok);
        let descriptor = self.community.descriptor();
        let counters = self.host.counters();
        let now = self.now();
        Status {
            problems: problems
                .map(|check| Problem {
                    what: format!("{}: {}", check.name, check.found),
                    what_to_do: check.what_to_do,
                })
                .collect(),
            node: self.host.node().to_string(),
            community: api::Community {
                name: descriptor.name.clone(),
                epoch: descriptor.epoch,
                nodes: descriptor.nodes,
                colluders: descriptor.colluders,
                min_crowd: descriptor.min_crowd,
                tables: descriptor
                    .vocabulary
                    .iter()
                    .map(|table| table.name.clone())
                    .collect(),
            },
            listens: self.host.local_addr().to_string(),
            announces: self.announced.iter().map(ToString::to_string).collect(),
            folder: self.config.folder.display().to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            peers_known: self.known.saturating_sub(1) as u64,
            traffic: Traffic {
                connections: counters.connections,
                messages_in: counters.messages_in,
                messages_out: counters.messages_out,
                bytes_in: counters.bytes_in,
                bytes_out: counters.bytes_out,
                dropped: counters.dropped,
                refused: counters.refused,
            },
            started_at: self.since.as_secs(),
            now,
            disk_free_bytes: disk_free(&self.config.folder),
            questions: self.ledger.counts(now),
            rule: hearing::rule(self.rule),
        }
    }
}

/// The first digits of a question's name.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
