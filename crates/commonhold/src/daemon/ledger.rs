//! The two lists of questions, asked and received, and the words that the owner gave once for all. What changes is to be
//! written to the vault, whose history brings it back after a restart.

use std::collections::BTreeMap;

use api::{
    Answer, ConsentRule, Counts, Fault, InboxEntry, InboxState, Kind, Question, QuestionState,
    Standing, Word,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vault::{Vault, VaultError};

/// Kinds of entries in the vault's history.
const ASKED: u8 = b'q';
const PROOF: u8 = b'p';
const RECEIVED: u8 = b'i';
const STANDING: u8 = b's';

/// Words given once for all.
const STANDING_MAX: usize = 1000;
/// How long after the time until which a word is sure to count it may still, in seconds. Guess: a draw and a call.
const LATE_SECS: u64 = 60;

/// Something to write: key, and value unless it is to be forgotten.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// The lists.
#[derive(Debug)]
pub struct Ledger {
    asked: BTreeMap<String, Question>,
    inbox: BTreeMap<String, InboxEntry>,
    standing: Vec<Standing>,
    kept_max: usize,
    writes: Vec<Write>,
}

impl Ledger {
    /// What the vault remembers. Questions that were open when the node was stopped are marked so.
    pub fn read(vault: &Vault, kept_max: usize) -> Result<Self, VaultError> {
        let mut ledger = Self {
            asked: entries(vault, ASKED)?,
            inbox: entries(vault, RECEIVED)?,
            standing: entries(vault, STANDING)?.remove("").unwrap_or_default(),
            kept_max,
            writes: Vec::new(),
        };
        for question in ledger.asked.values_mut() {
            if !question.state.is_over() {
                question.state = QuestionState::Stopped;
                question.note = "the node was stopped before there was an answer".into();
                ledger.writes.push(entry(ASKED, &question.id, question));
            }
        }
        Ok(ledger)
    }

    /// What has changed since this was last called.
    pub fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }

    /// A question was put.
    pub fn ask(&mut self, question: Question) {
        self.writes.push(entry(ASKED, &question.id, &question));
        self.asked.insert(question.id.clone(), question);
        while self.asked.len() > self.kept_max {
            let oldest = self
                .asked
                .values()
                .filter(|question| question.state.is_over());
            let Some(id) = oldest
                .min_by_key(|question| question.asked_at)
                .map(|q| q.id.clone())
            else {
                return;
            };
            self.asked.remove(&id);
            self.writes.push((key(ASKED, &id), None));
            self.writes.push((key(PROOF, &id), None));
        }
    }

    /// A question is further. Whether it is on the list.
    pub fn further(&mut self, id: &str, state: QuestionState, note: String) -> bool {
        let Some(question) = self.asked.get_mut(id) else {
            return false;
        };
        question.state = state;
        question.note = note;
        self.writes.push(entry(ASKED, id, question));
        true
    }

    /// A question is answered.
    pub fn answered(&mut self, id: &str, answer: Answer, proof: Vec<u8>) {
        if let Some(question) = self.asked.get_mut(id) {
            question.answer = Some(answer);
            self.writes.push((key(PROOF, id), Some(proof)));
            self.further(id, QuestionState::Answered, String::new());
        }
    }

    /// All questions that were put, the latest first.
    pub fn asked(&self) -> Vec<Question> {
        let mut all: Vec<_> = self.asked.values().cloned().collect();
        all.sort_by_key(|question| std::cmp::Reverse(question.asked_at));
        all
    }

    /// The one question whose name begins so.
    pub fn question(&self, typed: &str) -> Result<&Question, Fault> {
        find(&self.asked, typed)
    }

    /// Where the vault remembers the proof of a question.
    pub fn proof_key(id: &str) -> Vec<u8> {
        key(PROOF, id)
    }

    /// What the owner has said once for all about such a question: the last word counts.
    pub fn standing_word(&self, asker: &str, sql: &str) -> Option<bool> {
        let fits = |word: &&Standing| {
            word.asker == asker && word.sql.as_deref().is_none_or(|said| same(said, sql))
        };
        self.standing.iter().rev().find(fits).map(|word| word.yes)
    }

    /// All words given once for all.
    pub fn standing(&self) -> &[Standing] {
        &self.standing
    }

    /// Forgets them.
    pub fn forget_standing(&mut self) {
        self.standing.clear();
        self.writes.push(entry(STANDING, "", &self.standing));
    }

    /// A question came. The first entry of a name counts. Whether it is new.
    pub fn receive(&mut self, received: InboxEntry) -> bool {
        if self.inbox.contains_key(&received.id) {
            return false;
        }
        self.writes.push(entry(RECEIVED, &received.id, &received));
        self.inbox.insert(received.id.clone(), received);
        while self.inbox.len() > self.kept_max {
            // Whatever is decided makes room before what is not.
            let age = |entry: &&InboxEntry| (entry.state == InboxState::Waiting, entry.received_at);
            let oldest = self.inbox.values().min_by_key(age);
            let Some(id) = oldest.map(|entry| entry.id.clone()) else {
                return true;
            };
            self.inbox.remove(&id);
            self.writes.push((key(RECEIVED, &id), None));
        }
        true
    }

    /// A question is called off by its asker.
    pub fn call_off(&mut self, id: &str) {
        if let Some(known) = self.inbox.get_mut(id) {
            known.state = InboxState::CalledOff;
            self.writes.push(entry(RECEIVED, id, known));
        }
    }

    /// The owner's word. Gives the entry as it is then.
    pub fn decide(&mut self, typed: &str, word: Word, now: u64) -> Result<InboxEntry, Fault> {
        let found = seen(find(&self.inbox, typed)?, now);
        match found.state {
            InboxState::Waiting => {}
            // Until the time is over the last word counts.
            InboxState::Yes | InboxState::No if now < found.until => {}
            InboxState::Yes | InboxState::No | InboxState::Missed => {
                return Err(Fault::new(
                    Kind::Late,
                    "it is too late for this question",
                    "nothing",
                ));
            }
            InboxState::CalledOff => {
                let error = "this question was called off by its asker";
                return Err(Fault::new(Kind::Late, error, "nothing"));
            }
        }
        let once_for_all = match word {
            Word::Always => Some(Standing {
                asker: found.asker.clone(),
                sql: Some(found.sql.clone()),
                yes: true,
            }),
            Word::Never => Some(Standing {
                asker: found.asker.clone(),
                sql: None,
                yes: false,
            }),
            Word::Yes | Word::No => None,
        };
        if let Some(word) = once_for_all {
            if self.standing.len() >= STANDING_MAX {
                let what_to_do = "forget them: commonhold question rule set ask --forget";
                return Err(Fault::new(
                    Kind::Busy,
                    "too many words were given once for all",
                    what_to_do,
                ));
            }
            self.standing.push(word);
            self.writes.push(entry(STANDING, "", &self.standing));
        }
        let yes = matches!(word, Word::Yes | Word::Always);
        let state = if yes { InboxState::Yes } else { InboxState::No };
        let decided = InboxEntry { state, ..found };
        self.writes.push(entry(RECEIVED, &decided.id, &decided));
        self.inbox.insert(decided.id.clone(), decided.clone());
        Ok(decided)
    }

    /// All questions that came, the latest first.
    pub fn inbox(&self, now: u64) -> Vec<InboxEntry> {
        let mut all: Vec<_> = self.inbox.values().map(|entry| seen(entry, now)).collect();
        all.sort_by_key(|entry| std::cmp::Reverse(entry.received_at));
        all
    }

    /// How many.
    pub fn counts(&self, now: u64) -> Counts {
        let open = self
            .asked
            .values()
            .filter(|question| !question.state.is_over());
        let waiting = self
            .inbox
            .values()
            .filter(|entry| seen(entry, now).state == InboxState::Waiting);
        Counts {
            asked: self.asked.len() as u64,
            open: open.count() as u64,
            received: self.inbox.len() as u64,
            waiting: waiting.count() as u64,
        }
    }
}

