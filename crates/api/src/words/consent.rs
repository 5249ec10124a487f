//! The consent log, and taking words back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Rules;

/// A stretch of the consent log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentLog {
    /// The entries, the oldest first.
    pub entries: Vec<ConsentLogged>,
    /// How many there are in all.
    pub count: u64,
    /// The digest of the last one of all, 64 hexadecimal digits: who keeps it can tell later that none was cut off.
    pub digest: String,
}

/// One entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentLogged {
    /// From 1, without gaps.
    pub number: u64,
    /// SHA-256 over the entry as it is stored, its number and the digest before; 64 hexadecimal digits.
    pub digest: String,
    /// What happened.
    pub entry: ConsentEntry,
}

/// What happened to the owner's consent. No entry has a value of the owner's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentEntry {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What kind of thing.
    pub step: ConsentStep,
    /// The question that it is about, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Who asked it, 64 hexadecimal digits; where it is first told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
    /// The question itself; where it is first told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// What its answer is for, in the asker's words; where it is first told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The rule that it is about, or that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u32>,
    /// It in words, with what it means.
    pub text: String,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStep {
    /// What the inbox knew of a question before there was this log.
    Carried,
    /// A question came.
    Came,
    /// It was decided by the owner or a rule, for the first time or otherwise than before.
    Decided,
    /// A contribution leaves: from here on it cannot be taken back.
    Sent,
    /// It did not leave, although it was about to.
    Unsent,
    /// A helper has it.
    Taken,
    /// The asker called the question off.
    CalledOff,
    /// The node stays out, because the budget is spent.
    OverBudget,
    /// The owner gave a rule.
    RuleGiven,
    /// The owner took a rule back.
    RuleTakenBack,
    /// What holds where no rule does was changed.
    Default,
    /// The budget was changed.
    Budget,
    /// The owner took consent back; it says what it was too late for.
    Revoked,
    /// The log goes on without anybody who knows where it ended.
    Resumed,
    /// What this version of the program does not know.
    #[serde(other)]
    Unknown,
}

/// What to take back: exactly one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The rule of this number.
    #[serde(default)]
    pub rule: Option<u32>,
    /// The yes to this question: its name, or how that begins.
    #[serde(default)]
    pub question: Option<String>,
    /// Every yes: all rules that say so, what holds where none does, and to every question.
    #[serde(default)]
    pub all: bool,
}

/// What was taken back, and what it was too late for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revoked {
    /// Rules that hold no longer.
    pub rules: Vec<u32>,
    /// Whether what holds where no rule does was a yes, and now is to ask.
    pub default: bool,
    /// Questions into whose answers your data would have gone, and now do not.
    pub questions: Vec<String>,
    /// Questions for which it is too late.
    pub too_late: Vec<TooLate>,
    /// What holds now.
    pub left: Rules,
}

/// A contribution that has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TooLate {
    /// To which question.
    pub question: String,
    /// When it left.
    pub sent_at: u64,
    /// When a helper said that it has it, if one did.
    pub contributed_at: Option<u64>,
}
