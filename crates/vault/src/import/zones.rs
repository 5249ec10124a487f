//! What a calendar says of its own zones (RFC 5545 §3.6.5): when the clock there is how far ahead of UTC. Names of zones mean
//! nothing beyond the file that defines them.

use std::collections::BTreeMap;

use crate::time::{Civil, DAY_S, offset, parse};

/// Most zones of one calendar, and most parts of one zone with their dates (guesses: a calendar of travels has a dozen
/// zones, and the longest history of a zone two hundred changes).
const MAX_ZONES: usize = 500;
const MAX_PARTS: usize = 1000;

/// Seconds of a year on average.
const YEAR_S: i64 = 31_556_952;

/// All zones that a file has defined so far.
#[derive(Debug, Default)]
pub(super) struct Zones {
    known: BTreeMap<String, Zone>,
    /// The one that is being read, and its part.
    open: Option<(String, Zone)>,
    part: Part,
}

#[derive(Debug, Default)]
struct Zone {
    parts: Vec<Observance>,
    /// Whether it says something that is not understood: none of it is used then.
    is_strange: bool,
}

/// A part as far as it was read.
#[derive(Debug, Default)]
struct Part {
    start: Option<i64>,
    before_min: Option<i64>,
    ahead_min: Option<i64>,
    rule: Option<String>,
    dates: Vec<i64>,
}

/// From when on the clock is how far ahead. Onsets are as the clock shows them until then, in seconds since 1970.
#[derive(Debug)]
struct Observance {
    onsets: Vec<i64>,
    every_year: Option<Rule>,
    before_min: i64,
    ahead_min: i64,
}

/// A day of each year: in March, the last Sunday for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    month: i64,
    /// 0 is Monday.
    weekday: i64,
    day: Day,
    /// Since when, and at which time of day.
    start: i64,
    /// Until when, in UTC.
    until_utc_s: Option<i64>,
}

/// Which of the days of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// The first is 1, the last -1.
    Nth(i64),
    /// The first from this day of the month on.
    From(i64),
}

impl Zones {
    /// A zone begins.
    pub(super) fn begin(&mut self) {
        self.open = Some((String::new(), Zone::default()));
    }

    /// The zone that is being read has this name.
    pub(super) fn name(&mut self, name: &str) {
        if let Some((known, _)) = &mut self.open {
            name.trim().clone_into(known);
        }
    }

    /// A part of it begins.
    pub(super) fn begin_part(&mut self) {
        self.part = Part::default();
    }

    /// The part says this.
    pub(super) fn say(&mut self, property: &str, value: &str) {
        match property {
            "DTSTART" => self.part.start = clock(value),
            "TZOFFSETFROM" => self.part.before_min = minutes(value),
            "TZOFFSETTO" => self.part.ahead_min = minutes(value),
            "RRULE" => self.part.rule = Some(value.trim().to_ascii_uppercase()),
            "RDATE" => {
                let room = MAX_PARTS.saturating_sub(self.part.dates.len());
                self.part
                    .dates
                    .extend(value.split(',').filter_map(clock).take(room));
            }
            _ => {}
        }
    }

    /// The part ends.
    pub(super) fn end_part(&mut self) {
        let part = std::mem::take(&mut self.part);
        let Some((_, zone)) = &mut self.open else {
            return;
        };
        match part.read() {
            Some(part) if zone.parts.len() < MAX_PARTS => zone.parts.push(part),
            _ => zone.is_strange = true,
        }
    }

    /// The zone ends.
    pub(super) fn end(&mut self) {
        if let Some((name, zone)) = self.open.take()
            && !zone.is_strange
            && !zone.parts.is_empty()
            && self.known.len() < MAX_ZONES
        {
            self.known.insert(name, zone);
        }
    }

    /// Minutes that the clock of that zone is ahead of UTC when it shows this, in seconds since 1970; none for a zone that
    /// the file does not define.
    pub(super) fn ahead_min(&self, name: &str, clock_s: i64) -> Option<i64> {
        let parts = &self.known.get(name.trim())?.parts;
        let latest = parts
            .iter()
            .filter_map(|part| Some((part.last_onset(clock_s)?, part.ahead_min)));
        let latest = latest
            .max_by_key(|(onset, _)| *onset)
            .map(|(_, ahead)| ahead);
        let first = || parts.iter().min_by_key(|part| part.onsets.iter().min());
        latest.or_else(|| Some(first()?.before_min))
    }
}

