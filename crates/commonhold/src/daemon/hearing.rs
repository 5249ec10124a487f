//! What the node is told and what it says, in the daemon's words: the one place of the daemon that knows both.

use std::net::SocketAddr;

use api::{
    About, Answer as ApiAnswer, ConsentRule as ApiRule, Fault, Helping, HelpingRole, HelpingStep,
    Kind, NewQuestion, Published, QuestionState,
};
use base::{Digest, Duration, Instant, NodeId};
use community::{Contact, SignedDescriptor};
use node::proof::Verified;
use node::{
    Ask, Asked, COLLECT_MAX, CONSENT_MAX, Command, Event, Failure, PURPOSE_MAX, PlanError,
    Progress, Role, Stage,
};
use question::{ConsentRule, Numbered, Question};
use selection::Failure as DrawFailure;

use crate::budget::words;
use crate::config::Peer;
use crate::counted::counted;
use crate::report::Report;
use crate::verify::utc;

/// Something that the node says.
pub enum News {
    /// So many nodes are known, this one included.
    Known(usize),
    /// This key has signed this, and this run of the node has not.
    Namesake(Box<Contact>),
    /// These are there.
    Contacts(Vec<(NodeId, Vec<SocketAddr>)>),
    /// The oldest question that it was asked to put is not put; why, for the log as well.
    NotAsked(Fault, String),
    /// The oldest question that it was asked to put is announced, or one of before is again.
    Announced(String, String),
    /// A question of ours is further.
    Further(String, QuestionState, String),
    /// A question of ours is answered: with what, and the proof.
    Answered(String, ApiAnswer, Vec<u8>),
    /// An answer is published.
    Published(Box<Published>, Vec<u8>),
    /// An answer of ours is not.
    NotPublished(String, Fault),
    /// A question has come: the owner's word is wanted, or has been given once for all.
    Wanted {
        /// The question's name.
        id: String,
        /// Who asks.
        asker: String,
        /// Since when its certificate holds, in seconds since 1970.
        asker_since: u64,
        /// The question.
        sql: String,
        /// What it reads and of whom.
        about: Box<About>,
        /// Of fewer people who match nothing is told.
        smallest_crowd: u64,
        /// What for.
        purpose: String,
        /// Until when a word is sure to count, in seconds since 1970.
        until: u64,
        /// What the owner's rules have said, if they have.
        ruled: Option<Ruled>,
    },
    /// A question of the inbox is declined, because the budget is spent.
    OverBudget(String),
    /// When the contributions were made that count towards the budget.
    Budget(Vec<Instant>),
    /// A helper has taken what this node had to say to a question of the inbox.
    Contributed(String),
    /// The node is further with what it does for somebody else's question; the time is still to be set.
    Helping(Helping),
    /// A question of the inbox is called off by its asker.
    CalledOff(String),
    /// It has heard of all that it was told before.
    Echo,
    /// The others are told that the node goes.
    Left,
    /// The community has a later epoch.
    Amended(Box<SignedDescriptor>),
    /// The authority has signed two descriptors of one epoch.
    Contradicted(Box<[SignedDescriptor; 2]>),
    /// What another node did wrong, if this one can judge it.
    Misbehaved(String),
    /// For the log alone; the second is whether it needs attention.
    Noted(String, bool),
}

/// A word of the owner's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruled {
    /// Take part or stay out.
    pub yes: bool,
    /// The rule; none for what holds for all others.
    pub rule: Option<u32>,
}

fn wanted(asked: Asked, ruled: Option<Ruled>) -> News {
    News::Wanted {
        id: asked.question.to_string(),
        asker: asked.asker.to_string(),
        asker_since: asked.asker_since.as_secs(),
        sql: asked.parsed.sql().to_owned(),
        about: Box::new(about(&asked.parsed)),
        smallest_crowd: asked.threshold,
        purpose: asked.purpose,
        until: asked.until.as_secs(),
        ruled,
    }
}

/// What a question reads and of whom.
pub fn about(question: &Question) -> About {
    About {
        title: question.title().to_owned(),
        table: question.table().to_owned(),
        columns: question.columns().to_vec(),
        filter: question.filter().map(ToOwned::to_owned),
        groups: question.groupings().to_vec(),
        inner: question.inner().map(|inner| inner.sql.clone()),
        rows_max: question.inner().map(|inner| inner.rows_max),
        filter_told: question.filter_told().map(ToOwned::to_owned),
        groups_told: question.groupings_told().to_vec(),
        inner_told: question.inner().map(|inner| inner.title.clone()),
    }
}

