//! Numbers with what they count, as people say it.

use std::fmt::Display;

/// So many of something: "1 node", "3 nodes".
pub fn counted(number: impl Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    let what = if number == "1" { one } else { many };
    format!("{number} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_nothing_else() {
        let told = [0, 1, 2, 11].map(|number| counted(number, "row is", "rows are"));
        assert_eq!(
            told,
            ["0 rows are", "1 row is", "2 rows are", "11 rows are"]
        );
    }
}
