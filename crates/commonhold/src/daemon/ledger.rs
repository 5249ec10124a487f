//! The lists of questions asked and received, and of published answers. What changes is to be written to the vault, whose history brings it back
//! after a restart.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    Answer, Counts, Fault, Helping, InboxEntry, InboxState, Kind, Published, Question,
    QuestionState, TooLate,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vault::{Vault, VaultError};

/// Kinds of entries in the vault's history.
const ASKED: u8 = b'q';
const PROOF: u8 = b'p';
const RECEIVED: u8 = b'i';
const PUBLISHED: u8 = b'u';

/// How long after the time until which a word is sure to count it may still, in seconds. Guess: a draw and a call.
pub const LATE_SECS: u64 = 60;

/// Something to write: key, and value unless it is to be forgotten.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// Whether it is over for good: one that was stopped goes on when the node does.
fn has_ended(question: &Question) -> bool {
    question.state.is_over() && question.state != QuestionState::Stopped
}

/// What an entry was to the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Another question.
    New,
    /// Another word of the owner's rules on one that it has.
    Changed,
    /// Nothing that it does not have.
    Known,
}

/// The lists.
#[derive(Debug)]
pub struct Ledger {
    asked: BTreeMap<String, Question>,
    inbox: BTreeMap<String, InboxEntry>,
    published: BTreeMap<String, Published>,
    /// Of this run.
    helping: Vec<Helping>,
    kept_max: usize,
    writes: Vec<Write>,
}

impl Ledger {
    /// What the vault remembers. Questions that were open when the node was stopped are marked so.
    pub fn read(vault: &Vault, kept_max: usize) -> Result<Self, VaultError> {
        let mut ledger = Self {
            asked: entries(vault, ASKED)?,
            inbox: entries(vault, RECEIVED)?,
            published: entries(vault, PUBLISHED)?,
            helping: Vec::new(),
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
            self.forget_proof(&id);
        }
    }

    /// Forgets a proof that is on no list any more.
    fn forget_proof(&mut self, id: &str) {
        if !self.asked.contains_key(id) && !self.published.contains_key(id) {
            self.writes.push((key(PROOF, id), None));
        }
    }

    /// A question is further. Whether it is on the list. One that has ended stays so: a node that was killed as it ended may
    /// go on with it.
    pub fn further(&mut self, id: &str, state: QuestionState, note: String) -> bool {
        let Some(question) = self.asked.get_mut(id) else {
            return false;
        };
        if has_ended(question) {
            return true;
        }
        question.state = state;
        question.note = note;
        self.writes.push(entry(ASKED, id, question));
        true
    }

    /// A question is answered.
    pub fn answered(&mut self, id: &str, answer: Answer, proof: Vec<u8>) {
        if let Some(question) = self.asked.get_mut(id).filter(|q| !has_ended(q)) {
            question.answer = Some(answer);
            self.writes.push((key(PROOF, id), Some(proof)));
            self.further(id, QuestionState::Answered, String::new());
        }
    }

    /// All questions that were put, the latest first.
    pub fn asked(&self) -> Vec<Question> {
        let in_list = |question: &Question| Question {
            answer: question.answer.as_ref().map(Answer::in_list),
            id: question.id.clone(),
            sql: question.sql.clone(),
            title: question.title.clone(),
            purpose: question.purpose.clone(),
            note: question.note.clone(),
            ..*question
        };
        let mut all: Vec<_> = self.asked.values().map(in_list).collect();
        all.sort_by_key(|question| std::cmp::Reverse(question.asked_at));
        all
    }

    /// The one question whose name begins so.
    pub fn question(&self, typed: &str) -> Result<&Question, Fault> {
        find(&self.asked, typed)
    }

    /// An answer is published, with its proof. Whether that is new.
    pub fn published(&mut self, published: Published, proof: Vec<u8>) -> bool {
        let id = published.id.clone();
        if let Some(question) = self.asked.get_mut(&id)
            && !question.published
        {
            question.published = true;
            self.writes.push(entry(ASKED, &id, question));
        }
        if self.published.contains_key(&id) {
            return false;
        }
        self.writes.push((key(PROOF, &id), Some(proof)));
        self.writes.push(entry(PUBLISHED, &id, &published));
        self.published.insert(id, published);
        while self.published.len() > self.kept_max {
            let oldest = self.published.values();
            let oldest = oldest.min_by_key(|published| published.received_at);
            let Some(id) = oldest.map(|published| published.id.clone()) else {
                break;
            };
            self.published.remove(&id);
            self.writes.push((key(PUBLISHED, &id), None));
            self.forget_proof(&id);
        }
        true
    }

