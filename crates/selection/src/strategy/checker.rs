//! One verifier at work: the asymmetric operations that it makes, counted.

use base::{Instant, NodeId};
use community::check_certificate;
use crypto::{Certificate, Signature, verify};

use super::fault::Breach;
use crate::random::DRAW_TOLERANCE;
use crate::rules::Rules;

/// Checks signatures and counts them: the security cost of §3.1, definition 3.
#[derive(Debug)]
pub struct Checker<'a> {
    rules: &'a Rules,
    at: Instant,
    made: usize,
}

impl<'a> Checker<'a> {
    /// Judges by these rules, at the time `at`.
    pub fn new(rules: &'a Rules, at: Instant) -> Self {
        Self { rules, at, made: 0 }
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
        self.made += 1;
        let descriptor = self.rules.community().descriptor();
        Ok(check_certificate(certificate, descriptor, self.at)?)
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
        self.made += 1;
        verify(signer, domain, bytes, signature).map_err(|_| Breach::Signature)
    }
}
