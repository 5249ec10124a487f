//! How things are printed for people. Words of other members are shown as they are, but for signs that would speak to the
//! terminal.

use api::{
    About, Budget, Check, ConsentRule, Flow, Helping, HelpingRole, HelpingStep, InboxEntry,
    InboxState, Published, Question, QuestionState, Rule, Rules, Status, Verdict,
};

use crate::budget::words;
use crate::counted::counted;
use crate::daemon::ledger::LATE_SECS;
use crate::daemon::reach;
use crate::report::Report;
use crate::verify::utc;

/// The first digits of a name: enough to type.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// A text without signs that would speak to the terminal, or turn the writing around.
pub fn plain(text: &str) -> String {
    let speaks = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|sign| if speaks(sign) { '\u{fffd}' } else { sign })
        .collect()
}

fn line(name: &str, text: impl AsRef<str>) -> String {
    format!("{name:<10} {}", plain(text.as_ref()))
}

/// Problems first.
pub fn status(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    for problem in &status.problems {
        lines.push(line(verdict(problem.verdict), &problem.what));
        lines.push(line("", format!("-> {}", problem.what_to_do)));
    }
    let community = &status.community;
    let traffic = &status.traffic;
    let questions = &status.questions;
    let waiting = match questions.waiting {
        0 => String::new(),
        waiting => format!(
            ", {} for you: commonhold question inbox",
            counted(waiting, "waits", "wait")
        ),
    };
    lines.extend([
        line("node", format!("{} in {}", status.node, status.folder)),
        line(
            "community",
            format!(
                "{}, epoch {}: {}, of whom {} may collude; {}; tables: {}",
                community.name,
                community.epoch,
                counted(community.nodes, "node", "nodes"),
                community.colluders,
                told_of(community.smallest_crowd),
                community.tables.join(", ")
            ),
        ),
        line(
            "peers",
            format!(
                "{} known, {} connected, {} remembered",
                status.peers_known, traffic.connections, status.peers_remembered
            ),
        ),
        line("reach", reach::words(&status.reach)),
        line(
            "traffic",
            format!(
                "in {} ({}), out {} ({}); {} not sent, {} slowed down, {} refused, {} of another version",
                counted(traffic.messages_in, "message", "messages"),
                bytes(traffic.bytes_in),
                traffic.messages_out,
                bytes(traffic.bytes_out),
                traffic.dropped,
                traffic.slowed,
                counted(traffic.refused, "stranger", "strangers"),
                counted(traffic.other_callers, "caller", "callers")
            ),
        ),
    ]);
    lines.extend(flows(&traffic.by_purpose));
    lines.extend([
        line(
            "questions",
            format!(
                "{} put, {} of them open; {} received{waiting}",
                questions.asked, questions.open, questions.received
            ),
        ),
        line("rules", {
            let own = match status.rules {
                0 => String::new(),
                1 => "1 of yours, see: commonhold question rule list; all others: ".into(),
                many => {
                    format!("{many} of yours, see: commonhold question rule list; all others: ")
                }
            };
            own + rule(status.rule)
        }),
        line("budget", budget(&status.budget)),
        line(
            "address",
            format!(
                "listens on {}, tells others {}",
                status.listens,
                status.announces.join(", ")
            ),
        ),
    ]);
    if !status.relays.is_empty() {
        lines.push(line("relays", status.relays.join(", ")));
    }
    lines.extend([
        line(
            "up",
            format!(
                "{}, version {}",
                span(status.now.saturating_sub(status.started_at)),
                status.version
            ),
        ),
        line(
            "disk",
            status
                .disk_free_bytes
                .map_or("unknown".into(), |free| format!("{} free", bytes(free))),
        ),
    ]);
    lines
}

/// A small table of what messages were for, without what there was none of.
fn flows(flows: &[Flow]) -> Vec<String> {
    let used = flows
        .iter()
        .filter(|flow| flow.messages_in + flow.messages_out > 0);
    let row = |flow: &Flow| {
        format!(
            "{:<24} in {:>7} ({:>10})  out {:>7} ({:>10})",
            flow.purpose,
            flow.messages_in,
            bytes(flow.bytes_in),
            flow.messages_out,
            bytes(flow.bytes_out)
        )
    };
    used.map(|flow| line("", row(flow))).collect()
}

/// One line each, and what to do.
pub fn checks(checks: &[Check]) -> Vec<String> {
    let mut lines = Vec::new();
    for check in checks {
        lines.push(format!(
            "{:<4} {:<12} {}",
            verdict(check.verdict),
            check.name,
            plain(&check.found)
        ));
        if !check.what_to_do.is_empty() {
            lines.push(format!("     {:<12} -> {}", "", plain(&check.what_to_do)));
        }
    }
    lines
}

