//! What all builders of a list have opened, as their setter shows it to each of them (SEP2P §3.5 step 7).
//!
//! Every builder around a point names nearly the same candidates. Sent one after the other, their lists are most of what a
//! draw sends: with k = 8 and 512 candidates a megabyte, a second for a setter at home. So each name travels once, and of
//! each builder what it has not named.

use std::collections::BTreeSet;

use base::NodeId;
use community::Contact;
use crypto::VrfProof;
use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::limit::{CANDIDATES_MAX, NAMED_MAX, WITNESSES_MAX, at_most};
use crate::message::Opening;

/// Most names in all openings together, 8 MB: a short message must not become a long one when it is read. As many as the
/// builders of the largest k-table would name.
const OPENED_MAX: usize = 1 << 18;

/// All that the builders opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// In order of the builders; the candidates of each ascending.
    pub openings: Vec<Opening>,
    /// Contacts of the drawn actors that not every builder named.
    pub contacts: Vec<Contact>,
}

impl Opened {
    /// Whether all lists together are short enough to be shown.
    pub fn is_short(&self) -> bool {
        let names = self.openings.iter().map(|opening| opening.candidates.len());
        names.sum::<usize>() <= OPENED_MAX && self.named().len() <= NAMED_MAX
    }

    fn named(&self) -> BTreeSet<NodeId> {
        let openings = self.openings.iter();
        openings
            .flat_map(|opening| opening.candidates.iter().copied())
            .collect()
    }
}

/// The form that travels.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Compact {
    /// In order of the builders.
    #[cbor(n(0), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    proofs: Vec<VrfProof>,
    /// Whom any builder named, ascending.
    #[cbor(n(1), decode_with = "at_most::<NAMED_MAX, _, _>")]
    named: Vec<NodeId>,
    /// For each builder the places in `named` of those that it did not name, ascending.
    #[cbor(n(2), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    lacking: Vec<Lacking>,
    #[cbor(n(3), decode_with = "at_most::<CANDIDATES_MAX, _, _>")]
    contacts: Vec<Contact>,
}

