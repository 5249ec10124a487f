//! How things are printed for people. Words of other members are shown as they are, but for signs that would speak to the
//! terminal.

use api::{
    Check, Consent, ConsentRule, InboxEntry, InboxState, Question, QuestionState, Status, Verdict,
};

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
        lines.push(line("PROBLEM", &problem.what));
        lines.push(line("", format!("-> {}", problem.what_to_do)));
    }
    let community = &status.community;
    let traffic = &status.traffic;
    let questions = &status.questions;
    let waiting = match questions.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} wait for you: commonhold question inbox"),
    };
    lines.extend([
        line("node", format!("{} in {}", status.node, status.folder)),
        line(
            "community",
            format!(
                "{}, epoch {}: {} nodes, of whom {} may collude; crowds from {}; tables: {}",
                community.name,
                community.epoch,
                community.nodes,
                community.colluders,
                community.min_crowd,
                community.tables.join(", ")
            ),
        ),
        line(
            "peers",
            format!(
                "{} known, {} connected",
                status.peers_known, traffic.connections
            ),
        ),
        line(
            "traffic",
            format!(
                "in {} messages ({}), out {} ({}); {} not sent, {} strangers refused",
                traffic.messages_in,
                bytes(traffic.bytes_in),
                traffic.messages_out,
                bytes(traffic.bytes_out),
                traffic.dropped,
                traffic.refused
            ),
        ),
        line(
            "questions",
            format!(
                "{} put, {} of them open; {} received{waiting}",
                questions.asked, questions.open, questions.received
            ),
        ),
        line("rule", rule(status.rule)),
        line(
            "address",
            format!(
                "listens on {}, tells others {}",
                status.listens,
                status.announces.join(", ")
            ),
        ),
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

/// One line each, and what to do.
pub fn checks(checks: &[Check]) -> Vec<String> {
    let mut lines = Vec::new();
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        lines.push(format!(
            "{verdict} {:<12} {}",
            check.name,
            plain(&check.found)
        ));
        if !check.what_to_do.is_empty() {
            lines.push(format!("     {:<12} -> {}", "", plain(&check.what_to_do)));
        }
    }
    lines
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
            format!(
                "{}; owners decide until {}",
                utc(question.asked_at),
                utc(question.consent_until)
            ),
        ),
    ];
    let state = state(question.state);
    lines.push(match question.note.as_str() {
        "" => line("state", state),
        note => line("state", format!("{state}: {note}")),
    });
    if let Some(answer) = &question.answer {
        lines.push(line("answer", &answer.summary));
        lines.push(line("people", &answer.people));
        lines.push(line(
            "proof",
            format!("commonhold question proof {} FILE", short(&question.id)),
        ));
    }
    lines
}

/// Two lines each: what is asked, and by whom and for what.
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
                    "waits for you until {}: commonhold question answer {id} yes|no|always|never",
                    utc(entry.until)
                )
            }
            (InboxState::Yes, true) => "takes part, by your rule".into(),
            (InboxState::Yes, false) => "takes part".into(),
            (InboxState::No, true) => "stays out, by your rule".into(),
            (InboxState::No, false) => "stays out".into(),
            (InboxState::Missed, _) => "no word in time".into(),
            (InboxState::CalledOff, _) => "called off by its asker".into(),
        };
        let from = match entry.asker.as_str() {
            "" => String::new(),
            asker => format!(" from {}", short(asker)),
        };
        let purpose = match entry.purpose.as_str() {
            "" => String::new(),
            purpose => format!(", for: {purpose}"),
        };
        lines.push(format!(
            "{id}  {}  {}",
            utc(entry.received_at),
            plain(&entry.sql)
        ));
        lines.push(format!(
            "          {state}{}",
            plain(&format!("{from}{purpose}"))
        ));
    }
    lines
}

/// The rule, and words given once for all.
pub fn consent(consent: &Consent) -> Vec<String> {
    let mut lines = vec![line("rule", rule(consent.rule))];
    for word in &consent.standing {
        let what = word.sql.as_deref().unwrap_or("whatever it asks");
        let yes = if word.yes { "always" } else { "never" };
        lines.push(line(yes, format!("{}: {what}", short(&word.asker))));
    }
    lines
}

fn rule(rule: ConsentRule) -> &'static str {
    match rule {
        ConsentRule::Yes => "yes: takes part in all questions",
        ConsentRule::No => "no: takes part in none",
        ConsentRule::Ask => "ask: asks you each time",
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

fn bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
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

    #[test]
    fn nobody_elses_words_speak_to_the_terminal() {
        let entry = InboxEntry {
            id: "ab".repeat(32),
            asker: "cd".repeat(32),
            sql: "SELECT\x1b[2J 1".into(),
            purpose: "good\nok\u{202e}".into(),
            received_at: 0,
            until: 1,
            state: InboxState::Waiting,
            by_rule: false,
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