/// What is said of it wherever it is told.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    }
}

/// One line each.
pub fn questions(all: &[Question]) -> Vec<String> {
    if all.is_empty() {
        return vec!["no question was put; put one: commonhold question ask SQL".into()];
    }
    let lines = all.iter().map(|question| {
        let outcome = match &question.answer {
            Some(answer) => answer.summary.clone(),
            None => state(question.state).into(),
        };
        format!(
            "{}  {}  {}  {}",
            short(&question.id),
            utc(question.asked_at),
            plain(&question.sql),
            plain(&outcome)
        )
    });
    lines.collect()
}

/// All about one.
pub fn question(question: &Question) -> Vec<String> {
    let mut lines = vec![
        line("question", &question.sql),
        line("purpose", &question.purpose),
        line("name", &question.id),
        line(
            "asked",
            match question.consent_until > question.asked_at {
                true => format!(
                    "{}; owners' words are sure to count until {}",
                    utc(question.asked_at),
                    utc(question.consent_until)
                ),
                false => format!("{}, at once", utc(question.asked_at)),
            },
        ),
    ];
    let state = state(question.state);
    lines.push(match question.note.as_str() {
        "" => line("state", state),
        note => line("state", format!("{state}: {note}")),
    });
    if let Some(answer) = &question.answer {
        lines.push(line("answer", &answer.summary));
        // What this very program made, unless the vault is an older one's.
        if let Ok(report) = serde_json::from_value::<Report>(answer.details.clone()) {
            lines.extend(report.table().iter().map(|text| line("", text)));
        }
        lines.push(line("people", &answer.people));
        let id = short(&question.id);
        lines.push(line(
            "proof",
            format!("commonhold question proof {id} FILE"),
        ));
        lines.push(if question.published {
            line("published", "the whole community can see it")
        } else {
            line("published", format!("no: commonhold question publish {id}"))
        });
    }
    lines
}

/// Two lines each: what was asked, and the answer.
pub fn published(all: &[Published]) -> Vec<String> {
    if all.is_empty() {
        return vec!["no answer was published".into()];
    }
    let mut lines = Vec::new();
    for one in all {
        let purpose = match one.purpose.as_str() {
            "" => String::new(),
            purpose => format!(", for: {purpose}"),
        };
        let (id, asked) = (short(&one.id), utc(one.asked_at));
        lines.push(format!("{id}  {asked}  {}", plain(&one.sql)));
        let from = format!("from {}{purpose}", short(&one.asker));
        let answer = format!("{}; {} ({from})", one.answer.summary, one.answer.people);
        lines.push(format!("          {}", plain(&answer)));
    }
    lines
}

/// One line each: which question, since when, as what and how far.
pub fn helping(all: &[Helping]) -> Vec<String> {
    if all.is_empty() {
        return vec!["this node has helped with no question since it started".into()];
    }
    let line = |one: &Helping| {
        let (id, at, asker) = (short(&one.id), utc(one.at), short(&one.asker));
        format!("{id}  {at}  {} (asked by {asker})", helps(one))
    };
    all.iter().map(line).collect()
}

/// What a node does for a question.
pub fn helps(one: &Helping) -> String {
    let done = one.step == HelpingStep::Done;
    match one.role {
        HelpingRole::Witness => "gave its part of the random that draws the helpers".into(),
        HelpingRole::Setter if done => "has set up the draw of the helpers".into(),
        HelpingRole::Setter => "sets up the draw of the helpers".into(),
        HelpingRole::Builder if done => "has signed the list of the helpers".into(),
        HelpingRole::Builder => "builds the list of the helpers".into(),
        HelpingRole::Replica => {
            let step = match one.step {
                HelpingStep::Begun => "has taken its seat",
                HelpingStep::Collecting => "takes contributions",
                HelpingStep::Closed => "takes no more contributions",
                HelpingStep::Agreed => "adds up what was agreed on",
                HelpingStep::Done => "has given its share of the result",
            };
            format!("helps in lane {}: {step}", one.lane.unwrap_or_default())
        }
    }
}

