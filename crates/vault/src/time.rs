//! Moments as files write them: an instant in UTC, and by how much the clock on the wall was ahead of it.

/// Seconds of a day.
pub(crate) const DAY_S: i64 = 86_400;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since 1970 in UTC.
    pub(crate) utc_s: i64,
    /// Minutes that local time is ahead of UTC, if the file says so.
    pub(crate) offset_min: Option<i64>,
}

/// A date with a time of day, as on a clock somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Civil {
    /// Seconds since 1970 as that clock counts them; `None` if there is no such date or time. A leap second counts as
    /// the one after it.
    pub(crate) fn seconds(&self) -> Option<i64> {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = match self.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let fits = (0..=9999).contains(&self.year)
            && (1..=days).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..=60).contains(&self.second);
        let time = self.hour * 3600 + self.minute * 60 + self.second;
        fits.then(|| days_since_1970(self.year, self.month, self.day) * DAY_S + time)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, whose years are counted from March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year
        - 719_468
}

/// Reads the forms of ISO 8601 and its relatives: `2021-03-04T05:06:07.8+01:00`, `2021-03-04 05:06:07 +0100`,
/// `20210304T050607Z`, `20210304050607.123[-5:EST]`, and a date alone, which is its midnight. Fractions of seconds are
/// dropped.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    let mut rest = Text(text.trim());
    let mut civil = Civil {
        year: rest.digits(4)?,
        ..Civil::default()
    };
    let dashes = rest.take("-");
    civil.month = rest.digits(2)?;
    if dashes && !rest.take("-") {
        return None;
    }
    civil.day = rest.digits(2)?;
    if rest.0.is_empty() {
        return moment(civil, None);
    }
    if !rest.take("T") && !rest.take("t") && !rest.take(" ") && dashes {
        return None;
    }
    civil.hour = rest.digits(2)?;
    let colons = rest.take(":");
    civil.minute = rest.digits(2)?;
    if !colons || rest.take(":") {
        civil.second = rest.digits(2).or(if colons { None } else { Some(0) })?;
    }
    if rest.take(".") || rest.take(",") {
        rest.0 = rest
            .0
            .trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    let offset = offset(rest.0.trim())?;
    moment(civil, offset)
}

/// The moment of a clock that is ahead of UTC by so many minutes.
pub(crate) fn moment(civil: Civil, offset_min: Option<i64>) -> Option<Moment> {
    Some(Moment {
        utc_s: civil.seconds()? - offset_min.unwrap_or(0) * 60,
        offset_min,
    })
}

/// Minutes ahead of UTC: `Z`, `+01:00`, `-0730`, `+2`, `[-5:EST]`, `[+0:UTC]`; `None` within for an empty text.
pub(crate) fn offset(text: &str) -> Option<Option<i64>> {
    if text.is_empty() {
        return Some(None);
    }
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(Some(0));
    }
    if let Some(inside) = text.strip_prefix('[') {
        let number = inside.strip_suffix(']')?.split(':').next()?;
        let (hours, part) = number.split_once('.').unwrap_or((number, "0"));
        let minutes = part.get(..1)?.parse::<i64>().ok()? * 6;
        let whole = hours.trim_start_matches(['+', '-']).parse::<i64>().ok()?;
        return signed(number.starts_with('-'), whole, minutes);
    }
    let negative = text.starts_with('-');
    let mut rest = Text(text.strip_prefix(['+', '-'])?);
    let hours = rest.digits(2).or_else(|| rest.digits(1))?;
    rest.take(":");
    let minutes = if rest.0.is_empty() {
        0
    } else {
        rest.digits(2)?
    };
    match rest.0 {
        "" => signed(negative, hours, minutes),
        _ => None,
    }
}

/// Minutes that the clock is ahead of UTC which `text` tells, such as `+01:00`, `-0730` or `Z`.
pub fn utc_offset_min(text: &str) -> Option<i64> {
    offset(text).flatten()
}

fn signed(negative: bool, hours: i64, minutes: i64) -> Option<Option<i64>> {
    let all = hours.checked_mul(60)?.checked_add(minutes)?;
    let fits = all <= 18 * 60 && minutes < 60;
    fits.then_some(Some(if negative { -all } else { all }))
}

