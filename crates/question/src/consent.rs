//! The owner's standing word on taking part.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use thiserror::Error;

/// What a node does when a question arrives that its owner could answer (design: a question's life, step 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum ConsentRule {
    /// Take part without asking the owner.
    #[n(0)]
    Yes,
    /// Decline without asking the owner.
    #[n(1)]
    No,
    /// Ask the owner each time, and take no part unless the owner says yes.
    #[default]
    #[n(2)]
    Ask,
}

/// A text that is no consent rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is no consent rule: write yes, no or ask")]
pub struct ConsentRuleError(String);

impl fmt::Display for ConsentRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Ask => "ask",
        })
    }
}

impl FromStr for ConsentRule {
    type Err = ConsentRuleError;

    fn from_str(text: &str) -> Result<Self, ConsentRuleError> {
        match text {
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            "ask" => Ok(Self::Ask),
            _ => Err(ConsentRuleError(text.chars().take(32).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip() {
        for rule in [ConsentRule::Yes, ConsentRule::No, ConsentRule::Ask] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
            assert_eq!(base::decode(&base::encode(&rule), 8), Ok(rule));
        }
    }

    #[test]
    fn asks_unless_told_otherwise() {
        assert_eq!(ConsentRule::default(), ConsentRule::Ask);
    }

    #[test]
    fn nothing_else_is_a_yes() {
        for text in ["Yes", "yes ", "", "true", "1"] {
            let error = text.parse::<ConsentRule>().expect_err("not a rule");
            assert!(
                error.to_string().ends_with("write yes, no or ask"),
                "{error}"
            );
        }
        assert!(base::decode::<ConsentRule>(&base::encode(&3u8), 8).is_err());
    }
}
