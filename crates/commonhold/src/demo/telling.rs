//! What is printed: at most twelve lines, or one JSON object.

use std::path::PathBuf;
use std::time::Duration;

use community::{Column, Kind};
use serde_json::{Value, json};

use crate::community_command::kind;
use crate::counted::counted;
use crate::demo::clear::{Clear, Said};
use crate::demo::comparing;
use crate::demo::owners::{Was, picture};
use crate::lines::Draw;
use crate::report::Report;

/// Columns that are told to people.
const COLUMNS_SHOWN: usize = 6;

/// Words of a column that are told to people.
const WORDS_SHOWN: usize = 5;

/// What came of a demo.
pub struct Told {
    /// People with a node.
    pub people: u16,
    /// What became of each.
    pub was: Vec<Was>,
    /// How long they had to decide, if they were asked.
    pub decide: Option<Duration>,
    /// What the table of all holds, as the file suggests it.
    pub columns: Vec<Column>,
    /// Whether the file is not the one that comes along.
    pub is_own: bool,
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
    /// The same figures in the clear.
    pub clear: Clear,
    /// What computed them.
    pub clear_by: &'static str,
    /// Whether each person's records are first brought down to one row.
    pub inner: bool,
    /// From question to answer.
    pub answered_in: Duration,
    /// Of it, from the call to contribute to the answer.
    pub collected_in: Duration,
    /// All of it.
    pub all_in: Duration,
    /// Bytes that all nodes together held at most, if they share a process.
    pub memory: Option<u64>,
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
        self.equal() == Some(false) && self.uncounted() == 0
    }

    /// People whose several records may be why they count for none.
    fn uncounted(&self) -> usize {
        if self.inner { 0 } else { self.several }
    }

    /// What the columns of the file are taken for. Of many, the first.
    fn proposed(&self) -> String {
        let each = self.columns.iter().take(COLUMNS_SHOWN);
        let each: Vec<_> = each
            .map(|column| match &column.kind {
                Kind::Category(words) if words.len() > WORDS_SHOWN => {
                    format!("{} (one of {} words)", column.name, words.len())
                }
                other => format!("{} ({})", column.name, kind(other)),
            })
            .collect();
        let more = match self.columns.len().saturating_sub(COLUMNS_SHOWN) {
            0 => String::new(),
            more => format!(", and {more} more: see --json"),
        };
        format!("as the file suggests: {}{more}", each.join(", "))
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "outcome": "answered",
            "people": self.people,
            "source": self.source,
            "owners": self.was,
            "seconds_to_decide": self.decide.map_or(0.0, |decide| decide.as_secs_f64()),
            "columns": self.columns.iter().map(|column| {
                json!({ "name": column.name, "kind": kind(&column.kind) })
            }).collect::<Vec<_>>(),
            "person_column": self.column,
            "people_in_file": self.in_file,
            "people_with_several_records": self.several,
            "nodes": self.nodes,
            "colluders": self.colluders,
            "draw": self.draw,
            "killed": self.killed,
            "answer": self.report,
            "clear": self.clear,
            "clear_by": self.clear_by,
            "equal": self.equal(),
            "seconds_to_answer": self.answered_in.as_secs_f64(),
            "seconds_to_collect": self.collected_in.as_secs_f64(),
            "seconds": self.all_in.as_secs_f64(),
            "memory_bytes": self.memory,
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
            Clear::Whole(Said::Number(clear)) => {
                let shown = format!("{clear:.4}");
                let shown = shown.trim_end_matches('0').trim_end_matches('.');
                shown.to_owned()
            }
            Clear::Whole(Said::Nothing) => "nothing".to_owned(),
            _ => "each figure".to_owned(),
        };
        let verdict = match (self.equal(), self.uncounted()) {
            (Some(true) | None, _) => comparing::how_near(&self.clear).to_owned(),
            (Some(false), 0) => "NOT EQUAL".to_owned(),
            (Some(false), several) => format!(
                "NOT EQUAL; {} several records, and who matches with more than one counts for none (docs/questions.md: several rows of one person)",
                counted(several, "person has", "people have")
            ),
        };
        let by = self.clear_by;
        let clear = match self.equal() {
            None => "not compared: nothing could be told".to_owned(),
            Some(_) => format!("{clear}, {by} from the same people's records: {verdict}"),
        };
        let setter: String = self.draw.setter.chars().take(8).collect();
        let proof = std::path::Path::new("commonhold-demo").join("proof.cbor");
        let mut lines = vec![
            line(
                "nodes",
                format!(
                    "{} people and one who asks, {} with its own vault, on 127.0.0.1",
                    self.people,
                    match self.memory {
                        Some(_) => "all in one process, each",
                        None => "each a process",
                    }
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
            line("consent", {
                let people = self.report.people();
                match self.decide {
                    None => people,
                    Some(decide) => {
                        let secs = decide.as_secs();
                        format!("{secs} s to decide; {people}")
                    }
                }
            }),
            line("answer", self.report.answer()),
        ];
        if self.was.iter().any(|was| *was != Was::Counted) {
            let at = lines.len() - 1;
            lines.insert(at, line("owners", picture(&self.was)));
        }
        if self.is_own {
            lines.insert(2, line("columns", self.proposed()));
        }
        lines.extend(self.report.table().into_iter().map(|group| line("", group)));
        lines.extend([
            line("in clear", clear),
            line("chances", self.report.bounds()),
            line(
                "time",
                format!(
                    "{:.1} s from question to answer, {:.1} s of them collecting; {:.1} s in all",
                    self.answered_in.as_secs_f64(),
                    self.collected_in.as_secs_f64(),
                    self.all_in.as_secs_f64()
                ),
            ),
        ]);
        if let Some(bytes) = self.memory {
            let each = bytes as f64 / (f64::from(self.people) + 1.0) / 1e6;
            let all = bytes as f64 / 1e6;
            let text = format!("{all:.0} MB at most, {each:.1} MB for each node");
            lines.push(line("memory", text));
        }
        lines.extend([
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
            title: String::new(),
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
            was: vec![Was::Counted; 12],
            decide: None,
            columns: Vec::new(),
            is_own: false,
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
            clear: Clear::Whole(clear.map_or(Said::Nothing, Said::Number)),
            clear_by: "by SQLite",
            inner: false,
            answered_in: Duration::from_millis(400),
            collected_in: Duration::from_millis(300),
            all_in: Duration::from_secs(1),
            memory: None,
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
            "12 asked: 11 took part, 0 declined, 1 away or undecided",
            "7.9286",
            "equal",
        ] {
            assert!(text.contains(part), "no \"{part}\" in\n{text}");
        }
    }

    #[test]
    fn what_became_of_those_who_were_asked_adds_up() {
        let mut report = told("1", None).report;
        (report.included, report.declined) = (30, 5);
        (report.away, report.refused) = (4, 1);
        let people = report.people();
        let mut numbers: Vec<u64> = people
            .split(|sign: char| !sign.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        assert_eq!(numbers.remove(0), numbers.iter().sum::<u64>(), "{people}");
        assert_eq!(numbers, [30, 5, 4, 1], "{people}");
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
        told.inner = true;
        assert!(told.wrong(), "an inner query counts all of them");
        told.inner = false;
        assert!(!told.wrong());
        assert!(
            told.lines()
                .join("\n")
                .contains("3 people have several records")
        );
        assert!(told.lines().len() <= 12);
    }
}