/// What the node does with a question that has just come: the owner's word once for all, if the rule is to ask.
pub fn state_of(rule: ConsentRule, standing: Option<bool>) -> (InboxState, bool) {
    match (rule, standing) {
        (ConsentRule::Yes, _) | (ConsentRule::Ask, Some(true)) => (InboxState::Yes, true),
        (ConsentRule::No, _) | (ConsentRule::Ask, Some(false)) => (InboxState::No, true),
        (ConsentRule::Ask, None) => (InboxState::Waiting, false),
    }
}

/// An entry as it is now.
fn seen(entry: &InboxEntry, now: u64) -> InboxEntry {
    let mut entry = entry.clone();
    let sure = entry.until.max(entry.received_at);
    if entry.state == InboxState::Waiting && now > sure.saturating_add(LATE_SECS) {
        entry.state = InboxState::Missed;
    }
    entry
}

/// Whether two texts are the same question but for spaces.
fn same(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

fn find<'a, T>(list: &'a BTreeMap<String, T>, typed: &str) -> Result<&'a T, Fault> {
    let typed = typed.to_ascii_lowercase();
    let mut found = list
        .range(typed.clone()..)
        .take_while(|(id, _)| id.starts_with(&typed));
    match (typed.is_empty(), found.next(), found.next()) {
        (false, Some((_, one)), None) => Ok(one),
        (false, Some(_), Some(_)) => Err(Fault::new(
            Kind::Unknown,
            "several questions begin so",
            "give more digits",
        )),
        _ => Err(Fault::new(
            Kind::Unknown,
            "no question of that name is on the list",
            "look at the list",
        )),
    }
}

fn key(kind: u8, id: &str) -> Vec<u8> {
    std::iter::once(kind).chain(id.bytes()).collect()
}

fn entry(kind: u8, id: &str, value: &impl Serialize) -> Write {
    let value = serde_json::to_vec(value).expect("what is listed is plain data");
    (key(kind, id), Some(value))
}

/// By name. An entry of another version of this program is left out.
fn entries<T: DeserializeOwned>(
    vault: &Vault,
    kind: u8,
) -> Result<BTreeMap<String, T>, VaultError> {
    let all = vault.recall_all(kind)?.into_iter();
    let read = all.filter_map(|(key, value)| {
        let id = String::from_utf8(key.get(1..)?.to_vec()).ok()?;
        Some((id, serde_json::from_slice(&value).ok()?))
    });
    Ok(read.collect())
}

#[cfg(test)]
mod tests;
