//! Moments and days as dates, in plain words.

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A moment in seconds since 1970, UTC, as 2024-05-01 08:30 UTC.
pub(crate) fn moment(secs: i64) -> String {
    let rest = secs.rem_euclid(DAY_S);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let second = match second {
        0 => String::new(),
        second => format!(":{second:02}"),
    };
    let date = date(secs.div_euclid(DAY_S));
    format!("{date} {hour:02}:{minute:02}{second} UTC")
}

/// A day, counted from 1970-01-01, as 2024-05-01. Days to civil date as in Hinnant, "chrono-compatible low-level date
/// algorithms", in numbers wide enough for any day that a question may write.
pub(crate) fn date(days: i64) -> String {
    let shifted = i128::from(days) + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_dates_that_they_mean() {
        let moments = [0, 1_200_000_000, 951_782_399, -1].map(moment);
        assert_eq!(
            moments,
            [
                "1970-01-01 00:00 UTC",
                "2008-01-10 21:20 UTC",
                "2000-02-28 23:59:59 UTC",
                "1969-12-31 23:59:59 UTC"
            ]
        );
        assert_eq!(
            [0, 11_016, -719_162].map(date),
            ["1970-01-01", "2000-02-29", "0001-01-01"]
        );
        assert!(date(i64::MAX).starts_with("252527"), "no day is too far");
    }
}
