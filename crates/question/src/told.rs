//! A question in a line of plain words, for people who decide on it. What they consent to stands in the canonical text.

use crate::condition::Condition;
use crate::date;
use crate::decimal::Decimal;
use crate::function::{Argument, Function, LEVEL_DECIMALS, MEDIAN};
use crate::inner::Counted;
use crate::names::joined;
use crate::operand::Operand;
use crate::parts::Parting;

/// Canonical text of values with its names out of quotes. What is compared with stays in its own.
pub(crate) fn bare(canonical: &str) -> String {
    let mut told = String::with_capacity(canonical.len());
    let mut quote = None;
    let mut letters = canonical.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            // Within quotes a quote is doubled.
            ('"', Some('"')) if letters.next_if_eq(&'"').is_some() => told.push('"'),
            ('"', Some('"')) => quote = None,
            ('"', None) => quote = Some('"'),
            ('\'', Some('\'')) => {
                told.push(letter);
                quote = None;
            }
            ('\'', None) => {
                told.push(letter);
                quote = Some('\'');
            }
            _ => told.push(letter),
        }
    }
    told
}

/// A count with its thousands apart.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// What is asked of whom.
pub(crate) fn title(
    (function, argument): (Function, &Argument),
    from: &str,
    condition: Option<&Condition>,
    groups: &[Parting],
) -> String {
    let asked = function.told(argument);
    let of = condition.map_or(String::new(), |it| format!(", of those with {}", it.told()));
    let by = match groups {
        [] => String::new(),
        groups => {
            let groups: Vec<_> = groups.iter().map(Parting::told).collect();
            format!(", by {}", joined(&groups, "and"))
        }
    };
    format!("{asked}, from {from}{of}{by}")
}

impl Function {
    fn told(self, argument: &Argument) -> String {
        match argument {
            Argument::Row => "How many people".into(),
            Argument::Presence(operand) => format!("How many people have {}", operand.told()),
            Argument::Numbers(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(|it| bare(&it.canonical())).collect();
                self.of_numbers(&numbers)
            }
            Argument::Parts(parting) => self.of_parts(parting),
            Argument::Logistic(logistic) => {
                let (response, predictors) = logistic.told();
                let make = if predictors.len() == 1 {
                    "makes"
                } else {
                    "make"
                };
                let predictors = joined(&predictors, "and");
                format!("How likely {predictors} {make} it that {response}")
            }
        }
    }

    fn of_numbers(self, numbers: &[String]) -> String {
        let [x, rest @ ..] = numbers else {
            return self.name().into();
        };
        let others = joined(rest, "and");
        match self {
            Self::Sum => format!("The total of {x}"),
            Self::Mean => format!("The average of {x}"),
            Self::VariancePopulation | Self::VarianceSample => format!("The variance of {x}"),
            Self::DeviationPopulation | Self::DeviationSample => format!("The spread of {x}"),
            Self::Skewness => format!("How lopsided {x} is"),
            Self::Kurtosis => format!("How often {x} is far from its average"),
            Self::CovariancePopulation | Self::CovarianceSample => {
                format!("How {x} and {others} vary together")
            }
            Self::Correlation => format!("How {x} and {others} go together"),
            Self::Regression => format!("How {x} depends on {others}"),
            _ => format!("{} of {}", self.name(), joined(numbers, "and")),
        }
    }

    fn of_parts(self, parting: &Parting) -> String {
        let (x, steps) = parting.pieces();
        let told = match self {
            Self::Quantile(MEDIAN) => format!("The middle value of {x}"),
            Self::Quantile(level) => {
                let percent = Decimal {
                    integer: level.into(),
                    decimals: LEVEL_DECIMALS - 2,
                };
                format!("The {x} below which {} % lie", percent.trimmed())
            }
            Self::Min => format!("The lowest {x}"),
            Self::Max => format!("The highest {x}"),
            Self::Top(1) => format!("The most frequent {x}"),
            Self::Top(count) => format!("The {count} most frequent of {x}"),
            _ => format!("How {x} is distributed"),
        };
        told + &steps
    }
}

