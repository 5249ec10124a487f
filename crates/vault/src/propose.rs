//! What a file looks like as a table of a vocabulary.

use std::collections::BTreeSet;
use std::io::Read;

use community::{Column, Kind, Range, Table};
use question::{Decimal, MAX_DECIMALS};

use crate::error::ImportError;
use crate::fault::{Fault, Faults};
use crate::number;
use crate::rows::Rows;
use crate::vault::check_table_name;

/// Most different words of a column that is proposed as a category.
pub const MAX_CATEGORIES: usize = 32;

/// Longest word of a category, in bytes.
const MAX_WORD: usize = 64;

/// A table that fits a file, for a person to look over before it becomes part of a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The table. Ranges are exactly those of the file's values.
    pub table: Table,
    /// Records looked at.
    pub rows: u64,
    /// Records left out because they have another number of cells than the first line.
    pub skipped_rows: u64,
    /// Cells left out because they are not text.
    pub unusable_cells: u64,
    /// The first of these, one by one.
    pub faults: Vec<Fault>,
}

/// Reads a whole CSV file and proposes a table called `table_name` for it.
///
/// The first line names the columns; an empty cell is a missing value. A column of numbers alone becomes a number column
/// with as many decimals as its longest value has, at most [`MAX_DECIMALS`], and the range from its least to its greatest
/// value. Another column becomes a category if it holds at most [`MAX_CATEGORIES`] different words, sorted, and text
/// otherwise. Takes memory for the proposal only, whatever the length of the file.
///
/// # Errors
///
/// A name that cannot be used, a header that is missing or wrong, or a file without any record.
pub fn propose(reader: impl Read, table_name: &str) -> Result<Proposal, ImportError> {
    check_table_name(table_name)?;
    let mut input = Rows::new(reader)?;
    let mut guesses: Vec<Guess> = input.header().iter().map(|_| Guess::new()).collect();
    let (mut rows, mut faults) = (0, Faults::default());
    while let Some(row) = input.next(&mut faults)? {
        rows += 1;
        for (position, guess) in guesses.iter_mut().enumerate() {
            if let Some(text) = row.text(position, &mut faults) {
                guess.see(text);
            }
        }
    }
    if rows == 0 {
        return Err(ImportError::nothing_read(
            faults.records,
            &faults.first,
            None,
        ));
    }
    let columns = input
        .header()
        .iter()
        .zip(guesses)
        .map(|(name, guess)| Column {
            name: name.clone(),
            kind: guess.kind(),
        })
        .collect();
    Ok(Proposal {
        table: Table {
            name: table_name.to_string(),
            columns,
        },
        rows,
        skipped_rows: faults.records,
        unusable_cells: faults.cells,
        faults: faults.first,
    })
}

/// What the values of one column could be, judging by those seen so far.
struct Guess {
    /// Whether only numbers were seen.
    numeric: bool,
    /// Digits after the point of the longest number.
    decimals: u8,
    /// Least and greatest number.
    ends: Option<(Decimal, Decimal)>,
    /// The words seen, unless they are too many or too long for a category.
    words: Option<BTreeSet<String>>,
}

impl Guess {
    fn new() -> Self {
        Self {
            numeric: true,
            decimals: 0,
            ends: None,
            words: Some(BTreeSet::new()),
        }
    }

    fn see(&mut self, text: &str) {
        self.see_word(text);
        if !self.numeric {
            return;
        }
        let Some(number) = number::parse(text) else {
            self.numeric = false;
            return;
        };
        self.decimals = self.decimals.max(number.decimals);
        let (least, greatest) = self.ends.get_or_insert((number, number));
        if fine(number) < fine(*least) {
            *least = number;
        }
        if fine(number) > fine(*greatest) {
            *greatest = number;
        }
    }

    fn see_word(&mut self, text: &str) {
        let Some(words) = &mut self.words else {
            return;
        };
        if text.len() > MAX_WORD || (words.len() == MAX_CATEGORIES && !words.contains(text)) {
            self.words = None;
        } else if !words.contains(text) {
            words.insert(text.to_string());
        }
    }

