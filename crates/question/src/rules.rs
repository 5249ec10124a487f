//! The owner's standing words on questions.
//!
//! Each rule is about some questions, and of those about a question the one that was given last decides: as with everything
//! that an owner says, the last word counts. By an order of how special rules are, an owner would have to work out which
//! one holds, and a *never* could lose against an older *always*. Taking a rule back restores what held before it.
//!
//! A list of columns is read carefully, towards staying out: a yes is for questions that read *no other* columns, a no and
//! an ask are for those that read *any* of them.

use std::collections::BTreeSet;

use base::{NodeId, encode};
use community::Table;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::names::{closest, find, hint, shown};
use crate::{ConsentRule, Question, QuestionError};

/// Most rules of one owner. Guess: more than people can keep in mind.
pub const RULES_MAX: usize = 256;
/// Most bytes of all rules of one owner together, encoded: a rule that names one question has up to 4 KiB.
pub const RULES_BYTES_MAX: usize = 1 << 20;

/// What an owner says to all questions of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rule {
    /// Take part, stay out, or ask the owner.
    #[n(0)]
    pub says: ConsentRule,
    /// To questions of this asker only.
    #[n(1)]
    pub asker: Option<NodeId>,
    /// To questions about this table only.
    #[n(2)]
    pub table: Option<String>,
    /// A yes: to questions that read no other columns than these. A no or ask: to those that read any of these.
    #[n(3)]
    pub columns: Option<BTreeSet<String>>,
    /// To this question only, as [`Question::sql`] writes it.
    #[n(4)]
    pub sql: Option<String>,
}

/// Why a rule is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// It is about every question.
    #[error(
        "this would be about every question; say which ones, or change what holds for all others"
    )]
    Everything,
    /// The vocabulary has no such table.
    #[error(
        "the community has no table \"{}\"{}",
        shown(.name),
        hint(suggestion.as_deref(), "take one that its vocabulary declares")
    )]
    UnknownTable {
        /// As written.
        name: String,
        /// The closest name there is.
        suggestion: Option<String>,
    },
    /// No table, or not the one that is named, has such a column.
    #[error(
        "no table that this is about has a column \"{}\"{}",
        shown(.name),
        hint(suggestion.as_deref(), "name one that it has")
    )]
    UnknownColumn {
        /// As written.
        name: String,
        /// The closest name there is.
        suggestion: Option<String>,
    },
    /// It names a question that nobody can ask.
    #[error("this question cannot be asked: {0}")]
    Question(#[from] QuestionError),
    /// There are too many already.
    #[error("there is no room for another rule; remove one that is not needed any more")]
    TooMany,
}

impl Rule {
    /// Yes to this very question, whenever this asker puts it again.
    pub fn always(asker: NodeId, question: &Question) -> Self {
        Self {
            asker: Some(asker),
            sql: Some(question.sql().to_owned()),
            ..Self::about_all(ConsentRule::Yes)
        }
    }

    /// No to whatever this asker puts.
    pub fn never(asker: NodeId) -> Self {
        Self {
            asker: Some(asker),
            ..Self::about_all(ConsentRule::No)
        }
    }

    fn about_all(says: ConsentRule) -> Self {
        Self {
            says,
            asker: None,
            table: None,
            columns: None,
            sql: None,
        }
    }

    /// Writes its names and its question as the vocabulary and [`Question::sql`] do.
    ///
    /// # Errors
    ///
    /// When it names what there is not, or is about everything.
    pub fn checked(mut self, vocabulary: &[Table], people: u64) -> Result<Self, RuleError> {
        let of_any = self.asker.is_none() && self.table.is_none() && self.sql.is_none();
        if of_any && self.columns.as_ref().is_none_or(BTreeSet::is_empty) {
            return Err(RuleError::Everything);
        }
        let tables = match &mut self.table {
            None => vocabulary,
            Some(name) => {
                let table = find(vocabulary, name, |table| &table.name);
                let table = table.ok_or_else(|| RuleError::UnknownTable {
                    suggestion: closest(name, vocabulary.iter().map(|t| t.name.as_str())),
                    name: name.clone(),
                })?;
                name.clone_from(&table.name);
                std::slice::from_ref(table)
            }
        };
        if let Some(columns) = &mut self.columns {
            let known = columns.iter().map(|name| column(tables, name));
            *columns = known.collect::<Result<_, _>>()?;
        }
        if let Some(sql) = &mut self.sql {
            *sql = Question::parse(sql, vocabulary, people)?.sql().to_owned();
        }
        Ok(self)
    }

