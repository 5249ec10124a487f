//! The consent log: what goes into it, what is shown of it, and taking consent back.

use api::{
    ConsentEntry, ConsentLog, ConsentRule, ConsentStep, Doctor, Fault, InboxEntry, InboxState,
    Kind, Reply, Revoke, Revoked, TooLate,
};
use base::Duration;
use node::Command;
use question::Question;
use tokio::sync::oneshot;
use tokio::time::timeout;
use vault::{LogEnd, Vault, VaultError};

use super::holding::broken;
use super::{Core, UpError, short};
use crate::consent::shown;
use crate::counted::counted;
use crate::daemon::checks;
use crate::keeper::Errand;
use crate::log::Level;
use crate::witness::{ConsentLogError, Examined, Witness};

/// Entries that are shown at once.
const SHOWN_MAX: u64 = 1000;
/// How long `doctor` waits for a vault that is busy.
const DOCTOR_WAITS: Duration = Duration::from_secs(10);

/// Who takes something back, and waits until the node has heard of it.
pub(super) struct Revoking {
    rules: Vec<u32>,
    default: bool,
    /// Questions that are to be kept out.
    questions: Vec<String>,
    /// Questions that these rules have decided.
    decided: Vec<String>,
    pub(super) reply: Reply<Revoked>,
}

/// An entry that says no more than this.
pub(super) fn step(step: ConsentStep, question: Option<&str>, text: &str) -> ConsentEntry {
    ConsentEntry {
        at: 0,
        step,
        question: question.map(Into::into),
        asker: None,
        sql: None,
        purpose: None,
        rule: None,
        text: text.into(),
    }
}

/// An entry that tells a question for the first time.
fn first(what: ConsentStep, entry: &InboxEntry, text: &str) -> ConsentEntry {
    ConsentEntry {
        asker: Some(entry.asker.clone()),
        sql: Some(entry.sql.clone()),
        purpose: Some(entry.purpose.clone()),
        rule: entry.rule,
        ..step(what, Some(&entry.id), text)
    }
}

/// A question came, and the owner's rules have decided, or not.
pub(super) fn came(entry: &InboxEntry) -> ConsentEntry {
    first(ConsentStep::Came, entry, &decided_as(entry))
}

/// The owner's rules, or the owner, have decided.
pub(super) fn decided(entry: &InboxEntry) -> ConsentEntry {
    ConsentEntry {
        rule: entry.rule,
        ..step(ConsentStep::Decided, Some(&entry.id), &decided_as(entry))
    }
}

fn decided_as(entry: &InboxEntry) -> String {
    let who = match (entry.by_rule, entry.rule) {
        (false, _) => "you".to_owned(),
        (true, Some(rule)) => format!("your rule {rule}"),
        (true, None) => "what holds where no rule does".into(),
    };
    match entry.state {
        InboxState::Yes => format!("yes, said {who}"),
        InboxState::No => format!("no, said {who}"),
        InboxState::Missed => "nobody said a word in time".into(),
        InboxState::CalledOff => "called off by its asker".into(),
        InboxState::OverBudget => "no: the budget was spent".into(),
        InboxState::Waiting => "it waits for your word".into(),
    }
}

/// Looks at the log when the node starts, and carries over what the inbox knew before there was one. Gives who is to
/// witness what comes, or what is wrong.
pub(super) fn begin(
    vault: &mut Vault,
    witness: Witness,
    inbox: &[InboxEntry],
    now: u64,
) -> Result<Result<Witness, ConsentLogError>, VaultError> {
    let examined = match witness.examine(vault) {
        Ok(examined) => examined,
        Err(ConsentLogError::Vault(why)) => return Err(why),
        Err(why) => return Ok(Err(why)),
    };
    let mut end = match examined {
        Examined::Holds(end) | Examined::Unwitnessed(end) => end,
    };
    if end.entries == 0 {
        for entry in inbox.iter().rev() {
            let mut text = decided_as(entry);
            if entry.contributed_at.is_some() {
                text += "; a helper has your contribution, which cannot be taken back";
            }
            let carried = ConsentEntry {
                at: entry.received_at,
                ..first(ConsentStep::Carried, entry, &text)
            };
            end = vault.log(&written(&carried))?;
        }
    } else if matches!(examined, Examined::Unwitnessed(_)) {
        let text = "nobody knew where this log had ended, as after a restored backup: whether entries were cut off cannot be told";
        let resumed = ConsentEntry {
            at: now,
            ..step(ConsentStep::Resumed, None, text)
        };
        end = vault.log(&written(&resumed))?;
    }
    witness.keep(end)?;
    Ok(Ok(witness))
}

