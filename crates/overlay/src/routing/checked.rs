//! Contacts that held when they were met before.

use std::collections::VecDeque;

use base::{Digest, Instant};
use community::{Contact, ContactError, Descriptor};

/// Most contacts remembered; the one met longest ago is forgotten. A search asks about six nodes, and a node of ten
/// million has some thirty fingers, so that a round of all of them is remembered twice over.
const CHECKED_MAX: usize = 512;

/// Contacts that a node's searches have met, none of which is to be checked again: fingers are refreshed for ever, and
/// the nodes around them are the same nearly every time.
#[derive(Debug, Default)]
pub struct Checked {
    /// Each with the end of its certificate, the one met last at the end.
    contacts: VecDeque<(Digest, Instant)>,
}

impl Checked {
    /// Checks a contact: two signature checks, or none if it has held before and its certificate has not ended.
    ///
    /// # Errors
    ///
    /// As [`Contact::verify`].
    pub fn verify(
        &mut self,
        contact: &Contact,
        descriptor: &Descriptor,
        now: Instant,
    ) -> Result<(), ContactError> {
        self.contacts.retain(|(_, until)| now <= *until);
        let (digest, until) = (contact.digest(), contact.certificate().valid_until());
        let mut known = self.contacts.iter();
        match known.position(|(known, _)| *known == digest) {
            Some(at) if !descriptor.is_revoked(contact.node()) => drop(self.contacts.remove(at)),
            _ => contact.verify(descriptor, now)?,
        }
        if self.contacts.len() >= CHECKED_MAX {
            self.contacts.pop_front();
        }
        self.contacts.push_back((digest, until));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base::Duration;
    use crypto::{CertificateError, Operations};

    use super::*;
    use crate::tests::peers::forged;
    use crate::tests::world::{START, World, contact};

    const TICK: Duration = Duration::from_micros(1);

    /// The result, and how many signatures were checked.
    fn verify(
        checked: &mut Checked,
        contact: &Contact,
        world: &World,
        now: Instant,
    ) -> (Result<(), ContactError>, u64) {
        let work = || checked.verify(contact, &world.descriptor, now);
        let (result, done) = Operations::of(work);
        (result, done.checked)
    }

    #[test]
    fn checks_once_what_holds_and_every_time_what_does_not() {
        let (world, mut checked) = (World::new(3), Checked::default());
        let (good, other) = (world.contact(0, START), world.contact(0, START + TICK));
        assert_eq!(verify(&mut checked, &good, &world, START), (Ok(()), 2));
        assert_eq!(verify(&mut checked, &good, &world, START), (Ok(()), 0));
        assert_eq!(verify(&mut checked, &other, &world, START), (Ok(()), 2));
        let bad = forged(&good);
        for _ in 0..2 {
            let (result, checks) = verify(&mut checked, &bad, &world, START);
            assert!(result.unwrap_err().is_forgery() && checks > 0);
        }
        assert_eq!(checked.contacts.len(), 2);
    }

    #[test]
    fn a_certificate_that_has_ended_holds_no_longer() {
        let mut world = World::new(1);
        let (until, mut checked) = (START + Duration::from_secs(9), Checked::default());
        let address = World::address(0);
        let short = contact(&world.enrol(until), address, START);
        assert_eq!(verify(&mut checked, &short, &world, START), (Ok(()), 2));
        assert_eq!(verify(&mut checked, &short, &world, until), (Ok(()), 0));
        let ended = Err(CertificateError::Expired.into());
        let late = verify(&mut checked, &short, &world, until + TICK);
        assert_eq!(late, (ended, 0));
        assert!(checked.contacts.is_empty());
    }

    #[test]
    fn a_revoked_member_holds_no_longer() {
        let (mut world, mut checked) = (World::new(1), Checked::default());
        let contact = world.contact(0, START);
        assert_eq!(verify(&mut checked, &contact, &world, START), (Ok(()), 2));
        world.descriptor.revoked.push(contact.node());
        let (result, _) = verify(&mut checked, &contact, &world, START);
        assert_eq!(result, Err(ContactError::Revoked));
    }

    #[test]
    fn forgets_what_it_met_longest_ago() {
        let (world, mut checked) = (World::new(1), Checked::default());
        let contact = |number| world.contact(0, START + number * TICK);
        let first: Vec<_> = (0..CHECKED_MAX as u32).map(contact).collect();
        for contact in &first {
            assert_eq!(verify(&mut checked, contact, &world, START).1, 2);
        }
        // Met once more, the first is no longer the first to go.
        assert_eq!(verify(&mut checked, &first[0], &world, START).1, 0);
        let more = contact(CHECKED_MAX as u32);
        assert_eq!(verify(&mut checked, &more, &world, START).1, 2);
        assert_eq!(checked.contacts.len(), CHECKED_MAX);
        assert_eq!(verify(&mut checked, &first[0], &world, START).1, 0);
        assert_eq!(verify(&mut checked, &first[1], &world, START).1, 2);
    }
}
