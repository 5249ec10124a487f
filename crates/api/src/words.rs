//! What is said: the JSON of every request and reply. Times are seconds since 1970 (UTC).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the node is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// What needs attention; empty when all is well.
    pub problems: Vec<Problem>,
    /// The node's name, 64 hexadecimal digits.
    pub node: String,
    /// Its community.
    pub community: Community,
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
    /// The owner's rule.
    pub rule: ConsentRule,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
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
    /// Smallest crowd whose total may be given.
    pub min_crowd: u64,
    /// The tables that questions may be about.
    pub tables: Vec<String>,
}

/// What went over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
}

/// A question from another member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxEntry {
    /// Its name, 64 hexadecimal digits.
    pub id: String,
    /// Who asks, 64 hexadecimal digits; empty where the node did not say.
    pub asker: String,
    /// The question.
    pub sql: String,
    /// What the answer is for, in the asker's words.
    pub purpose: String,
    /// When it came.
    pub received_at: u64,
    /// Until when a word is sure to count.
    pub until: u64,
    /// What came of it.
    pub state: InboxState,
    /// Whether the owner's rule or an earlier word decided, and not the owner now.
    pub by_rule: bool,
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
pub struct Consent {
    /// For all questions.
    pub rule: ConsentRule,
    /// Before the rule: words that the owner gave once for all. They count while the rule is to ask.
    pub standing: Vec<Standing>,
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

/// A word given once for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// Whose questions.
    pub asker: String,
    /// This one alone; all of them when there is none.
    pub sql: Option<String>,
    /// Take part or stay out.
    pub yes: bool,
}

/// A new rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    /// For all questions.
    pub rule: ConsentRule,
    /// Whether to forget the words that were given once for all.
    #[serde(default)]
    pub forget_standing: bool,
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
    /// The node is stopping.
    Stopping,
}
