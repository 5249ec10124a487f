//! The owner says something: on one question, on all of a kind, or how many there may be.

use std::collections::BTreeSet;

use api::{
    Budget, ConsentEntry, ConsentRule, ConsentStep, EventKind, Fault, InboxEntry, Kind, Limit,
    NewRule, Reply, Word,
};
use base::{Duration, NodeId};
use node::Command;
use question::{Question, Rule, RuleError, Rules};

use super::consenting::step;
use super::{Core, UpError, consenting, short};
use crate::budget::{self, Written};
use crate::daemon::{hearing, shown};
use crate::keeper::Errand;
use crate::log::Level;
use crate::standing;

impl Core {
    /// The owner's word on one question, and once for all, if it is such a word.
    pub(super) async fn decide(
        &mut self,
        id: &str,
        word: Word,
    ) -> Result<Result<InboxEntry, Fault>, UpError> {
        let decided = self.ledger.open(id, self.now()).and_then(|found| {
            let rules = match word {
                Word::Yes | Word::No => None,
                Word::Always | Word::Never => Some(self.rules_with(&found, word)?),
            };
            Ok((found, rules))
        });
        let (found, rules) = match decided {
            Ok(decided) => decided,
            Err(fault) => return Ok(Err(fault)),
        };
        let yes = matches!(word, Word::Yes | Word::Always);
        let decided = self.give_word(found, yes).await?;
        if let Some(rules) = rules {
            self.give_rule(rules).await?;
        }
        Ok(Ok(decided))
    }

    /// Notes the owner's word on a question, and hands it to the node.
    pub(super) async fn give_word(
        &mut self,
        found: InboxEntry,
        yes: bool,
    ) -> Result<InboxEntry, UpError> {
        let decided = self.ledger.decide(found, yes, self.now());
        self.log_consent(consenting::decided(&decided))?;
        if let Some(command) = hearing::consent(&decided.id, yes) {
            self.command(command).await?;
        }
        let text = match yes {
            true => "the owner takes part",
            false => "the owner stays out",
        };
        self.say(
            Level::Info,
            &format!("question {}: {text}", short(&decided.id)),
        );
        self.tell(EventKind::Inbox, Some(&decided.id), text);
        Ok(decided)
    }

    /// The rules with what *always* or *never* means for this question.
    fn rules_with(&self, found: &InboxEntry, word: Word) -> Result<Rules, Fault> {
        let fault = |why: &dyn ToString| said(&why.to_string());
        let unknown = |_| said("it is not known who asked this; say yes or no");
        let asker: NodeId = found.asker.parse().map_err(unknown)?;
        let rule = match word {
            Word::Never | Word::No => Rule::never(asker),
            Word::Always | Word::Yes => {
                let descriptor = self.community.descriptor();
                let parsed = Question::parse(&found.sql, &descriptor.vocabulary, descriptor.nodes);
                Rule::always(asker, &parsed.map_err(|why| fault(&why))?)
            }
        };
        let mut rules = self.standing.rules.clone();
        rules.add(rule).map_err(|why| fault(&why))?;
        Ok(rules)
    }

    /// All rules.
    pub(super) fn rules(&self) -> api::Rules {
        api::Rules {
            rules: self.standing.rules.iter().map(hearing::rule).collect(),
            default: hearing::says(self.standing.rules.otherwise),
        }
    }

    pub(super) async fn add_rule(
        &mut self,
        new: NewRule,
    ) -> Result<Result<api::Rule, Fault>, UpError> {
        let mut rules = self.standing.rules.clone();
        let added = self.checked(new).and_then(|rule| {
            let added = rules.add(rule);
            added.map_err(|why| said(&why.to_string()))
        });
        let number = match added {
            Ok(number) => number,
            Err(fault) => return Ok(Err(fault)),
        };
        let added = rules.iter().find(|rule| rule.number == number);
        let added = hearing::rule(added.expect("it was just added"));
        self.give_rule(rules).await?;
        Ok(Ok(added))
    }

    pub(super) async fn remove_rule(
        &mut self,
        number: u32,
    ) -> Result<Result<api::Rules, Fault>, UpError> {
        match self.take_rule_back(number).await? {
            true => Ok(Ok(self.rules())),
            false => Ok(Err(no_such_rule())),
        }
    }

    pub(super) async fn set_default(&mut self, says: ConsentRule) -> Result<(), UpError> {
        let rule = hearing::consent_rule(says);
        self.standing.rules.otherwise = rule;
        let text = match says {
            ConsentRule::Ask => "from now on you are asked where no rule holds",
            ConsentRule::Yes => "from now on it is yes where no rule holds",
            ConsentRule::No => "from now on it is no where no rule holds",
        };
        self.log_consent(step(ConsentStep::Default, None, text))?;
        self.keeper
            .send(Errand::Keep(standing::Word::Default(rule)))?;
        self.command(Command::SetConsent(self.standing.rules.clone()))
            .await?;
        self.say(Level::Info, &format!("without a rule it is {rule} now"));
        Ok(())
    }

