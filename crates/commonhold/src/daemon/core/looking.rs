//! What the owner's page looks up: the vocabulary, what one's own data would say, and a proof checked once more.

use std::sync::Arc;

use api::{Checked, ColumnKind, Fault, Kind, Preview, PreviewOutcome, PreviewValue, Reply, Table};
use community::{Column, Community, Kind as ColumnIs};
use question::{LocalRow, LocalValue, Outcome, Question};
use tokio::sync::oneshot;
use tokio::time::Instant;
use vault::VaultError;

use super::{Core, UpError};
use crate::daemon::hearing;
use crate::report::ring;

impl Core {
    /// The tables that questions may be about.
    pub(super) fn vocabulary(&self) -> Vec<Table> {
        let tables = &self.community.descriptor().vocabulary;
        let table = |table: &community::Table| Table {
            name: table.name.clone(),
            columns: table.columns.iter().map(told_column).collect(),
        };
        tables.iter().map(table).collect()
    }

    /// What the owner's data would say to a question of the inbox. The vault is asked as it will be when it counts.
    pub(super) fn preview(&self, id: &str, reply: Reply<Preview>) -> Result<(), UpError> {
        let descriptor = self.community.descriptor();
        let question = self.ledger.received(id).and_then(|entry| {
            let parsed = Question::parse(&entry.sql, &descriptor.vocabulary, descriptor.nodes);
            parsed.map_err(|why| Fault::said(Kind::Refused, &why.to_string()))
        });
        let question = match question {
            Ok(question) => question,
            Err(fault) => {
                drop(reply.send(Err(fault)));
                return Ok(());
            }
        };
        self.with_vault(reply, move |vault| {
            let row = match vault.answer(&question) {
                Ok(row) => row,
                Err(VaultError::NoTable(_)) => LocalRow::NoRow,
                Err(why) => return Err(Fault::said(Kind::Failed, &why.to_string())),
            };
            let rows = match vault.rows_asked(&question) {
                Ok(rows) => rows,
                Err(VaultError::NoTable(_)) => Some(0).filter(|_| question.inner().is_some()),
                Err(why) => return Err(Fault::said(Kind::Failed, &why.to_string())),
            };
            Ok(previewed(&question, &row, rows))
        })
    }

    /// Checks a proof from its file alone, beside the loop.
    pub(super) fn check(&self, id: &str, reply: Reply<Checked>) -> Result<(), UpError> {
        let community = Arc::clone(&self.community);
        let (proof, proved) = oneshot::channel();
        self.proof(id, proof)?;
        tokio::spawn(async move {
            let lost = || Fault::new(Kind::Failed, "the node is stopping", "start it again");
            let checked = match proved.await.unwrap_or_else(|_| Err(lost())) {
                Ok(proof) => tokio::task::spawn_blocking(move || checked(&proof, community))
                    .await
                    .map_err(|_| lost()),
                Err(fault) => Err(fault),
            };
            drop(reply.send(checked));
        });
        Ok(())
    }
}

/// A column of a table, for people.
pub(super) fn told_column(column: &Column) -> api::Column {
    let (kind, range, words) = match &column.kind {
        ColumnIs::Number(range) => (ColumnKind::Number, Some(range), Vec::new()),
        ColumnIs::Category(words) => (ColumnKind::Category, None, words.clone()),
        ColumnIs::Text => (ColumnKind::Text, None, Vec::new()),
    };
    api::Column {
        name: column.name.clone(),
        kind,
        min: range.map(|range| decimal(range.min, range.decimals)),
        max: range.map(|range| decimal(range.max, range.decimals)),
        decimals: range.map(|range| range.decimals),
        words,
    }
}

/// What is said of `row`, which is made of so many rows where there is a query in brackets.
fn previewed(question: &Question, row: &LocalRow, rows: Option<u64>) -> Preview {
    let most = question.inner().map(|inner| inner.rows_max);
    let outcome = match question.measure(row).outcome {
        _ if rows.zip(most).is_some_and(|(rows, most)| rows > most) => PreviewOutcome::TooManyRows,
        Outcome::Match => PreviewOutcome::Match,
        Outcome::NoMatch => PreviewOutcome::NoMatch,
        Outcome::Missing => PreviewOutcome::Missing,
        Outcome::OutOfRange => PreviewOutcome::OutOfRange,
        Outcome::SeveralRows => PreviewOutcome::SeveralRows,
    };
    let declared = &question.statistic().declaration().columns;
    let values = match row {
        LocalRow::One(values) if outcome == PreviewOutcome::Match => {
            declared.iter().zip(values).filter_map(value).collect()
        }
        _ => Vec::new(),
    };
    Preview {
        outcome,
        values,
        numbers: question.vector_len() as u64,
        rows,
    }
}

fn value((column, value): (&Column, &LocalValue)) -> Option<PreviewValue> {
    let value = match (value, &column.kind) {
        (LocalValue::Number(units), ColumnIs::Number(range)) => decimal(*units, range.decimals),
        (LocalValue::Number(units), _) => units.to_string(),
        (LocalValue::Word(word), _) => word.clone(),
        (LocalValue::Missing | LocalValue::Other, _) => return None,
    };
    let name = column.name.clone();
    Some(PreviewValue { name, value })
}

/// A number in units of `10^-decimals`, as people write it.
fn decimal(units: i64, decimals: u8) -> String {
    let width = usize::from(decimals);
    let digits = format!("{:0>1$}", units.unsigned_abs(), width + 1);
    let (whole, rest) = digits.split_at(digits.len() - width);
    let sign = if units < 0 { "-" } else { "" };
    match rest.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{rest}"),
    }
}

fn checked(proof: &[u8], community: Arc<Community>) -> Checked {
    let began = Instant::now();
    let verified = node::proof::verify(proof, &community);
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let bytes = proof.len() as u64;
    match verified {
        Ok(verified) => Checked {
            holds: true,
            why: None,
            bytes,
            took_us,
            signatures: verified.checks as u64,
            answer: Some(hearing::said(&verified)),
            ring: ring::of(proof),
        },
        Err(why) => Checked {
            holds: false,
            why: Some(why.to_string()),
            bytes,
            took_us,
            signatures: 0,
            answer: None,
            ring: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        let written = [
            (72, 1),
            (70, 1),
            (-5, 2),
            (0, 3),
            (i64::MIN, 0),
            (1_000_000_001, 9),
        ];
        let written = written.map(|(units, decimals)| decimal(units, decimals));
        assert_eq!(
            written,
            [
                "7.2",
                "7",
                "-0.05",
                "0",
                "-9223372036854775808",
                "1.000000001"
            ]
        );
    }
}
