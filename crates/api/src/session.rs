//! How a browser gets in: a code that works once, swapped for a session.
//!
//! A session is a secret like the API's token, but the node forgets it when it stops. The page keeps it in the tab's
//! session storage and sends it as a header. It is no cookie: those belong to a host and not to its port, so that whatever
//! else listens on this machine, another account's program too, could read it; and a browser adds a cookie to what other
//! pages ask for, while only the page itself can add a header.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::token::Token;

/// How long a code works: for a browser that is slow to start.
pub const CODE_WITHIN: Duration = Duration::from_secs(120);
/// Codes that are remembered: more than a person asks for in that time. The oldest makes room.
pub const CODES_MAX: usize = 16;
/// Sessions at once: more than a person has tabs of it. The oldest makes room.
pub const SESSIONS_MAX: usize = 16;

/// All codes and sessions. Everything is compared with all of them, in a time that tells nothing of their digits.
#[derive(Debug, Default)]
pub struct Sessions {
    codes: VecDeque<Code>,
    open: VecDeque<Token>,
}

/// Remembered after its use as well, to notice the second.
#[derive(Debug)]
struct Code {
    token: Token,
    until: Instant,
    opened: Option<Token>,
}

/// Why a code opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// There is none, or its time is over.
    Unknown,
    /// It was used before. What it opened then is closed: one of the two may have stolen it.
    Used,
}

impl Sessions {
    /// Remembers a code that works from now on.
    pub fn invite(&mut self, code: Token, now: Instant) {
        self.codes.retain(|code| now < code.until);
        if self.codes.len() == CODES_MAX {
            self.codes.pop_front();
        }
        self.codes.push_back(Code {
            token: code,
            until: now + CODE_WITHIN,
            opened: None,
        });
    }

    /// Swaps a code for a session.
    ///
    /// # Errors
    ///
    /// See [`Unopened`].
    pub fn open(&mut self, shown: &[u8], session: Token, now: Instant) -> Result<(), Unopened> {
        self.codes.retain(|code| now < code.until);
        let found = self.codes.iter_mut().find(|code| code.token.is(shown));
        let code = found.ok_or(Unopened::Unknown)?;
        if let Some(opened) = &code.opened {
            self.open
                .retain(|open| !open.is(opened.as_str().as_bytes()));
            return Err(Unopened::Used);
        }
        code.opened = Some(session.clone());
        if self.open.len() == SESSIONS_MAX {
            self.open.pop_front();
        }
        self.open.push_back(session);
        Ok(())
    }

    /// Whether this is an open one.
    pub fn has(&self, shown: &[u8]) -> bool {
        let mut has = false;
        for open in &self.open {
            has |= open.is(shown);
        }
        has
    }

    /// Ends one, if this is one.
    pub fn close(&mut self, shown: &[u8]) {
        self.open.retain(|open| !open.is(shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(byte: u8) -> Token {
        Token::new([byte; 32])
    }

    fn bytes(token: &Token) -> &[u8] {
        token.as_str().as_bytes()
    }

    #[test]
    fn a_code_opens_once_and_its_second_use_closes_what_it_opened() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        sessions.invite(token(1), now);
        assert!(!sessions.has(bytes(&token(1))), "a code is no session");
        let wrong = sessions.open(bytes(&token(9)), token(2), now);
        assert_eq!(wrong, Err(Unopened::Unknown));
        assert_eq!(sessions.open(bytes(&token(1)), token(2), now), Ok(()));
        assert!(sessions.has(bytes(&token(2))));
        let again = sessions.open(bytes(&token(1)), token(3), now);
        assert_eq!(again, Err(Unopened::Used));
        assert!(!sessions.has(bytes(&token(2))) && !sessions.has(bytes(&token(3))));
    }

    #[test]
    fn a_code_is_forgotten_when_its_time_is_over() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        sessions.invite(token(1), now);
        let late = sessions.open(bytes(&token(1)), token(2), now + CODE_WITHIN);
        assert_eq!(late, Err(Unopened::Unknown));
    }

    #[test]
    fn the_oldest_makes_room() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        for number in 0..=SESSIONS_MAX as u8 {
            sessions.invite(token(100 + number), now);
            let opened = sessions.open(bytes(&token(100 + number)), token(number), now);
            assert_eq!(opened, Ok(()));
        }
        assert!(!sessions.has(bytes(&token(0))) && sessions.has(bytes(&token(1))));
        assert_eq!(sessions.open.len(), SESSIONS_MAX);
        assert_eq!(sessions.codes.len(), CODES_MAX);
        sessions.close(bytes(&token(1)));
        assert!(!sessions.has(bytes(&token(1))) && sessions.has(bytes(&token(2))));
    }
}
