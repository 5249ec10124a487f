//! What the node is told and what it says, in the daemon's words: the one place of the daemon that knows both.

use api::{Answer as ApiAnswer, ConsentRule as ApiRule, Fault, Kind, NewQuestion, QuestionState};
use base::{Digest, Duration, NodeId};
use node::{Ask, Asked, Command, Event, Stage};
use question::ConsentRule;

use crate::config::Peer;
use crate::home::node_of;
use crate::report::Report;

/// Something that the node says.
pub enum News {
    /// So many nodes are known, this one included.
    Known(usize),
    /// The oldest question that it was asked to put is not put.
    NotAsked(Fault),
    /// The oldest question that it was asked to put is announced, or one of before is again.
    Announced(String, String),
    /// A question of ours is further.
    Further(String, QuestionState, String),
    /// A question of ours is answered: with what, and the proof.
    Answered(String, ApiAnswer, Vec<u8>),
    /// A question has come: the owner's word is wanted, or has been given once for all.
    Wanted {
        /// The question's name.
        id: String,
        /// Who asks.
        asker: String,
        /// The question.
        sql: String,
        /// What for.
        purpose: String,
        /// Until when a word is sure to count, in seconds since 1970.
        until: u64,
        /// What the node's rules have said, if they have.
        ruled: Option<bool>,
    },
    /// A question of the inbox is called off by its asker.
    CalledOff(String),
    /// For the log alone; the second is whether it needs attention.
    Noted(String, bool),
}

fn wanted(asked: Asked, ruled: Option<bool>) -> News {
    News::Wanted {
        id: asked.question.to_string(),
        asker: asked.asker.to_string(),
        sql: asked.sql,
        purpose: asked.purpose,
        until: asked.until.as_secs(),
        ruled,
    }
}

/// What an event says that is not for the vault.
pub fn news(event: Event) -> Option<News> {
    Some(match event {
        Event::Known(nodes) => News::Known(nodes),
        Event::NotAsked(why) => {
            News::NotAsked(Fault::said(Kind::Refused, &advised(&why.to_string())))
        }
        Event::Stage(question, Stage::Announced { nodes, sizes }) => {
            let seats = sizes.seats();
            let note = format!("announced to {nodes} nodes; {seats} helpers will be drawn");
            News::Announced(question.to_string(), note)
        }
        Event::Stage(question, Stage::Drawn { k, seats, .. }) => {
            let note = format!("{} helpers are drawn before {k} witnesses", seats.len());
            News::Further(question.to_string(), QuestionState::Drawn, note)
        }
        Event::Stage(question, Stage::Collecting) => {
            let note = "all are called to contribute".into();
            News::Further(question.to_string(), QuestionState::Collecting, note)
        }
        Event::Answered(answer) => {
            let report = Report::of(&answer.verified);
            let said = ApiAnswer {
                summary: report.answer(),
                people: report.people(),
                details: serde_json::json!(report),
            };
            News::Answered(answer.verified.question.to_string(), said, answer.proof)
        }
        Event::Ended(question, why) => {
            let refused = why.is_refusal();
            let state = if refused {
                QuestionState::Refused
            } else {
                QuestionState::Failed
            };
            News::Further(question.to_string(), state, why.to_string())
        }
        Event::AskOwner(asked) => wanted(*asked, None),
        Event::ByRule(asked, yes) => wanted(*asked, Some(yes)),
        Event::Misbehaved { node, what } => {
            News::Noted(format!("{node:?} misbehaved: {what}"), true)
        }
        Event::Contributed(round) => News::Noted(format!("contributed in {round:?}"), false),
        Event::SetAgreed(round, members) => News::Noted(
            format!("helped with {round:?}: {} contributions", members.len()),
            false,
        ),
        Event::CalledOff(question) => News::CalledOff(question.to_string()),
        Event::BudgetSpent(question) => News::Noted(
            format!("declined {question:?}: the budget of questions is spent"),
            true,
        ),
        Event::Measure { .. } | Event::Store { .. } | Event::Forget { .. } => return None,
    })
}

/// Starts a node that knows these.
pub fn join(peers: &[Peer], own: NodeId) -> Command {
    let others = peers.iter().filter(|peer| peer.node != own);
    Command::Join(others.map(|peer| (peer.node, peer.address)).collect())
}

/// Puts a question.
pub fn ask(new: &NewQuestion, collect_secs: u64) -> Command {
    Command::Ask(Ask {
        sql: new.sql.clone(),
        purpose: new.purpose.clone(),
        consent_for: Duration::from_secs(new.consent_secs),
        collect_for: Duration::from_secs(new.collect_secs.unwrap_or(collect_secs)),
    })
}

/// Calls a question of our own off; none when it is no question's name.
pub fn cancel(id: &str) -> Option<Command> {
    Some(Command::Cancel(Digest(node_of(id)?.0)))
}

/// The owner's word on a question; none when it is no question's name.
pub fn consent(id: &str, yes: bool) -> Option<Command> {
    // Names of nodes and of questions are written alike.
    let question = Digest(node_of(id)?.0);
    Some(Command::Consent { question, yes })
}

/// The owner's rule.
pub fn set_rule(rule: ApiRule) -> (Command, ConsentRule) {
    let rule = match rule {
        ApiRule::Yes => ConsentRule::Yes,
        ApiRule::No => ConsentRule::No,
        ApiRule::Ask => ConsentRule::Ask,
    };
    (Command::SetConsent(rule.into()), rule)
}

/// The owner's rule, as the API says it.
pub fn rule(rule: ConsentRule) -> ApiRule {
    match rule {
        ConsentRule::Yes => ApiRule::Yes,
        ConsentRule::No => ApiRule::No,
        ConsentRule::Ask => ApiRule::Ask,
    }
}

/// Not every refusal says what would be right.
fn advised(why: &str) -> String {
    if why.contains("; ") {
        why.to_owned()
    } else {
        format!("{why}; see the community's rules and tables: commonhold status")
    }
}
