//! What is printed: at most twelve lines, or one JSON object.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::clear::Clear;
use crate::demo::comparing;
use crate::lines::Draw;
use crate::report::Report;

/// What came of a demo.
pub struct Told {
    /// People with a node.
    pub people: u16,
    /// Where their data come from.
    pub source: String,
    /// The column that tells people apart.
    pub column: String,
    /// People in the file.
    pub in_file: usize,
    /// People with a node who have more than one record.
    pub several: usize,
    /// N.
    pub nodes: u64,
    /// C.
    pub colluders: u64,
    /// The draw.
    pub draw: Draw,
    /// Helpers that were killed in the middle.
    pub killed: Vec<String>,
    /// The answer.
    pub report: Report,
    /// The same figure in the clear.
    pub clear: Clear,
    /// From question to answer.
    pub answered_in: Duration,
    /// All of it.
    pub all_in: Duration,
    /// Where the proof is.
    pub proof: PathBuf,
    /// Its length.
    pub proof_bytes: u64,
}

impl Told {
    /// Whether the answer says what the computation in the clear says; `None` when they are not compared.
    pub fn equal(&self) -> Option<bool> {
        comparing::equal(&self.report, &self.clear)
    }

    /// Whether the answer differs and nothing explains it.
    pub fn wrong(&self) -> bool {
        self.equal() == Some(false) && self.several == 0
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "outcome": "answered",
            "people": self.people,
            "source": self.source,
            "person_column": self.column,
            "people_in_file": self.in_file,
            "people_with_several_records": self.several,
            "nodes": self.nodes,
            "colluders": self.colluders,
            "draw": self.draw,
            "killed": self.killed,
            "answer": self.report,
            "clear": self.clear,
            "equal": self.equal(),
            "seconds_to_answer": self.answered_in.as_secs_f64(),
            "seconds": self.all_in.as_secs_f64(),
            "proof": self.proof,
            "proof_bytes": self.proof_bytes,
        })
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let Report {
            question,
            min_crowd,
            padding_allowance,
            lanes,
            replicas,
            k,
            ..
        } = &self.report;
        let line = |name: &str, text: String| format!("{name:<10} {text}");
        let killed = match self.killed.as_slice() {
            [] => String::new(),
            killed => format!("; killed in the middle: {}", killed.join(", ")),
        };
        let clear = match &self.clear {
            Clear::One(Some(clear)) => {
                let shown = format!("{clear:.4}");
                let shown = shown.trim_end_matches('0').trim_end_matches('.');
                shown.to_owned()
            }
            Clear::One(None) => "nothing".to_owned(),
            Clear::Groups(_) => "each figure".to_owned(),
            Clear::NotCompared => String::new(),
        };
        let verdict = match (self.equal(), self.several) {
            (Some(true) | None, _) => "equal".to_owned(),
            (Some(false), 0) => "NOT EQUAL".to_owned(),
            (Some(false), several) => format!(
                "NOT EQUAL; {several} people have several records, and who matches with more than one counts for none (docs/questions.md: several rows of one person)"
            ),
        };
        let clear = match (&self.clear, self.equal()) {
            (Clear::NotCompared, _) => {
                "not compared: this statistic is not computed in the clear".to_owned()
            }
            (_, None) => "not compared: nothing could be told".to_owned(),
            _ => format!("{clear}, by SQLite from the same people's records: {verdict}"),
        };
        let setter: String = self.draw.setter.chars().take(8).collect();
        let proof = std::path::Path::new("commonhold-demo").join("proof.cbor");
        let mut lines = vec![
            line(
                "nodes",
                format!(
                    "{} people and one who asks, each a process with its own vault, on 127.0.0.1",
                    self.people
                ),
            ),
            line(
                "data",
                format!(
                    "{}: {} of {} people, told apart by {}",
                    self.source, self.people, self.in_file, self.column
                ),
            ),
            line(
                "community",
                format!(
                    "N = {}, C = {} may conspire; a crowd below {min_crowd} + {padding_allowance} is refused (by default + {}; lowered for so few people)",
                    self.nodes, self.colluders, self.colluders
                ),
            ),
            line("question", question.clone()),
            line(
                "helpers",
                format!(
                    "{} drawn by lot: {lanes} lanes of {replicas}; k = {k}, set up by {setter}, {} signature checks convince anyone{killed}",
                    self.draw.seats.len(),
                    self.draw.checks
                ),
            ),
            line("consent", self.report.people()),
            line("answer", self.report.answer()),
        ];
        lines.extend(self.report.table().into_iter().map(|group| line("", group)));
        lines.extend([
            line("in clear", clear),
            line("chances", self.report.bounds()),
            line(
                "time",
                format!(
                    "{:.1} s from question to answer, {:.1} s in all",
                    self.answered_in.as_secs_f64(),
                    self.all_in.as_secs_f64()
                ),
            ),
            line(
                "proof",
                format!(
                    "{} ({} bytes, {} signatures); to check it:",
                    proof.display(),
                    self.proof_bytes,
                    self.report.checks
                ),
            ),
            line(
                "",
                format!("{} question verify {}", program(), proof.display()),
            ),
        ]);
        lines
    }
}

