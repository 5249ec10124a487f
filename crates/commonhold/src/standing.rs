//! What the owner has said once for all, as the vault keeps it: rules, what holds for all other questions, the budget.

use base::{DecodeError, decode, encode};
use node::Budget;
use question::{ConsentRule, ConsentRuleError, RULES_BYTES_MAX, Rules};
use thiserror::Error;
use vault::{Vault, VaultError};

use crate::budget::Written;
use crate::home::CONSENT;

/// Where the vault's history has the rules.
const RULES: &[u8] = b"r";
/// The vault's setting for the budget of questions.
const BUDGET: &str = "budget";

/// The owner's standing words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// On questions.
    pub rules: Rules,
    /// How many of them.
    pub budget: Option<Budget>,
}

/// Why they cannot be read.
#[derive(Debug, Error)]
pub enum StandingError {
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The rules.
    #[error("your rules in the vault are damaged ({0}); restore the vault from a backup")]
    Rules(#[from] DecodeError),
    /// What holds for all others.
    #[error("the vault's setting for consent is damaged ({0}); restore the vault from a backup")]
    Default(#[from] ConsentRuleError),
    /// The budget.
    #[error("the vault's setting for the budget is damaged; restore the vault from a backup")]
    Budget,
}

/// Something for the vault to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The rules.
    Rules(Vec<u8>),
    /// What holds for all others.
    Default(ConsentRule),
    /// The budget.
    Budget(Option<Budget>),
}

impl Word {
    /// The rules as they are.
    pub fn rules(rules: &Rules) -> Self {
        Self::Rules(encode(rules))
    }

    /// Keeps it: it is on the disk when this returns.
    pub fn keep(&self, vault: &mut Vault) -> Result<(), VaultError> {
        match self {
            Self::Rules(rules) => vault.remember(RULES, rules),
            Self::Default(rule) => vault.set_setting(CONSENT, &rule.to_string()),
            Self::Budget(budget) => vault.set_setting(BUDGET, &Written(*budget).to_string()),
        }
    }
}

impl Standing {
    /// What the vault keeps; what it does not, as `otherwise` has it.
    pub fn read(vault: &Vault, otherwise: &Self) -> Result<Self, StandingError> {
        let mut standing = otherwise.clone();
        let general = standing.rules.otherwise;
        if let Some(rules) = vault.recall(RULES)? {
            standing.rules = decode(&rules, RULES_BYTES_MAX)?;
        }
        standing.rules.otherwise = match vault.setting(CONSENT)? {
            Some(rule) => rule.parse()?,
            None => general,
        };
        if let Some(budget) = vault.setting(BUDGET)? {
            let Written(budget) = budget.parse().map_err(|_| StandingError::Budget)?;
            standing.budget = budget;
        }
        Ok(standing)
    }
}

#[cfg(test)]
mod tests {
    use base::{Duration, NodeId, Rng};
    use question::Rule;
    use vault::VaultKey;

    use super::*;

    #[test]
    fn words_are_kept_and_the_configuration_fills_the_gaps() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&path, &key).expect("created");
        let configured = Standing {
            rules: ConsentRule::Yes.into(),
            budget: Some(Budget {
                questions: 3,
                period: Duration::from_secs(60),
            }),
        };
        let read = |vault: &Vault| Standing::read(vault, &configured).expect("read");
        assert_eq!(read(&vault), configured);
        // Rules alone do not change what holds for all others.
        let mut rules = Rules::from(ConsentRule::No);
        rules.add(Rule::never(NodeId([3; 32]))).expect("room");
        Word::rules(&rules).keep(&mut vault).expect("kept");
        let mut expected = configured.clone();
        expected.rules = rules;
        expected.rules.otherwise = ConsentRule::Yes;
        assert_eq!(read(&vault), expected);
        Word::Default(ConsentRule::Ask)
            .keep(&mut vault)
            .expect("kept");
        Word::Budget(None).keep(&mut vault).expect("kept");
        expected.rules.otherwise = ConsentRule::Ask;
        expected.budget = None;
        drop(vault);
        let mut vault = Vault::open(&path, &key).expect("opened");
        assert_eq!(read(&vault), expected);
        vault.set_setting(BUDGET, "5 a day").expect("set");
        let damaged = Standing::read(&vault, &configured);
        assert!(matches!(damaged, Err(StandingError::Budget)));
        vault.remember(RULES, b"no rules").expect("set");
        let damaged = Standing::read(&vault, &configured);
        assert!(matches!(damaged, Err(StandingError::Rules(_))));
    }
}