    fn kind(self) -> Kind {
        if let (true, Some(ends)) = (self.numeric, self.ends)
            && let Some(range) = range(self.decimals, ends)
        {
            return Kind::Number(range);
        }
        match self.words {
            Some(words) if !words.is_empty() => Kind::Category(words.into_iter().collect()),
            _ => Kind::Text,
        }
    }
}

/// The number in the finest units, to compare it with others. It fits: it is less than 2^63 times 10^9.
fn fine(number: Decimal) -> i128 {
    number.integer * 10i128.pow(u32::from(MAX_DECIMALS - number.decimals))
}

/// The range between `ends` with `decimals`, or with the most that 64 bits hold.
fn range(decimals: u8, (least, greatest): (Decimal, Decimal)) -> Option<Range> {
    (0..=decimals).rev().find_map(|decimals| {
        let (min, max) = (least.scaled_to(decimals)?, greatest.scaled_to(decimals)?);
        (min > i64::MIN).then_some(Range { decimals, min, max })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(cells: &[&str]) -> Kind {
        // A second column, because a line that is empty altogether is no record.
        let lines: Vec<String> = cells.iter().map(|cell| format!("{cell},x")).collect();
        let csv = format!("a,b\n{}\n", lines.join("\n"));
        let proposal = propose(csv.as_bytes(), "t").expect("proposed");
        assert_eq!(proposal.rows, cells.len() as u64);
        proposal.table.columns[0].kind.clone()
    }

    fn number(decimals: u8, min: i64, max: i64) -> Kind {
        Kind::Number(Range { decimals, min, max })
    }

    fn category(words: &[&str]) -> Kind {
        Kind::Category(words.iter().map(|word| word.to_string()).collect())
    }

    #[test]
    fn tells_numbers_from_words() {
        for (cells, kind) in [
            (&["1", "", "3.50", "-2"][..], number(1, -20, 35)),
            (&["8.0", "7.0"], number(0, 7, 8)),
            (
                &["0.1234567894", "1"],
                number(9, 123_456_789, 1_000_000_000),
            ),
            (&["5e-79", "2"], number(0, 0, 2)),
            (&["b", "a", "b", ""], category(&["a", "b"])),
            (&["1", "two"], category(&["1", "two"])),
            (&["", ""], Kind::Text),
            (&["1e300", "2"], category(&["1e300", "2"])),
        ] {
            assert_eq!(kind_of(cells), kind, "{cells:?}");
        }
    }

    #[test]
    fn keeps_as_many_decimals_as_64_bits_hold() {
        let kind = kind_of(&["9223372036854775807", "0.25"]);
        assert_eq!(kind, number(0, 0, i64::MAX));
        let kind = kind_of(&["1000000000000", "0.123456789"]);
        assert_eq!(kind, number(6, 123_457, 1_000_000_000_000_000_000));
        assert!(matches!(
            kind_of(&["-9223372036854775808"]),
            Kind::Category(_)
        ));
    }

    #[test]
    fn many_or_long_words_are_text() {
        let words: Vec<String> = (0..=MAX_CATEGORIES).map(|n| format!("w{n}")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(matches!(
            kind_of(&words[..MAX_CATEGORIES]),
            Kind::Category(_)
        ));
        assert_eq!(kind_of(&words), Kind::Text);
        assert_eq!(kind_of(&["x".repeat(MAX_WORD + 1).as_str()]), Kind::Text);
    }

    #[test]
    fn refuses_names_that_cannot_be() {
        for name in [
            "",
            "commonhold_journal",
            "Commonhold_x",
            "sqlite_schema",
            "a\nb",
        ] {
            let error = propose("a\n1\n".as_bytes(), name).expect_err("refused");
            assert!(matches!(error, ImportError::BadName { .. }), "{name}");
        }
        assert!(propose("a\n1\n".as_bytes(), "it's \"odd\"").is_ok());
    }
}