/// What an event says that is not for the vault.
pub fn news(event: Event) -> Option<News> {
    Some(match event {
        Event::Known(nodes) => News::Known(nodes),
        Event::Contacts(there) => News::Contacts(there),
        Event::NotAsked(why) => News::NotAsked(not_asked(&why), in_log(&why)),
        Event::Stage(question, Stage::Announced { nodes, sizes }) => {
            let seats = sizes.seats();
            // The asker is one of the nodes.
            let note = format!(
                "announced to {}; {} be drawn",
                counted(nodes.saturating_sub(1), "other node", "other nodes"),
                counted(seats, "helper will", "helpers will"),
            );
            News::Announced(question.to_string(), note)
        }
        Event::Stage(question, Stage::Drawn { k, seats, .. }) => {
            let note = format!(
                "{} drawn before {}",
                counted(seats.len(), "helper is", "helpers are"),
                counted(k, "witness", "witnesses"),
            );
            News::Further(question.to_string(), QuestionState::Drawn, note)
        }
        Event::Stage(question, Stage::Collecting) => {
            let note = "all are called to contribute".into();
            News::Further(question.to_string(), QuestionState::Collecting, note)
        }
        Event::Answered(answer) => {
            let said = said(&answer.verified);
            News::Answered(answer.verified.question.to_string(), said, answer.proof)
        }
        Event::Published(published) => {
            let verified = &published.verified;
            let shown = Published {
                id: verified.question.to_string(),
                asker: verified.asker.to_string(),
                sql: verified.sql.clone(),
                purpose: verified.purpose.clone(),
                asked_at: verified.asked_at.as_secs(),
                received_at: 0,
                answer: said(verified),
            };
            News::Published(Box::new(shown), published.proof)
        }
        Event::NotPublished(question, why) => {
            let fault = Fault::said(Kind::Refused, &why.to_string());
            News::NotPublished(question.to_string(), fault)
        }
        Event::Ended(question, why) => {
            let refused = why.is_refusal();
            let state = if refused {
                QuestionState::Refused
            } else {
                QuestionState::Failed
            };
            News::Further(question.to_string(), state, ended(&why))
        }
        Event::AskOwner(asked) => wanted(*asked, None),
        Event::ByRule { asked, yes, rule } => wanted(*asked, Some(Ruled { yes, rule })),
        Event::Misbehaved { node, what } => {
            News::Misbehaved(format!("{node:?} misbehaved: {what}"))
        }
        Event::Contributed(question) => News::Contributed(question.to_string()),
        Event::Helps {
            question,
            asker,
            role,
            progress,
        } => News::Helping(helping(question, asker, role, progress)),
        Event::SetAgreed(round, members) => News::Noted(
            format!(
                "helped with {round:?}: {}",
                counted(members.len(), "contribution", "contributions")
            ),
            false,
        ),
        Event::Echo => News::Echo,
        Event::Left => News::Left,
        Event::Amended(signed) => News::Amended(signed),
        Event::NotAmended(why) => News::Noted(
            format!("a later epoch of the community was not taken: {why}"),
            true,
        ),
        Event::Contradicted(both) => News::Contradicted(both),
        Event::Namesake(contact) => News::Namesake(contact),
        Event::CalledOff(question) => News::CalledOff(question.to_string()),
        Event::BudgetSpent(question) => News::OverBudget(question.to_string()),
        Event::Budget(spent) => News::Budget(spent),
        Event::Measure { .. } | Event::Store { .. } | Event::Forget { .. } => return None,
    })
}

/// Why a question has no answer.
fn ended(why: &Failure) -> String {
    let Failure::Draw(DrawFailure::TooManyDraws(limit)) = why else {
        return why.to_string();
    };
    format!(
        "this node has drawn helpers as often as its community allows, {}, failed attempts among them; ask again from {}",
        words(limit.draws.into(), limit.period_secs),
        utc(limit.again_at.as_secs())
    )
}

fn helping(question: Digest, asker: NodeId, role: Role, progress: Progress) -> Helping {
    let (role, lane) = match role {
        Role::Witness => (HelpingRole::Witness, None),
        Role::Setter => (HelpingRole::Setter, None),
        Role::Builder => (HelpingRole::Builder, None),
        Role::Replica(lane) => (HelpingRole::Replica, Some(lane as u64 + 1)),
    };
    Helping {
        id: question.to_string(),
        asker: asker.to_string(),
        role,
        lane,
        step: match progress {
            Progress::Begun => HelpingStep::Begun,
            Progress::Collecting => HelpingStep::Collecting,
            Progress::Closed => HelpingStep::Closed,
            Progress::Agreed => HelpingStep::Agreed,
            Progress::Done => HelpingStep::Done,
        },
        at: 0,
    }
}