#[derive(Encode, Decode)]
#[cbor(transparent)]
struct Lacking(#[cbor(n(0), decode_with = "at_most::<NAMED_MAX, _, _>")] Vec<u32>);

impl Compact {
    fn of(opened: &Opened) -> Self {
        let named: Vec<_> = opened.named().into_iter().collect();
        let lacking = |opening: &Opening| {
            let own: BTreeSet<_> = opening.candidates.iter().collect();
            let numbered = (0..).zip(&named);
            let lacking = numbered.filter(|(_, node)| !own.contains(node));
            Lacking(lacking.map(|(place, _)| place).collect())
        };
        Self {
            proofs: opened
                .openings
                .iter()
                .map(|opening| opening.proof)
                .collect(),
            lacking: opened.openings.iter().map(lacking).collect(),
            contacts: opened.contacts.clone(),
            named,
        }
    }

    /// `None` if this is not the one form of what it says.
    fn opened(self) -> Option<Opened> {
        let Self {
            proofs,
            named,
            lacking,
            contacts,
        } = self;
        let mut named_by = vec![lacking.len(); named.len()];
        for Lacking(places) in &lacking {
            let ascending = places.windows(2).all(|pair| pair[0] < pair[1]);
            for place in places {
                *named_by.get_mut(usize::try_from(*place).ok()?)? -= usize::from(ascending);
            }
            ascending.then_some(())?;
        }
        let lacked: usize = lacking.iter().map(|Lacking(places)| places.len()).sum();
        if (named.len() * lacking.len()).checked_sub(lacked)? > OPENED_MAX {
            return None;
        }
        let is_one_form = named.windows(2).all(|pair| pair[0] < pair[1])
            && named_by.iter().all(|builders| *builders > 0)
            && proofs.len() == lacking.len();
        let opening = |(proof, Lacking(lacking)): (VrfProof, &Lacking)| {
            let mut lacking = lacking.iter().copied().peekable();
            let numbered = (0..).zip(&named);
            let kept = numbered.filter(|(place, _)| lacking.next_if_eq(place).is_none());
            Opening {
                proof,
                candidates: kept.map(|(_, node)| *node).collect(),
            }
        };
        let openings = proofs.into_iter().zip(&lacking).map(opening).collect();
        is_one_form.then_some(Opened { openings, contacts })
    }
}

impl<C> Encode<C> for Opened {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        Compact::of(self).encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for Opened {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, Error> {
        let compact = Compact::decode(d, context)?;
        let opened = compact.opened();
        opened.ok_or_else(|| Error::message("openings are not in their one form"))
    }
}

#[cfg(test)]
mod tests {
    use base::{decode, encode};
    use crypto::VrfSecretKey;
    use proptest::prelude::*;

    use super::*;

    const BYTES_MAX: usize = 1 << 20;

    fn proof(number: u8) -> VrfProof {
        let mut rng = base::Rng::from_seed([number; 32]);
        VrfSecretKey::generate(&mut rng).prove(b"opened")
    }

    fn numbered(number: u64) -> NodeId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        NodeId(bytes)
    }

    fn opened(lists: &[Vec<u8>]) -> Opened {
        let opening = |(number, list): (u8, &Vec<u8>)| {
            let nodes: BTreeSet<_> = list.iter().map(|node| NodeId([*node; 32])).collect();
            Opening {
                proof: proof(number),
                candidates: nodes.into_iter().collect(),
            }
        };
        Opened {
            openings: (0..).zip(lists).map(opening).collect(),
            contacts: Vec::new(),
        }
    }

    #[test]
    fn equal_lists_travel_once() {
        let list: Vec<u8> = (0..200).collect();
        let one = encode(&opened(std::slice::from_ref(&list))).len();
        let many = encode(&opened(&vec![list; 14])).len();
        assert!(many < one + 14 * 100, "{one} {many}");
    }

    #[test]
    fn there_is_one_form() {
        let compact = |named: &[u8], lacking: &[&[u32]]| {
            let compact = Compact {
                proofs: (0..lacking.len() as u8).map(proof).collect(),
                named: named.iter().map(|node| NodeId([*node; 32])).collect(),
                lacking: lacking
                    .iter()
                    .map(|places| Lacking(places.to_vec()))
                    .collect(),
                contacts: Vec::new(),
            };
            decode::<Opened>(&encode(&compact), BYTES_MAX)
        };
        assert!(compact(&[1, 2, 3], &[&[], &[0, 2]]).is_ok());
        assert!(compact(&[], &[&[], &[]]).is_ok());
        assert!(compact(&[], &[]).is_ok());
        for (named, lacking) in [
            // Out of order, or twice.
            (&[2, 1][..], &[&[][..], &[0]][..]),
            (&[1, 1], &[&[], &[]]),
            (&[1, 2], &[&[], &[1, 0]]),
            (&[1, 2], &[&[], &[1, 1]]),
            // Named by nobody, or by no builder at all.
            (&[1, 2], &[&[1], &[0, 1]]),
            (&[1], &[]),
            // Beyond the end.
            (&[1, 2], &[&[], &[2]]),
            (&[1, 2], &[&[], &[u32::MAX]]),
        ] {
            assert!(compact(named, lacking).is_err(), "{named:?} {lacking:?}");
        }
        // A few hundred kilobytes that would be read as hundreds of megabytes.
        let bomb = Compact {
            proofs: vec![proof(1); 1024],
            named: (0..8000u64).map(numbered).collect(),
            lacking: (0..1024).map(|_| Lacking(Vec::new())).collect(),
            contacts: Vec::new(),
        };
        assert!(decode::<Opened>(&encode(&bomb), BYTES_MAX).is_err());
        let mut odd = Compact::of(&opened(&[vec![1], vec![1]]));
        odd.proofs.pop();
        assert!(decode::<Opened>(&encode(&odd), BYTES_MAX).is_err());
    }

    proptest! {
        #[test]
        fn is_read_as_it_was_written(lists in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..30), 0..6)) {
            let opened = opened(&lists);
            prop_assert!(opened.is_short());
            prop_assert_eq!(decode::<Opened>(&encode(&opened), BYTES_MAX), Ok(opened));
        }
    }
}