/// Four lines each: what is asked, what that reads, by whom and for what, and what became of it.
pub fn inbox(all: &[InboxEntry]) -> Vec<String> {
    if all.is_empty() {
        return vec!["no question came".into()];
    }
    let mut lines = Vec::new();
    for entry in all {
        let id = short(&entry.id);
        let state = match (entry.state, entry.by_rule) {
            (InboxState::Waiting, _) => {
                format!(
                    "waits for you; {}: commonhold question answer {id} yes|no|always|never",
                    counts_until(entry)
                )
            }
            (InboxState::Yes, by_rule) => {
                let state = match (entry.contributed_at, entry.sent_at) {
                    (None, None) if !entry.note.is_empty() => entry.note.clone(),
                    (None, None) => "takes part".into(),
                    (None, Some(at)) => format!("your contribution left {}", utc(at)),
                    (Some(at), _) => format!("contributed {}", utc(at)),
                };
                format!("{state}{}", by(by_rule, entry.rule))
            }
            (InboxState::No, by_rule) => format!("stays out{}", by(by_rule, entry.rule)),
            (InboxState::OverBudget, _) => entry.note.clone(),
            (InboxState::Missed, _) => "no word in time".into(),
            (InboxState::CalledOff, _) => "called off by its asker".into(),
        };
        let from = match (entry.asker.as_str(), entry.purpose.as_str()) {
            ("", _) => String::new(),
            (asker, "") => format!("from {}", short(asker)),
            (asker, purpose) => format!("from {}, for: {purpose}", short(asker)),
        };
        lines.push(format!(
            "{id}  {}  {}",
            utc(entry.received_at),
            plain(&entry.sql)
        ));
        let reads = entry.about.as_ref().map(reads);
        let crowd = entry.smallest_crowd.map(told_of);
        let what = reads
            .into_iter()
            .chain(crowd)
            .collect::<Vec<_>>()
            .join("; ");
        let told = [what, from, state];
        let told = told.into_iter().filter(|part| !part.is_empty());
        lines.extend(told.map(|part| format!("          {}", plain(&part))));
    }
    lines
}

/// Which data a question reads, of whom.
fn reads(about: &About) -> String {
    let About {
        table,
        columns,
        filter,
        inner,
        rows_max,
        ..
    } = about;
    let columns = match columns.as_slice() {
        [] => "nothing but whether there is a row".into(),
        columns => columns.join(", "),
    };
    let rows = match inner {
        Some(inner) => format!(", each person's rows as {inner}"),
        None => String::new(),
    };
    let most = rows_max.map_or(String::new(), |most| {
        let rows = counted(most, "row", "rows");
        format!("; whoever has more than {rows} is not counted")
    });
    let of = match filter {
        Some(filter) => format!("people with {filter}"),
        None => "everybody".into(),
    };
    format!("reads {columns} of {table}{rows}, of {of}{most}")
}

/// From how many people on anything is told.
fn told_of(crowd: u64) -> String {
    let people = counted(crowd, "person", "people");
    format!("nothing is told of fewer than {people}")
}

/// Until when a word counts. It is certain until the deadline alone: people are called soon after it, nobody knows when.
fn counts_until(entry: &InboxEntry) -> String {
    let after = counted(LATE_SECS, "second", "seconds");
    if entry.until > entry.received_at {
        format!(
            "a word is sure to count until {}, and may for {after} more",
            utc(entry.until)
        )
    } else {
        format!(
            "asked at once, so that a word may count for {after} from {}",
            utc(entry.received_at)
        )
    }
}

/// One line each, the first to be asked first, and what holds for all others.
pub fn rules(rules: &Rules) -> Vec<String> {
    let mut lines: Vec<_> = rules.rules.iter().map(one_rule).collect();
    let others = if lines.is_empty() {
        "all"
    } else {
        "all others"
    };
    lines.push(format!("      {others}: {}", rule(rules.default)));
    lines
}

/// What it says to which questions.
pub fn one_rule(rule: &Rule) -> String {
    let mut about = Vec::new();
    if let Some(asker) = &rule.asker {
        about.push(format!("asked by {}", short(asker)));
    }
    if let Some(table) = &rule.table {
        about.push(format!("about {table}"));
    }
    if let Some(columns) = &rule.columns {
        let (reading, or) = match rule.says {
            ConsentRule::Yes => ("reading nothing but", " and "),
            ConsentRule::No | ConsentRule::Ask => ("reading", " or "),
        };
        about.push(format!("{reading} {}", columns.join(or)));
    }
    if let Some(question) = &rule.question {
        about.push(format!("that are {question}"));
    }
    let says = match rule.says {
        ConsentRule::Yes => "yes",
        ConsentRule::No => "no",
        ConsentRule::Ask => "ask",
    };
    let about = about.join(", ");
    plain(&format!(
        "{:>4}  {says:<3} to questions {about}",
        rule.number
    ))
}

/// The limit, and what is spent of it.
pub fn budget(budget: &Budget) -> String {
    let Some(limit) = budget.limit else {
        return "off: your data go into any number of questions".into();
    };
    let allowed = words(limit.questions.into(), limit.period_secs);
    let next = match budget.free_at {
        Some(at) => format!("; the next from {}", utc(at)),
        None => String::new(),
    };
    format!("{allowed}; {} spent{next}", budget.spent)
}