/// What a checked proof says.
pub fn said(verified: &Verified) -> ApiAnswer {
    let report = Report::of(verified);
    ApiAnswer {
        summary: report.answer(),
        people: report.people(),
        details: serde_json::json!(report),
        complete: true,
    }
}

/// Starts a node that is told of these.
pub fn join(peers: &[Peer]) -> Command {
    Command::Join(peers.iter().map(|peer| (peer.node, peer.address)).collect())
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
    Some(Command::Cancel(named(id)?))
}

/// The owner's word on a question; none when it is no question's name.
pub fn consent(id: &str, yes: bool) -> Option<Command> {
    let question = named(id)?;
    Some(Command::Consent { question, yes })
}

/// The question with this name.
pub fn named(id: &str) -> Option<Digest> {
    id.parse().ok()
}

/// What to do with a question.
pub fn consent_rule(says: ApiRule) -> ConsentRule {
    match says {
        ApiRule::Yes => ConsentRule::Yes,
        ApiRule::No => ConsentRule::No,
        ApiRule::Ask => ConsentRule::Ask,
    }
}

/// The same, as the API says it.
pub fn says(rule: ConsentRule) -> ApiRule {
    match rule {
        ConsentRule::Yes => ApiRule::Yes,
        ConsentRule::No => ApiRule::No,
        ConsentRule::Ask => ApiRule::Ask,
    }
}

/// A rule, as the API says it.
pub fn rule(numbered: &Numbered) -> api::Rule {
    let Numbered { number, rule } = numbered;
    api::Rule {
        number: *number,
        says: says(rule.says),
        asker: rule.asker.map(|asker| asker.to_string()),
        table: rule.table.clone(),
        columns: rule
            .columns
            .as_ref()
            .map(|columns| columns.iter().cloned().collect()),
        question: rule.sql.clone(),
    }
}

/// Not every refusal says what would be right.
/// What the log may say: what somebody typed is in none.
fn in_log(why: &PlanError) -> String {
    match why {
        PlanError::Question(_) => "its text is none of this community's questions".into(),
        why => why.to_string(),
    }
}

fn not_asked(why: &PlanError) -> Fault {
    let limits = format!(
        "owners have {} days at most, contributions {} minutes, and the purpose {PURPOSE_MAX} bytes: commonhold question ask --help",
        CONSENT_MAX.as_secs() / 86_400,
        COLLECT_MAX.as_secs() / 60
    );
    let what_to_do = match why {
        PlanError::MayNotAsk => {
            "join again with a ticket that gives it: commonhold community invite --rights ask"
        }
        PlanError::Limits => &limits,
        _ => "see the community's tables and rules: commonhold community show",
    };
    Fault::said_or(Kind::Refused, &why.to_string(), what_to_do)
}

#[cfg(test)]
mod tests {
    use base::Instant;
    use selection::DrawLimit;

    use super::*;

    #[test]
    fn who_has_drawn_too_often_is_told_how_often_and_until_when() {
        let limit = DrawLimit {
            draws: 16,
            period_secs: 3600,
            again_at: Instant::from_secs(1_800_003_600),
        };
        let said = ended(&Failure::Draw(DrawFailure::TooManyDraws(limit)));
        for part in ["16 an hour", "from 2027-01-15 09:00:00 UTC"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn the_log_says_why_a_question_was_not_put_and_nothing_of_its_text() {
        let text = "SELECT AVG(weight) FROM people WHERE name = 'Ada'";
        let why = Question::parse(text, &[], 13).map(|_| ());
        let why = PlanError::Question(why.expect_err("there is no table"));
        assert!(why.to_string().contains("people"), "{why}");
        assert!(!in_log(&why).contains("people"), "{}", in_log(&why));
        assert!(in_log(&PlanError::TooFew(3)).contains("(3)"));
    }

    #[test]
    fn a_question_outside_its_limits_is_told_them() {
        let said = not_asked(&PlanError::Limits).what_to_do;
        assert!(
            said.contains("30 days") && said.contains("60 minutes"),
            "{said}"
        );
    }

    #[test]
    fn an_announcement_counts_those_who_are_told() {
        let sizes = aggregation::sizes::Sizes::choose(12, 3, 50).expect("a committee");
        let stage = Stage::Announced { nodes: 2, sizes };
        let said = news(Event::Stage(Digest([7; 32]), stage));
        let Some(News::Announced(_, note)) = said else {
            panic!("another kind of news");
        };
        assert!(note.starts_with("announced to 1 other node; "), "{note}");
    }
}
