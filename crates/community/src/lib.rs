//! What the people of a community hold in common: the signed [`Descriptor`] (numbers, limits, vocabulary), how a member is
//! certified ([`enrol`]) and how one member tells the others where it can be reached ([`Contact`]).
//!
//! Source: design, "Identity and community". It deliberately knows nothing of the ring, of questions or of networks.

mod contact;
mod descriptor;
mod identity;
mod vocabulary;

pub use contact::{ADDRESSES_MAX, Contact, ContactError, check_certificate};
pub use descriptor::{
    Community, DESCRIPTOR_BYTES_MAX, Descriptor, DescriptorError, SignedDescriptor,
};
pub use identity::{Identity, Terms, draw_keys, enrol};
pub use vocabulary::{Column, Kind, Range, Table};