    /// The last of these rules is new.
    async fn give_rule(&mut self, rules: Rules) -> Result<(), UpError> {
        if let Some(given) = rules.iter().next() {
            let said = shown::one_rule(&hearing::rule(given));
            let number = given.number;
            self.log_consent(ConsentEntry {
                rule: Some(number),
                ..step(
                    ConsentStep::RuleGiven,
                    None,
                    &format!("your rule {}", said.trim()),
                )
            })?;
            self.say(Level::Info, &format!("rule {number} holds now"));
        }
        self.set_rules(rules).await
    }

    /// The disk first: a word that is forgotten is worse than one that is late.
    pub(super) async fn set_rules(&mut self, rules: Rules) -> Result<(), UpError> {
        self.keeper
            .send(Errand::Keep(standing::Word::rules(&rules)))?;
        self.standing.rules = rules.clone();
        self.command(Command::SetConsent(rules)).await
    }

    fn checked(&self, new: NewRule) -> Result<Rule, Fault> {
        let asker = new.asker.map(|typed| self.asker(&typed)).transpose()?;
        let rule = Rule {
            says: hearing::consent_rule(new.says),
            asker,
            table: new.table,
            columns: new.columns.map(BTreeSet::from_iter),
            sql: new.question,
        };
        let descriptor = self.community.descriptor();
        let checked = rule.checked(&descriptor.vocabulary, descriptor.nodes);
        checked.map_err(|why| match why {
            RuleError::Everything => Fault::new(
                Kind::Request,
                "this would be about every question",
                "give an asker, a table, columns or a question; for all others: commonhold question rule default",
            ),
            why => said(&why.to_string()),
        })
    }

    /// Somebody by name, or by how that begins, if there is something of theirs in the inbox.
    fn asker(&self, typed: &str) -> Result<NodeId, Fault> {
        if let Ok(node) = typed.parse() {
            return Ok(node);
        }
        let askers = self.ledger.askers(typed);
        let only = askers
            .first()
            .filter(|_| askers.len() == 1 && !typed.is_empty());
        only.and_then(|asker| asker.parse().ok()).ok_or_else(|| {
            let error = match askers.len() {
                0 => "nobody whose question is in your inbox is called so",
                _ => "several askers begin so",
            };
            Fault::new(Kind::Request, error, "give all 64 digits of the name")
        })
    }

    /// The budget, and what is spent of it.
    pub(super) fn budget(&self) -> Budget {
        let Some(limit) = self.standing.budget else {
            return Budget {
                limit: None,
                spent: 0,
                free_at: None,
            };
        };
        let since = self.host.now() - limit.period;
        let mut counted: Vec<_> = self.spent.iter().filter(|at| **at >= since).collect();
        counted.sort_unstable();
        // The one after whose end there is room again.
        let last = counted.len().checked_sub(limit.questions);
        let free_at = last.map(|place| (*counted[place] + limit.period).as_secs() + 1);
        Budget {
            limit: Some(Limit {
                questions: u32::try_from(limit.questions).unwrap_or(u32::MAX),
                period_secs: limit.period.as_secs(),
            }),
            spent: counted.len() as u64,
            free_at,
        }
    }

    /// Replies once the node has said what is spent of it.
    pub(super) async fn set_budget(
        &mut self,
        limit: Option<Limit>,
        reply: Reply<Budget>,
    ) -> Result<(), UpError> {
        let budget = limit.map(|limit| {
            let period = Duration::from_secs(limit.period_secs);
            budget::checked(limit.questions as usize, period)
        });
        let budget = match budget {
            None => None,
            Some(Some(budget)) => Some(budget),
            Some(None) => {
                let error = "no budget is so large or so small";
                let what_to_do = "give up to 10000 questions, and a period from a minute to a year";
                drop(reply.send(Err(Fault::new(Kind::Request, error, what_to_do))));
                return Ok(());
            }
        };
        self.standing.budget = budget;
        let told = budget.map_or_else(
            || Written(None).to_string(),
            |budget| budget::words(budget.questions as u64, budget.period.as_secs()),
        );
        let text = format!("your data go into this many questions at most: {told}");
        self.log_consent(step(ConsentStep::Budget, None, &text))?;
        self.keeper
            .send(Errand::Keep(standing::Word::Budget(budget)))?;
        self.command(Command::SetBudget(budget)).await?;
        self.say(Level::Info, &format!("the budget is {told} now"));
        self.budgeting.push_back(reply);
        Ok(())
    }
}

pub(super) fn no_such_rule() -> Fault {
    Fault::new(
        Kind::Unknown,
        "there is no rule of that number",
        "look at the list: commonhold question rule list",
    )
}

/// A refusal whose text may say what to do.
fn said(why: &str) -> Fault {
    let what_to_do = "see the community's tables and columns: commonhold community show";
    Fault::said_or(Kind::Refused, why, what_to_do)
}
