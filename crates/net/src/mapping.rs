//! A port of the router's that leads to ours, asked for with PCP (RFC 6887) or NAT-PMP (RFC 6886).
//!
//! Both are spoken with the gateway of this machine's default route alone. UPnP is not used: there, whoever answers first in
//! the local network names the address to which requests are sent, which may be anywhere.

use std::net::{SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;

use base::Duration;
use portmapper::{Client, Config, Protocol};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// For the router to say which protocol it speaks, and for it to give a port. Each question gives up after half a second.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often a router that gives none is asked again: it may have been restarted. Guess.
const AGAIN: Duration = Duration::from_secs(600);

/// A port of the router's. It is renewed as long as this lives.
#[derive(Debug)]
pub struct Mapping {
    external: watch::Receiver<Option<SocketAddrV4>>,
    _asking: JoinSet<()>,
}

impl Mapping {
    /// Asks the router to let UDP through to this port of ours, and waits a little for its answer. Needs a tokio runtime.
    pub async fn ask(port: u16) -> Option<Self> {
        let port = NonZeroU16::new(port)?;
        let client = Client::new(Config {
            enable_upnp: false,
            enable_pcp: true,
            enable_nat_pmp: true,
            protocol: Protocol::Udp,
        });
        let mut external = client.watch_external_address();
        // It asks for nothing before it knows what the router speaks.
        drop(timeout(PATIENCE, client.probe()).await);
        client.update_local_port(port);
        let answered = external.wait_for(Option::is_some);
        // Who answers later is seen later.
        drop(timeout(PATIENCE, answered).await);
        let mut asking = JoinSet::new();
        asking.spawn(ask_again(client, external.clone()));
        Some(Self {
            external,
            _asking: asking,
        })
    }

    /// Where the router listens for us now.
    pub fn external(&self) -> Option<SocketAddr> {
        let external = *self.external.borrow();
        external.map(SocketAddr::V4)
    }
}

/// Keeps the mapping, and asks again while there is none.
async fn ask_again(client: Client, external: watch::Receiver<Option<SocketAddrV4>>) {
    loop {
        sleep(AGAIN).await;
        if external.borrow().is_none() {
            drop(timeout(PATIENCE, client.probe()).await);
            client.procure_mapping();
        }
    }
}