impl Part {
    fn read(self) -> Option<Observance> {
        let start = self.start?;
        let mut onsets = self.dates;
        onsets.push(start);
        let every_year = match self.rule {
            None => None,
            Some(rule) => Some(Rule::read(&rule, start)?),
        };
        Some(Observance {
            onsets,
            every_year,
            before_min: self.before_min?,
            ahead_min: self.ahead_min?,
        })
    }
}

impl Observance {
    /// When it last began, as the clock shows that.
    fn last_onset(&self, clock_s: i64) -> Option<i64> {
        let dates = self.onsets.iter().copied();
        let this_year = 1970 + clock_s.div_euclid(YEAR_S);
        // The average year may be off by one around the turn of the year.
        let years = this_year - 2..=this_year + 1;
        let yearly = self.every_year.iter().flat_map(|rule| {
            let years = years.clone();
            years.filter_map(|year| rule.onset(year, self.before_min))
        });
        dates.chain(yearly).filter(|onset| *onset <= clock_s).max()
    }
}

impl Rule {
    /// `FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU`, and what old programs write for it; none for others.
    fn read(text: &str, start: i64) -> Option<Self> {
        let (mut month, mut weekday, mut nth, mut from, mut until) = (None, None, None, None, None);
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            match key {
                "FREQ" if value == "YEARLY" => {}
                "INTERVAL" if value == "1" => {}
                "WKST" => {}
                "BYMONTH" => month = Some(value.parse().ok().filter(|it| (1..=12).contains(it))?),
                "BYDAY" => {
                    let (number, name) = value.split_at_checked(value.len().checked_sub(2)?)?;
                    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
                    weekday = Some(names.iter().position(|it| *it == name)? as i64);
                    if !number.is_empty() {
                        let number = number.parse().ok();
                        nth = Some(number.filter(|it: &i64| (1..=5).contains(&it.abs()))?);
                    }
                }
                "BYMONTHDAY" => {
                    let days: Option<Vec<i64>> =
                        value.split(',').map(|it| it.parse().ok()).collect();
                    from = Some(days?.into_iter().min().filter(|it| (1..=31).contains(it))?);
                }
                "UNTIL" => until = Some(parse(value)?.utc_s),
                _ => return None,
            }
        }
        Some(Self {
            month: month?,
            weekday: weekday?,
            day: match (nth, from) {
                (Some(nth), None) => Day::Nth(nth),
                (None, Some(from)) => Day::From(from),
                _ => return None,
            },
            start,
            until_utc_s: until,
        })
    }

    /// When it begins in that year, as the clock shows it before.
    fn onset(&self, year: i64, before_min: i64) -> Option<i64> {
        let midnight = |month, day| {
            let civil = Civil {
                year,
                month,
                day,
                ..Civil::default()
            };
            civil.seconds()
        };
        let first = midnight(self.month, 1)?;
        let days = match self.month {
            12 => 31,
            month => (midnight(month + 1, 1)? - first) / DAY_S,
        };
        // The first of January 1970 was a Thursday.
        let weekday_of = |day: i64| (first / DAY_S + day - 1 + 3).rem_euclid(7);
        let since = |day: i64| day + (self.weekday - weekday_of(day)).rem_euclid(7);
        let day = match self.day {
            Day::Nth(nth) if nth > 0 => since(1) + 7 * (nth - 1),
            Day::Nth(nth) => since(days - 6) + 7 * (nth + 1),
            Day::From(from) => since(from),
        };
        let onset = first + (day - 1) * DAY_S + self.start.rem_euclid(DAY_S);
        let is_over = self
            .until_utc_s
            .is_some_and(|until| onset - before_min * 60 > until);
        let is_one = (1..=days).contains(&day) && onset >= self.start && !is_over;
        is_one.then_some(onset)
    }
}

/// What a clock shows, in seconds since 1970.
fn clock(text: &str) -> Option<i64> {
    let moment = parse(text)?;
    moment.offset_min.is_none().then_some(moment.utc_s)
}