/// Reads a time by a pattern of `%Y %y %m %d %H %M %S %z %s`; everything else stands for itself.
pub(crate) fn parse_as(text: &str, pattern: &str) -> Option<Moment> {
    let mut rest = Text(text.trim());
    let mut civil = Civil {
        month: 1,
        day: 1,
        ..Civil::default()
    };
    let mut ahead = None;
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        if sign != '%' {
            rest.0 = rest.0.strip_prefix(sign)?;
            continue;
        }
        match signs.next()? {
            'Y' => civil.year = rest.digits(4)?,
            'y' => civil.year = 2000 + rest.digits(2)?,
            'm' => civil.month = rest.number()?,
            'd' => civil.day = rest.number()?,
            'H' => civil.hour = rest.number()?,
            'M' => civil.minute = rest.digits(2)?,
            'S' => civil.second = rest.digits(2)?,
            'z' => {
                ahead = offset(rest.0)?;
                rest.0 = "";
            }
            's' => {
                let utc_s = rest.0.split('.').next()?.parse().ok()?;
                return Some(Moment {
                    utc_s,
                    offset_min: None,
                });
            }
            _ => return None,
        }
    }
    match rest.0 {
        "" => moment(civil, ahead),
        _ => None,
    }
}

/// What is left to read.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn take(&mut self, prefix: &str) -> bool {
        let rest = self.0.strip_prefix(prefix);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let all = digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = all.then(|| digits.parse().ok()).flatten()?;
        self.0 = rest;
        Some(number)
    }

    /// One or two digits.
    fn number(&mut self) -> Option<i64> {
        self.digits(2).or_else(|| self.digits(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(text: &str, utc_s: i64, offset_min: Option<i64>) {
        assert_eq!(parse(text), Some(Moment { utc_s, offset_min }), "{text}");
    }

    #[test]
    fn reads_what_files_write() {
        is("1970-01-01", 0, None);
        is("2000-03-01T00:00:00Z", 951_868_800, Some(0));
        is("2018-09-10 02:28:55 -0700", 1_536_571_735, Some(-420));
        is("2017-07-29T14:46:35.000Z", 1_501_339_595, Some(0));
        is("2024-02-29T23:59:60+05:30", 1_709_231_400, Some(330));
        is("20210304T050607Z", 1_614_834_367, Some(0));
        is("20210304T050607", 1_614_834_367, None);
        is("20210304050607.123[-5:EST]", 1_614_852_367, Some(-300));
        is("20240311220045.572[+0:UTC]", 1_710_194_445, Some(0));
        is("20210304120000.000[5.5:IST]", 1_614_839_400, Some(330));
        is("20051004", 1_128_384_000, None);
        is("1969-12-31T23:59:59Z", -1, Some(0));
        is("2021-03-04T05:06Z", 1_614_834_360, Some(0));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "now",
            "2021",
            "2021-13-01",
            "2021-02-29",
            "2021-00-10",
            "2021-01-01T24:00:00Z",
            "2021-01-01T10:60:00Z",
            "2021-01-01x10:00:00",
            "2021-01-01T10:00:00+99:00",
            "2021-0101",
            "99999-01-01",
            "٢٠٢١-01-01",
            "2021-01-01T10:00:00+",
            "20210304050607[",
            "20210304050607[x]",
            "2021-01-01T10:00:00 Europe/Paris",
            "20210304050607[-9223372036854775807:X]",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn reads_by_a_pattern() {
        let moment = |utc_s, offset_min| Some(Moment { utc_s, offset_min });
        assert_eq!(
            parse_as("4.3.2021 5:06", "%d.%m.%Y %H:%M"),
            moment(1_614_834_360, None)
        );
        assert_eq!(
            parse_as("03/04/21 05:06:07 +01:00", "%m/%d/%y %H:%M:%S %z"),
            moment(1_614_830_767, Some(60))
        );
        assert_eq!(parse_as("1614834367.25", "%s"), moment(1_614_834_367, None));
        assert_eq!(parse_as("4.3.2021", "%d.%m.%Y %H"), None);
        assert_eq!(parse_as("4.3.2021x", "%d.%m.%Y"), None);
        assert_eq!(parse_as("1", "%q"), None);
    }

    #[test]
    fn a_day_after_another_is_the_next() {
        let mut before = None;
        for year in [1899, 1900, 1999, 2000, 2023, 2024, 2100] {
            for month in 1..=12 {
                for day in 1..=31 {
                    let civil = Civil {
                        year,
                        month,
                        day,
                        ..Civil::default()
                    };
                    let Some(seconds) = civil.seconds() else {
                        continue;
                    };
                    if let Some((last, of)) = before
                        && of == year
                    {
                        assert_eq!(seconds, last + DAY_S, "{civil:?}");
                    }
                    before = Some((seconds, year));
                }
            }
        }
    }
}