    /// All published answers, the latest first.
    pub fn all_published(&self) -> Vec<Published> {
        let in_list = |published: &Published| Published {
            answer: published.answer.in_list(),
            id: published.id.clone(),
            asker: published.asker.clone(),
            sql: published.sql.clone(),
            purpose: published.purpose.clone(),
            ..*published
        };
        let mut all: Vec<_> = self.published.values().map(in_list).collect();
        all.sort_by_key(|published| std::cmp::Reverse(published.received_at));
        all
    }

    /// The name of the one question that begins so and of whose answer there is a proof: of one asked here, or a published
    /// one.
    pub fn proved(&self, typed: &str) -> Result<&str, Fault> {
        match (self.question(typed), find(&self.published, typed)) {
            (Ok(question), _) if question.state == QuestionState::Answered => Ok(&question.id),
            (_, Ok(published)) => Ok(&published.id),
            (Ok(_), Err(_)) => Err(Fault::new(
                Kind::Unknown,
                "this question has no answer",
                "see how far it is",
            )),
            (Err(fault), Err(_)) => Err(fault),
        }
    }

    /// Where the vault remembers a question that was put.
    pub fn asked_key(id: &str) -> Vec<u8> {
        key(ASKED, id)
    }

    /// Where the vault remembers the proof of a question.
    pub fn proof_key(id: &str) -> Vec<u8> {
        key(PROOF, id)
    }

    /// A question came, or rules say something else of one that came before. What the owner said of it himself stays.
    pub fn receive(&mut self, received: InboxEntry) -> Received {
        if let Some(known) = self.inbox.get_mut(&received.id) {
            let is_free = known.sent_at.is_none()
                && match state_of(known, received.received_at) {
                    InboxState::Waiting => true,
                    InboxState::Yes | InboxState::No => known.by_rule,
                    InboxState::Missed | InboxState::CalledOff | InboxState::OverBudget => false,
                };
            if !is_free || (known.state, known.rule) == (received.state, received.rule) {
                return Received::Known;
            }
            known.state = received.state;
            known.by_rule = received.by_rule;
            known.rule = received.rule;
            self.writes.push(entry(RECEIVED, &received.id, known));
            return Received::Changed;
        }
        self.writes.push(entry(RECEIVED, &received.id, &received));
        self.inbox.insert(received.id.clone(), received);
        while self.inbox.len() > self.kept_max {
            // Whatever is decided makes room before what is not.
            let age = |entry: &&InboxEntry| (entry.state == InboxState::Waiting, entry.received_at);
            let oldest = self.inbox.values().min_by_key(age);
            let Some(id) = oldest.map(|entry| entry.id.clone()) else {
                break;
            };
            self.inbox.remove(&id);
            self.writes.push((key(RECEIVED, &id), None));
        }
        Received::New
    }

    /// A question is called off by its asker.
    pub fn call_off(&mut self, id: &str) {
        if let Some(known) = self.inbox.get_mut(id) {
            known.state = InboxState::CalledOff;
            self.writes.push(entry(RECEIVED, id, known));
        }
    }

    /// The budget is spent: this node stays out.
    pub fn over_budget(&mut self, id: &str, note: String) {
        if let Some(known) = self.inbox.get_mut(id) {
            known.state = InboxState::OverBudget;
            known.note = note;
            self.writes.push(entry(RECEIVED, id, known));
        }
    }

    /// This node's contribution leaves. A word of the owner's that crossed with it came too late.
    pub fn sent(&mut self, id: &str, at: u64) {
        if let Some(known) = self.inbox.get_mut(id) {
            known.note.clear();
            if known.state != InboxState::Yes {
                known.state = InboxState::Yes;
                known.note = "what you said last came too late: your contribution had left".into();
            }
            known.sent_at = Some(at);
            self.writes.push(entry(RECEIVED, id, known));
        }
    }

    /// It did not, after all.
    pub fn unsent(&mut self, id: &str) {
        if let Some(known) = self.inbox.get_mut(id) {
            known.sent_at = None;
            known.note = "your data could not be asked, so that nothing left".into();
            self.writes.push(entry(RECEIVED, id, known));
        }
    }

    /// Questions into whose answers the owner's data go, or went.
    pub fn said_yes(&self) -> Vec<String> {
        let all = self.inbox.values();
        let yes = all.filter(|known| known.state == InboxState::Yes);
        yes.map(|known| known.id.clone()).collect()
    }

    /// Those of them that these rules have decided, or, if that is meant as well, what holds where no rule does.
    pub fn decided_by(&self, rules: &[u32], default: bool) -> Vec<String> {
        let all = self.inbox.values();
        let is_meant = |known: &&InboxEntry| {
            let by = known.rule.map_or(default, |rule| rules.contains(&rule));
            known.state == InboxState::Yes && known.by_rule && by
        };
        all.filter(is_meant).map(|known| known.id.clone()).collect()
    }

