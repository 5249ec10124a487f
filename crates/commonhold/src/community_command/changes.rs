//! What one descriptor has otherwise than the one before it, and what follows from that.

use std::collections::{BTreeMap, BTreeSet};

use aggregation::sizes::Sizes;
use base::{Instant, NodeId};
use community::{Descriptor, Logs, Table};
use serde_json::{Value, json};

use super::telling;
use crate::budget::words;
use crate::counted::counted;

/// Most nodes that are advised. Guess: whoever would need more has typed something else.
const NODES_MAX: u64 = 1_000_000;

/// One thing that changes; none is one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    what: String,
    before: Option<String>,
    after: Option<String>,
}

/// All that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    changes: Vec<Change>,
    /// Nodes whose certificates hold no longer.
    lost: BTreeSet<NodeId>,
    warnings: Vec<String>,
}

impl Changes {
    /// Compares two descriptors of one community, of which `logs` say who is certified at this time.
    pub fn between(before: &Descriptor, after: &Descriptor, logs: &Logs, at: Instant) -> Self {
        let told = |of: fn(&Descriptor) -> String| [Some(of(before)), Some(of(after))];
        let mut pairs = vec![
            ("nodes (N)".to_owned(), told(|d| d.nodes.to_string())),
            (
                "colluders (C)".to_owned(),
                told(|d| d.colluders.to_string()),
            ),
            (
                "smallest crowd".to_owned(),
                told(|d| format!("{} + {}", d.min_crowd, d.padding_allowance)),
            ),
            (
                "draws of one node".to_owned(),
                told(|d| words(d.draws_per_period.into(), d.period_secs)),
            ),
            ("helpers".to_owned(), told(helpers)),
        ];
        let keys = |descriptor: &Descriptor| -> BTreeSet<_> {
            let issuers = descriptor.issuers();
            issuers.iter().map(NodeId::to_string).collect()
        };
        pairs.extend(compared(&keys(before), &keys(after)).map(|(key, there)| {
            let listed = |is: bool| is.then(|| "its certificates count".to_owned());
            (format!("issuer {key:.8}"), there.map(listed))
        }));
        let (old, new) = (columns(&before.vocabulary), columns(&after.vocabulary));
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        pairs.extend(names.into_iter().map(|(table, column)| {
            let kind = |columns: &Columns| columns.get(&(table.clone(), column.clone())).cloned();
            (format!("{table}.{column}"), [kind(&old), kind(&new)])
        }));
        let changes = pairs
            .into_iter()
            .filter(|(_, [before, after])| before != after);
        let changes = changes.map(|(what, [before, after])| Change {
            what,
            before,
            after,
        });
        let still = logs.in_force(after, at);
        let lost = logs
            .in_force(before, at)
            .difference(&still)
            .copied()
            .collect();
        Self {
            changes: changes.collect(),
            lost,
            warnings: warnings(before, after, still.len() as u64),
        }
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let there = |text: &Option<String>| text.clone().unwrap_or_else(|| "not there".into());
        let change = |change: &Change| {
            let (before, after) = (there(&change.before), there(&change.after));
            format!("  {}: {before} -> {after}", change.what)
        };
        let mut lines: Vec<_> = self.changes.iter().map(change).collect();
        if !self.lost.is_empty() {
            lines.push(format!(
                "Certificates that hold no longer, whose owners are to be invited or renewed: {}",
                self.lost.len()
            ));
            lines.extend(self.lost.iter().map(|node| format!("  {node}")));
        }
        let warnings = self.warnings.iter();
        lines.extend(warnings.map(|warning| format!("warning: {warning}")));
        lines
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let change = |change: &Change| json!({ "what": change.what, "before": change.before, "after": change.after });
        json!({
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
            "certificates_lost": self.lost.iter().map(NodeId::to_string).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }
}

fn warnings(before: &Descriptor, after: &Descriptor, in_force: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    if in_force > after.nodes {
        warnings.push(format!(
            "{} in force, more than N says, so that the community's chances do not hold",
            counted(in_force, "node is", "nodes are")
        ));
    }
    warnings.extend(unsafe_numbers(after));
    let again: BTreeSet<_> = before
        .vocabulary
        .iter()
        .filter(|old| {
            let new = after.table(&old.name);
            new.is_some_and(|new| new.columns != old.columns)
        })
        .map(|table| table.name.as_str())
        .collect();
    if !again.is_empty() {
        let tables = again.into_iter().collect::<Vec<_>>().join(", ");
        warnings.push(format!(
            "whoever has data in {tables} imports it again: until then they do not take part in questions about what changes"
        ));
    }
    warnings
        .push("questions that are open when it comes to the members end without an answer".into());
    warnings
}

/// What there is to say of numbers with which nobody can be asked anything, and which others would do.
pub fn unsafe_numbers(descriptor: &Descriptor) -> Option<String> {
    if sizes(descriptor).is_some() {
        return None;
    }
    let Descriptor {
        nodes, colluders, ..
    } = *descriptor;
    let with = |nodes, colluders| {
        let numbers = Descriptor {
            nodes,
            colluders,
            ..descriptor.clone()
        };
        sizes(&numbers).is_some()
    };
    let mut ways = Vec::new();
    if let Some(least) = nearest(nodes, NODES_MAX, |nodes| with(nodes, colluders)) {
        ways.push(format!(
            "at least {least} nodes for {colluders} who may conspire"
        ));
    }
    // As far below.
    let fewer = nearest(0, colluders.saturating_sub(1), |fewer| {
        with(nodes, colluders - fewer)
    });
    if let Some(fewer) = fewer {
        let most = colluders - fewer;
        ways.push(format!(
            "at most {most} who may conspire among {nodes} nodes"
        ));
    }
    let ways = match ways.is_empty() {
        true => "many more nodes".to_owned(),
        false => ways.join(", or "),
    };
    Some(format!(
        "with these numbers no helpers can keep a secret, so that nothing can be asked: take {ways} (commonhold plan shows what \
         that costs)"
    ))
}

/// The first number after `from`, at most `most`, that will do, where all after one that does do as well.
fn nearest(from: u64, most: u64, will_do: impl Fn(u64) -> bool) -> Option<u64> {
    let mut step = 1;
    let mut found = loop {
        let tried = from.saturating_add(step).min(most);
        if tried > from && will_do(tried) {
            break tried;
        }
        if tried >= most {
            return None;
        }
        step = step.saturating_mul(2);
    };
    let mut too_few = from;
    while found - too_few > 1 {
        let middle = too_few + (found - too_few) / 2;
        match will_do(middle) {
            true => found = middle,
            false => too_few = middle,
        }
    }
    Some(found)
}

fn sizes(descriptor: &Descriptor) -> Option<Sizes> {
    Sizes::choose(
        descriptor.nodes.saturating_sub(1),
        descriptor.colluders,
        descriptor.offline_permille,
    )
}

fn helpers(descriptor: &Descriptor) -> String {
    sizes(descriptor).map_or("none that are safe".into(), |sizes| {
        format!(
            "{} of {}",
            counted(sizes.lanes, "lane", "lanes"),
            sizes.replicas
        )
    })
}

/// By table and column: what is declared.
type Columns = BTreeMap<(String, String), String>;

fn columns(vocabulary: &[Table]) -> Columns {
    let all = vocabulary.iter().flat_map(|table| {
        let columns = table.columns.iter();
        columns.map(|column| {
            let name = (table.name.clone(), column.name.clone());
            (name, telling::kind(&column.kind))
        })
    });
    all.collect()
}

/// Everything in either, and whether it is in each.
fn compared<'a>(
    before: &'a BTreeSet<String>,
    after: &'a BTreeSet<String>,
) -> impl Iterator<Item = (&'a String, [bool; 2])> {
    let all = before.union(after);
    all.map(|item| (item, [before.contains(item), after.contains(item)]))
}

#[cfg(test)]
mod tests {
    use community::{Column, Kind, Range};

