//! What the people of a community hold in common: its numbers and words, who belongs, and where each can be reached.
//!
//! | file | idea |
//! |---|---|
//! | `descriptor` | the signed common knowledge: [`Descriptor`], [`Community`] |
//! | `vocabulary` | what the data is called, and in which ranges it lies: [`Table`], [`Column`], [`Kind`] |
//! | `identity` | keys, and how an issuer certifies them: [`draw_keys`], [`enrol`], [`Identity`] |
//! | `amendment`, `succession` | how one descriptor follows another, and one authority's key the other: [`Community::succeed`], [`Succession`] |
//! | `ticket`, `joining` | how a stranger is let in: [`Ticket`], [`JoinRequest`], [`JoinAnswer`] |
//! | `issuer`, `ticket_book` | who lets in: [`Issuer`], [`TicketBook`] |
//! | `log`, `logs`, `head`, `merkle` | what every issuer has issued, for all to see: [`Log`], [`Logs`], [`Head`], [`Evidence`] |
//! | `contact` | a certificate with the node's own word on its addresses: [`Contact`] |
//!
//! Source: design, "Identity and community". It deliberately knows nothing of the ring, of questions or of networks, and
//! keeps nothing: where keys and descriptors are stored is for the application to say.
//!
//! ```
//! use base::{Instant, Rng};
//! use community::{Community, Contact, Descriptor, SignedDescriptor, Terms, draw_keys, enrol};
//! use crypto::{Rights, SigningKey};
//!
//! // An authority founds a community.
//! let mut rng = Rng::from_number(1);
//! let authority = SigningKey::generate(&mut rng);
//! let descriptor = Descriptor {
//!     padding_allowance: 3,
//!     ..Descriptor::founding("allotment gardeners", authority.node(), 40)
//! };
//! let community = Community::open(SignedDescriptor::sign(&descriptor, &authority)?)?;
//!
//! // Somebody draws keys, and is certified.
//! let (key, _vrf, request) = draw_keys(&descriptor.community, &mut rng);
//! let now = Instant::from_secs(1_800_000_000);
//! let terms = Terms {
//!     rights: Rights { ask: true },
//!     valid_from: now,
//!     valid_until: Instant::from_secs(1_830_000_000),
//! };
//! let certificate = enrol(&authority, community.descriptor(), &request, terms, &mut rng)?;
//!
//! // From then on everybody can check where to find this node.
//! let contact = Contact::new(&key, certificate, vec!["192.0.2.1:4000".parse()?], now);
//! assert_eq!(contact.verify(community.descriptor(), now), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amendment;
mod base32;
mod contact;
mod descriptor;
mod head;
mod identity;
mod issuer;
mod joining;
mod log;
mod logs;
mod merkle;
mod succession;
mod ticket;
mod ticket_book;
pub mod vocabulary;

pub use amendment::{AmendmentError, Retired};
pub use contact::{
    ADDRESSES_MAX, Contact, ContactError, ISSUED_AHEAD_MAX, check_certificate, check_certificate_in,
};
pub use descriptor::{
    CACHE_SIZE, CACHE_SIZE_MAX, Community, DESCRIPTOR_BYTES_MAX, Descriptor, DescriptorError,
    ENROLMENT_MAX, NAME_BYTES_MAX, SignedDescriptor,
};
pub use head::{Evidence, Head, NoEvidence};
pub use identity::{Identity, Terms, draw_keys, enrol};
pub use issuer::{
    CERTIFIED_PER_YEAR_MAX, Invitation, IssueError, Issuer, MOVES_PER_YEAR_MAX, MemoryError,
    VALID_MAX,
};
pub use joining::{
    JOIN_ANSWER_BYTES_MAX, JOIN_CONTACTS_MAX, JOIN_REQUEST_BYTES_MAX, JoinAnswer, JoinError,
    JoinRequest, Joined, Refusal, Welcome,
};
pub use log::{LOG_BYTES_MAX, LOG_ENTRIES_MAX, Log, LogEntry, LogError};
pub use logs::{LOGS_BYTES_MAX, LOGS_MAX, Logs, MergeError, Standing, YEAR};
pub use succession::{SUCCESSIONS_MAX, Succession};
pub use ticket::{
    Member, TICKET_ADDRESSES_MAX, TICKET_MEMBERS_MAX, TICKET_TEXT_MAX, Ticket, TicketError,
    TicketId,
};
pub use ticket_book::{Given, TICKET_BOOK_BYTES_MAX, TICKET_USES_MAX, TICKETS_MAX, TicketBook};
pub use vocabulary::{Column, Kind, Range, Table};