fn written(entry: &ConsentEntry) -> Vec<u8> {
    serde_json::to_vec(entry).expect("an entry is plain data")
}

/// What goes into it.
impl Core {
    /// Adds an entry; whatever else is to be written comes after it.
    pub(super) fn log_consent(&self, entry: ConsentEntry) -> Result<(), UpError> {
        let entry = ConsentEntry {
            at: self.now(),
            ..entry
        };
        self.keeper.send(Errand::Log(written(&entry)))?;
        Ok(())
    }

    /// The owner's data are asked, and what they say leaves: before the vault is asked, so that it is in the log before
    /// anything can have left. Who does not match sends zeros, and the log does not tell either.
    pub(super) fn sends(&mut self, id: &str, question: &Question) -> Result<(), UpError> {
        let now = self.now();
        self.ledger.sent(id, now);
        let text = format!(
            "{}, split into random shares that tell no helper anything; only totals over the crowd are opened. From here it cannot be \
             taken back",
            counted(question.vector_len(), "number leaves", "numbers leave")
        );
        self.log_consent(step(ConsentStep::Sent, Some(id), &text))
    }

    /// The vault could not answer.
    pub(super) fn left_alone(&mut self, id: &str, why: &str) -> Result<(), UpError> {
        self.say(
            Level::Warn,
            &format!("question {} is left alone: {why}", short(id)),
        );
        self.ledger.unsent(id);
        let text = "nothing left after all: the vault could not answer";
        self.log_consent(step(ConsentStep::Unsent, Some(id), text))
    }
}

/// What is shown of it.
impl Core {
    /// Some of it, on the vault's thread.
    pub(super) fn consent_log(
        &self,
        from: Option<u64>,
        reply: Reply<ConsentLog>,
    ) -> Result<(), UpError> {
        self.with_vault(reply, move |vault| {
            let LogEnd { entries, digest } = vault.log_end().map_err(broken)?;
            let from = from.unwrap_or_else(|| (entries + 1).saturating_sub(SHOWN_MAX));
            let logged = vault.logged(from, SHOWN_MAX as usize).map_err(broken)?;
            Ok(ConsentLog {
                entries: logged.iter().map(shown).collect(),
                count: entries,
                digest: digest.to_string(),
            })
        })
    }

    /// All that can be wrong with the node; the vault's pages and the log are read.
    pub(super) fn doctor(&self, reply: Reply<Doctor>) -> Result<(), UpError> {
        let mut checks = self.checks();
        let witness = Witness::at(&self.config.folder);
        let (examined, waited) = oneshot::channel();
        self.with_vault(examined, move |vault| {
            Ok((vault.check_pages(), witness.examine(vault)))
        })?;
        tokio::spawn(async move {
            match timeout(DOCTOR_WAITS, waited).await {
                Ok(Ok(Ok((pages, log)))) => {
                    checks.extend([checks::pages(&pages), checks::consent_log(&log)]);
                }
                _ => checks.push(checks::unread()),
            }
            drop(reply.send(Ok(Doctor { checks })));
        });
        Ok(())
    }
}