    /// When the contribution to this question left, if it did.
    pub fn too_late(&self, id: &str) -> Option<TooLate> {
        let known = self.inbox.get(id)?;
        Some(TooLate {
            question: known.id.clone(),
            sent_at: known.sent_at.or(known.contributed_at)?,
            contributed_at: known.contributed_at,
        })
    }

    /// A helper has taken what this node had to say. Whether that was a contribution of which the inbox did not know.
    pub fn contributed(&mut self, id: &str, at: u64) -> bool {
        match self.inbox.get_mut(id) {
            Some(known) if known.state == InboxState::Yes && known.contributed_at.is_none() => {
                known.contributed_at = Some(at);
                self.writes.push(entry(RECEIVED, id, known));
                true
            }
            _ => false,
        }
    }

    /// This node is further with what it does for a question.
    pub fn help(&mut self, helping: Helping) {
        let is_same = |known: &Helping| (&known.id, known.role) == (&helping.id, helping.role);
        match self.helping.iter_mut().find(|known| is_same(known)) {
            Some(known) => *known = helping,
            None => {
                if self.helping.len() >= self.kept_max {
                    self.helping.remove(0);
                }
                self.helping.push(helping);
            }
        }
    }

    /// What this node does for others' questions, the latest first.
    pub fn helping(&self) -> Vec<Helping> {
        self.helping.iter().rev().cloned().collect()
    }

    /// The one question of the inbox whose name begins so.
    pub fn received(&self, typed: &str) -> Result<&InboxEntry, Fault> {
        find(&self.inbox, typed)
    }

    /// The question whose name begins so, if it is not too late for a word on it.
    pub fn open(&self, typed: &str, now: u64) -> Result<InboxEntry, Fault> {
        let found = seen(find(&self.inbox, typed)?, now);
        match found.state {
            InboxState::Waiting => {}
            _ if found.sent_at.is_some() => {
                let error = "your contribution to this question has left";
                let what_to_do = "it is in a total, where nobody can find it again";
                return Err(Fault::new(Kind::Late, error, what_to_do));
            }
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
                return Err(Fault::new(
                    Kind::Late,
                    error,
                    "nothing of yours went into an answer",
                ));
            }
            InboxState::OverBudget => {
                let what_to_do = "for the next one: commonhold question budget set";
                return Err(Fault::new(Kind::Late, found.note, what_to_do));
            }
        }
        Ok(found)
    }

    /// The owner's word on a question that is [open](Self::open). Gives the entry as it is then.
    pub fn decide(&mut self, found: InboxEntry, yes: bool, now: u64) -> InboxEntry {
        let state = if yes { InboxState::Yes } else { InboxState::No };
        let note = match yes && now >= found.until {
            true => "takes part if people are called only now: the time for a word is over",
            false => "",
        };
        let decided = InboxEntry {
            state,
            by_rule: false,
            rule: None,
            note: note.into(),
            ..found
        };
        self.writes.push(entry(RECEIVED, &decided.id, &decided));
        self.inbox.insert(decided.id.clone(), decided.clone());
        decided
    }

    /// All questions that came, the latest first.
    pub fn inbox(&self, now: u64) -> Vec<InboxEntry> {
        let mut all: Vec<_> = self.inbox.values().map(|entry| seen(entry, now)).collect();
        all.sort_by_key(|entry| std::cmp::Reverse(entry.received_at));
        all
    }

    /// Those who asked something that is on the list and whose names begin so.
    pub fn askers(&self, typed: &str) -> BTreeSet<&str> {
        let typed = typed.to_ascii_lowercase();
        let all = self.inbox.values().map(|entry| entry.asker.as_str());
        all.filter(|asker| asker.starts_with(&typed)).collect()
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
            .filter(|entry| state_of(entry, now) == InboxState::Waiting);
        Counts {
            asked: self.asked.len() as u64,
            open: open.count() as u64,
            received: self.inbox.len() as u64,
            waiting: waiting.count() as u64,
        }
    }
}

/// An entry as it is now.
fn seen(entry: &InboxEntry, now: u64) -> InboxEntry {
    InboxEntry {
        state: state_of(entry, now),
        ..entry.clone()
    }
}

fn state_of(entry: &InboxEntry, now: u64) -> InboxState {
    let sure = entry.until.max(entry.received_at);
    match entry.state {
        InboxState::Waiting if now > sure.saturating_add(LATE_SECS) => InboxState::Missed,
        state => state,
    }
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
            "see which there are: commonhold question list, and question inbox for those of others",
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
