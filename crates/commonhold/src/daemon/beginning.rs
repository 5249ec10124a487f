//! Before the node belongs to a community: its owner names it, writes the recovery words down, brings data in, and joins; or
//! has a backup live here instead of a vault that is empty.
//!
//! The API is there with all that needs no community, under the same address and token as later, so that a page that is open
//! goes on. Whoever joins in a terminal meanwhile is noticed as well.

use std::pin::Pin;

use api::{
    Check, Doctor, Event, EventKind, Fault, Joined, Kind, NewMember, NewRestore, Reply, Request,
    Restored,
};
use net::Clock;
use tokio::sync::{broadcast, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Duration, interval};

use crate::community_command::{Failure, Newcomer};
use crate::config::Config;
use crate::daemon::core::{UpError, holding};
use crate::daemon::{checks, keys};
use crate::home::{Home, system_rng};
use crate::keeper::Keeper;
use crate::live::LiveError;
use crate::log::{Level, Log};

/// How often it is looked whether somebody has joined in a terminal.
const LOOK: Duration = Duration::from_millis(500);

/// What the owner's programs are given meanwhile.
pub struct Beginning<'a> {
    /// Where the node is to live.
    pub home: &'a Home,
    /// What it is to run with.
    pub config: &'a Config,
    /// Where it says what it does.
    pub log: &'a mut Log,
    /// Whom it tells.
    pub events: &'a broadcast::Sender<Event>,
    /// What it is asked.
    pub orders: &'a mut mpsc::Receiver<Request>,
}

/// How one vault's time ends.
enum Ended {
    /// The node is to stop.
    Stop,
    /// It is a member.
    Member,
    /// A backup is to take the vault's place.
    Restore(NewRestore, Reply<Restored>),
}

/// Somebody asks members to be let in.
type Joining = JoinHandle<Result<Joined, Fault>>;

