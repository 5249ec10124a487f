//! iCalendar (RFC 5545), as every calendar exports it.

use std::io::{BufRead, BufReader, Read};

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::input::Budget;
use crate::import::sink::{Cell, Sink, offset};
use crate::import::zones::Zones;
use crate::time::{DAY_S, Moment};

/// Lines, those that go on in the next one joined.
struct Lines<R> {
    input: R,
    budget: Budget,
    /// The line after the one that was given, and its number.
    next: Vec<u8>,
    number: u64,
}

/// A line: its number, name, parameters and value.
struct Line {
    place: Place,
    name: String,
    parameters: String,
    value: String,
}

/// An entry.
#[derive(Default)]
struct Event {
    place: Option<Place>,
    start: Option<Line>,
    end: Option<Line>,
    duration: String,
    title: String,
    category: String,
    location: String,
    name: String,
    occurrence: String,
    withdrawn: bool,
}

/// Events become events; one that is repeated counts once. To-dos and journals are left out.
pub(crate) fn read<R: Read>(source: Source<R>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut lines = Lines {
        input: BufReader::new(source.input),
        budget: source.budget,
        next: Vec::new(),
        number: 0,
    };
    let (mut event, mut zones) = (Event::default(), Zones::default());
    let mut is_zone = false;
    // The components around the present line; `VCALENDAR`, and `VEVENT` within.
    let (mut depth, mut place) = (0u32, Place::Line(1));
    while let Some(line) = lines.next()? {
        place = line.place;
        match (line.name.as_str(), line.value.to_ascii_uppercase().as_str()) {
            ("BEGIN", component) => {
                depth = depth.saturating_add(1);
                match component {
                    "VEVENT" if depth == 2 => {
                        event = Event {
                            place: Some(line.place),
                            ..Event::default()
                        }
                    }
                    "VTIMEZONE" if depth == 2 => {
                        is_zone = true;
                        zones.begin();
                    }
                    "STANDARD" | "DAYLIGHT" if is_zone && depth == 3 => zones.begin_part(),
                    "VTODO" | "VJOURNAL" => sink.skip(line.place, Reason::NoTable),
                    _ => {}
                }
            }
            // Half a word at the end of a file that is cut off ends nothing.
            ("END", component) if depth != 1 || component == "VCALENDAR" => {
                depth = depth.saturating_sub(1);
                if component == "VEVENT"
                    && depth == 1
                    && let Some(begun) = event.place.take()
                {
                    event.keep(begun, &zones, sink)?;
                }
                match (component, depth) {
                    ("STANDARD" | "DAYLIGHT", 2) if is_zone => zones.end_part(),
                    ("VTIMEZONE", 1) if is_zone => {
                        is_zone = false;
                        zones.end();
                    }
                    _ => {}
                }
            }
            ("TZID", _) if is_zone && depth == 2 => zones.name(&line.value),
            (property, _) if is_zone && depth == 3 => zones.say(property, &line.value),
            // Alarms within events have properties of the same names.
            _ if depth == 2 && event.place.is_some() => event.take(line),
            _ => {}
        }
    }
    match depth {
        0 => Ok(()),
        _ => Err(ImportError::Truncated { place }),
    }
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Line>, ImportError> {
        self.budget.renew();
        if self.number == 0 {
            self.fill()?;
        }
        loop {
            if self.next.is_empty() {
                return Ok(None);
            }
            let (mut line, place) = (std::mem::take(&mut self.next), Place::Line(self.number));
            self.fill()?;
            while matches!(self.next.first(), Some(b' ' | b'\t')) {
                line.extend(self.next.drain(..).skip(1));
                self.fill()?;
            }
            let line = String::from_utf8(line).map_err(|_| ImportError::Malformed {
                place,
                what: "text that is not UTF-8",
            })?;
            if let Some(line) = Line::parse(place, line.trim_start_matches('\u{feff}')) {
                return Ok(Some(line));
            }
        }
    }

    /// Reads a line without its end, empty at the end of the file; blank lines are passed over.
    fn fill(&mut self) -> Result<(), ImportError> {
        loop {
            self.next.clear();
            let place = Place::Line(self.number + 1);
            let read = self.input.read_until(b'\n', &mut self.next);
            let read = read.map_err(|why| match why.kind() {
                std::io::ErrorKind::FileTooLarge => ImportError::TooLarge { place },
                kind => ImportError::Io(kind),
            })?;
            if read == 0 {
                return Ok(());
            }
            self.number += 1;
            // Spaces at the end may stand between words of which the next line has the second.
            while matches!(self.next.last(), Some(b'\r' | b'\n')) {
                self.next.pop();
            }
            if !self.next.trim_ascii().is_empty() {
                return Ok(());
            }
        }
    }
}

