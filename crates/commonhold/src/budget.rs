//! How an owner writes a budget of questions: `5/day`, `20/2w`, `off`.

use std::fmt;
use std::str::FromStr;

use base::Duration;
use node::Budget;

/// Most questions that a budget can allow.
const QUESTIONS_MAX: usize = 10_000;
/// The shortest period: shorter ones say nothing about what answers tell together.
const PERIOD_MIN: Duration = Duration::from_secs(60);
/// The longest period.
const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);

const UNITS: [(&str, &str, u64); 4] = [
    ("week", "w", 7 * 86_400),
    ("day", "d", 86_400),
    ("hour", "h", 3600),
    ("minute", "m", 60),
];

/// What a text must be to be a budget.
pub const EXPECTED: &str = "off, or a number of questions and a period, such as 5/day, 20/2w or 1/12h; \
    up to 10000 questions, and from a minute to a year";

/// A budget as it is written, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written(pub Option<Budget>);

impl FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let budget = text.split_once('/').and_then(|(questions, period)| {
            let questions = questions.parse().ok()?;
            checked(questions, self::period(period)?)
        });
        budget
            .map(|budget| Self(Some(budget)))
            .ok_or_else(|| format!("give {EXPECTED}"))
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Budget { questions, period }) = self.0 else {
            return f.write_str("off");
        };
        let (times, _, short) = parts(period.as_secs());
        write!(f, "{questions}/{times}{short}")
    }
}

/// A budget within its limits.
pub fn checked(questions: usize, period: Duration) -> Option<Budget> {
    let is_possible =
        (1..=QUESTIONS_MAX).contains(&questions) && (PERIOD_MIN..=PERIOD_MAX).contains(&period);
    is_possible.then_some(Budget { questions, period })
}

/// As one says it: "5 a day", "20 in 2 weeks".
pub fn words(questions: u64, period_secs: u64) -> String {
    match parts(period_secs) {
        (1, "hour", _) => format!("{questions} an hour"),
        (1, unit, _) => format!("{questions} a {unit}"),
        (times, unit, _) => format!("{questions} in {times} {unit}s"),
    }
}

/// How often which unit a period is, the longest that fits. Seconds are left out only where there are none to write.
fn parts(secs: u64) -> (u64, &'static str, &'static str) {
    let whole = UNITS
        .iter()
        .find(|(_, _, unit)| secs >= *unit && secs.is_multiple_of(*unit));
    whole.map_or((secs, "second", "s"), |(name, short, unit)| {
        (secs / unit, name, short)
    })
}

fn period(text: &str) -> Option<Duration> {
    let secs = UNITS
        .iter()
        .chain([&("second", "s", 1)])
        .find_map(|(name, short, unit)| {
            if text == *name {
                return Some(*unit);
            }
            let times: u64 = text.strip_suffix(short)?.parse().ok()?;
            times.checked_mul(*unit)
        });
    secs.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_and_written() {
        for (text, questions, secs, again, said) in [
            ("5/day", 5, 86_400, "5/1d", "5 a day"),
            ("20/2w", 20, 14 * 86_400, "20/2w", "20 in 2 weeks"),
            ("1/12h", 1, 43_200, "1/12h", "1 in 12 hours"),
            ("3/hour", 3, 3600, "3/1h", "3 an hour"),
            ("3/90m", 3, 5400, "3/90m", "3 in 90 minutes"),
            ("2/61s", 2, 61, "2/61s", "2 in 61 seconds"),
            (
                "10000/366d",
                10_000,
                366 * 86_400,
                "10000/366d",
                "10000 in 366 days",
            ),
        ] {
            let read: Written = text.parse().expect("a budget");
            let budget = read.0.expect("not off");
            assert_eq!(
                (budget.questions, budget.period.as_secs()),
                (questions, secs)
            );
            assert_eq!(read.to_string(), again);
            assert_eq!(again.parse(), Ok(read));
            assert_eq!(words(questions as u64, secs), said);
        }
        assert_eq!("off".parse(), Ok(Written(None)));
        assert_eq!(Written(None).to_string(), "off");
    }

    #[test]
    fn nothing_else_is_a_budget() {
        for text in [
            "",
            "5",
            "/day",
            "5/",
            "0/day",
            "10001/day",
            "5/59s",
            "5/367d",
            "-1/day",
            "5/days",
            "5/1.5d",
            "5/day/day",
            "5 / day",
            "5/99999999999999999999w",
            "OFF",
        ] {
            let refused = text.parse::<Written>().expect_err(text);
            assert!(refused.contains("5/day"), "{refused}");
        }
    }
}