fn by(by_rule: bool, rule: Option<u32>) -> String {
    match (by_rule, rule) {
        (false, _) => String::new(),
        (true, Some(number)) => format!(", by your rule {number}"),
        (true, None) => ", as all that none of your rules is about".into(),
    }
}

fn rule(rule: ConsentRule) -> &'static str {
    match rule {
        ConsentRule::Yes => "yes, takes part",
        ConsentRule::No => "no, takes no part",
        ConsentRule::Ask => "ask you each time",
    }
}

fn state(state: QuestionState) -> &'static str {
    match state {
        QuestionState::Announced => "announced",
        QuestionState::Drawn => "helpers drawn",
        QuestionState::Collecting => "collecting",
        QuestionState::Answered => "answered",
        QuestionState::Refused => "refused",
        QuestionState::Failed => "no answer",
        QuestionState::Stopped => "stopped",
    }
}

/// So many bytes, in the largest unit of which there is one.
pub fn bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => counted(bytes, "byte", "bytes"),
    }
}

fn span(secs: u64) -> String {
    match (secs / 86_400, secs / 3600 % 24, secs / 60 % 60) {
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> InboxEntry {
        InboxEntry {
            id: "ab".repeat(32),
            asker: "cd".repeat(32),
            asker_since: None,
            sql: "SELECT 1".into(),
            about: None,
            smallest_crowd: None,
            purpose: String::new(),
            received_at: 0,
            until: 1,
            state: InboxState::Waiting,
            by_rule: false,
            rule: None,
            sent_at: None,
            contributed_at: None,
            note: String::new(),
        }
    }

    #[test]
    fn nobody_elses_words_speak_to_the_terminal() {
        let entry = InboxEntry {
            sql: "SELECT\x1b[2J 1".into(),
            purpose: "good\nok\u{202e}".into(),
            ..waiting()
        };
        let text = inbox(&[entry]).join("|");
        assert!(
            !text
                .chars()
                .any(|sign| sign.is_control() || sign == '\u{202e}'),
            "{text}"
        );
        assert!(text.contains("abababab") && text.contains("from cdcdcdcd"));
    }

    #[test]
    fn what_is_read_is_told_with_the_crowd_that_is_needed() {
        let about = About {
            title: String::new(),
            table: "nights".into(),
            columns: vec!["age".into(), "town".into()],
            filter: Some(r#""town" <> '"' AND "age" > 30"#.into()),
            groups: Vec::new(),
            inner: None,
            rows_max: None,
            filter_told: None,
            groups_told: Vec::new(),
            inner_told: None,
        };
        let entry = InboxEntry {
            about: Some(about.clone()),
            smallest_crowd: Some(8),
            ..waiting()
        };
        let text = inbox(&[entry]).join("|");
        let told = r#"reads age, town of nights, of people with "town" <> '"' AND "age" > 30; nothing is told of fewer than 8 people"#;
        assert!(text.contains(told), "{text}");
        let all = About {
            columns: Vec::new(),
            filter: None,
            ..about
        };
        let told = "reads nothing but whether there is a row of nights, of everybody";
        assert_eq!(reads(&all), told);
        let few = About {
            rows_max: Some(1000),
            ..all
        };
        let told = format!("{told}; whoever has more than 1000 rows is not counted");
        assert_eq!(reads(&few), told);
    }

    #[test]
    fn the_deadline_that_is_told_is_the_one_that_holds() {
        let told = |received_at, until| {
            let entry = InboxEntry {
                received_at,
                until,
                ..waiting()
            };
            inbox(&[entry]).join("|")
        };
        let days = told(0, 3600);
        assert!(
            days.contains(
                "sure to count until 1970-01-01 01:00:00 UTC, and may for 60 seconds more"
            ),
            "{days}"
        );
        // A question that is asked at once has no time for consent: its end lies before it came.
        let now = told(3600, 3598);
        assert!(
            now.contains("may count for 60 seconds from 1970-01-01 01:00:00 UTC"),
            "{now}"
        );
    }

    #[test]
    fn purposes_without_messages_are_left_out() {
        let flow = |purpose: &str, messages| Flow {
            purpose: purpose.into(),
            messages_in: messages,
            messages_out: 0,
            bytes_in: 2048,
            bytes_out: 0,
        };
        let table = flows(&[flow("search", 3), flow("computing", 0)]);
        assert_eq!(table.len(), 1);
        assert!(table[0].contains("search") && table[0].contains("2.0 KiB"));
    }

    #[test]
    fn sizes_and_spans_are_short() {
        let sizes = [0, 1023, 1024, 3 << 19, 1 << 40].map(bytes);
        assert_eq!(
            sizes,
            ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "1024.0 GiB"]
        );
        let spans = [59, 61, 3661, 90_000].map(span);
        assert_eq!(spans, ["59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
    }
}