/// Taking it back.
impl Core {
    /// Acts on it; the reply comes when the node has heard of it, so that it says what it was too late for.
    pub(super) async fn revoke(
        &mut self,
        revoke: Revoke,
        reply: Reply<Revoked>,
    ) -> Result<(), UpError> {
        let planned = match (&revoke.question, revoke.rule) {
            (Some(typed), _) => self.revocable(typed).map(|id| (vec![], vec![id])),
            (None, Some(number)) => self.is_rule(number).map(|()| (vec![number], vec![])),
            (None, None) => Ok((self.rules_that_say_yes(), self.ledger.said_yes())),
        };
        let (rules, questions) = match planned {
            Ok(planned) => planned,
            Err(fault) => {
                drop(reply.send(Err(fault)));
                return Ok(());
            }
        };
        let default = revoke.all && self.rules().default == ConsentRule::Yes;
        let decided = self.ledger.decided_by(&rules, default);
        for &number in &rules {
            self.take_rule_back(number).await?;
        }
        if default {
            self.set_default(ConsentRule::Ask).await?;
        }
        for id in &questions {
            self.stay_out(id).await?;
        }
        self.revoking.push_back(Revoking {
            rules,
            default,
            questions,
            decided,
            reply,
        });
        self.command(Command::Echo).await
    }

    /// The node has heard of the oldest revocation; what it has said before has been heard as well.
    pub(super) fn revoked(&mut self) -> Result<(), UpError> {
        let Some(revoking) = self.revoking.pop_front() else {
            return Ok(());
        };
        let Revoking {
            rules,
            default,
            questions,
            mut decided,
            reply,
        } = revoking;
        decided.retain(|id| !questions.contains(id));
        let late = |id: &String| self.ledger.too_late(id);
        let too_late: Vec<TooLate> = questions.iter().chain(&decided).filter_map(late).collect();
        let is_late = |id: &&String| too_late.iter().any(|late| late.question == **id);
        // Where no rule says yes any more, another one or the default may.
        let still_yes = self.ledger.said_yes();
        let reopened = decided.iter().filter(|id| !still_yes.contains(id));
        let kept_out: Vec<_> = questions
            .iter()
            .chain(reopened)
            .filter(|id| !is_late(id))
            .cloned()
            .collect();
        let still: Vec<_> = decided
            .iter()
            .filter(|id| still_yes.contains(id) && !is_late(id))
            .map(String::as_str)
            .collect();
        let revoked = Revoked {
            rules,
            default,
            questions: kept_out,
            too_late,
            left: self.rules(),
        };
        let mut text = match revoked.questions.is_empty() && !still.is_empty() {
            true => "a rule was taken back".to_owned(),
            false => "consent was taken back".to_owned(),
        };
        text += &match revoked.too_late.len() {
            0 => "; nothing had left".to_owned(),
            late => format!(
                "; for {} it was too late ({}): what has left is in a total, where nobody can find it, not even you",
                counted(late, "question", "questions"),
                named(revoked.too_late.iter().map(|late| &*late.question))
            ),
        };
        if !still.is_empty() {
            text += &format!(
                "; {} part as before, as what else holds says yes ({})",
                counted(still.len(), "question still takes", "questions still take"),
                named(still.into_iter())
            );
        }
        // Under the question's name, if it is about one.
        let mut about = questions.iter().chain(&decided);
        let only = about.next().filter(|_| about.next().is_none());
        self.log_consent(step(ConsentStep::Revoked, only.map(String::as_str), &text))?;
        self.say(Level::Info, &text);
        self.reply_kept(reply, Ok(revoked))
    }

    /// The question whose yes can be looked at again.
    fn revocable(&self, typed: &str) -> Result<String, Fault> {
        let found = self.ledger.received(typed)?;
        let (error, what_to_do) = match found.state {
            InboxState::Yes => return Ok(found.id.clone()),
            _ if found.sent_at.is_some() => return Ok(found.id.clone()),
            InboxState::Waiting => (
                "nobody has said yes to this question",
                "say no to it: commonhold question answer",
            ),
            _ => (
                "nothing of yours goes into the answer of this question",
                "there is nothing to take back",
            ),
        };
        Err(Fault::new(Kind::Late, error, what_to_do))
    }

    fn is_rule(&self, number: u32) -> Result<(), Fault> {
        let mut rules = self.standing.rules.iter();
        match rules.any(|rule| rule.number == number) {
            true => Ok(()),
            false => Err(super::words::no_such_rule()),
        }
    }

