//! Whether others can reach this node: members are asked to dial it.
//!
//! The node asks a few members ([`REACH_ALPN`]), each on a connection of its own, with a number that nobody can guess. Who is
//! asked opens a *new* socket and dials from there ([`BACK_ALPN`]), for a router lets in whatever comes from where something
//! was sent to: over the connection that is open, or from its port, everybody would be reached. The number comes back with
//! the dial, so that nobody can claim to have dialled; that it was in vain can be claimed, and therefore at least two must
//! agree, and more than say otherwise.
//!
//! # What this cannot be used for
//!
//! Who is asked dials only addresses with the IP address from which the question came, which QUIC has validated: nobody can
//! make a node send anything to a stranger. It dials two addresses at most, once in half a minute for one member, and for
//! all of them 30 times a minute and two at a time. Strangers are asked for a certificate first, as everywhere.
//!
//! # What it cannot tell
//!
//! A router that lets in anything from an *address* to which something was sent, whatever the port, makes a node look
//! reachable for those whom it asked, which others may not find. Most home routers compare the port too.

mod asking;
mod namesake;
mod serving;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use base::{Digest, Duration, Instant, NodeId};
use bytes::Bytes;
use iroh::endpoint::Connection;
use iroh::{Endpoint, RelayMode, SecretKey};
use minicbor::{Decode, Encode};
use tokio::sync::Semaphore;

pub(crate) use asking::{ask_all, dialled_back};
pub(crate) use namesake::is_elsewhere;
pub(crate) use serving::serve;

use crate::bound::{Network, bind_endpoint};
use crate::frame::write_frame;

/// Most members that are asked at once.
pub const HELPERS_MAX: usize = 5;
/// How many must agree.
const AGREE: usize = 2;
/// Longest question: a number and eight addresses.
const QUESTION_BYTES_MAX: usize = 512;
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 64;
/// Most addresses that are dialled for one question.
const DIALLED_MAX: usize = 2;
/// Questions that are served at a time.
const SERVED_AT_ONCE: usize = 2;
/// How often one member is served.
const SERVED_EVERY: Duration = Duration::from_secs(30);
/// Questions served in a minute.
const SERVED_A_MINUTE: usize = 30;
/// For the answer, beyond what two dials take.
const GRACE: Duration = Duration::from_secs(2);

/// Whether others can reach a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Members dialled it anew.
    Yes,
    /// Members tried in vain.
    No,
    /// Too few could tell, or they do not agree.
    Unknown,
}

/// What members say about how a node can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachability {
    /// All together.
    pub reached: Reached,
    /// How many dialled it.
    pub yes: usize,
    /// How many say that they tried in vain.
    pub no: usize,
    /// The IP addresses from which they were asked, each with how many say so. An address that the node does not announce
    /// is not dialled: its owner may want to announce it.
    pub seen: BTreeMap<IpAddr, usize>,
}

impl Reachability {
    fn of(heard: &[(bool, Option<Answer>)]) -> Self {
        let yes = heard.iter().filter(|(came, _)| *came).count();
        let vain = |answer: &Option<Answer>| matches!(answer, Some(answer) if answer.outcome == Outcome::InVain);
        let no = heard.iter().filter(|(came, said)| !came && vain(said));
        let no = no.count();
        let mut seen = BTreeMap::new();
        for answer in heard.iter().filter_map(|(_, answer)| answer.as_ref()) {
            *seen.entry(answer.seen.to_canonical()).or_default() += 1;
        }
        let reached = match (yes, no) {
            _ if yes >= AGREE && yes > no => Reached::Yes,
            _ if no >= AGREE && no > yes => Reached::No,
            _ => Reached::Unknown,
        };
        Self {
            reached,
            yes,
            no,
            seen,
        }
    }
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Question {
    /// Comes back with the dial.
    #[n(0)]
    number: Digest,
    #[n(1)]
    addresses: Vec<SocketAddr>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
struct Answer {
    #[n(0)]
    outcome: Outcome,
    /// Where the question came from.
    #[n(1)]
    seen: IpAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
enum Outcome {
    #[n(0)]
    Answered,
    #[n(1)]
    InVain,
    /// No address was where the question came from, or there were too many questions.
    #[n(2)]
    NotTried,
}

/// What one host is asked, and what it has asked.
#[derive(Debug)]
pub(crate) struct Desk {
    /// Numbers that may come back, and whether they have.
    expected: Mutex<BTreeMap<Digest, bool>>,
    /// Who was served within the last minute.
    served: Mutex<BTreeMap<NodeId, Instant>>,
    at_once: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            expected: Mutex::default(),
            served: Mutex::default(),
            at_once: Semaphore::new(SERVED_AT_ONCE),
        }
    }
}

impl Desk {
    fn expect(&self, number: Digest) {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.insert(number, false);
    }

