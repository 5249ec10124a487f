//! What is said: the JSON of every request and reply. Times are seconds since 1970 (UTC).

mod about;
mod beginning;
mod consent;
mod holding;
mod looking;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use about::About;
pub use beginning::{
    Backup, Beginning, Joined, NewBackup, NewBeginning, NewKey, NewMember, NewRestore,
    RecoveryWords, Restored, Secret, ShowWords,
};
pub use consent::{ConsentEntry, ConsentLog, ConsentLogged, ConsentStep, Revoke, Revoked, TooLate};
pub use holding::{
    Calendar, Counted, DayRows, Days, HeldTable, Holdings, Import, ImportReport, NewImport,
    NewProfile, Places, ProfileField, Removed, Rows, TableDays,
};
pub use looking::{
    Checked, Column, ColumnKind, Helper, NewSession, PageCode, Preview, PreviewOutcome,
    PreviewValue, Ring, Seat, Session, Table,
};

/// How the node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// What needs attention; empty when all is well.
    pub problems: Vec<Problem>,
    /// The node's name, 64 hexadecimal digits.
    pub node: String,
    /// Its community.
    pub community: Community,
    /// Whether its certificate lets it put questions.
    #[serde(default)]
    pub may_ask: bool,
    /// Folder of the key with which it lets people in who have tickets, if it does.
    #[serde(default)]
    pub enrol: Option<String>,
    /// The address on which it listens for other nodes.
    pub listens: String,
    /// The addresses that others are told.
    pub announces: Vec<String>,
    /// Its folder.
    pub folder: String,
    /// Version of the program.
    pub version: String,
    /// Other members whom it knows.
    pub peers_known: u64,
    /// Members whom it has met, kept for the next start.
    pub peers_remembered: u64,
    /// Whether others reach it.
    pub reach: Reach,
    /// Relays of members that it uses.
    pub relays: Vec<String>,
    /// Members whom it has dialled and who speak another version of the protocol.
    pub other_versions: Vec<String>,
    /// What went over the network since it started.
    pub traffic: Traffic,
    /// When it started.
    pub started_at: u64,
    /// Its clock.
    pub now: u64,
    /// Free space where its folder is, in bytes, where that can be told.
    pub disk_free_bytes: Option<u64>,
    /// How many questions.
    pub questions: Counts,
    /// What holds for questions that no rule of the owner's is about.
    pub rule: ConsentRule,
    /// How many rules the owner has given.
    pub rules: u64,
    /// How many questions the owner's data go into.
    pub budget: Budget,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Whether it works for now, or does not.
    pub verdict: Verdict,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub what_to_do: String,
}

/// A community, as its descriptor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Community {
    /// Its name.
    pub name: String,
    /// Which of its descriptors.
    pub epoch: u64,
    /// How many nodes it says to have.
    pub nodes: u64,
    /// How many of them may collude.
    pub colluders: u64,
    /// Of so many people something may be told if nobody is dishonest.
    pub min_crowd: u64,
    /// Of fewer people who match nothing is told: the same, and as many more as dishonest members may pretend to be.
    #[serde(default)]
    pub smallest_crowd: u64,
    /// The tables that questions may be about.
    pub tables: Vec<String>,
}

/// Whether others reach the node at the addresses that they are told: what members say who were asked to dial it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reach {
    /// All together: at least two agree, and more than say otherwise.
    pub reached: ReachState,
    /// When they were asked last; none before the first time.
    pub asked_at: Option<u64>,
    /// How many were asked.
    pub asked: u64,
    /// How many dialled the node, which it has seen itself.
    pub yes: u64,
    /// How many say that they tried in vain.
    pub no: u64,
    /// The IP addresses from which at least two of them were called.
    pub seen: Vec<String>,
}

/// Whether others reach the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReachState {
    /// They do.
    Yes,
    /// They do not.
    No,
    /// Too few could tell, or they do not agree.
    Unknown,
}

/// What went over the network: messages, before encryption. What connections themselves take is not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Traffic {
    /// Connections to other members now.
    pub connections: u64,
    /// Messages from them.
    pub messages_in: u64,
    /// Messages to them.
    pub messages_out: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Bytes of those.
    pub bytes_out: u64,
    /// Messages that could not be sent.
    pub dropped: u64,
    /// Strangers who were not let in.
    pub refused: u64,
    /// Messages whose senders were slowed down, because they sent more than their share.
    pub slowed: u64,
    /// Callers who speak another version of the protocol, or want what this node does not do.
    pub other_callers: u64,
    /// The messages by what they are for; letting in, the last, is not in the sums above.
    pub by_purpose: Vec<Flow>,
}

/// What messages for one purpose took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// What for.
    pub purpose: String,
    /// Messages from others.
    pub messages_in: u64,
    /// Messages to others.
    pub messages_out: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Bytes of those.
    pub bytes_out: u64,
}

/// How many questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Put by this node and on the list.
    pub asked: u64,
    /// Of these, without an outcome yet.
    pub open: u64,
    /// Received and on the list.
    pub received: u64,
    /// Of these, waiting for the owner's word.
    pub waiting: u64,
}