impl Line {
    /// `NAME;PARAMETER="a:b":value`.
    fn parse(place: Place, text: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = text.find(|sign| {
            quoted ^= sign == '"';
            sign == ':' && !quoted
        })?;
        let (head, value) = (&text[..colon], &text[colon + 1..]);
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Some(Self {
            place,
            name: name.trim().to_ascii_uppercase(),
            parameters: parameters.to_owned(),
            value: value.to_owned(),
        })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.split(';').find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.eq_ignore_ascii_case(name)
                .then_some(value.trim_matches('"'))
        })
    }

    /// Whether it is a day, and when.
    fn time(&self, zones: &Zones, sink: &Sink) -> Result<(bool, Moment), Reason> {
        let mut moment = crate::time::parse(&self.value).ok_or(Reason::NotATime)?;
        let is_day = self.parameter("VALUE") == Some("DATE") || self.value.trim().len() == 8;
        // A day is a day, wherever.
        let zone = self.parameter("TZID").filter(|_| !is_day);
        if let Some(zone) = zone
            && moment.offset_min.is_none()
            && let Some(ahead) = zones.ahead_min(zone, moment.utc_s)
        {
            moment.utc_s -= ahead * 60;
            moment.offset_min = Some(ahead);
        }
        match zone {
            Some("UTC" | "Etc/UTC" | "GMT") if moment.offset_min.is_none() => {
                moment.offset_min = Some(0);
            }
            Some(_) if moment.offset_min.is_none() && sink.zone().is_none() => {
                return Err(Reason::UnknownZone);
            }
            _ => {}
        }
        Ok((is_day, sink.zoned(moment).ok_or(Reason::NotATime)?))
    }
}

impl Event {
    fn take(&mut self, line: Line) {
        match line.name.as_str() {
            "DTSTART" => self.start = Some(line),
            "DTEND" => self.end = Some(line),
            "DURATION" => self.duration = line.value,
            "SUMMARY" => self.title = plain(&line.value),
            "CATEGORIES" => self.category = plain(&line.value),
            "LOCATION" => self.location = plain(&line.value),
            "UID" => self.name = line.value,
            "RECURRENCE-ID" => self.occurrence = line.value,
            "STATUS" => self.withdrawn = line.value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
    }

    fn keep(&self, place: Place, zones: &Zones, sink: &mut Sink) -> Result<(), ImportError> {
        let times = match (&self.start, self.withdrawn) {
            (_, true) => Err(Reason::Withdrawn),
            (None, _) => Err(Reason::Missing("beginning")),
            (Some(start), _) => self.times(start, zones, sink),
        };
        let (is_day, start, end) = match times {
            Ok(times) => times,
            Err(reason) => {
                sink.skip(place, reason);
                return Ok(());
            }
        };
        let reference = match self.occurrence.as_str() {
            "" => self.name.clone(),
            occurrence => format!("{} {occurrence}", self.name),
        };
        let cells = [
            ("start_utc_s", Cell::Units(start.utc_s)),
            ("end_utc_s", Cell::Units(end)),
            ("utc_offset_min", offset(start)),
            ("all_day", Cell::Word(if is_day { "yes" } else { "no" })),
            ("title", Cell::Word(&self.title)),
            ("category", Cell::Word(&self.category)),
            ("place", Cell::Word(&self.location)),
            ("reference", Cell::Word(&reference)),
        ];
        sink.keep(place, "events", &cells)
    }

    fn times(
        &self,
        start: &Line,
        zones: &Zones,
        sink: &Sink,
    ) -> Result<(bool, Moment, i64), Reason> {
        let (is_day, begins) = start.time(zones, sink)?;
        let ends = match &self.end {
            Some(end) => end.time(zones, sink)?.1.utc_s,
            None if !self.duration.is_empty() => {
                let seconds = duration(&self.duration).ok_or(Reason::NotATime)?;
                begins.utc_s.saturating_add(seconds)
            }
            None => begins.utc_s + if is_day { DAY_S } else { 0 },
        };
        Ok((is_day, begins, ends))
    }
}

/// Seconds of `P1W`, `P1DT2H`, `-PT15M`.
fn duration(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let rest = text.trim_start_matches(['+', '-']).strip_prefix('P')?;
    let (mut seconds, mut number) = (0i64, String::new());
    for sign in rest.chars() {
        let one = match sign {
            '0'..='9' => {
                number.push(sign);
                continue;
            }
            'T' if number.is_empty() => continue,
            'W' => 7 * DAY_S,
            'D' => DAY_S,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        let count: i64 = std::mem::take(&mut number).parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(one)?)?;
    }
    number
        .is_empty()
        .then_some(if negative { -seconds } else { seconds })
}

/// The text without its escapes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => match signs.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        for (text, seconds) in [
            ("P1W", Some(604_800)),
            ("P1DT2H", Some(93_600)),
            ("-PT15M", Some(-900)),
            ("PT", Some(0)),
            ("PT1", None),
            ("1H", None),
            ("PTH", None),
            ("PT99999999999999999999S", None),
            ("P9223372036854775807W", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }
}