    use super::*;

    fn number(name: &str, max: i64) -> Column {
        Column {
            name: name.into(),
            kind: Kind::Number(Range {
                decimals: 0,
                min: 0,
                max,
            }),
        }
    }

    fn table(name: &str, columns: Vec<Column>) -> Table {
        Table {
            name: name.into(),
            columns,
        }
    }

    fn descriptor() -> Descriptor {
        let authority = NodeId([1; 32]);
        Descriptor {
            enrolment: vec![NodeId([2; 32])],
            padding_allowance: 3,
            vocabulary: vec![
                table("sleep", vec![number("hours", 24), number("naps", 9)]),
                table("old", vec![number("x", 1)]),
            ],
            ..Descriptor::founding("test", authority, 40)
        }
    }

    fn changes(change: impl FnOnce(&mut Descriptor)) -> Changes {
        let before = descriptor();
        let mut after = before.clone();
        after.epoch += 1;
        change(&mut after);
        let logs = Logs::new(before.community);
        Changes::between(&before, &after, &logs, Instant::from_secs(1))
    }

    #[test]
    fn an_epoch_that_changes_nothing_says_so() {
        assert!(changes(|_| {}).is_empty());
        assert!(!changes(|next| next.nodes = 41).is_empty());
    }

    #[test]
    fn numbers_are_told_before_and_after() {
        let told = changes(|next| {
            next.colluders = 4;
            next.padding_allowance = 4;
            next.draws_per_period = 8;
        });
        let lines = told.lines().join("\n");
        for line in [
            "  colluders (C): 3 -> 4",
            "  smallest crowd: 5 + 3 -> 5 + 4",
            "  draws of one node: 16 an hour -> 8 an hour",
            "  helpers: ",
            "warning: questions that are open",
        ] {
            assert!(lines.contains(line), "{line}: {lines}");
        }
        assert!(!lines.contains("nodes (N)"), "{lines}");
        assert_eq!(told.json()["changes"][0]["before"], "3");
    }

