//! One verifier at work: the asymmetric operations that it makes, counted.

use base::{Instant, NodeId};
use community::{ContactError, check_certificate_in};
use crypto::{Batch, Certificate, CertificateError, FirstBad, Signature};

use super::fault::Breach;
use crate::random::DRAW_TOLERANCE;
use crate::rules::Rules;

/// Checks signatures and counts them: the security cost of §3.1, definition 3.
#[derive(Debug)]
pub struct Checker<'a> {
    rules: &'a Rules,
    at: Instant,
    made: usize,
    /// Signatures that are yet to be checked, with what it means when one does not hold.
    waiting: Batch,
    breaches: Vec<Breach>,
    together: bool,
}

impl<'a> Checker<'a> {
    /// Judges by these rules, at the time `at`.
    pub fn new(rules: &'a Rules, at: Instant) -> Self {
        Self {
            rules,
            at,
            made: 0,
            waiting: Batch::new(),
            breaches: Vec::new(),
            together: false,
        }
    }

    /// By which it judges.
    pub fn rules(&self) -> &'a Rules {
        self.rules
    }

    /// How many signatures it has checked.
    pub fn made(&self) -> usize {
        self.made
    }

    /// Checks that a node is genuine: one signature check.
    ///
    /// # Errors
    ///
    /// [`Breach::Certificate`].
    pub fn certificate(&mut self, certificate: &Certificate) -> Result<(), Breach> {
        let descriptor = self.rules.community().descriptor();
        check_certificate_in(&mut self.waiting, certificate, descriptor, self.at)?;
        self.added(ContactError::from(CertificateError::BadSignature).into())
    }

    /// Makes some checks, and looks at all their signatures together, in about half the time.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn together<T>(
        &mut self,
        checks: impl FnOnce(&mut Self) -> Result<T, Breach>,
    ) -> Result<T, Breach> {
        let outermost = !std::mem::replace(&mut self.together, true);
        let result = checks(self);
        if outermost {
            self.together = false;
            // Whatever else failed came after them.
            self.look()?;
        }
        result
    }

    /// A signature waits, which means this if it does not hold.
    fn added(&mut self, breach: Breach) -> Result<(), Breach> {
        self.made += 1;
        self.breaches.push(breach);
        if self.together { Ok(()) } else { self.look() }
    }

    fn look(&mut self) -> Result<(), Breach> {
        let (waiting, breaches) = (
            std::mem::take(&mut self.waiting),
            std::mem::take(&mut self.breaches),
        );
        let looked = waiting.verify();
        looked.map_err(|FirstBad(which)| breaches[which])
    }

    /// Checks a signature and when it was given: one signature check.
    ///
    /// # Errors
    ///
    /// [`Breach::Time`] or [`Breach::Signature`].
    pub fn signature(
        &mut self,
        signer: NodeId,
        domain: &str,
        (at, bytes): (Instant, &[u8]),
        signature: &Signature,
    ) -> Result<(), Breach> {
        if at.distance(self.at) > DRAW_TOLERANCE {
            return Err(Breach::Time);
        }
        self.waiting.push(signer, domain, bytes, signature);
        self.added(Breach::Signature)
    }
}
