//! `commonhold relay`: a member with a public address passes packets on to those who cannot be reached.

use std::net::SocketAddr;
use std::process::ExitCode;

use base::Duration;
use clap::Args;
use net::{Clock, MemberAdmission, Relay};
use tokio::time::interval;

use crate::cli::{ANSWERED, FAILED};
use crate::counted::counted;
use crate::daemon::running::stopped;
use crate::daemon::{Failure, Where, converse};
use crate::home::Home;
use crate::log::{Level, Log};

/// How often the log says how many members are there, when that has changed.
const LOOK: Duration = Duration::from_secs(60);

/// Of `commonhold relay`.
#[derive(Debug, Args)]
pub struct RelayOptions {
    /// Which node: its community is served.
    #[command(flatten)]
    pub place: Where,
    /// Address and TCP port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:14766")]
    pub listen: SocketAddr,
}

/// Serves the members of the node's community until it is told to stop. The node itself may run beside it.
pub fn relay(options: &RelayOptions) -> ExitCode {
    converse(false, async {
        let config = options.place.config()?;
        let failed = |why: &dyn ToString| Failure::new(why.to_string(), FAILED);
        let home = Home::at(&config.folder);
        let (own, community) = home.membership().map_err(|why| failed(&why))?;
        let name = community.descriptor().name.clone();
        let stop = stopped().map_err(|why| failed(&why))?;
        let admission = MemberAdmission::new(community, own);
        let relay = Relay::serve(options.listen, admission).await;
        let relay = relay.map_err(|why| failed(&why))?;
        let clock = Clock::start();
        let mut log = Log::stderr(config.log_level);
        let at = relay.local_addr();
        let text = format!("a relay for the members of {name} listens on {at} (TCP)");
        log.say(clock.now(), Level::Info, &text);
        watch(&relay, clock, &mut log, stop).await;
        log.say(clock.now(), Level::Info, "stopped");
        Ok(ANSWERED)
    })
}

async fn watch(relay: &Relay, clock: Clock, log: &mut Log, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut looks = interval(LOOK);
    let mut before = 0;
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = looks.tick() => {
                let members = relay.members();
                if std::mem::replace(&mut before, members) != members {
                    let members = counted(members, "member is", "members are");
                    log.say(clock.now(), Level::Info, &format!("{members} connected"));
                }
            }
        }
    }
}
