//! What was measured, for people and for programs.

use serde_json::json;

/// One number.
pub struct Row {
    /// What was measured, and under which conditions.
    pub what: String,
    /// The median.
    pub value: f64,
    /// Of `value` and `goal`.
    pub unit: &'static str,
    /// What it should be.
    pub goal: Option<Goal>,
}

/// What a number should be.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(goal) => value >= goal,
            Self::AtMost(goal) => value <= goal,
        }
    }

    fn number(self) -> f64 {
        match self {
            Self::AtLeast(goal) | Self::AtMost(goal) => goal,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(goal) => format!("at least {}", digits(goal)),
            Self::AtMost(goal) => format!("at most {}", digits(goal)),
        }
    }
}

/// Prints a table.
pub fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.what.chars().count()).max();
    let width = width.unwrap_or_default();
    for row in rows {
        let goal = row.goal.map_or(String::new(), |goal| {
            let met = if goal.is_met(row.value) {
                "met"
            } else {
                "MISSED"
            };
            format!("{} ({met})", goal.text())
        });
        let line = format!(
            "{:width$}  {:>12} {:<8}  {goal}",
            row.what,
            digits(row.value),
            row.unit
        );
        println!("{}", line.trim_end());
    }
}

/// Prints one array of objects.
pub fn print_json(rows: &[Row]) {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "what": row.what,
                "value": row.value,
                "unit": row.unit,
                "goal": row.goal.map(Goal::number),
                "met": row.goal.map(|goal| goal.is_met(row.value)),
            })
        })
        .collect();
    println!("{:#}", serde_json::Value::from(rows));
}

/// Three significant digits, or all of a whole number.
fn digits(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