    fn rules_that_say_yes(&self) -> Vec<u32> {
        let rules = self.standing.rules.iter();
        let yes = rules.filter(|rule| rule.rule.says == question::ConsentRule::Yes);
        yes.map(|rule| rule.number).collect()
    }

    /// A no of the owner's on one question, also after the time until which words are sure to count.
    async fn stay_out(&mut self, id: &str) -> Result<(), UpError> {
        let Ok(found) = self.ledger.received(id) else {
            return Ok(());
        };
        if self.ledger.too_late(id).is_some() {
            return Ok(());
        }
        let found = found.clone();
        self.give_word(found, false).await.map(drop)
    }

    /// Whether there was such a rule.
    pub(super) async fn take_rule_back(&mut self, number: u32) -> Result<bool, UpError> {
        let mut rules = self.standing.rules.clone();
        if rules.remove(number).is_none() {
            return Ok(false);
        }
        let text = format!("your rule {number} holds no longer");
        self.log_consent(ConsentEntry {
            rule: Some(number),
            ..step(ConsentStep::RuleTakenBack, None, &text)
        })?;
        self.set_rules(rules).await?;
        self.say(Level::Info, &format!("rule {number} holds no longer"));
        Ok(true)
    }
}

/// The questions by their short names; of many the first.
fn named<'a>(questions: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let more = questions.len() > SHOWN;
    let mut named: Vec<_> = questions.take(SHOWN).map(short).collect();
    if more {
        named.push("…");
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use vault::VaultKey;

    use super::*;

    fn entry(id: &str, state: InboxState) -> InboxEntry {
        InboxEntry {
            id: id.into(),
            asker: "cc".into(),
            asker_since: None,
            sql: "SELECT COUNT(*) FROM t".into(),
            about: None,
            smallest_crowd: None,
            purpose: String::new(),
            received_at: 5,
            until: 6,
            state,
            by_rule: true,
            rule: Some(2),
            sent_at: None,
            contributed_at: (state == InboxState::Yes).then_some(7),
            note: String::new(),
        }
    }

    #[test]
    fn what_was_before_the_log_is_carried_over_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
        let witness = || Witness::at(folder.path());
        // The latest first, as the inbox has it.
        let inbox = [entry("bb", InboxState::No), entry("aa", InboxState::Yes)];
        for _ in 0..2 {
            let begun = begin(&mut vault, witness(), &inbox, 9).expect("read");
            begun.expect("it holds");
        }
        let logged: Vec<_> = vault
            .logged(1, 9)
            .expect("read")
            .iter()
            .map(shown)
            .collect();
        let [first, second] = &logged[..] else {
            panic!("{logged:?}")
        };
        assert_eq!(first.entry.step, ConsentStep::Carried);
        assert_eq!(first.entry.question.as_deref(), Some("aa"));
        assert!(first.entry.text.starts_with("yes, said your rule 2"));
        assert!(first.entry.text.contains("cannot be taken back"));
        assert_eq!(second.entry.text, "no, said your rule 2");
        // Nobody knows where it ended: it says so, and goes on.
        std::fs::remove_file(folder.path().join(crate::witness::CONSENT_END)).expect("removed");
        begin(&mut vault, witness(), &inbox, 9)
            .expect("read")
            .expect("it holds");
        let last = shown(&vault.logged(3, 9).expect("read")[0]).entry;
        assert_eq!((last.step, last.at), (ConsentStep::Resumed, 9));
        let examined = witness().examine(&vault);
        assert!(matches!(examined, Ok(Examined::Holds(end)) if end.entries == 3));
        // One that was put back does not hold, and its witness is left as it is.
        let mut before = Vault::create(&folder.path().join("old.db"), &key).expect("created");
        let why = begin(&mut before, witness(), &inbox, 9).expect("read");
        let why = why.expect_err("an end is cut off").to_string();
        assert!(why.contains("ends after 0 entries, and had 3"), "{why}");
        assert!(witness().examine(&vault).is_ok());
    }
}