    /// Whether this number came back.
    fn expects_no_more(&self, number: &Digest) -> bool {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.remove(number).unwrap_or(false)
    }

    /// A number came. Whether it was expected.
    fn came_back(&self, number: &Digest) -> bool {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let known = expected.get_mut(number);
        known.map(|came| *came = true).is_some()
    }

    /// Whether this member may be served now; counts it if so.
    fn may_serve(&self, member: NodeId, now: Instant) -> bool {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.retain(|_, at| now.since(*at) < Duration::from_secs(60));
        let lately = served.get(&member);
        let lately = lately.is_some_and(|at| now.since(*at) < SERVED_EVERY);
        let serves = !lately && served.len() < SERVED_A_MINUTE;
        if serves {
            served.insert(member, now);
        }
        serves
    }
}

/// One that nobody can guess.
fn number() -> Digest {
    Digest(SecretKey::generate().to_bytes())
}

/// A new socket under a new key; nothing if the system gives none.
async fn fresh(network: &Network) -> Option<Endpoint> {
    let key = SecretKey::generate();
    let bind = SocketAddr::new(network.local.ip(), 0);
    let bound = bind_endpoint(key, bind, Vec::new(), RelayMode::Disabled);
    bound.await.ok()
}

/// Closes it meanwhile, as its farewells take their time.
fn let_go(endpoint: Endpoint) {
    tokio::spawn(async move { endpoint.close().await });
}

/// Says a number to whom we have dialled, who closes the connection when it is read.
async fn hand_over(connection: &Connection, number: &Digest) -> Option<()> {
    let mut stream = connection.open_uni().await.ok()?;
    let number = Bytes::copy_from_slice(number.as_bytes());
    write_frame(&mut stream, number).await.ok()?;
    stream.finish().ok()?;
    connection.closed().await;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn verdict(came: usize, vain: usize, claimed: usize, untried: usize) -> Reached {
        let heard = |count, came, outcome| {
            let seen = SEEN;
            vec![(came, Some(Answer { outcome, seen })); count]
        };
        let all = [
            heard(came, true, Outcome::Answered),
            heard(vain, false, Outcome::InVain),
            heard(claimed, false, Outcome::Answered),
            heard(untried, false, Outcome::NotTried),
            vec![(false, None)],
        ];
        let told = Reachability::of(&all.concat());
        assert_eq!(
            told.seen.get(&SEEN).copied().unwrap_or(0),
            came + vain + claimed + untried
        );
        told.reached
    }

    #[test]
    fn two_must_agree_and_be_more_than_the_others() {
        assert_eq!(verdict(2, 0, 0, 0), Reached::Yes);
        assert_eq!(verdict(3, 2, 0, 0), Reached::Yes);
        assert_eq!(verdict(0, 2, 0, 3), Reached::No);
        assert_eq!(verdict(1, 2, 0, 0), Reached::No);
        for (came, vain) in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 2)] {
            assert_eq!(verdict(came, vain, 0, 0), Reached::Unknown);
        }
        // Who claims to have dialled, without the number that comes with it, has said nothing.
        assert_eq!(verdict(0, 0, 5, 0), Reached::Unknown);
        assert_eq!(verdict(1, 0, 4, 0), Reached::Unknown);
    }

    #[test]
    fn one_member_and_all_together_are_served_at_a_bounded_rate() {
        let desk = Desk::default();
        let start = Instant::from_secs(1_000);
        let node = |number: u8| NodeId([number; 32]);
        assert!(desk.may_serve(node(0), start));
        assert!(!desk.may_serve(node(0), start + SERVED_EVERY / 2));
        assert!(desk.may_serve(node(0), start + SERVED_EVERY));
        let soon = start + SERVED_EVERY;
        let served = (1..=200).filter(|number| desk.may_serve(node(*number), soon));
        assert_eq!(served.count(), SERVED_A_MINUTE - 1);
        assert!(desk.may_serve(node(201), soon + Duration::from_secs(60)));
    }
}
