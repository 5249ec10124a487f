//! An authority with its issuer, and newcomers.

use base::{Digest, Duration, Instant, Rng};
use community::{
    Community, Descriptor, Invitation, Issuer, JoinRequest, Logs, Refusal, SignedDescriptor,
    Ticket, TicketBook, draw_keys,
};
use crypto::{Certificate, CertificateRequest, Rights, SigningKey};

pub const NOW: Instant = Instant::from_secs(1_800_000_000);
pub const DAY: Duration = Duration::from_secs(86_400);

pub fn days(days: u32) -> Duration {
    DAY * days
}

pub fn descriptor(authority: &SigningKey) -> Descriptor {
    Descriptor {
        padding_allowance: 3,
        ..Descriptor::founding("allotment gardeners", authority.node(), 40)
    }
}

pub fn found(authority: &SigningKey) -> Community {
    Community::open(SignedDescriptor::sign(&descriptor(authority), authority).unwrap()).unwrap()
}

pub fn invitation() -> Invitation {
    Invitation {
        rights: Rights { ask: true },
        uses: 1,
        expires: NOW + days(30),
        valid_for: days(365),
        members: vec![],
        replaces: None,
    }
}

pub struct World {
    pub authority: SigningKey,
    pub community: Community,
    pub issuer: Issuer,
    pub rng: Rng,
}

impl World {
    pub fn new() -> Self {
        let authority = SigningKey::from_seed([1; 32]);
        let community = found(&authority);
        let logs = Logs::new(community.descriptor().community);
        Self {
            issuer: Issuer::new(authority.clone(), logs, TicketBook::new()).unwrap(),
            authority,
            community,
            rng: Rng::from_number(1),
        }
    }

    pub fn name(&self) -> Digest {
        self.community.descriptor().community
    }

    /// Somebody who issues beside the one of this world, from the same key or another, and knows nothing of it.
    pub fn other_issuer(&self, key: SigningKey) -> Issuer {
        Issuer::new(key, Logs::new(self.name()), TicketBook::new()).unwrap()
    }

    pub fn invite(&mut self, invitation: Invitation) -> Ticket {
        let descriptor = self.community.descriptor();
        self.issuer
            .invite(descriptor, invitation, NOW, &mut self.rng)
            .unwrap()
    }

    pub fn newcomer(&mut self) -> CertificateRequest {
        let community = self.name();
        draw_keys(&community, &mut self.rng).2
    }

    pub fn redeem(&mut self, request: &JoinRequest, now: Instant) -> Result<Certificate, Refusal> {
        let descriptor = self.community.descriptor();
        self.issuer.redeem(descriptor, request, now, &mut self.rng)
    }

    /// A new member, by a ticket of its own.
    pub fn member(&mut self) -> Certificate {
        let ticket = self.invite(invitation());
        let request = ticket.request(self.newcomer());
        self.redeem(&request, NOW).unwrap()
    }
}