/// A question to put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// In the question language.
    pub sql: String,
    /// What the answer is for; owners read it.
    #[serde(default)]
    pub purpose: String,
    /// How long owners may take to decide, in seconds; 0, as when it is left out, asks those who have decided.
    #[serde(default)]
    pub consent_secs: u64,
    /// Longest time for contributions to arrive after that, in seconds; 20 when it is left out.
    #[serde(default)]
    pub collect_secs: Option<u64>,
}

/// A question that this node put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// Its name, 64 hexadecimal digits.
    pub id: String,
    /// The question.
    pub sql: String,
    /// The question in a line of plain words; empty where an earlier version of the node put it.
    #[serde(default)]
    pub title: String,
    /// What the answer is for.
    pub purpose: String,
    /// When it was put.
    pub asked_at: u64,
    /// Until when owners may decide.
    pub consent_until: u64,
    /// How far it is.
    pub state: QuestionState,
    /// More about that, in words.
    pub note: String,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// Whether the answer is published.
    #[serde(default)]
    pub published: bool,
}

/// How far a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionState {
    /// Everybody known is told; owners decide.
    Announced,
    /// Helpers are drawn.
    Drawn,
    /// All are called to contribute.
    Collecting,
    /// There is an answer, with a proof.
    Answered,
    /// The community's rules forbid the answer.
    Refused,
    /// There is no answer.
    Failed,
    /// The node was stopped before there was one.
    Stopped,
}

impl QuestionState {
    /// Whether nothing more is expected.
    pub fn is_over(self) -> bool {
        match self {
            Self::Announced | Self::Drawn | Self::Collecting => false,
            Self::Answered | Self::Refused | Self::Failed | Self::Stopped => true,
        }
    }
}

/// Most figures of an answer that a list has.
const LISTED_FIGURES: usize = 16;

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// In a few words.
    pub summary: String,
    /// Who is in it, in a few words.
    pub people: String,
    /// All that its proof says, as `question verify --json` prints it.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// Whether all of that is here. In lists, the groups of an answer, and all figures but the first ones, are left out: the
    /// question alone has them, and the check of a published one.
    #[serde(default = "whole")]
    pub complete: bool,
}

fn whole() -> bool {
    true
}

impl Answer {
    /// As it stands in a list: without what an answer has many of.
    #[must_use]
    pub fn in_list(&self) -> Self {
        let mut complete = self.complete;
        let mut short = |(name, value): (&String, &serde_json::Value)| {
            let most = match name.as_str() {
                "groups" => 0,
                "figures" => LISTED_FIGURES,
                _ => usize::MAX,
            };
            let value = match value.as_array() {
                Some(many) if many.len() > most => {
                    complete = false;
                    many[..most].into()
                }
                _ => value.clone(),
            };
            (name.clone(), value)
        };
        let details = match self.details.as_object() {
            Some(fields) => fields.iter().map(&mut short).collect(),
            None => self.details.clone(),
        };
        Self {
            summary: self.summary.clone(),
            people: self.people.clone(),
            details,
            complete,
        }
    }
}

/// An answer that its asker shows to the whole community. This node has checked its proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Published {
    /// The question's name, 64 hexadecimal digits.
    pub id: String,
    /// Who asked, 64 hexadecimal digits.
    pub asker: String,
    /// The question.
    pub sql: String,
    /// What the answer is for, in the asker's words.
    pub purpose: String,
    /// When it was asked.
    pub asked_at: u64,
    /// When it came here.
    pub received_at: u64,
    /// The answer.
    pub answer: Answer,
}

/// A question from another member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxEntry {
    /// Its name, 64 hexadecimal digits.
    pub id: String,
    /// Who asks, 64 hexadecimal digits; empty where the node did not say.
    pub asker: String,
    /// Since when the asker's certificate holds.
    #[serde(default)]
    pub asker_since: Option<u64>,
    /// The question.
    pub sql: String,
    /// What it reads and of whom; none where it came to an earlier version of the node.
    #[serde(default)]
    pub about: Option<About>,
    /// Of fewer people who match nothing is told; none where it came to an earlier version of the node.
    #[serde(default)]
    pub smallest_crowd: Option<u64>,
    /// What the answer is for, in the asker's words.
    pub purpose: String,
    /// When it came.
    pub received_at: u64,
    /// Until when a word is sure to count.
    pub until: u64,
    /// What came of it.
    pub state: InboxState,
    /// Whether the owner's rules decided, and not the owner.
    pub by_rule: bool,
    /// The number of the rule that did; none where what holds for all others did.
    #[serde(default)]
    pub rule: Option<u32>,
    /// When this node's contribution left: from then on it cannot be taken back.
    #[serde(default)]
    pub sent_at: Option<u64>,
    /// When a helper took this node's contribution; none where it gave none, or nobody has said that it has it.
    #[serde(default)]
    pub contributed_at: Option<u64>,
    /// More about its state, in words.
    #[serde(default)]
    pub note: String,
}

