//! From everybody's totals to the answer (design: aggregation).

use aggregation::committee::Totals;
use aggregation::statistic::{
    self, Bracket, Exactness, Fixed, Fraction, Label, Top, TotalsError, Undefined,
};
use thiserror::Error;

use crate::function::Function;
use crate::question::Question;
use crate::shares::Shares;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was asked for.
    pub function: Function,
    /// How near the figures are to those of the rows in the clear.
    pub exactness: Exactness,
    /// How many people matched and had all values.
    pub people: u64,
    /// The figures of all of them. None where parts of a value are counted and all of them are withheld, or where that is
    /// done by groups.
    pub whole: Option<Result<Figures, Undefined>>,
    /// What people are grouped by, as after GROUP BY.
    pub groupings: Vec<String>,
    /// By the parts of the groupings, the last grouping's first; empty without groups.
    pub groups: Vec<Group>,
}

impl Answer {
    /// The sum over everybody, where a sum or mean was asked for.
    pub fn total(&self) -> Option<Fixed> {
        match self.whole {
            Some(Ok(Figures::Sums(
                statistic::Figures::Sum(total) | statistic::Figures::Mean { total, .. },
            ))) => Some(total),
            _ => None,
        }
    }

    /// The mean over everybody, where it was asked for.
    pub fn mean(&self) -> Option<&Fraction> {
        match &self.whole {
            Some(Ok(Figures::Sums(statistic::Figures::Mean { mean, .. }))) => Some(mean),
            _ => None,
        }
    }
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The part of each grouping, in order.
    pub labels: Vec<Label>,
    /// How many people are in it, unless that is withheld.
    pub people: Option<u64>,
    /// Their figures; `None` where they are withheld, because the group is too small or a small one could be told by it.
    pub figures: Option<Result<Figures, Undefined>>,
}

/// What is said about a crowd.
#[derive(Debug, Clone, PartialEq)]
pub enum Figures {
    /// What follows from the number of people and sums over them.
    Sums(statistic::Figures),
    /// How many are in each part; `None` where that is withheld.
    Histogram(Vec<(Label, Option<u64>)>),
    /// The quantile, minimum or maximum lies in here. As narrow as what is not withheld allows.
    Within(Bracket),
    /// The parts with most people, of those that are not withheld, which have no fewer people than any that is.
    Top(Top),
}

/// Why totals are no honest sum of contributions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FiguresError {
    /// Not the cells of this question.
    #[error("the sum has {found} cells, this question has {expected}")]
    Cells {
        /// As the question says.
        expected: usize,
        /// As received.
        found: usize,
    },
    /// More people than took part.
    #[error("{people} people match of {included} who took part")]
    TooMany {
        /// How many matched.
        people: u64,
        /// How many took part.
        included: u64,
    },
    /// Cells that have more together than the whole.
    #[error("the cells do not add up to the whole")]
    Parts,
    /// Totals that nobody can have made.
    #[error("{0}")]
    Totals(#[from] TotalsError),
}

impl Question {
    /// Turns the sum of everybody's vectors, as far as it was opened, into figures.
    ///
    /// # Errors
    ///
    /// Totals that so many people cannot have contributed, as far as that can be seen.
    pub fn decode(&self, totals: &Totals) -> Result<Answer, FiguresError> {
        let statistic = self.statistic();
        let whole = statistic.decode_whole(&totals.whole)?;
        let cells = self.opened(totals)?;
        check_parts(&totals.whole, &cells)?;
        let function = self.function();
        let mut answer = Answer {
            function,
            exactness: statistic.exactness(),
            people: whole.people,
            whole: None,
            groupings: self.groupings().to_vec(),
            groups: Vec::new(),
        };
        if function.counts_parts() {
            if matches!(
                function,
                Function::Quantile(_) | Function::Min | Function::Max
            ) {
                answer.exactness = Exactness::Bucket;
            }
            self.place_people(&mut answer, &cells);
            return Ok(answer);
        }
        answer.whole = Some(whole.figures.map(Figures::Sums));
        if !answer.groupings.is_empty() {
            for (index, cell) in cells.into_iter().enumerate() {
                let cell = cell
                    .map(|cell| statistic.decode_cell(index, cell))
                    .transpose()?;
                answer.groups.push(Group {
                    labels: statistic.labels(index),
                    people: cell.as_ref().map(|cell| cell.people),
                    figures: cell.map(|cell| cell.figures.map(Figures::Sums)),
                });
            }
        }
        Ok(answer)
    }

    /// The numbers of each cell that is open. A single cell is the whole.
    fn opened<'a>(&self, totals: &'a Totals) -> Result<Vec<Option<&'a [u64]>>, FiguresError> {
        let expected = self.cells();
        if expected == 1 && totals.cells.is_empty() {
            return Ok(vec![Some(&totals.whole)]);
        }
        if totals.cells.len() != expected {
            return Err(FiguresError::Cells {
                expected,
                found: totals.cells.len(),
            });
        }
        Ok(totals.cells.iter().map(Option::as_deref).collect())
    }

    /// Of a question for the parts of a value, which are its last grouping.
    fn place_people(&self, answer: &mut Answer, cells: &[Option<&[u64]>]) {
        let statistic = self.statistic();
        let parts = self.parts();
        let counts: Vec<_> = cells.iter().map(|cell| cell.map(|cell| cell[0])).collect();
        let open: u64 = counts.iter().flatten().sum();
        // Cells add up to no more than the whole, which was checked.
        let hidden = answer.people - open;
        for (group, counts) in counts.chunks(parts).enumerate() {
            let first = group * parts;
            let mut labels = statistic.labels(first);
            labels.pop();
            let part = |part: usize| {
                let label = statistic.labels(first + part).pop();
                label.expect("the parts are the last grouping")
            };
            let shares = Shares {
                counts,
                hidden: if cells.len() == parts {
                    hidden..=hidden
                } else {
                    0..=hidden
                },
            };
            let figures = shares.figures(answer.function, part);
            if answer.groupings.is_empty() {
                answer.whole = figures;
            } else {
                answer.groups.push(Group {
                    labels,
                    people: counts.iter().copied().sum(),
                    figures,
                });
            }
        }
    }

    /// How many parts the last grouping has.
    fn parts(&self) -> usize {
        let declaration = self.statistic().declaration();
        let domain = declaration
            .group_by
            .last()
            .expect("parts of a value are a grouping");
        domain.parts(&declaration.columns)
    }
}

/// Checks that no number of the open cells is more than the whole's, and that it is the same where all are open.
fn check_parts(whole: &[u64], cells: &[Option<&[u64]>]) -> Result<(), FiguresError> {
    let all = cells.iter().all(Option::is_some);
    for (index, whole) in whole.iter().enumerate() {
        let open = cells.iter().flatten().map(|cell| {
            let number = cell.get(index).copied();
            number.map_or(u128::MAX >> 32, u128::from)
        });
        let open: u128 = open.sum();
        if open > u128::from(*whole) || (all && open < u128::from(*whole)) {
            return Err(FiguresError::Parts);
        }
    }
    Ok(())
}
