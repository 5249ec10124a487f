//! The secret that says who may speak.

use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

use subtle::ConstantTimeEq;
use thiserror::Error;

/// 32 unpredictable bytes as 64 hexadecimal digits. Never printed by `{:?}`.
#[derive(Clone)]
pub struct Token(String);

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "not a token: 64 hexadecimal digits are one; delete the file, and the node makes a new one when it starts"
)]
pub struct TokenError;

impl Token {
    /// From unpredictable bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let mut digits = String::with_capacity(64);
        for byte in bytes {
            write!(digits, "{byte:02x}").expect("a string takes all that is written");
        }
        Self(digits)
    }

    /// For the owner's file and for the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is what was shown, in a time that tells nothing but its length.
    pub fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let digits = text.trim_end();
        if digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            Ok(Self(digits.to_owned()))
        } else {
            Err(TokenError)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_its_file() {
        let token = Token::new(std::array::from_fn(|place| place as u8 * 8));
        let read: Token = format!("{}\n", token.as_str()).parse().expect("a token");
        assert!(read.is(token.as_str().as_bytes()));
        assert_eq!(token.as_str().len(), 64);
    }

    #[test]
    fn only_all_of_it_is_it() {
        let token = Token::new([0xab; 32]);
        let shown = token.as_str();
        for other in ["", &shown[1..], &format!("{shown}0"), &"0".repeat(64)] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
        assert_eq!(format!("{token:?}"), "Token(secret)");
    }

    #[test]
    fn nothing_else_is_read() {
        for wrong in ["", "ab", &"g".repeat(64), &"0".repeat(65)] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }
}
