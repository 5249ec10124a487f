//! A node on the network with its vault: what the daemon and the demo's processes have in common.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base::Instant;
use community::{Community, Identity};
use net::{
    Bound, Door, HostConfig, HostHandle, Limits, Mapping, MemberAdmission, NetError, Relays,
};
use node::recording::Start;
use node::{Event, Node, SetupError};
use thiserror::Error;
use tokio::sync::mpsc;
use vault::{Vault, VaultError};

use crate::home::{Home, HomeError, system_rng};
use crate::recording;
use crate::standing::{Standing, StandingError};

/// Where and how a node runs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The addresses to tell others; the one that it listens on when there are none.
    pub announce: Vec<SocketAddr>,
    /// How much of everything.
    pub limits: Limits,
    /// Where strangers may ask to be let in, if this node does so.
    pub door: Option<Door>,
    /// The owner's words as long as the vault holds none.
    pub standing: Standing,
    /// Where to record what the node is told, and who hears if that comes to nothing.
    pub record: Option<(PathBuf, mpsc::Sender<String>)>,
    /// Relays of members.
    pub relays: Vec<SocketAddr>,
    /// Whether to ask the router for a port.
    pub map_port: bool,
}

/// A node that runs.
pub struct Live {
    /// It.
    pub host: HostHandle<Node>,
    /// What it says.
    pub events: mpsc::Receiver<Event>,
    /// Its owner's data, for a [`Keeper`](crate::keeper::Keeper).
    pub vault: Vault,
    /// Who it is.
    pub identity: Arc<Identity>,
    /// Where it belongs.
    pub community: Arc<Community>,
    /// The addresses that others are told.
    pub announced: Vec<SocketAddr>,
    /// The owner's words.
    pub standing: Standing,
    /// The router's port, if it was asked for one.
    pub mapping: Option<Mapping>,
    /// When it started.
    pub since: Instant,
}

/// Why a node cannot run.
#[derive(Debug, Error)]
pub enum LiveError {
    /// Its folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Its vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its owner's words.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// Its port.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Its community or journal.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The recording.
    #[error(
        "cannot record to {0}: {1}; name a file that is not there yet, in a folder where you may write"
    )]
    Record(PathBuf, std::io::Error),
}

/// Runs the node that lives in `home`.
pub async fn start(home: &Home, place: Place) -> Result<Live, LiveError> {
    let (identity, community, vault) = home.open()?;
    let identity = Arc::new(identity);
    let standing = Standing::read(&vault, &place.standing)?;
    let bound = Bound::bind(HostConfig {
        key: identity.key.clone(),
        bind: place.listen,
        limits: place.limits,
        door: place.door,
        relays: Relays {
            at: place.relays,
            shown: identity.certificate.der().to_vec(),
        },
    })
    .await?;
    let mut announced = if place.announce.is_empty() {
        vec![reachable(bound.local_addr())]
    } else {
        place.announce
    };
    let mapping = match place.map_port {
        true => Mapping::ask(bound.local_addr().port()).await,
        false => None,
    };
    // Others try all at once; the first eight are told.
    let mapped = mapping.as_ref().and_then(Mapping::external);
    if let Some(external) = mapped.filter(|external| !announced.contains(external)) {
        announced.insert(0, external);
    }
    let since = bound.now();
    let rng = &mut system_rng();
    let journal = vault.journal_all()?.into_iter();
    let from = Start {
        node: identity.node(),
        at: since,
        seed: rng.bytes32(),
        descriptor: community.signed().clone(),
        addresses: announced.clone(),
        consent: standing.rules.clone(),
        budget: standing.budget,
        journal: journal
            .map(|(key, value)| (key.into(), value.into()))
            .collect(),
    };
    let recorded = place.record.map(|to| (to, from.clone()));
    let setup = from.setup(Arc::clone(&identity), Arc::clone(&community));
    let mut node = Node::new(since, setup)?;
    if let Some(((path, notes), from)) = recorded {
        let sink = recording::begin(&path, &identity, &from, rng, notes);
        node.record(sink.map_err(|why| LiveError::Record(path, why))?);
    }
    let admission = MemberAdmission::new(Arc::clone(&community), identity.certificate.clone());
    let (host, events) = bound.run(node, admission);
    Ok(Live {
        host,
        events,
        vault,
        identity,
        community,
        announced,
        standing,
        mapping,
        since,
    })
}

/// An address that others can use in place of the unspecified one: that of the interface with the default route, which the
/// system names without sending anything.
fn reachable(local: SocketAddr) -> SocketAddr {
    if !local.ip().is_unspecified() {
        return local;
    }
    // Of the networks that are for documentation (RFC 5737, RFC 3849): nobody is there.
    let (any, far) = if local.is_ipv4() {
        ("0.0.0.0:0", "192.0.2.1:9")
    } else {
        ("[::]:0", "[2001:db8::1]:9")
    };
    let route = std::net::UdpSocket::bind(any).and_then(|socket| {
        socket.connect(far)?;
        socket.local_addr()
    });
    match route {
        Ok(route) => SocketAddr::new(route.ip(), local.port()),
        // No network at all: this machine alone can reach the node.
        Err(_) if local.is_ipv4() => ([127, 0, 0, 1], local.port()).into(),
        Err(_) => ([0, 0, 0, 0, 0, 0, 0, 1], local.port()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_an_address_that_is_none() {
        let told = reachable(([127, 0, 0, 1], 7).into());
        assert_eq!(told, SocketAddr::from(([127, 0, 0, 1], 7)));
        for any in ["0.0.0.0:7", "[::]:7"] {
            let told = reachable(any.parse().expect("an address"));
            assert!(!told.ip().is_unspecified() && told.port() == 7, "{told}");
        }
    }
}
