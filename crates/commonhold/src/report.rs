//! What a proof says, in words and for programs.

use std::fmt;

use node::proof::Verified;
use serde::{Deserialize, Serialize};

pub mod ring;
pub mod shown;

use shown::{Figure, MEAN_DIGITS, Row};

use crate::counted::counted;

/// Most figures that are told in one line.
const ON_A_LINE: usize = 6;

/// What a checked proof says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The question.
    pub question: String,
    /// The question in a line of plain words; empty where an earlier version of the program wrote this.
    #[serde(default)]
    pub title: String,
    /// What it was asked for.
    pub purpose: String,
    /// Digest of the plan.
    pub plan: String,
    /// Who asked.
    pub asker: String,
    /// When it was asked, in seconds since 1970 (UTC), as the asker says.
    pub asked_at: u64,
    /// When the helpers closed, in seconds since 1970 (UTC), as they say.
    pub closed_at: u64,
    /// People who matched and had a value.
    pub count: u64,
    /// Their total, exact.
    pub total: Option<String>,
    /// Their mean, rounded to four digits.
    pub mean: Option<String>,
    /// What was asked for of all of them, then what else follows from the same sums; a count is `count` itself.
    pub figures: Vec<Figure>,
    /// What people are grouped by.
    pub groupings: Vec<String>,
    /// Their groups.
    pub groups: Vec<Row>,
    /// People whose contributions are in it, matching or not.
    pub included: u64,
    /// People who declined.
    pub declined: u64,
    /// People of whom nothing arrived in time.
    pub away: u64,
    /// People who were left out because they could not prove that their numbers are possible.
    pub refused: u64,
    /// Whether everybody in it has proved that.
    pub proved: bool,
    /// Why nobody had to.
    pub unproved: Option<String>,
    /// Smallest crowd that may be answered.
    pub min_crowd: u64,
    /// Added to it against colluders.
    pub padding_allowance: u64,
    /// Lanes of helpers.
    pub lanes: u16,
    /// Helpers in each.
    pub replicas: u16,
    /// Helpers of a lane who signed its word.
    pub signers: u16,
    /// Witnesses of the draw.
    pub k: usize,
    /// Who set the draw up.
    pub setter: String,
    /// Chance that colluders hold a share of every lane.
    pub privacy: f64,
    /// Chance that some lane has as many colluders as its word needs signers.
    pub wrong: f64,
    /// Chance that too many helpers go away by accident.
    pub loss: f64,
    /// Chance that the witnesses of any draw that colluders can start in a period all collude.
    pub draw: f64,
    /// Signature checks that were made.
    pub checks: usize,
}

impl Report {
    /// What this proof says.
    pub fn of(verified: &Verified) -> Self {
        let answer = &verified.answer;
        Self {
            question: verified.sql.clone(),
            title: verified.title.clone(),
            purpose: verified.purpose.clone(),
            plan: verified.question.to_string(),
            asker: verified.asker.to_string(),
            asked_at: verified.asked_at.as_secs(),
            closed_at: verified.closed_at.as_secs(),
            count: answer.people,
            total: answer.total().map(|total| trimmed(&total.to_string())),
            mean: answer.mean().map(|mean| mean.rounded(MEAN_DIGITS)),
            figures: shown::of_all(answer),
            groupings: answer.groupings.clone(),
            groups: shown::of_groups(answer),
            included: verified.included,
            declined: verified.declined,
            away: verified.away,
            refused: verified.refused,
            proved: verified.unproved.is_none(),
            unproved: verified.unproved.as_ref().map(ToString::to_string),
            min_crowd: verified.min_crowd,
            padding_allowance: verified.padding_allowance,
            lanes: verified.sizes.lanes,
            replicas: verified.sizes.replicas,
            signers: verified.sizes.signers,
            k: verified.k,
            setter: verified.setter.to_string(),
            privacy: verified.bounds.privacy,
            wrong: verified.bounds.wrong,
            loss: verified.bounds.loss,
            draw: verified.draw_bound,
            checks: verified.checks,
        }
    }

    /// The answer in a few words.
    pub fn answer(&self) -> String {
        let people = counted(self.count, "person", "people");
        match (&self.mean, &self.total) {
            (Some(mean), Some(total)) => {
                format!("mean {mean} over {people} (total {total})")
            }
            (None, Some(total)) => format!("total {total} over {people}"),
            _ => {
                let mut told = vec![people];
                if self.figures.len() <= ON_A_LINE {
                    told.extend(shown::texts(self.figures.iter()));
                }
                told.join(", ")
            }
        }
    }

    /// What does not fit into a few words, line by line: long lists of figures, and groups.
    pub fn table(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.figures.len() > ON_A_LINE {
            lines.extend(shown::texts(self.figures.iter()));
        }
        let (told, withheld): (Vec<&Row>, Vec<&Row>) =
            self.groups.iter().partition(|row| row.figures.is_some());
        lines.extend(told.into_iter().map(Row::line));
        match withheld.as_slice() {
            few if few.len() <= ON_A_LINE => lines.extend(few.iter().map(|row| row.line())),
            many => lines.push(format!(
                "{} other groups: withheld, too few people in each or together",
                many.len()
            )),
        }
        lines
    }

    /// Who was asked and what became of them, in a few words: the other numbers add up to the first.
    pub fn people(&self) -> String {
        let Self {
            included,
            declined,
            away,
            refused,
            ..
        } = self;
        let impossible = match refused {
            0 => String::new(),
            _ => format!(", {refused} left out for impossible numbers"),
        };
        let asked = included + declined + away + refused;
        format!(
            "{asked} asked: {included} took part, {declined} declined, {away} away or undecided{impossible}"
        )
    }

    /// What keeps one liar from making the answer anything.
    pub fn proofs(&self) -> String {
        match &self.unproved {
            None => "everybody in it proved that their numbers are possible".to_owned(),
            Some(why) => format!("{why}; one who lied can have made the answer anything"),
        }
    }

    /// What can go wrong with which chance.
    pub fn bounds(&self) -> String {
        format!(
            "a value seen {}, a wrong answer {}, no answer {}, a draw among colluders {}",
            Chance(self.privacy),
            Chance(self.wrong),
            Chance(self.loss),
            Chance(self.draw),
        )
    }
}

/// Without zeros at the end of a fraction.
fn trimmed(number: &str) -> String {
    if number.contains('.') {
        let digits = number.trim_end_matches('0');
        digits.trim_end_matches('.').to_owned()
    } else {
        number.to_owned()
    }
}

/// A chance as people read it.
pub struct Chance(pub f64);

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0.0 => f.write_str("0"),
            chance if chance >= 0.001 => write!(f, "{chance:.3}"),
            chance => write!(f, "{chance:.0e}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_short() {
        let shown: Vec<_> = [0.0, 0.509, 1.0, 0.001, 9.1e-13]
            .map(|chance| Chance(chance).to_string())
            .into();
        assert_eq!(shown, ["0", "0.509", "1.000", "0.001", "9e-13"]);
    }
}