    /// Whether it is about this question.
    pub fn fits(&self, asker: NodeId, question: &Question) -> bool {
        let of_asker = self.asker.is_none_or(|only| only == asker);
        let about = |table: &String| table == question.table();
        let very = |sql: &String| sql == question.sql();
        let reads = |named: &BTreeSet<String>| {
            let mut read = question.columns().iter();
            match self.says {
                ConsentRule::Yes => read.all(|column| named.contains(column)),
                ConsentRule::No | ConsentRule::Ask => read.any(|column| named.contains(column)),
            }
        };
        of_asker
            && self.table.as_ref().is_none_or(about)
            && self.sql.as_ref().is_none_or(very)
            && self.columns.as_ref().is_none_or(reads)
    }

    /// Whether `other` is about the very same questions.
    fn is_like(&self, other: &Self) -> bool {
        let takes_part = |rule: &Self| rule.says == ConsentRule::Yes;
        let scope = |rule: &Self| {
            (
                rule.asker,
                rule.table.clone(),
                rule.sql.clone(),
                rule.columns.clone(),
            )
        };
        let alike = self.columns.is_none() || takes_part(self) == takes_part(other);
        alike && scope(self) == scope(other)
    }
}

fn column(tables: &[Table], name: &str) -> Result<String, RuleError> {
    let all: Vec<_> = tables.iter().flat_map(|table| &table.columns).collect();
    let mut in_tables = tables.iter();
    let found = in_tables.find_map(|table| find(&table.columns, name, |column| &column.name));
    let found = found.ok_or_else(|| RuleError::UnknownColumn {
        suggestion: closest(name, all.iter().map(|column| column.name.as_str())),
        name: name.to_owned(),
    });
    Ok(found?.name.clone())
}

/// A rule with the number that its owner calls it by.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Numbered {
    /// Ascending from 1; never given again.
    #[n(0)]
    pub number: u32,
    /// It.
    #[n(1)]
    pub rule: Rule,
}

/// What the rules say to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Take part, stay out, or ask the owner.
    pub says: ConsentRule,
    /// The rule that says so; none where the general word does.
    pub rule: Option<u32>,
}

/// An owner's rules: of those that fit a question the one given last decides, and if none does, the general word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rules {
    /// The latest last.
    #[n(0)]
    rules: Vec<Numbered>,
    #[n(1)]
    last: u32,
    /// The general word: to ask, unless it is changed.
    #[n(2)]
    pub otherwise: ConsentRule,
}

impl From<ConsentRule> for Rules {
    fn from(otherwise: ConsentRule) -> Self {
        Self {
            otherwise,
            ..Self::default()
        }
    }
}

impl Rules {
    /// The owner's word on a question.
    pub fn decide(&self, asker: NodeId, question: &Question) -> Verdict {
        let mut rules = self.rules.iter().rev();
        match rules.find(|numbered| numbered.rule.fits(asker, question)) {
            Some(numbered) => Verdict {
                says: numbered.rule.says,
                rule: Some(numbered.number),
            },
            None => Verdict {
                says: self.otherwise,
                rule: None,
            },
        }
    }

    /// The rules, the latest first, as they are asked.
    pub fn iter(&self) -> impl Iterator<Item = &Numbered> {
        self.rules.iter().rev()
    }

    /// Gives a rule, in place of one about the very same questions. Gives its number.
    ///
    /// # Errors
    ///
    /// [`RuleError::TooMany`] beyond [`RULES_MAX`] and [`RULES_BYTES_MAX`]: no older word is dropped for it.
    pub fn add(&mut self, rule: Rule) -> Result<u32, RuleError> {
        let mut next = self.clone();
        next.rules.retain(|other| !other.rule.is_like(&rule));
        next.last = next.last.checked_add(1).ok_or(RuleError::TooMany)?;
        let number = next.last;
        next.rules.push(Numbered { number, rule });
        if next.rules.len() > RULES_MAX || encode(&next).len() > RULES_BYTES_MAX {
            return Err(RuleError::TooMany);
        }
        *self = next;
        Ok(number)
    }

    /// Takes back the rule with this number, if there is one.
    pub fn remove(&mut self, number: u32) -> Option<Rule> {
        let place = self.rules.iter().position(|other| other.number == number)?;
        Some(self.rules.remove(place).rule)
    }
}

#[cfg(test)]
mod tests;