    #[test]
    fn words_that_change_are_to_be_imported_again() {
        let told = changes(|next| {
            next.vocabulary = vec![
                table("sleep", vec![number("hours", 48), number("dreams", 9)]),
                table("new", vec![number("y", 1)]),
            ];
        });
        let lines = told.lines().join("\n");
        for line in [
            "  sleep.hours: number from 0 to 24 -> number from 0 to 48",
            "  sleep.naps: number from 0 to 9 -> not there",
            "  sleep.dreams: not there -> number from 0 to 9",
            "  new.y: not there -> ",
            "  old.x: number from 0 to 1 -> not there",
            "whoever has data in sleep imports it again",
        ] {
            assert!(lines.contains(line), "{line}: {lines}");
        }
        let added = changes(|next| next.vocabulary.push(table("new", vec![number("y", 1)])));
        assert!(!added.lines().join("\n").contains("imports it again"));
    }

    #[test]
    fn impossible_numbers_and_lost_issuers_are_pointed_out() {
        let told = changes(|next| (next.nodes, next.colluders) = (5, 4));
        let lines = told.lines().join("\n");
        assert!(lines.contains("none that are safe") && lines.contains("nothing can be asked"));
        let told = |nodes, colluders| {
            let told = changes(|next| (next.nodes, next.colluders) = (nodes, colluders));
            told.lines().join("\n")
        };
        assert!(!told(13, 3).contains("nothing can be asked"));
        let few = told(12, 3);
        assert!(few.contains("at least 13 nodes for 3"), "{few}");
        assert!(
            few.contains("or at most 2 who may conspire among 12"),
            "{few}"
        );
        assert!(!told(12, 2).contains("nothing can be asked"));
        let told = changes(|next| next.enrolment.clear());
        let line = "  issuer 02020202: its certificates count -> not there";
        assert_eq!(told.lines()[0], line);
    }
}
