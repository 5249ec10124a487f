//! The owner's standing words, in order.

use std::collections::BTreeSet;

use base::NodeId;
use minicbor::{Decode, Encode};

use crate::{ConsentRule, Question};

/// Most rules of one owner. Guess: more than people can keep in mind.
pub const RULES_MAX: usize = 256;

/// What an owner says to all questions of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rule {
    /// To questions of this asker only.
    #[n(0)]
    pub asker: Option<NodeId>,
    /// To questions about this table only.
    #[n(1)]
    pub table: Option<String>,
    /// To questions that read no other columns than these.
    #[n(2)]
    pub columns: Option<BTreeSet<String>>,
    /// Take part, stay out, or ask the owner.
    #[n(3)]
    pub says: ConsentRule,
}

impl Rule {
    /// The rule for questions like this one: of the same asker, about the same table, reading nothing else.
    pub fn like(asker: NodeId, question: &Question, says: ConsentRule) -> Self {
        Self {
            asker: Some(asker),
            table: Some(question.table().to_owned()),
            columns: Some(question.columns().iter().cloned().collect()),
            says,
        }
    }

    fn fits(&self, asker: NodeId, question: &Question) -> bool {
        let of_asker = self.asker.is_none_or(|only| only == asker);
        let about = |table: &String| table == question.table();
        let reads = |only: &BTreeSet<String>| question.columns().iter().all(|c| only.contains(c));
        of_asker && self.table.as_ref().is_none_or(about) && self.columns.as_ref().is_none_or(reads)
    }
}

/// An owner's rules: of those that fit a question the first decides, and if none does, the general word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rules {
    #[n(0)]
    rules: Vec<Rule>,
    /// The general word: to ask, unless it is changed.
    #[n(1)]
    pub otherwise: ConsentRule,
}

impl From<ConsentRule> for Rules {
    fn from(otherwise: ConsentRule) -> Self {
        Self {
            rules: Vec::new(),
            otherwise,
        }
    }
}

impl Rules {
    /// The owner's word on a question.
    pub fn decide(&self, asker: NodeId, question: &Question) -> ConsentRule {
        let mut rules = self.rules.iter();
        let first = rules.find(|rule| rule.fits(asker, question));
        first.map_or(self.otherwise, |rule| rule.says)
    }

    /// The rules, the first to be asked first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Puts a rule before all others, in place of one for the same questions. The last of more than [`RULES_MAX`] is lost.
    pub fn add(&mut self, rule: Rule) {
        let is_same = |other: &Rule| {
            (&other.asker, &other.table, &other.columns)
                == (&rule.asker, &rule.table, &rule.columns)
        };
        self.rules.retain(|other| !is_same(other));
        self.rules.insert(0, rule);
        self.rules.truncate(RULES_MAX);
    }

    /// Takes away the rule at this place, from 0.
    pub fn remove(&mut self, place: usize) -> Option<Rule> {
        (place < self.rules.len()).then(|| self.rules.remove(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::ask;
    use ConsentRule::{Ask, No, Yes};

    const GOOD: NodeId = NodeId([1; 32]);
    const OTHER: NodeId = NodeId([2; 32]);

    fn about_age() -> Question {
        ask("SELECT AVG(age) FROM people").expect("valid")
    }

    fn about_both() -> Question {
        ask("SELECT AVG(age) FROM people WHERE balance > 0").expect("valid")
    }

    #[test]
    fn who_says_nothing_is_asked() {
        assert_eq!(Rules::default().decide(GOOD, &about_age()), Ask);
        assert_eq!(Rules::from(No).decide(GOOD, &about_age()), No);
    }

    #[test]
    fn always_is_for_the_same_asker_and_no_other_column() {
        let mut rules = Rules::default();
        rules.add(Rule::like(GOOD, &about_age(), Yes));
        assert_eq!(rules.decide(GOOD, &about_age()), Yes);
        assert_eq!(rules.decide(GOOD, &about_both()), Ask);
        assert_eq!(rules.decide(OTHER, &about_age()), Ask);
        let fewer = ask("SELECT COUNT(*) FROM people").expect("valid");
        assert_eq!(rules.decide(GOOD, &fewer), Yes, "it reads nothing else");
    }

    #[test]
    fn the_latest_word_comes_first() {
        let mut rules = Rules::default();
        rules.add(Rule::like(GOOD, &about_age(), Yes));
        let everything = Rule {
            asker: Some(GOOD),
            table: None,
            columns: None,
            says: No,
        };
        rules.add(everything.clone());
        assert_eq!(rules.decide(GOOD, &about_age()), No);
        rules.add(Rule::like(GOOD, &about_age(), Yes));
        assert_eq!(rules.decide(GOOD, &about_age()), Yes);
        assert_eq!(rules.decide(GOOD, &about_both()), No);
        assert_eq!(rules.rules().len(), 2, "one replaced its like");
        assert_eq!(rules.remove(1), Some(everything));
        assert_eq!(rules.remove(1), None);
        assert_eq!(base::decode(&base::encode(&rules), 1 << 16), Ok(rules));
    }

    #[test]
    fn there_is_an_end_of_rules() {
        let mut rules = Rules::default();
        for number in 0..=RULES_MAX {
            let asker = NodeId(base::Digest::of("asker", &[&number.to_be_bytes()]).0);
            rules.add(Rule::like(asker, &about_age(), Yes));
        }
        assert_eq!(rules.rules().len(), RULES_MAX);
    }
}