/// This program, as it can be typed in this folder.
fn program() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "commonhold".into());
    let here = std::env::current_dir().unwrap_or_default();
    let path = program.strip_prefix(&here).unwrap_or(&program);
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::shown::Figure;

    fn told(mean: &str, clear: Option<f64>) -> Told {
        let report = Report {
            question: "SELECT AVG(x) FROM t".into(),
            purpose: String::new(),
            plan: String::new(),
            asker: String::new(),
            asked_at: 0,
            closed_at: 0,
            count: 7,
            total: Some("55.5".into()),
            mean: Some(mean.into()),
            figures: vec![Figure {
                name: "mean".into(),
                value: Some(mean.into()),
                exactness: String::new(),
            }],
            groupings: Vec::new(),
            groups: Vec::new(),
            included: 11,
            declined: 0,
            away: 1,
            refused: 0,
            proved: true,
            unproved: None,
            min_crowd: 4,
            padding_allowance: 1,
            lanes: 4,
            replicas: 3,
            signers: 2,
            k: 4,
            setter: String::new(),
            privacy: 0.0,
            wrong: 0.5,
            loss: 0.03,
            draw: 5e-5,
            checks: 26,
        };
        Told {
            people: 12,
            source: "t.csv".into(),
            column: "id".into(),
            in_file: 20,
            several: 0,
            nodes: 13,
            colluders: 3,
            draw: Draw {
                k: 4,
                checks: 8,
                setter: "a1b2c3d4e5".into(),
                seats: vec![String::new(); 12],
            },
            killed: vec!["01020304".into()],
            report,
            clear: Clear::One(clear),
            answered_in: Duration::from_millis(400),
            all_in: Duration::from_secs(1),
            proof: PathBuf::new(),
            proof_bytes: 5060,
        }
    }

    #[test]
    fn twelve_lines_say_all() {
        let lines = told("7.9286", Some(7.928_571)).lines();
        assert!(lines.len() <= 12, "{} lines", lines.len());
        let text = lines.join("\n");
        for part in [
            "k = 4",
            "8 signature checks",
            "set up by a1b2c3d4,",
            "01020304",
            "1 were away",
            "7.9286",
            "equal",
        ] {
            assert!(text.contains(part), "no \"{part}\" in\n{text}");
        }
    }

    #[test]
    fn a_difference_is_told() {
        let wrong = told("7.9286", Some(7.93));
        assert!(wrong.equal() == Some(false) && wrong.wrong());
        assert!(wrong.lines().join("\n").contains("NOT EQUAL"));
        assert_eq!(wrong.json()["equal"], false);
        assert_eq!(told("7.9286", None).equal(), Some(false));
    }

    #[test]
    fn several_records_of_a_person_explain_a_difference() {
        let mut told = told("7.9286", Some(7.93));
        assert!(!told.lines().join("\n").contains("several records"));
        told.several = 3;
        assert!(!told.wrong());
        assert!(
            told.lines()
                .join("\n")
                .contains("3 people have several records")
        );
        assert!(told.lines().len() <= 12);
    }
}