/// What came of a question from another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InboxState {
    /// Waiting for the owner's word.
    Waiting,
    /// Takes part.
    Yes,
    /// Stays out.
    No,
    /// No word in time.
    Missed,
    /// Its asker took it back.
    CalledOff,
    /// Stays out, although the owner or a rule said yes: the budget of questions is spent.
    OverBudget,
}

/// What this node does for somebody else's question, or has done since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Helping {
    /// The question's name, 64 hexadecimal digits.
    pub id: String,
    /// Who asks, 64 hexadecimal digits.
    pub asker: String,
    /// As what.
    pub role: HelpingRole,
    /// Where a replica: of which lane, from 1.
    pub lane: Option<u64>,
    /// How far.
    pub step: HelpingStep,
    /// Since when it is so far.
    pub at: u64,
}

/// As what a node helps. Who does is drawn by lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HelpingRole {
    /// Gives a part of the random by which helpers are drawn, as one of the nodes nearest to the asker.
    Witness,
    /// Sets the draw up, as the node nearest to the random point.
    Setter,
    /// Builds the list of helpers, near that point.
    Builder,
    /// Computes with shares of contributions.
    Replica,
}

impl HelpingRole {
    /// One word for it, as JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Witness => "witness",
            Self::Setter => "setter",
            Self::Builder => "builder",
            Self::Replica => "replica",
        }
    }
}

/// How far a node is with what it does for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HelpingStep {
    /// It has taken its part.
    Begun,
    /// People are called to contribute.
    Collecting,
    /// It takes no more contributions.
    Closed,
    /// Helpers agree on whose contributions are added up.
    Agreed,
    /// Nothing is left to do.
    Done,
}

/// The owner's word on a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The word.
    pub answer: Word,
}

/// A word on a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Take part this time.
    Yes,
    /// Stay out this time.
    No,
    /// Take part, and each time this asker puts the same question again.
    Always,
    /// Stay out, whatever this asker puts from now on.
    Never,
}

/// What is answered without asking the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rules {
    /// The latest first: of those that are about a question, the first decides.
    pub rules: Vec<Rule>,
    /// What holds for all other questions.
    pub default: ConsentRule,
}

/// What the owner says to all questions of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// Its number, by which it is removed; never given again.
    pub number: u32,
    /// Take part, stay out, or ask.
    pub says: ConsentRule,
    /// Of this asker only, 64 hexadecimal digits.
    pub asker: Option<String>,
    /// About this table only.
    pub table: Option<String>,
    /// With yes: only those that read no other columns than these. With no or ask: only those that read any of these.
    pub columns: Option<Vec<String>>,
    /// This question only.
    pub question: Option<String>,
}

/// A rule to give. At least one of the last four says which questions it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Take part, stay out, or ask.
    pub says: ConsentRule,
    /// Of this asker only: its name, or how that begins if it has asked before.
    #[serde(default)]
    pub asker: Option<String>,
    /// About this table only.
    #[serde(default)]
    pub table: Option<String>,
    /// With yes: only those that read no other columns than these. With no or ask: only those that read any of these.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// This question only.
    #[serde(default)]
    pub question: Option<String>,
}

/// What holds for all questions that no rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDefault {
    /// Take part, stay out, or ask.
    pub says: ConsentRule,
}

/// What the node does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentRule {
    /// Take part.
    Yes,
    /// Stay out.
    No,
    /// Ask the owner.
    Ask,
}

/// How many questions the owner's data go into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// The limit; none: any number of questions.
    pub limit: Option<Limit>,
    /// How many were contributed to within the last period; 0 without a limit.
    pub spent: u64,
    /// When the next one may be contributed to, if the budget is spent.
    pub free_at: Option<u64>,
}

/// So many questions in any period of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Most questions, 1 to 10000.
    pub questions: u32,
    /// The period in seconds: a minute to a year.
    pub period_secs: u64,
}

/// A budget to keep from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBudget {
    /// The limit; none, as when it is left out: any number of questions.
    #[serde(default)]
    pub limit: Option<Limit>,
}

/// What is right and what is wrong with the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Doctor {
    /// Everything that was looked at.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; empty when it is well.
    pub what_to_do: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Well.
    Ok,
    /// It works, for now.
    Warn,
    /// It does not work.
    Fail,
}

/// Something has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Ascending from 1 since the node started; one that is missing was lost because the reader was slow.
    pub number: u64,
    /// When.
    pub at: u64,
    /// What kind.
    pub kind: EventKind,
    /// Which question it is about, if it is about one.
    pub question: Option<String>,
    /// In words.
    pub text: String,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Other members are known, or fewer.
    Peers,
    /// A question of ours is further.
    Question,
    /// A question from another member came, or something came of it.
    Inbox,
    /// An answer was published.
    Published,
    /// The community has changed.
    Community,
    /// This node is further with what it does for somebody else's question.
    Helping,
    /// The node is stopping.
    Stopping,
}