/// How many people have rows of their own, of which `counted` gives the number: as it is asked most.
pub(crate) fn people_with_rows(
    counted: &Counted,
    most: u64,
    condition: Option<&Condition>,
) -> Option<String> {
    let Some(Condition::Compare(Operand::Number(number), ">=", Operand::Number(least))) = condition
    else {
        return None;
    };
    let least = least.as_literal().filter(|least| least.decimals == 0)?;
    let least = u64::try_from(least.integer).ok()?;
    (number.column_name() == Some(&counted.name) && least <= most).then(|| {
        let (least, most) = (thousands(least), thousands(most));
        format!("How many people have {least} to {most} {}", counted.rows)
    })
}

impl Parting {
    /// What it divides, and into how wide steps.
    fn pieces(&self) -> (String, String) {
        match self {
            Self::Words(column) => (column.name.clone(), String::new()),
            Self::Buckets(number, width) => {
                let steps = format!(" in steps of {}", width.canonical());
                (bare(&number.canonical()), steps)
            }
        }
    }

    pub(crate) fn told(&self) -> String {
        let (x, steps) = self.pieces();
        x + &steps
    }
}

impl Operand {
    pub(crate) fn told(&self) -> String {
        bare(&self.canonical())
    }

    /// As a value of `other`: a moment as its date, where names that end so say that numbers are moments or days.
    fn told_beside(&self, other: &Self) -> String {
        let name = match other {
            Self::Number(number) => number.column_name(),
            _ => None,
        };
        let literal = match self {
            Self::Number(number) => number.as_literal().filter(|value| value.decimals == 0),
            _ => None,
        };
        let literal = literal.and_then(|value| value.scaled_to(0));
        match (name, literal) {
            (Some(name), Some(secs)) if name.ends_with("_utc_s") => date::moment(secs),
            (Some(name), Some(days)) if name == "day" || name.ends_with("_day") => date::date(days),
            _ => self.told(),
        }
    }
}

impl Condition {
    /// In words, with brackets where an "and" could be taken for another.
    pub(crate) fn told(&self) -> String {
        let all = |parts: &[Self], word: &str| {
            let parts = parts.iter().map(|part| match part {
                Self::All(_) | Self::Any(_) => format!("({})", part.told()),
                _ => part.told(),
            });
            parts.collect::<Vec<_>>().join(word)
        };
        match self {
            Self::All(parts) => all(parts, " and "),
            Self::Any(parts) => all(parts, " or "),
            Self::Not(inner) => match inner.as_ref() {
                Self::Between(value, low, high) => between(value, "not between", low, high),
                Self::OneOf(value, list) => one_of(value, "none of", list),
                inner => format!("not ({})", inner.told()),
            },
            Self::Compare(left, sign, right) => {
                let sign = match *sign {
                    "=" => "is",
                    "<>" => "is not",
                    "<" => "below",
                    "<=" => "at most",
                    ">" => "above",
                    ">=" => "at least",
                    other => other,
                };
                format!(
                    "{} {sign} {}",
                    left.told_beside(right),
                    right.told_beside(left)
                )
            }
            Self::Between(value, low, high) => between(value, "between", low, high),
            Self::OneOf(value, list) => one_of(value, "one of", list),
            Self::Missing(value) => format!("{} missing", value.told()),
            Self::Present(value) => format!("{} known", value.told()),
        }
    }
}

fn between(value: &Operand, between: &str, low: &Operand, high: &Operand) -> String {
    format!(
        "{} {between} {} and {}",
        value.told(),
        low.told_beside(value),
        high.told_beside(value)
    )
}

fn one_of(value: &Operand, one_of: &str, list: &[Operand]) -> String {
    let list: Vec<_> = list.iter().map(|it| it.told_beside(value)).collect();
    format!("{} {one_of} {}", value.told(), joined(&list, "or"))
}
