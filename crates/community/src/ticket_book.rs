//! Which tickets an issuer has given, and who came with them.

use std::collections::BTreeMap;

use base::{Duration, Instant, NodeId};
use crypto::Rights;
use minicbor::{Decode, Encode};

use crate::{JoinRequest, Refusal, TicketId};

/// Most tickets that are kept; those that expired first are forgotten first. Guess.
pub const TICKETS_MAX: usize = 1024;
/// Most uses of one ticket: the book stays below 40 MB. Guess.
pub const TICKET_USES_MAX: u32 = 1000;
/// Longest encoded book that is read, in bytes.
pub const TICKET_BOOK_BYTES_MAX: usize = 48 << 20;

/// Tickets given and used. It holds no secret with which anybody could join.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TicketBook {
    #[n(0)]
    tickets: BTreeMap<TicketId, Given>,
}

/// A ticket that was given.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Given {
    /// What its holders may do.
    #[n(0)]
    pub rights: Rights,
    /// How many nodes it lets in.
    #[n(1)]
    pub uses: u32,
    /// Its last moment.
    #[n(2)]
    pub expires: Instant,
    /// How long the certificates are in force, in seconds.
    #[n(3)]
    pub valid_secs: u64,
    /// The node that its one holder had before.
    #[n(4)]
    pub replaces: Option<NodeId>,
    /// Whom it has let in, ascending.
    #[n(5)]
    pub redeemed: Vec<NodeId>,
}

impl Given {
    /// How many nodes it can let in still.
    pub fn uses_left(&self) -> u32 {
        let used = u32::try_from(self.redeemed.len()).unwrap_or(u32::MAX);
        self.uses.saturating_sub(used)
    }

    /// How long the certificates are in force.
    pub fn valid_for(&self) -> Duration {
        Duration::from_secs(self.valid_secs)
    }

    /// Whether this node has used it.
    pub fn is_redeemed_by(&self, node: NodeId) -> bool {
        self.redeemed.binary_search(&node).is_ok()
    }
}

impl TicketBook {
    /// No tickets.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tickets, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&TicketId, &Given)> {
        self.tickets.iter()
    }

    /// Writes down a ticket; whether there is room for it beside those that have not expired.
    pub(crate) fn give(&mut self, ticket: TicketId, given: Given, now: Instant) -> bool {
        if self.tickets.len() >= TICKETS_MAX {
            self.tickets.retain(|_, given| given.expires >= now);
        }
        let has_room = self.tickets.len() < TICKETS_MAX;
        if has_room {
            self.tickets.insert(ticket, given);
        }
        has_room
    }

    /// The ticket of a request that may be used now by who asks. Signatures are left to the caller.
    pub(crate) fn admit(&self, request: &JoinRequest, now: Instant) -> Result<&Given, Refusal> {
        let given = self
            .tickets
            .get(&request.ticket)
            .ok_or(Refusal::UnknownTicket)?;
        if given.is_redeemed_by(request.request.node) {
            return Ok(given);
        }
        if now > given.expires {
            return Err(Refusal::Expired);
        }
        match given.uses_left() {
            0 => Err(Refusal::UsedUp),
            _ => Ok(given),
        }
    }

    /// Counts a use.
    pub(crate) fn redeem(&mut self, ticket: TicketId, node: NodeId) {
        if let Some(given) = self.tickets.get_mut(&ticket)
            && let Err(place) = given.redeemed.binary_search(&node)
        {
            given.redeemed.insert(place, node);
        }
    }
}