impl Beginning<'_> {
    /// Goes on until the node is a member. Gives whether it is: else it is to stop.
    pub async fn run<S: Future<Output = ()>>(
        &mut self,
        mut stop: Pin<&mut S>,
    ) -> Result<bool, UpError> {
        let member = loop {
            match self.wait(stop.as_mut()).await? {
                Ended::Stop => break false,
                Ended::Member => break true,
                Ended::Restore(new, reply) => {
                    let (home, config) = (self.home.clone(), self.config.file.clone());
                    let restored = spawn_blocking(move || keys::restored(&home, &config, &new));
                    let restored = restored.await.map_err(|_| UpError::Stopped)?;
                    // What could not be brought to its end has left no vault.
                    let begun = self.home.begin(&mut system_rng());
                    begun.map_err(LiveError::from)?;
                    drop(reply.send(restored));
                    if self.home.is_inhabited() {
                        break true;
                    }
                }
            }
        };
        keys::drop_brought(self.home);
        if member {
            let clock = Clock::start();
            self.log
                .say(clock.now(), Level::Info, "the node is a member now");
            let event = Event {
                number: 0,
                at: clock.now().as_secs(),
                kind: EventKind::Community,
                question: None,
                text: "the node is a member now".into(),
            };
            drop(self.events.send(event));
        }
        Ok(member)
    }

    /// Serves one vault, until something else is to be done than it can.
    async fn wait<S: Future<Output = ()>>(
        &mut self,
        mut stop: Pin<&mut S>,
    ) -> Result<Ended, UpError> {
        let (_, vault) = self.home.open_begun().map_err(LiveError::from)?;
        let (keeper, _done) = Keeper::start(vault, None);
        let clock = Clock::start();
        self.log.say(
            clock.now(),
            Level::Info,
            "no community yet: the page shows how to join one (commonhold open)",
        );
        let mut looks = interval(LOOK);
        let mut joining: Option<(Joining, Reply<Joined>)> = None;
        let ended = loop {
            tokio::select! {
                () = &mut stop => break Ended::Stop,
                _ = looks.tick() => {
                    if joining.is_none() && self.home.is_inhabited() {
                        break Ended::Member;
                    }
                }
                ended = ended(&mut joining) => {
                    let Some((said, reply)) = ended else { continue };
                    let member = said.is_ok();
                    if let Err(fault) = &said {
                        self.log.say(clock.now(), Level::Warn, &format!("not joined: {}", fault.error));
                    }
                    drop(reply.send(said));
                    if member {
                        break Ended::Member;
                    }
                }
                Some(request) = self.orders.recv() => match request {
                    Request::Shutdown(reply) | Request::Leave(reply) => {
                        drop(reply.send(Ok(())));
                        break Ended::Stop;
                    }
                    request @ (Request::Join(..) | Request::Restore(..)) if joining.is_some() => {
                        let error = "the members are being asked already";
                        request.refuse(Fault::new(Kind::Busy, error, "wait for their answer"));
                    }
                    Request::Restore(new, reply) => break Ended::Restore(new, reply),
                    Request::Receive(reply) => drop(reply.send(keys::receive(self.home))),
                    Request::Join(new, reply) => joining = Some((self.join(new), reply)),
                    Request::Doctor(reply) => drop(reply.send(Ok(Doctor { checks: self.checks() }))),
                    other => {
                        let now = clock.now().as_secs().cast_signed();
                        if let Some(other) = holding::serve(&keeper, &[], now, other)? {
                            match other {
                                Request::Beginning(_) | Request::Begin(..) | Request::Words(..)
                                | Request::Rotate(..) | Request::Backup(..) => {
                                    keys::serve(&keeper, self.home, self.config, other)?;
                                }
                                other => other.refuse(not_member()),
                            }
                        }
                    }
                },
            }
        };
        // What was asked of the vault is done before the node opens it.
        let finished = spawn_blocking(|| keeper.finish()).await;
        finished.map_err(|_| UpError::Stopped)??;
        Ok(ended)
    }

    /// Asks the members whom the ticket names.
    fn join(&self, new: NewMember) -> Joining {
        let home = self.home.clone();
        tokio::spawn(async move {
            let newcomer = Newcomer::begin(home.clone(), new.ticket.as_str()).map_err(told)?;
            let answer = newcomer.ask().await.map_err(told)?;
            let settle = move || {
                newcomer.settle(answer)?;
                Ok(newcomer.community().to_owned())
            };
            let settled = spawn_blocking(settle).await;
            let community = settled.map_err(|_| lost())?.map_err(told)?;
            let node = home.node().ok_or_else(lost)?.to_string();
            Ok(Joined { node, community })
        })
    }

    fn checks(&self) -> Vec<Check> {
        let Config {
            folder,
            disk_free_min_mib,
            ..
        } = self.config;
        vec![
            checks::no_community(),
            checks::disk(folder, *disk_free_min_mib),
            checks::permissions(folder),
            checks::works("vault", "it opens"),
        ]
    }
}

/// Waits for the members' answer, if they are asked.
async fn ended(
    joining: &mut Option<(Joining, Reply<Joined>)>,
) -> Option<(Result<Joined, Fault>, Reply<Joined>)> {
    let Some((task, _)) = joining else {
        return std::future::pending().await;
    };
    let said = task.await.unwrap_or_else(|_| Err(lost()));
    let (_, reply) = joining.take()?;
    Some((said, reply))
}

fn not_member() -> Fault {
    let (error, what_to_do) = checks::NO_COMMUNITY;
    Fault::new(Kind::NotMember, error, what_to_do)
}

fn lost() -> Fault {
    let error = "joining was cut short";
    Fault::new(Kind::Failed, error, "try again, with the same ticket")
}

fn told(why: Failure) -> Fault {
    let kind = match why {
        Failure::Usage(_) | Failure::Refused(_) => Kind::Refused,
        Failure::Silence(_) => Kind::Slow,
        _ => Kind::Failed,
    };
    let what_to_do = "ask who gave you the ticket for another one";
    Fault::said_or(kind, &why.to_string(), what_to_do)
}
