//! From local rows to the answer, against plain arithmetic.

mod figures;
mod language;
mod logistic;
mod places;
mod refused;
mod text;
mod told;

use aggregation::committee::Totals;
use aggregation::suppression;

use crate::example::ask;
use crate::{Answer, LocalRow, LocalValue, Question};

fn question(sql: &str) -> Question {
    ask(sql).expect(sql)
}

fn row(values: &[i64]) -> LocalRow {
    LocalRow::One(values.iter().copied().map(LocalValue::Number).collect())
}

fn word(word: &str) -> LocalValue {
    LocalValue::Word(word.into())
}

/// What a committee opens of everybody's contributions, when fewer than `enough` may not be counted together.
fn opened(question: &Question, rows: &[LocalRow], enough: u64) -> Totals {
    let mut total = vec![0u64; question.vector_len()];
    for row in rows {
        for (sum, part) in total.iter_mut().zip(question.measure(row).vector) {
            *sum += part;
        }
    }
    let layout = question.statistic().layout();
    let cells: Vec<Vec<u64>> = (0..question.cells())
        .map(|cell| layout.elements(cell).map(|index| total[index]).collect())
        .collect();
    let whole = (0..cells[0].len())
        .map(|index| cells.iter().map(|cell| cell[index]).sum())
        .collect();
    let counts: Vec<u64> = cells.iter().map(|cell| cell[0]).collect();
    let open = suppression::open(&counts, enough).cells;
    let cells = if cells.len() == 1 {
        Vec::new()
    } else {
        let both = cells.into_iter().zip(open);
        both.map(|(cell, open)| open.then_some(cell)).collect()
    };
    Totals { whole, cells }
}

fn answer(question: &Question, rows: &[LocalRow], enough: u64) -> Answer {
    let totals = opened(question, rows, enough);
    question.decode(&totals).expect("honest totals")
}
