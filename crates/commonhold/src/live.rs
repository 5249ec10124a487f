//! A node on the network with its vault: what the daemon and the demo's processes have in common.

use std::net::SocketAddr;
use std::sync::Arc;

use base::Instant;
use community::{Community, Identity};
use net::{Bound, Door, HostConfig, HostHandle, Limits, MemberAdmission, NetError};
use node::{Event, Node, Setup, SetupError};
use question::{ConsentRule, ConsentRuleError};
use thiserror::Error;
use tokio::sync::mpsc;
use vault::{Vault, VaultError};

use crate::home::{CONSENT, Home, HomeError, system_rng};

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
    /// The owner's rule as long as the vault holds none.
    pub rule: ConsentRule,
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
    /// The owner's rule.
    pub rule: ConsentRule,
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
    /// Its rule.
    #[error("the vault's setting for consent is damaged: {0}")]
    Rule(#[from] ConsentRuleError),
    /// Its port.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Its community or journal.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// Runs the node that lives in `home`.
pub async fn start(home: &Home, place: Place) -> Result<Live, LiveError> {
    let (identity, community, vault) = home.open()?;
    let identity = Arc::new(identity);
    let rule = match vault.setting(CONSENT)? {
        Some(rule) => rule.parse()?,
        None => place.rule,
    };
    let bound = Bound::bind(HostConfig {
        key: identity.key.clone(),
        bind: place.listen,
        limits: place.limits,
        door: place.door,
    })
    .await?;
    let announced = if place.announce.is_empty() {
        vec![reachable(bound.local_addr())]
    } else {
        place.announce
    };
    let since = bound.now();
    let setup = Setup {
        identity: Arc::clone(&identity),
        community: Arc::clone(&community),
        addresses: announced.clone(),
        consent: rule.into(),
        budget: None,
        journal: vault.journal_all()?,
        rng: system_rng(),
    };
    let node = Node::new(since, setup)?;
    let admission = MemberAdmission::new(Arc::clone(&community), identity.certificate.clone());
    let (host, events) = bound.run(node, admission);
    Ok(Live {
        host,
        events,
        vault,
        identity,
        community,
        announced,
        rule,
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