/// `+0100`, or with seconds, of which clocks of long ago had some.
fn minutes(text: &str) -> Option<i64> {
    let text = text.trim();
    offset(text.get(..5).unwrap_or(text))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(parts: &[&[(&str, &str)]]) -> Zones {
        let mut zones = Zones::default();
        zones.begin();
        zones.name("Home");
        for part in parts {
            zones.begin_part();
            part.iter()
                .for_each(|(property, value)| zones.say(property, value));
            zones.end_part();
        }
        zones.end();
        zones
    }

    fn ahead(zones: &Zones, text: &str) -> Option<i64> {
        zones.ahead_min("Home", clock(text).expect("a time"))
    }

    const SUMMER: &[(&str, &str)] = &[
        ("DTSTART", "19810329T020000"),
        ("TZOFFSETFROM", "+0100"),
        ("TZOFFSETTO", "+0200"),
        ("RRULE", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
    ];
    const WINTER: &[(&str, &str)] = &[
        ("DTSTART", "19961027T030000"),
        ("TZOFFSETFROM", "+0200"),
        ("TZOFFSETTO", "+0100"),
        ("RRULE", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
    ];

    #[test]
    fn summer_begins_and_ends_as_the_file_says() {
        let zones = zone(&[SUMMER, WINTER]);
        for (text, minutes) in [
            ("20240101T000000", 60),
            ("20240331T015959", 60),
            ("20240331T030000", 120),
            ("20240701T120000", 120),
            ("20241027T025959", 120),
            ("20241027T030000", 60),
            ("20241231T235959", 60),
            ("20250330T020000", 120),
            // Before anything that it tells of.
            ("19700101T000000", 60),
        ] {
            assert_eq!(ahead(&zones, text), Some(minutes), "{text}");
        }
        assert_eq!(zones.ahead_min("Elsewhere", 0), None);
    }

    #[test]
    fn rules_end_and_others_follow() {
        // New York as it was until 2006 and is since, as Outlook and others write it.
        let part = |start, from, to, rule| {
            [
                ("DTSTART", start),
                ("TZOFFSETFROM", from),
                ("TZOFFSETTO", to),
                ("RRULE", rule),
            ]
        };
        let zones = zone(&[
            &part(
                "19870405T020000",
                "-0500",
                "-0400",
                "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z",
            ),
            &part(
                "19671029T020000",
                "-0400",
                "-0500",
                "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z",
            ),
            &part(
                "20070311T020000",
                "-0500",
                "-0400",
                "FREQ=YEARLY;BYDAY=SU;BYMONTHDAY=8,9,10,11,12,13,14;BYMONTH=3",
            ),
            &part(
                "20071104T020000",
                "-0400",
                "-0500",
                "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
            ),
        ]);
        for (text, minutes) in [
            ("20060401T120000", -300),
            ("20060402T120000", -240),
            ("20061029T120000", -300),
            ("20070310T120000", -300),
            ("20070311T120000", -240),
            ("20071103T120000", -240),
            ("20071104T120000", -300),
            ("20240310T120000", -240),
            ("20241102T235959", -240),
            ("20241103T120000", -300),
        ] {
            assert_eq!(ahead(&zones, text), Some(minutes), "{text}");
        }
    }

    #[test]
    fn dates_count_as_well() {
        let zones = zone(&[&[
            ("DTSTART", "20100101T000000"),
            ("RDATE", "20110101T000000,20120101T000000"),
            ("TZOFFSETFROM", "+013730"),
            ("TZOFFSETTO", "+0200"),
        ]]);
        assert_eq!(ahead(&zones, "20090101T000000"), Some(97));
        assert_eq!(ahead(&zones, "20110601T000000"), Some(120));
    }

    #[test]
    fn a_zone_that_is_not_understood_is_none() {
        for rule in [
            "FREQ=MONTHLY;BYDAY=1SU",
            "FREQ=YEARLY;BYMONTH=13;BYDAY=1SU",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=SU",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=9SU",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=é",
            "FREQ=YEARLY;BYMONTH=3",
            "FREQ=YEARLY;BYSETPOS=1",
            "nonsense",
        ] {
            let mut summer = SUMMER.to_vec();
            summer[3].1 = rule;
            let zones = zone(&[&summer, WINTER]);
            assert_eq!(ahead(&zones, "20240101T000000"), None, "{rule}");
        }
        assert_eq!(ahead(&zone(&[&SUMMER[1..]]), "20240101T000000"), None);
        assert_eq!(ahead(&zone(&[]), "20240101T000000"), None);
    }
}
