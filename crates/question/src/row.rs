//! The row that a person's vault gives: which columns a question reads, in which order, and how they are declared.

use aggregation::statistic::{Declaration, Domain, Measure, NAME_BYTES_MAX};
use community::{Column, Kind, Range};

use crate::function::{Argument, Function};
use crate::names::quoted;
use crate::number::Number;
use crate::parts::Parting;

/// The columns of the row, each once, with what gives them.
#[derive(Default)]
pub(crate) struct Row {
    columns: Vec<Column>,
    local: Vec<String>,
}

impl Row {
    /// What is declared of a question among so many people, and the local SQL of each column of a row. A row has at least
    /// one: of those without a declaration it only counts whether they are NULL.
    pub(crate) fn declare(
        function: Function,
        argument: &Argument,
        groups: &[Parting],
        people: u64,
    ) -> (Declaration, Vec<String>) {
        let mut row = Self::default();
        let mut group_by: Vec<_> = groups.iter().map(|parting| row.domain(parting)).collect();
        let measure = match argument {
            Argument::Row | Argument::Presence(_) => Measure::Count,
            Argument::Numbers(numbers) => {
                let columns = numbers.iter().map(|number| row.number(number)).collect();
                measure(function, columns)
            }
            Argument::Logistic(logistic) => logistic.measure(&mut row),
            // Parts are counted as groups, so that those of too few people are withheld like any group.
            Argument::Parts(parting) => {
                group_by.push(row.domain(parting));
                Measure::Count
            }
        };
        let mut local = row.local;
        match argument {
            // A count takes no value out of the database, only whether there is one.
            Argument::Presence(operand) => local.push(format!(
                "CASE WHEN {} IS NOT NULL THEN 1 END",
                operand.local_at(operand.decimals())
            )),
            _ if local.is_empty() => local.push("1".into()),
            _ => {}
        }
        let declaration = Declaration {
            columns: row.columns,
            group_by,
            measure,
            contributors: people,
            rows: 1,
        };
        (declaration, local)
    }

    fn domain(&mut self, parting: &Parting) -> Domain {
        match parting {
            Parting::Words(column) => Domain::Words(self.add(column.clone(), quoted(&column.name))),
            Parting::Buckets(number, width) => {
                let column = self.number(number);
                Domain::Buckets(width.of_column(column, number.range()))
            }
        }
    }

    pub(crate) fn number(&mut self, number: &Number) -> u16 {
        let name = match number.column_name() {
            Some(name) => name.to_owned(),
            None => number.canonical(),
        };
        self.value(name, number.range(), number.local())
    }

    /// A column of numbers that this SQL gives, called so, or by its place where that is too long.
    pub(crate) fn value(&mut self, name: String, range: Range, local: String) -> u16 {
        let name = if name.len() <= NAME_BYTES_MAX {
            name
        } else {
            format!("value {}", self.columns.len() + 1)
        };
        let column = Column {
            name,
            kind: Kind::Number(range),
        };
        self.add(column, local)
    }

    /// The index of a column, which may be there already.
    fn add(&mut self, column: Column, local: String) -> u16 {
        let known = self.local.iter().position(|it| *it == local);
        let index = known.unwrap_or_else(|| {
            self.columns.push(column);
            self.local.push(local);
            self.columns.len() - 1
        });
        u16::try_from(index).expect("a question's text names fewer columns")
    }
}

/// Of a statistic that is found from sums.
fn measure(function: Function, columns: Vec<u16>) -> Measure {
    let column = columns[0];
    let moments = |order| Measure::Moments { column, order };
    match function {
        Function::Sum => Measure::Sum { column },
        Function::Mean => Measure::Mean { column },
        Function::VariancePopulation
        | Function::VarianceSample
        | Function::DeviationPopulation
        | Function::DeviationSample => moments(2),
        Function::Skewness => moments(3),
        Function::Kurtosis => moments(4),
        Function::CovariancePopulation | Function::CovarianceSample | Function::Correlation => {
            Measure::Covariance { columns }
        }
        Function::Regression => Measure::Linear {
            response: column,
            predictors: columns[1..].to_vec(),
        },
        Function::Count
        | Function::Logistic
        | Function::Histogram
        | Function::Quantile(_)
        | Function::Min
        | Function::Max
        | Function::Top(_) => Measure::Count,
    }
}
